from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloud.fleet.build import looks_the_same, stop_row, van_view
from cloud.fleet.fold import Origin, StopState, fold
from cloud.fleet.news import InForce, VanNews
from cloud.fleet.page import Heard, Held, stop_page
from cloud.fleet.picture import Picture, StopFacts, VanFacts
from cloud.fleet.timing import expected, freshness, window_at
from cloud.fleet.view import Freshness, Punctuality, StopRow, StopStatus
from cloud.orders.order import Order
from tests.builders import DEPOT, MORNING, a_stop, a_window, at, evidence
from wire.events import (
    Eta,
    FailReason,
    FixQuality,
    Live,
    LivePosition,
    OffDutyWhy,
    Outcome,
    Presence,
    ProofCaptured,
    StopArrived,
    StopCompleted,
    StopEta,
    StopFailed,
    Suggestion,
    SuggestionState,
    TimesSource,
)
from wire.manifest import Depot, SequencePolicy
from wire.model import Message

DAY = MORNING.date()


def job(number: int = 1, *, van: str | None = "van-1", cancelled_at: datetime | None = None, **stop: object) -> Order:
    one = a_stop(number, **stop)
    return Order(
        stop_id=one.stop_id,
        day=DAY,
        stop=one,
        van=van,
        position=number,
        cancelled_at=cancelled_at,
        why_unassigned="full",
    )


def state(*bodies: Message, stop_id: str = "s1", van: str = "van-1", captured_min: float = 0) -> StopState:
    def origin(seq: int) -> Origin:
        captured_at, received_at = at(captured_min + seq), at(captured_min + seq + 30)
        return Origin(van=van, epoch="0" * 16, seq=seq, captured_at=captured_at, received_at=received_at)

    return fold(stop_id, [(origin(seq), body) for seq, body in enumerate(bodies, 1)])


def eta(p50_min: float, spread_min: float = 1) -> Eta:
    return Eta(
        p10=at(p50_min - spread_min),
        p50=at(p50_min),
        p90=at(p50_min + spread_min),
        times=TimesSource.ROADS,
        as_of=MORNING,
    )


def row(
    order: Order | None = None, folded: StopState | None = None, expected_at: Eta | None = None, **changes: object
) -> StopRow:
    now = changes.pop("now", MORNING)
    assert isinstance(now, datetime)
    return stop_row(order or job(), folded or state(), expected_at, frozenset(), now)


DELIVERED = StopCompleted(stop_id="s1", outcome=Outcome.TO_RECIPIENT, received_by="Ana", lat_deg=41.1, lon_deg=-8.6)


@pytest.mark.parametrize(
    ("age_s", "word"),
    [
        (0, Freshness.FRESH),
        (59, Freshness.FRESH),
        (60, Freshness.FADING),
        (299, Freshness.FADING),
        (300, Freshness.SILENT),
    ],
)
def test_news_fades_after_a_minute_and_is_silence_after_five(age_s: float, word: Freshness) -> None:
    assert freshness(MORNING, MORNING + timedelta(seconds=age_s)) is word


def test_a_van_that_never_spoke_is_not_called_silent() -> None:
    assert freshness(None, MORNING) is Freshness.NEVER


@pytest.mark.parametrize(
    ("p50_min", "spread_min", "word", "minutes"),
    [
        (30, 5, Punctuality.ON_TIME, -30),
        (57, 5, Punctuality.TIGHT, -3),
        (60, 0, Punctuality.ON_TIME, 0),
        (60.2, 0, Punctuality.LATE, 1),
        (65, 1, Punctuality.LATE, 5),
    ],
)
def test_an_expected_time_stands_against_the_end_of_its_window(
    p50_min: float, spread_min: float, word: Punctuality, minutes: int
) -> None:
    assert expected(a_window(0, 60), eta(p50_min, spread_min), MORNING) == (word, minutes)


def test_without_an_expected_time_nothing_is_claimed() -> None:
    assert expected(a_window(0, 60), None, MORNING) == (Punctuality.UNKNOWN, None)


