"""What a packet from the coordinator means. Pure, and never an exception: nonsense is a value with a reason."""

from dataclasses import dataclass

from agent.trip.inputs import CommandArrived, ConditionsArrived, ElsewhereArrived, ManifestArrived, ManifestUnreadable
from wire import codec, topics
from wire.codec import WireError
from wire.elsewhere import Elsewhere
from wire.envelope import Receipts
from wire.manifest import SCHEMA, Command, Conditions, Manifest
from wire.model import Count, Message


class _Peek(Message):
    """As much of a manifest as can be read when the rest cannot."""

    version: Count | None = None


@dataclass(frozen=True)
class Ignored:
    """Nothing for us: the text says why, for the log."""

    why: str


FromAbove = (
    Receipts | ManifestArrived | ManifestUnreadable | ConditionsArrived | ElsewhereArrived | CommandArrived | Ignored
)
SUBSCRIBED = (topics.RECEIPTS, topics.MANIFEST, topics.CONDITIONS, topics.ELSEWHERE, topics.COMMANDS)


def understand(topic: str, packet: bytes, *, fleet: str, van: str) -> FromAbove:
    """The input or receipts in a packet. A manifest that cannot be read is an input too: the coordinator is told."""
    row = topics.parse(topic)
    if row is None or (row[0], row[1]) != (fleet, van):
        return Ignored(f"{topic} is not a topic of {fleet}/{van}")
    if not packet:
        return Ignored(f"{topic} was cleared")
    try:
        match row[2]:
            case topics.RECEIPTS:
                return codec.decode(Receipts, packet)
            case topics.MANIFEST:
                return _manifest(packet, van)
            case topics.CONDITIONS:
                return ConditionsArrived(conditions=codec.decode(Conditions, packet))
            case topics.ELSEWHERE:
                return ElsewhereArrived(elsewhere=codec.decode(Elsewhere, packet))
            case topics.COMMANDS:
                return CommandArrived(command=codec.decode(Command, packet))
            case _:
                return Ignored(f"{topic} is not for a van")
    except WireError as error:
        return Ignored(f"{topic}: {error}")


def _manifest(packet: bytes, van: str) -> ManifestArrived | ManifestUnreadable:
    try:
        manifest = codec.decode(Manifest, packet)
    except WireError as error:
        return ManifestUnreadable(version=_version(packet), why=_why(packet, error)[:500])
    if manifest.van != van:
        return ManifestUnreadable(version=manifest.version, why=f"it is for {manifest.van}, this is {van}")
    return ManifestArrived(manifest=manifest)


def _version(packet: bytes) -> int | None:
    peek = _peek(packet)
    return peek.version if peek is not None else None


def _why(packet: bytes, error: WireError) -> str:
    peek = _peek(packet)
    schema = (peek.model_extra or {}).get("schema") if peek is not None else None
    if isinstance(schema, int) and schema > SCHEMA:
        return f"it is written in schema {schema}, this agent reads up to {SCHEMA}: update the agent"
    return str(error)


def _peek(packet: bytes) -> _Peek | None:
    try:
        return codec.decode(_Peek, packet)
    except WireError:
        return None
