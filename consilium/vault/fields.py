"""Sealed model fields: ciphertext in the database, bound to space, table, row and column.

A model that has one declares `seal_space = "case_id"`: the (dotted) name of the attribute that holds the
space's UUID. Its primary key must be known before saving (a UUID with a default). Values are sealed
when a row is saved and opened when the attribute is first read, so listing rows costs no decryption.

* Copying ciphertext to another row, column or space makes it unreadable (`errors.Tampered`).
* Nothing can be searched, ordered or updated by value: use `vault.blind` for exact search and `save()`.
* After the space's key is destroyed, reading raises `errors.KeyDestroyed`; see `shown` and `erased`.
"""

import functools
import json
from collections.abc import Callable, Generator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from operator import attrgetter
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django import forms
from django.core import checks
from django.core.exceptions import FieldError, ValidationError
from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.db.models.query_utils import DeferredAttribute
from django.utils.translation import gettext_lazy as _

from consilium.vault import keys, seal
from consilium.vault.errors import KeyDestroyed

ERASED = _("Erased")
_Field = models.Field[Any, Any] if TYPE_CHECKING else models.Field
# Plaintext is padded to a multiple of this many bytes, so that short answers do not show by their length.
PADDING = 32


@dataclass(frozen=True, slots=True)
class Ciphertext:
    """A sealed value as it came from the database, or ready to go there."""

    sealed: bytes

    def __repr__(self) -> str:
        return "<sealed>"

    @property
    def salt(self) -> bytes:
        """Changes whenever the value is sealed again."""
        return seal.salt_of(self.sealed)


class SealedAttribute(DeferredAttribute):
    """Opens a sealed value on first access and keeps the plaintext on the instance."""

    field: "SealedField"  # pyright: ignore[reportIncompatibleVariableOverride]

    def __get__(self, instance: Any, cls: Any = None) -> Any:
        if instance is None:
            return self
        name = self.field.attname
        if name not in instance.__dict__:
            with _kept_sealed():
                super().__get__(instance, cls)  # pyright: ignore
        value = instance.__dict__[name]
        if isinstance(value, Ciphertext) and not _keep_sealed.get():
            value = self.field.open(instance, value)
            instance.__dict__[name] = value
        return value

    def __set__(self, instance: Any, value: Any) -> None:
        instance.__dict__[self.field.attname] = value


Sealers = Callable[[UUID], Callable[[str, bytes], bytes]]  # space → (context, plaintext) → sealed, as seal.sealer


class SealedField(_Field):
    """Base of the sealed fields. `bound_as` keeps old rows readable after a table or column is renamed:
    set it to the former "table.column"."""

    descriptor_class = SealedAttribute
    empty_strings_allowed = False

    def __init__(self, *args: Any, bound_as: str = "", **kwargs: Any) -> None:
        self.bound_as = bound_as
        for refused in ("unique", "primary_key", "db_index", "db_default"):
            if kwargs.get(refused):
                raise TypeError(f"A sealed field cannot have {refused}: every ciphertext is different.")
        super().__init__(*args, **kwargs)

    def deconstruct(self) -> Any:
        name, path, args, kwargs = super().deconstruct()
        if self.bound_as:
            kwargs["bound_as"] = self.bound_as
        return name, path, args, kwargs

    def get_internal_type(self) -> str:
        return "BinaryField"

    def contribute_to_class(self, cls: Any, name: str, private_only: bool = False) -> None:
        super().contribute_to_class(cls, name, private_only)
        # refresh_from_db copies attribute by attribute: without this it would open every sealed value,
        # and fail on a row whose key was destroyed.
        if not getattr(cls.refresh_from_db, "keeps_sealed", False):
            cls.refresh_from_db = _keeping_sealed(cls.refresh_from_db)

    def check(self, **kwargs: Any) -> list[checks.CheckMessage]:
        errors: list[checks.CheckMessage] = list(super().check(**kwargs))
        if not getattr(self.model, "seal_space", ""):
            hint = 'Declare seal_space = "<attribute with the space\'s UUID>" on the model.'
            errors.append(checks.Error("Sealed without a space.", hint=hint, obj=self, id="vault.E001"))
        if isinstance(self.model._meta.pk, models.AutoField):
            hint = "Use a UUID primary key with a default: the value is bound to it before the row is saved."
            errors.append(checks.Error("Sealed without a key.", hint=hint, obj=self, id="vault.E002"))
        return errors

    # --- between instance and database -------------------------------------------------------------

    def from_db_value(self, value: Any, expression: Any, connection: Any) -> Ciphertext | None:
        return None if value is None else Ciphertext(bytes(value))

    def pre_save(self, model_instance: models.Model, add: bool) -> Ciphertext | None:
        return self.sealed(model_instance, seal.sealer)

    def sealed(self, instance: models.Model, sealer: Sealers) -> Ciphertext | None:
        """Seal what was set or opened; pass on untouched ciphertext if it belongs to this row."""
        if self.attname not in instance.__dict__:
            getattr(instance, self.attname)
        value = instance.__dict__[self.attname]
        if value is None:
            return None
        space, context = self._place(instance)
        if isinstance(value, Ciphertext):
            self._check_stays(space, context, value)
            return value
        return Ciphertext(sealer(space)(context, _pad(self.to_bytes(value))))

    def get_prep_value(self, value: Any) -> Any:
        return value

    def get_db_prep_value(self, value: Any, connection: Any, prepared: bool = False) -> Any:
        if value is None or self.model.__module__ == "__fake__":
            # "__fake__": a migration asks for the default of an added column; rows that exist have none.
            return None
        if not isinstance(value, Ciphertext):
            raise FieldError(f"{self} is sealed: write it with save(), never as a query value.")
        return connection.Database.Binary(value.sealed)

    def open(self, instance: models.Model, value: Ciphertext) -> Any:
        """The plaintext of this instance's value. Raises Tampered, KeyDestroyed, KeyMissing."""
        space, context = self._place(instance)
        return self.from_bytes(_unpad(seal.unseal(space, context, value.sealed)))

    def opener(self, space: UUID) -> Callable[[Any, Ciphertext], Any]:
        """(primary key, ciphertext) → plaintext, for many rows of one space that are opened now: half the cost each.

        Fetch the pairs by `values_list`. Raises as `open` does.
        """
        place, unseal = self.place, seal.unsealer(space)
        return lambda key, value: self.from_bytes(_unpad(unseal(f"{place}:{key}", value.sealed)))

    @property
    def place(self) -> str:
        """What its values are bound to beside the space and the row."""
        return self.bound_as or f"{self.model._meta.db_table}.{self.column}"

    def _place(self, instance: models.Model) -> tuple[UUID, str]:
        source = getattr(instance, "seal_space", "")
        space = attrgetter(source)(instance) if source else None
        if not isinstance(space, UUID) or instance.pk is None:
            raise ValueError(f"{self} needs a space (a UUID in {source or 'seal_space'}) and a primary key.")
        return space, f"{self.place}:{instance.pk}"

    def _check_stays(self, space: UUID, context: str, value: Ciphertext) -> None:
        try:
            stays = seal.belongs(space, context, value.sealed)
        except KeyDestroyed:
            return  # an erased row may still be saved; its ciphertext is as dead as before
        if not stays:
            raise ValueError(f"{self}: read the value before copying the row, so that it is sealed anew.")

    # --- no searching by value ----------------------------------------------------------------------

    def get_lookup(self, lookup_name: str) -> Any:
        if lookup_name != "isnull":
            raise FieldError(f"{self} is sealed and cannot be searched ({lookup_name}); use a blind index.")
        return super().get_lookup(lookup_name)

    def get_transform(self, lookup_name: str) -> Any:
        raise FieldError(f"{self} is sealed and has no {lookup_name}.")

    def value_to_string(self, obj: models.Model) -> str:
        raise TypeError(f"{self} is sealed and is not serialised; use `consilium backup`.")

    # --- what the two fields differ in ----------------------------------------------------------------

    def to_bytes(self, value: Any) -> bytes:
        raise NotImplementedError

    def from_bytes(self, data: bytes) -> Any:
        raise NotImplementedError


