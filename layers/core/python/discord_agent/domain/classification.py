"""What kind of task a request is, who does it and in which flow (behaviour contract, sections 2, 3.4 and 6)."""

from enum import StrEnum

from msgspec import Struct


class TaskType(StrEnum):
    """Kind of task."""

    CODING = "coding-implementation"
    DEVOPS = "devops-implementation"
    DATABASE = "database-design"
    TECHNICAL_QA = "technical-qa"
    ARCHITECTURE = "architecture-analysis"
    CODE_REVIEW = "code-review"
    DOC_SEARCH = "doc-search"
    TOOL_EXECUTION = "tool-execution"
    COMMAND_RUNNER = "command-runner"
    TEST_RUNNER = "test-runner"
    EXPLANATION = "explanation"
    DOCUMENTATION = "documentation-writer"
    GENERAL = "general-convo"
    SOCIAL = "social"
    WRITING = "writing"
    PROOFREADER = "proofreader"
    SHELL = "shell-command"


class AgentRole(StrEnum):
    """Who works on it."""

    COMMAND_EXECUTOR = "command-executor"
    PYTHON_CODER = "python-coder"
    JS_TS_CODER = "js-ts-coder"
    DEVOPS_ENGINEER = "devops-engineer"
    ARCHITECT = "architect"
    CODE_REVIEWER = "code-reviewer"
    DOCUMENTATION_WRITER = "documentation-writer"
    DBA = "dba"
    RESEARCHER = "researcher"


class FlowType(StrEnum):
    """Which state machine runs it."""

    SIMPLE = "simple"
    SEQUENTIAL = "sequential-thinking"
    BRANCH = "branch"
    BREAKGLASS = "breakglass"


class Complexity(StrEnum):
    """How much work it is."""

    SIMPLE = "simple"
    MEDIUM = "medium"
    COMPLEX = "complex"


SEQUENTIAL_TASKS = frozenset(
    {
        TaskType.CODING,
        TaskType.DEVOPS,
        TaskType.DATABASE,
        TaskType.CODE_REVIEW,
        TaskType.DOCUMENTATION,
        TaskType.TOOL_EXECUTION,
        TaskType.COMMAND_RUNNER,
        TaskType.TEST_RUNNER,
    }
)

READING_TASKS = frozenset(TaskType) - {TaskType.CODING, TaskType.DEVOPS, TaskType.DATABASE, TaskType.DOCUMENTATION}
"""Tasks that may succeed without changing a file; people may have an agent do any of them."""

UNRELATED_TASKS = frozenset({TaskType.SOCIAL, TaskType.PROOFREADER})
"""Tasks about the one message, whatever was said before it."""

_MAX_TURNS = {Complexity.SIMPLE: 10, Complexity.MEDIUM: 20, Complexity.COMPLEX: 35}
CHECKPOINT_INTERVAL = 5


class Classification(Struct, frozen=True):
    """What the decision model (or its rule-based stand-in) made of a request.

    ``wants_options``: the person asks for several ways to do something, to choose from.
    """

    should_respond: bool
    reason: str
    is_technical: bool = False
    task_type: TaskType = TaskType.GENERAL
    role: AgentRole = AgentRole.PYTHON_CODER
    complexity: Complexity = Complexity.MEDIUM
    wants_options: bool = False


def flow_for(task_type: TaskType) -> FlowType:
    """The flow of a task that nobody overrode."""
    return FlowType.SEQUENTIAL if task_type in SEQUENTIAL_TASKS else FlowType.SIMPLE


def max_turns(complexity: Complexity | None, estimated: int) -> int:
    """Turns a run may take: a plan can shorten the table's value, never lengthen it."""
    limit = _MAX_TURNS.get(complexity, 20) if complexity else 20
    return min(estimated, limit) if estimated > 0 else limit
