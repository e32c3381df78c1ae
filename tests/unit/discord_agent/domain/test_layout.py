import pytest
from hypothesis import given
from hypothesis import strategies as st

from discord_agent.domain.layout import fit, line, short, size
from discord_agent.domain.posts import Embed, Field

long_text = st.one_of(st.text(max_size=50), st.text(alphabet="ab`\n_", max_size=50).map(lambda text: text * 150))
embeds = st.builds(
    Embed,
    title=long_text,
    description=long_text,
    fields=st.lists(st.builds(Field, name=long_text, value=long_text), max_size=30).map(tuple),
    footer=long_text,
)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("src/auth_service.py", "src/auth_service.py"),
        ("src/__init__.py", r"src/\_\_init\_\_.py"),
        ("**bold** `code` ~~no~~ ||spoiler||", r"\*\*bold\*\* \`code\` \~\~no\~\~ \|\|spoiler\|\|"),
        ("<@123> [text](url)", r"\<@123> \[text](url)"),
        ("# heading\n> quote", r"\# heading > quote"),
        ("two\n\nlines", "two lines"),
    ],
)
def test_foreign_text_in_a_line_formats_and_mentions_nothing(text: str, shown: str) -> None:
    assert line(text, 100) == shown


@given(st.text(alphabet="a*_` \n", max_size=300), st.integers(1, 120))
def test_a_line_is_one_line_within_its_limit_and_no_escape_is_cut_in_two(text: str, limit: int) -> None:
    shown = line(text, limit)
    assert len(shown) <= limit
    assert "\n" not in shown
    assert (len(shown) - len(shown.rstrip("\\"))) % 2 == 0
    assert not shown.endswith("\\…")


@given(st.text(), st.integers(1, 100))
def test_a_short_text_stays_within_its_limit(text: str, limit: int) -> None:
    assert len(short(text, limit)) <= limit


@given(embeds)
def test_every_embed_is_made_to_fit(embed: Embed) -> None:
    fitted = fit(embed)
    assert size(fitted) <= 6000
    assert len(fitted.title) <= 256
    assert len(fitted.description) <= 4096
    assert len(fitted.fields) <= 25
    assert all(1 <= len(field.name) <= 256 and 1 <= len(field.value) <= 1024 for field in fitted.fields)
    assert len(fitted.footer) <= 2048


def test_an_embed_that_fits_is_left_as_it_is() -> None:
    embed = Embed("Title", "Some *text*", 1, (Field("Name", "value"),), "footer")
    assert fit(embed) == embed


def test_a_long_description_is_shortened_before_fields_are_dropped() -> None:
    embed = Embed(description="x" * 4096, fields=tuple(Field(str(number), "y" * 1024) for number in range(2)))
    fitted = fit(embed)
    assert len(fitted.fields) == 2
    assert fitted.description.startswith("xxx")
