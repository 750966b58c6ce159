"""Stops that change vans, through every room: the coordinator's API, the lists, two vans' runs, and what they say."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from agent.trip.decide import decide
from agent.trip.inputs import (
    AnyInput,
    ArrivedTapped,
    DeliveredTapped,
    FailedTapped,
    HandedOver,
    LoadConfirmed,
    ManifestArrived,
    UndoTapped,
)
from agent.trip.run import Run
from cloud.api.transferring import Transferring
from cloud.store.manifests import newest_manifest
from tests.builders import MORNING, a_place, at
from tests.cloud.api.world import World, a_world, an_events_packet, some_orders
from wire.codec import canonical
from wire.events import BODIES, FailReason

DAY = MORNING.date()
MEETING = a_place(north_m=2_000)


@dataclass
class Van:
    """A van in memory: it hears lists when it is told to, and is heard when it is told to."""

    name: str
    run: Run = field(default_factory=Run)
    told: list[Any] = field(default_factory=list)
    heard: int = 0

    def lives(self, *inputs: AnyInput, minute: float = 5) -> "Van":
        for one in inputs:
            decision = decide(self.run, one, at(minute))
            assert decision.refusal is None, decision.refusal
            self.run = decision.run
            self.told += decision.outgoing
        return self

    @property
    def open(self) -> set[str]:
        return {stop.stop_id for stop in self.run.open_stops}


@dataclass
class Fleet:
    world: World
    transferring: Transferring
    vans: dict[str, Van]
    first: str
    """A stop of van-1."""

    async def lists_arrive(self, *names: str) -> None:
        for name in names or self.vans:
            read = await self.world.parts.database.read(partial(newest_manifest, van=name, day=DAY))
            if read is not None:
                self.vans[name].lives(ManifestArrived(manifest=read))

    async def said_arrives(self, *names: str) -> None:
        for name in names or self.vans:
            van = self.vans[name]
            fresh = van.told[van.heard :]
            if not fresh:
                continue
            bodies = [(one.kind, BODIES[one.kind].model_validate(one.body)) for one in fresh]
            await self.world.said_by_van(name, an_events_packet(name, van.heard + 1, *bodies))
            van.heard = len(van.told)
            await self.transferring.settle({one.body["stop_id"] for one in fresh if "stop_id" in one.body})

    async def all_is_heard(self) -> None:
        for _ in range(3):
            await self.lists_arrive()
            await self.said_arrives()

    async def row(self, stop_id: str) -> Any:
        picture = await self.world.get("/api/picture")
        return next(stop for stop in picture["stops"] if stop["stop_id"] == stop_id)

    async def move(self, stop_id: str, to_van: str = "van-2", status: int = 200) -> Any:
        return await self.world.post(f"/api/orders/{stop_id}/move", canonical({"to_van": to_van}), status)

    async def meet(self, *stop_ids: str, status: int = 200) -> str:
        """The meeting's id."""
        place = {"lat_deg": MEETING.lat_deg, "lon_deg": MEETING.lon_deg, "place": "Petrol station"}
        asked = {"from_van": "van-1", "to_van": "van-2", "stop_ids": stop_ids, **place}
        await self.world.post("/api/meetings", canonical(asked), status)
        return str((await self.row(stop_ids[0]))["transfer"]["meeting_id"]) if status == 200 else ""

    async def meet_again(self, stop_id: str, from_van: str, to_van: str) -> None:
        asked = {"from_van": from_van, "to_van": to_van, "stop_ids": [stop_id], "lat_deg": 41.15, "lon_deg": -8.6}
        await self.world.post("/api/meetings", canonical(asked))

    async def withdraw(self, stop_id: str, status: int = 200) -> None:
        async with self.world.client.delete(f"/api/orders/{stop_id}/move", headers={"X-Roundsman": "1"}) as response:
            assert response.status == status, await response.text()


@pytest.fixture
async def fleet(tmp_path: Path) -> AsyncIterator[Fleet]:
    async with a_world(tmp_path) as world:
        await world.post("/api/orders/import", some_orders(6))
        await world.post("/api/assign")
        vans = {name: Van(name) for name in ("van-1", "van-2")}
        fleet = Fleet(world, Transferring(world.parts), vans, "")
        await fleet.lists_arrive()
        fleet.first = sorted(vans["van-1"].open)[0]
        await fleet.said_arrives()
        yield fleet