def test_a_window_that_has_closed_is_late_without_any_news() -> None:
    assert expected(a_window(0, 60), None, at(75)) == (Punctuality.LATE, 15)
    assert expected(a_window(0, 60), eta(50), at(75)) == (Punctuality.LATE, 15)


def test_the_window_that_counts_is_the_first_still_open() -> None:
    stop = a_stop(windows=(a_window(0, 60), a_window(300, 360)))
    assert window_at(stop, at(30)) == a_window(0, 60)
    assert window_at(stop, at(61)) == a_window(300, 360)
    assert window_at(stop, at(500)) == a_window(300, 360)


def test_a_stop_nobody_drives_says_why() -> None:
    one = row(job(van=None))
    assert (one.status, one.why_unassigned) == (StopStatus.UNASSIGNED, "full")


def test_a_delivered_stop_says_when_how_and_how_late() -> None:
    folded = state(StopArrived(stop_id="s1"), DELIVERED, captured_min=70)
    one = row(job(windows=(a_window(0, 60),)), folded)
    assert (one.status, one.outcome, one.closed_at) == (StopStatus.COMPLETED, Outcome.TO_RECIPIENT, at(72))
    assert (one.punctuality, one.minutes_off) == (Punctuality.LATE, 11)  # by its arrival, not by its end
    assert not one.is_flagged


def test_a_failed_stop_says_why() -> None:
    one = row(folded=state(StopFailed(stop_id="s1", reason=FailReason.NOT_HOME)))
    assert (one.status, one.reason, one.eta) == (StopStatus.FAILED, FailReason.NOT_HOME, None)


def test_a_cancelled_stop_that_was_delivered_stays_delivered_and_is_flagged() -> None:
    one = row(job(cancelled_at=at(0)), state(DELIVERED))
    assert (one.status, one.is_flagged) == (StopStatus.COMPLETED, True)
    assert row(job(cancelled_at=at(0))).status is StopStatus.CANCELLED


def test_a_stop_closed_by_a_van_that_was_not_given_it_is_flagged() -> None:
    assert row(job(van=None), state(DELIVERED)).is_flagged


def test_proofs_count_when_announced_and_again_when_whole() -> None:
    one, two = evidence(text="a"), evidence(text="b")
    folded = state(*(proof(piece.sha256) for piece in (one, two)))
    shown = stop_row(job(), folded, None, frozenset({one.sha256}), MORNING)
    assert (shown.proofs, shown.proofs_whole) == (2, 1)


def proof(sha256: str) -> ProofCaptured:
    return ProofCaptured(
        stop_id="s1", evidence_kind=evidence().kind, sha256=sha256, size_bytes=2000, media_type="image/png"
    )


def news(*stop_ids: str, expected_at: Eta | None = None) -> VanNews:
    position = LivePosition(lat_deg=41.1, lon_deg=-8.6, fixed_at=MORNING, quality=FixQuality.FIX_3D)
    etas = tuple(StopEta(stop_id=stop_id, eta=expected_at) for stop_id in stop_ids) if expected_at else ()
    return VanNews(
        live=Live(van="van-1", sent_at=MORNING, position=position, plan_version=4, stop_ids=stop_ids, etas=etas),
        presence=Presence(van="van-1", epoch="0" * 16, boot=1, is_online=True, outbox_rows=3, oldest_row_age_s=9.0),
        heard_at=MORNING,
    )


def test_a_van_drives_in_its_own_order_and_new_stops_come_last() -> None:
    rows = [row(job(number), state(stop_id=f"s{number}")) for number in (1, 2, 3)]
    shown = van_view("van-1", news("s3", "s1"), rows, driver="", in_force=InForce(version=2), now=MORNING)
    assert shown.stop_ids == ("s3", "s1", "s2")
    assert shown.next_stop_id == "s3"
    assert (shown.waiting_rows, shown.oldest_waiting_s, shown.plan_version) == (3, 9.0, 4)


def test_a_van_says_who_may_order_its_stops_and_what_its_driver_made_of_a_suggestion() -> None:
    suggestion = Suggestion(state=SuggestionState.KEPT, since=MORNING, moved_stops=2, gain_s=240)
    said = news()
    assert said.live is not None
    said = said.model_copy(update={"live": said.live.model_copy(update={"suggestion": suggestion})})
    given = InForce(version=1, policy=SequencePolicy.FREE)
    shown = van_view("van-1", said, [], driver="", in_force=given, now=MORNING)
    assert (shown.policy, shown.suggestion) == (SequencePolicy.FREE, suggestion)


