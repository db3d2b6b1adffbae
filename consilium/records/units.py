"""Units of laboratory values: as sheets write them, as UCUM codes, and from one into another.

UCUM (the Unified Code for Units of Measure, version 2.1, case-sensitive) names the units. Only what
laboratories write is known here; an unknown unit is never guessed: its values keep it and are not converted.
Mass and amount of substance are converted with a molar mass only (analytes.py gives it).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

# UCUM §28–§46: dimension and factor to the base used here (g, mol, L, s). Laboratories write U for enzyme units and
# for international units alike ("TSH mU/l"), so the two are one dimension; values are compared within one analyte only.
_ATOMS: dict[str, tuple[str, float]] = {
    "g": ("mass", 1), "mol": ("amount", 1), "L": ("volume", 1), "l": ("volume", 1), "m2": ("area", 1),
    "m3": ("volume", 1e3), "s": ("time", 1), "min": ("time", 60), "h": ("time", 3600), "d": ("time", 86400),
    "m": ("length", 1), "U": ("activity", 1), "kat": ("activity", 6e7), "[IU]": ("activity", 1),
    "[iU]": ("activity", 1), "eq": ("charge", 1), "osm": ("osmoles", 1), "%": ("", 0.01), "1": ("", 1),
    "[ppth]": ("", 1e-3), "mm[Hg]": ("pressure", 133.322387415), "Pa": ("pressure", 1), "Cel": ("temperature", 1),
    "[pH]": ("acidity", 1),
}  # fmt: skip
_PREFIXES = {"f": 1e-15, "p": 1e-12, "n": 1e-9, "u": 1e-6, "m": 1e-3, "c": 1e-2, "d": 0.1, "k": 1e3, "M": 1e6, "G": 1e9}
_POWER = re.compile(r"10\*(-?\d{1,2})$")


@dataclass(frozen=True)
class Unit:
    """`factor` times the base unit of `top` per `bottom` (sorted names of dimensions)."""

    factor: float
    top: tuple[str, ...] = ()
    bottom: tuple[str, ...] = ()


@lru_cache(maxsize=2000)
def parse(code: str) -> Unit | None:
    """A UCUM code as factor and dimensions; None when it is not one that laboratories use."""
    if not code or len(code) > 40:
        return None
    factor, sides = 1.0, (list[str](), list[str]())
    for index, part in enumerate(re.sub(r"\{[^{}]*\}", "", code).split("/")):
        for term in part.split("."):
            if term == "":  # "/min" and "{ratio}" have no numerator
                continue
            found = _term(term)
            if found is None:
                return None
            dimension, size = found
            factor = factor / size if index else factor * size
            if dimension:
                sides[bool(index)].append(dimension)
    return Unit(factor, tuple(sorted(sides[0])), tuple(sorted(sides[1])))


def _term(term: str) -> tuple[str, float] | None:
    power = _POWER.match(term)
    if power:
        return "", 10.0 ** int(power[1])
    if term == "1.73_m2":
        return "area", 1.73
    if term in _ATOMS:
        return _ATOMS[term]
    if term[:1] in _PREFIXES and term[1:] in _ATOMS and term[1:] not in ("%", "1", "min", "h", "d", "m2", "Cel"):
        dimension, size = _ATOMS[term[1:]]
        return dimension, size * _PREFIXES[term[0]]
    return None


def convert(value: float, source: str, target: str, *, molar_mass: float = 0, valence: int = 0) -> float | None:
    """`value` of unit `source` in unit `target` (UCUM codes), or None when they do not measure the same.

    molar_mass: g/mol of the analyte, to go between mass and amount; valence: charge, for equivalents.
    """
    if source == target:
        return value
    first, second = parse(source), parse(target)
    if first is None or second is None or _kept(source) != _kept(target):
        return None
    if first.top == second.top and first.bottom == second.bottom:
        return value * first.factor / second.factor
    bridge = _bridge(first, second, molar_mass, valence)
    return None if bridge is None else value * first.factor * bridge / second.factor


def _bridge(first: Unit, second: Unit, molar_mass: float, valence: int) -> float | None:
    """The factor from one kind of concentration to another."""
    if first.bottom != second.bottom:
        return None
    in_moles: dict[tuple[str, ...], float] = {("amount",): 1.0}
    if molar_mass:
        in_moles["mass",] = 1 / molar_mass
    if valence:
        in_moles["charge",] = 1 / valence
    if first.top in in_moles and second.top in in_moles:
        return in_moles[first.top] / in_moles[second.top]
    return None


def hba1c(value: float, source: str, target: str) -> float | None:
    """HbA1c between NGSP per cent and IFCC mmol/mol: the master equation, NGSP = 0.09148 × IFCC + 2.152.

    Hoelzel et al., Clin Chem 2004;50:166–174; https://ngsp.org/ifcc.asp
    """
    if source == target:
        return value
    if (source, target) == ("%", "mmol/mol"):
        return (value - 2.152) / 0.09148
    if (source, target) == ("mmol/mol", "%"):
        return 0.09148 * value + 2.152
    return None


# What sheets print, folded (see `fold`), and what it means in UCUM.
_WRITTEN: dict[str, str] = {
    "%": "%", "vol%": "%", "rel%": "%", "%hb": "%", "‰": "[ppth]", "promille": "[ppth]", "fl": "fL", "pg": "pg",
    "/nl": "10*9/L", "10^9/l": "10*9/L", "10*9/l": "10*9/L", "x10^9/l": "10*9/L", "10e9/l": "10*9/L",
    "10^3/ul": "10*3/uL", "10*3/ul": "10*3/uL", "x10^3/ul": "10*3/uL", "10e3/ul": "10*3/uL", "k/ul": "10*3/uL",
    "tsd/ul": "10*3/uL", "tsd./ul": "10*3/uL", "thou/ul": "10*3/uL", "10^3/mm3": "10*3/uL", "giga/l": "10*9/L",
    "giga.l-1": "10*9/L", "tera.l-1": "10*12/L", "tera/l": "10*12/L", "gpt/l": "10*9/L", "tpt/l": "10*12/L",
    "/pl": "10*12/L", "10^12/l": "10*12/L", "10*12/l": "10*12/L", "x10^12/l": "10*12/L", "10e12/l": "10*12/L",
    "10^6/ul": "10*6/uL", "10*6/ul": "10*6/uL", "x10^6/ul": "10*6/uL", "10e6/ul": "10*6/uL", "mio/ul": "10*6/uL",
    "mio./ul": "10*6/uL", "mill/ul": "10*6/uL", "m/ul": "10*6/uL", "/ul": "/uL", "/mm3": "/uL",
    "10^6/l": "10*6/L", "10*6/l": "10*6/L",
    "u/l": "U/L", "ku/l": "kU/L", "u/ml": "U/mL", "ku/ml": "kU/mL", "mu/l": "mU/L", "uu/ml": "uU/mL",
    "mu/ml": "mU/mL", "iu/l": "[IU]/L", "ie/l": "[IU]/L", "kiu/l": "k[IU]/L", "iu/ml": "[IU]/mL", "ie/ml": "[IU]/mL",
    "miu/l": "m[IU]/L", "mie/l": "m[IU]/L", "miu/ml": "m[IU]/mL", "mie/ml": "m[IU]/mL", "uiu/ml": "u[IU]/mL",
    "uie/ml": "u[IU]/mL", "ukat/l": "ukat/L", "nkat/l": "nkat/L",
    "mg/g": "mg/g", "mg/mmol": "mg/mmol", "g/mol": "g/mol", "ug/g": "ug/g",
    "mmol/mol": "mmol/mol", "ml/min": "mL/min", "l/l": "L/L", "mg/24h": "mg/d", "mg/d": "mg/d", "g/d": "g/d",
    "ml/min/1.73m2": "mL/min/{1.73_m2}", "ml/min/1,73m2": "mL/min/{1.73_m2}", "ml/min/1.73m^2": "mL/min/{1.73_m2}",
    "ml/min/1,73m^2": "mL/min/{1.73_m2}", "ml/min/1.73qm": "mL/min/{1.73_m2}", "ml/min/1,73qm": "mL/min/{1.73_m2}",
    "ml/min/{1.73_m2}": "mL/min/{1.73_m2}", "ml/min/1.73sqm": "mL/min/{1.73_m2}",
    "mm/h": "mm/h", "mm/1h": "mm/h", "mm/hr": "mm/h", "mm/std": "mm/h", "mmn.w.": "mm/h",
    "s": "s", "sec": "s", "sek": "s", "sek.": "s", "sec.": "s", "ms": "ms",
    "mosm/kg": "mosm/kg", "mosmol/kg": "mosm/kg", "mosmol/l": "mosm/L", "mmhg": "mm[Hg]", "mm[hg]": "mm[Hg]",
    "kpa": "kPa", "meq/l": "meq/L", "mval/l": "meq/L", "/min": "/min", "cel": "Cel", "°c": "Cel",
    "mg/l feu": "mg/L{FEU}", "mg/lfeu": "mg/L{FEU}", "ng/mlfeu": "ng/mL{FEU}", "ug/mlfeu": "ug/mL{FEU}",
    "mg/lddu": "mg/L{DDU}", "ng/mlddu": "ng/mL{DDU}",
}  # fmt: skip
_MASSES, _AMOUNTS = ("kg", "g", "mg", "ug", "ng", "pg"), ("mol", "mmol", "umol", "nmol", "pmol")
_VOLUMES = ("l", "dl", "ml", "ul", "100ml")
for _top in _MASSES + _AMOUNTS:
    for _bottom in _VOLUMES:
        _ucum_volume = {"l": "L", "dl": "dL", "ml": "mL", "ul": "uL", "100ml": "dL"}[_bottom]
        _WRITTEN.setdefault(f"{_top}/{_bottom}", f"{_top}/{_ucum_volume}")
_SUPERSCRIPTS = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻", "0123456789-")
_SUPERSCRIPT = re.compile(r"10([⁰¹²³⁴⁵⁶⁷⁸⁹⁻]+)")


def fold(written: str) -> str:
    """A unit as printed, with one spelling for what is the same: lower case, no spaces, u for micro, ^ for powers."""
    text = _SUPERSCRIPT.sub(lambda m: "10^" + m[1].translate(_SUPERSCRIPTS), written.strip())
    text = text.translate(_SUPERSCRIPTS).replace("µ", "u").replace("μ", "u").replace("mcg", "ug").replace("mc", "u")
    text = text.replace("×", "x").replace("·", "*").casefold()
    return re.sub(r"\s+", "", text).strip("[]()") if text.strip().startswith(("[", "(")) else re.sub(r"\s+", "", text)


@lru_cache(maxsize=2000)
def ucum(written: str) -> str:
    """The UCUM code of a unit as a sheet or a message writes it, "" when it is not known.

    "G/l" and "T/l" (giga and tera, cells a litre) differ from "g/l" by their case only, so they are taken
    with that case, and only when the rest is written small.
    """
    if not written or len(written) > 40:
        return ""
    if written in ("G/l", "G/L") and written[2] == "l":
        return "10*9/L"
    if written == "T/l":
        return "10*12/L"
    if parse(written) is not None and written not in ("m/ul", "l/l"):
        return _tidy(written)
    return _WRITTEN.get(fold(written), "")


def _tidy(code: str) -> str:
    """One spelling for the codes that UCUM allows two for: l and L, [iU] and [IU]."""
    code = re.sub(r"(?<![A-Za-z\[{_])([fpnumcd]?)l(?![A-Za-z\]}_])", r"\1L", code)
    return code.replace("[iU]", "[IU]")


def same(one: str, other: str) -> bool:
    """Whether two UCUM codes are the same unit by size: 10*9/L and 10*3/uL are."""
    first, second = parse(one), parse(other)
    if first is None or second is None:
        return one == other
    close = abs(first.factor - second.factor) <= 1e-9 * abs(first.factor)
    return close and first.top == second.top and first.bottom == second.bottom and _kept(one) == _kept(other)


def _kept(code: str) -> str:
    """Annotations that tell otherwise equal units apart: D-dimer as FEU or DDU, clearance by body surface."""
    return "".join(re.findall(r"\{(?:FEU|DDU|1\.73_m2)\}", code))


_PRETTY = {
    "10*3": "10³", "10*6": "10⁶", "10*9": "10⁹", "10*12": "10¹²", "[IU]": "IU", "{1.73_m2}": "1.73 m²",
    "mm[Hg]": "mmHg", "[ppth]": "‰", "kg/m2": "kg/m²", "[pH]": "",
}  # fmt: skip


def shown(code: str) -> str:
    """A UCUM code as people write it: 10⁹/L, µmol/L, IU/L."""
    for ucum_part, words in _PRETTY.items():
        code = code.replace(ucum_part, words)
    code = re.sub(r"\{([^{}]*)\}", r" \1", code).replace("Cel", "°C")
    return re.sub(r"(?<![A-Za-z])u(?=(?:g|mol|L|IU|U|kat)\b)", "µ", code).strip()
