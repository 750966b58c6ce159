"""The picture of the map: an OSM extract made into MBTiles by Debian's tilemaker, in the OpenMapTiles schema."""

import gzip
import json
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

from roads.errors import BuildError

EXAMPLES = Path("/usr/share/doc/tilemaker/examples")
CONFIG = "config-openmaptiles.json"
SCRIPT = "process-openmaptiles.lua"


def build_tiles(
    pbf: Path, out: Path, bounds: Sequence[float], work_dir: Path, run: Callable[[Sequence[str], Path], None]
) -> None:
    """Writes `out`. Raises BuildError when tilemaker or its OpenMapTiles example is missing, or fails."""
    if shutil.which("tilemaker") is None:
        raise BuildError(
            "tilemaker is missing: `apt-get install tilemaker`, or build without the base map (--no-tiles)"
        )
    config = json.loads(_example(CONFIG))
    # Layers with a source need shapefiles (ocean, glaciers) that nobody packages.
    config["layers"] = {name: layer for name, layer in config["layers"].items() if "source" not in layer}
    config_file, script_file = work_dir / "tiles.json", work_dir / "tiles.lua"
    config_file.write_text(json.dumps(config))
    script_file.write_text(_example(SCRIPT))
    box = ",".join(str(edge) for edge in bounds)  # counts only where the extract's header has none
    in_and_out = ["--input", str(pbf), "--output", str(out), "--bbox", box]
    run(["tilemaker", *in_and_out, "--config", str(config_file), "--process", str(script_file)], work_dir)
    if not out.is_file():
        raise BuildError("tilemaker ended well and wrote no tiles: is the extract empty?")


def _example(name: str) -> str:
    plain, packed = EXAMPLES / name, EXAMPLES / f"{name}.gz"
    if plain.is_file():
        return plain.read_text()
    if packed.is_file():
        return gzip.decompress(packed.read_bytes()).decode()
    raise BuildError(
        f"tilemaker's example {name} is not in {EXAMPLES}: install Debian's tilemaker package with its docs"
    )
