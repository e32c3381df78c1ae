from copy import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from discord_agent.domain.ids import ChannelId, GuildId, RoleId, UserId
from discord_agent.domain.inbound import Author
from discord_agent.domain.policy import (
    ADMINISTRATOR,
    MANAGE_GUILD,
    MANAGE_MESSAGES,
    Action,
    Allowed,
    ChannelSettings,
    Denied,
    GuildSettings,
    People,
    Permit,
    Place,
    Reading,
    Verbosity,
    decide,
    hears,
)

GUILD, CHANNEL, THREAD = GuildId("1"), ChannelId("10"), ChannelId("11")
HERE = Place(CHANNEL, GUILD)
IN_THREAD = Place(THREAD, GUILD, parent_id=CHANNEL, is_thread=True)
ADA, BOB = Author(UserId("100"), "ada"), Author(UserId("200"), "bob")
ADMIN = Author(UserId("300"), "root", permissions=ADMINISTRATOR)
DEFAULTS = GuildSettings()

_ids = st.sampled_from(["100", "200", "300", "400"])
_people = st.builds(
    People,
    roles=st.lists(st.sampled_from([RoleId("7"), RoleId("8")]), max_size=2).map(tuple),
    users=st.lists(_ids.map(UserId), max_size=2).map(tuple),
)
_permits = st.lists(st.builds(Permit, st.sampled_from(Action), _people), max_size=4).map(tuple)
_everyone = st.lists(st.sampled_from(Action), max_size=4, unique=True).map(tuple)
_channels = st.lists(
    st.builds(
        ChannelSettings,
        channel_id=st.sampled_from([CHANNEL, THREAD, ChannelId("12")]),
        everyone=st.none() | _everyone,
        permits=_permits,
    ),
    max_size=2,
).map(tuple)
_settings = st.builds(
    GuildSettings,
    channels_allowed=st.lists(st.sampled_from([CHANNEL, ChannelId("12")]), max_size=2).map(tuple),
    channels=_channels,
    everyone=_everyone,
    permits=_permits,
    blocked=_people,
    secondary_bots=st.lists(_ids.map(UserId), max_size=1).map(tuple),
)
_actors = st.builds(
    Author,
    id=_ids.map(UserId),
    name=st.sampled_from(["ada", "bot2"]),
    is_bot=st.booleans(),
    roles=st.lists(st.sampled_from([RoleId("7"), RoleId("8"), RoleId("9")]), max_size=2).map(tuple),
    permissions=st.sampled_from([0, ADMINISTRATOR, MANAGE_GUILD, MANAGE_MESSAGES, 1 << 10]),
)
_places = st.sampled_from([HERE, IN_THREAD, Place(ChannelId("12"), GUILD), Place(ChannelId("13"))])
_requesters = st.none() | _ids.map(UserId)


def _allowed(action: Action, actor: Author, settings: GuildSettings, place: Place, requester: UserId | None) -> bool:
    return isinstance(decide(action, actor, settings, place, requester=requester, secondary_bot="bot2"), Allowed)


@given(st.sampled_from(Action), _actors, _settings, _places, _requesters)
def test_nobody_without_a_clause_is_ever_allowed(
    action: Action, actor: Author, settings: GuildSettings, place: Place, requester: UserId | None
) -> None:
    stranger = replace(actor, permissions=0, roles=(), id=UserId("999"))
    closed = replace(settings, everyone=(), channels=tuple(replace(c, everyone=None) for c in settings.channels))
    assert not _allowed(action, stranger, closed, place, requester)


@given(st.sampled_from(Action), _actors, _settings, _places, _requesters, _people, _everyone)
def test_adding_a_restriction_never_widens(
    action: Action,
    actor: Author,
    settings: GuildSettings,
    place: Place,
    requester: UserId | None,
    people: People,
    closed: tuple[Action, ...],
) -> None:
    blocked = People(settings.blocked.roles + people.roles, settings.blocked.users + people.users)
    stricter = (
        replace(settings, blocked=blocked),
        replace(settings, everyone=tuple(each for each in settings.everyone if each not in closed)),
        replace(settings, permits=settings.permits[1:]),
        replace(settings, channels_allowed=settings.channels_allowed[:1] or (ChannelId("12"),)),
        replace(settings, secondary_bots=()),
    )
    for restricted in stricter:
        if _allowed(action, actor, restricted, place, requester):
            assert _allowed(action, actor, settings, place, requester)


