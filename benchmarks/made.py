"""A made day of work: orders for the coordinator, and what vans say while they deliver them."""

import hashlib
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from random import Random
from typing import Any

from cloud.orders.order import stop_id_of
from simulator.orders import make_orders, to_csv
from simulator.town import DEFAULT_CENTRE, make_town
from wire.codec import to_json
from wire.envelope import Record
from wire.events import (
    EventKind,
    Outcome,
    PlanAccepted,
    ProofCaptured,
    ReplanReason,
    StopArrived,
    StopCompleted,
    TimesSource,
)
from wire.manifest import Address, Depot, EvidenceKind, EvidenceRule, Manifest, Recipient, Stop, Window
from wire.model import Message

DEPOT = DEFAULT_CENTRE
PLAN_EVERY = 50
"""One record in so many is a plan; the others are a stop's arrival, proof and delivery in turn."""


def orders(day: date, count: int) -> tuple[str, list[str]]:
    """A CSV of that many orders near the depot, and the stop ids which the coordinator will give them."""
    town = make_town(1)
    some = make_orders(town.addresses, town.depot, seed=1, day=day, vans=1, stops_per_van=min(count, 200))
    made = [replace(some[number % len(some)], order_ref=f"B-{number:05d}") for number in range(count)]
    return to_csv(made), [stop_id_of(day, order.order_ref) for order in made]


def manifest(stops: int, lasts: timedelta) -> Manifest:
    """A van's day with that many stops near the depot, half of them with a window."""
    day = date(2026, 11, 23)
    starts_at = at_eight(day)
    town = make_town(1)
    doors = Random(1).sample(list(town.addresses), stops)  # noqa: S311 - a day, not a key
    return Manifest(
        van="van-1",
        day=day,
        version=1,
        timezone="UTC",
        driver="Inês Duarte",
        start=Depot(lat_deg=town.depot.lat_deg, lon_deg=town.depot.lon_deg),
        end=Depot(lat_deg=town.depot.lat_deg, lon_deg=town.depot.lon_deg),
        shift_starts_at=starts_at,
        shift_ends_at=starts_at + lasts,
        stops=tuple(
            Stop(
                stop_id=f"2026-11-23.B-{number:05d}",
                order_ref=f"B-{number:05d}",
                lat_deg=door.lat_deg,
                lon_deg=door.lon_deg,
                address=Address(number=door.number, street=door.street, postcode="4050-262", city=town.name),
                recipient=Recipient(name="Marta Pires", phone="+351 910 000 000"),
                items=("parcel, blue", "envelope"),
                windows=(Window(opens_at=starts_at, closes_at=starts_at + 2 * lasts),) if number % 2 else (),
                proof={EvidenceKind.SIGNATURE: EvidenceRule.REQUIRED},
            )
            for number, door in enumerate(doors)
        ),
    )


def events(stop_ids: list[str], count: int, at: datetime) -> Iterator[Record]:
    """That many records about these stops, over and over; each says something of its own."""
    dice = Random(count)  # noqa: S311 - a day, not a key
    number = 0
    for turn in range(count):
        if turn % PLAN_EVERY == PLAN_EVERY - 1:
            yield _record(EventKind.PLAN_ACCEPTED, _plan(turn, stop_ids), at, turn)
            continue
        stop_id = stop_ids[(number // 3) % len(stop_ids)]
        yield _record(*_about(stop_id, number, dice), at, turn)
        number += 1


def at_eight(day: date) -> datetime:
    return datetime.combine(day, time(8), UTC)


def _about(stop_id: str, number: int, dice: Random) -> tuple[EventKind, Message]:
    sha256 = hashlib.sha256(f"{stop_id} {number // 3}".encode()).hexdigest()
    lat_deg, lon_deg = round(41.15 + dice.uniform(-0.02, 0.02), 6), round(-8.61 + dice.uniform(-0.02, 0.02), 6)
    distance_m = round(dice.uniform(1, 40), 1)
    if number % 3 == 0:
        return EventKind.STOP_ARRIVED, StopArrived(
            stop_id=stop_id, lat_deg=lat_deg, lon_deg=lon_deg, distance_m=distance_m
        )
    if number % 3 == 1:
        return EventKind.PROOF_CAPTURED, ProofCaptured(
            stop_id=stop_id,
            evidence_kind=EvidenceKind.SIGNATURE,
            sha256=sha256,
            size_bytes=dice.randint(4_000, 12_000),
            media_type="image/png",
            signed_by="Marta Pires",
        )
    return EventKind.STOP_COMPLETED, StopCompleted(
        stop_id=stop_id,
        outcome=Outcome.TO_RECIPIENT,
        received_by="Marta Pires",
        proofs=(hashlib.sha256(f"{stop_id} {(number - 1) // 3}".encode()).hexdigest(),),
        lat_deg=lat_deg,
        lon_deg=lon_deg,
        distance_m=distance_m,
    )


def _plan(turn: int, stop_ids: list[str]) -> PlanAccepted:
    return PlanAccepted(
        plan_version=turn,
        manifest_version=1,
        reason=ReplanReason.LATENESS,
        stop_ids=tuple(stop_ids[:100]),
        moved_stops=3,
        gain_s=41.5,
        times=TimesSource.ROADS,
        was_offline=True,
    )


def _record(kind: EventKind, body: Message, at: datetime, turn: int) -> Record:
    fields: dict[str, Any] = to_json(body)
    return Record(
        kind=kind,
        wall_ms=round(at.timestamp() * 1000) + turn * 1_000,
        wall_source="system",
        mono_ms=turn * 1_000,
        manifest_version=1,
        body=fields,
    )
