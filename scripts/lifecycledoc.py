"""`docs/lifecycle.md`, drawn from the one table of `agent/trip/lifecycle.py`."""

from collections import defaultdict

from agent.trip.lifecycle import PHASES, TABLE, StopEvent, StopState

HEAD = """\
# The life of a stop

Drawn from the table in `agent/trip/lifecycle.py` by `scripts/generate.py`; change the table there, not here.

What the table does not name may not follow: the tap is refused, and nothing is saved. The run stores five phases;
which of the ten states a stop is in follows from its phase and from what the van does now, so that a run stored by an
earlier version is read as it is. A closing is told at once; taking it back within ten seconds, or correcting it later,
is one more record ([merge.md](merge.md)).
"""
_NOTHING_NEW = {StopEvent.EVIDENCE_TAKEN, StopEvent.LISTED, StopEvent.UNLISTED}


def lifecycle_document() -> str:
    """The whole page: the diagram, then every cell of the table."""
    return "\n".join([HEAD, *_diagram(), "", *_table(), "", *_stored(), ""])


def _diagram() -> list[str]:
    """Arrows that lead somewhere else; those between the same two states share one."""
    arrows: dict[tuple[StopState, StopState], list[StopEvent]] = defaultdict(list)
    for (before, event), after in TABLE.items():
        if before is not after:
            arrows[before, after].append(event)
    lines = [
        f"  {before.value} --> {after.value}: {', '.join(event.value for event in events)}"
        for (before, after), events in arrows.items()
    ]
    return ["```mermaid", "stateDiagram-v2", f"  [*] --> {StopState.PENDING.value}", *lines, "```"]


def _table() -> list[str]:
    head = [event for event in StopEvent if event not in _NOTHING_NEW]
    lines = [
        "| state | " + " | ".join(event.value for event in head) + " |",
        "| --- |" + " --- |" * len(head),
    ]
    for state in StopState:
        cells = [TABLE.get((state, event)) for event in head]
        lines.append(f"| **{state.value}** | " + " | ".join(cell.value if cell else "" for cell in cells) + " |")
    staying = [
        f"- *{event.value}*: "
        + ", ".join(
            f"{before.value} -> {after.value}" if before is not after else before.value
            for (before, one), after in TABLE.items()
            if one is event
        )
        for event in StopEvent
        if event in _NOTHING_NEW
    ]
    return [*lines, "", "And what is no step of its own:", "", *staying]


def _stored() -> list[str]:
    return ["| state | stored as |", "| --- | --- |"] + [
        f"| {state.value} | {' or '.join(phase.value for phase in phases)} |" for state, phases in PHASES.items()
    ]
