import asyncio
from contextlib import suppress
from datetime import date
from pathlib import Path

from cloud.identity.seals import SealChecks
from cloud.proofwatch import ProofDesk, ProofWatch
from cloud.store.reading import van_news
from cloud.store.records import Changes
from tests.builders import MORNING
from tests.cloud.proof.sealed import a_morning, announcement
from tests.cloud.said import FLEET, VAN


async def looked(folder: Path, spoil: str | None) -> tuple[int, list[Changes]]:
    """How many altered proofs the van's news counts, and what was told."""
    database = a_morning(folder)
    if spoil is not None:
        with database.transaction() as connection:
            connection.exec_driver_sql(spoil)
    desk = ProofDesk(fleet=FLEET, timezone="UTC", checks=SealChecks(), authority_pem=announcement()[1])
    told: list[Changes] = []
    watch = ProofWatch(desk, database, lambda: MORNING, told.append)
    watch.note(Changes(stops={"s1", "s2"}))
    watch.note(Changes(stops={"s1"}))
    work = asyncio.create_task(watch.run())
    while watch.is_busy:  # noqa: ASYNC110 - nothing rings when there is nothing to say
        await asyncio.sleep(0.01)
    work.cancel()
    with suppress(asyncio.CancelledError):
        await work
    news = await database.read(lambda connection: van_news(connection, [VAN], date(2026, 11, 23)))
    database.close()
    return news[VAN][0].altered, told


async def test_a_proof_that_holds_is_no_news(tmp_path: Path) -> None:
    assert await looked(tmp_path, None) == (0, [])


async def test_a_proof_that_was_altered_is_an_alarm_of_its_van_and_nothing_is_discarded(tmp_path: Path) -> None:
    spoil = "UPDATE records SET record = replace(record, 'Zoë', 'Zoe') WHERE stop_id = 's1'"
    altered, told = await looked(tmp_path, spoil)
    assert altered == 1
    assert [change.stops for change in told] == [{"s1"}]
