"""Stops from labels: one that is on no list is made on the driver's word, a listed one gets what it lacks. Pure.

The list is the coordinator's. A stop made here stands on the run until a list names it; from then on it is a stop like
any other. What a label added to a listed stop is added again to each newer list that still lacks it.
"""

from datetime import UTC, datetime, time, timedelta
from functools import partial
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from agent.pod import scans
from agent.pod.labels import Spotted, facts_of, filled, is_meant, place_of, stop_of, told_of, trouble_of
from agent.trip.effects import Decision, Effect, Outgoing, Refusal, Trouble
from agent.trip.elsewhere import whose
from agent.trip.hand import LastScan
from agent.trip.inputs import LabelRead, LabelTaken
from agent.trip.label import LabelSeen
from agent.trip.plans import asking, changed
from agent.trip.run import Run, RunStop
from wire.checks import ScanVerdict
from wire.codec import to_json
from wire.events import EventKind, ReplanReason
from wire.finding import StopFound
from wire.manifest import Manifest, Stop
from wire.transport import TransportLabel, read_transport


def completed(run: Run, scanned: str, here: str | None, now: datetime) -> Decision:
    """The run in which the stop of a label has what the label says and the list does not; the same run for any other
    code. `here`: the stop the driver is at, which comes first where the label names its door.
    """
    manifest = run.manifest
    label = None if manifest is None else read_transport(scanned, manifest.day)
    if manifest is None or label is None:
        return Decision(run=run)
    stop = _of_label(run, label, here)
    if stop is None:
        return Decision(run=run)
    begins, ends = day_of(manifest)
    after = filled(stop.stop, label, begins, ends, zone_of(manifest))
    told = told_of(stop.stop, after, label.sscc)
    if told is None:
        return Decision(run=run)
    with_label = stop.model_copy(
        update={"stop": after, "listed_as": stop.listed_as or stop.stop, "labels": (*stop.labels, label)}
    )
    run = _with(run, with_label)
    effects: tuple[Effect, ...] = ()
    if told.windows:
        run, effects = asking(changed(run), ReplanReason.MANIFEST, now)
    seen = LastScan(code=label.sscc, verdict=ScanVerdict.RIGHT, belongs_to=stop.stop_id, at=now)
    run = run.model_copy(update={"label": LabelSeen(scan=seen, filled=facts_of(told))})
    return Decision(run=run, outgoing=(_said(EventKind.STOP_FILLED, to_json(told)),), effects=effects)


def after_filling(filled: Decision, then: Decision) -> Decision:
    """Both, the label's facts first."""
    return then.model_copy(
        update={"outgoing": (*filled.outgoing, *then.outgoing), "effects": (*filled.effects, *then.effects)}
    )


def offered(run: Run, scanned: str, scan: LastScan, spotted: Spotted | None) -> Run:
    """The run with what the newest code is good for: a stop, where it is a transport label that is on no list."""
    kept = run.label.filled if run.label is not None and run.label.scan.at == scan.at else ()
    seen = LabelSeen(scan=scan, filled=kept)
    manifest = run.manifest
    label = None if manifest is None else read_transport(scanned, manifest.day)
    if manifest is not None and label is not None and scan.verdict is ScanVerdict.UNKNOWN:
        begins, ends = day_of(manifest)
        zone = zone_of(manifest)
        why_not = trouble_of(label, begins, ends, zone)
        stop = None
        if why_not is None:
            home = (manifest.end or manifest.start).place
            stop = stop_of(label, van=manifest.van, day=manifest.day, zone=zone, home=home, spotted=spotted)
        seen = seen.model_copy(update={"stop": stop, "why_not": why_not})
    return run.model_copy(update={"label": seen})


def wants_spotting(run: Run, scanned: str) -> TransportLabel | None:
    """The label whose address must be looked for on the map before it can be offered; None for any other code."""
    manifest = run.manifest
    label = None if manifest is None else read_transport(scanned, manifest.day)
    if manifest is None or label is None or run.find_code(label.sscc) is not None:
        return None
    return None if place_of(label, (manifest.end or manifest.start).place) is not None else label


def label_answered(run: Run, tap: LabelRead | LabelTaken, now: datetime) -> Decision:
    """The run after a code that was read at no stop, or after *make a stop of this label*."""
    if run.manifest is None:
        return Decision(run=run, refusal=Refusal(trouble=Trouble.NO_MANIFEST))
    match tap:
        case LabelRead():
            return _read(run, tap, now)
        case LabelTaken():
            return _taken(run, tap, now)


