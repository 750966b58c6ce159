"""A stop from a label, and what a label adds to a listed one, seen through `decide`; there is no network in it."""

from datetime import timedelta

import pytest

from agent.gps.position import Motion
from agent.pod.labels import Filled, LabelTrouble, Spotted, found_id
from agent.screen.build import Around, cab_view
from agent.trip.decide import decide
from agent.trip.effects import Decision, Replan, Trouble
from agent.trip.inputs import (
    AnyInput,
    ArrivedTapped,
    CodeScanned,
    DeliveredTapped,
    FixJudged,
    LabelRead,
    LabelTaken,
    LoadScanned,
    ManifestArrived,
)
from agent.trip.run import Run, RunStop, StopPhase
from tests.builders import DEPOT, a_manifest, a_place, a_position, a_run, a_stop, a_window, at
from tests.labels import DAY, SSCC, a_label, sscc
from wire.checks import ScanVerdict
from wire.codec import content_hash
from wire.events import BODIES, EventKind
from wire.found import PlacedBy
from wire.handover import Handover, Parcel
from wire.manifest import Address, Amount, EvidenceKind, EvidenceRule, Recipient, Stop
from wire.places import PlaceTrouble

LABEL = a_label(_4309="13115000003513900000")
NOWHERE = a_label(_4309="")
FOUND = found_id(DAY, SSCC)
READ, TAKEN = LabelRead(code=LABEL), LabelTaken(code=SSCC)


def after(run: Run, *inputs: AnyInput, minute: float = 5) -> Decision:
    decision = Decision(run=run)
    for one in inputs:
        decision = decide(decision.run, one, at(minute))
        for said in decision.outgoing:
            BODIES[said.kind].model_validate(said.body)
    return decision


def found(decision: Decision, stop_id: str = FOUND) -> RunStop:
    stop = decision.run.find(stop_id)
    assert stop is not None
    return stop


def kinds(decision: Decision) -> list[EventKind]:
    return [said.kind for said in decision.outgoing]


def test_a_label_on_no_list_becomes_a_stop_with_window_signature_and_leave() -> None:
    seen = after(a_run(2), READ)
    assert seen.outgoing == ()
    assert seen.run.label is not None
    assert seen.run.label.scan.verdict is ScanVerdict.UNKNOWN
    made = after(seen.run, TAKEN)
    stop = found(made).stop
    assert kinds(made) == [EventKind.STOP_FOUND]
    assert stop.windows == (a_window(60, 210),)  # 09:00 to 11:30 on Lisbon's clock, an hour after the builders' morning
    assert stop.proof[EvidenceKind.SIGNATURE] is EvidenceRule.REQUIRED
    assert stop.found is not None
    assert (stop.found.may_leave, stop.found.is_dangerous, stop.found.placed_by) == (True, False, PlacedBy.LABEL)
    assert (stop.address.street, stop.address.number, stop.address.city) == ("Rua das Flores", "12", "Porto")
    assert (stop.recipient.name, stop.recipient.phone) == ("Maria José, Loja das Flores", "+351220000000")
    assert (stop.lat_deg, stop.lon_deg) == (41.15, -8.61)
    assert any(isinstance(effect, Replan) for effect in made.effects)
    assert made.run.label is None


@pytest.mark.parametrize("scan", [CodeScanned(stop_id="s1", code=LABEL), LoadScanned(code=LABEL)])
def test_it_is_offered_wherever_the_label_is_read(scan: AnyInput) -> None:
    seen = after(a_run(2), scan)
    assert seen.run.label is not None
    assert seen.run.label.stop is not None
    assert found(after(seen.run, TAKEN)).is_found


def test_the_same_label_makes_one_stop() -> None:
    made = after(a_run(1), READ, TAKEN)
    again = after(made.run, TAKEN)
    assert (again.refusal, again.outgoing, len(again.run.stops)) == (None, (), 2)
    read = after(made.run, READ)
    assert read.run.label is not None
    assert (read.run.label.scan.verdict, read.run.label.scan.belongs_to) == (ScanVerdict.RIGHT, FOUND)
    assert read.run.label.stop is None


def test_a_tap_without_its_label_is_refused() -> None:
    assert after(a_run(1), READ, LabelTaken(code=sscc(2))).refusal == after(a_run(1), TAKEN).refusal
    refusal = after(a_run(1), TAKEN).refusal
    assert refusal is not None
    assert refusal.trouble is Trouble.LABEL_GONE


