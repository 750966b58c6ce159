"""Renews the certificate at two thirds of its life, while the van does its work."""

import asyncio
import logging
import random
from collections.abc import Callable

from agent.errors import EnrolmentError
from agent.identity.enrol import renew
from agent.identity.tls import Credentials

LOOK_EVERY_S = 600.0
"""A third of a month is left to try in: a coordinator that is away now is asked again ten minutes later."""

log = logging.getLogger(__name__)


async def keep_renewed(
    credentials: Credentials, van: str, *, every_s: float = LOOK_EVERY_S, chance: Callable[[], float] = random.random
) -> None:
    """Until cancelled. Says once why it cannot, until it can again."""
    told = ""
    while True:
        try:
            await asyncio.to_thread(credentials.raise_floor)
            if await asyncio.to_thread(credentials.is_renewal_due):
                await asyncio.to_thread(renew, credentials, van)
                log.info("the certificate was renewed")
            told = ""
        except (EnrolmentError, OSError) as error:
            if str(error) != told:
                log.warning("the certificate is not renewed: %s", error)
            told = str(error)
        await asyncio.sleep(every_s * (0.5 + chance() / 2))
