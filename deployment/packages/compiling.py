"""Compiles every module of a folder: ``compiling.py FOLDER INSTALLED``, in an interpreter of its own.

Bytecode tells which of its constants were shared when it was written, with whatever else the process had loaded. A new
process that loads nothing else and takes the modules in order writes the same bytes each time.
"""

import contextlib
import py_compile
import sys
from pathlib import Path


def main() -> None:
    """Write the bytecode beside the modules; one that is no Python 3 is left out, as importing it would fail too."""
    folder, installed = Path(sys.argv[1]), sys.argv[2]
    for source in sorted(folder.rglob("*.py")):
        target = source.parent / "__pycache__" / f"{source.stem}.cpython-313.pyc"
        target.parent.mkdir(exist_ok=True)
        with contextlib.suppress(py_compile.PyCompileError):
            # Nobody changes a deployed source: its hash is written for whoever asks, and checked by nobody.
            py_compile.compile(
                str(source),
                str(target),
                dfile=f"{installed}/{source.relative_to(folder).as_posix()}",
                doraise=True,
                quiet=2,
                invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH,
            )


if __name__ == "__main__":
    main()
