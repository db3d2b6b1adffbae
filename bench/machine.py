"""The machine and the versions a run was made with, as short facts."""

import datetime
import os
import platform
import shutil
import subprocess
import tempfile
from importlib.metadata import version
from pathlib import Path

LIBRARIES = ("granian", "Django", "cryptography", "pydicom", "numpy")


def facts() -> dict[str, str]:
    """Name → fact, in the order of the report."""
    libraries = ", ".join(f"{name} {version(name)}" for name in LIBRARIES)
    return {
        "date": datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "commit": _said("git", "rev-parse", "--short", "HEAD") + (" with local changes" if _dirty() else ""),
        "processor": f"{os.cpu_count()} cores, {_field('/proc/cpuinfo', 'model name') or platform.processor()}",
        "memory": f"{int(_field('/proc/meminfo', 'MemTotal').split()[0] or 0) / 2**20:.0f} GiB",
        "disk": _disk(Path(tempfile.gettempdir())),
        "kernel": f"{platform.system()} {platform.release()}",
        "distribution": _field("/etc/os-release", "PRETTY_NAME", "=").strip('"'),
        "Python": platform.python_version(),
        "libraries": libraries,
        "steal": f"{_steal():.1f} % of the CPU time since the start of the machine was taken by others (steal)",
    }


def _field(path: str, name: str, sign: str = ":") -> str:
    """The value behind `name` in a file of lines `name: value`."""
    try:
        lines = Path(path).read_text().splitlines()
    except OSError:
        return ""
    return next((line.split(sign, 1)[1].strip() for line in lines if line.split(sign)[0].strip() == name), "")


def _said(*command: str) -> str:
    if not shutil.which(command[0]):
        return "unknown"
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=Path(__file__).parent)
    return done.stdout.strip() or "unknown"


def _dirty() -> bool:
    changed = _said("git", "status", "--porcelain", "--untracked-files=no", "--", "../consilium")
    return changed not in ("", "unknown")


def _disk(folder: Path) -> str:
    free = shutil.disk_usage(folder).free / 1e9
    source, kind = (_said("df", "--output=source,fstype", str(folder)).splitlines() or ["", "unknown"])[-1].split()
    return f"{kind} on {source}, {free:.0f} GB free"


def _steal() -> float:
    ticks = [int(value) for value in Path("/proc/stat").read_text().splitlines()[0].split()[1:]]
    return 100 * ticks[7] / sum(ticks)
