"""A day of an electric van as a picture, from the report of `scripts/bench energy`.

Hours run to the right and kWh upwards. The line is what is expected in the battery, the band below it reaches to what
95 of 100 vans have at least; it narrows to nothing at a charger, whose display ends all doubt. The colours read on
light and on dark.
"""

from collections.abc import Iterator, Mapping
from typing import Any

WIDTH, HEIGHT = 1000, 430
LEFT, RIGHT, TOP, BASE = 62, 968, 62, 330
STYLE = """
 text { font: 13px system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; fill: #57606a; }
 .title { font-size: 17px; font-weight: 600; fill: #1f2328; }
 .frame { stroke: #8c959f; stroke-opacity: .35; fill: none; }
 .band { fill: #2f7dd1; fill-opacity: .22; }
 .line { fill: none; stroke: #2f7dd1; stroke-width: 2; stroke-linejoin: round; }
 .reserve { stroke: #d9622b; stroke-width: 1.6; stroke-dasharray: 6 5; }
 .plugged { fill: #8c959f; fill-opacity: .16; }
 .stop { fill: #6e7f91; }
 @media (prefers-color-scheme: dark) {
  text { fill: #9aa4af; } .title { fill: #e6edf3; } .band { fill: #6cb0f5; } .line { stroke: #6cb0f5; }
  .reserve { stroke: #ff8a4c; } .stop { fill: #9fb0c3; }
 }
"""


def svg(day: Mapping[str, Any]) -> str:
    """The picture; `day` as the report has it."""
    hours = int(-(-day["line"][-1][0] // 3600))
    battery_kwh = float(day["battery_kwh"])

    def x(at_s: float) -> float:
        return round(LEFT + (RIGHT - LEFT) * at_s / (3600 * hours), 1)

    def y(kwh: float) -> float:
        return round(BASE - (BASE - TOP) * kwh / battery_kwh, 1)

    above = " ".join(f"{x(at_s)},{y(kwh)}" for at_s, kwh, _ in day["line"])
    below = " ".join(f"{x(at_s)},{y(least_kwh)}" for at_s, _, least_kwh in reversed(day["line"]))
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" '
        'aria-labelledby="title told">',
        '<title id="title">The battery over one day of one van</title>',
        f'<desc id="told">{_in_words(day)}</desc>',
        f"<style>{STYLE}</style>",
        f'<text class="title" x="{LEFT}" y="24">The battery over a day</text>',
        f'<text x="{LEFT}" y="46">{_in_words(day)}</text>',
        f'<rect class="frame" x="{LEFT}" y="{TOP}" width="{RIGHT - LEFT}" height="{BASE - TOP}"/>',
        *(
            f'<rect class="plugged" x="{x(from_s)}" y="{TOP}" width="{round(x(to_s) - x(from_s), 1)}" '
            f'height="{BASE - TOP}"/>'
            for from_s, to_s in day["charges"]
        ),
        f'<polygon class="band" points="{above} {below}"/>',
        f'<polyline class="line" points="{above}"/>',
        f'<line class="reserve" x1="{LEFT}" y1="{y(day["reserve_kwh"])}" x2="{RIGHT}" y2="{y(day["reserve_kwh"])}"/>',
        *(f'<circle class="stop" cx="{x(at_s)}" cy="{BASE}" r="4"/>' for at_s in day["stops"]),
        *_scales(day, hours, x, y),
        *_legend(),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def _scales(day: Mapping[str, Any], hours: int, x: Any, y: Any) -> Iterator[str]:
    for hour in range(hours + 1):
        yield f'<text x="{x(3600 * hour)}" y="{BASE + 22}" text-anchor="middle">{hour} h</text>'
    for kwh in range(0, int(day["battery_kwh"]) + 1, 10):
        yield f'<text x="{LEFT - 10}" y="{y(kwh) + 4}" text-anchor="end">{kwh}</text>'
    middle = (TOP + BASE) / 2
    yield f'<text x="20" y="{middle}" text-anchor="middle" transform="rotate(-90 20 {middle})">kWh</text>'


def _legend() -> Iterator[str]:
    base = BASE + 54
    yield f'<line class="line" x1="{LEFT}" y1="{base - 4}" x2="{LEFT + 26}" y2="{base - 4}"/>'
    yield f'<text x="{LEFT + 34}" y="{base}">expected</text>'
    yield f'<rect class="band" x="{LEFT + 130}" y="{base - 12}" width="26" height="14"/>'
    yield f'<text x="{LEFT + 164}" y="{base}">down to what 95 of 100 vans have</text>'
    yield f'<line class="reserve" x1="{LEFT + 410}" y1="{base - 4}" x2="{LEFT + 436}" y2="{base - 4}"/>'
    yield f'<text x="{LEFT + 444}" y="{base}">the reserve</text>'
    yield f'<rect class="plugged" x="{LEFT + 550}" y="{base - 12}" width="26" height="14"/>'
    yield f'<text x="{LEFT + 584}" y="{base}">at a charger</text>'
    yield f'<circle class="stop" cx="{LEFT + 708}" cy="{base - 4}" r="4"/>'
    yield f'<text x="{LEFT + 720}" y="{base}">a stop</text>'


def _in_words(day: Mapping[str, Any]) -> str:
    line, charges = day["line"], day["charges"]
    minutes = round(sum(to_s - from_s for from_s, to_s in charges) / 60)
    return (
        f"{len(day['stops'])} stops, {minutes} minutes at {'a charger' if len(charges) == 1 else 'chargers'};"
        f" the van sets out with {line[0][1]:.0f} kWh of {day['battery_kwh']:.0f}, and 95 of 100 vans come home with"
        f" {line[-1][2]:.1f} kWh or more, where {day['reserve_kwh']:.1f} are the reserve."
    )
