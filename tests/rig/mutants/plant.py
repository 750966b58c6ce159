"""How a fault is planted: a function that patches named parts of the production code, and gives back how to undo it."""

import asyncio
from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import wraps
from typing import Any
from unittest import mock

type Plant = Callable[[], AbstractContextManager[Any]]
MUTANTS: dict[str, Plant] = {}
_under_way: set[asyncio.Future[None]] = set()


def planted(name: str) -> Callable[[Plant], Plant]:
    def keep(plant: Plant) -> Plant:
        assert name not in MUTANTS
        MUTANTS[name] = plant
        return plant

    return keep


def wrapped(owner: Any, name: str, make: Callable[[Any], Any]) -> AbstractContextManager[Any]:
    """Puts what `make` makes of the original into its place."""
    original = getattr(owner, name)
    return mock.patch.object(owner, name, wraps(original)(make(original)))


def beside(work: Any) -> None:
    """Does it later, without anybody waiting for it."""
    task = asyncio.ensure_future(work)
    _under_way.add(task)
    task.add_done_callback(_under_way.discard)


async def ignoring(work: Any) -> None:
    try:
        await work
    except Exception:  # whoever asked has been answered long ago
        return
