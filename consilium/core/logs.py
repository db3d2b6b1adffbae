"""Structured logs by allow-list: a line carries a level, a logger, an event name and safe fields, nothing else.

Free text from exceptions or requests may hold health data, so it is dropped here and not at each caller.
"""

import json
import logging
import sys
from typing import Any

SAFE_FIELDS = ("event", "status", "duration_ms", "method", "route", "job", "attempt", "worker", "code", "pid", "count")


class SafeFormatter(logging.Formatter):
    """One JSON object a line. Tracebacks keep files, lines and exception *types*, never messages."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "at": self.formatTime(record, "%Y-%m-%dT%H:%M:%S%z"),
            "level": record.levelname.lower(),
            "logger": record.name,
        }
        for field in SAFE_FIELDS:
            if field in record.__dict__:
                line[field] = record.__dict__[field]
        if record.name.startswith("consilium"):
            # Our own format strings are constants; their arguments are not, so only the string is kept.
            line.setdefault("event", record.msg if isinstance(record.msg, str) else type(record.msg).__name__)
        if record.exc_info and record.exc_info[0]:
            line["exception"] = record.exc_info[0].__name__
            line["trace"] = _frames(record.exc_info[2])
        return json.dumps(line, ensure_ascii=False)


def _frames(traceback: Any) -> list[str]:
    frames: list[str] = []
    while traceback is not None:
        code = traceback.tb_frame.f_code
        frames.append(f"{code.co_filename.rsplit('/', 1)[-1]}:{traceback.tb_lineno}:{code.co_name}")
        traceback = traceback.tb_next
    return frames[-12:]


def configure(_config: dict[str, Any] | None = None) -> None:
    """Django's LOGGING_CONFIG hook: everything to standard error through `SafeFormatter`."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(SafeFormatter())
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(logging.WARNING)
    logging.getLogger("consilium").setLevel(logging.INFO)
    for own in ("django", "django.server"):  # their own handlers would print messages as they are
        logging.getLogger(own).handlers = []
        logging.getLogger(own).propagate = True
    for quiet in ("django.db.backends", "PIL", "pydicom", "fontTools", "pyhanko", "pyhanko_certvalidator"):
        logging.getLogger(quiet).setLevel(logging.ERROR)
