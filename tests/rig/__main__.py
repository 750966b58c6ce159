"""The fault rig's commands; docs/rig.md says what each tier can and cannot find."""

import argparse
import os
import sys


def main() -> int:
    """The exit status; the last line of each command is its sum."""
    parser = argparse.ArgumentParser(prog="scripts/rig", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    for name, help_text in (
        ("simulate", "schedules in virtual time: power-cut disks, lossy links, a broker that forgets"),
        ("exhaust", "a cut at every storage operation of the reference scenarios"),
        ("powercut", "real processes on a real file system whose power goes"),
        ("link", "real processes and mosquitto in network namespaces, over a link that does all a link can"),
        ("mutants", "planted faults, each to be found by `simulate`"),
        ("ci", "all five, at the sizes that are asked for"),
    ):
        command = commands.add_parser(name, help=help_text)
        command.add_argument("--seed", type=int, default=1)
        # Schedules of `link` mostly wait.
        command.add_argument("--jobs", type=int, default=(3 if name == "link" else 1) * (os.cpu_count() or 1))
        command.add_argument("--verbose", action="store_true")
        if name == "simulate":
            command.add_argument("--schedules", type=int, default=100)
        if name == "link":
            command.add_argument("--schedules", type=int, default=15)
            command.add_argument("--plant", default="", help="a mutant's name, to see it found")
        if name == "powercut":
            command.add_argument("--cuts", type=int, default=20)
        if name == "ci":
            command.add_argument("--schedules", type=int, default=10_000, help="of `simulate`")
        if name in ("mutants", "exhaust"):
            command.add_argument("--only", default="", help="those whose name contains this")
        if name == "mutants":
            command.add_argument("--within", type=int, default=200, help="schedules in which each must be found")
    asked = parser.parse_args()
    # Imported when asked for: `simulate` and `exhaust` put a disk of their own under SQLite, `powercut` must not.
    match asked.command:
        case "simulate":
            from tests.rig.simulate import simulate  # noqa: PLC0415

            return simulate(asked.schedules, asked.seed, asked.jobs, is_verbose=asked.verbose)
        case "exhaust":
            from tests.rig.exhaust import exhaust  # noqa: PLC0415

            return exhaust(asked.jobs, asked.only)
        case "powercut":
            from tests.rig.powercut import powercut  # noqa: PLC0415

            return powercut(asked.cuts, asked.seed)
        case "link":
            from tests.rig.link.run import link  # noqa: PLC0415

            return link(asked.schedules, asked.seed, asked.jobs, asked.plant)
        case "ci":
            from tests.rig.ci import ci  # noqa: PLC0415

            return ci(asked.schedules, asked.seed)
        case _:
            from tests.rig.mutants.hunt import run_mutants  # noqa: PLC0415

            return run_mutants(asked.within, asked.seed, asked.jobs, asked.only)


if __name__ == "__main__":
    sys.exit(main())
