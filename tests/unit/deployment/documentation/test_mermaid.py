"""A flowchart is written as Mermaid reads it."""

from deployment.documentation.mermaid import Edge, Group, Look, Node, flowchart


def test_boxes_frames_and_arrows_are_written_with_their_labels_made_harmless() -> None:
    nodes: list[Node | Group] = [
        Node("a", 'says "<hi>" & goes', Look.PROCESS),
        Group("g", "frame", [Node("b", "B\nmore", Look.STORE)]),
    ]
    edges = [Edge("a", "g"), Edge("b", "a", "x < y", aside=True)]
    assert flowchart("LR", nodes, edges).splitlines() == [
        "```mermaid",
        "flowchart LR",
        '  a["says &quot;&lt;hi&gt;&quot; &amp; goes"]',
        '  subgraph g["frame"]',
        '    b[("<b>B</b><br>more")]',
        "  end",
        "  a --> g",
        '  b -.->|"x &lt; y"| a',
        f"  classDef PROCESS {Look.PROCESS.value[2]}",
        "  class a PROCESS",
        f"  classDef STORE {Look.STORE.value[2]}",
        "  class b STORE",
        "```",
    ]
