"""Small worlds for tests: one town in a straight line, one morning, stops named s1, s2, s3 ... half a kilometre apart.

Every builder gives something valid; a test names only what it is about.
"""

import hashlib
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import Any

from agent.gps.position import Position
from agent.localroute.battery import Charger, ChargingCurve, Energy
from agent.localroute.explain import lifted_stops
from agent.localroute.problem import Amount, Capacity, Problem, Slot, TimeWindow, Visit
from agent.trip.run import Evidence, Plan, PlanLeg, Proposal, Run, RunStop
from wire.changes import Move, MoveWhy
from wire.codec import content_hash
from wire.events import FixQuality, ReplanReason, TimesSource
from wire.geo import Place, moved
from wire.manifest import (
    Address,
    Closure,
    Command,
    CommandKind,
    Conditions,
    Depot,
    EvidenceKind,
    EvidenceRule,
    Manifest,
    NodePair,
    Recipient,
    Stop,
    Window,
)

MORNING = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
DEPOT = Place(lat_deg=41.15, lon_deg=-8.61)
STOP_PITCH_M = 500.0
LEG_S = 120.0


def minutes(count: float) -> timedelta:
    return timedelta(minutes=count)


def at(minutes_after: float) -> datetime:
    """The instant that many minutes into the morning, which begins at 08:00 UTC."""
    return MORNING + minutes(minutes_after)


def a_place(north_m: float = 0.0, east_m: float = 0.0) -> Place:
    """A place by metres from the depot."""
    return moved(DEPOT, north_m=north_m, east_m=east_m)


def a_window(opens_min: float, closes_min: float, *, is_hard: bool = False) -> Window:
    """A window in minutes after 08:00."""
    return Window(opens_at=at(opens_min), closes_at=at(closes_min), is_hard=is_hard)


def a_stop(number: int = 1, **changes: Any) -> Stop:
    """Stop `s<number>`, that many half kilometres north of the depot, without window or proof."""
    place = a_place(north_m=number * STOP_PITCH_M)
    fields: dict[str, Any] = {
        "stop_id": f"s{number}",
        "order_ref": f"order-{number}",
        "lat_deg": place.lat_deg,
        "lon_deg": place.lon_deg,
        "address": Address(number=str(number), street="Rua das Flores", postcode="4050-262", city="Porto"),
        "recipient": Recipient(name=f"Recipient {number}"),
        "items": ("one box",),
    }
    return Stop(**{**fields, **changes})


def with_proof(*kinds: EvidenceKind) -> dict[EvidenceKind, EvidenceRule]:
    """The `proof` of a stop that requires these kinds."""
    return dict.fromkeys(kinds, EvidenceRule.REQUIRED)


def a_manifest(stops: int | Sequence[Stop] = 3, **changes: Any) -> Manifest:
    """Version 1 for van-1, with that many stops or those given."""
    fields: dict[str, Any] = {
        "van": "van-1",
        "day": date(2026, 11, 23),
        "version": 1,
        "timezone": "Europe/Lisbon",
        "driver": "Inês Duarte",
        "start": Depot(lat_deg=DEPOT.lat_deg, lon_deg=DEPOT.lon_deg),
        "end": Depot(lat_deg=DEPOT.lat_deg, lon_deg=DEPOT.lon_deg),
        "shift_starts_at": MORNING,
        "shift_ends_at": at(9 * 60),
        "stops": tuple(a_stop(number + 1) for number in range(stops)) if isinstance(stops, int) else tuple(stops),
    }
    return Manifest(**{**fields, **changes})


def a_plan(stops: Sequence[Stop], *, made_at: datetime = MORNING, leg_s: float = LEG_S, **changes: Any) -> Plan:
    """A plan that visits `stops` in that order, each leg `leg_s` long, waiting for windows to open."""
    legs = []
    time = made_at
    for stop in stops:
        arrive_at = time + timedelta(seconds=leg_s)
        start_at = max([arrive_at, *(window.opens_at for window in stop.windows[:1])])
        time = start_at + timedelta(seconds=stop.setup_s + stop.service_s)
        late_s = max([0.0, *((arrive_at - window.closes_at).total_seconds() for window in stop.windows[:1])])
        legs.append(
            PlanLeg(
                stop_id=stop.stop_id,
                travel_s=leg_s,
                travel_m=STOP_PITCH_M,
                arrive_at=arrive_at,
                leave_at=time,
                lateness_s=late_s,
            )
        )
    fields: dict[str, Any] = {
        "version": 1,
        "made_at": made_at,
        "start": DEPOT,
        "legs": tuple(legs),
        "home_travel_s": leg_s,
        "home_travel_m": STOP_PITCH_M,
        "reason": ReplanReason.MANIFEST,
        "times": TimesSource.ROADS,
    }
    return Plan(**{**fields, **changes})


