"""`python -m roads build FILE.osm.pbf OUT`: makes a map pack. `python -m roads check PACK`: proves one.
`python -m roads find PACK ADDRESS`: where that is. `python -m roads install NEW PACK`: for a van that drives.
"""

import argparse
import sys
import time
from pathlib import Path

from roads import swap
from roads.addresses import Addresses
from roads.errors import RoadsError
from roads.pack import MapPack, build_pack, open_pack


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m roads", description="Map packs: roads and base map of an area.")
    commands = parser.add_subparsers(dest="command", required=True)
    build = commands.add_parser("build", help="make a map pack of an OSM extract")
    build.add_argument("pbf", type=Path, metavar="FILE.osm.pbf")
    build.add_argument("out", type=Path, metavar="OUT", help="the folder of the pack; an older pack there is replaced")
    build.add_argument("--name", help="what screens call the area; default: the extract's name")
    build.add_argument("--no-tiles", action="store_true", help="leave the base map out (needs no tilemaker)")
    check = commands.add_parser("check", help="read a whole pack and compare its sums")
    check.add_argument("pack", type=Path)
    find = commands.add_parser("find", help="look an address up in a pack")
    find.add_argument("pack", type=Path)
    find.add_argument("address", nargs="+")
    install = commands.add_parser(
        "install", help="lay a new pack beside a van's, which goes over to it within a minute"
    )
    install.add_argument("new", type=Path)
    install.add_argument("pack", type=Path, help="the folder of the van's pack")
    arguments = parser.parse_args()

    started = time.monotonic()

    def say(step: str) -> None:
        print(f"{time.monotonic() - started:7.1f} s  {step}", flush=True)

    try:
        if arguments.command == "build":
            name = arguments.name or arguments.pbf.name.removesuffix(".osm.pbf")
            pack = build_pack(arguments.pbf, arguments.out, name, progress=say, with_tiles=not arguments.no_tiles)
        elif arguments.command == "find":
            return _find(open_pack(arguments.pack), " ".join(arguments.address))
        elif arguments.command == "install":
            swap.lay_beside(arguments.new, arguments.pack)
            print(
                f"laid beside: the van goes over to it, or says why not and keeps it as {swap.refused(arguments.pack)}"
            )
            return 0
        else:
            pack = open_pack(arguments.pack)
    except (RoadsError, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    west, south, east, north = pack.bounds
    print(f"{pack.name}: {south:.4f}..{north:.4f} N, {west:.4f}..{east:.4f} E, every file as it was made")
    return 0


def _find(pack: MapPack, query: str) -> int:
    if pack.places_path is None:
        print(f"{pack.folder} has no index of addresses: build it anew with scripts/mappack", file=sys.stderr)
        return 1
    with Addresses(pack.places_path) as addresses:
        found = addresses.search(query)
    for one in found:
        words = " ".join(part for part in (one.street, one.number, one.postcode, one.city) if part)
        print(f"{one.place.lat_deg:.6f}, {one.place.lon_deg:.6f}  {words}  ({one.precision})")
    if not found:
        print("no such street in this pack", file=sys.stderr)
    return 0 if found else 1


if __name__ == "__main__":
    sys.exit(main())
