import asyncio
import logging
from collections.abc import Callable
from typing import Any

import flask
import graphene
import pytest
from graphql import ExecutionResult
from starlette.requests import Request
from starlette.responses import Response

from authgate_core import (
    AsyncGate,
    AuthorizationError,
    Gate,
    GateConfig,
    Issuer,
    RevocationUnavailable,
    all_scopes,
    any_role,
    is_project,
    is_user,
)
from authgate_core.testing import FakeIssuer
from authgate_graphql.graphene import AuthGateMiddleware, get_admission, requires

Headers = dict[str, str]
Asked = Callable[..., ExecutionResult]
Answer = tuple[str, str, list[str], int]


async def refusing() -> str:
    """Refuses what it is asked, where no admission is at hand."""
    raise AuthorizationError("the role owner is missing")


class Query(graphene.ObjectType):
    me = graphene.String()
    both = graphene.String()
    either = graphene.String()
    scoped = graphene.String()
    owner = graphene.String()
    maybe = graphene.String()
    maybe_both = graphene.String()
    later = graphene.String()
    late = graphene.String()
    handed_on = graphene.String()
    bug = graphene.String()
    async_bug = graphene.String()
    open = graphene.String()

    @requires(is_user)
    def resolve_me(self, info: Any) -> str:
        return "me"

    @requires(is_user & is_project)
    def resolve_both(self, info: Any) -> str:
        return "both"

    @requires(is_user | is_project)
    def resolve_either(self, info: Any) -> str:
        return "either"

    @requires(all_scopes("orders:read", "orders:write"))
    def resolve_scoped(self, info: Any) -> str:
        return "scoped"

    @requires(is_user & any_role("owner"))
    def resolve_owner(self, info: Any) -> str:
        return "owner"

    @requires(is_user, optional=True)
    def resolve_maybe(self, info: Any) -> str:
        return "somebody" if get_admission(info) else "nobody"

    @requires(is_user & is_project, optional=True)
    def resolve_maybe_both(self, info: Any) -> str:
        return "somebody" if get_admission(info) else "nobody"

    @requires(is_user)
    def resolve_later(self, info: Any) -> str:
        get_admission(info).require(any_role("owner"))
        return "later"

    @requires(is_user)
    async def resolve_late(self, info: Any) -> str:
        get_admission(info).require(any_role("owner"))
        return "late"

    @requires(is_user)
    def resolve_handed_on(self, info: Any) -> Any:
        return refusing()

    @requires(is_user)
    def resolve_bug(self, info: Any) -> str:
        raise LookupError("a bug")

    @requires(is_user)
    async def resolve_async_bug(self, info: Any) -> str:
        raise LookupError("a bug")

    def resolve_open(self, info: Any) -> str:
        return "open"


SCHEMA = graphene.Schema(query=Query)

ANONYMOUS: Answer = ("Authentication is required.", "UNAUTHENTICATED", [], 401)
INVALID: Answer = ("The token is not valid.", "UNAUTHENTICATED", [], 401)


def told(result: ExecutionResult) -> list[Answer]:
    """What the errors of an operation say, and that they say nothing else."""
    answers = []
    for error in result.errors or []:
        extensions: dict[str, Any] = error.extensions or {}
        assert {"code", "missing", "http"} == extensions.keys()
        assert {"status"} == extensions["http"].keys()
        answers.append(
            (error.message, extensions["code"], extensions["missing"], extensions["http"]["status"])
        )
    return answers


