"""From a topic and its bytes to something the store can apply, or to a refusal with a reason. Pure.

A van that sends one bad record must not be stuck with it: whatever can be numbered is kept and counts as received, be
its content what it may. Only a packet without a believable van, epoch and seq is refused as a whole.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from typing import Annotated, Any, Literal, NotRequired, TypedDict, Union

from pydantic import Field, TypeAdapter, ValidationError

from cloud.store.records import NewRecord, Sender
from cloud.store.vans import Unreadable
from wire import topics
from wire.codec import WireError, decode, decode_with_texts, first_problem, unpack_chunk
from wire.envelope import MAX_RECORDS, ChunkHeader, Record, Seq
from wire.events import BODIES, Live, Presence
from wire.manifest import SCHEMA
from wire.model import Epoch, Message, Name, StopId
from wire.topics import Topic
from wire.track import MAX_BREADCRUMBS, Breadcrumb, Dropped, TrackBatch, from_columns


@dataclass(frozen=True)
class Events:
    """Consecutive records of the events lane, the odd one perhaps marked with its problem."""

    sender: Sender
    boot: int
    records: tuple[NewRecord, ...]


@dataclass(frozen=True)
class Track:
    """Consecutive breadcrumbs from `first_seq`; without `crumbs` when nobody can read them, and `problem` says why."""

    sender: Sender
    first_seq: int
    count: int
    crumbs: tuple[Breadcrumb | None, ...] | None
    problem: str = ""
    dropped: tuple[Dropped, ...] = ()
    """What the van says of the crumbs that are None."""


@dataclass(frozen=True)
class Chunk:
    header: ChunkHeader
    data: bytes


Content = Events | Track | Chunk | Live | Presence | Unreadable


@dataclass(frozen=True)
class Packet:
    """What one message from a van holds."""

    van: str
    topic: str
    payload: bytes
    content: Content


class _Envelope(Message):
    """A batch whose van, epoch and seqs can be believed, whatever its records are."""

    schema_: Literal[1] = Field(SCHEMA, alias="schema")
    van: Name
    epoch: Epoch
    boot: Annotated[int, Field(ge=1, lt=2**31)]
    first_seq: Seq


class _LooseEvents(_Envelope):
    lane: Literal["events"]
    records: Annotated[tuple[Any, ...], Field(min_length=1, max_length=MAX_RECORDS)]


class _LooseTrack(_Envelope):
    lane: Literal["track"]
    wall_ms: Annotated[tuple[Any, ...], Field(min_length=1, max_length=MAX_BREADCRUMBS)]


_STOP_ID: TypeAdapter[str] = TypeAdapter(StopId)


def _fields(of: type[Message], **instead: Any) -> Any:
    """A message's fields as those of a plain mapping: read into models a record would cost twice as much."""
    fields = {
        name: field.rebuild_annotation() if field.is_required() else NotRequired[field.rebuild_annotation()]
        for name, field in of.model_fields.items()
    }
    made: Any = TypedDict
    return made(of.__name__, {**fields, **instead})


def _of_known_kinds() -> TypeAdapter[tuple[Mapping[str, Any], ...]]:
    some: Any = tuple
    kinds: Any = Union[*(_fields(Record, kind=Literal[str(kind)], body=_fields(body)) for kind, body in BODIES.items())]
    return TypeAdapter(some[Annotated[kinds, Field(discriminator="kind")], ...])


_ORDINARY = _of_known_kinds()
"""Records of kinds we know with nothing wrong in any, read in one go: one by one takes several times as long."""
_ABOUT_A_STOP = {kind for kind, body in BODIES.items() if "stop_id" in body.model_fields}


def spoken_by(fleet: str, topic: str) -> tuple[str, Topic] | None:
    """The van that speaks on a topic, and the topic's row; None where no van of this fleet speaks."""
    parsed = topics.parse(topic)
    return None if parsed is None or parsed[0] != fleet or parsed[2] not in _READERS else (parsed[1], parsed[2])


def unpack(fleet: str, topic: str, payload: bytes) -> Packet | None:
    """What a message holds; None for a topic on which no van of this fleet speaks."""
    speaker = spoken_by(fleet, topic)
    if speaker is None:
        return None
    van, row = speaker
    try:
        said_by, content = _READERS[row](payload)
        if said_by != van:
            raise WireError(f"the topic is {van}'s, the message says it is from {said_by}")
    except WireError as error:
        content = Unreadable(row.name, payload, str(error))
    return Packet(van, row.name, payload, content)


