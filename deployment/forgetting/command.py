"""``discord-agent operate forget``: says what is kept about a person, and deletes it when told to."""

import sys

from deployment.forgetting.account import Account
from deployment.forgetting.plan import Plan, plan
from discord_agent.domain.errors import InvalidInput, InvalidSettings
from discord_agent.domain.ids import snowflake


def run(user: str, *, bucket: str, delete: bool) -> int:
    """Show what is kept about the person with this id; with ``delete`` it is gone afterwards."""
    try:
        snowflake(user)
    except InvalidInput as error:
        raise InvalidSettings(f"{user!r:.40} is no id of a person in Discord: copy it from their profile") from error
    account = Account.here(bucket)
    found = plan(user, account.records())
    _say(report(user, found))
    if found.is_empty:
        return 0
    if not delete:
        _say("Nothing was deleted. Run it again with --delete.")
        return 0
    if found.at_work:
        raise InvalidSettings(f"stop these runs first, with /stop or 🛑: {', '.join(found.at_work)}")
    account.carry_out(found)
    left = plan(user, account.records())
    if not left.is_empty:
        raise InvalidSettings("something was written meanwhile: run the command again")
    _say("Deleted.")
    return 0


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")


def report(user: str, found: Plan) -> str:
    """What is kept about a person, as counts: the contents are nobody's business here."""
    if found.is_empty:
        lines = [f"Nothing is kept about {user}."]
    else:
        lines = [
            f"About {user} there are",
            f"  {len(found.executions)} runs, {len(found.messages)} rows of the audit trail,",
            f"  {len(found.sessions)} memories, waiting messages, votes and accounts,",
            f"  {len(found.prefixes)} places in the bucket,",
            f"  {len(found.trims)} rows of others that name the person or tell what was said.",
        ]
    if found.settings:
        lines.append(f"Rules of {', '.join(found.settings)} name the person and stay: change them with /settings.")
    return "\n".join(lines)