def a_run(stops: int | Sequence[Stop] = 3, *, has_plan: bool = True, **changes: Any) -> Run:
    """A run at version 1 whose manifest is applied and, unless told otherwise, planned in the manifest's order."""
    manifest = a_manifest(stops)
    fields: dict[str, Any] = {
        "version": 1,
        "manifest": manifest,
        "manifest_hash": content_hash(manifest),
        "stops": tuple(RunStop(stop=stop) for stop in manifest.stops),
        "plan": a_plan(manifest.stops) if has_plan else None,
    }
    return Run(**{**fields, **changes})


def a_position(
    place: Place = DEPOT, *, fixed_at: datetime = MORNING, speed_mps: float = 0.0, **changes: Any
) -> Position:
    """A good position; standing still unless told otherwise."""
    fields: dict[str, Any] = {
        "lat_deg": place.lat_deg,
        "lon_deg": place.lon_deg,
        "fixed_at": fixed_at,
        "quality": FixQuality.FIX_3D,
        "error_m": 4.0,
        "speed_mps": speed_mps,
    }
    return Position(**{**fields, **changes})


def evidence(kind: EvidenceKind = EvidenceKind.SIGNATURE, *, taken_at: datetime = MORNING, text: str = "") -> Evidence:
    """One piece of evidence; `text` makes its hash different from another's."""
    return Evidence(
        kind=kind,
        sha256=hashlib.sha256(f"{kind} {text}".encode()).hexdigest(),
        size_bytes=2_000,
        media_type="image/png" if kind is EvidenceKind.SIGNATURE else "image/jpeg",
        taken_at=taken_at,
    )


def a_command(kind: CommandKind = CommandKind.REPLAN, **changes: Any) -> Command:
    fields: dict[str, Any] = {"command_id": "c1", "kind": kind, "issued_at": MORNING, "expires_at": at(10)}
    return Command(**{**fields, **changes})


def a_closure(closure_id: str = "bridge", **changes: Any) -> Closure:
    """A closure of one piece of road for the whole day."""
    fields: dict[str, Any] = {
        "closure_id": closure_id,
        "pairs": (NodePair(from_node=1, to_node=2),),
        "valid_from": MORNING,
        "valid_until": at(9 * 60),
    }
    return Closure(**{**fields, **changes})


def a_conditions(*closures: Closure, version: int = 1) -> Conditions:
    return Conditions(version=version, issued_at=MORNING, closures=closures)


def a_problem(count: int = 4, *, seed: int = 0, warm: int | None = None, **changes: Any) -> Problem:
    """`count` visits s1.. scattered over a town of 6 x 6 km, half with windows; the first `warm` are ordered."""
    dice = Random(seed)
    points = [(dice.uniform(0, 6000), dice.uniform(0, 6000)) for _ in range(count + 2)]
    # Streets at right angles and a one-way system: no leg is as long as its way back.
    metres = tuple(tuple((abs(a[0] - b[0]) + abs(a[1] - b[1])) * dice.uniform(1, 1.2) for b in points) for a in points)
    visits = []
    for number in range(1, count + 1):
        windows: tuple[TimeWindow, ...] = ()
        if dice.random() < 0.5:
            opens_s = dice.uniform(0, 300.0 * count)
            windows = (TimeWindow(opens_s=opens_s, closes_s=opens_s + 1800, is_hard=dice.random() < 0.3),)
        visits.append(Visit(stop_id=f"s{number}", windows=windows, setup_s=60, service_s=120))
    fields: dict[str, Any] = {
        "visits": tuple(visits),
        "travel_s": tuple(tuple(leg / 8 for leg in row) for row in metres),
        "travel_m": metres,
        "warm_order": tuple(visit.stop_id for visit in visits[:warm]),
    }
    return Problem(**{**fields, **changes})


