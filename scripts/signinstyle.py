"""The colours of the sign-in page, taken from the pages' tokens: it is a page without a build of its own."""

import re
from pathlib import Path

TOKENS = Path(__file__).resolve().parent.parent / "ui" / "kit" / "tokens.css"
ROLES = (
    *("color-scheme", "--ground", "--surface", "--ink", "--ink2", "--line", "--edge", "--route", "--primary"),
    *("--on-plate", "--late", "--late-tint", "--primary-border", "--font", "--width", "--radius", "--radius-small"),
    *("--console-pad", "--control-touch", "--size-console", "--size-console-second", "--size-console-title"),
)
_HEAD = '''"""Made from `ui/kit/tokens.css` by `python -m scripts.generate`: the roles that the sign-in page uses."""

TOKENS = """\\
{tokens}"""
'''


def sign_in_tokens() -> str:
    """The text of `cloud/api/tokens.py`. The night's colours come by the browser's wish: no script asks for the sun."""
    css = TOKENS.read_text(encoding="utf-8")
    day, night = (_roles(css, selector) for selector in (":root {", ":root[data-theme='night'] {"))
    return _HEAD.format(tokens=f":root {{\n{day}}}\n@media (prefers-color-scheme: dark) {{\n:root {{\n{night}}}\n}}\n")


def _roles(css: str, selector: str) -> str:
    block = css[css.index(selector) + len(selector) :]
    block = block[: block.index("}")]
    found = dict(re.findall(r"^\s*([\w-]+):\s*([^;]+);", block, re.M))
    return "".join(f"  {role}: {found[role]};\n" for role in ROLES if role in found)
