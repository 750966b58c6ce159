"""The engine against every order there is, and against a worker that dies, sleeps or talks nonsense."""

import asyncio
import errno
import json
import os
import signal
import sys
import time
from collections.abc import AsyncIterator
from itertools import permutations
from pathlib import Path

import pytest
import pytest_asyncio

from agent.localroute.check import broken_rules, evaluate, legs_without_road
from agent.localroute.engine import is_built
from agent.localroute.problem import Answer, Problem
from agent.localroute.repair import repaired
from agent.localroute.worker import GRACE_S, SearchName, Solver
from tests.builders import a_problem, shuffled, with_rules

pytestmark = pytest.mark.asyncio(loop_scope="module")

SLACK_S = 1.0
"""For a busy machine, on top of the limit and its grace."""


class Watched(Solver):
    """A solver whose workers a test can reach."""

    def __init__(self, engine: SearchName | None = None) -> None:
        self.pids: list[int] = []
        super().__init__(self.pids.append, engine)


@pytest_asyncio.fixture(scope="module", loop_scope="module", params=["core", "ortools"])
async def solver(request: pytest.FixtureRequest) -> AsyncIterator[Watched]:
    """One for the whole file: whatever one test does to its worker, the next must find it answering."""
    if request.param == "core" and not is_built():
        pytest.skip("the core is not built: no compiler when scripts/setup ran")
    solver = Watched(request.param)
    await solver.start()
    yield solver
    await solver.close()
    assert not any(is_running(pid) for pid in solver.pids)


def is_running(pid: int) -> bool:
    return Path(f"/proc/{pid}").exists()


def cheapest(problem: Problem) -> Answer:
    orders = permutations(visit.stop_id for visit in problem.visits)
    return min(
        (evaluate(problem, order) for order in orders if not broken_rules(problem, order)),
        key=lambda answer: answer.cost,
    )


async def timed(solver: Solver, problem: Problem, limit_s: float) -> tuple[Answer, str, float]:
    started_s = time.monotonic()
    answer, why = await solver.solve(problem, limit_s)
    return answer, why, time.monotonic() - started_s


async def test_up_to_seven_stops_get_the_cheapest_order_there_is(solver: Watched) -> None:
    for seed, count in enumerate((2, 3, 4, 5, 6, 6, 7)):
        problem = a_problem(count, seed=seed)
        answer, why = await solver.solve(problem, 0.5)
        assert why == ""
        assert answer.cost == pytest.approx(cheapest(problem).cost), f"seed {seed}"


async def test_rules_and_new_stops_are_kept_at_the_lowest_cost(solver: Watched) -> None:
    for seed in range(12):
        problem = with_rules(a_problem(5, seed=seed, warm=4), seed)
        # The engine cannot see an old neighbour past a new stop; without the price of moving it must find the best.
        problem = problem.model_copy(update={"moved_stop_cost_s": 0.0})
        answer, why = await solver.solve(problem, 0.3)
        assert why == ""
        assert broken_rules(problem, answer.order) == ()
        assert answer.cost == pytest.approx(cheapest(problem).cost), f"seed {seed}"


async def test_a_price_on_moving_keeps_the_drivers_order_unless_it_pays(solver: Watched) -> None:
    problem = a_problem(7, seed=3)
    dear = problem.model_copy(update={"moved_stop_cost_s": 1_000_000.0})
    assert (await solver.solve(dear, 0.3))[0].order == problem.warm_order
    cheap = problem.model_copy(update={"moved_stop_cost_s": 0.0})
    assert (await solver.solve(cheap, 0.3))[0].order == cheapest(cheap).order != problem.warm_order


async def test_the_same_stops_in_another_order_give_the_same_plan(solver: Watched) -> None:
    problem = a_problem(9, seed=5)
    first, _ = await solver.solve(problem, 0.4)
    for seed in range(2):
        assert (await solver.solve(shuffled(problem, seed), 0.4))[0] == first


async def test_a_day_of_any_size_is_answered_in_time_and_never_worse(solver: Watched) -> None:
    for count in (0, 1, 2, 40, 150):
        problem = a_problem(count, seed=count)
        answer, why, took_s = await timed(solver, problem, 0.4)
        assert took_s < 0.4 + GRACE_S + SLACK_S
        assert why == ""
        assert broken_rules(problem, answer.order) == ()
        assert answer.cost <= evaluate(problem, repaired(problem)).cost
        assert answer == evaluate(problem, answer.order, answer.engine)


async def test_a_town_without_a_single_road_still_has_an_order_that_says_so(solver: Watched) -> None:
    problem = a_problem(5)
    nowhere = tuple(tuple(None for _ in row) for row in problem.travel_s)
    problem = problem.model_copy(update={"travel_s": nowhere})
    answer, _ = await solver.solve(problem, 0.3)
    assert len(legs_without_road(problem, answer.order)) == 6


async def test_a_stop_without_a_road_stays_in_the_order_and_only_its_own_legs_are_guesses(solver: Watched) -> None:
    problem = a_problem(6, seed=1)
    cut = tuple(
        tuple(None if 3 in (i, j) else leg for j, leg in enumerate(row)) for i, row in enumerate(problem.travel_s)
    )
    problem = problem.model_copy(update={"travel_s": cut})
    answer, _ = await solver.solve(problem, 0.3)
    assert broken_rules(problem, answer.order) == ()
    assert len(legs_without_road(problem, answer.order)) == 2


