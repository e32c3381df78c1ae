"""A channel lends a program its credential: the command really runs there, and nowhere else."""

import json
from copy import replace
from typing import Any, Final

from devstack.discord.seed import GUILD_ID, RANDOM_ID, WORKSHOP_ID
from devstack.options import ROOT, Options
from devstack.scenarios.stage import Findings, Run, Stage
from discord_agent.domain.ids import ChannelId
from discord_agent.domain.policy import ChannelSettings, ToolCredential
from discord_agent.domain.run import Outcome

_TOKEN: Final = "the-token-of-a-cluster-that-does-not-exist"
_PROGRAMS: Final = ROOT / "devstack" / "samples" / "programs"
_CREDENTIAL: Final = ToolCredential("kubectl", "cluster", "KUBECONFIG", as_file=True)


def prepared(options: Options) -> Options:
    """A stack whose sandbox has a stand-in for kubectl, and a secret for it."""
    secrets = {"cluster": {"value": f"token: {_TOKEN}\n", "guilds": [GUILD_ID]}}
    return replace(options, programs=_PROGRAMS, tool_secrets=json.dumps(secrets))


def play(stage: Stage) -> Findings:
    """The same request in a channel with the credential and in one without."""
    workshop = ChannelSettings(ChannelId(WORKSHOP_ID), credentials=(_CREDENTIAL,))
    with stage.settings(channels=(workshop,)):
        allowed = stage.ask("run kubectl get pods", channel=WORKSHOP_ID)
        allowed.ended()
        elsewhere = stage.ask("run kubectl get pods", channel=RANDOM_ID)
        elsewhere.ended()
    pods, piped, config = _outputs(allowed)
    refused = _outputs(elsewhere)[0]
    everything = json.dumps([call.messages for call in stage.calls("turn", "kubectl")], ensure_ascii=False)
    return Findings(
        {"output": pods["output"], "elsewhere": refused["output"]},
        (
            *allowed.ends,
            *elsewhere.ends,
            (
                "the command ran with the credential",
                bool(pods["success"]) and "web-2   0/1     Pending" in pods["output"],
            ),
            ("people are shown what it printed", allowed.outcome is Outcome.DONE and allowed.shows("web-2")),
            ("people see that it ran", allowed.shows("🔧 Running: kubectl get pods")),
            ("in a pipeline it gets none", not piped["success"] and "no credential was given" in piped["output"]),
            ("what it prints of the credential is covered", "[KUBECONFIG]" in config["output"]),
            ("in another channel it gets none", not refused["success"] and "no configuration" in refused["output"]),
            ("no model is ever sent the secret", _TOKEN not in everything),
            ("the secret is in nobody's records", not _is_told(allowed) and not _is_told(elsewhere)),
        ),
    )


def _outputs(run: Run) -> list[dict[str, Any]]:
    return [call for entry in run.entries_of("round") for call in entry.details["toolCalls"] if call["tool"] == "bash"]


def _is_told(run: Run) -> bool:
    return run.shows(_TOKEN) or any(_TOKEN in str(entry.details) for entry in run.entries)