class TestRefusals:
    def test_nothing_presented(self, ask: Asked) -> None:
        """401 (Law 1)."""
        assert [ANONYMOUS] == told(ask(SCHEMA, "{ me }", {}))

    @pytest.mark.parametrize(
        "headers",
        [
            {"Authorization": "Bearer a.b.c, Bearer d.e.f"},
            {"Authorization": "Bearer "},
            {"Authorization": "Bearer t\x01oken"},
        ],
        ids=["two", "empty", "control character"],
    )
    def test_malformed(self, ask: Asked, headers: Headers) -> None:
        """400 (Laws 1 and 2.2)."""
        assert [("The credentials are malformed.", "BAD_CREDENTIALS", [], 400)] == told(
            ask(SCHEMA, "{ me }", headers)
        )

    @pytest.mark.parametrize(
        "bad", ["unsigned", "tampered", "forged", "keyed_with_public_key", "for_another_audience", "refresh"]
    )
    def test_every_bad_token_is_told_the_same(self, ask: Asked, issuer: FakeIssuer, bad: str) -> None:
        """401, and nothing of why (Law 1.2)."""
        token = getattr(issuer.hostile, bad)()
        assert [INVALID] == told(ask(SCHEMA, "{ me }", {"Authorization": f"Bearer {token}"}))

    def test_expired(self, ask: Asked, issuer: FakeIssuer) -> None:
        """Which alone is said, after a good signature (Law 1.2)."""
        headers = {"Authorization": f"Bearer {issuer.hostile.expired()}"}
        assert [("The token has expired.", "UNAUTHENTICATED", [], 401)] == told(
            ask(SCHEMA, "{ me }", headers)
        )

    def test_revoked(self, ask: Asked, counter: Any, async_counter: Any, user: Headers) -> None:
        """As every bad token."""
        counter.revoked = async_counter.revoked = True
        assert [INVALID] == told(ask(SCHEMA, "{ me }", user))

    def test_scopes_are_named(self, ask: Asked, user: Headers) -> None:
        """Of what is missing, those alone (Law 1.2)."""
        (answer,) = told(ask(SCHEMA, "{ scoped }", user))
        assert ("FORBIDDEN", ["orders:write"], 403) == answer[1:]

    def test_roles_are_not_named(self, ask: Asked, user: Headers) -> None:
        """403 says that something is missing, and not what."""
        (answer,) = told(ask(SCHEMA, "{ owner }", user))
        assert ("FORBIDDEN", [], 403) == answer[1:]
        assert "owner" not in answer[0]

    def test_a_service_is_no_user(self, ask: Asked, service: Headers) -> None:
        """403 (Law 3.13)."""
        (answer,) = told(ask(SCHEMA, "{ me }", service))
        assert ("FORBIDDEN", [], 403) == answer[1:]

    def test_the_worst_of_several_credentials_counts(
        self, ask: Asked, user: Headers, project: Headers
    ) -> None:
        """Of whichever branch, in whichever order (Law 2.3)."""
        wrong = {**user, **project, "x-app-secret": "wrong"}
        assert {"either": "either"} == ask(SCHEMA, "{ either }", {**user, **project}).data
        (answer,) = told(ask(SCHEMA, "{ either }", wrong))
        assert ("UNAUTHENTICATED", 401) == (answer[1], answer[3])

    @pytest.mark.parametrize("field", ["later", "late", "handedOn"])
    def test_a_resolver_may_refuse_as_well(
        self, arrive: Callable[..., Request], user: Headers, field: str
    ) -> None:
        """By ``admission.require(...)``, in the same words, asked first or later."""
        context = {"request": arrive(user)}
        for _ in range(2):
            (answer,) = told(asyncio.run(SCHEMA.execute_async(f"{{ {field} }}", context=context)))
            assert ("FORBIDDEN", [], 403) == answer[1:]
            assert "owner" not in answer[0]

    def test_each_field_has_its_own(self, ask: Asked, user: Headers) -> None:
        """What is allowed beside it is there."""
        result = ask(SCHEMA, "{ me owner open }", user)
        assert {"me": "me", "owner": None, "open": "open"} == result.data
        assert [["owner"]] == [error.path for error in result.errors or []]


class TestOptional:
    def test_nothing_presented_goes_on(self, ask: Asked, project: Headers) -> None:
        """Nothing, that is, of the kinds asked for (Law 1.4)."""
        assert {"maybe": "nobody", "maybeBoth": "nobody"} == ask(SCHEMA, "{ maybe maybeBoth }", {}).data
        assert {"maybe": "nobody"} == ask(SCHEMA, "{ maybe }", project).data

    def test_somebody_is_somebody(self, ask: Asked, user: Headers, project: Headers) -> None:
        """Whoever is presented is admitted."""
        everybody = {**user, **project}
        assert {"maybe": "somebody", "maybeBoth": "somebody"} == ask(
            SCHEMA, "{ maybe maybeBoth }", everybody
        ).data

    def test_a_part_is_refused(self, ask: Asked, user: Headers) -> None:
        """401 for half of an ``&``."""
        (answer,) = told(ask(SCHEMA, "{ maybeBoth }", user))
        assert ("UNAUTHENTICATED", 401) == (answer[1], answer[3])

    def test_what_is_wrong_is_refused(self, ask: Asked, issuer: FakeIssuer, service: Headers) -> None:
        """An invalid token is 401, a valid one that does not satisfy the policy 403."""
        forged = {"Authorization": f"Bearer {issuer.hostile.forged()}"}
        assert [INVALID] == told(ask(SCHEMA, "{ maybe }", forged))
        (answer,) = told(ask(SCHEMA, "{ maybe }", service))
        assert ("FORBIDDEN", 403) == (answer[1], answer[3])


