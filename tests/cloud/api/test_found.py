"""Stops that vans made of labels, at a coordinator: the rows of docs/merge.md about them, and what becomes of it."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from agent.pod.labels import found_id, stop_of
from agent.trip.decide import decide
from agent.trip.inputs import AnyInput, DeliveredTapped, LabelRead, LabelTaken, ManifestArrived
from agent.trip.run import Run, StopPhase
from cloud.api.found import FoundStops
from cloud.store import manifests
from cloud.store.orders import find_orders
from cloud.store.records import Changes
from tests.builders import DEPOT, MORNING, a_run, at
from tests.cloud.api.world import World, a_world, an_events_packet, completed
from tests.labels import DAY, SSCC, a_label, sscc
from wire import topics
from wire.events import BODIES, EventKind
from wire.finding import StopFound
from wire.found import PlacedBy
from wire.manifest import EvidenceKind, EvidenceRule, Manifest
from wire.model import Message
from wire.transport import read_transport

FOUND = found_id(DAY, SSCC)
HEADER = "order_ref,name,lat_deg,lon_deg,proof,parcels,parcel_codes"


def order(ref: str, code: str = SSCC, name: str = "Ana Lima") -> bytes:
    return f"{HEADER}\n{ref},{name},41.1520,-8.6100,photo,1,(00){code}=red box\n".encode()


def said(van: str, code: str = SSCC, number: int = 1) -> tuple[topics.Topic, bytes]:
    label = read_transport(a_label(code, _4309="13115000003513900000"), DAY)
    assert label is not None
    zone = MORNING.tzinfo
    assert zone is not None
    stop = stop_of(label, van=van, day=DAY, zone=zone, home=DEPOT, spotted=None)
    return an_events_packet(van, number, (EventKind.STOP_FOUND, StopFound(stop_id=stop.stop_id, code=code, stop=stop)))


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with a_world(tmp_path) as world:
        yield world


async def heard(world: World, van: str = "van-1", code: str = SSCC, number: int = 1) -> None:
    """The van's word, stored and taken in."""
    await world.said_by_van(van, said(van, code, number))
    await take(world, found_id(DAY, code))


async def take(world: World, *stop_ids: str) -> None:
    stops = FoundStops(world.parts, lambda: DAY)
    stops.note(Changes(stops=set(stop_ids)))
    for stop_id in stop_ids:
        await stops._take(stop_id)
    assert not stops.is_busy


async def manifest_of(world: World, van: str) -> Manifest | None:
    return await world.parts.database.read(lambda conn: manifests.newest_manifest(conn, van, DAY))


async def listed(world: World, van: str = "van-1") -> list[str]:
    manifest = await manifest_of(world, van)
    return [] if manifest is None else [stop.stop_id for stop in manifest.stops]


async def owner_of(world: World) -> str:
    """The van that the one order was given to."""
    return "van-1" if await listed(world, "van-1") else "van-2"


async def rows(world: World) -> dict[str, dict[str, object]]:
    found = world.parts.live.picture().stops
    return {row.order_ref: row.model_dump(mode="json") for row in found}


async def test_a_found_stop_is_an_order_of_its_van_and_the_console_says_so(world: World) -> None:
    await heard(world)
    assert await listed(world) == [FOUND]
    row = (await rows(world))[SSCC]
    assert (row["van"], row["found_by"], row["status"], row["is_flagged"]) == ("van-1", "van-1", "planned", False)
    page = await world.get(f"/api/stops/{FOUND}")
    assert [entry["detail"] for entry in page["history"]] == [f"made of the label of {SSCC}"]


async def test_the_same_word_again_changes_nothing(world: World) -> None:
    await heard(world)
    before = await manifest_of(world, "van-1")
    await heard(world)
    await take(world, FOUND)
    assert await manifest_of(world, "van-1") == before
    assert len(await rows(world)) == 1


async def test_what_a_restart_left_undone_is_done_at_the_next_start(world: World) -> None:
    await world.said_by_van("van-1", said("van-1"))  # and the coordinator ended before it made an order of it
    stops = FoundStops(world.parts, lambda: DAY + timedelta(days=1))
    await stops._look_back()
    assert stops.is_busy
    await take(world, FOUND)
    assert await listed(world) == [FOUND]
    again = FoundStops(world.parts, lambda: DAY)
    await again._look_back()
    assert not again.is_busy


async def test_an_open_order_of_no_van_is_carried_by_the_stop_of_its_label(world: World) -> None:
    await world.post("/api/orders/import", order("A1"))
    await heard(world)
    await world.post("/api/assign")
    manifest = await manifest_of(world, "van-1")
    assert manifest is not None
    (stop,) = manifest.stops
    assert (stop.stop_id, stop.order_ref, stop.recipient.name) == (FOUND, "A1", "Ana Lima")
    assert stop.recipient.phone == "+351220000000"  # what only the label says
    assert stop.proof[EvidenceKind.PHOTO] is EvidenceRule.REQUIRED
    assert stop.found is not None
    assert (stop.found.placed_by, stop.lat_deg) == (PlacedBy.LIST, 41.152)
    assert (await world.get("/api/stops/20261123-A1"))["stop"]["status"] == "cancelled"
    assert "carried by van-1" in (await world.get("/api/stops/20261123-A1"))["note"]
    report = await world.post("/api/orders/import", order("A1"))
    assert (report["unchanged"], report["problems"]) == (1, [])


async def test_an_order_of_the_same_van_is_carried_too(world: World) -> None:
    await world.post("/api/orders/import", order("A1"))
    await world.post("/api/assign")
    van = await owner_of(world)
    await heard(world, van)
    assert await listed(world, van) == [FOUND]


