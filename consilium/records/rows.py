"""Rows written by statements that are put together once: what filing an image costs most is Django's making of SQL."""

from collections.abc import Callable, Sequence
from functools import cache, lru_cache
from typing import Any
from uuid import UUID

from django.db import DEFAULT_DB_ALIAS, connections
from django.db.models import Field, Model

from consilium.records.models import Record
from consilium.vault import seal
from consilium.vault.fields import SealedField


def insert(rows: Sequence[Model]) -> None:
    """Insert rows of one model: a third of what `bulk_create` costs, which builds a statement for each batch."""
    insertion(rows)()


def insertion(rows: Sequence[Model]) -> Callable[[], None]:
    """`insert` made ready: values are sealed now, so that the transaction in which it is called is short."""
    if not rows:
        return lambda: None
    database: Any = connections[DEFAULT_DB_ALIAS]  # the proxy `connection` looks itself up at each use
    statement, fields = _insertion(type(rows[0]), database.vendor)
    sealer = cache(seal.sealer)  # the keystore is asked once for all of them

    def value(field: Field[Any, Any], row: Model) -> Any:
        held = field.sealed(row, sealer) if isinstance(field, SealedField) else field.pre_save(row, True)
        return field.get_db_prep_save(held, database)

    values = [[value(field, row) for field in fields] for row in rows]

    def write() -> None:
        with database.cursor() as cursor:
            cursor.executemany(statement, values)

    return write


def add_images(record: UUID, images: int) -> bool:
    """Count further images to a record that is not removed; False when there is none."""
    database: Any = connections[DEFAULT_DB_ALIAS]
    key: Any = Record._meta.pk
    with database.cursor() as cursor:
        values = [images, key.get_db_prep_value(record, database), Record.Status.REMOVED.value]
        cursor.execute(_counting(database.vendor), values)
        return bool(cursor.rowcount)


@lru_cache
def _insertion(model: type[Model], vendor: str) -> tuple[str, list[Field[Any, Any]]]:
    fields = list(model._meta.concrete_fields)
    quoted = connections[DEFAULT_DB_ALIAS].ops.quote_name
    columns = ", ".join(quoted(field.column) for field in fields)
    places = ", ".join(["%s"] * len(fields))
    return f"INSERT INTO {quoted(model._meta.db_table)} ({columns}) VALUES ({places})", fields  # noqa: S608 - no input


@lru_cache
def _counting(vendor: str) -> str:
    quoted = connections[DEFAULT_DB_ALIAS].ops.quote_name
    table, *columns = map(quoted, (Record._meta.db_table, "images", "id", "status"))
    images, key, status = columns
    return f"UPDATE {table} SET {images} = {images} + %s WHERE {key} = %s AND {status} <> %s"  # noqa: S608 - no input