def test_a_van_says_why_it_tells_no_position() -> None:
    said = news()
    assert said.live is not None
    paused = said.live.model_copy(update={"position": None, "off_duty": OffDutyWhy.PAUSED})
    shown = [
        van_view("van-1", one, [], driver="", in_force=InForce(version=1), now=MORNING).off_duty
        for one in (said, said.model_copy(update={"live": paused}), said.model_copy(update={"live": None}))
    ]
    assert shown == [None, OffDutyWhy.PAUSED, None]


def test_the_stop_a_van_stands_at_comes_first() -> None:
    rows = [row(job(1)), row(job(2), state(StopArrived(stop_id="s2"), stop_id="s2"))]
    shown = van_view("van-1", news("s1", "s2"), rows, driver="", in_force=InForce(version=1), now=MORNING)
    assert shown.next_stop_id == "s2"


def test_a_van_is_as_late_as_its_worst_open_stop() -> None:
    window = (a_window(0, 60),)
    rows = [
        row(job(1, windows=window), expected_at=eta(30)),
        row(job(2, windows=window), state(stop_id="s2"), eta(72)),
        row(job(3, windows=window), state(stop_id="s3"), eta(65)),
    ]
    shown = van_view("van-1", news(), rows, driver="", in_force=InForce(version=1), now=MORNING)
    assert (shown.punctuality, shown.minutes_late) == (Punctuality.LATE, 12)


def test_cancelled_stops_are_not_counted_and_done_ones_are() -> None:
    rows = [row(job(1), state(DELIVERED)), row(job(2), state(stop_id="s2")), row(job(3, cancelled_at=at(0)))]
    shown = van_view("van-1", VanNews(), rows, driver="", in_force=InForce(version=1), now=MORNING)
    assert (shown.stops_total, shown.stops_done, shown.stop_ids) == (2, 1, ("s2",))


def test_an_expected_time_that_moved_by_seconds_is_no_news() -> None:
    assert looks_the_same(row(expected_at=eta(30)), row(expected_at=eta(30.4)))
    assert not looks_the_same(row(expected_at=eta(30)), row(expected_at=eta(31)))
    assert not looks_the_same(row(expected_at=eta(30)), row())


# The picture ----------------------------------------------------------------------------------------------------------


def a_picture() -> Picture:
    depot = Depot(lat_deg=DEPOT.lat_deg, lon_deg=DEPOT.lon_deg)
    picture = Picture([VanFacts(name="van-1", driver="Inês")], depot, "Europe/Lisbon", 1.0)
    picture.start_day(DAY)
    return picture


def facts(folded: StopState) -> StopFacts:
    return StopFacts(state=folded, whole=frozenset())


def test_only_what_changed_comes_out_of_a_refresh() -> None:
    picture = a_picture()
    picture.put_stop(job(1), facts(state()))
    picture.put_stop(job(2), facts(state(stop_id="s2")))
    first = picture.refresh(MORNING)
    assert [one.stop_id for one in first.stops] == ["s1", "s2"]
    assert [one.van for one in first.vans] == ["van-1"]
    again = picture.refresh(MORNING)
    assert (again.vans, again.stops) == ((), ())
    picture.put_stop(job(1), facts(state(DELIVERED)))
    changed = picture.refresh(MORNING)
    assert [one.stop_id for one in changed.stops] == ["s1"]
    assert changed.vans[0].stops_done == 1


def test_time_alone_makes_a_van_silent_and_a_stop_late() -> None:
    picture = a_picture()
    picture.put_stop(job(1, windows=(a_window(0, 60),)), facts(state()))
    picture.put_van("van-1", news(), InForce(version=1))
    picture.refresh(MORNING)
    later = picture.refresh(at(61))
    assert later.vans[0].freshness is Freshness.SILENT
    assert later.stops[0].punctuality is Punctuality.LATE


