"""Whoever catches everything says why beside it, and lets nothing vanish: it is logged, raised or handed on."""

import ast
from pathlib import Path

import pytest

HERE = Path(__file__).parent
FILES = sorted(
    one
    for folder in (HERE, HERE.parent / "records")
    for one in folder.rglob("*.py")
    if not one.name.startswith(("test_", "testing_")) and "extract" not in one.parts and "sandbox" not in one.parts
)
BROAD = {"Exception", "BaseException"}


def _catches_all(handler: ast.ExceptHandler) -> bool:
    return handler.type is None or (isinstance(handler.type, ast.Name) and handler.type.id in BROAD)


def _lets_vanish(handler: ast.ExceptHandler) -> bool:
    told = {"exception", "warning", "error", "set_exception"}
    inside = [node for statement in handler.body for node in ast.walk(statement)]
    named = handler.name and any(isinstance(node, ast.Name) and node.id == handler.name for node in inside)
    logged = any(isinstance(node, ast.Attribute) and node.attr in told for node in inside)
    return not (named or logged or any(isinstance(node, ast.Raise) for node in inside))


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(HERE.parent)))
def test_nothing_is_swallowed_silently(path: Path) -> None:
    source = path.read_text()
    lines = source.splitlines()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ExceptHandler) and _catches_all(node):
            assert not _lets_vanish(node), f"{path}:{node.lineno} loses what went wrong"
            only_raised = isinstance(node.body[-1], ast.Raise) and node.body[-1].exc is None
            assert "#" in lines[node.lineno - 1] or only_raised, f"{path}:{node.lineno} does not say why it catches all"
        if isinstance(node, ast.Call) and getattr(node.func, "id", getattr(node.func, "attr", "")) == "suppress":
            named = {one.id for one in node.args if isinstance(one, ast.Name)}
            assert not named & BROAD, f"{path}:{node.lineno} suppresses everything"
