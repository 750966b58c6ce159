"""`python -m agent.gps replay FILE.nmea`: a recorded drive through the judge of the van. The report goes to standard
output and is the same for the same file; exit 2, with one line why, for a file that cannot be read. With `--gpsd` a
real gpsd reads the file (`gpsfake`), which dates it its own way and works out speeds that are missing.

The last line: `fixes=.. accepted=.. refused=.. distance_m=.. largest_step_m=..`.
"""

import subprocess
import sys
from datetime import timedelta
from pathlib import Path

from agent.gps.gpsd import parse_tpv
from agent.gps.nmea import Epoch, Log
from agent.gps.replay import lines, replayed

USAGE = """usage: python -m agent.gps replay [--gpsd] FILE.nmea [DWELL_S]
  DWELL_S: how long a halt must last to count as an arrival; 20 when it is not said"""
LONGEST_DWELL_S = 86_400


def main(arguments: list[str]) -> int:
    """The exit code."""
    through_gpsd = arguments[1:2] == ["--gpsd"]
    match [one for one in arguments if one != "--gpsd"] if through_gpsd else arguments:
        case ["replay", file, *rest] if len(rest) <= 1:
            dwell = rest[0] if rest else "20"
        case _:
            print(USAGE, file=sys.stderr)
            return 2
    if not dwell.isdecimal() or not 0 < int(dwell) <= LONGEST_DWELL_S:
        print(f"gps: {dwell} is no time to stand: say whole seconds", file=sys.stderr)
        return 2
    log = Log()
    try:
        content = Path(file).read_bytes()
        epochs = _told_by_gpsd(file) if through_gpsd else tuple(log.epochs(content.splitlines()))
    except OSError as error:
        print(f"gps: {error.filename}: {error.strerror}", file=sys.stderr)
        return 2
    drive = replayed(epochs, come_after=timedelta(seconds=int(dwell)))
    for line in lines(drive, log.damaged):
        print(line)
    return 0


def _told_by_gpsd(file: str) -> tuple[Epoch, ...]:
    """What gpsd makes of the file, as fast as it reads; the line is the number of its report."""
    command = ["gpsfake", "-1", "-q", "-p", "-c", "0.002", file]
    told = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False).stdout
    epochs: list[Epoch] = []
    for number, line in enumerate(told.splitlines(), 1):
        fix = parse_tpv(line)
        is_said_again = (
            bool(epochs) and fix is not None and epochs[-1].fix is not None and epochs[-1].fix.time == fix.time
        )
        if fix is not None and not is_said_again:
            epochs.append(Epoch(number, fix))
    return tuple(epochs)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
