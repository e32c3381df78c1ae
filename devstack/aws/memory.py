"""What a tree of processes holds."""

from dataclasses import dataclass

import psutil


@dataclass(frozen=True, slots=True)
class Memory:
    """Bytes: ``rss`` counts shared pages once per process, ``pss`` (0 where unknown) once in all."""

    rss: int
    pss: int
    processes: int


def measure(pid: int | None = None) -> Memory:
    """The process (this one when None) and everything below it."""
    root = psutil.Process(pid)
    rss = pss = processes = 0
    for process in [root, *root.children(recursive=True)]:
        try:
            full = process.memory_full_info()
        except psutil.NoSuchProcess:
            continue
        rss, pss, processes = rss + full.rss, pss + getattr(full, "pss", 0), processes + 1
    return Memory(rss, pss, processes)
