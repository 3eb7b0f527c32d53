"""What a refused field answers: the error, the response around it, and what is hidden of it (Laws 1.1 to 1.7)."""

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
import strawberry
from strawberry.extensions import MaskErrors
from strawberry.permission import PermissionExtension

from authgate_core import RevocationUnavailable, all_scopes, any_role, is_project, is_user
from authgate_core.testing import FakeIssuer
from authgate_graphql.errors import Refusal
from authgate_graphql.strawberry import AuthGateExtension, Guard, requires

Headers = dict[str, str]
Serve = Callable[[strawberry.Schema], Any]


def silent(policy: Any) -> PermissionExtension:
    """Strawberry's own way to hide a denial."""
    return PermissionExtension(permissions=[requires(policy)()], fail_silently=True)


@strawberry.type
class Query:
    @strawberry.field(permission_classes=[requires(is_user)])
    def mine(self) -> str:
        return "mine"

    @strawberry.field(permission_classes=[requires(is_user & is_project)])
    def both(self) -> str | None:
        return "both"

    @strawberry.field(permission_classes=[requires(all_scopes("orders:read", "orders:write"))])
    def scoped(self) -> str | None:
        return "scoped"

    @strawberry.field(extensions=[Guard(any_role("admin"))])
    def admin(self) -> str | None:
        return "admin"

    @strawberry.field(permission_classes=[requires(is_project)])
    def shop(self) -> str | None:
        return "shop"


@strawberry.type
class Quiet:
    @strawberry.field(extensions=[Guard(any_role("admin"), fail_silently=True)])
    def text(self) -> str | None:
        return "text"

    @strawberry.field(extensions=[Guard(any_role("admin"), fail_silently=True)])
    def items(self) -> list[str]:
        return ["item"]

    @strawberry.field(extensions=[Guard(any_role("admin"), fail_silently=True)])
    async def perhaps(self) -> list[str] | None:
        return ["perhaps"]


@strawberry.type
class QuietPermissions:
    @strawberry.field(extensions=[silent(any_role("admin"))])
    def text(self) -> str | None:
        return "text"

    @strawberry.field(extensions=[silent(any_role("admin"))])
    def items(self) -> list[str]:
        return ["item"]

    @strawberry.field(extensions=[silent(any_role("admin"))])
    async def perhaps(self) -> list[str] | None:
        return ["perhaps"]


SCHEMA = strawberry.Schema(Query)
WITH_STATUS = strawberry.Schema(Query, extensions=[partial(AuthGateExtension, http_status=True)])


class TestErrors:
    """The table of Law 1, as GraphQL tells it."""

    def told(self, door: Any, query: str, headers: Headers) -> tuple[str, Any]:
        answer = door.post(query, headers)
        (error,) = answer.errors
        assert 200 == answer.status
        assert "no-store" == answer.headers["cache-control"]
        return error["message"], error["extensions"]

    def test_nothing_presented(self, serve: Serve) -> None:
        """Unauthenticated."""
        told = self.told(serve(SCHEMA), "{ mine }", {})
        extensions = {"code": "UNAUTHENTICATED", "missing": [], "http": {"status": 401}}
        assert ("Authentication is required.", extensions) == told

    def test_malformed(self, serve: Serve) -> None:
        """Half a pair is malformed."""
        told = self.told(serve(SCHEMA), "{ shop }", {"x-app-id": "shop"})
        extensions = {"code": "BAD_CREDENTIALS", "missing": [], "http": {"status": 400}}
        assert ("The credentials are malformed.", extensions) == told

    def test_forbidden(self, serve: Serve, user: Headers) -> None:
        """Law 1.2: which role is missing is nobody's business."""
        told = self.told(serve(SCHEMA), "{ admin }", user)
        extensions = {"code": "FORBIDDEN", "missing": [], "http": {"status": 403}}
        assert ("You are not allowed to do this.", extensions) == told

    def test_scopes(self, serve: Serve, user: Headers) -> None:
        """Law 1.2: missing scopes are named."""
        told = self.told(serve(SCHEMA), "{ scoped }", user)
        extensions = {"code": "FORBIDDEN", "missing": ["orders:write"], "http": {"status": 403}}
        assert ("The token lacks a required scope.", extensions) == told

    @pytest.mark.parametrize("http_status", [False, True])
    def test_outage(self, serve: Serve, world: Any, user: Headers, *, http_status: bool) -> None:
        """Law 1.5: what could not be checked is no bad token."""
        world.fail(RevocationUnavailable("down", retry_after=3.0))
        answer = serve(WITH_STATUS if http_status else SCHEMA).post("{ mine }", user)
        assert {"code": "AUTH_UNAVAILABLE", "missing": [], "http": {"status": 503}} == answer.errors[0][
            "extensions"
        ]
        assert (503 if http_status else 200) == answer.status
        assert http_status is ("retry-after" in answer.headers)

    def test_bad_tokens(self, serve: Serve, world: Any, user: Headers, issuer: FakeIssuer) -> None:
        """Law 1.2: all are told alike, but for the expired one."""
        door = serve(SCHEMA)
        bad = [
            "no-token",
            issuer.token("u1", aud="another-api"),
            issuer.token("u1") + "x",
            FakeIssuer(audience="orders-api", url="https://id.example.com").token("u1"),
        ]
        told = [self.told(door, "{ mine }", {"Authorization": f"Bearer {token}"}) for token in bad]
        world.revoke()
        told.append(self.told(door, "{ mine }", user))
        extensions = {"code": "UNAUTHENTICATED", "missing": [], "http": {"status": 401}}
        assert [("The token is not valid.", extensions)] * 5 == told

    def test_expired(self, serve: Serve, bearer: Callable[..., Headers]) -> None:
        """Law 1.2."""
        told = self.told(serve(SCHEMA), "{ mine }", bearer(expires_in=-3600))
        extensions = {"code": "UNAUTHENTICATED", "missing": [], "http": {"status": 401}}
        assert ("The token has expired.", extensions) == told


