"""One group of packets, applied within one transaction, and how its senders stand after it.

What stands is read inside the same transaction, so it says what this commit holds and nothing more.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from sqlalchemy import Connection

from cloud.ingest.receipts import Standing
from cloud.ingest.unpack import Chunk, Events, Packet, Track
from cloud.store.blobs import apply_chunk, blob_receipts, blobs_of_van, want_blobs, wanted_blobs_of
from cloud.store.records import (
    Changes,
    Sender,
    apply_records,
    apply_track,
    cursor_of,
    evidence_of,
    forked_of,
    give_up_track,
    head_of,
    note_track_gaps,
)
from cloud.store.vans import Unreadable, apply_live, apply_presence, heard, park
from wire.envelope import BlobReceipt
from wire.events import Live, Presence
from wire.topics import Lane

MAX_EPOCHS = 20
"""Lives of a van's store that are answered at once: a van that makes up hundreds gets no more work out of us."""
_SIGNS_OF_LIFE = (Events, Track, Chunk)
"""What only a van sends, and only now; a broker speaks for it too, and may have kept what it says from before."""


@dataclass(frozen=True)
class Incoming:
    """A packet and whether the broker had kept it from before."""

    packet: Packet
    is_retained: bool = False


@dataclass(frozen=True)
class Applied:
    """What a group came to: what changed, and whom to tell what."""

    changes: Changes
    standings: tuple[tuple[str, Standing], ...]
    """(van, how it stands)."""


@dataclass
class _ToTell:
    lanes: set[Lane] = field(default_factory=set)
    blobs: set[str] = field(default_factory=set)
    evidence: set[str] = field(default_factory=set)
    """Named by records: told of unless it is whole. The van may have freed it already, for a life of this database that
    a backup has undone.
    """
    is_resume: bool = False


def apply_group(connection: Connection, group: Sequence[Incoming], now: datetime) -> Applied:
    """Apply packets in the order they came, and read how each sender stands at the end."""
    heard(connection, {one.packet.van for one in group if isinstance(one.packet.content, _SIGNS_OF_LIFE)}, now)
    changes = Changes()
    to_tell: dict[Sender, _ToTell] = {}
    for incoming in joined(group):
        changes.add(_apply(connection, incoming, to_tell, now))
    blobs = blob_receipts(connection, {sha256 for told in to_tell.values() for sha256 in told.blobs | told.evidence})
    want_blobs(connection, (named for named in changes.named if not blobs[named[1]].is_whole), now)
    standings = tuple(
        (
            sender.van,
            Standing(
                epoch=sender.epoch,
                lanes={lane: cursor_of(connection, sender, lane) for lane in sorted(told.lanes)},
                blobs={sha256: blobs[sha256] for sha256 in sorted(told.blobs | _missing(told.evidence, blobs))},
                is_resume=told.is_resume,
                events_head=head_of(connection, sender) if told.is_resume else None,
                forked=forked_of(connection, sender) if told.is_resume or sender in changes.forked else (),
            ),
        )
        for sender, told in to_tell.items()
    )
    return Applied(changes, standings)


def _missing(evidence: Collection[str], blobs: Mapping[str, BlobReceipt]) -> set[str]:
    return {sha256 for sha256 in evidence if not blobs[sha256].is_whole}


def standing_of(connection: Connection, sender: Sender) -> Standing:
    """How an epoch stands as a whole, with the van's evidence: nothing in it is asked for that was receipted before."""
    blobs = blob_receipts(connection, blobs_of_van(connection, sender.van))
    return Standing(
        epoch=sender.epoch,
        lanes={lane: cursor_of(connection, sender, lane) for lane in (Lane.EVENTS, Lane.TRACK)},
        blobs={sha256: receipt for sha256, receipt in blobs.items() if receipt.held},
        events_head=head_of(connection, sender),
        forked=forked_of(connection, sender),
    )


def joined(group: Sequence[Incoming]) -> list[Incoming]:
    """The same group, with batches of one sender's events that follow on each other made into one.

    A van sends several at a time, and what a batch costs beside its records is the greater part. Nothing changes its
    place among the packets of its own van.
    """
    result: list[Incoming] = []
    newest: dict[str, int] = {}
    for incoming in group:
        packet = incoming.packet
        place = newest.get(packet.van)
        before = result[place].packet.content if place is not None else None
        if (
            place is not None
            and isinstance(packet.content, Events)
            and isinstance(before, Events)
            and (before.sender, before.boot) == (packet.content.sender, packet.content.boot)
            and before.records[-1].seq + 1 == packet.content.records[0].seq
        ):
            both = replace(before, records=(*before.records, *packet.content.records))
            result[place] = replace(result[place], packet=replace(result[place].packet, content=both))
        else:
            newest[packet.van] = len(result)
            result.append(incoming)
    return result


def _apply(connection: Connection, incoming: Incoming, to_tell: dict[Sender, _ToTell], now: datetime) -> Changes:
    packet = incoming.packet
    match packet.content:
        case Events(sender=sender) as events:
            told = to_tell.setdefault(sender, _ToTell())
            told.lanes.add(Lane.EVENTS)
            changes = apply_records(connection, sender, events.boot, events.records, now)
            told.evidence |= set(evidence_of(events.records))
            return changes
        case Track(sender=sender, crumbs=None) as track:
            to_tell.setdefault(sender, _ToTell()).lanes.add(Lane.TRACK)
            park(connection, packet.van, Unreadable(packet.topic, packet.payload, track.problem), now)
            give_up_track(connection, sender, track.first_seq, track.count)
        case Track(sender=sender, crumbs=crumbs) as track if crumbs is not None:
            to_tell.setdefault(sender, _ToTell()).lanes.add(Lane.TRACK)
            note_track_gaps(connection, sender, track.dropped, now)
            return apply_track(connection, sender, track.first_seq, crumbs)
        case Chunk(header=header, data=data):
            to_tell.setdefault(Sender(header.van, header.epoch), _ToTell()).blobs.add(header.sha256)
            return apply_chunk(connection, header, data, now)
        case Live() as live:
            apply_live(connection, live, now)
        case Presence() as presence:
            apply_presence(connection, presence, now, is_retained=incoming.is_retained)
            if presence.is_online:
                # It (or we) may have been away, or restored from a backup: all that stands, the empty included.
                for epoch in {presence.epoch, *presence.kept_epochs[:MAX_EPOCHS]}:
                    told = to_tell.setdefault(Sender(presence.van, epoch), _ToTell())
                    told.lanes |= {Lane.EVENTS, Lane.TRACK}
                    told.is_resume = True
                told = to_tell[Sender(presence.van, presence.epoch)]
                told.blobs |= {*blobs_of_van(connection, presence.van), *wanted_blobs_of(connection, presence.van)}
        case Unreadable() as unreadable:
            park(connection, packet.van, unreadable, now)
    return Changes(vans={packet.van})
