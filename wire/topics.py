"""The topic table: every message that crosses the link, once.

`docs/wire.md` is generated from this table; a test fails when it is stale.
"""

import re
from dataclasses import dataclass
from enum import StrEnum

PREFIX = "rm/1"
MAX_PACKET_BYTES = 65_536
NAME_PATTERN = re.compile(r"^[a-z0-9][a-z0-9-]{0,31}$")


class Way(StrEnum):
    UP = "up"
    DOWN = "down"


class Lane(StrEnum):
    """A queue of the outbox with its own seq; one lane never waits for another's gap."""

    EVENTS = "events"
    TRACK = "track"
    BLOBS = "blobs"


class Offline(StrEnum):
    """What happens to the message while there is no link."""

    KEEP = "keep until receipted"
    THIN = "keep, thin when the disk is full"
    DROP = "drop, the newest is enough"
    RETAIN = "the broker keeps the newest"
    RESEND = "sent again until answered"


@dataclass(frozen=True)
class Topic:
    name: str
    way: Way
    qos: int
    retained: bool
    offline: Offline
    lane: Lane | None
    carries: str

    def of(self, fleet: str, van: str) -> str:
        """The full topic for one van; raises ValueError for a name that could escape its level."""
        for name in (fleet, van):
            if not NAME_PATTERN.fullmatch(name):  # match() would let a newline pass at the end
                raise ValueError(f"{name!r} cannot be a fleet's or van's name: use a-z, 0-9 and -, 32 at most")
        return f"{PREFIX}/{fleet}/{van}/{self.name}"

    def of_every_van(self, fleet: str) -> str:
        """The filter by which the coordinator subscribes to this topic of every van."""
        return f"{PREFIX}/{fleet}/+/{self.name}"


EVENTS = Topic(
    "up/events",
    Way.UP,
    1,
    False,
    Offline.KEEP,
    Lane.EVENTS,
    "stop events, proof metadata, plans, command results, alarms; order matters",
)
TRACK = Topic(
    "up/track", Way.UP, 1, False, Offline.THIN, Lane.TRACK, "one breadcrumb a second while on duty, in columnar batches"
)
BLOBS = Topic(
    "up/blobs",
    Way.UP,
    1,
    False,
    Offline.KEEP,
    Lane.BLOBS,
    "evidence in chunks of at most 16 kB, by content hash and offset",
)
LIVE = Topic("up/live", Way.UP, 0, False, Offline.DROP, None, "latest position, plan version, ETA of the next stops")
PRESENCE = Topic(
    "presence",
    Way.UP,
    1,
    True,
    Offline.RETAIN,
    None,
    "online or offline (last will), boot, epoch, outbox depth, age of the oldest row",
)
RECEIPTS = Topic(
    "down/receipts",
    Way.DOWN,
    1,
    False,
    Offline.RESEND,
    None,
    "per epoch and lane: contiguous seq and ranges beyond it; for blobs the ranges held",
)
MANIFEST = Topic("down/manifest", Way.DOWN, 1, True, Offline.RETAIN, None, "the whole manifest with its version")
CONDITIONS = Topic(
    "down/conditions", Way.DOWN, 1, True, Offline.RETAIN, None, "closures and speeds with their validity"
)
ELSEWHERE = Topic(
    "down/elsewhere",
    Way.DOWN,
    1,
    True,
    Offline.RETAIN,
    None,
    "which parcels are on whose list today, as short hashes of their codes",
)
COMMANDS = Topic("down/commands", Way.DOWN, 1, False, Offline.RESEND, None, "id, issued, expires, kind; done once")

TOPICS = (EVENTS, TRACK, BLOBS, LIVE, PRESENCE, RECEIPTS, MANIFEST, CONDITIONS, ELSEWHERE, COMMANDS)


def parse(topic: str) -> tuple[str, str, Topic] | None:
    """The fleet, van and table row of a full topic; None when it is not one of ours."""
    parts = topic.split("/")
    if len(parts) < 5 or "/".join(parts[:2]) != PREFIX:
        return None
    fleet, van, name = parts[2], parts[3], "/".join(parts[4:])
    row = next((row for row in TOPICS if row.name == name), None)
    if row is None or not NAME_PATTERN.fullmatch(fleet) or not NAME_PATTERN.fullmatch(van):
        return None
    return fleet, van, row
