"""What a server used: CPU seconds and memory of a process and everything it started, from /proc (Linux)."""

import os
from pathlib import Path
from threading import Event, Thread

TICK = os.sysconf("SC_CLK_TCK")


def family(pid: int) -> list[int]:
    """The process and its living descendants."""
    found, position = [pid], 0
    while position < len(found):
        try:
            for task in Path(f"/proc/{found[position]}/task").iterdir():
                found += [int(child) for child in (task / "children").read_text().split()]
        except OSError:  # it ended while we looked
            pass
        position += 1
    return found


def cpu_seconds(pid: int) -> float:
    """User and system time of the family so far, ended and awaited children included."""
    total = 0
    for one in family(pid):
        try:
            fields = Path(f"/proc/{one}/stat").read_text().rpartition(") ")[2].split()
        except OSError:
            continue
        total += sum(int(value) for value in fields[11:15])
    return total / TICK


def started_as(pid: int, named: str) -> int:
    """The first process of the family whose command line contains `named`."""
    for one in family(pid):
        if named.encode() in Path(f"/proc/{one}/cmdline").read_bytes():
            return one
    raise LookupError(f"No process started as {named}.")


def memory(pid: int) -> int:
    """Bytes of proportional set size of the family."""
    total = 0
    for one in family(pid):
        try:
            rollup = Path(f"/proc/{one}/smaps_rollup").read_text()
        except OSError:
            continue
        total += sum(int(line.split()[1]) * 1024 for line in rollup.splitlines() if line.startswith("Pss:"))
    return total


class Peak:
    """Watches the memory of a family: `with Peak(pid) as peak: …; peak.most`."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self.most = 0
        self._ended = Event()
        self._thread = Thread(target=self._watch, daemon=True)

    def __enter__(self) -> "Peak":
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._ended.set()
        self._thread.join()

    def _watch(self) -> None:
        while True:
            self.most = max(self.most, memory(self.pid))
            if self._ended.wait(0.1):
                return