class TestStatus:
    """With ``http_status=True`` the response says what the error says."""

    def test_challenge(self, serve: Serve) -> None:
        """Law 1.1: a challenge for each scheme of the policy, in one response."""
        answer = serve(WITH_STATUS).post("{ both }")
        assert (401, "no-store") == (answer.status, answer.headers["cache-control"])
        assert 'Bearer realm="orders", AppCredentials realm="orders"' == answer.headers["www-authenticate"]
        assert "application/json" == answer.headers["content-type"]

    def test_scopes(self, serve: Serve, user: Headers) -> None:
        """RFC 6750 section 3.1."""
        answer = serve(WITH_STATUS).post("{ scoped }", user)
        challenge = 'Bearer realm="orders", error="insufficient_scope", scope="orders:read orders:write"'
        assert (403, challenge) == (answer.status, answer.headers["www-authenticate"])

    @pytest.mark.parametrize("query", ["{ scoped shop }", "{ shop scoped }"])
    def test_several(self, serve: Serve, user: Headers, query: str) -> None:
        """Law 2.3: of several refusals the gravest answers, in whichever order they stand."""
        answer = serve(WITH_STATUS).post(query, user)
        assert (401, 'AppCredentials realm="orders"') == (answer.status, answer.headers["www-authenticate"])
        answer = serve(WITH_STATUS).post(query, {**user, "x-app-id": "shop"})
        assert 400 == answer.status

    def test_admitted(self, serve: Serve, user: Headers) -> None:
        """Whoever may pass has an ordinary response."""
        answer = serve(WITH_STATUS).post("{ mine }", user)
        assert (200, False) == (answer.status, "www-authenticate" in answer.headers)

    def test_next_request(self, serve: Serve, user: Headers) -> None:
        """A status is that of one request."""
        door = serve(WITH_STATUS)
        assert [401, 200] == [door.post("{ mine }", headers).status for headers in ({}, user)]


class TestCaches:
    """Law 1.7."""

    @pytest.mark.parametrize("schema", [SCHEMA, WITH_STATUS])
    def test_admitted(self, serve: Serve, user: Headers, schema: Any) -> None:
        """What was admitted is private, and varies with what its guards read."""
        answer = serve(schema).get("{ mine }", user)
        assert ({"mine": "mine"}, "private") == (answer.data, answer.headers["cache-control"])
        assert "Authorization" == answer.headers["vary"]

    def test_in_part(self, serve: Serve, user: Headers) -> None:
        """What was refused in part is not kept at all."""
        for query in ("{ mine admin }", "{ admin mine }"):
            answer = serve(SCHEMA).get(query, user)
            assert ("no-store", ["FORBIDDEN"]) == (answer.headers["cache-control"], answer.codes)


