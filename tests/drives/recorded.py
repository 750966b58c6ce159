"""Recorded days on disk: `NAME.inputs.jsonl.zst`, what entered, and `NAME.said.jsonl`, what the van made of it.

One input or record a line. The last line of what was said is the hash of the run at the end, so that nothing of it can
change unseen. A change shows as a readable difference, and is accepted by recording anew.
"""

import hashlib
import json
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import zstandard

from agent.trip.effects import Outgoing
from agent.trip.inputs import INPUT, AnyInput
from agent.trip.run import Run

HERE = Path(__file__).parent
Entered = tuple[datetime, AnyInput]


def names() -> list[str]:
    return sorted(path.name.removesuffix(".said.jsonl") for path in HERE.glob("*.said.jsonl"))


def inputs_as_bytes(entered: Sequence[Entered]) -> bytes:
    return b"".join(b"%d %s\n" % (round(at.timestamp() * 1000), INPUT.dump_json(one)) for at, one in entered)


def said_as_text(run: Run, said: Sequence[Outgoing]) -> str:
    lines = [json.dumps({"kind": one.kind, **one.body}, sort_keys=True, ensure_ascii=False) for one in said]
    digest = hashlib.sha256(run.model_dump_json().encode()).hexdigest()
    return "\n".join([*lines, json.dumps({"run_sha256": digest})]) + "\n"


def read_inputs(name: str) -> list[Entered]:
    packed = (HERE / f"{name}.inputs.jsonl.zst").read_bytes()
    entered = []
    for line in zstandard.ZstdDecompressor().decompress(packed).splitlines():
        at_ms, _, body = line.partition(b" ")
        entered.append((datetime.fromtimestamp(int(at_ms) / 1000, UTC), INPUT.validate_json(body)))
    return entered


def read_said(name: str) -> str:
    return (HERE / f"{name}.said.jsonl").read_text()


def write_inputs(name: str, entered: Sequence[Entered]) -> None:
    packed = zstandard.ZstdCompressor(level=19).compress(inputs_as_bytes(entered))
    (HERE / f"{name}.inputs.jsonl.zst").write_bytes(packed)


def write_said(name: str, text: str) -> None:
    (HERE / f"{name}.said.jsonl").write_text(text)
