"""One secured coordinator for all files that need one: it takes seconds to start."""

from collections.abc import Iterator

import pytest

from tests.system.secured import Coordinator


@pytest.fixture(scope="session")
def coordinator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Coordinator]:
    coordinator = Coordinator(tmp_path_factory.mktemp("coordinator"))
    try:
        coordinator.start()
        yield coordinator
    finally:
        coordinator.stop()