@pytest.mark.system
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGSTOP])
async def test_a_worker_that_dies_or_sleeps_costs_no_time_and_the_next_one_answers(
    solver: Watched, how: signal.Signals
) -> None:
    problem = a_problem(60, seed=2)
    asking = asyncio.create_task(timed(solver, problem, 0.6))
    await asyncio.sleep(0.2)
    hurt = solver.pids[-1]
    os.kill(hurt, how)
    answer, why, took_s = await asking
    assert took_s < 0.6 + GRACE_S + SLACK_S
    assert ("died" if how is signal.SIGKILL else "did not keep its limit") in why
    assert broken_rules(problem, answer.order) == ()
    assert answer.cost <= evaluate(problem, repaired(problem)).cost
    assert not is_running(hurt)
    small = a_problem(5, seed=4)
    await solver.start()
    again, why = await solver.solve(small, 0.4)
    assert why == ""
    assert again.cost == pytest.approx(cheapest(small).cost)


@pytest.mark.system
async def test_a_worker_that_died_between_two_problems_is_replaced(solver: Watched) -> None:
    os.kill(solver.pids[-1], signal.SIGKILL)
    answer, _, took_s = await timed(solver, a_problem(5, seed=4), 0.5)
    assert took_s < 0.5 + GRACE_S + SLACK_S
    assert len(answer.order) == 5
    await solver.start()
    assert (await solver.solve(a_problem(5, seed=4), 0.4))[1] == ""


@pytest.mark.system
async def test_a_question_that_is_given_up_does_not_answer_the_next_one(solver: Watched) -> None:
    asking = asyncio.create_task(solver.solve(a_problem(30), 1.0))
    await asyncio.sleep(0.1)
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    await solver.start()
    answer, why = await solver.solve(a_problem(4), 0.3)
    assert (why, len(answer.order)) == ("", 4)


async def test_before_the_worker_is_ready_the_repaired_order_is_given_at_the_limit() -> None:
    solver = Solver()
    problem = a_problem(6)
    answer, why, took_s = await timed(solver, problem, 0.05)
    await solver.close()
    assert took_s < 0.05 + SLACK_S
    assert (answer.engine, answer.order) == ("repair", repaired(problem))
    assert "not ready" in why


async def test_a_solver_closed_while_its_worker_starts_leaves_no_process() -> None:
    solver = Watched()
    solver.warm()
    await asyncio.sleep(0.05)
    await solver.close()
    assert not any(is_running(pid) for pid in solver.pids)


async def test_a_worker_whose_start_cannot_be_noted_is_not_left_behind() -> None:
    started: list[int] = []

    def full_disk(pid: int) -> None:
        started.append(pid)
        raise OSError(errno.ENOSPC, "No space left on device")

    solver = Solver(full_disk)
    with pytest.raises(OSError, match="No space left"):
        await solver.start()
    assert not is_running(started[0])
    await solver.close()


async def test_a_closed_solver_repairs_and_says_so() -> None:
    solver = Solver()
    await solver.close()
    answer, why = await solver.solve(a_problem(3), 0.2)
    assert (answer.engine, why) == ("repair", "the solver is closed")


@pytest.mark.system
async def test_a_worker_whose_parent_is_killed_dies_too() -> None:
    script = (
        "import asyncio, json, sys\n"
        "from agent.localroute.worker import Solver\n"
        "async def main():\n"
        "    await Solver(lambda pid: print(json.dumps(pid), flush=True)).start()\n"
        "    print('\"ready\"', flush=True)\n"
        "    await asyncio.sleep(60)\n"
        "asyncio.run(main())\n"
    )
    parent = await asyncio.create_subprocess_exec(
        sys.executable, "-c", script, stdout=asyncio.subprocess.PIPE, cwd=Path(__file__).parents[3]
    )
    assert parent.stdout is not None
    pid = json.loads(await parent.stdout.readline())
    assert json.loads(await parent.stdout.readline()) == "ready"
    assert is_running(pid)
    parent.kill()
    await parent.communicate()
    async with asyncio.timeout(5):
        while is_running(pid):  # noqa: ASYNC110  (another process's end sends us no event)
            await asyncio.sleep(0.02)


async def test_what_or_tools_does_not_know_is_said_and_the_repaired_order_kept() -> None:
    problem = a_problem(5, seed=1)
    visits = (problem.visits[0].model_copy(update={"is_anywhere": True}), *problem.visits[1:])
    problem = problem.model_copy(update={"visits": visits, "ends_anywhere": True})
    solver = Solver(engine="ortools")
    await solver.start()
    answer, why = await solver.solve(problem, 0.3)
    await solver.close()
    assert why == "OR-Tools does not know breaks, an end of the day anywhere"
    assert answer.order == repaired(problem)


async def test_or_tools_keeps_a_pickup_before_its_drop_off() -> None:
    problem = a_problem(6, seed=2, moved_stop_cost_s=0.0)
    visits = tuple(
        visit.model_copy(update={"pickup": "s1" if visit.stop_id == "s2" else None}) for visit in problem.visits
    )
    problem = Problem.model_validate({**dict(problem), "visits": visits})
    solver = Solver(engine="ortools")
    await solver.start()
    answer, why = await solver.solve(problem, 0.5)
    await solver.close()
    assert why == ""
    assert answer.cost == pytest.approx(cheapest(problem).cost)
