"""Rows about who is let in, of those who are known."""

from __future__ import annotations

import authgate_core as ag
from authgate_core import Project, User, is_project, is_service, is_user
from authgate_core.testing import ABSENT
from tests.adapter_contract.presenting import (
    app,
    authorization,
    hostile,
    member,
    partner,
    project_token,
    service,
    timed,
    user,
)
from tests.adapter_contract.row import (
    APP,
    BEARER,
    FORBIDDEN,
    MISMATCH,
    NOT_ENABLED,
    UNAVAILABLE,
    Row,
    expired,
    invalid,
    lacking,
    lets_in,
    malformed,
    missing,
    step_up,
    wrong_project,
)
from tests.adapter_contract.world import CARTS, SHOP

__all__ = ["ALLOWED", "MODES", "OPTIONAL", "REFUSED"]

EITHER = is_user | is_project
BOTH = is_user & is_project
U1 = lets_in(user="u1")
P1 = lets_in(project="p1")
READS = is_user & ag.all_scopes("orders:read", "orders:write")
ASKED = "orders:read orders:write"
FRESH = is_user & ag.fresh_within(300)
STALE = step_up('max_age="300"', told="max_age")
WEAK = step_up('acr_values="platinum gold"', told="acr_values")
WHY = frozenset({"reason", "reason_code"})


def _is_u1(admission: ag.Admission, _: ag.RequestView) -> bool:
    return admission.user.id == "u1"


ALLOWED = (
    Row("a user", "8.2", (user(),), is_user, U1),
    Row("a scheme in other letters", "2.2", (authorization("bEARER {token}"),), is_user, U1),
    Row("a token without a kid", "3.4", (user(kid=ABSENT),), is_user, U1),
    Row("a service", "3.13", (service(),), is_service, lets_in(service="s1")),
    Row("a service among either", "8.2", (service(),), is_user | is_service, lets_in(service="s1")),
    Row("a project", "8.2", (app("shop"),), is_project, P1),
    Row("a project token", "2.2", (project_token(SHOP),), is_project, lets_in(project=SHOP), gate="mercury"),
    Row("a user and a project", "8.4", (user(), app("shop")), BOTH, lets_in(user="u1", project="p1")),
    Row("a user besides a project", "8.4", (user(), app("shop")), is_user, U1),
    Row("one of the roles", "8.5", (user(roles=["clerk"]),), is_user & ag.any_role("boss", "clerk"), U1),
    Row("all roles", "8.5", (user(roles=["a", "b"]),), is_user & ag.all_roles("a", "b"), U1),
    Row("a role that implies another", "8.5", (user(roles=["owner"]),), is_user & ag.any_role("clerk"), U1),
    Row("a service with a role", "8.3", (service(roles=["a"]),), ag.any_role("a"), lets_in(service="s1")),
    Row("all scopes", "8.5", (user(scope="orders:write orders:read"),), READS, U1),
    Row("one of the scopes", "8.5", (user(scope="b"),), is_user & ag.any_scope("a", "b"), U1),
    Row(
        "a role of the project",
        "8.3",
        (user(), app("shop")),
        BOTH & ag.any_role("admin", of=Project),
        lets_in(user="u1", project="p1"),
    ),
    Row("a claim", "8.3", (user(department="toys"),), is_user & ag.has_claim("department", "toys"), U1),
    Row("a client", "8.3", (user(client_id="web"),), is_user & ag.any_client("web"), U1),
    Row("the other issuer", "8.3", (partner(),), is_user & ag.from_issuer("partner"), lets_in(user="u7")),
    Row("oneself in the path", "8.3", (user(),), is_user & ag.claim_equals("sub", path="who"), U1),
    Row(
        "one's tenant in the path",
        "8.3",
        (app("shop"),),
        is_project & ag.same_tenant(path="who"),
        P1,
        who="acme",
    ),
    Row("a fresh login", "8.4", (timed(auth_time=-299),), is_user & ag.fresh_within(300), U1),
    Row("a strong login", "8.4", (user(acr="gold"),), is_user & ag.any_acr("platinum", "gold"), U1),
    Row("whom a check lets in", "8.3", (user(),), is_user & ag.check("u1", _is_u1), U1),
    Row("anybody, with nothing", "8.6", (), ag.UnsafeAllowAnonymous(), lets_in()),
    Row("anybody, with a forged token", "8.6", (hostile("forged"),), ag.UnsafeAllowAnonymous(), lets_in()),
)