def with_rules(problem: Problem, seed: int) -> Problem:
    """The problem with rules that agree: some visits put off, some locked, perhaps one first."""
    dice = Random(seed)
    put_off = {visit.stop_id for visit in problem.visits if dice.random() < 0.2}
    order = [visit.stop_id for visit in problem.visits]
    dice.shuffle(order)
    order.sort(key=lambda stop_id: stop_id in put_off)
    locked = {stop_id: place for place, stop_id in enumerate(order) if dice.random() < 0.2}
    first = order[0] if order and dice.random() < 0.5 else None
    visits = tuple(
        visit.model_copy(update={"is_last": visit.stop_id in put_off, "locked_at": locked.get(visit.stop_id)})
        for visit in problem.visits
    )
    return Problem.model_validate({**dict(problem), "visits": visits, "first": first})


def shuffled(problem: Problem, seed: int) -> Problem:
    """The same problem with its visits, and so its matrix, in another order."""
    count = len(problem.visits)
    nodes = [0, *Random(seed).sample(range(1, count + 1), count), count + 1]
    return problem.model_copy(
        update={
            "visits": tuple(problem.visits[node - 1] for node in nodes[1:-1]),
            "travel_s": tuple(tuple(problem.travel_s[i][j] for j in nodes) for i in nodes),
            "travel_m": tuple(tuple(problem.travel_m[i][j] for j in nodes) for i in nodes),
        }
    )


def electrified(problem: Problem, seed: int, levels: int = 8) -> Problem:
    """The same day for an electric van with two chargers, whose charge lasts for a part of it or for all.

    No detour by a charger is quicker than the way itself; one may use less.
    """
    dice = Random(f"electric {seed}")
    nodes = len(problem.visits) + 2
    count = nodes + 2
    legs: list[list[float]] = [
        [dice.uniform(100, 900) if here != there else 0.0 for there in range(count)] for here in range(count)
    ]
    for here, told in enumerate(problem.travel_s):
        for there, known_s in enumerate(told):
            legs[here][there] = float("inf") if known_s is None else known_s
    for via in (nodes, nodes + 1, nodes):
        for row in legs:
            for there, leg_s in enumerate(legs[via]):
                row[there] = min(row[there], row[via] + leg_s)
    use = tuple(tuple(0.002 * min(leg_s, 900) * dice.uniform(0.8, 1.2) for leg_s in row) for row in legs)
    is_loaded = not any(visit.load.kg for visit in problem.visits) and dice.random() < 0.5
    day_kwh = 0.6 * nodes
    curve = ((0.0, 0.0), (0.7 * day_kwh, 300.0 * day_kwh), (day_kwh, 900.0 * day_kwh))
    energy = Energy(
        charge_kwh=dice.uniform(0.2, 1.2) * day_kwh,
        charge_sd_kwh=dice.choice((0.0, 0.02)) * day_kwh,
        reserve_kwh=dice.choice((0.0, 0.1)) * day_kwh,
        levels_kwh=tuple(day_kwh * (level + 1) / levels for level in range(levels)),
        chargers=tuple(
            Charger(charger_id=name, setup_s=dice.choice((0.0, 120.0)), curve=ChargingCurve(points=curve))
            for name in ("c1", "c2")
        ),
        use_kwh=use,
        use_kwh_per_kg=tuple(tuple(kwh / 5000 for kwh in row) for row in use) if is_loaded else (),
        standing_kwh=tuple(dice.uniform(0, 0.1) for _ in problem.visits),
        common_sd_share=dice.choice((0.0, 0.1)),
        leg_sd_share=dice.choice((0.0, 0.2)),
        charge_cost_per_s=max(problem.wait_cost_per_s, dice.choice((0.5, 1.0))),
    )
    fields = {name: getattr(problem, name) for name in Problem.model_fields}
    fields["travel_s"] = tuple(tuple(leg_s if leg_s < float("inf") else None for leg_s in row) for row in legs)
    fields["travel_m"] = tuple(
        tuple(None if leg_s is None else 8 * leg_s for leg_s in row) for row in fields["travel_s"]
    )
    return Problem(**{**fields, "energy": energy})


