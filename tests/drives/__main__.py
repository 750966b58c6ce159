"""`python -m tests.drives`: what the van says of each recorded day, written anew from its inputs. Look at the
difference before it is kept. `python -m tests.drives record NAME ...` makes the inputs anew too, from `days.py`.
"""

import sys

from agent.trip.replay import replay
from agent.trip.run import Run
from tests.drives import days, recorded


def main(arguments: list[str]) -> int:
    match arguments:
        case []:
            pass
        case ["record", *names] if set(names) <= days.DAYS.keys():
            for name in names or days.DAYS:
                recorded.write_inputs(name, days.lived(days.DAYS[name]).entered)
                recorded.write_said(name, "")
        case _:
            print(f"{__doc__}There are: {', '.join(days.DAYS)}", file=sys.stderr)
            return 2
    for name in recorded.names():
        run, said = replay(Run(), recorded.read_inputs(name))
        recorded.write_said(name, recorded.said_as_text(run, said))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
