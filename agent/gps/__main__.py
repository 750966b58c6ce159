"""`python -m agent.gps replay FILE.nmea`: a recorded drive through the judge of the van. The report goes to standard
output and is the same for the same file; exit 2, with one line why, for a file that cannot be read.

The last line: `fixes=.. accepted=.. refused=.. distance_m=.. largest_step_m=..`.
"""

import sys
from datetime import timedelta
from pathlib import Path

from agent.gps.nmea import Log
from agent.gps.replay import lines, replayed

USAGE = """usage: python -m agent.gps replay FILE.nmea [DWELL_S]
  DWELL_S: how long a halt must last to count as an arrival; 20 when it is not said"""
LONGEST_DWELL_S = 86_400


def main(arguments: list[str]) -> int:
    """The exit code."""
    match arguments:
        case ["replay", file, *rest] if len(rest) <= 1:
            dwell = rest[0] if rest else "20"
        case _:
            print(USAGE, file=sys.stderr)
            return 2
    if not dwell.isdecimal() or not 0 < int(dwell) <= LONGEST_DWELL_S:
        print(f"gps: {dwell} is no time to stand: say whole seconds", file=sys.stderr)
        return 2
    try:
        content = Path(file).read_bytes()
    except OSError as error:
        print(f"gps: {file}: {error.strerror}", file=sys.stderr)
        return 2
    log = Log()
    drive = replayed(tuple(log.epochs(content.splitlines())), come_after=timedelta(seconds=int(dwell)))
    for line in lines(drive, log.damaged):
        print(line)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
