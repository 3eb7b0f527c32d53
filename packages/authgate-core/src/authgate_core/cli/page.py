"""The page of the development issuer: no script, nothing from elsewhere, light and dark, on a telephone too."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape
from typing import Final

from .wanted import DevUser

__all__ = ["refusal_page", "users_page"]

_STYLE: Final = """
:root { color-scheme: light dark; --line: light-dark(#d5d8dd, #3a3f47); --quiet: light-dark(#5a626d, #a2abb7);
  --mark: light-dark(#0b5fbf, #7db7ff); --card: light-dark(#fff, #1b1f25); --back: light-dark(#f5f6f8, #12151a); }
* { box-sizing: border-box; }
body { margin: 0; background: var(--back); font: 16px/1.5 system-ui, sans-serif; }
main { max-width: 52rem; margin: 0 auto; padding: 1.5rem 1rem 4rem; }
h1 { font-size: 1.5rem; margin: 0 0 .25rem; } h2 { font-size: 1.1rem; margin: 0 0 .75rem; }
p { margin: 0 0 1rem; } .quiet { color: var(--quiet); }
section { background: var(--card); border: 1px solid var(--line); border-radius: .6rem; padding: 1rem; margin: 1rem 0; }
code, textarea { font: .875rem/1.5 ui-monospace, monospace; overflow-wrap: anywhere; }
textarea { width: 100%; height: 12rem; border: 1px solid var(--line); border-radius: .4rem; padding: .6rem;
  resize: vertical; background: var(--back); color: inherit; }
.user { display: flex; flex-wrap: wrap; gap: .5rem 1rem; align-items: end; padding: .75rem 0;
  border-top: 1px solid var(--line); }
.user:first-of-type { border-top: 0; padding-top: 0; }
.who { flex: 1 1 8rem; } .who b { display: block; overflow-wrap: anywhere; }
label { flex: 1 1 6.5rem; font-size: .8rem; color: var(--quiet); }
input { display: block; width: 100%; font: inherit; padding: .35rem .5rem; border: 1px solid var(--line);
  border-radius: .4rem; background: transparent; color: light-dark(#16191d, #eceff3); }
section p:last-child { margin: 0; }
@media (max-width: 36rem) { .who { flex-basis: 100%; } }
button { font: inherit; padding: .4rem .9rem; border: 0; border-radius: .4rem; background: var(--mark);
  color: light-dark(#fff, #0c1116); cursor: pointer; }
:focus-visible { outline: 2px solid var(--mark); outline-offset: 2px; }
"""


def users_page(
    users: Iterable[DevUser], url: str, audience: str, *, minted: tuple[str, str] | None = None
) -> str:
    """The page with a form for each user.

    Args:
        users: Whom the issuer knows.
        url: What it is called in ``iss``.
        audience: The ``aud`` of its tokens.
        minted: Whom a token was minted for just now, and the token.
    """
    forms = "".join(_form(user.name, user.roles) for user in users)
    told = "" if minted is None else _told(*minted)
    return _page(
        f"""<h1>Development issuer</h1>
<p class="quiet">Real tokens for pretended users. It answers this machine only, and its keys are new at every start.</p>
{told}<section><h2>Users</h2>{forms}{_form("", ())}</section>
<section><h2>Settings of the service</h2>
<p><code>AUTHGATE_ISSUER={escape(url)}</code><br><code>AUTHGATE_AUDIENCE={escape(audience)}</code></p></section>"""
    )


def refusal_page(reason: str) -> str:
    """The page that says why there is no token."""
    return _page(f'<h1>No token</h1><p>{escape(reason)}</p><p><a href="/">Back</a></p>')


def _page(body: str) -> str:
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>Development issuer</title><style>{_STYLE}</style></head><body><main>
{body}
</main></body></html>
"""


def _form(name: str, roles: tuple[str, ...]) -> str:
    shown = f"<b>{escape(name)}</b>" if name else '<label>Somebody else<input name="sub" required></label>'
    hidden = f'<input type="hidden" name="sub" value="{escape(name)}">' if name else ""
    return f"""<form class="user" method="post" action="/mint">{hidden}<div class="who">{shown}</div>
<label>Roles<input name="roles" value="{escape(", ".join(roles))}"></label>
<label>Scopes<input name="scope"></label>
<label>Seconds<input name="lifetime" value="3600" inputmode="numeric"></label>
<button>Mint a token</button></form>"""


def _told(name: str, token: str) -> str:
    return f"""<section><h2>A token of {escape(name)}</h2>
<textarea readonly aria-label="The token" autofocus>{escape(token)}</textarea>
<p class="quiet">It is sent as <code>Authorization: Bearer &lt;token&gt;</code>.</p></section>
"""