def _events(payload: bytes) -> tuple[str, Content]:
    # Texts of what was said and not of our model of it: a newer coordinator, which knows of a field more, must come to
    # the same hash when the van says it again.
    batch, texts = decode_with_texts(_LooseEvents, payload, "records")
    records = _records(batch.records, texts, batch.first_seq)
    return batch.van, Events(Sender(batch.van, batch.epoch), batch.boot, records)


def _records(raw: Sequence[Any], texts: Sequence[bytes], first_seq: int) -> tuple[NewRecord, ...]:
    try:
        read = _ORDINARY.validate_python(raw)
    except ValidationError:
        return tuple(map(_odd, count(first_seq), raw, texts))
    return tuple(map(_record, count(first_seq), raw, texts, read))


def _record(seq: int, raw: Any, text: bytes, read: Mapping[str, Any], problem: str | None = None) -> NewRecord:
    kind, body, wall_source = read["kind"], raw["body"], read["wall_source"]
    is_read = problem is None and kind in BODIES
    # By place and not by name: of all that is done for a record this would be a tenth.
    return NewRecord(
        seq,
        kind,
        body["stop_id"] if is_read and kind in _ABOUT_A_STOP else _stop_id(body),
        hashlib.sha256(text).hexdigest(),
        text.decode(),
        read["wall_ms"],
        wall_source != "none",
        problem,
        body if is_read else None,
        read.get("boot"),
        read["mono_ms"],
        wall_source == "gps",
    )


def _odd(seq: int, raw: Any, text: bytes) -> NewRecord:
    """A record that is none, or beside one, or of a kind we do not know: read on its own, to tell what is wrong."""
    try:
        record = Record.model_validate_json(text)  # from its text, because what is kept is read back from there
    except ValidationError as error:
        return _poison(seq, raw, text, first_problem(error))
    return _record(seq, raw, text, dict(record), _problem(record))


def _problem(record: Record) -> str | None:
    model = BODIES.get(record.kind)
    if model is None:
        return None  # a newer van knows more than we do: kept as it came
    try:
        model.model_validate(record.body)
    except ValidationError as error:
        return f"body.{first_problem(error)}"
    return None


def _poison(seq: int, raw: Any, text: bytes, problem: str) -> NewRecord:
    kind = raw.get("kind") if isinstance(raw, dict) else None
    return NewRecord(
        seq=seq,
        kind=kind if isinstance(kind, str) and 0 < len(kind) <= 64 else "unreadable",
        stop_id=_stop_id(raw.get("body")) if isinstance(raw, dict) else None,
        sha256=hashlib.sha256(text).hexdigest(),
        text=text.decode(),
        captured_ms=0,
        has_time=False,
        problem=problem,
        body=None,
    )


def _stop_id(body: Any) -> str | None:
    if not isinstance(body, dict) or "stop_id" not in body:
        return None
    try:
        return _STOP_ID.validate_python(body["stop_id"])
    except ValidationError:
        return None


def _track(payload: bytes) -> tuple[str, Content]:
    envelope = decode(_LooseTrack, payload)
    sender = Sender(envelope.van, envelope.epoch)
    count = len(envelope.wall_ms)
    try:
        batch = decode(TrackBatch, payload)
        return envelope.van, Track(sender, envelope.first_seq, count, from_columns(batch), dropped=batch.dropped)
    except ValueError as error:  # of the codec, of the columns, of a breadcrumb
        problem = first_problem(error) if isinstance(error, ValidationError) else str(error)
        return envelope.van, Track(sender, envelope.first_seq, count, None, problem)


def _chunk(payload: bytes) -> tuple[str, Content]:
    header, data = unpack_chunk(payload)
    return header.van, Chunk(header, data)


def _live(payload: bytes) -> tuple[str, Content]:
    live = decode(Live, payload)
    return live.van, live


def _presence(payload: bytes) -> tuple[str, Content]:
    presence = decode(Presence, payload)
    return presence.van, presence


_READERS = {
    topics.EVENTS: _events,
    topics.TRACK: _track,
    topics.BLOBS: _chunk,
    topics.LIVE: _live,
    topics.PRESENCE: _presence,
}

SUBSCRIBED: tuple[Topic, ...] = tuple(_READERS)
"""What the coordinator listens to, of every van."""
