"""What is known of each van as a whole: its newest picture, its presence, counts over its records; and the packets of
it that nobody could read. Works within the caller's transaction.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, case, delete, insert, select, text, update

from cloud.store.database import execute_many, execute_one
from cloud.store.instants import to_ms
from cloud.store.tables import parked, van_states
from wire.codec import canonical, to_json
from wire.events import EventKind, Live, ManifestApplied, PlanAccepted, Presence
from wire.model import Message

MAX_PARKED = 200
"""Unreadable packets kept per van: enough to find the fault, too few to fill a disk."""

# Made once: putting a statement together costs as much as running it, and these run for each packet.
_NOTE = update(van_states).where(van_states.c.van == bindparam("of_van"))
_HEARD = text(
    "INSERT INTO van_states (van, applied_manifest_version, plans_made, plans_made_offline, heard_ms) "
    "VALUES (:van, 0, 0, 0, :heard_ms) ON CONFLICT (van) DO UPDATE SET heard_ms = excluded.heard_ms"
)
_COUNTED = (
    update(van_states)
    .where(van_states.c.van == bindparam("which"))
    .values(
        plans_made=van_states.c.plans_made + bindparam("made"),
        plans_made_offline=van_states.c.plans_made_offline + bindparam("offline"),
        applied_manifest_version=case(
            (van_states.c.applied_manifest_version < bindparam("newest"), bindparam("newest")),
            else_=van_states.c.applied_manifest_version,
        ),
    )
)

COUNTED: Mapping[str, type[Message]] = {
    EventKind.PLAN_ACCEPTED: PlanAccepted,
    EventKind.MANIFEST_APPLIED: ManifestApplied,
}
"""The kinds of records that a van's counts are made of."""


@dataclass(frozen=True)
class Unreadable:
    """A packet, by the name of its topic, and why nobody can read it."""

    topic: str
    payload: bytes
    why: str


def apply_live(connection: Connection, live: Live, now: datetime) -> None:
    """The newest picture replaces the one before it."""
    _note(connection, live.van, {"heard_ms": to_ms(now), "live": _text(live)})


def apply_presence(connection: Connection, presence: Presence, now: datetime, *, is_retained: bool) -> None:
    """Online or not, as the broker last heard. Only a van that speaks now is heard now; a will, or a word that the
    broker kept from before, is not.
    """
    is_here = presence.is_online and not is_retained
    _note(connection, presence.van, {"presence": _text(presence), **({"heard_ms": to_ms(now)} if is_here else {})})


def heard(connection: Connection, vans: Iterable[str], now: datetime) -> None:
    """Something of these vans came in now. Makes the row of a van of which it is the first."""
    execute_many(connection, _HEARD, [{"van": van, "heard_ms": to_ms(now)} for van in sorted(vans)])


def count_plans(connection: Connection, van: str, told: Iterable[tuple[str, Mapping[str, Any] | None]]) -> None:
    """Take new records of COUNTED kinds (kind, body) into the counts of a van that was heard.

    Sums and a maximum: like the stops' fold, the same whatever the order in which records come in. Versions of a van's
    manifests grow over all its days.
    """
    bodies = [COUNTED[kind].model_validate(body) for kind, body in told if body is not None]
    plans = [body for body in bodies if isinstance(body, PlanAccepted)]
    versions = [body.version for body in bodies if isinstance(body, ManifestApplied)]
    if not plans and not versions:
        return
    offline = sum(plan.was_offline for plan in plans)
    counts = {"which": van, "made": len(plans), "offline": offline, "newest": max(versions, default=0)}
    execute_one(connection, _COUNTED, counts)


def park(connection: Connection, van: str, packet: Unreadable, now: datetime) -> None:
    """Keep a packet nobody can read, once, beside the reason; only the newest MAX_PARKED of a van are kept."""
    mine = parked.c.van == van
    if connection.execute(select(parked.c.parked_id).where(mine, parked.c.packet == packet.payload).limit(1)).first():
        return
    connection.execute(
        insert(parked).values(
            van=van, topic=packet.topic, packet=packet.payload, why=packet.why, received_ms=to_ms(now)
        )
    )
    oldest = connection.execute(
        select(parked.c.parked_id).where(mine).order_by(parked.c.parked_id.desc()).offset(MAX_PARKED).limit(1)
    ).scalar()
    if oldest is not None:
        connection.execute(delete(parked).where(mine, parked.c.parked_id <= oldest))


def _note(connection: Connection, van: str, values: dict[str, int | str]) -> None:
    """Sets columns of a van's row, which is made when it is the first we know of the van."""
    if connection.execute(_NOTE, {"of_van": van, **values}).rowcount == 0:
        connection.execute(insert(van_states).values(van=van, **values))


def _text(message: Message) -> str:
    return canonical(to_json(message)).decode()
