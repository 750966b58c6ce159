"""Asking the planner: one question at a time, and of those that come meanwhile only the newest."""

import asyncio
import logging
from collections.abc import Awaitable, Callable

from agent.trip.effects import Replan
from agent.trip.inputs import PlanNotFound, PlanSolved
from agent.trip.run import Run
from wire.events import ReplanReason

log = logging.getLogger(__name__)

AskPlanner = Callable[[Run, ReplanReason], Awaitable[PlanSolved | PlanNotFound]]


class Replanning:
    """`current` is read when a question is put, so that the planner works on the newest run."""

    def __init__(
        self, ask: AskPlanner, current: Callable[[], Run], answer: Callable[[PlanSolved | PlanNotFound], None]
    ) -> None:
        self._ask = ask
        self._current = current
        self._answer = answer
        self._wanted: Replan | None = None
        self._is_wanted = asyncio.Event()

    def want(self, replan: Replan) -> None:
        self._wanted = replan
        self._is_wanted.set()

    async def run(self) -> None:
        """Answers until cancelled."""
        while True:
            await self._is_wanted.wait()
            self._is_wanted.clear()
            wanted, self._wanted = self._wanted, None
            if wanted is None:
                continue
            asked_about = self._current()
            try:
                answer = await self._ask(asked_about, wanted.reason)
            except Exception as error:
                # A planner that breaks must not take the van with it: the plan in force stays.
                log.exception("the planner failed")
                answer = PlanNotFound(run_version=asked_about.version, why=f"{type(error).__name__}: {error}")
            if isinstance(answer, PlanNotFound):
                log.warning("the order stays as it is: %s", answer.why)
            self._answer(answer)
