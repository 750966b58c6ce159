"""The newest picture, as the coordinator gets it."""

from agent.gps.position import Motion
from agent.link.live import live, says_the_same
from agent.trip.decide import decide
from agent.trip.inputs import AcceptTapped, KeepTapped
from agent.trip.offers import OFFER_LASTS, offered
from agent.trip.run import Run
from tests.builders import a_proposal, a_run, at
from wire.events import Suggestion, SuggestionState


def suggestion(run: Run, minute: float = 1) -> Suggestion | None:
    return live("van-1", run, {}, at(minute)).suggestion


def test_an_offer_is_told_as_open_and_then_as_what_the_driver_made_of_it() -> None:
    run = a_run(3, motion=Motion.PARKED)
    assert suggestion(run) is None
    run = offered(run, a_proposal((2, 1, 3), beside=run), at(0))
    made = Suggestion(state=SuggestionState.OPEN, since=at(0), moved_stops=1, gain_s=240)
    assert suggestion(run) == made
    accepted = decide(run, AcceptTapped(offer=1), at(1)).run
    assert suggestion(accepted) == made.model_copy(update={"state": SuggestionState.ACCEPTED, "since": at(1)})
    kept = decide(run, KeepTapped(offer=1), at(2)).run
    assert suggestion(kept) == made.model_copy(update={"state": SuggestionState.KEPT, "since": at(2)})


def test_an_offer_that_is_over_is_not_told_and_its_end_is_news() -> None:
    run = a_run(3, motion=Motion.PARKED)
    run = offered(run, a_proposal((2, 1, 3), beside=run), at(0))
    now, later = at(1), at(1) + OFFER_LASTS
    assert live("van-1", run, {}, later).suggestion is None
    assert not says_the_same(live("van-1", run, {}, now), live("van-1", run, {}, later))
