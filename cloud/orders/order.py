"""An order as the coordinator keeps it, and what an import may do to the ones already there."""

import hashlib
import re
from collections.abc import Iterable, Mapping
from datetime import date

from wire.manifest import Stop
from wire.model import Instant, StopId, Value

MAX_ORDER_REF = 64
CARRIED = "carried by "
"""How `why_unassigned` begins of an order that another stop has taken over; it counts as cancelled."""
_PLAIN = re.compile(r"^(?!.*__)[A-Za-z0-9_.-]{1,55}$", re.ASCII)
_UNSAFE = re.compile(r"[^A-Za-z0-9.-]+", re.ASCII)


class Order(Value):
    """What a shipper asked for on one day, and which van it was given to."""

    stop_id: StopId
    day: date
    stop: Stop
    van: str | None = None
    position: int | None = None
    why_unassigned: str = ""
    cancelled_at: Instant | None = None

    @property
    def is_cancelled(self) -> bool:
        return self.cancelled_at is not None

    @property
    def carried(self) -> str:
        """Which stop stands for it, in words: one that a van made of its parcel's label. Empty for any other."""
        return self.why_unassigned if self.is_cancelled and self.why_unassigned.startswith(CARRIED) else ""

    @property
    def order_ref(self) -> str:
        return self.stop.order_ref


class ReadRow(Value):
    """A good row of a file; `row` is the line it stands on."""

    row: int
    day: date
    stop: Stop


class BadCell(Value):
    """Why a row is left out (or, in row 1, why a column is)."""

    row: int
    column: str
    problem: str


class Known(Value):
    """An order that is already kept."""

    stop: Stop
    is_cancelled: bool
    is_closed: bool
    is_carried: bool = False
    """A stop that a van made of its label stands for it."""


class ImportPlan(Value):
    """What an import writes: it adds and changes, and never deletes."""

    added: tuple[ReadRow, ...]
    updated: tuple[ReadRow, ...]
    unchanged: int
    problems: tuple[BadCell, ...]


def stop_id_of(day: date, order_ref: str) -> StopId:
    """The one stop id of an order on a day: readable when the reference allows it, else with a piece of its hash.

    A plain reference never holds `__`, so no plain id equals a hashed one.
    """
    head = f"{day:%Y%m%d}-"
    if _PLAIN.fullmatch(order_ref):
        return head + order_ref
    slug = _UNSAFE.sub("-", order_ref).strip("-.")[:24]
    return f"{head}{slug}__{hashlib.sha256(order_ref.encode()).hexdigest()[:16]}"


def plan_import(rows: Iterable[ReadRow], known: Mapping[StopId, Known]) -> ImportPlan:
    """Sorts good rows into new, changed and unchanged; one that can no longer be changed becomes a problem."""
    added: list[ReadRow] = []
    updated: list[ReadRow] = []
    problems: list[BadCell] = []
    unchanged = 0
    for row in rows:
        before = known.get(row.stop.stop_id)
        if before is None:
            added.append(row)
        elif before.stop == row.stop and (before.is_carried or not before.is_cancelled):
            unchanged += 1
        elif before.is_carried:
            why = "is carried by the van that read its label, and cannot be changed any more; take the row out"
            problems.append(BadCell(row=row.row, column="order_ref", problem=f"{row.stop.order_ref} {why}"))
        elif before.is_cancelled:
            why = "was cancelled and stays so; to deliver it after all, give it another order_ref"
            problems.append(BadCell(row=row.row, column="order_ref", problem=f"{row.stop.order_ref} {why}"))
        elif before.is_closed:
            why = "is already done and cannot be changed; take the row out, or give a new visit another order_ref"
            problems.append(BadCell(row=row.row, column="order_ref", problem=f"{row.stop.order_ref} {why}"))
        else:
            updated.append(row)
    return ImportPlan(added=tuple(added), updated=tuple(updated), unchanged=unchanged, problems=tuple(problems))