@given(st.sampled_from(Action), _actors, _settings, _places, _requesters, _people)
def test_adding_a_permit_never_narrows(
    action: Action, actor: Author, settings: GuildSettings, place: Place, requester: UserId | None, people: People
) -> None:
    wider = replace(settings, permits=(*settings.permits, Permit(action, people)))
    if _allowed(action, actor, settings, place, requester):
        assert _allowed(action, actor, wider, place, requester)


@given(st.sampled_from(Action), _actors, _settings, _places)
def test_a_bot_never_decides_about_money_commits_or_settings(
    action: Action, actor: Author, settings: GuildSettings, place: Place
) -> None:
    bot = replace(actor, is_bot=True)
    if _allowed(action, bot, settings, place, bot.id):
        assert action in {Action.SEE, Action.RUN, Action.STEER}
        assert bot.name == "bot2" or bot.id in settings.secondary_bots


@given(st.sampled_from(Action), _actors, _settings, _places, _requesters)
def test_the_blocked_may_do_nothing(
    action: Action, actor: Author, settings: GuildSettings, place: Place, requester: UserId | None
) -> None:
    blocked = replace(settings, blocked=People(users=(actor.id,)))
    assert not _allowed(action, actor, blocked, place, requester)


@pytest.mark.parametrize("action", Action)
def test_by_default_members_may_ask_and_nothing_powerful(action: Action) -> None:
    allowed = isinstance(decide(action, ADA, DEFAULTS, HERE), Allowed)
    assert allowed == (action in {Action.SEE, Action.RUN, Action.STEER})


@pytest.mark.parametrize("action", [Action.STOP, Action.APPROVE])
def test_people_may_stop_and_approve_their_own_runs_only(action: Action) -> None:
    assert decide(action, ADA, DEFAULTS, HERE, requester=ADA.id) == Allowed("requester")
    assert isinstance(decide(action, BOB, DEFAULTS, HERE, requester=ADA.id), Denied)


@pytest.mark.parametrize("action", [Action.BREAKGLASS, Action.SPEND, Action.CONFIGURE])
def test_asking_for_a_run_gives_no_right_to_money_or_settings(action: Action) -> None:
    assert isinstance(decide(action, ADA, DEFAULTS, HERE, requester=ADA.id), Denied)
    assert decide(action, ADMIN, DEFAULTS, HERE) == Allowed("permission")


@pytest.mark.parametrize(
    ("permissions", "allowed"),
    [
        (MANAGE_MESSAGES, {Action.STOP}),
        (MANAGE_GUILD, {Action.STOP, Action.APPROVE}),
        (ADMINISTRATOR, {Action.STOP, Action.APPROVE, Action.BREAKGLASS, Action.SPEND, Action.CONFIGURE}),
    ],
)
def test_permissions_of_discord_give_power_over_others_runs(permissions: int, allowed: set[Action]) -> None:
    member = replace(BOB, permissions=permissions)
    powerful = set(Action) - {Action.SEE, Action.RUN, Action.STEER}
    assert {a for a in powerful if isinstance(decide(a, member, DEFAULTS, HERE, requester=ADA.id), Allowed)} == allowed


def test_a_permit_names_roles_or_people() -> None:
    reviewer = replace(BOB, roles=(RoleId("7"),))
    for people in (People(roles=(RoleId("7"),)), People(users=(BOB.id,))):
        settings = replace(DEFAULTS, permits=(Permit(Action.APPROVE, people),))
        assert decide(Action.APPROVE, reviewer, settings, HERE, requester=ADA.id) == Allowed("permit")
        assert isinstance(decide(Action.STOP, reviewer, settings, HERE, requester=ADA.id), Denied)


def test_a_refusal_is_a_sentence_for_the_person() -> None:
    member = replace(BOB, permissions=MANAGE_MESSAGES)
    refused = decide(Action.APPROVE, member, DEFAULTS, HERE, requester=ADA.id)
    assert refused == Denied(
        "Only the person who asked, server managers and those with a permit may decide about this commit."
    )


