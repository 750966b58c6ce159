"""A morning's orders for a fleet: who gets what, where and when, as the CSV a shipper would hand in.

Each van's stops lie together, and every window holds the moment a plain nearest-door-first round would be there, so a
sensible plan keeps nearly all of them.
"""

import csv
import io
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from datetime import date, datetime, time, timedelta
from math import cos, radians
from random import Random

from simulator import names
from simulator.town import TownAddress
from wire.geo import Place, distance_m

REACH_M = 3_000.0
"""Orders are at addresses within this distance of the depot, or at the nearest ones when there are too few."""
SETUP_S = 60.0
_DETOUR = 1.5
_SPEED_MPS = 6.5
_FIVE_MINUTES = timedelta(minutes=5)


class TooFewAddressesError(ValueError):
    """The map has fewer doors than the round has stops."""


@dataclass(frozen=True, slots=True)
class Order:
    """One row of the file; the fields are its columns."""

    order_ref: str
    day: date
    kind: str
    name: str
    phone: str
    number: str
    street: str
    postcode: str
    city: str
    lat_deg: float
    lon_deg: float
    opens: str
    closes: str
    is_hard: str
    service_s: int
    parcels: int
    weight_kg: float
    volume_l: float
    items: str
    instruction: str
    proof: str


def make_orders(
    addresses: Sequence[TownAddress],
    depot: Place,
    *,
    seed: int,
    day: date,
    vans: int = 3,
    stops_per_van: int | None = None,
    starts: time = time(8, 0),
) -> tuple[Order, ...]:
    """Orders for that many vans, each `stops_per_van` (by default 15 to 18); `starts`: local time, vans leave then.

    Raises TooFewAddressesError.
    """
    rng = Random(seed)  # noqa: S311 - a morning, not a key
    counts = [stops_per_van or rng.randint(15, 18) for _ in range(vans)]
    nearby = _nearby(addresses, depot, sum(counts))
    people = rng.sample(names.PEOPLE, len(names.PEOPLE))
    orders: list[Order] = []
    for doors, count in zip(_shares(nearby, counts, rng), counts, strict=True):
        at = datetime.combine(day, starts) + timedelta(minutes=5)
        here = depot
        for door in _nearest_first(rng.sample(doors, count), depot):
            at += timedelta(seconds=distance_m(here, door.place) * _DETOUR / _SPEED_MPS)
            service_s = rng.randrange(60, 151, 10)
            is_hard = rng.random() < 0.1
            window = _window(at, is_hard, datetime.combine(day, starts), rng)
            items = rng.sample(names.ITEMS, rng.choice((1, 1, 1, 2, 3)))
            number = len(orders) + 1
            orders.append(
                Order(
                    order_ref=f"{day:%m%d}-{number:03d}",
                    day=day,
                    kind="delivery",
                    name=people[number % len(people)],
                    phone=f"+351 900 000 {number % 1000:03d}",
                    **asdict(door),
                    opens=f"{window[0]:%H:%M}",
                    closes=f"{window[1]:%H:%M}",
                    is_hard="yes" if is_hard else "no",
                    service_s=service_s,
                    parcels=len(items),
                    weight_kg=round(rng.uniform(0.4, 9.0) * len(items), 1),
                    volume_l=round(rng.uniform(2.0, 30.0) * len(items), 1),
                    items="|".join(items),
                    instruction=rng.choice(names.INSTRUCTIONS) if rng.random() < 0.4 else "",
                    proof="photo" if rng.random() < 0.2 else "signature|photo",
                )
            )
            at += timedelta(seconds=SETUP_S + service_s)
            here = door.place
    # The shipper's file is in no useful order.
    return tuple(rng.sample(orders, len(orders)))


def to_csv(orders: Sequence[Order]) -> str:
    """The file's text, header first."""
    text = io.StringIO()
    writer = csv.DictWriter(text, [field.name for field in fields(Order)], lineterminator="\n")
    writer.writeheader()
    writer.writerows(asdict(order) for order in orders)
    return text.getvalue()


def _window(at: datetime, is_hard: bool, starts_at: datetime, rng: Random) -> tuple[datetime, datetime]:
    """Around the moment of a plain round's visit, in steps of five minutes; 30 minutes to two hours."""
    minutes = rng.choice((60, 90, 120)) if is_hard else rng.choice((30, 45, 60, 60, 90, 90, 120, 120))
    width = timedelta(minutes=minutes)
    opens_at = _floor(max(starts_at, at - width * rng.uniform(0.3, 0.6)))
    return opens_at, max(opens_at + width, _floor(at) + 3 * _FIVE_MINUTES)


def _floor(at: datetime) -> datetime:
    return at - timedelta(minutes=at.minute % 5, seconds=at.second, microseconds=at.microsecond)


def _nearby(addresses: Sequence[TownAddress], depot: Place, needed: int) -> list[TownAddress]:
    """One address a door, nearest first; at least six times as many as needed where the map has them."""
    doors = {(door.lat_deg, door.lon_deg): door for door in addresses}
    by_distance = sorted((distance_m(door.place, depot), key) for key, door in doors.items())
    if len(by_distance) < needed:
        raise TooFewAddressesError(f"the map has {len(by_distance)} addresses; {needed} stops were asked for")
    within = sum(away_m <= REACH_M for away_m, _ in by_distance)
    return [doors[key] for _, key in by_distance[: max(within, 6 * needed)]]


def _shares(doors: Sequence[TownAddress], counts: Sequence[int], rng: Random) -> list[list[TownAddress]]:
    """Splits the doors into one neighbourhood for each van (k-means), each with at least as many as it needs."""
    squeeze = cos(radians(doors[0].lat_deg))

    def spot(door: TownAddress) -> tuple[float, float]:
        return door.lat_deg, door.lon_deg * squeeze

    middles = [spot(door) for door in rng.sample(list(doors), len(counts))]
    shares: list[list[TownAddress]] = []
    for _ in range(12):
        shares = [[] for _ in counts]
        for door in doors:
            lat, lon = spot(door)
            away = [(lat - mid_lat) ** 2 + (lon - mid_lon) ** 2 for mid_lat, mid_lon in middles]
            shares[away.index(min(away))].append(door)
        middles = [
            (sum(spot(door)[0] for door in share) / len(share), sum(spot(door)[1] for door in share) / len(share))
            if share
            else middle
            for share, middle in zip(shares, middles, strict=True)
        ]
    if any(len(share) < count for share, count in zip(shares, counts, strict=True)):
        by_lon = sorted(doors, key=lambda door: door.lon_deg)  # too lumpy a map: strips from west to east
        ends = [round(len(by_lon) * sum(counts[: k + 1]) / sum(counts)) for k in range(len(counts))]
        return [by_lon[start:end] for start, end in zip([0, *ends], ends, strict=False)]
    return shares


def _nearest_first(doors: Sequence[TownAddress], start: Place) -> list[TownAddress]:
    left, here, ordered = list(doors), start, []
    while left:
        nearest = min(left, key=lambda door: distance_m(door.place, here))
        left.remove(nearest)
        ordered.append(nearest)
        here = nearest.place
    return ordered
