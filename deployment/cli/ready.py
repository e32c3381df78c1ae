"""Checks of what a deployment needs before it is made: settings, account, secrets, the bot, models."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final

from botocore.exceptions import ClientError

from deployment.cli import bot as bots
from deployment.cli import vault
from deployment.cli.account import Account, code, explained
from deployment.cli.asking import MODEL, TOKEN
from deployment.cli.checks import Check, Finding, fail, ok, warn
from deployment.cli.expected import Expected
from deployment.settings import Settings
from discord_agent.declaration import System

_INIT: Final = "run `discord-agent init`"
_KEPT_FREE: Final = 100
"""Lambda keeps as much concurrency for functions that reserve none."""

_FEW_SESSIONS: Final = 50
_BOOTSTRAP: Final = "/cdk-bootstrap/hnb659fds/version"

type TryModel = Callable[[str, str, str], str]


@dataclass(frozen=True, slots=True)
class Ready:
    """Looks at an account and what is kept there."""

    system: System
    settings: Settings
    account: Account
    vault: vault.Vault
    try_model: TryModel

    @property
    def expected(self) -> Expected:
        """What a deployment would be."""
        return Expected(self.system, self.settings, self.account.id, self.account.region)

    def before_deploying(self) -> list[Check]:
        """What a deployment fails without."""
        return [
            Check("settings", self._settings),
            Check("concurrency", self._concurrency),
            Check("bucket", self._bucket),
            Check("secrets", self._secrets),
            Check("bot", self._bot),
        ]

    def checks(self) -> list[Check]:
        """All of them."""
        return [
            *self.before_deploying(),
            Check("CDK bootstrap", self._bootstrap),
            Check("model", self._model),
        ]

    def _settings(self) -> Iterator[Finding]:
        missing = self.settings.missing()
        if missing:
            yield fail("settings", f"settings.json lacks {' and '.join(missing)}", _INIT)
        else:
            yield ok("settings", f"for {self.settings.parameter('BOT_USERNAME')}")

    def _concurrency(self) -> Iterator[Finding]:
        reserved = {
            function.physical_name: function.reserved
            for function in self.system.functions.values()
            if function.reserved
        }
        needed = sum(reserved.values())
        if not self.settings.on("reserve_concurrency"):
            yield ok("concurrency", "none is reserved")
            return
        client = self.account.client("lambda")
        with explained():
            limit = client.get_account_settings()["AccountLimit"]
            held = sum(_reserved_of(client, name) for name in reserved)
        left = limit["UnreservedConcurrentExecutions"] + held - needed
        if left < _KEPT_FREE:
            yield fail(
                "concurrency",
                f"the account may run {limit['ConcurrentExecutions']} functions at once, too few to reserve {needed}",
                'put "reserve_concurrency": "false" into settings.json, or ask AWS for a higher limit of concurrent'
                " executions for Lambda",
            )
        else:
            yield ok("concurrency", f"{needed} of {limit['ConcurrentExecutions']} reserved")

    def _bucket(self) -> Iterator[Finding]:
        name = self.expected.bucket
        remedy = "choose another name for artifact_bucket in settings.json, or leave it empty"
        with explained():
            try:
                found = self.account.client("s3").head_bucket(Bucket=name, ExpectedBucketOwner=self.account.id)
            except ClientError as error:
                status = error.response["ResponseMetadata"]["HTTPStatusCode"]
                if status == HTTPStatus.NOT_FOUND:
                    yield ok("bucket", f"the name {name} is free")
                elif status == HTTPStatus.FORBIDDEN:
                    yield fail("bucket", f"the bucket {name} belongs to somebody else", remedy)
                else:
                    raise
                return
        region = found.get("BucketRegion", self.account.region)
        if region == self.account.region:
            yield ok("bucket", f"{name} is this account's")
        else:
            yield fail("bucket", f"the bucket {name} is in the region {region}", remedy)

    def _bootstrap(self) -> Iterator[Finding]:
        client = self.account.client("ssm")
        remedy = (
            f"nothing if you use Terraform; `discord-agent deploy` does it, and so does"
            f" `cd cdk && npx cdk bootstrap aws://{self.account.id}/{self.account.region}`"
        )
        with explained():
            try:
                version = client.get_parameter(Name=_BOOTSTRAP)["Parameter"]["Value"]
            except client.exceptions.ParameterNotFound:
                yield warn("CDK bootstrap", "the account is not prepared for the CDK", remedy)
                return
        yield ok("CDK bootstrap", f"version {version}")

    def _secrets(self) -> Iterator[Finding]:
        kept = self.vault.read()
        if not kept:
            yield fail("secrets", f"there are none in {self.account}", f"{_INIT}, or change AWS_PROFILE or AWS_REGION")
            return
        faults = vault.faults(kept, self.system, self.settings.parameter("LITELLM_BASE_URL"))
        for key, fault in faults.items():
            yield fail(f"secret {key}", fault, f"{_INIT}; it is the parameter {self.system.secrets[key]}")
        if not faults:
            yield ok("secrets", f"{len(kept)} in Parameter Store")

    def _bot(self) -> Iterator[Finding]:
        token = self.vault.read().get(TOKEN, "")
        if not token:
            yield fail("bot", "there is no token to ask Discord with", _INIT)
            return
        with bots.connection(self.settings.parameter("DISCORD_API_URL"), bots.clean(token)) as client:
            bot = bots.ask(client)
        yield ok("bot", f"{bot.username} ({bot.id})")
        yield from self._same(bot)
        yield from self._intent(bot)
        yield from _sessions(bot)

    def _same(self, bot: bots.Bot) -> Iterator[Finding]:
        wanted = {"discord_bot_id": bot.id, "discord_public_key": bot.public_key}
        other = [key for key, value in wanted.items() if self.settings[key] and self.settings[key] != value]
        if other:
            yield fail("bot", f"settings.json has another bot's {' and '.join(other)} than the token", _INIT)

    def _intent(self, bot: bots.Bot) -> Iterator[Finding]:
        if bot.reads_messages:
            yield ok("message content", "the bot may read messages")
        elif self.settings.on("bridge"):
            yield fail("message content", "the bot may not read messages", f"switch on the intent at {bot.portal}")
        else:
            yield ok("message content", "not needed without the bridge")

    def _model(self) -> Iterator[Finding]:
        key = self.vault.read().get(MODEL, "")
        wanted = self.settings.parameter("DECISION_MODEL_ID")
        answered = self.try_model(self.settings.parameter("LITELLM_BASE_URL"), key, wanted)
        if answered == wanted:
            yield ok("model", f"{wanted} answers")
        else:
            yield warn("model", f"{wanted} failed, {answered} answers", "see what the provider says of it")


def _reserved_of(client: object, name: str) -> int:
    try:
        answer = client.get_function_concurrency(FunctionName=name)  # type: ignore[attr-defined] # a boto3 client
    except ClientError as error:
        if code(error) != "ResourceNotFoundException":
            raise
        return 0
    return int(answer.get("ReservedConcurrentExecutions", 0))


def _sessions(bot: bots.Bot) -> Iterator[Finding]:
    what = f"{bot.sessions_left} of {bot.sessions} left today"
    if bot.sessions_left == 0:
        yield fail(
            "gateway sessions", what, "something starts the bridge over and over: see its logs; wait until tomorrow"
        )
    elif bot.sessions_left < _FEW_SESSIONS:
        yield warn("gateway sessions", what, "something starts the bridge over and over: see its logs")
    else:
        yield ok("gateway sessions", what)
