"""What became of a stop: a set of facts, and how it is read."""

from datetime import datetime

from hypothesis import given
from hypothesis import strategies as st

from cloud.fleet.fold import Origin, StopState, fold
from cloud.fleet.view import StopStatus
from tests.builders import MORNING, at
from tests.cloud.said import arrived, completed, proof_of
from wire.checks import StopReopened
from wire.events import ArrivedBy, FailReason, Outcome, StopAmended, StopDeparted, StopFailed, StopSkipped
from wire.handover import NextStep
from wire.model import Message


def origin(seq: int, van: str = "van-1", epoch: str = "aa", captured_at: datetime | None = None) -> Origin:
    return Origin(van=van, epoch=epoch, seq=seq, captured_at=captured_at or at(seq), received_at=MORNING)


def state_of(*facts: tuple[Origin, Message]) -> StopState:
    return fold("s1", facts)


def said(seq: int, body: Message) -> tuple[Origin, Message]:
    return origin(seq), body


def reopened() -> StopReopened:
    return StopReopened(stop_id="s1", closed_at=at(2))


def failed(reason: FailReason = FailReason.NOT_HOME) -> StopFailed:
    return StopFailed(stop_id="s1", reason=reason, note="nobody there")


def departed(*, is_closed: bool = False) -> StopDeparted:
    return StopDeparted(stop_id="s1", arrived_at=at(1), departed_at=at(2), stood_s=60, is_closed=is_closed)


bodies = st.one_of(
    st.builds(arrived, st.just("s1"), by=st.sampled_from(ArrivedBy)),
    st.builds(departed, is_closed=st.booleans()),
    st.builds(completed, st.just("s1"), outcome=st.sampled_from(Outcome)),
    st.builds(failed, st.sampled_from(FailReason)),
    st.builds(lambda: StopSkipped(stop_id="s1")),
    st.builds(reopened),
    st.builds(lambda outcome: StopAmended(stop_id="s1", outcome=outcome), st.sampled_from(Outcome)),
    st.builds(proof_of, st.binary(min_size=1, max_size=3)),
)
origins = st.builds(
    lambda seq, van, epoch, minute: Origin(
        van=van,
        epoch=epoch,
        seq=seq,
        captured_at=None if minute is None else at(minute),
        received_at=MORNING,
    ),
    st.integers(1, 8),
    st.sampled_from(["van-1", "van-2"]),
    st.sampled_from(["aa", "bb"]),
    st.none() | st.integers(0, 5),
)
histories = st.lists(st.tuples(origins, bodies), unique_by=lambda fact: fact[0].identity, max_size=12)


@given(histories, st.data())
def test_any_order_and_any_duplicates_give_the_same_state(
    history: list[tuple[Origin, Message]], data: st.DataObject
) -> None:
    twice = data.draw(st.lists(st.sampled_from(history), max_size=5)) if history else []
    again = data.draw(st.permutations([*history, *twice]))

    one, other = state_of(*history), state_of(*again)

    assert one == other
    assert (one.status, one.closing, one.arrival, one.evidence) == (
        other.status,
        other.closing,
        other.arrival,
        other.evidence,
    )


def test_nothing_heard_is_planned() -> None:
    assert state_of().status is StopStatus.PLANNED


def test_a_stop_is_arrived_at_until_it_is_put_off() -> None:
    skip = StopSkipped(stop_id="s1")

    assert state_of((origin(1), arrived())).status is StopStatus.ARRIVED
    assert state_of((origin(1), arrived()), (origin(2), skip)).status is StopStatus.PLANNED
    assert state_of((origin(1), arrived()), (origin(2), skip), (origin(3), arrived())).status is StopStatus.ARRIVED


def test_an_arrival_that_the_van_saw_by_itself_ends_when_it_drives_off_with_the_stop_open() -> None:
    seen = arrived(by=ArrivedBy.GEOFENCE)
    assert state_of(said(1, seen)).status is StopStatus.ARRIVED
    assert state_of(said(1, seen), said(2, departed())).status is StopStatus.PLANNED
    assert state_of(said(1, seen), said(2, departed()), said(3, seen)).status is StopStatus.ARRIVED


def test_an_arrival_that_the_driver_said_stays_when_the_van_drives_off() -> None:
    assert state_of(said(1, arrived()), said(2, departed())).status is StopStatus.ARRIVED
    seen = arrived(by=ArrivedBy.GEOFENCE)
    assert state_of(said(1, seen), said(2, arrived()), said(3, departed())).status is StopStatus.ARRIVED


def test_a_delivery_stays_when_the_van_drives_off() -> None:
    told = [said(1, arrived(by=ArrivedBy.GEOFENCE)), said(2, completed()), said(3, departed(is_closed=True))]
    assert state_of(*told).status is StopStatus.COMPLETED
    taken_back = state_of(*told, said(4, reopened()))
    assert taken_back.status is StopStatus.ARRIVED


