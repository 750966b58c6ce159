"""Why stops move and what binds: small streets where a person sees the reason too."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from agent.localroute.check import evaluate
from agent.localroute.explain import explained_misses, explained_moves, lifted_stops
from agent.localroute.problem import Amount, Capacity, Problem, TimeWindow, Visit
from tests.builders import a_whole_problem
from wire.changes import Miss, MissWhy, Move, MoveWhy

BLOCK_S = 100.0
"""The street: a stop `s<n>` lies n blocks from the van, 100 s each; the day ends at the van's place."""


def a_street(*visits: Visit, **changes: Any) -> Problem:
    places = [0, *(int(visit.stop_id[1:]) for visit in visits), 0]
    travel = tuple(tuple(BLOCK_S * abs(a - b) for b in places) for a in places)
    warm = tuple(visit.stop_id for visit in visits)
    return Problem(**{"visits": visits, "travel_s": travel, "travel_m": travel, "warm_order": warm, **changes})


def a_visit(number: int, closes_s: float | None = None, *, opens_s: float = -1000, **changes: Any) -> Visit:
    windows = () if closes_s is None else (TimeWindow(opens_s=opens_s, closes_s=closes_s),)
    return Visit(stop_id=f"s{number}", windows=windows, **changes)


def moves(problem: Problem, *order: int, **how: bool) -> tuple[Move, ...]:
    return explained_moves(problem, problem.warm_order, evaluate(problem, [f"s{one}" for one in order]), **how)


def misses(problem: Problem, *order: int) -> tuple[Miss, ...]:
    return explained_misses(problem, evaluate(problem, [f"s{one}" for one in order]))


def test_one_stop_put_last_is_one_stop_moved() -> None:
    assert lifted_stops(("a", "b", "c", "d"), ("b", "c", "d", "a")) == ("a",)
    assert lifted_stops(("a", "gone", "b"), ("a", "new", "b")) == ()
    assert lifted_stops((), ("a",)) == ()


@given(st.permutations(range(7)))
def test_the_lifted_stops_are_the_fewest_that_explain_the_new_order(after: list[int]) -> None:
    before = [str(number) for number in range(7)]
    new = [str(number) for number in after]
    lifted = lifted_stops(before, new)
    kept = [stop for stop in new if stop not in lifted]
    assert kept == sorted(kept)
    longest = max(
        mask.bit_count()
        for mask in range(2**7)
        if (run := [number for place, number in enumerate(after) if mask >> place & 1]) == sorted(run)
    )
    assert len(kept) == longest


def test_a_stop_that_moves_for_its_own_window_says_so_with_the_minutes_it_saves() -> None:
    street = a_street(a_visit(1), a_visit(2), a_visit(9), a_visit(3, closes_s=400))
    (move,) = moves(street, 1, 2, 3, 9)
    assert (move.stop_id, move.places, move.why, move.other) == ("s3", -1, MoveWhy.WINDOW, None)
    assert move.saves_s == 1500 - 400


def test_a_stop_that_makes_room_names_the_stop_it_makes_room_for() -> None:
    street = a_street(a_visit(9), a_visit(1, closes_s=400), a_visit(2, closes_s=400), a_visit(3, closes_s=400))
    (move,) = moves(street, 1, 2, 3, 9)
    assert (move.stop_id, move.why) == ("s9", MoveWhy.ROOM)
    assert move.other == "s3"  # of the three it is the one that would be latest


def test_a_shorter_way_is_a_reason_and_a_closed_road_is_why_it_is_shorter() -> None:
    street = a_street(a_visit(1), a_visit(5), a_visit(2), ends_anywhere=True)
    assert [(move.why, move.saves_s) for move in moves(street, 1, 2, 5)] == [(MoveWhy.NEARER, 300)]
    assert [move.why for move in moves(street, 1, 2, 5, is_road_closed=True)] == [MoveWhy.ROAD_CLOSED]


def test_waiting_before_a_closed_door_and_the_end_of_the_shift_are_reasons() -> None:
    shut = a_visit(1, closes_s=9000, opens_s=2000)
    assert [move.why for move in moves(a_street(shut, a_visit(2)), 2, 1)] == [MoveWhy.WAITING]
    far = a_street(a_visit(9), a_visit(1), a_visit(8), shift_end_s=2500.0)
    assert {move.why for move in moves(far, 1, 8, 9)} <= {MoveWhy.NEARER, MoveWhy.SHIFT_END}


def test_rules_are_reasons_before_any_price() -> None:
    put_off = a_street(a_visit(1, is_last=True), a_visit(2), a_visit(3))
    assert [(move.stop_id, move.why) for move in moves(put_off, 2, 3, 1)] == [("s1", MoveWhy.PUT_OFF)]
    locked = a_street(a_visit(1), a_visit(2), a_visit(3, locked_at=0))
    assert [(move.stop_id, move.why) for move in moves(locked, 3, 1, 2)] == [("s3", MoveWhy.LOCKED)]
    driven_to = a_street(a_visit(1), a_visit(2), a_visit(3), first="s3")
    assert [(move.stop_id, move.why) for move in moves(driven_to, 3, 1, 2)] == [("s3", MoveWhy.DRIVEN_TO)]
    drop = a_street(a_visit(1, pickup="s3"), a_visit(2), a_visit(3))
    assert {move.why for move in moves(drop, 3, 1, 2)} == {MoveWhy.PRECEDENCE}
    heavy = a_street(
        a_visit(1, load=Amount(kg=50)), a_visit(2), a_visit(3, load=Amount(kg=-50)), aboard=Amount(kg=60),
        capacity=Capacity(kg=70),
    )  # fmt: skip
    assert [(move.stop_id, move.why) for move in moves(heavy, 3, 1, 2)] == [("s3", MoveWhy.LOAD)]


