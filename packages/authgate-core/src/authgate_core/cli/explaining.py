"""``explain``: why a gate accepts a token or not."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Annotated, Final

import typer

from ..flows.explain import Explanation
from ..jose.ruling import Rule
from .here import AppOption, settings
from .mistakes import Mistake
from .opened import asked, opened
from .saying import say, tabulate, tell

__all__ = ["explain"]

_STYLES: Final[Mapping[str, str]] = {"kept": "green", "broken": "bold red", "open": "yellow"}
_FIXES: Final[Mapping[str, str]] = {
    "form": "present the access token itself: no ID token of another form, no opaque token, nothing cut off",
    "issuer": "write the issuer's URL in the configuration just as its tokens have it in iss, byte for byte",
    "tenant": "list the tenant in tenants=, if it is to be served here",
    "alg": "name the algorithm in algorithms=[...], if the issuer is meant to use it",
    "typ": "present an access token; an ID token or a refresh token is none",
    "kind": "present an access token; an ID token or a refresh token is none",
    "key": "see that the issuer publishes the key that it signs with: authgate doctor lists the keys",
    "signature": "present the token unchanged, and see that another issuer does not use this kid",
    "aud": "have the issuer name this API in aud, or name in audience= what it writes there",
    "azp": "list the client in authorized_parties=, if it may call this API",
    "cnf": "set confirmation= for bound tokens, or have the client ask for a token that is bound to nothing",
    "iat": "compare the clocks: authgate doctor tells how far the issuer's is away",
    "nbf": "compare the clocks: authgate doctor tells how far the issuer's is away",
    "exp": "get a new token; if this one is new, compare the clocks with authgate doctor",
    "lifetime": "have the issuer hand out shorter tokens, or raise max_lifetime=",
    "principal": "compare subject=, roles=, scopes=, claims= and the validators with what the token holds",
    "revocation": "log in anew",
}
"""What to do about a broken rule; of any other its reason says enough."""


def explain(
    context: typer.Context,
    token: Annotated[
        str | None, typer.Argument(help="The token; without it, or for -, it is read from standard input.")
    ] = None,
    app: AppOption = None,
) -> None:
    """Judge a token by every rule and say what is expected and what it has; the token is sent nowhere."""
    config = settings(context, app)
    presented = _bare(_read() if token in {None, "-"} else token or "")
    with opened(config) as gate:
        explanation = asked(gate, lambda one: one.explain(presented), lambda one: one.explain(presented))
    _show(explanation)
    if explanation.verdict != "accepted":
        raise typer.Exit(1)


def _read() -> str:
    if sys.stdin.isatty():
        tell("Paste the token, then a line break and Ctrl-D.")
    return sys.stdin.read()


def _bare(text: str) -> str:
    """The token of what people copy: with its scheme, or with the name of the header as well."""
    words = text.split()
    if words and words[0].lower() == "authorization:":
        words = words[1:]
    if len(words) == 2 and words[0].lower() in {"bearer", "dpop"}:
        words = words[1:]
    if len(words) != 1:
        raise Mistake("give one token, on standard input or as an argument")
    return words[0]


def _show(explanation: Explanation) -> None:
    rows = [
        ((rule.name, ""), (rule.verdict, _STYLES[rule.verdict]), (rule.expected, ""), (rule.actual, ""))
        for rule in explanation.rules
    ]
    tabulate(("rule", "verdict", "expected", "actual"), rows)
    say("")
    for rule in explanation.rules:
        if rule.verdict != "kept" and rule.reason:
            say(f"{rule.name}: {_advice(rule)}", _STYLES[rule.verdict])
    say(_conclusion(explanation), "bold")


def _advice(rule: Rule) -> str:
    fix = _FIXES.get(rule.name) if rule.verdict == "broken" else None
    return rule.reason if fix is None else f"{rule.reason}; {fix}"


def _conclusion(explanation: Explanation) -> str:
    if explanation.verdict == "refused":
        return f"refused: {explanation.code}"
    if explanation.verdict == "open":
        return "open: nothing speaks against it, but not every rule could be judged"
    return f"accepted: {explanation.principal!a}"