def test_new_expected_times_reach_the_stops() -> None:
    picture = a_picture()
    picture.put_stop(job(1), facts(state()))
    picture.refresh(MORNING)
    picture.put_van("van-1", news("s1", expected_at=eta(30)), InForce(version=1))
    assert picture.refresh(MORNING).stops[0].eta == eta(30)


def test_a_stop_that_changes_vans_is_counted_once() -> None:
    picture = a_picture()
    picture.put_stop(job(1, van=None), facts(state()))
    picture.put_stop(job(1, van="van-1"), facts(state()))
    picture.put_stop(job(1, van=None), facts(state()))
    picture.refresh(MORNING)
    assert picture.whole(MORNING).vans[0].stops_total == 0


@given(st.lists(st.tuples(st.integers(1, 5), st.booleans(), st.sampled_from([None, "van-1", "van-9"])), max_size=12))
def test_told_step_by_step_or_at_once_the_picture_is_the_same(steps: list[tuple[int, bool, str | None]]) -> None:
    stepwise, at_once = a_picture(), a_picture()
    for number, is_done, van in steps:
        body = [DELIVERED.model_copy(update={"stop_id": f"s{number}"})] if is_done else []
        known = facts(state(*body, stop_id=f"s{number}"))
        for picture in (stepwise, at_once):
            picture.put_stop(job(number, van=van), known)
        stepwise.refresh(MORNING)
    stepwise.refresh(MORNING)
    at_once.refresh(MORNING)
    assert stepwise.whole(MORNING) == at_once.whole(MORNING)


# The stop page --------------------------------------------------------------------------------------------------------


def test_a_stop_page_shows_proof_as_it_is_here_and_history_in_words() -> None:
    piece = evidence()
    folded = state(proof(piece.sha256), DELIVERED)
    order = job()
    heard = [
        heard_of("proof.captured", 1, proof(piece.sha256)),
        heard_of("stop.completed", 2, DELIVERED),
        heard_of("stop.beamed_up", 3, StopArrived(stop_id="s1")),
        Heard(
            van="van-1", epoch="0" * 16, seq=4, kind="x", captured_at=None, received_at=at(9), body={}, problem="bad"
        ),
    ]
    page = stop_page(order, row(order, folded), folded, heard, {piece.sha256: Held(held_bytes=700, is_whole=False)})
    assert [(one.held_bytes, one.is_whole, one.size_bytes) for one in page.evidence] == [(700, False, 2000)]
    assert [entry.detail for entry in page.history] == [
        "signature, 2000 bytes",
        "delivered to recipient: Ana",
        "",
        "unreadable: bad",
    ]
    assert (page.received_by, page.received_at) == ("Ana", at(32))


def heard_of(kind: str, seq: int, body: Message) -> Heard:
    return Heard(
        van="van-1",
        epoch="0" * 16,
        seq=seq,
        kind=kind,
        captured_at=at(seq),
        received_at=at(seq + 30),
        body=body.model_dump(mode="json"),
    )


def test_a_stop_page_says_what_is_wrong_in_words() -> None:
    folded = state(DELIVERED)
    order = job(cancelled_at=at(0))
    assert "although it was cancelled" in stop_page(order, row(order, folded), folded, [], {}).note


def test_the_minutes_of_a_stop_that_waits_too_long_grow_and_only_they_make_it_news() -> None:
    picture = a_picture()
    picture.put_stop(job(1, windows=(a_window(0, 60),)), facts(state()))
    picture.refresh(at(60.5))
    assert picture.row("s1") is not None
    assert picture.refresh(at(60.9)).stops == ()
    assert [one.minutes_off for one in picture.refresh(at(61.1)).stops] == [2]
    assert picture.van("van-1") is not None
    assert picture.refresh(at(62.5)).vans[0].minutes_late == 3


def test_another_order_of_the_same_stops_reaches_the_van() -> None:
    picture = a_picture()
    for number in (1, 2):
        picture.put_stop(job(number), facts(state(stop_id=f"s{number}")))
    picture.refresh(MORNING)
    picture.put_stop(job(1).model_copy(update={"position": 3}), facts(state()))
    assert picture.refresh(MORNING).vans[0].stop_ids == ("s2", "s1")