@pytest.mark.parametrize(
    ("label", "why"),
    [
        (a_label(_4324="2611240900", _4325="2611241100"), LabelTrouble.NOT_TODAY),
        (
            a_label(**{f"_{name}": "" for name in ("420", "4300", "4301", "4302", "4303", "4309")}),
            LabelTrouble.NO_ADDRESS,
        ),
    ],
)
def test_a_label_of_another_day_or_without_an_address_makes_no_stop(label: str, why: LabelTrouble) -> None:
    seen = after(a_run(1), LabelRead(code=label)).run.label
    assert seen is not None
    assert (seen.stop, seen.why_not) == (None, why)


def test_the_map_says_where_a_label_without_a_place_goes() -> None:
    spotted = Spotted(place=a_place(east_m=700), placed_by=PlacedBy.DOOR)
    stop = found(after(a_run(1), LabelRead(code=NOWHERE, spotted=spotted), TAKEN)).stop
    assert stop.found is not None
    assert (stop.place, stop.found.placed_by) == (a_place(east_m=700), PlacedBy.DOOR)


def test_a_place_on_another_continent_is_not_believed() -> None:
    far = a_label(_4309="05000000001500000000")
    stop = found(after(a_run(1), LabelRead(code=far), TAKEN)).stop
    assert stop.found is not None
    assert stop.found.placed_by is PlacedBy.NOWHERE


def test_a_stop_without_a_place_is_made_all_the_same_goes_last_and_is_never_arrived_at_by_itself() -> None:
    made = after(a_run(0, has_plan=False, motion=Motion.PARKED), LabelRead(code=NOWHERE), TAKEN)
    stop = found(made)
    assert stop.is_skipped
    (view,) = cab_view(made.run, AROUND, at(6)).stops
    assert view.place_trouble is PlaceTrouble.UNPLACED
    run = made.run
    for second in range(120):
        now = at(6) + timedelta(seconds=second)
        position = a_position(DEPOT, fixed_at=now)
        run = decide(run, FixJudged(position=position, motion=Motion.PARKED), now).run
    assert run.stops[0].phase is StopPhase.OPEN  # though the van stands at the depot, whose place stands in
    delivered = decide(run, DeliveredTapped(stop_id=FOUND), at(9))
    assert delivered.refusal is not None  # its signature; the place neither proves nor blocks
    assert delivered.refusal.trouble is Trouble.PROOF_MISSING
    arrived = decide(run, ArrivedTapped(stop_id=FOUND), at(9))
    assert arrived.outgoing[0].body["distance_m"] is None


def test_a_list_that_does_not_know_the_stop_yet_leaves_it_and_one_that_names_it_owns_it() -> None:
    made = after(a_run(2), READ, TAKEN)
    newer = after(made.run, ManifestArrived(manifest=a_manifest(1, version=2)))
    assert found(newer).is_found
    assert found(newer).phase is StopPhase.OPEN
    listed = found(made).stop.model_copy(update={"instruction": "Ring twice"})
    owned = after(newer.run, ManifestArrived(manifest=a_manifest([a_stop(1), listed], version=3)))
    assert (found(owned).is_found, found(owned).stop.instruction) == (False, "Ring twice")
    gone = after(owned.run, ManifestArrived(manifest=a_manifest(1, version=4)))
    assert found(gone).phase is StopPhase.CANCELLED


def test_a_stop_that_the_coordinator_took_off_before_the_van_saw_it_listed_is_taken_off() -> None:
    made = after(a_run(1), READ, TAKEN)
    declined = after(made.run, ManifestArrived(manifest=a_manifest(1, version=2, declined=(FOUND,))))
    assert found(declined).phase is StopPhase.CANCELLED


def test_another_day_begins_without_the_stops_of_the_last() -> None:
    made = after(a_run(1), READ, TAKEN)
    tomorrow = after(made.run, ManifestArrived(manifest=a_manifest(1, day="2026-11-24")))
    assert tomorrow.run.find(FOUND) is None


BARE = a_stop(
    1,
    address=Address(number="12", street="rua das flores"),
    recipient=Recipient(),
    handover=Handover(parcels=(Parcel(code=SSCC),)),
)


