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


def memory(pid: int, *, named: str = "") -> int:
    """Bytes of proportional set size of the family; `named`: only processes whose command line contains it."""
    total = 0
    for one in family(pid):
        try:
            if named and named.encode() not in Path(f"/proc/{one}/cmdline").read_bytes():
                continue
            rollup = Path(f"/proc/{one}/smaps_rollup").read_text()
        except OSError:
            continue
        total += sum(int(line.split()[1]) * 1024 for line in rollup.splitlines() if line.startswith("Pss:"))
    return total


class Peak:
    """Watches the memory of a family: `with Peak(pid) as peak: …; peak.most`."""

    def __init__(self, pid: int, *, named: str = "") -> None:
        self.pid, self.named = pid, named
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
            self.most = max(self.most, memory(self.pid, named=self.named))
            if self._ended.wait(0.1):
                return
