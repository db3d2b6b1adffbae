"""Texts that are read when a module is loaded must be lazy: otherwise everybody reads the server's language."""

import ast
from collections.abc import Iterator
from pathlib import Path

import consilium

EAGER = {"gettext", "ngettext", "pgettext", "npgettext"}


def test_no_text_is_translated_while_loading():
    root = Path(consilium.__file__).parent
    found = [f"{path.relative_to(root)}:{line}" for path in root.rglob("*.py") for line in early(path.read_text())]
    assert not found, f"use gettext_lazy here: {found}"


def test_the_search_finds_one():
    text = "from django.utils.translation import gettext as _\nNAMES = [_('a')]\ndef later():\n    return _('b')\n"
    assert list(early(text)) == [2]
    assert not list(early(text.replace("gettext", "gettext_lazy")))


def early(source: str) -> Iterator[int]:
    """Lines that translate at once, outside every function."""
    tree = ast.parse(source)
    names = {
        alias.asname or alias.name
        for node in tree.body
        if isinstance(node, ast.ImportFrom) and node.module == "django.utils.translation"
        for alias in node.names
        if alias.name in EAGER
    }
    waiting: list[ast.AST] = [tree] if names else []
    while waiting:
        for node in ast.iter_child_nodes(waiting.pop()):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
                continue
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in names:
                yield node.lineno
            waiting.append(node)
