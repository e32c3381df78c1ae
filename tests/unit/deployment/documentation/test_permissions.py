"""The tables of rights say all that is granted, and nothing else."""

import re

from deployment.documentation.permissions import permissions
from deployment.documentation.reach import reach
from deployment.roles import roles
from discord_agent.system import SYSTEM


def rows(table: str) -> list[list[str]]:
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in table.splitlines()[2:]]


def test_every_grant_of_every_role_has_a_row_of_its_own() -> None:
    documented: dict[str, list[tuple[list[str], int, str]]] = {}
    role = ""
    for who, actions, resources, reason in rows(permissions(SYSTEM)):
        role = re.findall(r"role `(.*?)`", who)[0] if who else role
        documented.setdefault(role, []).append((re.findall("`(.*?)`", actions), resources.count("<br>") + 1, reason))
    granted = {
        role.name: [(list(grant.actions), len(grant.resources), grant.reason) for grant in role.grants]
        for role in roles(SYSTEM).values()
    }
    assert {name: sorted(each) for name, each in documented.items()} == {
        name: sorted(each) for name, each in granted.items()
    }


def test_what_the_sandbox_may_do_is_two_actions_on_its_own_logs() -> None:
    table = rows(permissions(SYSTEM))
    (at,) = [number for number, row in enumerate(table) if row[0].startswith("**function sandbox**")]
    assert table[at][1:3] == [
        "`logs:CreateLogStream`<br>`logs:PutLogEvents`",
        "log group `/aws/lambda/discord-agent-sandbox:*`",
    ]
    assert table[at + 1][0]


def test_whoever_may_do_something_with_a_thing_stands_beside_it() -> None:
    table = dict(rows(reach(SYSTEM)))
    assert table["function `sandbox`"] == "calls: `turn`"
    assert table["queue `discord_messages.fifo`"] == "sends: `interactions`, `gateway_bridge`<br>consumes: `intake`"
    assert table["secret `git-credentials`"] == "holds: `prepare`, `commit`, `approval`"
