"""Sections of a structured document, checked on the host: shape, number and size; nothing here parses markup.

A section is {"title", "code", "blocks"}; a block is {"p": text}, {"list": [text, …]} or
{"table": {"head": [text, …], "rows": [[text, …], …]}}.
"""

from __future__ import annotations

from typing import Any

from consilium.records.extract.result import clean_text

MAX_SECTIONS, MAX_BLOCKS, MAX_ROWS, MAX_CELLS = 80, 200, 500, 20
MAX_TEXT = 150_000  # characters of all sections
TEXT = 4000  # characters of one block or cell


def checked(value: Any) -> list[dict[str, Any]]:
    """A clean, bounded copy of what claims to be a list of sections."""
    room = MAX_TEXT
    found: list[dict[str, Any]] = []
    for section in value[:MAX_SECTIONS] if isinstance(value, list) else []:
        if not isinstance(section, dict):
            continue
        blocks: list[dict[str, Any]] = []
        for block in section.get("blocks", [])[:MAX_BLOCKS] if isinstance(section.get("blocks"), list) else []:
            if room < 0:
                return found
            clean = _checked_block(block)
            room -= _size(clean)
            if clean and room >= 0:
                blocks.append(clean)
        title = _clean(section.get("title"), 200)
        if title or blocks:
            found.append({"title": title, "code": _clean(section.get("code"), 40), "blocks": blocks})
    return found


def _checked_block(block: Any) -> dict[str, Any]:
    if not isinstance(block, dict):
        return {}
    if isinstance(block.get("p"), str):
        text = _clean(block["p"], TEXT)
        return {"p": text} if text else {}
    if isinstance(block.get("list"), list):
        items = [_clean(item, TEXT) for item in block["list"][:MAX_ROWS]]
        return {"list": [item for item in items if item]}
    table = block.get("table")
    if not isinstance(table, dict) or not isinstance(table.get("rows"), list):
        return {}
    head = table.get("head")
    rows = [_cells(row) for row in table["rows"][:MAX_ROWS] if isinstance(row, list)]
    return {"table": {"head": _cells(head) if isinstance(head, list) else [], "rows": [row for row in rows if row]}}


def _cells(row: list[Any]) -> list[str]:
    return [_clean(cell, TEXT) for cell in row[:MAX_CELLS]]


def _clean(text: Any, most: int) -> str:
    return clean_text(text[:most]).strip() if isinstance(text, str) else ""


def _size(block: dict[str, Any]) -> int:
    if "table" in block:
        return 50 + sum(len(cell) + 4 for row in [block["table"]["head"], *block["table"]["rows"]] for cell in row)
    return len(block.get("p", "")) + sum(map(len, block.get("list", []))) + 20


def lines(found: list[dict[str, Any]]) -> list[str]:
    """Blocks as lines of text, for search."""
    out: list[str] = []
    for block in found:
        if "table" in block:
            out += ["\t".join(row) for row in [block["table"]["head"], *block["table"]["rows"]] if row]
        else:
            out += [block["p"]] if "p" in block else block["list"]
    return out
