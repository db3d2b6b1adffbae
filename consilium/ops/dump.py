"""The database into files and back: SQLite by its online backup, PostgreSQL by COPY in one snapshot.

No client program of the database is needed, and the server keeps serving meanwhile.
"""

import json
import os
import sqlite3
from pathlib import Path
from typing import Any

from consilium.ops.command import Problem

SQLITE_FILE = "consilium.sqlite3"
TABLES_FILE = "tables.json"


def save(folder: Path) -> dict[str, Any]:
    """Write the database into `folder`; returns facts for the manifest (vendor, migrations, rows per table)."""
    from django.db import connection

    folder.mkdir(mode=0o700, parents=True)
    facts = {"vendor": connection.vendor, "migrations": applied(), "rows": {}}
    if connection.vendor == "sqlite":
        facts["rows"] = _save_sqlite(Path(connection.settings_dict["NAME"]), folder / SQLITE_FILE)
    else:
        facts["rows"] = _save_postgresql(folder)
    return facts


def load(folder: Path, facts: dict[str, Any]) -> None:
    """Fill the empty database from `folder` and check the number of rows of every table."""
    from django.db import connection

    if facts["vendor"] != connection.vendor:
        raise Problem(
            f"This backup was made with {facts['vendor']}, but DATABASE_URL names {connection.vendor}: "
            "restore onto the same kind of database."
        )
    if connection.vendor == "sqlite":
        _load_sqlite(folder / SQLITE_FILE, Path(connection.settings_dict["NAME"]))
    else:
        _load_postgresql(folder, facts)
    counted = count_rows()
    for table, rows in facts["rows"].items():
        if counted.get(table) != rows:
            raise Problem(f"The table {table} has {counted.get(table)} rows instead of {rows} after the restore.")


def applied() -> list[str]:
    """Applied migrations, e.g. "core.0001_jobs"."""
    from django.db import connections
    from django.db.migrations.recorder import MigrationRecorder

    recorder = MigrationRecorder(connections["default"])
    return sorted(f"{app}.{name}" for app, name in recorder.applied_migrations())


def is_empty() -> bool:
    """Whether the database has no table at all (a missing SQLite file is empty and stays missing)."""
    from django.db import connection

    if connection.vendor == "sqlite" and not Path(connection.settings_dict["NAME"]).exists():
        return True
    empty = not connection.introspection.table_names()
    connection.close()
    return empty


def count_rows() -> dict[str, int]:
    from django.db import connection

    counted = {}
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names():
            cursor.execute(f"SELECT count(*) FROM {connection.ops.quote_name(table)}")  # noqa: S608 - from the catalogue
            ((counted[table],),) = cursor.fetchall()
    return counted


def _save_sqlite(source: Path, target: Path) -> dict[str, int]:
    os.close(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    with sqlite3.connect(f"file:{source}?mode=ro", uri=True) as reading, sqlite3.connect(target) as writing:
        reading.backup(writing)
        writing.execute("PRAGMA journal_mode=DELETE")
        tables = [row[0] for row in writing.execute("SELECT name FROM sqlite_master WHERE type='table'")]
        names = [name for name in tables if not name.startswith("sqlite_")]
        rows = {
            name: writing.execute(f'SELECT count(*) FROM "{name}"').fetchone()[0]  # noqa: S608 - from the catalogue
            for name in names
        }
    reading.close()
    writing.close()
    return rows


def check_sqlite(path: Path) -> str:
    """SQLite's own word on the file: "ok", or what is broken."""
    checking = sqlite3.connect(f"file:{path}?mode=ro&immutable=1", uri=True)
    try:
        return str(checking.execute("PRAGMA integrity_check").fetchone()[0])
    except sqlite3.DatabaseError as error:
        return type(error).__name__
    finally:
        checking.close()


def _load_sqlite(source: Path, target: Path) -> None:
    from consilium.ops.manifest import copy_file

    copy_file(source, target)


def _save_postgresql(folder: Path) -> dict[str, int]:
    import psycopg
    from django.db import connection
    from psycopg.sql import SQL, Identifier

    rows: dict[str, int] = {}
    columns: dict[str, list[str]] = {}
    # A connection of its own: one read-only snapshot for all tables.
    with psycopg.connect(**_parameters()) as snapshot:
        snapshot.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        snapshot.read_only = True
        for table in sorted(connection.introspection.table_names()):
            name = Identifier(table)
            described = snapshot.execute(SQL("SELECT * FROM {} LIMIT 0").format(name)).description
            columns[table] = [column.name for column in described or []]
            counted = snapshot.execute(SQL("SELECT count(*) FROM {}").format(name)).fetchone()
            rows[table] = counted[0] if counted else 0
            command = SQL("COPY {} TO STDOUT (FORMAT binary)").format(name)
            with (folder / f"{table}.copy").open("wb") as file, snapshot.cursor().copy(command) as copy:
                for block in copy:
                    file.write(block)
    (folder / TABLES_FILE).write_text(json.dumps(columns, indent=1))
    return rows


def _load_postgresql(folder: Path, facts: dict[str, Any]) -> None:
    from django.core.management import call_command
    from django.db import connection

    call_command("migrate", interactive=False, verbosity=0)
    if applied() != facts["migrations"]:
        raise Problem("This backup belongs to another version: install that one, restore, then upgrade and migrate.")
    columns: dict[str, list[str]] = json.loads((folder / TABLES_FILE).read_text())
    connection.close()
    _copy_tables(folder, columns)


def _copy_tables(folder: Path, columns: dict[str, list[str]]) -> None:
    """All tables in one transaction; foreign keys are deferred, so their order does not matter."""
    import psycopg
    from psycopg.sql import SQL, Identifier

    with psycopg.connect(**_parameters()) as database:
        database.execute("SET CONSTRAINTS ALL DEFERRED")
        database.execute(SQL("TRUNCATE {}").format(SQL(", ").join(map(Identifier, columns))))
        for table, names in columns.items():
            listed = SQL(", ").join(map(Identifier, names))
            command = SQL("COPY {} ({}) FROM STDIN (FORMAT binary)").format(Identifier(table), listed)
            with (folder / f"{table}.copy").open("rb") as file, database.cursor().copy(command) as copy:
                while block := file.read(1 << 20):
                    copy.write(block)
        database.execute("SET CONSTRAINTS ALL IMMEDIATE")
        for table, names in columns.items():
            for name in names:
                _restart_sequence(database, table, name)


def _restart_sequence(database: Any, table: str, column: str) -> None:
    from psycopg.sql import SQL, Identifier

    found = database.execute("SELECT pg_get_serial_sequence(%s, %s)", [f'"{table}"', column]).fetchone()[0]
    if found:
        highest = SQL("SELECT setval(%s, coalesce(max({}), 0) + 1, false) FROM {}")
        database.execute(highest.format(Identifier(column), Identifier(table)), [found])


def _parameters() -> dict[str, Any]:
    from django.db import connection

    given = connection.get_connection_params()
    kept = ("dbname", "user", "password", "host", "port", "sslmode")
    return {name: given[name] for name in kept if given.get(name)}
