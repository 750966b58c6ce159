"""What the page shows of a stop between two vans. Pure."""

from datetime import datetime

from agent.screen.view import MeetingView
from agent.trip.goods import custody_of
from agent.trip.run import Run, RunStop
from agent.trip.transfer import asks_driver, at_meeting


def between_vans(run: Run, stop: RunStop, now: datetime) -> dict[str, object]:
    """The fields of a `StopView` that say where its goods are and whom they go to."""
    asked = {one.stop_id: one.to_van for one in asks_driver(run, now)}
    meeting = stop.meeting
    meetings = run.manifest.meetings if run.manifest else ()
    waits = stop.stop_id in run.to_give or stop.stop_id in run.to_take if meetings else False
    return {
        "custody": custody_of(run, stop, now),
        "meeting": None
        if meeting is None
        else MeetingView(
            meeting_id=meeting.meeting_id,
            side=meeting.side,
            other_van=meeting.other_van,
            stop_ids=tuple(one.stop_id for one in at_meeting(run, meeting)) if stop.is_open else meeting.stop_ids,
        ),
        "waits_for": next((one.stop_id for one in meetings if stop.stop_id in one.stop_ids), None) if waits else None,
        "passed_to": stop.passed.to_van if stop.passed else None,
        "release_to": asked.get(stop.stop_id),
    }
