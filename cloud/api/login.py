"""Signing in and out, and making the first administrator."""

import asyncio
import math
from collections.abc import Sequence
from pathlib import Path

from aiohttp import web

from cloud.api.access import COOKIE, SIGN_IN
from cloud.api.parts import PARTS
from cloud.api.problems import BadRequestError
from cloud.api.signinpage import set_up_page, sign_in_page, words_for
from cloud.identity.desk import Desk
from cloud.identity.rules import SESSION_LIFE, Tries

MAX_BAD, WITHIN_S = 10, 300.0


def routes() -> Sequence[web.AbstractRouteDef]:
    tries = Tries(MAX_BAD, WITHIN_S)

    def wait_first(request: web.Request) -> str:
        """What to tell somebody who guessed too often; empty for anybody else."""
        wait_s = tries.wait_s(request.remote or "", _now_s())
        return words_for(request).too_many.format(math.ceil(wait_s / 60)) if wait_s > 0 else ""

    async def show_sign_in(request: web.Request) -> web.Response:
        desk = _desk(request)
        if await desk.first_setup() is not None:
            raise web.HTTPSeeOther("/setup")
        return sign_in_page(request, _root(request))

    async def sign_in(request: web.Request) -> web.Response:
        desk = _desk(request)
        if problem := wait_first(request):
            return sign_in_page(request, _root(request), problem, 429)
        name, password = await _fields(request, "name", "password")
        session = await desk.sign_in(name, password, request.remote or "")
        if session is None:
            tries.failed(request.remote or "", _now_s())
            return sign_in_page(request, _root(request), words_for(request).wrong, 403)
        return _with_session(session)

    async def show_set_up(request: web.Request) -> web.Response:
        if await _desk(request).first_setup() is None:
            raise web.HTTPSeeOther(SIGN_IN)
        return set_up_page(request, _root(request))

    async def set_up(request: web.Request) -> web.Response:
        desk = _desk(request)
        if problem := wait_first(request):
            return set_up_page(request, _root(request), problem, 429)
        token, name, password = await _fields(request, "token", "name", "password")
        refused = await desk.set_up(token, name, password, request.remote or "")
        if refused is not None:
            tries.failed(request.remote or "", _now_s())
            return set_up_page(request, _root(request), refused.why, 403)
        session = await desk.sign_in(name, password, request.remote or "")
        assert session is not None
        return _with_session(session)

    async def sign_out(request: web.Request) -> web.Response:
        session = request.cookies.get(COOKIE)
        if session is not None:
            await _desk(request).sign_out(session, request.remote or "")
        response = web.Response(status=303, headers={"Location": SIGN_IN})
        response.del_cookie(COOKIE, path="/", secure=True, httponly=True, samesite="Lax")
        return response

    return (
        web.get(SIGN_IN, show_sign_in),
        web.post(SIGN_IN, sign_in),
        web.get("/setup", show_set_up),
        web.post("/setup", set_up),
        web.post("/logout", sign_out),
    )


def _root(request: web.Request) -> Path:
    return request.app[PARTS].pages_dir


def _desk(request: web.Request) -> Desk:
    parts = request.app[PARTS]
    if parts.desk is None or not parts.is_secured:
        raise web.HTTPSeeOther("/")  # nobody signs in on a console without TLS
    return parts.desk


def _with_session(session: str) -> web.Response:
    response = web.Response(status=303, headers={"Location": "/"})
    life_s = int(SESSION_LIFE.total_seconds())
    response.set_cookie(COOKIE, session, max_age=life_s, path="/", secure=True, httponly=True, samesite="Lax")
    return response


async def _fields(request: web.Request, *names: str) -> list[str]:
    if request.content_type != "application/x-www-form-urlencoded" or (request.content_length or 0) > 4096:
        raise BadRequestError("send the form of this page")
    form = await request.post()
    values = [form.get(name, "") for name in names]
    return [value if isinstance(value, str) else "" for value in values]


def _now_s() -> float:
    return asyncio.get_running_loop().time()
