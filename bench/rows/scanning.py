"""The header scanner against pydicom: the same attributes with the same values from the same files."""

import io
from collections.abc import Callable
from typing import Any

import pydicom

from bench.rounds import TABLE, Measured, Values, ratios, timed
from bench.stage import Stage

PYDICOM, SCANNER = "pydicom", "scanner"
REPEATS = 3


@TABLE.row("header_scan", "header scan against pydicom, equal values", 8)
def header_scan(stage: Stage) -> Measured:
    """pydicom reads up to the pixel data, its cheapest reading of every attribute that the scanner may be asked for."""
    import statistics

    from consilium.imaging import header

    files = [one.data for one in stage.ct.instances[:200]] + [one.data for one in stage.mr.instances[:100]]
    files += [one.data for one in stage.dx.instances[:5]] + [one.data for one in stage.studies.instances[:100]]
    wanted = sorted({tag for data in files for tag in header.scan(data, size=len(data)).tags})
    for data in files[:: max(len(files) // 20, 1)]:
        equal(header.scan(data, size=len(data)).tags, data)

    def scanned() -> None:
        for data in files:
            header.scan(data, size=len(data))

    def read() -> None:
        for data in files:
            found = pydicom.dcmread(io.BytesIO(data), stop_before_pixels=True)
            for tag in wanted:
                if tag in found:
                    found[tag].value  # noqa: B018 - pydicom converts a value when it is first looked at

    actions: dict[str, Callable[[], None]] = {PYDICOM: read, SCANNER: scanned}
    found: Values = {name: [] for name in actions}
    for number in range(stage.rounds):
        for name in actions if number % 2 == 0 else reversed(actions):
            times = REPEATS if name == SCANNER else 1
            found[name].append(sum(timed(actions[name]) for _ in range(times)) / times)
    each = ratios(found[PYDICOM], found[SCANNER])
    raw = {name: [len(files) / seconds for seconds in values] for name, values in found.items()}
    notes = [f"{len(files)} files of four kinds, {len(wanted)} attributes asked for."]
    return Measured(statistics.median(each), raw, "files/s", each, notes)


def equal(tags: dict[int, Any], data: bytes) -> None:
    """Raise unless pydicom finds the same texts and numbers."""
    found = pydicom.dcmread(io.BytesIO(data), stop_before_pixels=True)
    for tag, (vr, values) in tags.items():
        if vr == "SQ":
            continue
        theirs = found[tag].value
        listed = (
            []
            if theirs in (None, "")
            else list(theirs)
            if isinstance(theirs, pydicom.multival.MultiValue)
            else [theirs]
        )
        if [_plain(value) for value in listed] != [_plain(value) for value in values]:
            raise RuntimeError(f"The scanner reads {values} where pydicom reads {listed} ({tag:08X}).")


def _plain(value: Any) -> str:
    try:
        return f"{float(value):g}"
    except (TypeError, ValueError):
        return str(value).strip()
