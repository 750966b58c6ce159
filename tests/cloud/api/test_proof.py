"""The doors of a stop's proof: the page of the console, the file, the page for the shipper."""

from pathlib import Path

from cloud.proof.bundle import unpack
from tests.cloud.api.world import a_world
from tests.cloud.proof.sealed import announcement, chain, events, evidence_packets, tell


async def test_a_stops_proof_is_handed_out_as_a_file_and_as_a_page(tmp_path: Path) -> None:
    async with a_world(tmp_path) as world:
        database = world.parts.database
        tell(database, events([announcement()[0]], 1), events(chain(), 2), *evidence_packets("s1", "s2"))
        async with world.client.get("/api/stops/s1/bundle") as response:
            opened = unpack(await response.read())
            assert response.content_type == "application/zip"
        assert opened.troubles == ()
        assert opened.proof is not None
        assert opened.proof.stop_id == "s1"
        async with world.client.get("/api/stops/s1/proof.pdf") as response:
            assert response.content_type == "application/pdf"
            assert (await response.read()).startswith(b"%PDF")


async def test_a_stop_that_nobody_knows_has_neither(tmp_path: Path) -> None:
    async with a_world(tmp_path) as world:
        for door in ("bundle", "proof.pdf"):
            await world.get(f"/api/stops/nobody/{door}", status=404)
