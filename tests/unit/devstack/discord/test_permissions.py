from hypothesis import given
from hypothesis import strategies as st

from devstack.discord.permissions import EVERYTHING, Permission, combine

BITS = st.integers(0, int(EVERYTHING))
VIEW, SEND = int(Permission.VIEW_CHANNEL), int(Permission.SEND_MESSAGES)


def permissions(everyone: int, role: int, overwrites: list[dict[str, str]]) -> Permission:
    bits = {"everyone": everyone, "role": role}
    return combine(everyone="everyone", held=["role"], role_bits=bits, overwrites=overwrites, user="user")


@given(BITS, BITS)
def test_roles_add_up(everyone: int, role: int) -> None:
    expected = EVERYTHING if (everyone | role) & Permission.ADMINISTRATOR else Permission(everyone | role)
    assert permissions(everyone, role, []) == expected


def test_a_member_s_overwrite_wins_over_a_role_s_and_that_over_everyone_s() -> None:
    everyone = {"id": "everyone", "deny": str(VIEW | SEND)}
    role = {"id": "role", "allow": str(VIEW | SEND)}
    member = {"id": "user", "deny": str(SEND)}
    assert permissions(VIEW | SEND, 0, [everyone]) == 0
    assert permissions(VIEW | SEND, 0, [role, everyone]) == VIEW | SEND
    assert permissions(VIEW | SEND, 0, [member, role, everyone]) == VIEW


@given(st.lists(st.sampled_from(["everyone", "role", "user"]), max_size=3))
def test_an_administrator_cannot_be_shut_out(denied: list[str]) -> None:
    overwrites = [{"id": target, "deny": str(int(EVERYTHING))} for target in denied]
    assert permissions(0, int(Permission.ADMINISTRATOR), overwrites) == EVERYTHING
