"""The ground a run is driven on: the made-up town, or any real extract; its doors, depot, orders and time zone."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, time
from pathlib import Path

from simulator import osmfile
from simulator.orders import make_orders, to_csv
from simulator.stage import CACHE
from simulator.town import Bridge, TownAddress, make_town
from wire.geo import Place

TOWN_SEED = 1
"""The town stays the same, so that its map pack is made once; orders and drivers follow the run's seed."""


@dataclass(frozen=True)
class Ground:
    name: str
    pbf: Path
    depot: Place
    addresses: tuple[TownAddress, ...]
    bridges: tuple[Bridge, ...]
    """Bridges a scenario can close; only the made-up town knows any."""
    timezone: str

    def orders_csv(self, *, seed: int, day: date, vans: int, stops_per_van: int, starts: time) -> str:
        return to_csv(
            make_orders(
                self.addresses,
                self.depot,
                seed=seed,
                day=day,
                vans=vans,
                stops_per_van=stops_per_van,
                starts=starts,
            )
        )


def town(centre: Place | None = None) -> Ground:
    """The made-up town, written as a real extract into the cache; at home, or around another centre.

    Raises ValueError where no town can be (`make_town`).
    """
    made = make_town(TOWN_SEED) if centre is None else make_town(TOWN_SEED, centre)
    pbf = CACHE / ("town.osm.pbf" if centre is None else f"town-{centre.lat_deg:g}-{centre.lon_deg:g}.osm.pbf")
    pbf.parent.mkdir(parents=True, exist_ok=True)
    osmfile.write_town(made, pbf)
    timezone = "Europe/Lisbon" if centre is None else nautical_zone(centre)
    return Ground(made.name, pbf, made.depot, made.addresses, made.bridges, timezone)


def extract(pbf: Path, progress: Callable[[str], None]) -> Ground:
    """A real extract. The depot is where its doors are densest; the time zone is the nautical one of its longitude.

    Raises `osmfile.MapFileError` when the file is no extract.
    """
    progress("reading addresses")
    addresses = osmfile.read_addresses(pbf)
    depot = osmfile.densest_spot(addresses)
    return Ground(pbf.name.split(".")[0], pbf, depot, addresses, (), nautical_zone(depot))


def nautical_zone(place: Place) -> str:
    """The time zone by longitude alone."""
    hours_east = round(place.lon_deg / 15)
    return f"Etc/GMT{-hours_east:+d}" if hours_east else "Etc/GMT"  # POSIX signs: GMT-1 is one hour east
