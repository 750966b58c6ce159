from datetime import timedelta

import pytest

from agent.gps.position import Motion, Position
from agent.trip.decide import decide
from agent.trip.effects import Outgoing
from agent.trip.inputs import (
    ArrivedTapped,
    CodeScanned,
    DeliveredTapped,
    EvidenceTaken,
    FailedTapped,
    FixJudged,
    HandTap,
    PinTried,
    SkippedTapped,
    StopTap,
)
from agent.trip.run import Run, StopPhase
from tests.builders import MORNING, STOP_PITCH_M, a_place, a_position, a_run, a_stop, evidence
from wire.events import ArrivedBy, EventKind, FailReason, FixQuality
from wire.geo import Place
from wire.handover import Handover, NextStep, Parcel

Told = list[Outgoing]
HERE = STOP_PITCH_M
"""Metres north of the depot of the first stop."""


class World:
    """A van that lives second by second; `told` is all it said."""

    def __init__(self, run: Run | None = None) -> None:
        self.run = run or a_run(3)
        self.told: Told = []
        self.second = 0

    def fix(self, north_m: float, motion: Motion, **changes: object) -> None:
        self.second += 1
        at = MORNING + timedelta(seconds=self.second)
        speed_mps = 10.0 if motion is Motion.MOVING else 0.0
        fields = {"fixed_at": at, "speed_mps": speed_mps, **changes}
        self._take(FixJudged(position=a_position(a_place(north_m), **fields), motion=motion))  # type: ignore[arg-type]

    def silence(self, position: Position | None = None) -> None:
        self.second += 1
        self._take(FixJudged(position=position))

    def drive(self, from_m: float, to_m: float) -> None:
        step_m = 10.0 if to_m > from_m else -10.0
        for metre in range(int(from_m), int(to_m), int(step_m)):
            self.fix(metre, Motion.MOVING)

    def stand(self, north_m: float, seconds: int, **changes: object) -> None:
        for _ in range(seconds):
            self.fix(north_m, Motion.PARKED, **changes)

    def tap(self, tap: StopTap | HandTap) -> None:
        self._take(tap)

    def _take(self, entered: FixJudged | StopTap | HandTap) -> None:
        decision = decide(self.run, entered, MORNING + timedelta(seconds=self.second))
        assert decision.refusal is None
        self.run = decision.run
        self.told += decision.outgoing

    def phase(self, stop_id: str = "s1") -> StopPhase:
        stop = self.run.find(stop_id)
        assert stop is not None
        return stop.phase

    def said(self, kind: EventKind) -> list[dict[str, object]]:
        return [one.body for one in self.told if one.kind is kind]


def arrivals(world: World) -> list[object]:
    return [body["stop_id"] for body in world.said(EventKind.STOP_ARRIVED)]


def departures(world: World) -> list[object]:
    return [body["stop_id"] for body in world.said(EventKind.STOP_DEPARTED)]


def test_a_van_that_stands_near_its_next_stop_has_arrived_since_it_stood_there() -> None:
    world = World()
    world.drive(0, HERE - 40)
    stood_from = world.second + 1
    world.stand(HERE - 40, 20)
    assert arrivals(world) == []
    world.stand(HERE - 40, 1)
    [arrived] = world.said(EventKind.STOP_ARRIVED)
    assert (arrived["by"], arrived["stop_id"]) == ("geofence", "s1")
    assert arrived["distance_m"] == pytest.approx(40, abs=0.5)
    stop = world.run.find("s1")
    assert stop is not None
    assert (stop.phase, stop.arrived_by) == (StopPhase.ARRIVED, ArrivedBy.GEOFENCE)
    assert stop.arrived_at == MORNING + timedelta(seconds=stood_from)


def test_an_arrival_is_counted_once_when_the_fix_jitters_over_the_inner_radius() -> None:
    world = World()
    for second in range(300):
        world.fix(HERE - 60 + (15 if second % 3 else -15), Motion.PARKED)
    assert arrivals(world) == ["s1"]
    assert departures(world) == []


