"""How fast headers are scanned against pydicom reading the same values: `python -m bench.header [rounds]`.

Both alternate in one loop over the same files; the median of the ratios counts, for machines are noisy.
"""

from __future__ import annotations

import io
import json
import statistics
import sys
import time
from collections.abc import Callable, Iterable
from typing import Any

import pydicom

from bench import data
from consilium.imaging.header import Header, scan
from consilium.imaging.header_json import dicom_json
from consilium.imaging.header_tags import WANTED

_FIRST = 64 * 1024
_TURN = 10  # files


def values_by_pydicom(head: bytes) -> list[Any]:
    """pydicom's cheapest complete read: stop before the pixels, then the same values."""
    found = pydicom.dcmread(io.BytesIO(head), stop_before_pixels=True)
    return [found[tag].value for tag in WANTED if tag in found]


def json_by_pydicom(head: bytes) -> dict[str, Any]:
    found = pydicom.dcmread(io.BytesIO(head), stop_before_pixels=True)
    return found.to_json_dict(bulk_data_threshold=1364, bulk_data_element_handler=lambda _element: "")


def compare(files: Iterable[bytes], rounds: int) -> dict[str, Any]:
    """Median microseconds a file, and the medians of the ratios of each round."""
    pairs: list[tuple[bytes, Header, int]] = []
    for whole in files:
        head = whole[:_FIRST]
        pairs.append((head, scan(head, size=len(whole)), len(whole)))
    runs: dict[str, Callable[[bytes, Header, int], object]] = {
        "pydicom": lambda head, _found, _size: values_by_pydicom(head),
        "scan": lambda head, _found, size: scan(head, size=size),
        "pydicom_json": lambda head, _found, _size: json_by_pydicom(head),
        "dicom_json": lambda head, found, _size: dicom_json(head, found, bulk=str),
    }
    taken: dict[str, list[float]] = {name: [] for name in runs}
    for _round in range(rounds):
        spent = dict.fromkeys(runs, 0)
        for start in range(0, len(pairs), _TURN):  # in turns: what slows the machine slows them all
            for name, run in runs.items():
                before = time.process_time_ns()
                for pair in pairs[start : start + _TURN]:
                    run(*pair)
                spent[name] += time.process_time_ns() - before
        for name, nanoseconds in spent.items():
            taken[name].append(nanoseconds / len(pairs) / 1000)
    ratio = [old / new for old, new in zip(taken["pydicom"], taken["scan"], strict=True)]
    json_ratio = [old / new for old, new in zip(taken["pydicom_json"], taken["dicom_json"], strict=True)]
    return {
        **{f"{name}_us": round(statistics.median(times), 1) for name, times in taken.items()},
        "values": len(pairs[0][1].tags),
        "scan_ratio": round(statistics.median(ratio), 1),
        "scan_ratio_range": [round(min(ratio), 1), round(max(ratio), 1)],
        "scan_ratio_of_best": round(min(taken["pydicom"]) / min(taken["scan"]), 1),
        "json_ratio": round(statistics.median(json_ratio), 1),
    }


def main() -> None:
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 9
    for name, files in (("ct", data.ct_series(40)), ("mr", data.mr_series(40)), ("dx", data.dx(8))):
        sys.stdout.write(json.dumps({"series": name, **compare(files, rounds)}) + "\n")


if __name__ == "__main__":
    main()
