import asyncio
from contextlib import suppress
from datetime import date
from pathlib import Path

from sqlalchemy import Connection

from cloud.identity.seals import SealChecks
from cloud.proof.model import Proof
from cloud.proofwatch import ProofDesk, ProofWatch
from cloud.store.reading import van_news
from cloud.store.records import Changes
from tests.builders import MORNING
from tests.cloud.proof.sealed import a_morning, a_stater, announcement
from tests.cloud.said import FLEET, VAN


class LameDesk(ProofDesk):
    """Cannot look at one stop."""

    def proof(self, connection: Connection, stop_id: str) -> Proof | None:
        if stop_id == "s0":
            raise ValueError("what a van said")
        return super().proof(connection, stop_id)


async def looked(folder: Path, spoil: str | None) -> tuple[int, list[Changes]]:
    """How many altered proofs the van's news counts, and what was told."""
    database = a_morning(folder)
    if spoil is not None:
        with database.transaction() as connection:
            connection.exec_driver_sql(spoil)
    desk = LameDesk(
        fleet=FLEET, timezone="UTC", checks=SealChecks(), stater=a_stater(), authority_pem=announcement()[1]
    )
    told: list[Changes] = []
    watch = ProofWatch(desk, database, lambda: MORNING, told.append)
    watch.note(Changes(stops={"s0", "s1", "s2"}))
    watch.note(Changes(stops={"s1"}))
    work = asyncio.create_task(watch.run())
    while watch.is_busy and not work.done():  # noqa: ASYNC110 - nothing rings when there is nothing to say
        await asyncio.sleep(0.01)
    assert not work.done()
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


async def test_a_stop_that_cannot_be_looked_at_keeps_nobody_from_the_others(tmp_path: Path) -> None:
    spoil = "UPDATE records SET record = replace(record, 'Zoë', 'Zoe') WHERE stop_id = 's2'"
    assert (await looked(tmp_path, spoil))[0] == 2  # both: they stand between each other