def test_one_fix_far_away_is_no_departure() -> None:
    world = World()
    world.stand(HERE, 30)
    world.fix(HERE + 400, Motion.PARKED)
    world.stand(HERE, 30)
    assert (arrivals(world), departures(world)) == (["s1"], [])


def test_driving_past_or_creeping_by_is_no_arrival() -> None:
    world = World()
    world.drive(0, 2_000)
    assert arrivals(world) == []
    world = World()
    for second in range(100):
        world.fix(HERE - 50 + second, Motion.MOVING if second % 10 == 0 else Motion.HALTED)
    assert arrivals(world) == []


def test_standing_near_another_stop_than_the_next_is_no_arrival() -> None:
    world = World()
    world.stand(2 * STOP_PITCH_M, 300)
    assert arrivals(world) == []


def test_driving_off_gives_the_stop_clock_and_is_told_once() -> None:
    world = World()
    world.stand(HERE, 21)
    world.tap(DeliveredTapped(stop_id="s1"))
    world.stand(HERE, 100)
    world.drive(HERE, HERE + 400)
    [departed] = world.said(EventKind.STOP_DEPARTED)
    assert departed["is_closed"] is True
    assert departed["stood_s"] == pytest.approx(121 + 12, abs=1.5)
    stop = world.run.find("s1")
    assert stop is not None
    assert stop.departed_at is not None
    assert stop.arrived_at is not None
    assert (stop.departed_at - stop.arrived_at).total_seconds() == departed["stood_s"]


def test_a_stop_arrived_at_by_itself_and_left_with_nothing_done_is_open_again() -> None:
    world = World()
    world.stand(HERE, 30)
    assert world.phase() is StopPhase.ARRIVED
    world.drive(HERE, HERE + 400)
    assert world.phase() is StopPhase.OPEN
    assert world.said(EventKind.STOP_DEPARTED)[0]["is_closed"] is False
    world.drive(HERE + 400, HERE)
    world.stand(HERE, 30)
    assert arrivals(world) == ["s1", "s1"]


@pytest.mark.parametrize("confirms", [True, False])
def test_what_the_driver_said_stays_when_the_van_drives_off(confirms: bool) -> None:
    world = World()
    world.stand(HERE, 30 if confirms else 5)
    world.tap(ArrivedTapped(stop_id="s1"))
    world.stand(HERE, 5)
    world.drive(HERE, HERE + 400)
    assert world.phase() is StopPhase.ARRIVED
    assert (arrivals(world), departures(world)) == (["s1"], ["s1"])


def test_evidence_keeps_a_stop_that_the_van_drove_off_from() -> None:
    world = World()
    world.stand(HERE, 30)
    world.tap(EvidenceTaken(stop_id="s1", evidence=evidence()))
    world.drive(HERE, HERE + 400)
    assert world.phase() is StopPhase.ARRIVED


def test_a_code_scanned_keeps_a_stop_that_the_van_drove_off_from() -> None:
    world = World(a_run([a_stop(1, handover=Handover(parcels=(Parcel(code="A-1"),))), a_stop(2)]))
    world.stand(HERE, 30)
    world.tap(CodeScanned(stop_id="s1", code="A-1"))
    world.drive(HERE, HERE + 400)
    assert world.phase() is StopPhase.ARRIVED


def test_a_second_attempt_that_was_a_red_light_is_open_again() -> None:
    later = Handover(on_failure=NextStep.LATER_TODAY, attempts=3, pin_hash="$argon2id$")
    world = World(a_run([a_stop(1, handover=later)]))
    world.stand(HERE, 30)
    world.tap(EvidenceTaken(stop_id="s1", evidence=evidence()))
    world.tap(PinTried(stop_id="s1", is_right=False))
    world.tap(FailedTapped(stop_id="s1", reason=FailReason.NOT_HOME))
    world.drive(HERE, HERE + 400)
    world.drive(HERE + 400, HERE)
    world.stand(HERE, 30)
    assert (arrivals(world), world.phase()) == (["s1", "s1"], StopPhase.ARRIVED)
    world.drive(HERE, HERE + 400)
    assert world.phase() is StopPhase.OPEN


