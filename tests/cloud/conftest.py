"""A real database in a temporary folder."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from cloud.store.database import Database, open_database


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    database = open_database(tmp_path / "cloud.sqlite")
    yield database
    database.close()
