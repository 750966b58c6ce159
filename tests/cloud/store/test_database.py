"""The database: durable, migrated, written by one connection, and plain about what it cannot use."""

from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, insert, select, text

from cloud.errors import StoreError, StoreTooNewError
from cloud.store.database import Database, open_database
from cloud.store.tables import metadata, versions


def add_version(name: str, connection: Connection) -> None:
    connection.execute(insert(versions).values(name=name, version=1))


def names(connection: Connection) -> list[str]:
    return list(connection.execute(select(versions.c.name)).scalars())


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "deep" / "cloud.sqlite"


def test_the_migrated_database_has_the_tables_of_tables_py_and_no_others(database: Database) -> None:
    with database.transaction() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []


def test_a_commit_waits_for_the_disk(database: Database) -> None:
    with database.transaction() as connection:
        assert connection.execute(text("PRAGMA synchronous")).scalar() == 2
        assert connection.execute(text("PRAGMA journal_mode")).scalar() == "wal"
        assert connection.execute(text("PRAGMA foreign_keys")).scalar() == 1


async def test_what_was_written_is_there_after_it_is_opened_again(path: Path) -> None:
    first = open_database(path)
    await first.write(lambda connection: add_version("a", connection))
    first.close()

    again = open_database(path)

    assert await again.read(names) == ["a"]
    again.close()


async def test_a_failed_transaction_leaves_nothing(database: Database) -> None:
    def half(connection: Connection) -> None:
        add_version("half", connection)
        raise ValueError("in the middle")

    with pytest.raises(ValueError, match="middle"):
        await database.write(half)

    assert await database.read(names) == []


async def test_a_reader_cannot_write(database: Database) -> None:
    with pytest.raises(StoreError, match="readonly"):
        await database.read(lambda connection: add_version("a", connection))


async def test_a_slow_reader_does_not_hold_up_a_write_and_sees_one_moment(database: Database) -> None:
    with database.snapshot() as reading:
        assert names(reading) == []
        await database.write(lambda connection: add_version("a", connection))
        assert names(reading) == []

    assert await database.read(names) == ["a"]


async def test_a_full_disk_is_a_store_error_and_the_database_works_again_once_there_is_room(database: Database) -> None:
    def pages(limit: str, connection: Connection) -> None:
        connection.execute(text(f"PRAGMA max_page_count={limit}"))

    with database.transaction() as connection:
        now = connection.execute(text("PRAGMA page_count")).scalar()
    await database.write(lambda connection: pages(str(now), connection))

    def much(connection: Connection) -> None:
        for number in range(1000):
            add_version("x" * 60 + str(number), connection)

    with pytest.raises(StoreError, match="full"):
        await database.write(much)

    await database.write(lambda connection: pages("1073741823", connection))
    await database.write(lambda connection: add_version("a", connection))

    assert await database.read(names) == ["a"]


def test_a_database_of_a_newer_version_is_refused_by_name(path: Path) -> None:
    database = open_database(path)
    with database.transaction() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    database.close()

    with pytest.raises(StoreTooNewError, match="newer Roundsman"):
        open_database(path)


def test_a_file_that_is_no_database_is_refused_by_name(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("not a database, " * 100)

    with pytest.raises(StoreError, match=r"notes\.txt"):
        open_database(path)
