"""What somebody waits for goes before what can wait, and nothing else is moved."""

import asyncio
import threading

import pytest

from agent.store.thread import StoreThread, Turn


async def asked(*turns: tuple[Turn, str], thread: StoreThread) -> list[str]:
    """The order in which jobs are done that are asked for while another one is being done."""
    loop, done, held = asyncio.get_running_loop(), list[str](), threading.Event()
    first = loop.run_in_executor(thread.patient, held.wait)
    await asyncio.sleep(0.05)  # it is being done
    others = [loop.run_in_executor(turn, done.append, name) for turn, name in turns]
    held.set()
    await asyncio.gather(first, *others)
    return done


async def test_what_is_urgent_overtakes_what_waits_and_each_keeps_its_order() -> None:
    thread = StoreThread()
    patient, urgent = thread.patient, thread.urgent
    order = await asked((patient, "read"), (urgent, "tap 1"), (patient, "receipt"), (urgent, "tap 2"), thread=thread)
    assert order == ["tap 1", "tap 2", "read", "receipt"]
    thread.end()


async def test_it_ends_after_all_that_was_asked_for() -> None:
    thread, done = StoreThread(), list[str]()
    loop = asyncio.get_running_loop()
    jobs = [loop.run_in_executor(turn, done.append, "job") for turn in (thread.patient, thread.urgent)]
    thread.end()
    await asyncio.gather(*jobs)
    assert len(done) == 2
    with pytest.raises(RuntimeError, match="closed"):
        thread.urgent.submit(done.append, "late")


async def test_who_asked_gets_the_error_and_the_next_job_is_done() -> None:
    thread, loop = StoreThread(), asyncio.get_running_loop()
    with pytest.raises(ZeroDivisionError):
        await loop.run_in_executor(thread.patient, lambda: 1 // 0)
    assert await loop.run_in_executor(thread.patient, lambda: 2) == 2
    thread.end()


async def test_what_nobody_waits_for_any_more_is_not_done() -> None:
    thread, loop, done, held = StoreThread(), asyncio.get_running_loop(), list[str](), threading.Event()
    first = loop.run_in_executor(thread.patient, held.wait)
    await asyncio.sleep(0.05)
    given_up = loop.run_in_executor(thread.patient, done.append, "given up")
    given_up.cancel()
    await asyncio.sleep(0)
    held.set()
    await first
    await loop.run_in_executor(thread.patient, done.append, "wanted")
    assert done == ["wanted"]
    thread.end()