def loaded(van: Van) -> None:
    van.lives(LoadConfirmed(counted=3))


async def not_loaded(fleet: Fleet) -> None:
    """The vans stand at the depot, which they know."""
    from tests.agent.trip.test_transfer import AT_DEPOT  # noqa: PLC0415

    for van in fleet.vans.values():
        van.lives(AT_DEPOT)


async def test_a_stop_whose_goods_are_not_aboard_changes_vans_when_the_first_has_released_it(fleet: Fleet) -> None:
    await not_loaded(fleet)
    one, two = fleet.vans.values()
    await fleet.move(fleet.first)
    row = await fleet.row(fleet.first)
    assert (row["van"], row["transfer"]["to_van"], row["transfer"]["end"]) == ("van-1", "van-2", None)
    await fleet.lists_arrive()
    assert fleet.first not in one.open  # released, and nobody knows yet
    assert fleet.first not in two.open
    await fleet.all_is_heard()
    assert (fleet.first in one.open, fleet.first in two.open) == (False, True)
    row = await fleet.row(fleet.first)
    assert (row["van"], row["transfer"]["end"], row["is_flagged"]) == ("van-2", "moved", False)


async def test_until_the_first_van_is_heard_the_stop_is_its_own(fleet: Fleet) -> None:
    await fleet.move(fleet.first)
    await fleet.lists_arrive("van-2")
    assert fleet.first not in fleet.vans["van-2"].open
    assert fleet.first in fleet.vans["van-1"].open
    assert (await fleet.row(fleet.first))["van"] == "van-1"


async def test_a_stop_that_the_first_van_delivered_meanwhile_stays_delivered_and_the_move_is_dropped(
    fleet: Fleet,
) -> None:
    fleet.vans["van-1"].lives(DeliveredTapped(stop_id=fleet.first))
    await fleet.move(fleet.first)
    await fleet.all_is_heard()
    row = await fleet.row(fleet.first)
    assert (row["status"], row["van"], row["transfer"]["end"]) == ("completed", "van-1", "closed")
    assert not row["is_flagged"]
    assert fleet.first not in fleet.vans["van-2"].open


async def test_a_stop_whose_goods_are_aboard_is_kept_and_the_dispatcher_is_told_why(fleet: Fleet) -> None:
    loaded(fleet.vans["van-1"])
    await fleet.move(fleet.first)
    await fleet.all_is_heard()
    row = await fleet.row(fleet.first)
    assert (row["van"], row["transfer"]["end"], row["transfer"]["why"]) == ("van-1", "kept", "aboard")
    assert fleet.first in fleet.vans["van-1"].open


async def test_a_wish_that_is_taken_back_leaves_the_stop_where_it_is_even_if_it_was_released(fleet: Fleet) -> None:
    await not_loaded(fleet)
    await fleet.move(fleet.first)
    await fleet.lists_arrive("van-1")  # released, and not heard of
    await fleet.withdraw(fleet.first)
    await fleet.all_is_heard()
    assert fleet.first in fleet.vans["van-1"].open
    row = await fleet.row(fleet.first)
    assert (row["van"], row["transfer"]["end"]) == ("van-1", "withdrawn")


async def test_what_cannot_be_moved_is_refused_with_the_reason(fleet: Fleet) -> None:
    assert "already" in (await fleet.move(fleet.first, "van-1", status=409))["message"]
    await fleet.move(fleet.first, "van-9", status=404)
    await fleet.move("nobody", status=404)
    fleet.vans["van-1"].lives(DeliveredTapped(stop_id=fleet.first))
    await fleet.said_arrives()
    await fleet.move(fleet.first, status=409)


async def test_goods_aboard_change_vans_at_a_meeting_without_any_network(fleet: Fleet) -> None:
    one, two = fleet.vans.values()
    loaded(one)
    meeting = await fleet.meet(fleet.first)
    await fleet.lists_arrive()
    assert f"{meeting}-give" in one.open
    assert f"{meeting}-take" in two.open
    assert fleet.first not in one.open | two.open
    one.lives(ArrivedTapped(stop_id=f"{meeting}-give"), HandedOver(stop_id=f"{meeting}-give"))
    two.lives(ArrivedTapped(stop_id=f"{meeting}-take"), HandedOver(stop_id=f"{meeting}-take"))
    assert (fleet.first in one.open, fleet.first in two.open) == (False, True)
    two.lives(DeliveredTapped(stop_id=fleet.first))
    await fleet.all_is_heard()
    row = await fleet.row(fleet.first)
    assert (row["van"], row["status"], row["transfer"]["end"], row["is_flagged"]) == (
        "van-2",
        "completed",
        "moved",
        False,
    )


