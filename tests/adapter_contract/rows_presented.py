"""Rows about what is presented: nothing, what cannot be read, what is not good, what nobody can check."""

from __future__ import annotations

import authgate_core as ag
from authgate_core import is_project, is_service, is_user
from authgate_core.testing import ABSENT, HostileTokens
from tests.adapter_contract.presenting import (
    app,
    authorization,
    header,
    hostile,
    member,
    project_token,
    stranger,
    timed,
    user,
)
from tests.adapter_contract.row import (
    APP,
    BEARER,
    UNAVAILABLE,
    Row,
    expired,
    failed,
    invalid,
    lets_in,
    malformed,
    missing,
    wrong_project,
)
from tests.adapter_contract.world import CARTS, SHOP

__all__ = ["INVALID", "MALFORMED", "NOTHING", "OUTAGES", "REVOKED"]

BOTH = is_user & is_project
HALF = malformed(failed(APP, "invalid_request"))

NOTHING = (
    Row("nothing", "1.1", (), is_user, missing(BEARER)),
    Row("nothing, of a project", "1.1", (), is_project, missing(APP)),
    Row("nothing, of a service", "1.1", (), is_service, missing(BEARER)),
    Row("nothing, where a role is asked", "8.3", (), ag.any_role("clerk"), missing(BEARER)),
    Row("a foreign scheme", "2.1", (authorization("Basic dTpw"),), is_user, missing(BEARER)),
    Row("a token without a scheme", "2.1", (authorization("{token}"),), is_user, missing(BEARER)),
    Row("a token in a cookie", "2.9", (header("Cookie", "__Host-token=a.b.c"),), is_user, missing(BEARER)),
    Row("a name in an identity header", "2.7", (header("X-User-Id", "u1"),), is_user, missing(BEARER)),
    Row("a project where a user is asked", "2.3", (app("shop"),), is_user, missing(BEARER)),
    Row("a user where a project is asked", "2.3", (user(),), is_project, missing(APP)),
    Row(
        "a bad project where a user is asked",
        "2.3",
        (user(), app("shop", "w" * 40)),
        is_user,
        lets_in(user="u1"),
    ),
    Row(
        "a malformed token where a project is asked",
        "2.3",
        (authorization("Bearer"), app("shop")),
        is_project,
        lets_in(project="p1"),
    ),
)

MALFORMED = (
    Row("a repeated token", "2.2", (authorization("Bearer a.b.c"),) * 2, is_user, malformed()),
    Row("a good token twice", "2.2", (authorization("Bearer {token}"),) * 2, is_user, malformed()),
    Row(
        "tokens joined by a comma",
        "2.2",
        (authorization("Bearer {token}, Bearer {token}"),),
        is_user,
        malformed(),
    ),
    Row(
        "a token behind a foreign scheme",
        "2.2",
        (authorization("Basic dTpw, Bearer {token}"),),
        is_user,
        malformed(),
    ),
    Row("no token behind the scheme", "2.2", (authorization("Bearer"),), is_user, malformed()),
    Row("a tab in a token", "2.2", (authorization("Bearer a.\tb.c"),), is_user, malformed()),
    Row("a control character in a token", "2.2", (authorization("Bearer a.\x01b.c"),), is_user, malformed()),
    Row("a letter beyond ASCII in a token", "2.2", (authorization("Bearer a.\xe9.c"),), is_user, malformed()),
    Row(
        "a header over its limit",
        "2.4",
        (authorization(f"Bearer {'a' * 6_200}"),),
        is_user,
        malformed(),
    ),
    Row("an app id alone", "2.2", (header("x-app-id", "shop"),), is_project, HALF),
    Row("a secret alone", "2.2", (header("x-app-secret", "w" * 40),), is_project, HALF),
    Row("an empty secret", "2.2", (header("x-app-id", "shop"), header("x-app-secret", "")), is_project, HALF),
    Row("a joined secret", "2.2", (app("shop", "a, b"),), is_project, HALF),
    Row("a pair twice", "2.2", (app("shop"), app("shop")), is_project, HALF),
    Row(
        "a project token besides a pair",
        "2.2",
        (project_token(SHOP), app("shop")),
        is_project,
        HALF,
        gate="mercury",
    ),
)

