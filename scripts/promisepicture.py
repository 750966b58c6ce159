"""Arrival ranges of one day as a picture, from the report of `scripts/bench promise`.

Time of day runs to the right and, downwards, the time at which the van is expected. Each band is one stop, from p10 to
p90 as it was said each half hour, with the expected time in its middle; the dot is the moment the van came, and the
band ends on the diagonal there. The colours read on light and on dark.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

WIDTH, HEIGHT = 1000, 640
LEFT, TOP, WIDE, TALL = 78, 58, 890, 500
STYLE = """
 text { font: 13px system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; fill: #57606a; }
 .title { font-size: 17px; font-weight: 600; fill: #1f2328; }
 .frame { stroke: #8c959f; stroke-opacity: .35; fill: none; }
 .now { stroke: #8c959f; stroke-opacity: .8; stroke-dasharray: 2 4; }
 .band { fill: #2f81c7; fill-opacity: .26; } .middle { fill: none; stroke: #2f81c7; stroke-width: 1.6; }
 .came { fill: #1f2328; } .missed { fill: #d9622b; }
 @media (prefers-color-scheme: dark) {
  text { fill: #9aa4af; } .title { fill: #e6edf3; }
  .band { fill: #5aa9e6; } .middle { stroke: #7cc0f5; } .came { fill: #e6edf3; } .missed { fill: #ff8a4c; }
 }
"""
type Point = tuple[float, float]
type Scale = Callable[[float], float]


def svg(day: Mapping[str, Any]) -> str:
    """The picture; `day` as the report has it, its times in minutes after the day's begin."""
    stops = list(day["stops"].values())
    ends = [float(end) for stop in stops for end in (stop["came"], *(said[3] for said in stop["said"]))]
    last = 60 * int(-(-max(ends) // 60))

    def x(at: float) -> float:
        return round(LEFT + WIDE * at / last, 1)

    def y(at: float) -> float:
        return round(TOP + TALL * at / last, 1)

    held = sum(p10 <= stop["came"] <= p90 for stop in stops for _, p10, _, p90 in stop["said"])
    looks = sum(len(stop["said"]) for stop in stops)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" '
        'aria-labelledby="title told">',
        '<title id="title">Arrival ranges of one day</title>',
        f'<desc id="told">For {len(stops)} stops of one day, the range in which the van was expected, as it was said '
        f"each half hour. The ranges narrow as the van comes nearer; {held} of {looks} held the moment it came.</desc>",
        f"<style>{STYLE}</style>",
        f'<text class="title" x="{LEFT}" y="24">A day whose visits take longer or shorter than ever before</text>',
        f'<text x="{LEFT}" y="44">{len(stops)} of its stops; {held} of {looks} ranges held</text>',
        f'<rect class="frame" x="{LEFT}" y="{TOP}" width="{WIDE}" height="{TALL}"/>',
        f'<line class="now" x1="{x(0)}" y1="{y(0)}" x2="{x(last)}" y2="{y(last)}"/>',
        *_hours(day["begins"], last, x, y),
    ]
    for stop in stops:
        parts += _stop(stop, x, y)
    middle = TOP + TALL / 2
    parts += [
        f'<text x="16" y="{middle}" text-anchor="middle" transform="rotate(-90 16 {middle})">'
        "the van is expected at</text>",
        f'<text x="{LEFT + WIDE / 2}" y="{HEIGHT - 42}" text-anchor="middle">said at</text>',
        *_legend(HEIGHT - 14),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def band_of(stop: Mapping[str, Any]) -> list[Point]:
    """The outline of a stop's band: along p10, to the moment it came, and back along p90."""
    said = stop["said"]
    came = (stop["came"], stop["came"])
    return [*((at, p10) for at, p10, _, _ in said), came, *((at, p90) for at, _, _, p90 in reversed(said))]


def _stop(stop: Mapping[str, Any], x: Scale, y: Scale) -> Iterator[str]:
    said, came = stop["said"], stop["came"]
    yield f'<polygon class="band" points="{_drawn(band_of(stop), x, y)}"/>'
    middle = [*((at, p50) for at, _, p50, _ in said), (came, came)]
    yield f'<polyline class="middle" points="{_drawn(middle, x, y)}"/>'
    for at, p10, p50, p90 in said:
        if not p10 <= came <= p90:
            yield f'<circle class="missed" cx="{x(at)}" cy="{y(p50)}" r="3"/>'
    yield f'<circle class="came" cx="{x(came)}" cy="{y(came)}" r="4"/>'


def _drawn(points: Sequence[Point], x: Scale, y: Scale) -> str:
    return " ".join(f"{x(at)},{y(then)}" for at, then in points)


def _hours(begins: str, last: int, x: Scale, y: Scale) -> Iterator[str]:
    first = 60 * int(begins[:2]) + int(begins[3:])
    for minute in range(0, last + 1, 60):
        clock = f"{(first + minute) // 60 % 24:02d}:{(first + minute) % 60:02d}"
        yield f'<text x="{x(minute)}" y="{TOP + TALL + 18}" text-anchor="middle">{clock}</text>'
        yield f'<text x="{LEFT - 8}" y="{y(minute) + 4}" text-anchor="end">{clock}</text>'


def _legend(base: float) -> Iterator[str]:
    yield f'<rect class="band" x="{LEFT}" y="{base - 10}" width="26" height="12"/>'
    yield f'<text x="{LEFT + 34}" y="{base}">from p10 to p90, p50 between</text>'
    yield f'<circle class="came" cx="{LEFT + 290}" cy="{base - 4}" r="4"/>'
    yield f'<text x="{LEFT + 302}" y="{base}">the van came</text>'
    yield f'<circle class="missed" cx="{LEFT + 440}" cy="{base - 4}" r="3"/>'
    yield f'<text x="{LEFT + 452}" y="{base}">said here, and it came outside</text>'
    yield f'<line class="now" x1="{LEFT + 680}" y1="{base - 4}" x2="{LEFT + 706}" y2="{base - 4}"/>'
    yield f'<text x="{LEFT + 714}" y="{base}">now</text>'
