"""People go back to an earlier turn: its files and its conversation, and nothing of the present is lost."""

from devstack.scenarios.stage import Findings, Stage
from discord_agent.domain.events import REWOUND
from discord_agent.domain.ids import ManifestId, ThreadId
from discord_agent.domain.run import Outcome


def play(stage: Stage) -> Findings:
    """A run of three turns; back to the first, and on from there another way."""
    run = stage.ask("write the two verses")
    run.ended()
    before = run.read("first.txt"), run.read("second.txt")
    stage.ada.command(run.thread, "rewind", turn=1)
    stage.until("the run is rewound", lambda: run.entries_of(REWOUND))
    after = run.read("first.txt"), run.read("second.txt")
    (rewound,) = run.entries_of(REWOUND)

    other = stage.said(run.say("write the second verse about the sea instead"))
    other.ended()
    remembered = str([call.messages for call in stage.calls("turn", "about the sea")[:1]])
    return Findings(
        {"turns": run.record.turns, "rewound": rewound.details},
        (
            *run.ends,
            *other.ends,
            ("before, both verses are there", before == ("Roses.\n", "Violets.\n")),
            ("afterwards only that of the first turn", after == ("Roses.\n", "")),
            ("who went back is recorded", rewound.actor == stage.ada.user_id),
            (
                "the present is kept as a checkpoint",
                _holds_both(stage, run.thread, rewound.details["presentManifestId"]),
            ),
            ("the next run goes on in the conversation of that turn", bool(other.entries_of("resumed"))),
            (
                "its model remembers the first turn only",
                "Roses" in remembered and "Violets" not in remembered,
            ),
            ("it goes another way", other.outcome is Outcome.DONE and other.read("second.txt") == "The sea.\n"),
        ),
    )


def _holds_both(stage: Stage, thread: str, manifest_id: str) -> bool:
    manifest = stage.records.workspaces.load(ThreadId(thread), ManifestId(manifest_id))
    return {"first.txt", "second.txt"} <= manifest.by_path().keys()