async def test_an_order_that_is_imported_later_is_carried_by_the_stop_there_is(world: World) -> None:
    await heard(world)
    await world.post("/api/orders/import", order("A1"))
    await world.post("/api/assign")
    assert await listed(world) == [FOUND]
    assert await listed(world, "van-2") == []
    manifest = await manifest_of(world, "van-1")
    assert manifest is not None
    assert manifest.stops[0].recipient.name == "Ana Lima"


async def test_an_order_on_another_vans_list_stays_there_and_a_person_is_told(world: World) -> None:
    await world.post("/api/orders/import", order("A1"))
    await world.post("/api/assign")
    owner = await owner_of(world)
    finder = "van-2" if owner == "van-1" else "van-1"
    await heard(world, finder)
    assert await listed(world, owner) == ["20261123-A1"]
    assert await listed(world, finder) == [FOUND]
    row = (await rows(world))[SSCC]
    assert row["is_flagged"]
    assert f"order A1 of {owner}" in (await world.get(f"/api/stops/{FOUND}"))["note"]


async def test_an_order_that_is_done_already_is_not_opened_again(world: World) -> None:
    await world.post("/api/orders/import", order("A1"))
    await world.post("/api/assign")
    owner = await owner_of(world)
    await world.said_by_van(owner, an_events_packet(owner, 1, completed("20261123-A1")))
    await heard(world, owner, number=2)
    assert "order A1 is done already" in (await world.get(f"/api/stops/{FOUND}"))["note"]
    assert (await world.get("/api/stops/20261123-A1"))["stop"]["status"] == "completed"


async def test_a_label_that_two_vans_read_is_one_stop_of_the_first(world: World) -> None:
    await heard(world, "van-1")
    await heard(world, "van-2")
    assert (await listed(world, "van-1"), await listed(world, "van-2")) == ([FOUND], [])
    assert "label read by van-2 too" in (await world.get(f"/api/stops/{FOUND}"))["note"]


async def test_another_parcel_of_an_order_that_is_carried_already_is_taken_off_again(world: World) -> None:
    both = f"{HEADER}\nA1,Ana,41.1520,-8.6100,photo,2,(00){SSCC}=red box|(00){sscc(2)}=blue box\n".encode()
    await world.post("/api/orders/import", both)
    await heard(world)
    await heard(world, "van-1", sscc(2), number=2)
    manifest = await manifest_of(world, "van-1")
    assert manifest is not None
    assert [stop.stop_id for stop in manifest.stops] == [FOUND]
    assert manifest.declined == (found_id(DAY, sscc(2)),)


async def test_a_found_stop_that_a_dispatcher_cancels_is_declined_for_its_van(world: World) -> None:
    await heard(world)
    await world.post(f"/api/orders/{FOUND}/cancel")
    manifest = await manifest_of(world, "van-1")
    assert manifest is not None
    assert (manifest.stops, manifest.declined) == ((), (FOUND,))


@pytest.mark.parametrize("stop_id", ["20261123-found__123", "20261399-found__" + SSCC, "x-found__" + SSCC])
async def test_a_stop_whose_name_is_not_made_of_day_and_parcel_makes_no_order(world: World, stop_id: str) -> None:
    label = read_transport(a_label(), DAY)
    assert label is not None
    assert MORNING.tzinfo is not None
    stop = stop_of(label, van="van-1", day=DAY, zone=MORNING.tzinfo, home=DEPOT, spotted=None)
    odd = StopFound(stop_id=stop_id, code=SSCC, stop=stop.model_copy(update={"stop_id": stop_id}))
    await world.said_by_van("van-1", an_events_packet("van-1", 1, (EventKind.STOP_FOUND, odd)))
    await take(world, stop_id)
    assert await world.parts.database.read(lambda conn: find_orders(conn, [stop_id])) == {}


async def test_van_and_coordinator_come_to_the_same_whatever_was_done_meanwhile(world: World) -> None:
    """The whole way: read and delivered offline, an order of the same parcel here, one stop in the end."""
    await world.post("/api/orders/import", order("A1"))
    run: Run = a_run(1)
    packets = []
    unsigned = a_label(_4323="0")
    taps: list[AnyInput] = [LabelRead(code=unsigned), LabelTaken(code=SSCC), DeliveredTapped(stop_id=FOUND)]
    for number, entered in enumerate(taps):
        decision = decide(run, entered, at(5 + number))
        assert decision.refusal is None
        run = decision.run
        packets += [(said.kind, said.body) for said in decision.outgoing]
    bodies = [(kind, _body(kind, body)) for kind, body in packets]
    await world.said_by_van("van-1", an_events_packet("van-1", 1, *bodies))
    await take(world, FOUND)
    page = await world.get(f"/api/stops/{FOUND}")
    assert (page["stop"]["status"], page["stop"]["order_ref"]) == ("completed", "A1")
    proof = await world.parts.database.read(lambda conn: world.parts.proofs.proof(conn, FOUND))
    assert proof is not None
    assert proof.stop is not None
    assert proof.stop.recipient.name == "Maria José, Loja das Flores"  # as the driver had it
    manifest = await manifest_of(world, "van-1")
    assert manifest is not None
    newest = manifest.model_copy(update={"version": 9})
    listed_again = decide(run, ManifestArrived(manifest=newest), at(30)).run.find(FOUND)
    assert listed_again is not None
    assert (listed_again.phase, listed_again.is_found) == (StopPhase.COMPLETED, False)


def _body(kind: EventKind, body: dict[str, object]) -> Message:
    return BODIES[kind].model_validate(body)
