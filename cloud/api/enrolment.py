"""What vans ask over HTTPS: the authority's certificate, their first own one, and the next one in time."""

import asyncio
from collections.abc import Sequence

from aiohttp import web

from cloud.api.access import van_certificate
from cloud.api.parts import PARTS
from cloud.api.problems import ForbiddenError, NotFoundError, TooManyError, answer
from cloud.identity.desk import Desk
from cloud.identity.office import Refused
from cloud.identity.rules import Tries
from wire.enrolment import AUTHORITY_PATH, ENROL_PATH, RENEW_PATH, EnrolAsk, Enrolled, RenewAsk

MAX_BAD_TOKENS, WITHIN_S = 10, 300.0


def routes() -> Sequence[web.AbstractRouteDef]:
    tries = Tries(MAX_BAD_TOKENS, WITHIN_S)

    async def authority(request: web.Request) -> web.Response:
        """Public. Whoever asks compares its fingerprint with the token's before believing it."""
        return web.Response(body=_desk(request).home.authority.pem, content_type="application/x-pem-file")

    async def enrol(request: web.Request) -> web.Response:
        address, now_s = request.remote or "", asyncio.get_running_loop().time()
        if tries.wait_s(address, now_s) > 0:
            raise TooManyError("too many tokens that are not good came from there: wait five minutes")
        asked = EnrolAsk.model_validate_json(await request.read())
        given = await _desk(request).enrol(asked.token, asked.csr_pem, address)
        if isinstance(given, Refused):
            tries.failed(address, now_s)
        return _told(given)

    async def renew(request: web.Request) -> web.Response:
        shown = van_certificate(request)
        assert shown is not None  # the table of who may ask what saw to it
        asked = RenewAsk.model_validate_json(await request.read())
        return _told(await _desk(request).renew(shown, asked.csr_pem, request.remote or ""))

    return (web.get(AUTHORITY_PATH, authority), web.post(ENROL_PATH, enrol), web.post(RENEW_PATH, renew))


def _desk(request: web.Request) -> Desk:
    desk = request.app[PARTS].desk
    if desk is None:
        raise NotFoundError("this coordinator runs without TLS: vans need no certificate")
    return desk


def _told(given: Enrolled | Refused) -> web.Response:
    if isinstance(given, Refused):
        raise ForbiddenError(given.why)
    return answer(given)