INVALID = (
    *(
        Row(
            f"hostile: {kind}",
            "3.2",
            (hostile(kind),),
            is_user,
            expired() if kind == "expired" else invalid(),
        )
        for kind in vars(HostileTokens)
        if not kind.startswith("_")
    ),
    Row("no token at all", "3.1", (authorization("Bearer abc"),), is_user, invalid()),
    Row("a long header segment", "2.4", (user(headers={"x": "a" * 2_100}),), is_user, invalid()),
    Row("an unknown issuer", "3.5", (stranger(),), is_user, invalid()),
    Row("an unknown kid", "3.4", (user(kid="nobody-knows"),), is_user, invalid()),
    Row("an extension that nobody knows", "3.3", (user(headers={"crit": ["x"]}),), is_user, invalid()),
    Row("valid from tomorrow", "3.7", (timed(nbf=86_400),), is_user, invalid()),
    Row("issued tomorrow", "3.7", (timed(iat=86_400),), is_user, invalid()),
    Row("without an end", "3.7", (user(exp=ABSENT),), is_user, invalid()),
    Row("an identity token", "3.8", (user(at_hash="x"),), is_user, invalid()),
    Row("a token of another type", "3.8", (user(headers={"typ": "logout+jwt"}),), is_user, invalid()),
    Row("roles that are no names", "3.9", (user(roles=[1]),), is_user, invalid()),
    Row("bound to a key", "3.15", (user(cnf={"jkt": "x"}),), is_user, invalid()),
    Row(
        "of another tenant's keys",
        "3.12",
        (member(CARTS, project_uuid=SHOP),),
        is_user,
        invalid(),
        gate="mercury",
    ),
)

REVOKED = (
    Row("a revoked token", "5.2", (user(jti="stolen"),), is_user, invalid()),
    Row("a revoked session", "5.2", (user(sid="ended"),), is_user, invalid()),
    Row("a user who was cut off", "5.7", (user("u9"),), is_user, invalid()),
    Row("a revoked key", "5.2", (user(kid="key-1"),), is_user, invalid()),
    Row("a withdrawn version of a secret", "6.4", (app("rotated"),), is_project, wrong_project()),
    Row("a revoked token, if any", "5.1", (user(jti="stolen"),), is_user, invalid(), optional=True),
)

OUTAGES = (
    Row("an issuer that was never reached", "1.5", (stranger(),), is_user, UNAVAILABLE, gate="parts"),
    Row("a store that does not answer", "5.3", (user(),), is_user, UNAVAILABLE, gate="outage"),
    Row("a store that is not asked any more", "5.5", (user(),), is_user, UNAVAILABLE, gate="outage", times=6),
    Row(
        "a store that cannot answer about a project",
        "5.3",
        (app("shop"),),
        is_project,
        UNAVAILABLE,
        gate="outage",
    ),
    Row("a directory that is down", "1.5", (app("unreachable"),), is_project, UNAVAILABLE, gate="parts"),
    Row("a forged token in an outage", "1.5", (hostile("forged"),), is_user, invalid(), gate="outage"),
    Row("an expired token in an outage", "1.5", (hostile("expired"),), is_user, expired(), gate="outage"),
    Row(
        "a malformed token in an outage",
        "1.5",
        (authorization("Bearer"),),
        is_user,
        malformed(),
        gate="outage",
    ),
    Row("nothing in an outage", "1.5", (), is_user, missing(BEARER), gate="outage"),
    Row(
        "a role that nobody could check",
        "1.5",
        (user(),),
        is_user & ag.any_role("boss"),
        UNAVAILABLE,
        gate="outage",
    ),
    Row(
        "a bad token besides a directory that is down",
        "2.3",
        (hostile("forged"), app("unreachable")),
        BOTH,
        invalid(failed(BEARER, "invalid_token"), APP),
        gate="parts",
    ),
    Row(
        "a wrong secret besides an issuer that is down",
        "2.3",
        (stranger(), app("shop", "w" * 40)),
        BOTH,
        wrong_project(BEARER, failed(APP, "invalid_token")),
        gate="parts",
    ),
)
