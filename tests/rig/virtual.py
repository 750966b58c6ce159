"""An event loop whose time is counted and not lived: a day takes as long as its work, and a seed decides every tie.

Work for other threads is done inline, at a virtual moment of its own, one after another as a thread of one would. When
nothing is scheduled, all waits for ever: that is a deadlock, and is said so.
"""

import asyncio
import random
import selectors
from collections.abc import Callable, Mapping
from typing import Any

from agent.store.thread import Turn

TICK_S = 1e-9
"""Time passes whatever is done: a wait for less than a float's last digit would never end."""


class DeadlockError(RuntimeError):
    """Nothing is scheduled and somebody waits."""


class _Selector(selectors.BaseSelector):
    """Never waits for a socket: it moves the clock instead."""

    def __init__(self) -> None:
        self.loop: VirtualLoop | None = None
        self._keys: dict[Any, selectors.SelectorKey] = {}

    def register(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        number = fileobj if isinstance(fileobj, int) else fileobj.fileno()
        self._keys[fileobj] = selectors.SelectorKey(fileobj, number, events, data)
        return self._keys[fileobj]

    def unregister(self, fileobj: Any) -> selectors.SelectorKey:
        return self._keys.pop(fileobj)

    def get_map(self) -> Mapping[Any, selectors.SelectorKey]:
        return self._keys

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None:
            raise DeadlockError("nothing is scheduled")
        assert self.loop is not None
        self.loop.now_s += max(TICK_S, timeout)
        return []


class VirtualLoop(asyncio.SelectorEventLoop):
    """`is_shuffled`: what is ready in the same moment runs in an order of the seed's, not first come first served.
    `longest_job_s`: a job on a thread (a commit, mostly) takes up to this long.
    """

    def __init__(self, seed: int, *, is_shuffled: bool, longest_job_s: float = 0.012) -> None:
        self.now_s = 0.0
        self._dice = random.Random(seed)
        self._is_shuffled, self._longest_job_s = is_shuffled, longest_job_s
        self._free_at: dict[tuple[int, bool], float] = {}
        selector = _Selector()
        selector.loop = self
        super().__init__(selector)

    def time(self) -> float:
        return self.now_s

    def _run_once(self) -> None:
        ready = self._ready  # type: ignore[attr-defined]
        if self._is_shuffled and len(ready) > 1:
            handles = list(ready)
            self._dice.shuffle(handles)
            ready.clear()
            ready.extend(handles)
        super()._run_once()  # type: ignore[misc]

    def run_in_executor[*Ts, T](self, executor: Any, func: Callable[[*Ts], T], *args: *Ts) -> asyncio.Future[T]:
        done: asyncio.Future[T] = self.create_future()
        is_urgent = isinstance(executor, Turn) and executor.is_urgent
        thread = id(executor.thread if isinstance(executor, Turn) else executor)
        # What is urgent waits for what is urgent; what is patient for all.
        starts_s = max(self.now_s, self._free_at.get((thread, is_urgent), 0.0))
        ends_s = starts_s + self._dice.uniform(0.0002, self._longest_job_s)
        for waits_for_all in (False, True) if is_urgent else (True,):
            self._free_at[thread, not waits_for_all] = max(ends_s, self._free_at.get((thread, not waits_for_all), 0.0))
        self.call_at(ends_s, self._work, done, func, args)
        return done

    @staticmethod
    def _work(done: asyncio.Future[Any], func: Callable[..., Any], args: tuple[Any, ...]) -> None:
        if done.cancelled():
            return
        try:
            answer = func(*args)
        except BaseException as error:
            done.set_exception(error)
        else:
            done.set_result(answer)
