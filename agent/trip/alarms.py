"""What is wrong with the van's own computer: told once a day, and shown until the day is over. Pure."""

from agent.trip.effects import Decision, Outgoing, SendLive
from agent.trip.inputs import Alarmed
from agent.trip.run import Run
from wire.codec import to_json
from wire.events import AlarmRaised, EventKind


def alarmed(run: Run, entered: Alarmed) -> Decision:
    """Tells the coordinator; the same alarm again on the same day changes nothing."""
    if entered.alarm in run.alarms:
        return Decision(run=run)
    raised = AlarmRaised(alarm=entered.alarm, detail=entered.detail[:500])
    return Decision(
        run=run.model_copy(update={"alarms": (*run.alarms, entered.alarm)}),
        outgoing=(Outgoing(kind=EventKind.ALARM_RAISED, body=to_json(raised)),),
        effects=(SendLive(),),
    )