@pytest.mark.parametrize(
    ("action", "way"),
    [(Action.STOP, "/stop"), (Action.APPROVE, "the button"), (Action.BREAKGLASS, "/flow breakglass")],
)
def test_whose_permissions_discord_did_not_send_is_told_where_it_sends_them(action: Action, way: str) -> None:
    unseen = decide(action, BOB, DEFAULTS, HERE, requester=ADA.id)
    seen = decide(action, replace(BOB, permissions=1), DEFAULTS, HERE, requester=ADA.id)
    assert isinstance(unseen, Denied)
    assert isinstance(seen, Denied)
    assert unseen.sentence.startswith(f"{seen.sentence} ")
    assert way in unseen.sentence.removeprefix(seen.sentence)


def test_only_the_configured_other_bot_may_ask() -> None:
    other = Author(UserId("400"), "bot2", is_bot=True)
    assert isinstance(decide(Action.RUN, other, DEFAULTS, HERE), Denied)
    assert isinstance(decide(Action.RUN, other, DEFAULTS, HERE, secondary_bot="bot2"), Allowed)
    assert isinstance(decide(Action.RUN, other, replace(DEFAULTS, secondary_bots=(other.id,)), HERE), Allowed)


def test_in_direct_messages_only_the_listed_may_do_anything() -> None:
    direct = Place(ChannelId("13"))
    assert isinstance(decide(Action.RUN, ADMIN, DEFAULTS, direct), Denied)
    settings = replace(DEFAULTS, permits=(Permit(Action.RUN, People(users=(ADA.id,))),))
    assert decide(Action.RUN, ADA, settings, direct) == Allowed("permit")


def test_a_channel_overrides_its_guild_for_itself_and_its_threads() -> None:
    channel = ChannelSettings(
        CHANNEL,
        reading=Reading.EVERYTHING,
        repository="https://example.com/b.git",
        verbosity=Verbosity.QUIET,
        debounce_seconds=0.0,
        everyone=(Action.SEE,),
        permits=(Permit(Action.RUN, People(users=(BOB.id,))),),
        mcp_servers=(),
    )
    guild = GuildSettings(
        repository="https://example.com/a.git", debounce_seconds=5.0, mcp_servers=("docs",), channels=(channel,)
    )
    for place in (HERE, IN_THREAD):
        rules = guild.within(place)
        assert (rules.repository, rules.verbosity, rules.debounce_seconds, rules.mcp_servers, rules.reading) == (
            "https://example.com/b.git",
            Verbosity.QUIET,
            0.0,
            (),
            Reading.EVERYTHING,
        )
        assert isinstance(decide(Action.RUN, ADA, guild, place), Denied)
        assert isinstance(decide(Action.RUN, BOB, guild, place), Allowed)
    assert guild.within(Place(ChannelId("12"), GUILD)) == guild


def test_outside_the_allowed_channels_nothing_happens_but_configuring() -> None:
    settings = replace(DEFAULTS, channels_allowed=(CHANNEL,))
    elsewhere = Place(ChannelId("12"), GUILD)
    assert isinstance(decide(Action.RUN, ADA, settings, IN_THREAD), Allowed)
    assert isinstance(decide(Action.RUN, ADMIN, settings, elsewhere), Denied)
    assert isinstance(decide(Action.CONFIGURE, ADMIN, settings, elsewhere), Allowed)
    assert not hears(settings, elsewhere, addressed=True)


JOINED = replace(IN_THREAD, joined=True)
GENERAL = replace(HERE, name="General")


@pytest.mark.parametrize(
    ("reading", "heard"),
    [
        (Reading.MENTIONS, {}),
        (Reading.CONVERSATIONS, {JOINED}),
        (Reading.GENERAL, {IN_THREAD, JOINED, GENERAL}),
        (Reading.EVERYTHING, {HERE, IN_THREAD, JOINED, GENERAL}),
    ],
)
def test_reading_decides_which_unaddressed_messages_are_considered(reading: Reading, heard: set[Place]) -> None:
    settings = replace(DEFAULTS, reading=reading)
    places = (HERE, IN_THREAD, JOINED, GENERAL)
    assert {place for place in places if hears(settings, place, addressed=False)} == set(heard)


@pytest.mark.parametrize("reading", Reading)
def test_a_mention_is_considered_everywhere_unless_only_general_channels_are(reading: Reading) -> None:
    settings = replace(DEFAULTS, reading=reading)
    assert hears(settings, IN_THREAD, addressed=True)
    assert hears(settings, HERE, addressed=True) == (reading is not Reading.GENERAL)


def test_a_direct_message_is_always_meant_for_the_bot() -> None:
    assert hears(DEFAULTS, Place(ChannelId("13")), addressed=False)
