"""A running stack as people see it, for product stories: ask, look, react, press, and wait for what happens."""

import json
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from copy import replace
from dataclasses import dataclass
from pathlib import Path

import httpx

from devstack.discord.records import Message
from devstack.discord.rules import relaxed
from devstack.discord.seed import ADA_ID, BOT_ID, GENERAL_ID, LINUS_ID
from devstack.discord.server import DiscordServer
from devstack.model.log import LoggedCall
from devstack.model.script import load_script
from devstack.model.server import ModelServer
from devstack.options import Options
from devstack.person import Person
from devstack.records import Records
from devstack.stack import DevStack
from discord_agent.domain.ids import ExecutionId, MessageId, ThreadId, execution_for_message
from discord_agent.domain.session import Approval, ExecutionRecord
from discord_agent.steps.launch import MACHINES
from tests.support.eventually import eventually

SCRIPTS = Path(__file__).parents[1] / "e2e" / "scripts"
MENTION = f"<@{BOT_ID}>"
IN_PROCESS = Options(processes=False, debounce_seconds=0, time_scale=0.1)

_PATIENCE = 60.0
_PAUSE = 0.04
_MB = 1024 * 1024


def until[T](probe: Callable[[], T], *, seconds: float = _PATIENCE) -> T:
    """Wait for something that several processes work on."""
    return eventually(probe, seconds=seconds, pause=_PAUSE)


@dataclass(frozen=True, slots=True)
class Story:
    """A stack with its people: ada is an administrator, linus a member."""

    stack: DevStack
    discord: DiscordServer
    records: Records
    ada: Person
    linus: Person

    @property
    def model(self) -> ModelServer:
        """The scripted model that answers now."""
        assert self.stack.model is not None
        return self.stack.model

    @contextmanager
    def model_down(self) -> Iterator[None]:
        """The model's server is gone, and comes back at the same address; its log starts anew."""
        gone = self.model
        gone.stop()
        yield
        self.stack.model = ModelServer(load_script(self.stack.options.script), key=gone._key, port=gone.port)
        self.stack.model.start()
        self.stack._cleanup.callback(self.stack.model.stop)

    def ask(self, text: str, *, channel: str = GENERAL_ID, person: Person | None = None) -> "Request":
        """Mention the bot."""
        message = (person or self.ada).say(channel, f"{MENTION} {text}")
        return Request(self, execution_for_message(MessageId(message)), message, channel)

    def request(self, message: str, channel: str) -> "Request":
        """A request that was written in another way."""
        return Request(self, execution_for_message(MessageId(message)), message, channel)

    @contextmanager
    def bridge_down(self) -> Iterator[None]:
        """The bridge dies by kill -9, and another one is started later."""
        self.stack.kill_bridge()
        yield
        self.stack.start_bridge()

    @property
    def unanswered(self) -> int:
        """How many calls the model has taken and not answered."""
        return self.model.arrivals - len(self.model.calls)

    def calls(self, purpose: str, words: str) -> list[LoggedCall]:
        """What the model was asked for a purpose about something, answered or not."""
        calls = (call for call in self.model.calls if call.purpose == purpose)
        return [call for call in calls if words in json.dumps(call.messages, ensure_ascii=False)]

    def reactions(self, channel: str, message: str) -> set[str]:
        """The bot's reactions under a message."""
        found = next(shown for shown in self.discord.messages(channel) if shown.id == message)
        return {str(each["emoji"]) for each in found.reactions if BOT_ID in each["users"]}

    def said(self, channel: str) -> list[Message]:
        """The bot's messages in a channel, oldest first."""
        return [message for message in self.discord.messages(channel) if message.author_id == BOT_ID]

    def whispered(self, channel: str, user: str) -> list[str]:
        """What only one person was told in a channel."""
        shown = self.discord.parts.world.store.children(Message, channel)
        return [message.content for message in shown if message.visible_to == user]

    def download(self, attachment: str) -> bytes:
        """The content of an attachment, fetched from its address."""
        url = str(self.discord.parts.payloads.attachment(attachment)["url"])
        return httpx.get(url, timeout=10).raise_for_status().content

    @contextmanager
    def git(self) -> Iterator["Clone"]:
        """A fresh clone of the repository that the agent works on."""
        with self.records.clone() as folder:
            yield Clone(folder)


@dataclass(frozen=True, slots=True)
class Clone:
    """A clone to look into."""

    folder: Path

    def __call__(self, *arguments: str) -> str:
        """The output of a git command."""
        done = subprocess.run(
            ["git", *arguments], cwd=self.folder, capture_output=True, text=True, timeout=30, check=True
        )
        return done.stdout.strip()

    def read(self, path: str) -> str:
        """A file of the branch that is checked out."""
        return (self.folder / path).read_text(encoding="utf-8")


