"""The pages before the console: a form in the console's style, without a script, so that it works first of all."""

import html
from dataclasses import dataclass
from pathlib import Path

from aiohttp import web

from cloud.api.tokens import TOKENS
from cloud.api.words import WORDS, Words, language_of
from cloud.identity.rules import MAX_NAME, MAX_PASSWORD, MIN_PASSWORD

HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'unsafe-inline'; font-src 'self'; img-src 'self'; form-action 'self'; "
        "frame-ancestors 'none'; base-uri 'none'"
    ),
    "Cache-Control": "no-store",
}
_FONT = "encode-sans-latin-standard-normal-*.woff2"
_STYLE = """\
@font-face {{ font-family: 'Encode Sans Variable'; font-weight: 100 900; font-stretch: 75% 125%;
  src: url(/assets/{font}) }}
{tokens}
* {{ box-sizing: border-box }}
body {{ margin: 0; min-height: 100vh; display: grid; grid-template-rows: auto 1fr; background: var(--ground);
  color: var(--ink); font: var(--size-console)/1.5 var(--font); font-stretch: var(--width) }}
header {{ display: flex; align-items: center; gap: 10px; height: 52px; padding: 0 var(--console-pad);
  background: var(--surface); border-bottom: 1px solid var(--line); font-size: 18px; font-weight: 700 }}
header svg {{ width: 26px; height: 26px }}
header path {{ fill: none; stroke: var(--ink); stroke-width: 2.6 }}
header rect {{ fill: var(--route) }}
main {{ display: grid; place-items: center; padding: var(--console-pad) }}
form {{ width: min(380px, 100%); padding: 24px; background: var(--surface); border: 1px solid var(--line);
  border-radius: var(--radius) }}
h1 {{ margin: 0 0 4px; font-size: var(--size-console-title); line-height: 1.2 }}
p {{ margin: 0 0 8px; color: var(--ink2) }}
label {{ display: block; margin-top: 14px; font-size: var(--size-console-second); font-weight: 600 }}
input {{ width: 100%; height: var(--control-touch); margin-top: 4px; padding: 0 10px; font: inherit; color: inherit;
  background: transparent; border: 1px solid var(--edge); border-radius: var(--radius-small) }}
button {{ width: 100%; height: var(--control-touch); margin-top: 22px; font: inherit; font-weight: 700;
  color: var(--on-plate); background: var(--primary); border: var(--primary-border);
  border-radius: var(--radius-small); cursor: pointer }}
:focus-visible {{ outline: 3px solid var(--route); outline-offset: 2px }}
p.problem {{ display: flex; gap: 8px; margin: 12px 0 0; padding: 10px 12px; color: var(--late);
  background: var(--late-tint); border-radius: var(--radius-small); font-weight: 600 }}
p.problem svg {{ flex: none; width: 20px; height: 20px; margin-top: 1px; fill: var(--late) }}
"""
_PAGE = """<!doctype html>
<html lang="{language}"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title} · Roundsman</title><link rel="icon" type="image/svg+xml" href="/favicon.svg"><style>
{style}</style></head><body>
<header><svg viewBox="0 0 24 24" aria-hidden="true"><path d="M6.2 4.6a9.6 9.6 0 1 0 6-2.2"/>
<rect x="8.2" y="8.2" width="7.6" height="7.6" rx="1.6"/></svg>Roundsman</header>
<main><form method="post" action="{action}"><h1>{title}</h1>{problem}{fields}<button>{button}</button></form></main>
</body></html>
"""
_PROBLEM = (
    '<p class="problem" role="alert"><svg viewBox="0 0 20 20" aria-hidden="true"><path d="M4 2v16l13-8z"/></svg>{}</p>'
)


@dataclass(frozen=True)
class _Form:
    action: str
    title: str
    fields: str
    button: str


def words_for(request: web.Request) -> Words:
    return WORDS[language_of(request.headers.get("Accept-Language", ""))]


def sign_in_page(request: web.Request, root: Path, problem: str = "", status: int = 200) -> web.Response:
    words = words_for(request)
    fields = _name(words) + _field(
        words.password, f'name="password" type="password" maxlength="{MAX_PASSWORD}" autocomplete="current-password"'
    )
    return _page(request, root, _Form("/login", words.sign_in, fields, words.sign_in), (problem, status))


def set_up_page(request: web.Request, root: Path, problem: str = "", status: int = 200) -> web.Response:
    words = words_for(request)
    password = f'type="password" minlength="{MIN_PASSWORD}" maxlength="{MAX_PASSWORD}" autocomplete="new-password"'
    fields = (
        f"<p>{html.escape(words.why_set_up)}</p>"
        + _field(words.token, 'name="token" autocomplete="off" spellcheck="false"')
        + _name(words)
        + _field(words.new_password.format(MIN_PASSWORD), f'name="password" {password}')
    )
    return _page(request, root, _Form("/setup", words.first_administrator, fields, words.set_up), (problem, status))


def _name(words: Words) -> str:
    plain = 'autocapitalize="none" spellcheck="false"'
    return _field(words.name, f'name="name" maxlength="{MAX_NAME}" autocomplete="username" {plain}')


def _field(label: str, attributes: str) -> str:
    return f"<label>{html.escape(label)}<input {attributes} required></label>"


def _page(request: web.Request, root: Path, form: _Form, outcome: tuple[str, int]) -> web.Response:
    problem, status = outcome
    font = next((path.name for path in (root / "console" / "assets").glob(_FONT)), "")
    text = _PAGE.format(
        language=language_of(request.headers.get("Accept-Language", "")),
        title=html.escape(form.title),
        style=_STYLE.format(font=font, tokens=TOKENS),
        action=form.action,
        problem=_PROBLEM.format(html.escape(problem)) if problem else "",
        fields=form.fields,
        button=html.escape(form.button),
    )
    return web.Response(text=text, content_type="text/html", status=status, headers=HEADERS)
