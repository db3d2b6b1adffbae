"""Turns a ``pack.toml`` into the classes of ``schema``, and says in words what is wrong with it."""

from __future__ import annotations

import tomllib
import types
import typing
from dataclasses import MISSING, fields, is_dataclass
from pathlib import Path
from typing import Any

from consilium.packs.schema import LANGUAGES, Text

PLACEHOLDER = "TODO"


class PackError(Exception):
    """A pack that must not be used; the message lists every problem, one a line."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


def read_toml(path: Path) -> dict[str, Any]:
    """The tables of one file. Raises :class:`PackError` when it is not TOML."""
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as error:
        raise PackError([f"{path.parent.name}/{path.name}: {error}"]) from error


class Reader:
    """Builds frozen dataclasses from TOML values; collects problems instead of stopping at the first."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.problems: list[str] = []

    def problem(self, where: str, sentence: str) -> None:
        """Note one problem."""
        self.problems.append(f"{self.name}: {where} {sentence}")

    def build(self, cls: type, value: Any, where: str) -> Any:
        """One instance of ``cls`` from a table; None, with a noted problem, when it cannot be built."""
        if not isinstance(value, dict):
            return self.problem(where, "must be a table")
        kinds = typing.get_type_hints(cls)
        known = {item.name for item in fields(cls)}
        for key in sorted(set(value) - known):
            self.problem(f"{where}.{key}", f"is not a known key; known are: {', '.join(sorted(known))}")
        noted = len(self.problems)
        given: dict[str, Any] = {}
        for item in fields(cls):
            if item.name in value:
                given[item.name] = self.convert(kinds[item.name], value[item.name], f"{where}.{item.name}")
            elif item.default is MISSING:
                self.problem(f"{where}.{item.name}", "is missing")
        return cls(**given) if len(self.problems) == noted else None

    def convert(self, kind: Any, value: Any, where: str) -> Any:
        """``value`` as ``kind``: a Text, a Literal, a tuple, an optional or a plain TOML type."""
        origin = typing.get_origin(kind)
        if kind is Text:
            return self._text(value, where)
        if origin is typing.Literal:
            return self._one_of(typing.get_args(kind), value, where)
        if origin is tuple:
            return self._tuple(typing.get_args(kind)[0], value, where)
        if origin in (typing.Union, types.UnionType):
            return self.convert(typing.get_args(kind)[0], value, where)
        if is_dataclass(kind):
            return self.build(typing.cast(type, kind), value, where)
        return self._plain(kind, value, where)

    def _text(self, value: Any, where: str) -> Text | None:
        if not isinstance(value, dict):
            return self.problem(where, 'must be a table with one text a language: {en = "…", de = "…"}')
        for language in LANGUAGES:
            if not str(value.get(language, "")).strip():
                self.problem(where, f"lacks its text in {language!r}")
            elif PLACEHOLDER in value[language]:
                self.problem(where, f"still holds the placeholder {PLACEHOLDER} in {language!r}")
        return Text(tuple((language, " ".join(str(text).split())) for language, text in value.items()))

    def _one_of(self, allowed: tuple[Any, ...], value: Any, where: str) -> Any:
        if value not in allowed:
            self.problem(where, f"is {value!r}; allowed are: {', '.join(repr(item) for item in allowed)}")
        return value

    def _tuple(self, kind: Any, value: Any, where: str) -> tuple[Any, ...]:
        if not isinstance(value, list):
            self.problem(where, "must be a list")
            return ()
        return tuple(self.convert(kind, item, f"{where}[{index}]") for index, item in enumerate(value))

    def _plain(self, kind: type, value: Any, where: str) -> Any:
        if kind is float and type(value) is int:
            return float(value)
        if type(value) is not kind:
            self.problem(where, f"must be {kind.__name__}, not {type(value).__name__}")
        elif isinstance(value, str) and PLACEHOLDER in value:
            self.problem(where, f"still holds the placeholder {PLACEHOLDER}")
        return value
