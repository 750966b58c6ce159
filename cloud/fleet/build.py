"""Orders, what became of them and what the vans say, put together as the console shows it. Pure; `now` is given."""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Protocol

from cloud.fleet.custody import custody_of
from cloud.fleet.fold import StopState
from cloud.fleet.news import InForce, VanNews
from cloud.fleet.timing import expected, freshness, lived, window_at, worst
from cloud.fleet.transfer import Transfer, transfer_view
from cloud.fleet.view import (
    ClosureView,
    Punctuality,
    StopRow,
    StopStatus,
    VanPosition,
    VanView,
)
from wire.events import Eta, LivePosition
from wire.manifest import Closure, Stop
from wire.model import Instant, Sha256

DONE = frozenset({StopStatus.COMPLETED, StopStatus.FAILED})
RECORDS_DIFFER = "records differ"
PROOF_ALTERED = "proof altered"
OPEN = frozenset({StopStatus.PLANNED, StopStatus.ARRIVED})


class Job(Protocol):
    """An order, as much of it as a row shows."""

    @property
    def stop(self) -> Stop: ...
    @property
    def van(self) -> str | None: ...
    @property
    def position(self) -> int | None: ...
    @property
    def why_unassigned(self) -> str: ...
    @property
    def cancelled_at(self) -> Instant | None: ...
    @property
    def carried(self) -> str: ...


def status_of(job: Job, state: StopState) -> StopStatus:
    """What the vans made of the stop; where they made nothing of it, what the coordinator decided."""
    if state.status in DONE:
        return state.status
    if job.cancelled_at is not None:
        return StopStatus.CANCELLED
    if state.status is StopStatus.PLANNED and job.van is None:
        return StopStatus.UNASSIGNED
    return state.status


def stop_row(
    job: Job,
    state: StopState,
    eta: Eta | None,
    whole: Collection[Sha256],
    now: datetime,
    *,
    transfer: Transfer | None = None,
) -> StopRow:
    """One stop in lists and on the map. `whole`: the evidence that is here to the last byte."""
    status = status_of(job, state)
    closing, arrival = state.closing, state.arrival
    closed_at = None if closing is None else closing.origin.captured_at or closing.origin.received_at
    arrived_at = None if arrival is None else arrival.origin.captured_at or arrival.origin.received_at
    open_eta = eta if status in OPEN else None
    if status in DONE or status is StopStatus.ARRIVED:
        was_there_at = arrived_at or closed_at
        window = window_at(job.stop, was_there_at or now)
        word, minutes = lived(window, was_there_at)
    else:
        window = window_at(job.stop, open_eta.p50 if open_eta else now)
        word, minutes = (
            expected(window, open_eta, now) if status is not StopStatus.CANCELLED else (Punctuality.UNKNOWN, None)
        )
    evidence = state.evidence
    return StopRow(
        stop_id=job.stop.stop_id,
        order_ref=job.stop.order_ref,
        van=job.van,
        kind=job.stop.kind,
        status=status,
        address=job.stop.address,
        recipient_name=job.stop.recipient.name,
        lat_deg=job.stop.lat_deg,
        lon_deg=job.stop.lon_deg,
        window=window,
        eta=open_eta,
        punctuality=word,
        minutes_off=minutes,
        outcome=None if closing is None else closing.outcome,
        reason=None if closing is None else closing.reason,
        closed_at=closed_at,
        proofs=len(evidence),
        proofs_whole=sum(piece.sha256 in whole for piece in evidence),
        is_flagged=bool(flags(job, state)),
        why_unassigned=job.why_unassigned if status is StopStatus.UNASSIGNED else "",
        found_by=job.stop.found.van if job.stop.found else None,
        transfer=None if transfer is None else transfer_view(transfer, state),
    )


