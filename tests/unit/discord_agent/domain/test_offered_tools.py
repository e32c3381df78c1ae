import re

from hypothesis import given
from hypothesis import strategies as st

from discord_agent.domain.conversation import Json
from discord_agent.domain.offered_tools import FIND, USE, ServerTool, find, offered, specs

SCHEMA: Json = {"type": "object", "properties": {"words": {"type": "string"}}, "required": ["words"]}


def tool(name: str, server: str = "tracker", description: str = "", schema: Json = SCHEMA) -> ServerTool:
    return ServerTool(server, name, description, schema)


def many(count: int) -> dict[str, ServerTool]:
    return dict(offered([tool(f"tool_{number}", description=f"Does thing {number}.") for number in range(count)]))


def test_tools_are_offered_under_their_servers_name_in_a_stable_order() -> None:
    tools = [tool("search", "wiki"), tool("search", "tracker"), tool("add", "tracker")]
    names = ["tracker__add", "tracker__search", "wiki__search"]
    assert list(offered(tools)) == list(offered(tools[::-1])) == names
    assert [spec.name for spec in specs(offered(tools))] == names


def test_a_name_that_is_taken_gets_a_number() -> None:
    assert list(offered([tool("a b"), tool("a.b")], taken=["tracker__a_b"])) == ["tracker__a_b_2", "tracker__a_b_3"]


@given(st.lists(st.text(min_size=1, max_size=90), max_size=8))
def test_offered_names_are_different_and_of_the_form_that_providers_take(names: list[str]) -> None:
    by_name = offered([tool(name) for name in names])
    assert len(by_name) == len(names)
    assert all(re.fullmatch(r"[A-Za-z0-9_-]{1,64}", name) for name in by_name)


def test_few_tools_are_offered_as_they_are() -> None:
    shown = specs(many(12))
    assert len(shown) == 12
    assert shown[0].parameters == SCHEMA


def test_many_tools_are_offered_by_search_with_their_names_and_no_schema() -> None:
    shown = specs(many(13))
    assert [spec.name for spec in shown] == [FIND, USE]
    assert "tracker__tool_7" in shown[0].description
    assert len(specs(many(500))[0].description) < 6000


def test_a_few_huge_schemas_are_many_too() -> None:
    huge: Json = {"type": "object", "properties": {"x": {"description": "x" * 7000}}}
    assert [spec.name for spec in specs(offered([tool("a", schema=huge), tool("b", schema=huge)]))] == [FIND, USE]


def test_a_schema_that_no_provider_would_take_is_replaced() -> None:
    (spec,) = specs(offered([tool("a", schema={"type": "array"})]))
    assert spec.parameters == {"type": "object", "properties": {}}


def test_a_search_shows_the_best_with_their_arguments() -> None:
    tools = offered([tool("close_issue", description="Close it."), tool("issues", description="List."), tool("wiki")])
    text = find(tools, "close an issue")
    assert text.startswith("tracker__close_issue: Close it.\narguments: {")
    assert "wiki" not in text


def test_a_search_without_success_names_what_there_is() -> None:
    assert "There are: tracker__wiki" in find(offered([tool("wiki")]), "weather")
