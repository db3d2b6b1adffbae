"""The words of a structured document as headed sections of paragraphs, lists and tables: no markup leaves the jail.

For the shape of blocks see sections.py, by which the host checks them again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lxml import etree

from consilium.records.extract.sections import MAX_BLOCKS, MAX_CELLS, MAX_ROWS, TEXT

if TYPE_CHECKING:
    from lxml.etree import _Element

_BREAKS = {"br", "p", "paragraph", "li", "item", "tr", "div", "caption", "h1", "h2", "h3", "h4", "h5", "h6"}
_INSIDE = {"p", "paragraph", "caption", "h1", "h2", "h3", "h4", "h5", "h6"}
_HIDDEN = {"script", "style", "renderMultiMedia", "object", "iframe", "template"}


def hardened_parser() -> etree.XMLParser:
    """No entities, no network, no DTD, no huge trees: the sandbox is the second wall, this is the first."""
    return etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False, remove_comments=True,
        remove_pis=True, dtd_validation=False,
    )  # fmt: skip


def of_element(element: _Element | None) -> list[dict[str, Any]]:
    """Blocks of a narrative: XHTML of FHIR (R4 §2.4.0) and the CDA narrative block (CDA R2 §4.3.5) alike."""
    out: list[dict[str, Any]] = []
    if element is None:
        return out
    loose: list[str] = [_on_one_line(element.text)]
    for child in element:
        _take(child, out, loose)
        loose.append(_on_one_line(child.tail))
    _flush(out, loose)
    return out[:MAX_BLOCKS]


def _take(node: _Element, out: list[dict[str, Any]], loose: list[str]) -> None:
    name = _name(node)
    if name in _HIDDEN or len(out) > MAX_BLOCKS:
        return
    if name == "table":
        _flush(out, loose)
        out.append({"table": _table(node)})
    elif name in ("ul", "ol", "list"):
        _flush(out, loose)
        items = [words(item) for item in node if _name(item) in ("li", "item")]
        out.append({"list": [item for item in items if item][:MAX_ROWS]})
    elif name in _INSIDE:
        _flush(out, loose)
        out.append({"p": words(node)})
    elif name == "br":
        _flush(out, loose)
    elif any(_name(one) in ("table", "list", "ul", "ol", "p", "paragraph", "div") for one in node):
        _flush(out, loose)
        out.extend(of_element(node))
    else:
        loose.append(words(node))


def _on_one_line(text: str | None) -> str:
    """Line ends of the source are spaces; those of <br> are lines."""
    return (text or "").replace("\r", " ").replace("\n", " ")


def _flush(out: list[dict[str, Any]], loose: list[str]) -> None:
    parts = (" ".join(part.split()) for part in "".join(loose).split("\n"))
    text = "\n".join(part for part in parts if part)
    loose.clear()
    if text:
        out.append({"p": text[:TEXT]})


def _table(node: _Element) -> dict[str, Any]:
    rows = [row for row in node.iter() if _name(row) == "tr"][: MAX_ROWS + 5]
    head: list[str] = []
    body: list[list[str]] = []
    for row in rows:
        cells = [cell for cell in row if _name(cell) in ("td", "th")][:MAX_CELLS]
        texts = [words(cell) for cell in cells]
        if not head and not body and cells and all(_name(cell) == "th" for cell in cells):
            head = texts
        elif any(texts):
            body.append(texts)
    return {"head": head, "rows": body[:MAX_ROWS]}


def words(node: _Element) -> str:
    """The words of an element on lines, as they break on the page."""
    out: list[str] = []
    for event, one in etree.iterwalk(node, events=("start", "end")):
        name = _name(one)
        if event == "start":
            out.append("\n" if name in _BREAKS and one is not node else " " if name in ("td", "th") else "")
            out.append(" ".join((one.text or "").split()) if name not in _HIDDEN else "")
            out.append(" " if (one.text or "").endswith((" ", "\n")) else "")
        elif one is not node:
            tail = one.tail or ""
            before, after = " " * tail[:1].isspace(), " " * tail[-1:].isspace()
            out.append(before + " ".join(tail.split()) + after)
    lines = (" ".join(line.split()) for line in "".join(out).split("\n"))
    return "\n".join(line for line in lines if line)[:TEXT]


def _name(node: _Element) -> str:
    return etree.QName(node).localname if isinstance(node.tag, str) else ""


def of_xhtml(div: str) -> list[dict[str, Any]]:
    """Blocks of a FHIR narrative; nothing when it is not the well-formed XHTML that the standard asks for."""
    try:
        return of_element(etree.fromstring(div.encode(), hardened_parser()))
    except (etree.XMLSyntaxError, ValueError):
        return []
