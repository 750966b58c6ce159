"""A power cut at any statement of the coordinator's migrations: all of them or none, and every row is there."""

import shutil
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import Engine, create_engine, event, text

from cloud.store.database import open_database

HEAD = "SELECT version_num FROM alembic_version"


def at_version(path: Path, revision: str) -> None:
    engine = create_engine(f"sqlite:///{path}")
    config = Config()
    config.set_main_option("script_location", "cloud.store:migrations")
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, revision)
        connection.execute(
            text(
                "INSERT INTO records (van, epoch, seq, kind, sha256, record, boot, captured_ms, received_ms) "
                "VALUES ('van-1', '00000000000000aa', 1, 'k', 'x', '{}', 1, 1, 1)"
            )
        )
    engine.dispose()


@pytest.mark.parametrize("begins_at", [None, "0001", "0002", "0003"])
def test_a_cut_before_any_statement_leaves_the_old_database_or_the_new_one(
    tmp_path: Path, begins_at: str | None
) -> None:
    home = tmp_path / "home"
    home.mkdir()
    if begins_at is not None:
        at_version(home / "cloud.db", begins_at)
    cuts: list[Path] = []

    def copy(*_: Any) -> None:
        cuts.append(tmp_path / f"cut-{len(cuts)}")
        shutil.copytree(home, cuts[-1])  # what the disk holds when the power goes now

    event.listen(Engine, "before_cursor_execute", copy)
    try:
        whole = open_database(home / "cloud.db")
    finally:
        event.remove(Engine, "before_cursor_execute", copy)
    with whole.snapshot() as connection:
        newest = connection.execute(text(HEAD)).scalar()
    whole.close()
    assert len(cuts) > 4
    for cut in cuts:
        database = open_database(cut / "cloud.db")
        with database.snapshot() as connection:
            assert connection.execute(text(HEAD)).scalar() == newest
            assert connection.execute(text("PRAGMA integrity_check")).scalar() == "ok"
            count = connection.execute(text("SELECT count(*) FROM records")).scalar()
            assert count == (0 if begins_at is None else 1)
        database.close()
