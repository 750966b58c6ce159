"""`python -m benchmarks` lists the benchmarks; `python -m benchmarks NAME --help` says what one of them takes."""

import sys
from collections.abc import Callable

from benchmarks import (
    backlog,
    closure,
    day,
    energy,
    fleet,
    gps,
    growth,
    guidance,
    late_van,
    promise,
    resequence,
    stability,
    sync,
    tap,
    uplink,
    wear,
)

BENCHMARKS: dict[str, Callable[[list[str]], int]] = {
    "backlog": backlog.main,
    "closure": closure.main,
    "day": day.main,
    "energy": energy.main,
    "fleet": fleet.main,
    "gps": gps.main,
    "growth": growth.main,
    "guidance": guidance.main,
    "late_van": late_van.main,
    "promise": promise.main,
    "resequence": resequence.main,
    "stability": stability.main,
    "sync": sync.main,
    "tap": tap.main,
    "uplink": uplink.main,
    "wear": wear.main,
}


def main(argv: list[str]) -> int:
    if not argv or argv[0] in ("-h", "--help"):
        for name, run in BENCHMARKS.items():
            print(f"{name:12} {(sys.modules[run.__module__].__doc__ or '').splitlines()[0]}")
        return 0
    if argv[0] not in BENCHMARKS:
        print(f"there is no benchmark {argv[0]!r}; there are: {', '.join(BENCHMARKS)}", file=sys.stderr)
        return 2
    return BENCHMARKS[argv[0]](argv[1:])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
