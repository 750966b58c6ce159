"""Two recorded tracks as a picture, from the report of `scripts/bench gps`: what the van believed and what it did not.

Believed fixes are dots on a line, refused ones are crosses, halts are squares, so that no colour is needed to tell them
apart. The colours read on light and on dark.
"""

from collections.abc import Mapping, Sequence
from typing import Any

WIDTH, HEIGHT, TOP, PANEL = 1000, 520, 78, 470
STYLE = """
 text { font: 13px system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; fill: #57606a; }
 .title { font-size: 17px; font-weight: 600; fill: #1f2328; }
 .frame { stroke: #8c959f; stroke-opacity: .35; fill: none; }
 .way { fill: none; stroke: #2f81c7; stroke-opacity: .6; stroke-width: 1.4; } .dot { fill: #2f81c7; }
 .cross { stroke: #c9510c; stroke-width: 2.4; } .halt { fill: none; stroke: #1f2328; stroke-width: 2.2; }
 .scale { stroke: #57606a; stroke-width: 2; }
 @media (prefers-color-scheme: dark) {
  text { fill: #9aa4af; } .title { fill: #e6edf3; } .way { stroke: #7cc0f5; } .dot { fill: #7cc0f5; }
  .cross { stroke: #ff8a4c; } .halt { stroke: #e6edf3; } .scale { stroke: #9aa4af; }
 }
"""
WORDS = {
    "car-reno-2005-city": "A car in a town, 16 km",
    "quectel-eg25-g": "A modem that stands and sees three satellites",
}
type Point = tuple[float, float]


def svg(tracks: Mapping[str, Mapping[str, Any]]) -> str:
    """The picture; `tracks` as the report has them, in metres east and north of where each began."""
    shown = {name: track for name, track in tracks.items() if name in WORDS}
    refused = sum(len(track["refused"]) for track in shown.values())
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" '
        'aria-labelledby="title told">',
        '<title id="title">Recorded tracks as the van judged them</title>',
        f'<desc id="told">{len(shown)} tracks: believed fixes as dots on a line, {refused} refused ones as crosses, '
        "halts as squares.</desc>",
        f"<style>{STYLE}</style>",
        *_key(),
    ]
    for place, (name, track) in enumerate(shown.items()):
        parts += _panel(20 + place * (PANEL + 20), WORDS[name], track)
    return "\n".join([*parts, "</svg>"]) + "\n"


def _key() -> list[str]:
    return [
        '<text class="title" x="20" y="24">What a receiver said, and what was believed</text>',
        '<circle class="dot" cx="27" cy="45" r="4"/><text x="38" y="49">believed</text>',
        _cross((118, 45)),
        '<text x="130" y="49">refused</text>',
        '<rect class="halt" x="196" y="39" width="12" height="12"/><text x="216" y="49">arrived by dwell</text>',
    ]


def _panel(left: float, words: str, track: Mapping[str, Any]) -> list[str]:
    every = [*track["accepted"], *track["refused"]]
    lowest, highest = ([side(point[k] for point in every) for k in (0, 1)] for side in (min, max))
    tall = HEIGHT - TOP - 20
    metres = max((highest[0] - lowest[0]) / (PANEL - 60), (highest[1] - lowest[1]) / (tall - 70), 1e-3)

    def at(point: Sequence[float]) -> Point:
        return (
            round(left + PANEL / 2 + (point[0] - (lowest[0] + highest[0]) / 2) / metres, 1),
            round(TOP + tall / 2 - (point[1] - (lowest[1] + highest[1]) / 2) / metres, 1),
        )

    accepted = [at(point) for point in track["accepted"]]
    radius = 1.6 if len(accepted) > 100 else 3.6
    scale_m = next(step for step in (10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000) if step / metres > 50)
    wide, low = scale_m / metres, TOP + tall - 14
    parts = [
        f'<rect class="frame" x="{left}" y="{TOP}" width="{PANEL}" height="{tall}"/>',
        f'<text x="{left + 10}" y="{TOP + 20}">{words}</text>',
        f'<polyline class="way" points="{" ".join(f"{x},{y}" for x, y in accepted)}"/>',
        *(f'<circle class="dot" cx="{x}" cy="{y}" r="{radius}"/>' for x, y in accepted),
        *(_cross(at(point)) for point in track["refused"]),
    ]
    for point in track["halts"]:
        x, y = at(point)
        parts.append(f'<rect class="halt" x="{x - 6}" y="{y - 6}" width="12" height="12"/>')
    words = f"{scale_m} m" if scale_m < 1_000 else f"{scale_m // 1_000} km"
    parts.append(f'<line class="scale" x1="{left + 12}" y1="{low}" x2="{round(left + 12 + wide, 1)}" y2="{low}"/>')
    parts.append(f'<text x="{round(left + 20 + wide, 1)}" y="{low + 4}">{words}</text>')
    return parts


def _cross(at: Point) -> str:
    x, y = at
    return f'<path class="cross" d="M{x - 5} {y - 5}l10 10m0-10l-10 10"/>'
