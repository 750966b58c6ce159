"""`docs/wire.md`, written from the topic table and the message models: the one page about what crosses the link."""

import ast
import inspect
from collections.abc import Iterator
from types import ModuleType

from pydantic import BaseModel

from wire import (
    changes,
    checks,
    elsewhere,
    envelope,
    events,
    handover,
    manifest,
    model,
    places,
    seal,
    topics,
    track,
    transfer,
)

HEAD = """\
# The wire

What van and coordinator say to each other over MQTT 5. This page is generated from `wire/` by `scripts/generate.py`;
change the models there, not here. Why it is so: [architecture.md](architecture.md).

Units end the names (`_s` seconds, `_m` metres, `_deg` degrees, `_ms` milliseconds). Instants are RFC 3339 with an
offset, `wall_ms` is Unix milliseconds. Positions are WGS 84, latitude before longitude. A field we do not know is kept
and passed on.
"""

PACKING = """\
## Packing

- A message is JSON, compressed by zstd when it is longer than {compress} bytes; a zstd frame starts with a byte no JSON
  text starts with. A packet has at most {packet:,} bytes. JSON is read strictly: no NaN, no infinity, no key twice.
- A chunk of a blob is four bytes of header length (big endian), a `ChunkHeader` as JSON, and the raw bytes.
- The track lane travels as columns: the first entry of each is absolute, the others are differences; null is a value
  the receiver did not give.
- A record's identity is (van, epoch, lane, seq); the same identity with another content is a fork, kept and never
  applied.
- Only `down/receipts` frees what the van keeps. It is sent after the coordinator's commit is on disk; a broker's PUBACK
  means nothing.
"""

MESSAGES: dict[str, tuple[type[BaseModel], ...]] = {
    "Up: records, breadcrumbs, evidence": (
        envelope.Batch,
        envelope.Record,
        seal.Seal,
        track.TrackBatch,
        envelope.ChunkHeader,
    ),
    "Up: why an order changes": (changes.Move,),
    "Up: the newest picture": (
        events.Live,
        events.LivePosition,
        events.StopEta,
        events.Eta,
        events.Suggestion,
        places.Misplaced,
        events.Presence,
    ),
    "Down: receipts": (envelope.Receipts, envelope.LaneReceipt, envelope.BlobReceipt),
    "Down: manifest": (
        manifest.Manifest,
        manifest.Stop,
        manifest.Window,
        manifest.Address,
        manifest.Recipient,
        manifest.Amount,
        manifest.Depot,
        handover.Handover,
        handover.Parcel,
        handover.Cash,
        handover.Reach,
        transfer.ReleaseAsked,
        transfer.Meeting,
    ),
    "Up: parts of records at a stop": (checks.ItemOutcome, checks.Waiver),
    "Down: conditions and commands": (
        manifest.Conditions,
        manifest.Closure,
        manifest.SpeedChange,
        manifest.NodePair,
        elsewhere.Elsewhere,
        manifest.Command,
    ),
}
WORDS = (
    events.Outcome,
    events.FailReason,
    events.ReplanReason,
    events.TimesSource,
    changes.MoveWhy,
    places.PlaceTrouble,
    events.SuggestionState,
    events.FixQuality,
    manifest.StopKind,
    manifest.SequencePolicy,
    manifest.EvidenceKind,
    manifest.EvidenceRule,
    manifest.CommandKind,
    handover.NextStep,
    checks.ScanVerdict,
    checks.ParcelState,
    checks.WaiverReason,
    transfer.Side,
    transfer.KeptWhy,
)


def wire_document(max_packet_bytes: int, compress_above_bytes: int) -> str:
    """The whole page."""
    return "\n".join(
        [
            HEAD,
            *_topics(),
            PACKING.format(packet=max_packet_bytes, compress=compress_above_bytes),
            "## Records of the events lane\n",
            "A kind not listed here is kept as it came, and receipted.\n",
            *(
                line
                for kind, body in events.BODIES.items()
                for line in (f"### `{kind}`\n", *_fields(body, has_title=False))
            ),
            *(
                line
                for title, models in MESSAGES.items()
                for line in (f"## {title}\n", *(line for message in models for line in _fields(message)))
            ),
            "## Words\n",
            *(f"- **{word.__name__}**: {', '.join(f'`{value.value}`' for value in word)}" for word in WORDS),
            "\n## Types\n",
            "| type | is |",
            "| --- | --- |",
            *_types(model),
            *_types(envelope),
            "",
        ]
    )


def _topics() -> Iterator[str]:
    yield f"## Topics\n\nUnder `{topics.PREFIX}/{{fleet}}/{{van}}/`; a name is `{topics.NAME_PATTERN.pattern}`.\n"
    yield "| topic | way | QoS | retained | without a link | carries |"
    yield "| --- | --- | --- | --- | --- | --- |"
    for row in topics.TOPICS:
        retained = "yes" if row.retained else "no"
        yield f"| `{row.name}` | {row.way} | {row.qos} | {retained} | {row.offline} | {row.carries} |"
    yield ""


def _fields(message: type[BaseModel], *, has_title: bool = True) -> Iterator[str]:
    if has_title:
        yield f"### {message.__name__}\n"
    if message.__doc__:
        yield f"{inspect.cleandoc(message.__doc__)}\n"
    body = _class_body(message)
    yield "| field | type | default | |"
    yield "| --- | --- | --- | --- |"
    for node, after in zip(body, [*body[1:], None], strict=True):
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            field = message.model_fields[node.target.id]
            default = "" if field.is_required() else f"`{ast.unparse(node.value) if node.value else ''}`"
            if field.alias:  # the default stands first in Field(...)
                default = f"`{field.get_default()}`"
            yield f"| `{field.alias or node.target.id}` | {_type(node.annotation)} | {default} | {_said(after)} |"
    yield ""


def _types(module: ModuleType) -> Iterator[str]:
    body = ast.parse(inspect.getsource(module)).body
    for node, after in zip(body, [*body[1:], None], strict=True):
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Subscript):
            name = node.targets[0]
            said = _said(after)
            yield f"| `{ast.unparse(name)}` | {_type(node.value)}{': ' if said else ''}{said} |"


def _type(node: ast.expr) -> str:
    if isinstance(node, ast.BinOp):
        return f"{_type(node.left)} or {_type(node.right)}"
    if isinstance(node, ast.Constant) and node.value is None:
        return "null"
    if (
        isinstance(node, ast.Subscript)
        and ast.unparse(node.value) == "Annotated"
        and isinstance(node.slice, ast.Tuple)
        and isinstance(node.slice.elts[1], ast.Call)
    ):
        limits = (
            f"{word.arg} {ast.unparse(word.value)}"
            for word in node.slice.elts[1].keywords
            if word.arg != "allow_inf_nan"
        )
        return f"{_type(node.slice.elts[0])} ({', '.join(limits)})".replace("|", "\\|")
    return f"`{ast.unparse(node)}`".replace("|", "\\|")


def _class_body(message: type[BaseModel]) -> list[ast.stmt]:
    definition = ast.parse(inspect.getsource(message)).body[0]
    assert isinstance(definition, ast.ClassDef)
    return definition.body


def _said(node: ast.stmt | None) -> str:
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
        return " ".join(node.value.value.split())
    return ""
