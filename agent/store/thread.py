"""The store's thread: one job at a time, and what somebody waits for in front of the screen before what can wait."""

import threading
from collections.abc import Callable
from concurrent.futures import Executor, Future
from itertools import count
from queue import PriorityQueue
from typing import override

_URGENT, _PATIENT, _LAST = range(3)
type _Job = tuple[int, int, Callable[[], None] | None]


class StoreThread:
    """`urgent` overtakes `patient`, but not the job that is being done; each keeps the order in which it was asked."""

    def __init__(self) -> None:
        self._jobs: PriorityQueue[_Job] = PriorityQueue()
        self._numbers = count()
        self._is_ended = False
        self.urgent = Turn(self, is_urgent=True)
        self.patient = Turn(self, is_urgent=False)
        threading.Thread(target=self._work, name="store", daemon=True).start()

    def end(self) -> None:
        """After all that was asked for; does not wait."""
        self._is_ended = True
        self._jobs.put((_LAST, next(self._numbers), None))

    def put(self, job: Callable[[], None], *, is_urgent: bool) -> None:
        if self._is_ended:
            raise RuntimeError("the store is closed")
        self._jobs.put((_URGENT if is_urgent else _PATIENT, next(self._numbers), job))

    def _work(self) -> None:
        while (job := self._jobs.get()[2]) is not None:
            job()


class Turn(Executor):
    """What `run_in_executor` takes: one of the two ways to ask the thread."""

    def __init__(self, thread: StoreThread, *, is_urgent: bool) -> None:
        self.thread = thread
        self.is_urgent = is_urgent

    @override
    def submit[**P, T](self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        done: Future[T] = Future()

        def job() -> None:
            if not done.set_running_or_notify_cancel():
                return
            try:
                answer = fn(*args, **kwargs)
            except BaseException as error:
                done.set_exception(error)
            else:
                done.set_result(answer)

        self.thread.put(job, is_urgent=self.is_urgent)
        return done
