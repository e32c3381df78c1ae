"""Who the bot is in git."""

from typing import Final

from dulwich.objects import Commit

IDENTITY: Final = b"Discord Agent <agent@localhost>"


def sign(commit: Commit, time: int) -> None:
    """Set author and committer; ``time`` in seconds since 1970, shown in UTC."""
    commit.author = commit.committer = IDENTITY
    commit.author_time = commit.commit_time = time
    commit.author_timezone = commit.commit_timezone = 0
    commit.encoding = b"UTF-8"
