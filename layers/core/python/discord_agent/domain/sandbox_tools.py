"""The tools of the sandbox as both sides know them: the model is offered these, the sandbox answers to these."""

from typing import Final

from discord_agent.domain.conversation import Json, ToolSpec

READ_LINES: Final = 2000
COMMAND_SECONDS: Final = 120
MAX_COMMAND_SECONDS: Final = 540

FACTS_META_KEY: Final = "discord-agent/facts"
"""Key in a tool result's ``_meta`` under which the sandbox reports facts for the policy, not for the model."""

DURATION_META_KEY: Final = "discord-agent/duration-ms"

_PATH: Final[Json] = {"type": "string", "minLength": 1, "description": "Path relative to the workspace."}


def _object(required: tuple[str, ...], **properties: Json) -> Json:
    return {"type": "object", "properties": properties, "required": list(required), "additionalProperties": False}


SANDBOX_TOOLS: Final = (
    ToolSpec(
        "read_file",
        f"Read a text file, {READ_LINES} lines at most per call. The text is verbatim, ready to be used in edit_file.",
        _object(
            ("path",),
            path=_PATH,
            offset={"type": "integer", "minimum": 1, "description": "First line to read, counted from 1."},
            limit={"type": "integer", "minimum": 1, "maximum": READ_LINES, "description": "How many lines to read."},
        ),
    ),
    ToolSpec(
        "list_files",
        "List the files of the workspace, or of one folder, with their sizes.",
        _object((), path={"type": "string", "description": "Folder relative to the workspace; all of it by default."}),
    ),
    ToolSpec(
        "glob",
        "Find files by name. ** stands for any folders; a pattern without a slash matches in every folder.",
        _object(("pattern",), pattern={"type": "string", "minLength": 1, "description": "For example src/**/*.py"}),
    ),
    ToolSpec(
        "grep",
        "Search the contents of text files with a regular expression; shows path, line number and line.",
        _object(
            ("pattern",),
            pattern={"type": "string", "minLength": 1, "description": "A regular expression."},
            path={"type": "string", "description": "File or folder to search in; the whole workspace by default."},
        ),
    ),
    ToolSpec(
        "write_file",
        "Create a file or replace all of it. To change part of a file use edit_file.",
        _object(("path", "content"), path=_PATH, content={"type": "string", "description": "The whole new content."}),
        writes=True,
    ),
    ToolSpec(
        "edit_file",
        "Replace a piece of a file. The old text must occur exactly once, unless all is true.",
        _object(
            ("path", "old", "new"),
            path=_PATH,
            old={"type": "string", "minLength": 1, "description": "The text to replace, as read_file shows it."},
            new={"type": "string", "description": "The text to put in its place."},
            all={"type": "boolean", "description": "Replace every occurrence."},
        ),
        writes=True,
    ),
    ToolSpec(
        "bash",
        "Run a bash command in the workspace. Nothing it starts outlives the call; there is no terminal and no input.",
        _object(
            ("command",),
            command={"type": "string", "minLength": 1, "description": "The command line."},
            timeout_seconds={
                "type": "integer",
                "minimum": 1,
                "maximum": MAX_COMMAND_SECONDS,
                "description": f"Stop it after so many seconds; {COMMAND_SECONDS} by default.",
            },
        ),
        writes=True,
    ),
)
"""In a stable order, so that prompts that list them can be cached."""

WRITING_TOOLS: Final = frozenset(spec.name for spec in SANDBOX_TOOLS if spec.writes)
