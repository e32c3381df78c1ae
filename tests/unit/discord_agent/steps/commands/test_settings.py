import pytest

from discord_agent.domain.ids import ChannelId, RoleId, UserId
from discord_agent.domain.policy import (
    Action,
    ChannelSettings,
    GuildSettings,
    Limits,
    People,
    Permit,
    Reading,
    ToolCredential,
    Verbosity,
)
from tests.support.commands import ADMIN, fields, use
from tests.support.fakes.world import CHANNEL, GUILD, World

CAROL = UserId("500000000000000009")
OPS = RoleId("500000000000000010")


def _thread() -> World:
    world = World()
    world.working()
    return world


def _settings(world: World) -> GuildSettings:
    return world.sessions.settings(GUILD)


def _channel(world: World) -> ChannelSettings:
    [own] = _settings(world).channels
    return own


def test_settings_of_a_thread_are_those_of_its_channel() -> None:
    world = _thread()
    shown = use(world, "settings verbosity", by=ADMIN, level="quiet")
    assert _settings(world) == GuildSettings(channels=(ChannelSettings(CHANNEL, verbosity=Verbosity.QUIET),))
    assert fields(shown)["Verbosity"] == "quiet"


def test_a_setting_for_the_server_holds_everywhere() -> None:
    world = _thread()
    use(world, "settings reading", by=ADMIN, what="mentions", where="server")
    assert _settings(world) == GuildSettings(reading=Reading.MENTIONS)


def test_a_channel_keeps_what_it_was_told_before() -> None:
    world = _thread()
    use(world, "settings verbosity", by=ADMIN, level="verbose")
    use(world, "settings repository", by=ADMIN, url="https://git.example/a/b")
    use(world, "settings pause", by=ADMIN, seconds="5")
    use(world, "settings servers", by=ADMIN, names="docs, tickets,,docs")
    assert _channel(world) == ChannelSettings(
        CHANNEL,
        repository="https://git.example/a/b",
        verbosity=Verbosity.VERBOSE,
        debounce_seconds=5.0,
        mcp_servers=("docs", "tickets"),
    )


def test_a_program_is_lent_a_secret_in_one_channel_until_it_is_taken_back() -> None:
    world = _thread()
    use(world, "settings credential", by=ADMIN, program="kubectl", secret="old", variable="KUBECONFIG")
    use(world, "settings credential", by=ADMIN, program="kubectl", secret="cluster", variable="KUBECONFIG", file="true")
    assert _channel(world).credentials == (ToolCredential("kubectl", "cluster", "KUBECONFIG", as_file=True),)
    use(world, "settings credential", by=ADMIN, program="kubectl")
    assert _channel(world).credentials == ()


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"program": "./kubectl", "secret": "x", "variable": "X"}, "without its folder"),
        ({"program": "kubectl", "secret": "x"}, "Say in which `variable`"),
        ({"program": "kubectl", "secret": "x", "variable": "LD PRELOAD"}, "Say in which `variable`"),
    ],
)
def test_a_credential_that_no_command_could_get_is_refused(given: dict[str, str], sentence: str) -> None:
    world = _thread()
    assert sentence in use(world, "settings credential", given, by=ADMIN).content
    assert _settings(world) == GuildSettings()


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("file:///etc", "A repository has an address that begins with `https://`."),
        ("nonsense", "A repository has an address that begins with `https://`."),
        ("https://[::1", "That is no address."),
        (
            "https://ann:token@git.example/a",
            "Leave the credentials out of the address: they belong into the deployment's secrets.",
        ),
    ],
)
def test_an_address_that_is_none_or_holds_credentials_is_refused(url: str, sentence: str) -> None:
    world = _thread()
    assert use(world, "settings repository", by=ADMIN, url=url).content == sentence
    assert _settings(world) == GuildSettings()


def test_people_are_permitted_together_and_taken_out_one_by_one() -> None:
    world = _thread()
    use(world, "settings permit", by=ADMIN, action="approve", user=CAROL)
    use(world, "settings permit", by=ADMIN, action="approve", role=OPS)
    assert _channel(world).permits == (Permit(Action.APPROVE, People((OPS,), (CAROL,))),)
    shown = use(world, "settings revoke", by=ADMIN, action="approve", user=CAROL)
    assert _channel(world).permits == (Permit(Action.APPROVE, People((OPS,), ())),)
    assert fields(shown)["Permits"] == f"**approve**: <@&{OPS}>"
    use(world, "settings revoke", by=ADMIN, action="approve", role=OPS)
    assert _channel(world).permits == ()


@pytest.mark.parametrize(
    ("command", "options", "sentence"),
    [
        ("settings permit", {"action": "run"}, "Say who: a `user`, a `role`, or both."),
        ("settings revoke", {"action": "run", "user": CAROL}, "They have no such permit here."),
    ],
)
def test_a_permit_is_about_somebody_who_has_it(command: str, options: dict[str, str], sentence: str) -> None:
    assert use(_thread(), command, options, by=ADMIN).content == sentence


def test_the_settings_show_no_secret_only_its_name() -> None:
    world = _thread()
    credential = ToolCredential("kubectl", "team/kubeconfig", "KUBECONFIG")
    settings = GuildSettings(
        channels=(ChannelSettings(CHANNEL, credentials=(credential,)),),
        channels_allowed=(ChannelId(CHANNEL),),
        limits=Limits(),
    )
    world.sessions.put_settings(GUILD, settings)
    shown = fields(use(world, "settings show"))
    assert shown["Tool credentials"] == "kubectl: secret team/kubeconfig"
    assert shown["Channels"] == f"<#{CHANNEL}>"
    assert shown["Limits"] == "each run: $5.00"


def test_what_was_changed_by_whom_is_in_the_audit_trail() -> None:
    world = _thread()
    use(world, "settings verbosity", by=ADMIN, level="quiet")
    [entry] = world.audit.of("command")
    assert (entry.actor, entry.details["command"], entry.details["options"]) == (
        ADMIN.id,
        "settings verbosity",
        {"level": "quiet"},
    )
