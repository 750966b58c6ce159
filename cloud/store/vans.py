"""What is known of each van as a whole: its newest picture, its presence, counts over its records; and the packets of
it that nobody could read. Works within the caller's transaction.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, bindparam, case, delete, insert, select, update

from cloud.store.database import execute_one
from cloud.store.instants import to_ms
from cloud.store.tables import parked, van_states
from wire.codec import canonical, to_json
from wire.events import Live, ManifestApplied, PlanAccepted, Presence
from wire.model import Message

MAX_PARKED = 200
"""Unreadable packets kept per van: enough to find the fault, too few to fill a disk."""

# Made once: putting a statement together costs as much as running it, and these run for each packet.
_NOTE = update(van_states).where(van_states.c.van == bindparam("of_van"))
_HEARD = update(van_states).where(van_states.c.van == bindparam("of_van")).values(heard_ms=bindparam("heard_ms"))
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


def heard(connection: Connection, van: str, now: datetime) -> None:
    """Something of this van came in now."""
    values = {"heard_ms": to_ms(now)}
    if execute_one(connection, _HEARD, {"of_van": van, **values}).rowcount == 0:
        _note(connection, van, {**values})


def count_plans(connection: Connection, van: str, bodies: Iterable[Message]) -> None:
    """Take the bodies of new records into the van's counts.

    Sums and a maximum: like the stops' fold, the same whatever the order in which records come in. Versions of a van's
    manifests grow over all its days.
    """
    told = tuple(bodies)
    plans = [body for body in told if isinstance(body, PlanAccepted)]
    versions = [body.version for body in told if isinstance(body, ManifestApplied)]
    if not plans and not versions:
        return
    made_offline = sum(plan.was_offline for plan in plans)
    newest = max(versions, default=0)
    connection.execute(_COUNTED, {"which": van, "made": len(plans), "offline": made_offline, "newest": newest})


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
