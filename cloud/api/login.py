"""Signing in and out: plain pages without a script, so that they work before anything else does."""

import asyncio
import html
from collections.abc import Sequence

from aiohttp import web

from cloud.api.access import COOKIE, SIGN_IN
from cloud.api.parts import PARTS
from cloud.api.problems import BadRequestError, TooManyError
from cloud.identity.desk import Desk
from cloud.identity.rules import MAX_NAME, MAX_PASSWORD, MIN_PASSWORD, SESSION_LIFE, Tries

MAX_BAD, WITHIN_S = 10, 300.0
HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
    ),
    # With no-referrer a browser would write "Origin: null" on the form, as it does for a foreign page's.
    "Referrer-Policy": "same-origin",
    "Cache-Control": "no-store",
}
_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>{title} · Roundsman</title><style>
:root {{ color-scheme: light dark; --ground: #edf0ef; --surface: #fff; --ink: #10171e; --edge: #74818b;
  --primary: #12367f; --late: #a81420; }}
@media (prefers-color-scheme: dark) {{ :root {{ --ground: #0d1216; --surface: #182027; --ink: #eef2f4;
  --primary: #9db9ff; --late: #ff9a9a; }} button {{ color: #0d1216 !important; }} }}
body {{ margin: 0; min-height: 100vh; display: grid; place-items: center; background: var(--ground); color: var(--ink);
  font: 16px/1.5 "Atkinson Hyperlegible", system-ui, sans-serif; }}
form {{ background: var(--surface); padding: 24px; border-radius: 10px; width: min(360px, 80vw); }}
h1 {{ font-size: 22px; margin: 0 0 12px; }} label {{ display: block; margin-top: 12px; }}
input {{ box-sizing: border-box; width: 100%; height: 44px; padding: 0 10px; font: inherit; color: inherit;
  background: transparent; border: 2px solid var(--edge); border-radius: 6px; }}
button {{ margin-top: 20px; width: 100%; height: 44px; font: inherit; font-weight: 600; color: #fff;
  background: var(--primary); border: 0; border-radius: 6px; }}
:focus-visible {{ outline: 3px solid var(--primary); outline-offset: 2px; }}
p.problem {{ color: var(--late); font-weight: 600; margin: 0; }}
</style></head><body><main><form method="post" action="{action}"><h1>{title}</h1>{problem}{fields}
<button>{button}</button></form></main></body></html>
"""
_NAME = (
    f'<label>Name <input name="name" maxlength="{MAX_NAME}" autocomplete="username" required '
    'autocapitalize="none" spellcheck="false"></label>'
)


def routes() -> Sequence[web.AbstractRouteDef]:
    tries = Tries(MAX_BAD, WITHIN_S)

    def hold_back_guessers(request: web.Request) -> None:
        wait_s = tries.wait_s(request.remote or "", _now_s())
        if wait_s > 0:
            raise TooManyError(f"too many wrong tries came from there: wait {wait_s / 60:.0f} minutes and try again")

    async def sign_in_page(request: web.Request) -> web.Response:
        desk = _desk(request)
        if await desk.first_setup() is not None:
            raise web.HTTPSeeOther("/setup")
        return _sign_in()

    async def sign_in(request: web.Request) -> web.Response:
        desk = _desk(request)
        hold_back_guessers(request)
        name, password = await _fields(request, "name", "password")
        session = await desk.sign_in(name, password, request.remote or "")
        if session is None:
            tries.failed(request.remote or "", _now_s())
            return _sign_in("Name or password is wrong.", 403)
        return _with_session(session)

    async def setup_page(request: web.Request) -> web.Response:
        if await _desk(request).first_setup() is None:
            raise web.HTTPSeeOther(SIGN_IN)
        return _setup()

    async def set_up(request: web.Request) -> web.Response:
        desk = _desk(request)
        hold_back_guessers(request)
        token, name, password = await _fields(request, "token", "name", "password")
        refused = await desk.set_up(token, name, password, request.remote or "")
        if refused is not None:
            tries.failed(request.remote or "", _now_s())
            return _setup(refused.why, 403)
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
        web.get(SIGN_IN, sign_in_page),
        web.post(SIGN_IN, sign_in),
        web.get("/setup", setup_page),
        web.post("/setup", set_up),
        web.post("/logout", sign_out),
    )


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


def _sign_in(problem: str = "", status: int = 200) -> web.Response:
    password = (
        f'<label>Password <input name="password" type="password" maxlength="{MAX_PASSWORD}" '
        'autocomplete="current-password" required></label>'
    )
    return _page("Sign in", SIGN_IN, _NAME + password, "Sign in", (problem, status))


def _setup(problem: str = "", status: int = 200) -> web.Response:
    fields = (
        "<p>This coordinator has no administrator yet. It printed a one-time token when it started.</p>"
        '<label>Token <input name="token" autocomplete="off" required spellcheck="false"></label>'
    )
    password = (
        f'<label>New password, {MIN_PASSWORD} characters or more <input name="password" type="password" '
        f'minlength="{MIN_PASSWORD}" maxlength="{MAX_PASSWORD}" autocomplete="new-password" required></label>'
    )
    return _page("First administrator", "/setup", fields + _NAME + password, "Set up", (problem, status))


def _page(title: str, action: str, fields: str, button: str, outcome: tuple[str, int]) -> web.Response:
    problem, status = outcome
    told = f'<p class="problem" role="alert">{html.escape(problem)}</p>' if problem else ""
    text = _PAGE.format(title=title, action=action, fields=fields, button=button, problem=told)
    return web.Response(text=text, content_type="text/html", status=status, headers=HEADERS)


def _now_s() -> float:
    return asyncio.get_running_loop().time()
