"""What is in the battery, as the driver reads it from the display: from then on plans begin with it. Pure."""

from datetime import datetime

from agent.trip.effects import Decision
from agent.trip.inputs import ChargeTold
from agent.trip.plans import asking, changed
from agent.trip.progress import fresh_position
from agent.trip.run import ChargeReading, Run
from wire.events import ReplanReason


def charge_told(run: Run, told: ChargeTold, now: datetime) -> Decision:
    """The reading takes the place of what was computed, and the day is planned with it."""
    position = fresh_position(run, now)
    reading = ChargeReading(share=told.share, at=now, place=position.place if position else None)
    after = run.model_copy(update={"charge": reading})
    if run.manifest is None:
        return Decision(run=after)
    after, effects = asking(changed(after), ReplanReason.BATTERY, now)
    return Decision(run=after, effects=effects)