def test_a_tap_first_is_not_followed_by_another_arrival() -> None:
    world = World()
    world.stand(HERE, 5)
    world.tap(ArrivedTapped(stop_id="s1"))
    world.stand(HERE, 100)
    [arrived] = world.said(EventKind.STOP_ARRIVED)
    assert arrived["by"] == "tap"


@pytest.mark.parametrize("tap", [ArrivedTapped(stop_id="s1"), DeliveredTapped(stop_id="s1")], ids=lambda one: one.kind)
def test_a_tap_is_not_undone_by_what_the_van_saw_of_an_earlier_visit(tap: StopTap) -> None:
    world = World()
    world.stand(HERE, 30)
    world.tap(SkippedTapped(stop_id="s1"))
    world.drive(HERE, HERE + 400)
    world.tap(tap)
    stop = world.run.find("s1")
    assert stop is not None
    assert (stop.arrived_by, stop.departed_at) == (None, None)


def test_a_tap_far_from_the_address_is_no_departure_and_counts_from_where_the_van_stood() -> None:
    world = World()
    world.stand(HERE + 300, 5)
    world.tap(ArrivedTapped(stop_id="s1"))
    world.stand(HERE + 300, 100)
    assert departures(world) == []
    world.drive(HERE + 300, HERE + 600)
    assert departures(world) == ["s1"]


def test_a_stop_put_off_is_not_arrived_at_again_before_the_van_has_been_away() -> None:
    world = World(a_run(1))
    world.stand(HERE, 30)
    world.tap(SkippedTapped(stop_id="s1"))
    world.stand(HERE, 200)
    assert (arrivals(world), world.phase()) == (["s1"], StopPhase.OPEN)
    world.drive(HERE, HERE + 400)
    world.drive(HERE + 400, HERE)
    world.stand(HERE, 30)
    assert arrivals(world) == ["s1", "s1"]


def test_two_stops_in_one_street_are_arrived_at_one_after_the_other_from_one_place() -> None:
    near = a_stop(2, **_at(a_place(HERE + 20)))
    world = World(a_run([a_stop(1), near]))
    world.stand(HERE, 30)
    assert arrivals(world) == ["s1"]
    world.tap(DeliveredTapped(stop_id="s1"))
    world.stand(HERE, 30)
    assert arrivals(world) == ["s1", "s2"]
    world.tap(DeliveredTapped(stop_id="s2"))
    world.drive(HERE, HERE + 400)
    assert sorted(map(str, departures(world))) == ["s1", "s2"]


BAD: list[dict[str, object]] = [
    {"quality": FixQuality.STALE},
    {"quality": FixQuality.ESTIMATED},
    {"is_settled": False},
    {"error_m": 80.0},
]


@pytest.mark.parametrize("changes", BAD, ids=str)
def test_no_fix_no_arrival_and_no_departure(changes: dict[str, object]) -> None:
    world = World()
    world.stand(HERE, 100, **changes)
    assert arrivals(world) == []
    world.stand(HERE, 30)
    world.stand(HERE + 1_000, 100, **changes)
    assert (arrivals(world), departures(world)) == (["s1"], [])


def test_silence_tells_nothing() -> None:
    world = World()
    world.stand(HERE, 30)
    for _ in range(600):
        world.silence()
    assert (arrivals(world), departures(world)) == (["s1"], [])


def test_without_a_list_nothing_is_arrived_at() -> None:
    world = World(Run())
    world.stand(HERE, 100)
    assert world.told == []


def _at(place: Place) -> dict[str, float]:
    return {"lat_deg": place.lat_deg, "lon_deg": place.lon_deg}