def test_a_delivery_keeps_who_where_and_the_arrival_before_it() -> None:
    there = completed(received_by="Rui", lat_deg=41.1, lon_deg=-8.6, distance_m=12.0)
    state = state_of((origin(3), arrived()), (origin(5), there))

    assert state.status is StopStatus.COMPLETED
    assert state.closing is not None
    assert (state.closing.received_by, state.closing.lat_deg, state.closing.distance_m) == ("Rui", 41.1, 12.0)
    assert state.arrival is not None
    assert state.arrival.origin.seq == 3


def test_a_correction_takes_the_place_of_what_the_same_van_said_before() -> None:
    state = state_of((origin(2), failed()), (origin(4), completed()))
    back = state_of((origin(2), completed()), (origin(4), failed(FailReason.WRONG_ADDRESS)))

    assert state.status is StopStatus.COMPLETED
    assert back.status is StopStatus.FAILED
    assert back.completed_by == ()


def test_goods_handed_over_stand_before_another_van_s_failure() -> None:
    state = state_of(
        (origin(2, "van-2", captured_at=at(1)), failed()), (origin(2, "van-1", captured_at=at(9)), completed())
    )

    assert state.status is StopStatus.COMPLETED
    assert state.completed_by == ("van-1",)


def test_two_vans_that_deliver_the_same_stop_are_both_kept_and_the_earlier_is_shown() -> None:
    state = state_of(
        (origin(2, "van-2", captured_at=at(9)), completed(received_by="late")),
        (origin(7, "van-1", captured_at=at(5)), completed(received_by="early")),
    )

    assert state.completed_by == ("van-1", "van-2")
    assert state.closing is not None
    assert state.closing.received_by == "early"


def test_a_van_without_a_clock_does_not_pass_for_the_first() -> None:
    timeless = Origin(van="van-2", epoch="aa", seq=1, captured_at=None, received_at=MORNING)
    state = state_of((timeless, completed(received_by="?")), (origin(7), completed(received_by="known")))

    assert state.closing is not None
    assert state.closing.received_by == "known"


def test_a_delivery_after_a_cancellation_stands_and_is_seen_as_such() -> None:
    delivered = state_of((origin(1), completed()))

    assert delivered.is_delivered_after(at(3))
    assert not delivered.is_delivered_after(None)
    assert not state_of((origin(1), failed())).is_delivered_after(at(3))


def test_evidence_announced_twice_is_one_piece() -> None:
    state = state_of((origin(1), proof_of(b"a")), (origin(2), proof_of(b"b")), (origin(3), proof_of(b"a")))

    assert [piece.origin.seq for piece in state.evidence] == [1, 2]


def test_a_record_about_another_stop_changes_nothing() -> None:
    assert state_of((origin(1), arrived("s2"))) == StopState(stop_id="s1")


def test_a_closing_that_was_taken_back_counts_no_more_and_the_van_is_at_the_door() -> None:
    told = [said(1, arrived("s1")), said(2, completed("s1")), said(3, reopened())]
    taken_back = state_of(*told)
    assert taken_back.closing is None
    assert taken_back.status is StopStatus.ARRIVED
    assert state_of(*[*told, said(4, failed())]).status is StopStatus.FAILED


def test_taking_back_takes_the_newest_word_only() -> None:
    told = [said(1, completed("s1")), said(2, failed()), said(3, reopened())]
    assert state_of(*told).status is StopStatus.COMPLETED


def test_what_is_taken_back_without_being_there_yet_comes_to_the_same_when_it_is() -> None:
    told = [said(1, arrived("s1")), said(2, completed("s1")), said(3, reopened())]
    assert state_of(*[told[2], told[0]]).status is StopStatus.ARRIVED
    assert state_of(*[told[2], told[0], told[1]]) == state_of(*told)


def test_a_correction_changes_the_outcome_and_keeps_the_time_of_the_delivery() -> None:
    amended = StopAmended(stop_id="s1", outcome=Outcome.TO_NEIGHBOUR, received_by="12 B")
    before = state_of(*[said(1, completed("s1"))]).closing
    closing = state_of(*[said(1, completed("s1")), said(9, amended)]).closing
    assert before is not None
    assert closing is not None
    assert (closing.outcome, closing.received_by, closing.is_amended) == (Outcome.TO_NEIGHBOUR, "12 B", True)
    assert closing.origin == before.origin


def test_an_attempt_that_comes_again_leaves_the_stop_planned_and_is_counted() -> None:
    again = StopFailed(stop_id="s1", reason=FailReason.NOT_HOME, next_step=NextStep.LATER_TODAY)
    tried = state_of(*[said(1, arrived("s1")), said(2, again)])
    assert (tried.status, tried.attempts, tried.closing) == (StopStatus.PLANNED, 1, None)
    done = state_of(*[said(1, arrived("s1")), said(2, again), said(3, arrived("s1")), said(4, completed("s1"))])
    assert (done.status, done.attempts) == (StopStatus.COMPLETED, 1)