@pytest.mark.parametrize("first", ["van-1", "van-2"])
async def test_either_side_may_be_heard_first(fleet: Fleet, first: str) -> None:
    one, two = fleet.vans.values()
    loaded(one)
    meeting = await fleet.meet(fleet.first)
    await fleet.lists_arrive()
    one.lives(HandedOver(stop_id=f"{meeting}-give"))
    two.lives(HandedOver(stop_id=f"{meeting}-take"))
    await fleet.said_arrives(first)
    await fleet.lists_arrive()
    row = await fleet.row(fleet.first)
    words = (row["transfer"]["given"], row["transfer"]["taken"])
    assert (row["van"], words) == ("van-2", (True, None) if first == "van-1" else (None, True))
    await fleet.all_is_heard()
    assert (fleet.first in one.open, fleet.first in two.open) == (False, True)
    row = await fleet.row(fleet.first)
    assert (row["transfer"]["end"], row["is_flagged"]) == ("moved", False)


async def test_what_one_gave_and_the_other_did_not_get_needs_a_person(fleet: Fleet) -> None:
    one, two = fleet.vans.values()
    loaded(one)
    second = sorted(one.open)[1]
    meeting = await fleet.meet(fleet.first, second)
    await fleet.lists_arrive()
    one.lives(HandedOver(stop_id=f"{meeting}-give"))
    two.lives(HandedOver(stop_id=f"{meeting}-take", stop_ids=(second,)))
    await fleet.all_is_heard()
    row = await fleet.row(fleet.first)
    assert (row["is_flagged"], row["transfer"]["given"], row["transfer"]["taken"]) == (True, True, False)
    page = await fleet.world.get(f"/api/stops/{fleet.first}")
    assert "were not there" in page["note"]
    assert not (await fleet.row(second))["is_flagged"]
    assert fleet.first not in one.open | two.open


async def test_a_meeting_that_failed_leaves_the_stop_with_the_first_van(fleet: Fleet) -> None:
    one, two = fleet.vans.values()
    loaded(one)
    meeting = await fleet.meet(fleet.first)
    await fleet.lists_arrive()
    one.lives(FailedTapped(stop_id=f"{meeting}-give", reason=FailReason.NOT_HOME))
    await fleet.all_is_heard()
    row = await fleet.row(fleet.first)
    assert (row["van"], row["transfer"]["end"], row["transfer"]["why"]) == ("van-1", "kept", "not_handed")
    assert (fleet.first in one.open, f"{meeting}-take" in two.open) == (True, False)


async def test_a_meeting_taken_back_by_the_dispatcher_frees_the_stops(fleet: Fleet) -> None:
    one, two = fleet.vans.values()
    loaded(one)
    meeting = await fleet.meet(fleet.first)
    await fleet.lists_arrive()
    await fleet.withdraw(fleet.first)
    await fleet.all_is_heard()
    assert fleet.first in one.open
    assert not {f"{meeting}-give", f"{meeting}-take", fleet.first} & two.open


async def test_two_vans_that_met_though_the_meeting_was_taken_back_are_believed(fleet: Fleet) -> None:
    one, two = fleet.vans.values()
    loaded(one)
    meeting = await fleet.meet(fleet.first)
    await fleet.lists_arrive()
    await fleet.withdraw(fleet.first)  # and neither van hears of it
    one.lives(HandedOver(stop_id=f"{meeting}-give"))
    two.lives(HandedOver(stop_id=f"{meeting}-take"))
    await fleet.all_is_heard()
    assert (fleet.first in one.open, fleet.first in two.open) == (False, True)
    row = await fleet.row(fleet.first)
    assert (row["van"], row["transfer"]["end"]) == ("van-2", "moved")


