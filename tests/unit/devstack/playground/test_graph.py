from devstack.playground.graph import Edge, Graph, Node, draw, walked


def task(**fields: object) -> dict[str, object]:
    return {"Type": "Task", **fields}


def test_a_loop_with_a_detour_and_a_failure_is_laid_out_in_two_columns() -> None:
    definition = {
        "StartAt": "Work",
        "States": {
            "Work": task(Next="Route", Catch=[{"ErrorEquals": ["States.ALL"], "Next": "Fail"}]),
            "Route": {"Type": "Choice", "Choices": [{"Next": "Work"}, {"Next": "Ask"}], "Default": "Finish"},
            "Ask": task(Next="Work"),
            "Finish": task(End=True),
            "Fail": task(End=True),
            "Unreachable": task(End=True),
        },
    }
    assert draw(definition) == Graph(
        nodes=(
            Node("Work", "Task", 0, 0),
            Node("Route", "Choice", 0, 1),
            Node("Finish", "Task", 0, 2),
            Node("Ask", "Task", 1, 1),
            Node("Fail", "Task", 1, 2, on_failure_only=True),
        ),
        edges=(
            Edge("Work", "Route"),
            Edge("Work", "Fail", catch=True),
            Edge("Route", "Finish"),
            Edge("Route", "Work"),
            Edge("Route", "Ask"),
            Edge("Ask", "Work"),
        ),
    )


def test_what_a_map_does_for_each_item_lies_beside_it() -> None:
    each = {
        "StartAt": "Ask",
        "States": {
            "Ask": task(End=True, Catch=[{"ErrorEquals": ["States.ALL"], "Next": "Silent"}]),
            "Silent": {"Type": "Succeed"},
        },
    }
    definition = {
        "StartAt": "Each",
        "States": {"Each": {"Type": "Map", "ItemProcessor": each, "Next": "Merge"}, "Merge": task(End=True)},
    }
    assert draw(definition) == Graph(
        nodes=(
            Node("Each", "Map", 0, 0),
            Node("Merge", "Task", 0, 1),
            Node("Ask", "Task", 1, 0),
            Node("Silent", "Succeed", 1, 1, on_failure_only=True),
        ),
        edges=(Edge("Each", "Merge"), Edge("Each", "Ask"), Edge("Ask", "Silent", catch=True)),
    )


def test_no_two_states_share_a_place() -> None:
    choices = [{"Next": name} for name in "BCDE"]
    definition = {
        "StartAt": "A",
        "States": {
            "A": {"Type": "Choice", "Choices": choices, "Default": "Z"},
            **{name: task(Next="A") for name in "BCDE"},
            "Z": task(End=True),
        },
    }
    places = [(node.column, node.row) for node in draw(definition).nodes]
    assert len(set(places)) == len(places) == 6


def test_an_empty_definition_draws_nothing() -> None:
    assert draw({}) == Graph((), ())


def test_ways_are_counted_in_the_order_states_were_entered() -> None:
    assert walked(["A", "B", "A", "B", "C"]) == {("A", "B"): 2, ("B", "A"): 1, ("B", "C"): 1}
