"""Texts of a sealed column for many rows of one space at once, kept in memory for the next time (recent.py).

`shape` makes a few short texts of a value (folds them, picks two of its members); a column that is shaped in more than
one way has a `purpose` for each. NULL gives no texts: the row is left out.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any
from uuid import UUID

from django.db import models
from django.db.models.functions import Substr

from consilium.vault import seal
from consilium.vault.fields import Ciphertext, SealedField
from consilium.vault.recent import Texts, shared

Shape = Callable[[Any], Texts]


def as_it_is(value: Any) -> Texts:
    """The shape of a plain text."""
    return (str(value),)


def field_of(model: type[models.Model], name: str) -> SealedField:
    """The sealed field of that name."""
    found = model._meta.get_field(name)
    assert isinstance(found, SealedField)
    return found


def texts(
    model: type[models.Model],
    name: str,
    space: UUID,
    sealed: Mapping[UUID, Ciphertext | None],
    *,
    shape: Shape = as_it_is,
    purpose: str = "",
) -> dict[UUID, Texts]:
    """Primary key → texts, from ciphertexts that were fetched by `values_list`. Raises as opening does."""
    there = {key: value for key, value in sealed.items() if value is not None}
    salts = {key: value.salt for key, value in there.items()}
    return _kept(model, name, space, salts, lambda keys: ((key, there[key]) for key in keys), shape, purpose)


def salt(name: str) -> Substr:
    """Query expression: of a sealed column only what tells whether the value was sealed again (bytes, or None)."""
    return Substr(name, 1 + seal.SALT_AT, seal.SALT_BYTES, output_field=models.BinaryField())


def texts_by_salt(
    model: type[models.Model],
    name: str,
    space: UUID,
    salts: Mapping[UUID, bytes],
    *,
    shape: Shape = as_it_is,
    purpose: str = "",
) -> dict[UUID, Texts]:
    """The same for long values that stay in the database: one query for those that are not kept."""

    def fetch(keys: list[UUID]) -> Iterable[tuple[UUID, Ciphertext]]:
        return model._default_manager.filter(pk__in=keys).values_list("pk", name).iterator()

    return _kept(model, name, space, salts, fetch, shape, purpose)


def texts_of(
    instances: Sequence[models.Model], name: str, space: UUID, *, shape: Shape = as_it_is, purpose: str = ""
) -> dict[UUID, Texts]:
    """The same for instances of one model: a value that was set or opened on one of them is taken from it."""
    values = {one.pk: one.__dict__[name] if name in one.__dict__ else getattr(one, name) for one in instances}
    sealed = {key: value for key, value in values.items() if isinstance(value, Ciphertext)}
    found = {key: shape(value) for key, value in values.items() if key not in sealed and value is not None}
    return found | (texts(type(instances[0]), name, space, sealed, shape=shape, purpose=purpose) if sealed else {})


def open_on(instances: Iterable[models.Model], name: str, space: UUID) -> None:
    """Open one attribute of many instances of a space now, which costs less than each at its first use."""
    unsealed = None
    for one in instances:
        value = one.__dict__.get(name)
        if isinstance(value, Ciphertext):
            unsealed = unsealed or field_of(type(one), name).opener(space)
            setattr(one, name, unsealed(one.pk, value))


def _kept(
    model: type[models.Model],
    name: str,
    space: UUID,
    salts: Mapping[UUID, bytes],
    fetch: Callable[[list[UUID]], Iterable[tuple[UUID, Ciphertext]]],
    shape: Shape,
    purpose: str,
) -> dict[UUID, Texts]:
    field = field_of(model, name)

    def opened(missing: list[UUID]) -> Iterator[tuple[UUID, bytes, Texts]]:
        unsealed = field.opener(space)
        for key, value in fetch(missing):
            yield key, value.salt, shape(unsealed(key, value))

    return shared.texts(space, f"{field.place}#{purpose}", salts, opened)