REFUSED = (
    Row("a service where a user is asked", "3.13", (service(),), is_user, FORBIDDEN),
    Row("a user where a service is asked", "3.13", (user(),), is_service, FORBIDDEN),
    Row("none of the roles", "8.5", (user(roles=["clerk"]),), is_user & ag.any_role("boss"), FORBIDDEN),
    Row("not all roles", "8.5", (user(roles=["a"]),), is_user & ag.all_roles("a", "b"), FORBIDDEN),
    Row(
        "an implied role, implying",
        "8.5",
        (user(roles=["clerk"]),),
        is_user & ag.any_role("owner"),
        FORBIDDEN,
    ),
    Row("a part of a role's name", "8.5", (user(roles=["boss2"]),), is_user & ag.any_role("boss"), FORBIDDEN),
    Row(
        "a role of the project alone",
        "8.3",
        (user(roles=["clerk"]), app("shop")),
        BOTH & ag.any_role("admin", of=User),
        FORBIDDEN,
    ),
    Row(
        "a role of the user alone",
        "8.3",
        (user(roles=["boss"]), app("shop")),
        BOTH & ag.any_role("boss", of=Project),
        FORBIDDEN,
    ),
    Row("no scope", "1.1", (user(),), READS, lacking("orders:read", "orders:write", asked=ASKED)),
    Row("one scope of two", "1.1", (user(scope="orders:read"),), READS, lacking("orders:write", asked=ASKED)),
    Row(
        "neither scope of two",
        "1.1",
        (user(),),
        is_user & ag.any_scope("a", "b"),
        lacking("a", "b", asked="a b"),
    ),
    Row("no scope and no role", "1.1", (user(),), READS & ag.any_role("boss"), FORBIDDEN),
    Row(
        "another claim",
        "8.3",
        (user(department="food"),),
        is_user & ag.has_claim("department", "toys"),
        FORBIDDEN,
    ),
    Row("another client", "8.3", (user(client_id="app"),), is_user & ag.any_client("web"), FORBIDDEN),
    Row("another issuer", "8.3", (user(),), is_user & ag.from_issuer("partner"), FORBIDDEN),
    Row(
        "another in the path",
        "8.3",
        (user(),),
        is_user & ag.claim_equals("sub", path="who"),
        FORBIDDEN,
        who="u2",
    ),
    Row(
        "another tenant in the path",
        "8.3",
        (app("shop"),),
        is_project & ag.same_tenant(path="who"),
        FORBIDDEN,
    ),
    Row("a stale login", "8.4", (timed(auth_time=-301),), FRESH, STALE),
    Row("a login at an unknown time", "8.4", (user(),), FRESH, STALE),
    Row("a weak login", "8.4", (user(acr="silver"),), is_user & ag.any_acr("platinum", "gold"), WEAK),
    Row("a login of an unknown kind", "8.4", (user(),), is_user & ag.any_acr("platinum", "gold"), WEAK),
    Row(
        "a stale login without a scope",
        "8.4",
        (timed(auth_time=-301),),
        FRESH & ag.all_scopes("a"),
        step_up('max_age="300", scope="a"', "a", told="max_age"),
    ),
    Row("a stale login without a role", "8.4", (timed(auth_time=-301),), FRESH & ag.any_role("a"), FORBIDDEN),
    Row("a service, where a login is asked", "8.4", (service(),), ag.fresh_within(300), FORBIDDEN),
    Row("whom a check refuses", "8.3", (user("u2"),), is_user & ag.check("u1", _is_u1), FORBIDDEN),
    Row("a project that is not enabled", "6.4", (app("barred"),), is_project, NOT_ENABLED),
    Row("a user and a project that is not enabled", "2.3", (user(), app("barred")), BOTH, NOT_ENABLED),
    Row("a project that is not enabled, or a user", "2.3", (user(), app("barred")), EITHER, U1),
    Row(
        "a project token for other services",
        "6.4",
        (project_token(SHOP, enabled_services=["carts"]),),
        is_project,
        NOT_ENABLED,
        gate="mercury",
    ),
    Row(
        "a user and a project of two tenants",
        "6.8",
        (member(CARTS), project_token(SHOP)),
        BOTH,
        MISMATCH,
        gate="mercury",
    ),
    Row(
        "a project that Mercury does not enable",
        "6.1",
        (app("carts"),),
        is_project,
        NOT_ENABLED,
        gate="mercury",
    ),
)

OPTIONAL = (
    Row("if any: nothing", "1.4", (), is_user, lets_in(), optional=True),
    Row("if any: a foreign scheme", "1.4", (authorization("Basic dTpw"),), is_user, lets_in(), optional=True),
    Row("if any: another kind", "1.4", (app("shop"),), is_user, lets_in(), optional=True),
    Row("if any: a user", "1.4", (user(),), is_user, U1, optional=True),
    Row("if any: a malformed token", "1.4", (authorization("Bearer"),), is_user, malformed(), optional=True),
    Row("if any: a forged token", "1.4", (hostile("forged"),), is_user, invalid(), optional=True),
    Row("if any: an expired token", "1.4", (hostile("expired"),), is_user, expired(), optional=True),
    Row("if any: a service", "1.4", (service(),), is_user, FORBIDDEN, optional=True),
    Row("if any: no role", "1.4", (user(),), is_user & ag.any_role("boss"), FORBIDDEN, optional=True),
    Row(
        "if any: no scope",
        "1.4",
        (user(),),
        READS,
        lacking("orders:read", "orders:write", asked=ASKED),
        optional=True,
    ),
    Row("if any: a stale login", "1.4", (user(),), FRESH, STALE, optional=True),
    Row("if any: neither of both", "1.4", (), BOTH, lets_in(), optional=True),
    Row("if any: the user of both", "1.4", (user(),), BOTH, missing(APP), optional=True),
    Row("if any: the project of both", "1.4", (app("shop"),), BOTH, missing(BEARER), optional=True),
    Row("if any: both", "1.4", (user(), app("shop")), BOTH, lets_in(user="u1", project="p1"), optional=True),
    Row(
        "if any: a wrong secret", "1.4", (app("shop", "v" * 40),), is_project, wrong_project(), optional=True
    ),
    Row("if any: an outage", "1.4", (user(),), is_user, UNAVAILABLE, optional=True, gate="outage"),
)

MODES = (
    Row("in the shadow: nothing", "8.6", (), is_user, lets_in(), gate="shadow"),
    Row("in the shadow: a forged token", "8.6", (hostile("forged"),), is_user, lets_in(), gate="shadow"),
    Row("in the shadow: no role", "8.6", (user(),), is_user & ag.any_role("boss"), U1, gate="shadow"),
    Row("in the shadow: a user", "8.6", (user(),), is_user, U1, gate="shadow"),
    Row("explained: a user", "10.3", (user(),), is_user, U1, gate="explaining"),
    Row(
        "explained: a forged token",
        "10.3",
        (hostile("forged"),),
        is_user,
        invalid(told=WHY),
        gate="explaining",
    ),
)