def test_nothing_moved_needs_no_reason() -> None:
    street = a_street(a_visit(1), a_visit(2), a_visit(3))
    assert moves(street, 1, 2, 3) == ()
    assert explained_moves(street, ("s9", "s2", "s1"), evaluate(street, ("s2", "s3", "s1"))) == ()


def test_a_stop_too_far_away_is_bound_by_its_window() -> None:
    assert [(miss.why, miss.late_s) for miss in misses(a_street(a_visit(9, closes_s=500)), 9)] == [
        (MissWhy.WINDOW, 400)
    ]


def test_the_stop_driven_to_a_lock_and_a_pickup_can_bind() -> None:
    street = a_street(a_visit(9), a_visit(1, closes_s=400), first="s9")
    assert misses(street, 9, 1) == (Miss(stop_id="s1", why=MissWhy.DRIVEN_TO, other="s9", late_s=1300),)
    locked = a_street(a_visit(5), a_visit(1, closes_s=400, locked_at=1))
    assert [miss.why for miss in misses(locked, 5, 1)] == [MissWhy.LOCKED]
    drop = a_street(a_visit(9), a_visit(1, closes_s=400, pickup="s9"))
    assert misses(drop, 9, 1) == (Miss(stop_id="s1", why=MissWhy.PRECEDENCE, other="s9", late_s=1300),)
    put_off = a_street(a_visit(5), a_visit(1, closes_s=400, is_last=True))
    assert [miss.why for miss in misses(put_off, 5, 1)] == [MissWhy.PUT_OFF]


def test_another_window_binds_when_both_cannot_be_kept() -> None:
    doors = [Visit(stop_id=f"s{number}", windows=(TimeWindow(opens_s=0, closes_s=500),)) for number in (1, 5)]
    # One lies to the left of the van, the other to the right.
    places = [0, -4, 4, 0]
    travel = tuple(tuple(BLOCK_S * abs(a - b) for b in places) for a in places)
    problem = Problem(visits=tuple(doors), travel_s=travel, travel_m=travel, warm_order=("s1", "s5"))
    assert misses(problem, 1, 5) == (Miss(stop_id="s5", why=MissWhy.OTHER_WINDOW, other="s1", late_s=700),)


def test_the_shift_and_the_load_bind() -> None:
    over = a_street(a_visit(1), a_visit(9), shift_end_s=300.0)
    assert [(miss.stop_id, miss.why) for miss in misses(over, 1, 9)] == [("s9", MissWhy.SHIFT)]
    full = a_street(
        a_visit(1, load=Amount(parcels=-5)), a_visit(2), a_visit(3, closes_s=250, load=Amount(parcels=5), setup_s=0),
        aboard=Amount(parcels=8), capacity=Capacity(parcels=10), late_cost_per_s=0.1,
    )  # fmt: skip
    assert misses(full, 1, 2, 3) == (Miss(stop_id="s3", why=MissWhy.WINDOW, late_s=50),)
    full = full.model_copy(update={"visits": (*full.visits[:2], full.visits[2].model_copy(update={"service_s": 0}))})
    wait = [
        full.visits[0].model_copy(update={"service_s": 100}),
        full.visits[1],
        full.visits[2].model_copy(update={"windows": (TimeWindow(opens_s=0, closes_s=350),)}),
    ]
    full = full.model_copy(update={"visits": tuple(wait)})
    assert misses(full, 1, 2, 3) == (Miss(stop_id="s3", why=MissWhy.LOAD, late_s=50),)


def test_a_stop_left_out_says_what_taking_it_in_would_cost() -> None:
    street = a_street(a_visit(1), a_visit(9, skip_cost_s=100), shift_end_s=150.0, late_cost_per_s=5.0)
    assert [(miss.stop_id, miss.why) for miss in misses(street, 1)] == [("s9", MissWhy.SHIFT)]
    street = street.model_copy(update={"shift_end_s": None})
    assert [(miss.stop_id, miss.why) for miss in misses(street, 1)] == [("s9", MissWhy.DETOUR)]


def test_an_order_that_could_be_better_says_that_it_is_only_the_order() -> None:
    street = a_street(a_visit(9), a_visit(1, closes_s=400))
    assert [miss.why for miss in misses(street, 9, 1)] == [MissWhy.ORDER]


@given(st.integers(1, 7), st.integers(0, 10_000), st.randoms(use_true_random=False))
@settings(deadline=None)
def test_every_moved_and_every_late_stop_has_one_reason(count: int, seed: int, dice: Any) -> None:
    problem = a_whole_problem(count, seed)
    order = [visit.stop_id for visit in problem.visits]
    dice.shuffle(order)
    answer = evaluate(problem, order)
    found = explained_moves(problem, problem.warm_order, answer)
    assert {move.stop_id for move in found} == set(lifted_stops(problem.warm_order, order))
    assert all(move.places != 0 or len(found) > 1 for move in found)
    missed = explained_misses(problem, answer)
    assert {miss.stop_id for miss in missed} >= {one.stop_id for one in answer.timings if one.lateness_s > 1}
    assert len({miss.stop_id for miss in missed}) == len(missed)
    assert all(miss.other != miss.stop_id for miss in missed)
    assert all(move.other != move.stop_id for move in found)