def a_whole_problem(count: int, seed: int) -> Problem:
    """A small day with everything a problem can have, each with a chance: breaks, pairs, groups, loads, slots, ..."""
    dice = Random(seed)

    def has(chance: float) -> bool:
        return dice.random() < chance

    def window(length_s: float) -> TimeWindow:
        opens_s = dice.uniform(-1200, 400.0 * count)
        return TimeWindow(opens_s=opens_s, closes_s=opens_s + dice.uniform(0, length_s), is_hard=has(0.3))

    points = [(dice.uniform(0, 6000), dice.uniform(0, 6000)) for _ in range(count + 2)]
    metres = [
        [(abs(a[0] - b[0]) + abs(a[1] - b[1])) * dice.uniform(1, 1.5) if not has(0.02) else None for b in points]
        for a in points
    ]
    has_groups, has_loads, has_optional = has(0.3), has(0.4), has(0.3)
    names = [f"s{number}" for number in range(1, count + 1)]
    dice.shuffle(names)
    visits: list[Visit] = []
    pickups: list[str] = []
    for name in names:
        fields: dict[str, Any] = {"stop_id": name, "setup_s": dice.choice((0, 60)), "service_s": dice.uniform(0, 300)}
        fields["windows"] = tuple(window(3600) for _ in range(dice.choice((0, 0, 1, 1, 1, 2, 3))))
        fields["is_anywhere"] = has(0.08)
        fields["priority"] = dice.choice((1.0, 1.0, 3.0))
        if has(0.2):
            promised_s = dice.uniform(0, 400.0 * count)
            fields["promise"] = (promised_s, promised_s + 900)
        if has_groups and has(0.5):
            fields["group"] = dice.choice(("north", "south"))
        if has_loads:
            fields["load"] = Amount(kg=dice.uniform(-30, 30), parcels=dice.randint(-3, 3))
        if pickups and has(0.5):
            fields["pickup"] = pickups.pop()
        elif has(0.2):
            pickups.append(name)
        if has_optional and has(0.4) and "pickup" not in fields and name not in pickups:
            fields["skip_cost_s"] = dice.uniform(0, 1500)
        visits.append(Visit(**fields))
    dice.shuffle(visits)
    warm = dice.sample(names, dice.randint(0, count))
    return Problem(
        visits=tuple(visits),
        travel_s=tuple(tuple(None if leg is None else leg / 8 for leg in row) for row in metres),
        travel_m=tuple(map(tuple, metres)),
        warm_order=tuple(warm),
        shift_end_s=dice.uniform(0, 500.0 * count) if has(0.5) else None,
        wait_cost_per_s=dice.choice((0.0, 0.5, 1.0)),
        moved_stop_cost_s=dice.choice((0.0, 30.0, 300.0)),
        moved_promise_cost_s=dice.choice((60.0, 600.0)),
        aboard=Amount(kg=50, parcels=5) if has_loads else Amount(),
        capacity=Capacity(kg=80, parcels=8) if has_loads else Capacity(),
        slots=(Slot(from_s=300, factor=1.6), Slot(from_s=1500, factor=0.9)) if has(0.3) else (),
        ends_anywhere=has(0.2),
    )


def a_proposal(
    numbers: Sequence[int], *, beside: Run, worth_s: float = 400.0, saves: Sequence[str] = (), **changes: Any
) -> Proposal:
    """A better order of the run's open stops, by number; it saves the windows named."""
    stop_of = {stop.stop_id: stop.stop for stop in beside.stops}
    own = [stop.stop_id for stop in beside.open_stops]
    order = [f"s{number}" for number in numbers]
    lifted = lifted_stops(own, order)
    moves = tuple(
        Move(stop_id=stop_id, places=order.index(stop_id) - own.index(stop_id), why=MoveWhy.NEARER, saves_s=60)
        for stop_id in lifted
    )
    plan = a_plan([stop_of[stop_id] for stop_id in order], made_at=at(2), moved_stops=lifted, moves=moves, gain_s=240.0)
    fields: dict[str, Any] = {"plan": plan, "worth_s": worth_s, "late_before": tuple(saves)}
    return Proposal(**{**fields, **changes})
