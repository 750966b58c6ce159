"""A power cut at any statement of a migration: the file has taken a step or it has not, and every row is there."""

import shutil
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import pytest

from agent.store import outbox
from agent.store.database import Cell, Database, Row
from agent.store.migrations import STEPS, migrate, take_step
from wire.track import Breadcrumb

CRUMBS = 650
"""More than one row of the trail holds."""


def made_by_the_first_agent(path: Path) -> None:
    with closing(sqlite3.connect(path)) as old:
        old.execute("PRAGMA journal_mode = WAL")
        for statement in STEPS[0]:
            assert isinstance(statement, str)
            old.execute(statement)
        old.execute("INSERT INTO epochs (epoch) VALUES ('00000000000000aa')")
        for seq in range(1, 30):
            row = (1, "events", seq, "{}", 1_700_000_000_000 + seq, None)
            old.execute("INSERT INTO outbox VALUES (?, ?, ?, ?, ?, ?)", row)
        for seq in range(1, CRUMBS + 1):
            crumb = Breadcrumb(wall_ms=seq, lat_deg=41.0, lon_deg=-8.0).model_dump_json()
            old.execute(
                "INSERT INTO outbox VALUES (?, ?, ?, ?, ?, ?)", (1, "track", seq, crumb, 1_700_000_000_000, None)
            )
        old.execute("PRAGMA user_version = 1")
        old.commit()


@pytest.mark.parametrize("begins_empty", [True, False], ids=["a new file", "the first agent's file"])
def test_a_cut_before_any_statement_leaves_whole_steps(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, begins_empty: bool
) -> None:
    home = tmp_path / "home"
    home.mkdir()
    if not begins_empty:
        made_by_the_first_agent(home / "van.sqlite")
    cuts: list[Path] = []
    execute = Database.execute

    def copy_then_execute(database: Database, sql: str, values: Sequence[Cell] = ()) -> list[Row]:
        cuts.append(tmp_path / f"cut-{len(cuts)}")
        shutil.copytree(home, cuts[-1])  # what a card holds when the power goes now
        return execute(database, sql, values)

    with closing(Database(home / "van.sqlite")) as database, monkeypatch.context() as patch:
        patch.setattr(Database, "execute", copy_then_execute)
        migrate(database)
    assert len(cuts) > sum(len(step) for step in STEPS[0 if begins_empty else 1 :])

    whole: dict[int, str] = {}
    for step in range(len(STEPS) + 1):
        with closing(Database(tmp_path / f"step-{step}")) as reference:
            for number in range(step):
                take_step(reference, number)
            whole[step] = str(reference.execute("SELECT type, name, sql FROM sqlite_schema ORDER BY name"))
    for cut in cuts:
        with closing(Database(cut / "van.sqlite")) as database:
            ((version,),) = database.execute("PRAGMA user_version")
            assert isinstance(version, int)
            assert str(database.execute("SELECT type, name, sql FROM sqlite_schema ORDER BY name")) == whole[version]
            migrate(database)
            assert database.execute("PRAGMA user_version") == [(len(STEPS),)]
            assert outbox.count(database, "events") == (0 if begins_empty else 29)
            assert outbox.count(database, "track") == (0 if begins_empty else CRUMBS)
            assert database.execute("PRAGMA integrity_check") == [("ok",)]