def relisted(known: RunStop, stop: Stop, manifest: Manifest) -> dict[str, object]:
    """The fields of a stop as a newer list has it, with what labels say where that list says nothing."""
    begins, ends = day_of(manifest)
    after = stop
    for label in known.labels:
        after = filled(after, label, begins, ends, zone_of(manifest))
    is_told_where = stop.is_placed and not known.stop.is_placed
    return {
        "stop": after,
        "listed_as": stop if known.labels else None,
        "is_found": False,
        "is_skipped": known.is_skipped and not is_told_where,
    }


def stays(stop: RunStop, manifest: Manifest) -> bool:
    """Whether a stop that a list does not name was made here, and the coordinator has not heard of it."""
    return stop.is_found and stop.stop_id not in manifest.declined


def zone_of(manifest: Manifest) -> ZoneInfo:
    """The depot's zone; UTC for a name that this computer does not know."""
    try:
        return ZoneInfo(manifest.timezone)
    except (ZoneInfoNotFoundError, ValueError):
        return ZoneInfo("UTC")


def day_of(manifest: Manifest) -> tuple[datetime, datetime]:
    """The day of a list, from midnight to midnight there, and its shift where that is longer."""
    zone = zone_of(manifest)
    begins = datetime.combine(manifest.day, time(), zone).astimezone(UTC)
    ends = datetime.combine(manifest.day + timedelta(days=1), time(), zone).astimezone(UTC)
    return min(begins, manifest.shift_starts_at), max(ends, manifest.shift_ends_at)


def _of_label(run: Run, label: TransportLabel, here: str | None) -> RunStop | None:
    """The open stop that a label belongs to: by its code, else the one stop whose door and recipient it names."""
    listed = run.find_code(label.sscc)
    if listed is not None:
        is_to_fill = listed.is_open and listed.is_listed and not listed.is_found and listed.meeting is None
        return listed if is_to_fill else None
    meant = [
        stop
        for stop in run.stops
        if stop.is_open
        and stop.is_listed
        and stop.meeting is None
        and stop.stop.found is None
        and is_meant(label, stop.stop)
    ]
    at_hand = next((stop for stop in meant if stop.stop_id == here), None)
    return at_hand or (meant[0] if len(meant) == 1 else None)


def _read(run: Run, tap: LabelRead, now: datetime) -> Decision:
    decision = completed(run, tap.code, None, now)
    run = decision.run
    found = scans.judged_aboard(
        tap.code,
        [stop.stop for stop in run.stops if stop.is_listed],
        [stop.stop for stop in run.stops if not stop.is_listed],
        partial(whose, run),
    )
    scan = LastScan(code=found.code, verdict=found.verdict, belongs_to=found.belongs_to, at=now, of_van=found.of_van)
    return decision.model_copy(update={"run": offered(run, tap.code, scan, tap.spotted)})


def _taken(run: Run, tap: LabelTaken, now: datetime) -> Decision:
    seen = run.label
    if seen is None or seen.stop is None or seen.scan.code != tap.code:
        is_made = run.find_code(tap.code) is not None
        return Decision(run=run) if is_made else Decision(run=run, refusal=Refusal(trouble=Trouble.LABEL_GONE))
    stop = seen.stop
    if run.find(stop.stop_id) is not None:
        return Decision(run=run.model_copy(update={"label": None}))
    # Where nobody knows the place it goes behind all others, as one put off: no way can be planned by it.
    made = RunStop(stop=stop, is_found=True, is_skipped=not stop.is_placed)
    run = changed(run.model_copy(update={"stops": (*run.stops, made), "label": None}))
    run, effects = asking(run, ReplanReason.MANIFEST, now)
    told = StopFound(stop_id=stop.stop_id, code=seen.scan.code, stop=stop)
    return Decision(run=run, outgoing=(_said(EventKind.STOP_FOUND, to_json(told)),), effects=effects)


def _with(run: Run, stop: RunStop) -> Run:
    stops = tuple(stop if other.stop_id == stop.stop_id else other for other in run.stops)
    return run.model_copy(update={"stops": stops})


def _said(kind: EventKind, body: dict[str, object]) -> Outgoing:
    return Outgoing(kind=kind, body=body)