@pytest.mark.parametrize(
    "extensions", [[], [AuthGateExtension], [partial(AuthGateExtension, http_status=True)]]
)
@pytest.mark.parametrize("query", [Quiet, QuietPermissions])
class TestSilence:
    QUERY = "{ text items perhaps }"

    def door(self, serve: Serve, query: Any, extensions: Any) -> Any:
        return serve(strawberry.Schema(query, extensions=extensions))

    def test_hides(self, in_flask: Serve, user: Headers, query: Any, extensions: Any) -> None:
        """A stranger, and one who may not, see nothing, and no status says more."""
        door = self.door(in_flask, query, extensions)
        sync = "{ text items }"
        for headers in ({}, user):
            answer = door.post(sync, headers)
            assert ({"text": None, "items": []}, []) == (answer.data, answer.errors)
            assert (200, "no-store") == (answer.status, answer.headers["cache-control"])
            assert "www-authenticate" not in answer.headers

    def test_shows(
        self, in_flask: Serve, bearer: Callable[..., Headers], query: Any, extensions: Any
    ) -> None:
        """Whoever may, sees."""
        answer = self.door(in_flask, query, extensions).post("{ text items }", bearer(roles=["admin"]))
        assert {"text": "text", "items": ["item"]} == answer.data

    def test_tells(self, in_flask: Serve, world: Any, user: Headers, query: Any, extensions: Any) -> None:
        """Law 1.5: neither an outage nor malformed credentials are hidden."""
        door = self.door(in_flask, query, extensions)
        assert ["BAD_CREDENTIALS"] == door.post("{ text }", {"Authorization": "Bearer a, Bearer b"}).codes
        world.fail(RevocationUnavailable("down"))
        assert ["AUTH_UNAVAILABLE"] == door.post("{ text }", user).codes

    def test_waiting(
        self,
        serve_async: Serve,
        world: Any,
        user: Headers,
        bearer: Callable[..., Headers],
        query: Any,
        extensions: Any,
    ) -> None:
        """The same around async resolvers, with a store that must be awaited."""
        door = self.door(serve_async, query, extensions)
        answer = door.post("{ perhaps }", user)
        assert ({"perhaps": []}, [], 200) == (answer.data, answer.errors, answer.status)
        assert {"perhaps": ["perhaps"]} == door.post("{ perhaps }", bearer(roles=["admin"])).data
        world.fail(RevocationUnavailable("down"))
        assert ["AUTH_UNAVAILABLE"] == door.post("{ perhaps }", user).codes


class TestSilentGuards:
    @pytest.mark.parametrize("query", ["{ hidden told }", "{ told hidden }"])
    def test_one_permission_for_several_fields(self, in_flask: Serve, query: str) -> None:
        """What one field hides is told of another behind the same permission, whichever comes first."""
        shared = requires(is_user)()

        @strawberry.type
        class Both:
            hidden: str | None = strawberry.field(
                resolver=lambda: "text", extensions=[PermissionExtension([shared], fail_silently=True)]
            )
            told: str | None = strawberry.field(
                resolver=lambda: "text", extensions=[PermissionExtension([shared])]
            )

        answer = in_flask(strawberry.Schema(Both)).post(query)
        assert [("told", "UNAUTHENTICATED")] == [
            (error["path"][0], error.get("extensions", {}).get("code")) for error in answer.errors
        ]

    def test_one_for_several_fields(self, in_flask: Serve) -> None:
        """One guard hides each of its fields as that one's type has it."""
        quiet = Guard(is_user, fail_silently=True)

        @strawberry.type
        class Both:
            items: list[str] = strawberry.field(resolver=lambda: ["item"], extensions=[quiet])
            text: str | None = strawberry.field(resolver=lambda: "text", extensions=[quiet])

        assert {"items": [], "text": None} == in_flask(strawberry.Schema(Both)).post("{ items text }").data
        assert {"text": None, "items": []} == in_flask(strawberry.Schema(Both)).post("{ text items }").data

    def test_cannot_hide(self) -> None:
        """A field that must have a value cannot hide it, which the schema says when it is built."""

        @strawberry.type
        class Loud:
            text: str = strawberry.field(
                resolver=lambda: "text", extensions=[Guard(is_user, fail_silently=True)]
            )

        with pytest.raises(Exception, match="fail_silently"):
            strawberry.Schema(Loud)


class TestMasked:
    """Strawberry's ``MaskErrors`` beside guards."""

    @pytest.mark.parametrize(
        ("is_masked", "told"),
        [
            (lambda _: True, None),
            (lambda error: not isinstance(error.original_error, Refusal), "UNAUTHENTICATED"),
        ],
    )
    def test_what_it_leaves(self, serve: Serve, is_masked: Callable[[Any], bool], told: str | None) -> None:
        """What it is told to."""
        extensions: list[Any] = [partial(MaskErrors, should_mask_error=is_masked), AuthGateExtension]
        (error,) = serve(strawberry.Schema(Query, extensions=extensions)).post("{ mine }").errors
        assert told == error.get("extensions", {}).get("code")