async def test_a_word_taken_back_at_the_meeting_and_given_again_comes_to_the_same(fleet: Fleet) -> None:
    one, two = fleet.vans.values()
    loaded(one)
    meeting = await fleet.meet(fleet.first)
    await fleet.lists_arrive()
    one.lives(HandedOver(stop_id=f"{meeting}-give"))
    await fleet.said_arrives()
    one.lives(UndoTapped(stop_id=f"{meeting}-give"))
    await fleet.all_is_heard()
    assert (await fleet.row(fleet.first))["van"] == "van-1"
    one.lives(HandedOver(stop_id=f"{meeting}-give"))
    two.lives(HandedOver(stop_id=f"{meeting}-take"))
    await fleet.all_is_heard()
    row = await fleet.row(fleet.first)
    assert (row["van"], row["transfer"]["end"]) == ("van-2", "moved")
    assert (fleet.first in one.open, fleet.first in two.open) == (False, True)


async def test_a_meeting_that_was_taken_back_and_then_failed_stays_taken_back(fleet: Fleet) -> None:
    one = fleet.vans["van-1"]
    loaded(one)
    meeting = await fleet.meet(fleet.first)
    await fleet.lists_arrive()
    await fleet.withdraw(fleet.first)  # and the van does not hear of it
    one.lives(FailedTapped(stop_id=f"{meeting}-give", reason=FailReason.NOT_HOME))
    await fleet.all_is_heard()
    assert (await fleet.row(fleet.first))["transfer"]["end"] == "withdrawn"


async def test_a_dispute_is_settled_by_taking_the_wish_back_and_by_moving_it_again(fleet: Fleet) -> None:
    one, two = fleet.vans.values()
    loaded(one)
    second = sorted(one.open)[1]
    meeting = await fleet.meet(fleet.first, second)
    await fleet.lists_arrive()
    one.lives(HandedOver(stop_id=f"{meeting}-give"))
    two.lives(HandedOver(stop_id=f"{meeting}-take", stop_ids=(second,)))
    await fleet.all_is_heard()
    await fleet.withdraw(fleet.first)  # it was in the other van after all ...
    await fleet.all_is_heard()
    assert (fleet.first in one.open, fleet.first in two.open) == (False, True)
    two.lives(LoadConfirmed(counted=3))
    await fleet.meet_again(fleet.first, "van-2", "van-1")  # ... and goes back
    await fleet.all_is_heard()
    again = (await fleet.row(fleet.first))["transfer"]["meeting_id"]
    two.lives(HandedOver(stop_id=f"{again}-give"))
    one.lives(HandedOver(stop_id=f"{again}-take"))
    await fleet.all_is_heard()
    assert (fleet.first in one.open, fleet.first in two.open) == (True, False)


async def test_what_is_between_two_vans_is_not_taken_back(fleet: Fleet) -> None:
    one = fleet.vans["van-1"]
    loaded(one)
    meeting = await fleet.meet(fleet.first)
    await fleet.lists_arrive()
    one.lives(HandedOver(stop_id=f"{meeting}-give"))
    await fleet.said_arrives()
    await fleet.withdraw(fleet.first, status=409)


async def test_an_order_that_is_cancelled_takes_the_meeting_with_it(fleet: Fleet) -> None:
    one, two = fleet.vans.values()
    loaded(one)
    meeting = await fleet.meet(fleet.first)
    await fleet.lists_arrive()
    await fleet.world.post(f"/api/orders/{fleet.first}/cancel")
    await fleet.all_is_heard()
    assert not {f"{meeting}-give", f"{meeting}-take", fleet.first} & (one.open | two.open)


async def test_the_meeting_itself_is_no_order_and_cannot_be_cancelled_as_one(fleet: Fleet) -> None:
    meeting = await fleet.meet(fleet.first)
    await fleet.world.post(f"/api/orders/{meeting}-give/cancel", status=409)
    async with fleet.world.client.get("/api/orders") as response:
        assert meeting not in await response.text()
    await fleet.meet(fleet.first, status=409)
    await fleet.move(fleet.first, status=409)


async def test_said_again_nothing_changes(fleet: Fleet) -> None:
    one, two = fleet.vans.values()
    loaded(one)
    meeting = await fleet.meet(fleet.first)
    await fleet.lists_arrive()
    one.lives(HandedOver(stop_id=f"{meeting}-give"))
    two.lives(HandedOver(stop_id=f"{meeting}-take"))
    await fleet.all_is_heard()
    before = await fleet.world.get("/api/picture")
    await fleet.transferring.settle({fleet.first, f"{meeting}-give"})
    assert await fleet.world.get("/api/picture") == before