@dataclass(frozen=True, slots=True)
class Request:
    """One request of a person and what became of it."""

    story: Story
    execution: ExecutionId
    message: str
    channel: str

    @property
    def thread(self) -> str:
        """Where it is worked on: the thread on the message, or the place itself."""
        return self.record.thread_id

    @property
    def record(self) -> ExecutionRecord:
        """Its row."""
        found = self.story.records.executions.get(self.execution)
        assert found is not None, f"no record of {self.execution}"
        return found

    def has(self, holds: Callable[[ExecutionRecord], object]) -> bool:
        """Whether something holds of its row, once it has one."""
        found = self.story.records.executions.get(self.execution)
        return found is not None and bool(holds(found))

    def ended(self, *, seconds: float = _PATIENCE) -> ExecutionRecord:
        """Wait for its terminal message and for its state machine."""
        until(lambda: self.has(lambda record: record.terminal_message_id), seconds=seconds)
        until(lambda: self.story.records.has_ended(MACHINES[self.record.flow], self.execution))
        return self.record

    def committed(self) -> Approval:
        """Wait for the commit card."""
        until(lambda: self.has(lambda record: record.approval))
        approval = self.record.approval
        assert approval is not None
        return approval

    def decided(self) -> Message:
        """Wait for the card of the commit to show what became of it."""
        until(lambda: not self.commit_card.components)
        return self.commit_card

    @property
    def machine_status(self) -> str | None:
        """How its state machine stands."""
        return self.story.records.execution_status(MACHINES[self.record.flow], self.execution)

    @property
    def card(self) -> Message:
        """The live card."""
        return self._shown(self.record.card_message_id)

    @property
    def commit_card(self) -> Message:
        """The message with the commit card."""
        approval = self.record.approval
        return self._shown(approval.message_id if approval else None)

    @property
    def ending(self) -> Message:
        """The terminal message."""
        return self._shown(self.record.terminal_message_id)

    @property
    def answer(self) -> str:
        """The terminal message's text."""
        return self.ending.content

    @property
    def events(self) -> list[str]:
        """What its audit trail says, oldest first."""
        entries = self.story.records.audit.entries(ThreadId(self.thread))
        return [entry.kind for entry in entries if entry.execution_id == self.execution]

    @property
    def terminal_messages(self) -> int:
        """How many times it was told to have ended, by the message it was told in."""
        reference = f"Reference: {self.execution}"
        return sum(message.content.endswith(reference) for message in self.story.said(self.thread))

    @property
    def lease_is_free(self) -> bool:
        """Whether nobody holds the thread."""
        return self.story.records.leases.holder(ThreadId(self.thread)) is None

    def read(self, path: str) -> str:
        """A file of the workspace as it is stored."""
        workspaces, thread = self.story.records.workspaces, ThreadId(self.thread)
        head = workspaces.head(thread)
        assert head is not None, f"thread {thread} has no workspace"
        return workspaces.read(thread, workspaces.load(thread, head.manifest_id), path).decode()

    def rounds(self) -> int:
        """How many rounds are finished."""
        return self.events.count("round") if self.has(lambda record: record.card_message_id) else 0

    def press(self, label: str, *, person: Person | None = None) -> None:
        """Press the newest button of that label in the thread."""
        for message in reversed(self.story.said(self.thread)):
            buttons = [button for row in message.components for button in row["components"]]
            for button in buttons:
                if button.get("label") == label:
                    (person or self.story.ada).press(self.thread, message.id, button["custom_id"])
                    return
        raise AssertionError(f"no button {label!r} in thread {self.thread}")

    def retried(self, number: int = 1) -> "Request":
        """The run that took this one up again."""
        return replace(self, execution=ExecutionId(f"{self.execution}-r{number}"))

    def _shown(self, message: str | None) -> Message:
        return next(shown for shown in self.story.discord.messages(self.thread) if shown.id == message)


@contextmanager
def story(options: Options) -> Iterator[Story]:
    """Start a stack without Discord's rate limits, which are the adapters' matter, and with room for large files."""
    rules = replace(relaxed(), file_size=40 * _MB, request_size=50 * _MB)
    with DevStack(options, rules=rules) as stack:
        yield tell(stack)


def tell(stack: DevStack) -> Story:
    """The story of a stack that runs."""
    assert stack.discord is not None
    return Story(stack, stack.discord, Records(stack), Person(stack.url, ADA_ID), Person(stack.url, LINUS_ID))


def repository(folder: Path, files: dict[str, str], *, branch: str = "main") -> Path:
    """A git repository with one commit of ``files``."""
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8")
    for arguments in (("init", "-q", "-b", branch), ("add", "-A"), (*_IDENTITY, "commit", "-q", "-m", "Start")):
        subprocess.run(["git", *arguments], cwd=folder, check=True, capture_output=True)
    return folder


_IDENTITY = ("-c", "user.name=Ada", "-c", "user.email=ada@example.org")
