"""A day with and without stability as a picture, from the report of `scripts/bench stability`.

Time of day runs to the right and, downwards, the time at which the van expects to be at each stop. A stop is a line
from the first plan to the moment the van comes, which lies on the diagonal: flat where its customer can rely on what
was said. The colours read on light and on dark.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

WIDTH, HEIGHT = 1000, 560
TOP, SIDE, PANEL, GAP, TALL = 112, 62, 425, 44, 380
SLANT_MIN = 3.0
"""A change is drawn as a slope of so many minutes, so that the eye can follow a line through it."""
HAPPENED = {
    "traffic": ("slower", "traffic"),
    "bridge": ("a bridge", "closes"),
    "order": ("a new", "order"),
    "failed": ("nobody", "at home"),
}
type Point = tuple[float, float]
STYLE = """
 text { font: 13px system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; fill: #57606a; }
 .title { font-size: 17px; font-weight: 600; fill: #1f2328; }
 .mark { font-size: 11px; }
 .frame { stroke: #8c959f; stroke-opacity: .35; fill: none; }
 .event { stroke: #8c959f; stroke-opacity: .8; stroke-dasharray: 2 4; }
 .calm, .told { fill: none; stroke-linejoin: round; stroke-linecap: round; }
 .calm { stroke: #6e7f91; stroke-opacity: .62; stroke-width: 1.3; }
 .told { stroke: #d9622b; stroke-width: 1.9; }
 .came { fill: #6e7f91; } .came.told { fill: #d9622b; stroke: none; }
 @media (prefers-color-scheme: dark) {
  text { fill: #9aa4af; } .title { fill: #e6edf3; }
  .calm { stroke: #9fb0c3; } .told { stroke: #ff8a4c; } .came { fill: #9fb0c3; } .came.told { fill: #ff8a4c; }
 }
"""


def svg(day: Mapping[str, Any]) -> str:
    """The picture; `day` as the report has it."""
    ends = [minute(stop["came"]) for side in ("on", "off") for stop in day[side]["stops"].values()]
    last = 60 * -(-max(ends) // 60)
    first = 60 * (min(minute(at) for at, _ in day["happened"]) // 60 - 1)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" '
        'aria-labelledby="title told">',
        '<title id="title">One day of one van, stability off and on</title>',
        f'<desc id="told">{_in_words(day)}</desc>',
        f"<style>{STYLE}</style>",
    ]
    for number, (side, title) in enumerate((("off", "Stability off"), ("on", "Stability on"))):
        parts += _panel(day, side, title, SIDE + number * (PANEL + GAP), (first, last))
    middle = TOP + TALL / 2
    parts.append(
        f'<text x="16" y="{middle}" text-anchor="middle" transform="rotate(-90 16 {middle})">'
        "the van expects to be there at</text>"
    )
    base = HEIGHT - 12
    parts += [
        f'<line class="calm" x1="{SIDE}" y1="{base - 4}" x2="{SIDE + 26}" y2="{base - 4}"/>',
        f'<text x="{SIDE + 34}" y="{base}">a stop, from the first plan until the van comes</text>',
        f'<line class="told" x1="{SIDE + 380}" y1="{base - 4}" x2="{SIDE + 406}" y2="{base - 4}"/>',
        f'<text x="{SIDE + 414}" y="{base}">from where its customer was told another time</text>',
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def minute(clock: str) -> int:
    """Minutes after midnight of HH:MM."""
    hours, minutes = clock.split(":")
    return 60 * int(hours) + int(minutes)


def line_of(stop: Mapping[str, str]) -> list[Point]:
    """The line of a stop as (time of day, expected arrival) in minutes; it ends where the van comes."""
    steps = [tuple(map(minute, step.split(">"))) for step in stop["expected"].split()]
    came = minute(stop["came"])
    points: list[Point] = [(steps[0][0], steps[0][1])]
    for at, then in steps[1:]:
        before = points[-1]
        points += [(max(before[0], at - SLANT_MIN), before[1]), (at, then)]
    end = (max(came, points[-1][0]), came)
    points += [(max(points[-1][0], end[0] - SLANT_MIN), points[-1][1]), end]
    return points


def parted(line: Sequence[Point], told_again: str) -> tuple[list[Point], list[Point]]:
    """The line until its customer is first told another time, and from there on."""
    if not told_again:
        return list(line), []
    told = minute(told_again.split(maxsplit=1)[0])
    before = [point for point in line if point[0] < told]
    return before, [*before[-1:], *line[len(before) :]]


def _panel(day: Mapping[str, Any], side: str, title: str, left: float, hours: tuple[int, int]) -> Iterator[str]:
    first, last = hours

    def x(at: float) -> float:
        return round(left + PANEL * (at - first) / (last - first), 1)

    def y(at: float) -> float:
        return round(TOP + TALL * (at - first) / (last - first), 1)

    figures = day[side]["figures"]
    yield f'<text class="title" x="{left}" y="24">{title}</text>'
    yield (f'<text x="{left}" y="46">{_counted(figures)}</text>')
    yield f'<rect class="frame" x="{left}" y="{TOP}" width="{PANEL}" height="{TALL}"/>'
    for hour in range(first, last + 1, 60):
        clock = f"{hour // 60:02d}:00"
        yield f'<text class="mark" x="{x(hour)}" y="{TOP + TALL + 18}" text-anchor="middle">{clock}</text>'
        if side == "off":
            yield f'<text class="mark" x="{left - 8}" y="{y(hour) + 4}" text-anchor="end">{clock}</text>'
    for at, what in _marks(day, side):
        yield f'<line class="event" x1="{x(at)}" y1="{TOP - 6}" x2="{x(at)}" y2="{TOP + TALL}"/>'
        for row, words in enumerate(HAPPENED[what]):
            yield f'<text class="mark" x="{x(at)}" y="{TOP - 24 + 13 * row}" text-anchor="middle">{words}</text>'
    # The loud ones last, so that they lie on top.
    for stop in sorted(day[side]["stops"].values(), key=lambda one: bool(one["told_again"])):
        kind = "told" if stop["told_again"] else "calm"
        line = line_of(stop)
        for part, points in zip(("calm", "told"), parted(line, stop["told_again"]), strict=True):
            if len(points) > 1:
                drawn = " ".join(f"{x(at)},{y(then)}" for at, then in points)
                yield f'<polyline class="{part}" points="{drawn}"/>'
        yield f'<circle class="came {kind}" cx="{x(line[-1][0])}" cy="{y(line[-1][1])}" r="2"/>'


def _marks(day: Mapping[str, Any], side: str) -> Sequence[tuple[int, str]]:
    """What happened, as far as there is room for its words: who was not at home is left out beside another mark."""
    marks = [(minute(at), what) for at, what in day["happened"]]
    failed = minute(day[side]["failed"])
    return [*marks, *([(failed, "failed")] if all(abs(failed - at) > 35 for at, _ in marks) else [])]


def _in_words(day: Mapping[str, Any]) -> str:
    told = [f"stability {side}: {_counted(day[side]['figures'])}" for side in ("off", "on")]
    return f"When the van expects to be at each stop, as it changes over the day. {'; '.join(told)}."


def _counted(figures: Mapping[str, Any]) -> str:
    return f"stops moved: {figures['moved_stops']}; another time told to a customer: {figures['moved_promises']}"