class SealedTextField(SealedField):
    """Text of any length, sealed."""

    description = _("Sealed text")
    empty_strings_allowed = True

    def to_bytes(self, value: Any) -> bytes:
        return str(value).encode()

    def from_bytes(self, data: bytes) -> str:
        return data.decode()

    def to_python(self, value: Any) -> str | None:
        return value if value is None or isinstance(value, str) else str(value)

    def formfield(self, **kwargs: Any) -> Any:  # pyright: ignore[reportIncompatibleMethodOverride]
        defaults = {"max_length": self.max_length, "widget": forms.Textarea}
        return super().formfield(**{**defaults, **kwargs})


class SealedJSONField(SealedField):
    """JSON (objects, lists, strings, numbers, booleans), sealed. Dates come back as ISO strings."""

    description = _("Sealed structured data")

    def to_bytes(self, value: Any) -> bytes:
        return json.dumps(value, cls=DjangoJSONEncoder, ensure_ascii=False, separators=(",", ":")).encode()

    def from_bytes(self, data: bytes) -> Any:
        return json.loads(data)

    def validate(self, value: Any, model_instance: models.Model | None) -> None:
        super().validate(value, model_instance)  # pyright: ignore[reportArgumentType]
        try:
            self.to_bytes(value)
        except TypeError:
            raise ValidationError(_("This is not valid JSON."), code="invalid") from None

    def formfield(self, **kwargs: Any) -> Any:  # pyright: ignore[reportIncompatibleMethodOverride]
        return super().formfield(**{"form_class": forms.JSONField, "encoder": DjangoJSONEncoder, **kwargs})


# --- for pages ----------------------------------------------------------------------------------------


def erased(instance: models.Model) -> bool:
    """Whether the content of this row was erased on purpose (its space's key is destroyed)."""
    space = attrgetter(str(getattr(instance, "seal_space", "")))(instance)
    return isinstance(space, UUID) and keys.space_destroyed(space)


def shown(instance: models.Model, name: str, default: Any = ERASED) -> Any:
    """The attribute for a page, or `default` (the translated word "Erased") when its key is destroyed.

    Tampering still raises: a damaged record must not look like an erased one.
    """
    try:
        return attrgetter(name)(instance)
    except KeyDestroyed:
        return default


# --- plumbing -------------------------------------------------------------------------------------------

_keep_sealed: ContextVar[bool] = ContextVar("keep_sealed", default=False)


@contextmanager
def _kept_sealed() -> Generator[None]:
    token = _keep_sealed.set(True)
    try:
        yield
    finally:
        _keep_sealed.reset(token)


def _keeping_sealed(refresh: Callable[..., None]) -> Callable[..., None]:
    @functools.wraps(refresh)
    def refresh_from_db(self: models.Model, *args: Any, **kwargs: Any) -> None:
        with _kept_sealed():
            refresh(self, *args, **kwargs)

    refresh_from_db.keeps_sealed = True  # pyright: ignore[reportAttributeAccessIssue]
    return refresh_from_db


def _pad(data: bytes) -> bytes:
    """ISO/IEC 7816-4: 0x80, then zeros up to the next multiple of PADDING."""
    return data + b"\x80" + b"\x00" * (-(len(data) + 1) % PADDING)


def _unpad(data: bytes) -> bytes:
    return data.rstrip(b"\x00")[:-1]