class TestOutages:
    def test_a_store_that_cannot_answer(
        self, ask: Asked, counter: Any, async_counter: Any, user: Headers
    ) -> None:
        """503, and never a bad token (Laws 1.5, 5.3)."""
        counter.failure = async_counter.failure = RevocationUnavailable("the store is down")
        (answer,) = told(ask(SCHEMA, "{ me }", user))
        assert ("AUTH_UNAVAILABLE", [], 503) == answer[1:]
        assert "store" not in answer[0]

    def test_an_issuer_that_was_never_reached(self, app: flask.Flask, arrive: Callable[..., Request]) -> None:
        """Likewise, in both colours."""
        with FakeIssuer(audience="orders-api") as served:
            served.outage()
            config = GateConfig(issuers=[Issuer.oidc(served.url, audience="orders-api")])
            headers = {"Authorization": f"Bearer {served.token('u1')}"}
            with Gate(config) as gate, app.test_request_context("/graphql", headers=headers):
                sync = SCHEMA.execute(
                    "{ me }", context={"request": flask.request}, middleware=[AuthGateMiddleware(gate=gate)]
                )

            async def asked() -> ExecutionResult:
                async with AsyncGate(config) as gate:
                    result: ExecutionResult = await SCHEMA.execute_async(
                        "{ me open }", context={"request": arrive(headers, gate)}
                    )
                    return result

            asynchronous = asyncio.run(asked())
        for result in (sync, asynchronous):
            ((_, *answer),) = told(result)
            assert ["AUTH_UNAVAILABLE", [], 503] == answer
        assert {"me": None, "open": "open"} == asynchronous.data


class TestBugs:
    @pytest.mark.parametrize("field", ["bug", "asyncBug"])
    def test_a_resolver_keeps_its_own(
        self, arrive: Callable[..., Request], user: Headers, field: str
    ) -> None:
        """An unexpected exception is no outcome (Law 1.3)."""
        context = {"request": arrive(user)}
        (error,) = asyncio.run(SCHEMA.execute_async(f"{{ {field} }}", context=context)).errors
        assert isinstance(error.original_error, LookupError)
        assert ("a bug", {}) == (error.message, error.extensions)

    def test_a_store_keeps_its_own(self, ask: Asked, counter: Any, async_counter: Any, user: Headers) -> None:
        """It is no 401 and no 503."""
        counter.failure = async_counter.failure = ZeroDivisionError("a bug of the store")
        (error,) = ask(SCHEMA, "{ me }", user).errors or []
        assert isinstance(error.original_error, ZeroDivisionError)


class TestAnswers:
    def refused(self, arrive: Callable[..., Request], **options: Any) -> Response:
        """The response beside an operation that was refused."""
        context = {"request": arrive({}), "response": Response()}
        more: dict[str, Any] = {"middleware": [AuthGateMiddleware(**options)]} if options else {}
        asyncio.run(SCHEMA.execute_async("{ scoped me }", context=context, **more))
        response = context["response"]
        assert isinstance(response, Response)
        return response

    def test_a_refusal_is_not_to_be_kept(self, arrive: Callable[..., Request]) -> None:
        """Law 1.7; the status stays what it is."""
        response = self.refused(arrive)
        assert (200, "no-store") == (response.status_code, response.headers["cache-control"])
        assert "www-authenticate" not in response.headers

    def test_the_status_is_told_where_that_was_asked_for(self, arrive: Callable[..., Request]) -> None:
        """With the challenge of the table (Law 1)."""
        response = self.refused(arrive, http_status=True)
        assert (401, "no-store") == (response.status_code, response.headers["cache-control"])
        assert 'Bearer realm="orders"' == response.headers["www-authenticate"]

    def test_an_admitted_request_keeps_its_status(
        self, arrive: Callable[..., Request], user: Headers
    ) -> None:
        """Where no adapter marks it as private (Law 1.7), this package does."""
        context = {"request": arrive(user), "response": Response()}
        asyncio.run(
            SCHEMA.execute_async("{ me }", context=context, middleware=[AuthGateMiddleware(http_status=True)])
        )
        response = context["response"]
        assert isinstance(response, Response)
        assert (200, "private") == (response.status_code, response.headers["cache-control"])
        assert "Authorization" == response.headers["vary"]


class TestLog:
    def test_a_refusal_is_one_line_of_the_gate(
        self, ask: Asked, user: Headers, caplog: pytest.LogCaptureFixture
    ) -> None:
        """And no traceback of graphql-server, which logs what fields raise."""
        from graphql_server.runtime import process_errors

        with caplog.at_level(logging.INFO):
            process_errors(ask(SCHEMA, "{ owner }", user).errors or [])
        assert ["authgate"] == [record.name for record in caplog.records]
        assert not caplog.records[0].exc_info

    def test_a_bug_is_still_logged(self, ask: Asked, user: Headers, caplog: pytest.LogCaptureFixture) -> None:
        """By graphql-server, with its traceback."""
        from graphql_server.runtime import process_errors

        with caplog.at_level(logging.INFO):
            process_errors(ask(SCHEMA, "{ bug }", user).errors or [])
        (record,) = caplog.records
        assert "graphql_server.execution" == record.name
        assert record.exc_info
