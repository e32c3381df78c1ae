import pytest
from hypothesis import given
from hypothesis import strategies as st

from discord_agent.domain.markers import FilePart, Resolved, TextPart, resolve, split

KNOWN = frozenset({"src/a.ts", "a b .md", "b", "README.md"})


@pytest.mark.parametrize(
    ("answer", "parts"),
    [
        ("<<src/a.ts>>", (FilePart("src/a.ts"),)),
        ("<< a b .md >>", (FilePart("a b .md"),)),
        ("<<\nsrc/a.ts\n>>", (FilePart("src/a.ts"),)),
        (
            "See <<src/a.ts>> and <<b>>!",
            (TextPart("See "), FilePart("src/a.ts"), TextPart(" and "), FilePart("b"), TextPart("!")),
        ),
        ("<<./src/a.ts>>", (FilePart("src/a.ts"),)),
        ("", (TextPart(""),)),
    ],
)
def test_a_marker_of_a_known_file_is_that_file(answer: str, parts: tuple[TextPart | FilePart, ...]) -> None:
    assert split(answer, KNOWN) == parts


@pytest.mark.parametrize(
    "answer",
    [
        "cat <<EOF > f",
        "<<unknown.py>>",
        "<</src/a.ts>>",
        "<<../src/a.ts>>",
        "<<src/../src/a.ts>>",
        "<<.git/config>>",
        "<<>>",
        "```\n<<src/a.ts>>\n```",
        "```sh\nx << b >> c",
    ],
)
def test_anything_else_stays_text(answer: str) -> None:
    assert split(answer, KNOWN) == (TextPart(answer),)


def test_shift_operators_stay_text_unless_they_name_a_file() -> None:
    assert split("a << b >> c", KNOWN - {"b"}) == (TextPart("a << b >> c"),)


def test_an_absolute_path_is_refused_even_if_it_is_listed() -> None:
    assert split("<</etc/passwd>>", {"/etc/passwd"}) == (TextPart("<</etc/passwd>>"),)


def test_the_answer_names_its_files_and_lists_each_once() -> None:
    answer = "Wrote <<src/a.ts>>; see <<README.md>>, again <<src/a.ts>>, not <<c>>."
    assert resolve(answer, KNOWN) == Resolved(
        "Wrote 📎 **a.ts**; see 📎 **README.md**, again 📎 **a.ts**, not <<c>>.", ("src/a.ts", "README.md")
    )


@given(st.text())
def test_without_known_files_every_answer_is_left_as_it_is(answer: str) -> None:
    assert resolve(answer, frozenset()) == Resolved(answer, ())


@given(st.lists(st.sampled_from(["<<b>>", "<< b >>", "text", "```", "\n", "<<", ">>", "x"])).map("".join))
def test_only_known_files_are_ever_sent(answer: str) -> None:
    assert set(resolve(answer, KNOWN).files) <= KNOWN
