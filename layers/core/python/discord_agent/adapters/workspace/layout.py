"""Where everything of a thread's workspace lies in the bucket."""

from discord_agent.domain.ids import ExecutionId, ManifestId, ThreadId


def thread_prefix(thread: ThreadId) -> str:
    """Where a thread's objects lie in the bucket."""
    return f"threads/{thread}/"


def head_key(thread: ThreadId) -> str:
    """The object that names the current manifest."""
    return f"{thread_prefix(thread)}workspace/head"


def manifest_key(thread: ThreadId, manifest: ManifestId) -> str:
    """A manifest."""
    return f"{thread_prefix(thread)}workspace/manifests/{manifest}"


def pack_prefix(thread: ThreadId) -> str:
    """The folder of the packs; a pack's name is the SHA-256 of its bytes."""
    return f"{thread_prefix(thread)}workspace/packs/"


def control_key(thread: ThreadId, execution: ExecutionId) -> str:
    """The stop marker of an execution."""
    return f"{thread_prefix(thread)}workspace/control/{execution}"


def base_bundle_key(thread: ThreadId) -> str:
    """The git bundle that the sandbox clones; written by trusted steps only."""
    return f"{thread_prefix(thread)}workspace/git/base.bundle"


def repository_bundle_key(thread: ThreadId) -> str:
    """The whole repository of a thread without a remote; out of the sandbox's reach."""
    return f"{thread_prefix(thread)}git/repository.bundle"


def published_key(thread: ThreadId, path: str) -> str:
    """A file as a plain object for people to browse."""
    return f"{thread_prefix(thread)}files/{path}"