def test_a_label_gives_a_listed_stop_what_the_list_does_not_say() -> None:
    filled = after(a_run([BARE, a_stop(2)]), CodeScanned(stop_id="s1", code=LABEL))
    stop = found(filled, "s1").stop
    assert kinds(filled) == [EventKind.STOP_FILLED, EventKind.PARCEL_SCANNED]
    assert stop.windows == (a_window(60, 210),)
    assert (stop.recipient.phone, stop.address.postcode, stop.address.street) == (
        "+351220000000",
        "4050-262",
        "rua das flores",
    )
    assert stop.proof[EvidenceKind.SIGNATURE] is EvidenceRule.REQUIRED
    assert filled.run.label is not None
    assert set(filled.run.label.filled) == {
        Filled.WINDOW, Filled.ADDRESS, Filled.NAME, Filled.PHONE, Filled.SIGNATURE
    }  # fmt: skip
    assert any(isinstance(effect, Replan) for effect in filled.effects)
    again = after(filled.run, CodeScanned(stop_id="s1", code=LABEL))
    assert again.outgoing == ()


def test_a_label_changes_nothing_that_the_list_says() -> None:
    says = BARE.model_copy(
        update={
            "windows": (a_window(300, 360),),
            "address": a_stop(1).address,
            "recipient": Recipient(name="Ana", phone="112"),
            "proof": {EvidenceKind.SIGNATURE: EvidenceRule.OFF},
        }
    )
    scanned = after(a_run([says]), CodeScanned(stop_id="s1", code=LABEL))
    assert found(scanned, "s1").stop == says
    assert kinds(scanned) == [EventKind.PARCEL_SCANNED]


def test_the_list_wins_later_and_what_it_still_lacks_stays() -> None:
    filled = after(a_run([BARE]), CodeScanned(stop_id="s1", code=LABEL))
    newer = BARE.model_copy(update={"windows": (a_window(300, 360),)})
    listed = found(after(filled.run, ManifestArrived(manifest=a_manifest([newer], version=2))), "s1")
    assert listed.stop.windows == (a_window(300, 360),)
    assert listed.stop.recipient.phone == "+351220000000"
    assert listed.listed_as == newer


def test_a_closing_names_the_stop_as_the_list_has_it() -> None:
    unsigned = a_label(_4323="0")
    closed = after(a_run([BARE]), CodeScanned(stop_id="s1", code=unsigned), DeliveredTapped(stop_id="s1"))
    (body,) = (said.body for said in closed.outgoing if said.kind is EventKind.STOP_COMPLETED)
    assert body["listed"] == content_hash(BARE)


def a_door(number: int, name: str = "", **changes: object) -> Stop:
    fields = {"address": a_stop(number).address.model_copy(update={"number": "12"}), "recipient": Recipient(name=name)}
    return a_stop(number, **{**fields, **changes})


def test_a_parcel_without_a_listed_code_is_its_doors_own_when_there_is_one_such_stop() -> None:
    scanned = after(a_run([a_door(1, "Maria José"), a_stop(2)]), LoadScanned(code=LABEL))
    assert scanned.run.load.last_scan is not None
    assert scanned.run.load.last_scan.verdict is ScanVerdict.RIGHT
    assert found(scanned, "s1").stop.handover.parcels[0].code == SSCC


@pytest.mark.parametrize(
    "stops",
    [
        [a_door(1, "Somebody Else")],
        [a_door(1), a_door(2)],  # nobody knows which
        [a_door(1, handover=Handover(parcels=(Parcel(code=sscc(7)),)))],  # it has all its parcels
        [a_door(1, address=Address(number="12", street="Rua das Flores", city="Braga"))],
    ],
)
def test_a_door_in_doubt_gets_no_parcel(stops: list[Stop]) -> None:
    seen = after(a_run(stops), LoadScanned(code=LABEL)).run.label
    assert seen is not None
    assert seen.stop is not None


def test_of_two_stops_at_one_door_the_one_at_hand_is_meant() -> None:
    both = [a_door(1, amount=Amount(parcels=2)), a_door(2)]
    scanned = after(a_run(both), CodeScanned(stop_id="s2", code=LABEL))
    assert found(scanned, "s2").stop.handover.parcels[0].code == SSCC
    assert found(scanned, "s1").stop.handover.parcels == ()


AROUND = Around(van="van-1", clock_rate=1.0, revision=1, route_version=1, waiting=0, oldest_waiting_ms=None)


def test_the_page_gets_what_can_be_made_and_then_the_stop() -> None:
    seen = after(a_run(1), READ)
    view = cab_view(seen.run, AROUND, at(5)).label
    assert view is not None
    assert view.stop is not None
    assert (view.stop.window, view.stop.wants_signature) == (a_window(60, 210), True)
    assert view.stop.found.may_leave is True
    made = after(seen.run, TAKEN)
    stop = cab_view(made.run, AROUND, at(5)).stops[-1]
    assert stop.found is not None
    assert stop.place_trouble is None
