"""Bytes a vehicle-day on the track lane: payload and on air, every breadcrumb or thinned, in batches of 60 and 300 s.

Packets are made by the van's own code. On air is counted per packet from the headers of IPv4, TCP with timestamps, TLS
1.3 and MQTT 5, with the broker's answer, the coordinator's receipt and the TCP acknowledgements; no radio overhead.
"""

import argparse
import math
import os
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

from agent.link.outbound import Sender, track_parcel
from benchmarks.figure import Figure, conclude
from benchmarks.machine import machine
from benchmarks.thinning import thinned
from benchmarks.town_day import town_fixes
from benchmarks.tracks import Track, read_logs, track
from wire import codec, topics
from wire.envelope import LaneReceipt, Receipts
from wire.track import Breadcrumb

DAY_S = 36_000.0
"""Ten hours, with a breadcrumb a second."""
TOLERANCE_M = 5.0
BATCHES_S = (60, 300)
IP_TCP_BYTES = 20 + 32
TLS_RECORD_BYTES = 5 + 1 + 16
SEGMENT_BYTES = 1_388
"""What a TCP segment carries under the 1,440-byte MTU that mobile networks often have."""
PUBACK_BYTES = 4
LOSSLESS_MB, THINNED_MB = 0.35, 0.1
EPOCH = "0123456789abcdef"


@dataclass(frozen=True)
class _Row:
    epoch: str
    seq: int
    record_json: str


def main(argv: list[str]) -> int:
    """Runs the benchmark, prints the figures and writes the report. 2 when the tracks cannot be read."""
    parser = argparse.ArgumentParser(prog="scripts/bench uplink", description=__doc__)
    data = os.environ.get("ROUNDSMAN_DATA")
    logs = Path(data) / "nmea" if data else None
    parser.add_argument(
        "--tracks", type=Path, default=logs, help="folder of NMEA logs beside the town's day; $ROUNDSMAN_DATA/nmea"
    )
    parser.add_argument("--hours", type=float, default=10.0, help="of the town's day")
    parser.add_argument("--seed", type=int, default=1, help="of the town's day")
    parser.add_argument("--report", type=Path, help="file for the rows as JSON")
    arguments = parser.parse_args(argv)
    at_start = machine(["scripts/bench", "uplink", *argv], ["zstandard"])
    try:
        tracks = [track("town-day", town_fixes(arguments.hours, arguments.seed))]
        tracks += read_logs(arguments.tracks) if arguments.tracks else []
    except (OSError, ValueError) as error:
        print(f"the tracks cannot be read: {error}", file=sys.stderr)
        return 2
    rows = [row for one in tracks for row in measured(one)]
    notes = [f"{one.name}: {len(one.crumbs)} breadcrumbs over {one.spans_s / 3600:.2f} h" for one in tracks]
    notes += [
        "the agent sends every breadcrumb, in batches of 60 s; 300 s is what a backlog is sent in",
        "thinning to 5 m is counted here and not done by the agent",
        "a log is scaled to 10 h: every crumb as if it came once a second, thinned by its time (a day without a halt)",
    ]
    conclude(_figures(rows), rows, at_start, arguments.report, notes)
    return 0


def measured(one: Track) -> list[dict[str, Any]]:
    """A row for each scheme and batch length, scaled to a vehicle-day.

    Every crumb scales with how many there are, as if a slower receiver gave one a second as well; of a thinned track
    a faster receiver keeps no more, so that scales with time.
    """
    rows = []
    schemes = (
        ("every crumb", one.crumbs, DAY_S / len(one.crumbs)),
        ("thinned to 5 m", thinned(one.crumbs, TOLERANCE_M), DAY_S / one.spans_s),
    )
    for scheme, crumbs, days in schemes:
        for batch_s in BATCHES_S:
            packets = list(_packets(crumbs, batch_s))
            scale = days / 1e6
            rows.append(
                {
                    "track": one.name,
                    "scheme": scheme,
                    "batch_s": batch_s,
                    "crumbs": len(crumbs),
                    "packets": len(packets),
                    "payload_bytes": sum(map(len, packets)),
                    "payload_mb_day": round(sum(map(len, packets)) * scale, 4),
                    "on_air_mb_day": round(sum(map(on_air_bytes, packets)) * scale, 4),
                }
            )
    return rows


def on_air_bytes(packet: bytes) -> int:
    """What a published packet costs in both directions, its answers and their acknowledgements included."""
    receipt = codec.encode(Receipts(epoch=EPOCH, lanes={"track": LaneReceipt(contiguous_seq=round(DAY_S))}))
    up = _mqtt_bytes(topics.TRACK, packet) + TLS_RECORD_BYTES
    down = _mqtt_bytes(topics.RECEIPTS, receipt) + TLS_RECORD_BYTES
    segments = math.ceil(up / SEGMENT_BYTES)
    answers = 2 * (PUBACK_BYTES + TLS_RECORD_BYTES + IP_TCP_BYTES)  # the broker's for ours, ours for the receipt
    acknowledgements = math.ceil(segments / 2) * IP_TCP_BYTES + IP_TCP_BYTES
    return up + segments * IP_TCP_BYTES + down + IP_TCP_BYTES + answers + acknowledgements


def _packets(crumbs: Sequence[Breadcrumb], batch_s: int) -> Iterable[bytes]:
    seq = 1
    for _, group in groupby(crumbs, key=lambda crumb: crumb.wall_ms // (1000 * batch_s)):
        rows = [_Row(EPOCH, seq + place, crumb.model_dump_json()) for place, crumb in enumerate(group)]
        seq += len(rows)
        yield track_parcel(Sender("van-1", 1), rows).packet


def _mqtt_bytes(topic: topics.Topic, payload: bytes) -> int:
    # Fixed header and length, length of the topic, topic, packet id, no properties, payload.
    body = 2 + len(topic.of("town", "van-1")) + 2 + 1 + len(payload)
    return 1 + (1 if body < 128 else 2 if body < 16_384 else 3) + body


def _figures(rows: Sequence[dict[str, Any]]) -> list[Figure]:
    figures = []
    for row in rows:
        must = LOSSLESS_MB if row["scheme"] == "every crumb" else THINNED_MB
        name = f"{row['track']}, {row['scheme']}, batches of {row['batch_s']} s"
        asked = must if row["batch_s"] == max(BATCHES_S) else None
        figures.append(Figure(f"{name}: payload", row["payload_mb_day"], "MB a vehicle-day", at_most=asked))
        figures.append(Figure(f"{name}: on air", row["on_air_mb_day"], "MB a vehicle-day"))
    return figures
