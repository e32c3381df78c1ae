from msgspec import Struct

from discord_agent.domain.hiding import shown


class Letter(Struct, frozen=True):
    to: str
    text: str
    seal: str = "red"


def test_a_value_is_shown_as_ever_but_for_what_it_hides() -> None:
    letter = Letter("Ann", "hush")
    assert shown(letter, without=()) == repr(letter) == "Letter(to='Ann', text='hush', seal='red')"
    assert shown(letter, without=("text",)) == "Letter(to='Ann', seal='red')"
