"""A day again from its inputs: the same inputs at the same instants give the same run, byte for byte. Pure."""

from collections.abc import Iterable
from datetime import datetime

from agent.trip.decide import decide
from agent.trip.effects import Outgoing
from agent.trip.inputs import AnyInput
from agent.trip.run import Run


def replay(run: Run, entered: Iterable[tuple[datetime, AnyInput]]) -> tuple[Run, tuple[Outgoing, ...]]:
    """The run after all inputs in order, and every record that was said on the way."""
    outgoing: list[Outgoing] = []
    for now, one in entered:
        decision = decide(run, one, now)
        run = decision.run
        outgoing += decision.outgoing
    return run, tuple(outgoing)
