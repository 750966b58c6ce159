"""The hinge of the van: what has entered moves the run on, and says what must be told and done.

`decide` is pure. The shell stores the input, the new run and the outgoing records in one transaction before it answers
anyone, and then runs the effects. It never raises for an input that a model accepted.
"""

from datetime import datetime
from typing import assert_never

from agent.trip.afterwards import afterwards
from agent.trip.alarms import alarmed
from agent.trip.arrivals import position_judged
from agent.trip.blocked import road_blocked, road_open
from agent.trip.charge import charge_told
from agent.trip.checks import handed
from agent.trip.custody import loaded
from agent.trip.duty import begun_by, duty_at_minute, duty_of_list, duty_tapped
from agent.trip.effects import Decision
from agent.trip.elsewhere import elsewhere_arrived
from agent.trip.found import label_answered
from agent.trip.inputs import (
    AcceptTapped,
    AgeAnswered,
    Alarmed,
    AmendTapped,
    AnyInput,
    ArrivedTapped,
    BackScanned,
    CashTaken,
    ChargeTold,
    CodeScanned,
    CommandArrived,
    ConditionsArrived,
    DeliveredTapped,
    DroppedTapped,
    DutyTapped,
    ElsewhereArrived,
    EvidenceTaken,
    FailedTapped,
    FixJudged,
    ForgetTapped,
    GoodsReturned,
    HandedOver,
    KeepTapped,
    KeyReady,
    LabelRead,
    LabelTaken,
    LinkChanged,
    LoadConfirmed,
    LoadScanned,
    ManifestArrived,
    ManifestUnreadable,
    MinutePassed,
    NoteWritten,
    ParcelMarked,
    PinTried,
    PlanNotFound,
    PlanSolved,
    Recalled,
    ReleaseAnswered,
    RoadBlockedTapped,
    RoadOpenTapped,
    SkippedTapped,
    TimeFound,
    UndoTapped,
    WayChosen,
)
from agent.trip.keys import key_ready
from agent.trip.learning import forget_tapped, learned_at_stop, unlearned_at_stop, with_forecasts
from agent.trip.membership import (
    command_arrived,
    conditions_arrived,
    link_changed,
    manifest_arrived,
    manifest_unreadable,
    time_found,
)
from agent.trip.offers import answered
from agent.trip.plans import minute_passed, not_found, recalled, solved
from agent.trip.run import Run
from agent.trip.taps import tapped
from agent.trip.transfer import settled, transferred


def decide(run: Run, entered: AnyInput, now: datetime) -> Decision:
    """The run after `entered` at `now` (aware UTC, domain time), with everything that follows from it."""
    return settled(run, _decided(run, entered, now), now)


def _decided(run: Run, entered: AnyInput, now: datetime) -> Decision:
    match entered:
        case FixJudged():
            return position_judged(run, entered, now)
        case ArrivedTapped() | EvidenceTaken() | DeliveredTapped() | FailedTapped() | SkippedTapped():
            return begun_by(learned_at_stop(run, tapped(run, entered, now), entered.stop_id, now), now)
        case DutyTapped():
            return duty_tapped(run, entered, now)
        case CodeScanned() | ParcelMarked() | PinTried() | AgeAnswered() | NoteWritten() | CashTaken() | WayChosen():
            return handed(run, entered, now)
        case UndoTapped():
            return unlearned_at_stop(afterwards(run, entered, now), entered.stop_id)
        case AmendTapped():
            return afterwards(run, entered, now)
        case LoadScanned() | LoadConfirmed() | GoodsReturned() | BackScanned() | DroppedTapped():
            return loaded(run, entered, now)
        case LabelRead() | LabelTaken():
            return label_answered(run, entered, now)
        case ForgetTapped():
            return forget_tapped(run, entered)
        case AcceptTapped() | KeepTapped():
            return answered(run, entered, now)
        case ChargeTold():
            return charge_told(run, entered, now)
        case RoadBlockedTapped():
            return road_blocked(run, entered, now)
        case RoadOpenTapped():
            return road_open(run, entered, now)
        case ManifestArrived():
            return duty_of_list(run, manifest_arrived(run, entered, now), now)
        case ManifestUnreadable():
            return manifest_unreadable(run, entered)
        case ConditionsArrived():
            return conditions_arrived(run, entered, now)
        case ElsewhereArrived():
            return elsewhere_arrived(run, entered)
        case CommandArrived():
            return command_arrived(run, entered, now)
        case PlanSolved():
            return solved(run, entered, now)
        case PlanNotFound():
            return not_found(run, entered, now)
        case LinkChanged():
            return link_changed(run, entered, now)
        case TimeFound():
            return time_found(run, entered)
        case Alarmed():
            return alarmed(run, entered)
        case MinutePassed():
            return duty_at_minute(minute_passed(with_forecasts(run, now), now), now)
        case Recalled():
            return recalled(run, entered, now)
        case KeyReady():
            return key_ready(run, entered)
        case HandedOver() | ReleaseAnswered():
            return begun_by(transferred(run, entered, now), now)
        case _:
            assert_never(entered)