def flags(job: Job, state: StopState) -> tuple[str, ...]:
    """What needs a person, in words."""
    found = []
    if state.is_delivered_after(job.cancelled_at):
        found.append("delivered although it was cancelled")
    if len(state.completed_by) > 1:
        found.append(f"delivered by more than one van: {', '.join(state.completed_by)}")
    if job.stop.found is not None and job.stop.found.also and job.cancelled_at is None:
        found.append(f"made of a label by {job.stop.found.van}; the same parcel: {job.stop.found.also}")
    if job.van is None and state.closing is not None:
        found.append(f"closed by {state.closing.origin.van}, and on no van's manifest")
    if job.van is not None and state.closing is not None and state.closing.origin.van != job.van:
        found.append(f"closed by {state.closing.origin.van}, and on the list of {job.van}")
    return (*found, *custody_of(job.stop.kind, state).troubles)


def van_view(
    name: str, news: VanNews, rows: Sequence[StopRow], *, driver: str, in_force: InForce, now: datetime
) -> VanView:
    """One van. `rows`: its stops of the day in the manifest's order, cancelled ones too."""
    listed = [row for row in rows if row.status is not StopStatus.CANCELLED]
    open_rows = _in_driving_order([row for row in listed if row.status in OPEN], news)
    late = [row.minutes_off or 0 for row in open_rows if row.punctuality is Punctuality.LATE]
    presence = news.presence
    live = news.live
    return VanView(
        van=name,
        driver=driver,
        freshness=freshness(news.heard_at, now),
        heard_at=news.heard_at,
        is_online=news.is_online,
        position=_position(live.position) if live and live.position else None,
        stops_total=len(listed),
        stops_done=len(listed) - len(open_rows),
        next_stop_id=open_rows[0].stop_id if open_rows else None,
        stop_ids=tuple(row.stop_id for row in open_rows),
        punctuality=worst(row.punctuality for row in open_rows),
        minutes_late=max(late, default=0),
        plan_version=live.plan_version if live else 0,
        manifest_version=in_force.version,
        policy=in_force.policy,
        suggestion=live.suggestion if live else None,
        applied_manifest_version=news.applied_manifest_version,
        waiting_rows=presence.outbox_rows if presence else 0,
        oldest_waiting_s=presence.oldest_row_age_s if presence else None,
        plans_made=news.plans_made,
        plans_made_offline=news.plans_made_offline,
        blocked_until=live.blocked_until if live else None,
        off_duty=live.off_duty if live else None,
        misplaced=live.misplaced if live else (),
        alarms=(
            *(live.alarms if live else ()),
            *((RECORDS_DIFFER,) if news.forks else ()),
            *((PROOF_ALTERED,) if news.altered else ()),
        ),
    )


def closure_view(closure: Closure) -> ClosureView:
    """A closed road; its line turned to [lon, lat] for the map. One given as node pairs has no line to draw."""
    return ClosureView(
        closure_id=closure.closure_id,
        note=closure.note,
        line=tuple((lon_deg, lat_deg) for lat_deg, lon_deg in closure.line),
        valid_from=closure.valid_from,
        valid_until=closure.valid_until,
    )


def looks_the_same(one: StopRow, other: StopRow) -> bool:
    """Whether a viewer could not tell two rows apart: an expected time that moved by seconds is no news."""
    if one.eta is None or other.eta is None:
        return one == other
    moved_s = max(
        abs((a - b).total_seconds())
        for a, b in zip(
            (one.eta.p10, one.eta.p50, one.eta.p90), (other.eta.p10, other.eta.p50, other.eta.p90), strict=True
        )
    )
    same_source = one.eta.times == other.eta.times
    return moved_s < 30 and same_source and one.model_copy(update={"eta": other.eta}) == other


def _in_driving_order(rows: Iterable[StopRow], news: VanNews) -> list[StopRow]:
    """The one it stands at, then as the van says, then what it has not planned yet, as the manifest says."""
    order = {stop_id: place for place, stop_id in enumerate(news.live.stop_ids if news.live else ())}
    return sorted(rows, key=lambda row: (row.status is not StopStatus.ARRIVED, order.get(row.stop_id, len(order))))


def _position(position: LivePosition) -> VanPosition:
    return VanPosition(
        lat_deg=position.lat_deg,
        lon_deg=position.lon_deg,
        fixed_at=position.fixed_at,
        quality=position.quality,
        error_m=position.error_m,
        speed_mps=position.speed_mps,
        heading_deg=position.heading_deg,
    )
