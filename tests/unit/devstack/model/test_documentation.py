import re
from pathlib import Path

import yaml

from devstack.model.script import FaultKind, parse_script

DOCUMENT = Path(__file__).parents[4] / "docs" / "SCRIPTS.md"


def test_the_documented_examples_are_valid() -> None:
    examples = re.findall(r"```yaml\n(.*?)```", DOCUMENT.read_text(encoding="utf-8"), re.DOTALL)

    assert len(examples) == 2
    for example in examples:
        assert parse_script(yaml.safe_load(example), "docs/SCRIPTS.md").turn


def test_every_fault_is_documented() -> None:
    text = DOCUMENT.read_text(encoding="utf-8")

    assert [kind for kind in FaultKind if f"`{{{kind}: " not in text] == []
