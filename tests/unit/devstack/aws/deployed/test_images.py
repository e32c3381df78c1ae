"""Images laid out from their build contexts."""

from importlib.metadata import version
from pathlib import Path

import pytest

from devstack.aws.deployed.images import built
from devstack.aws.errors import StackError

SIX = version("six")
DOCKERFILE = """
# syntax=docker/dockerfile:1
FROM python:3.13-slim AS build
COPY requirements/list.txt /tmp/list.txt
RUN pip install --target /opt/packages -r /tmp/list.txt
COPY left /opt/product/out

FROM python:3.13-slim
ENV PYTHONPATH=/opt/packages:/opt/product GREETING="good day" \\
    BASE=/opt/product
COPY --from=build /opt/packages /opt/packages
COPY --chown=1000 product ${BASE}/product
COPY one.py two.py ./scripts/
WORKDIR /opt/product
ENTRYPOINT ["python", "-m"]
CMD ["product"]
"""


@pytest.fixture
def context(tmp_path: Path) -> Path:
    folder = tmp_path / "context"
    for path in ("requirements/list.txt", "product/__init__.py", "product/data/text", "left/here", "one.py", "two.py"):
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(path, encoding="utf-8")
    (folder / "requirements" / "list.txt").write_text(
        f"six=={SIX} \\\n    --hash=sha256:1 \\\n    --hash=sha256:2\n    # via something\n", encoding="utf-8"
    )
    (folder / "Dockerfile").write_text(DOCKERFILE, encoding="utf-8")
    return folder


def test_an_image_has_what_its_last_stage_copies_and_says(context: Path, tmp_path: Path) -> None:
    root = tmp_path / "image"
    image = built(context, root)
    assert image.folder == root / "opt" / "product"
    assert image.command == ("python", "-m", "product")
    assert image.environment == {"GREETING": "good day", "BASE": "/opt/product"}
    assert (root / "opt" / "product" / "product" / "data" / "text").read_text(encoding="utf-8") == "product/data/text"
    assert sorted(path.name for path in (root / "scripts").iterdir()) == ["one.py", "two.py"]
    assert not (root / "opt" / "product" / "out").exists()


def test_of_installed_libraries_an_image_sees_those_it_pins(context: Path, tmp_path: Path) -> None:
    image = built(context, tmp_path / "image")
    product, libraries = image.imports
    assert product == image.folder
    assert {path.name for path in libraries.iterdir()} == {"six.py", f"six-{SIX}.dist-info"}


def test_another_version_than_the_pinned_one_is_not_taken_for_it(context: Path, tmp_path: Path) -> None:
    (context / "requirements" / "list.txt").write_text("six==1.0.0 \\\n    --hash=sha256:1\n", encoding="utf-8")
    with pytest.raises(StackError, match=r"wants six 1\.0\.0, not"):
        built(context, tmp_path / "image")


def test_what_the_context_lacks_is_named(context: Path, tmp_path: Path) -> None:
    (context / "two.py").unlink()
    with pytest.raises(StackError, match=r"two\.py is copied into the image"):
        built(context, tmp_path / "image")
    with pytest.raises(StackError, match="is no build context"):
        built(tmp_path / "nowhere", tmp_path / "other")
