"""Identifiers people read aloud: short, unambiguous, random, never derived from a person."""

import secrets

# Crockford's Base32 without I, L, O, U: safe on the phone and on paper.
ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


def code(length: int, group: int = 4) -> str:
    """A random code of `length` symbols in groups joined by hyphens, e.g. `7K3M-29QF`."""
    symbols = "".join(secrets.choice(ALPHABET) for _ in range(length))
    return "-".join(symbols[i : i + group] for i in range(0, length, group))


def normalise(text: str) -> str:
    """What somebody typed, as the code it means: upper case, O→0, I and L→1, no spaces or hyphens."""
    table = str.maketrans({"O": "0", "I": "1", "L": "1", " ": None, "-": None, "\u2013": None})
    return text.strip().upper().translate(table)
