"""The client of an apex, in both colours: users, metadata, permissions and logins (docs/adr/0032)."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from pydantic import BaseModel

import authgate_core as ag
from authgate_core import apex as client
from authgate_core.apex import AsyncAuthApi, AuthApi, Permission, ServiceUser
from authgate_core.apex.streamed import streamed
from authgate_core.errors import EndpointRefused, EndpointUnavailable, LoginRefused, TokenInactive
from authgate_core.secret import Secret
from authgate_core.testing import FakeApex
from authgate_core.testing.apex import CODE_PATH, LOGIN_PATH, USER_PATH

ORDERS = "orders"
USERS = f"/services/{ORDERS}/users"
PERMISSIONS = f"/services/{ORDERS}/permissions"
APPROVES = Permission(name="approves", type="boolean", default=False, label="Approves", description="Orders")
LIMIT = Permission(name="limit", type="integer", default=100, values=[100, 1000])


class Rights(BaseModel):
    """What the service keeps about its users."""

    approves: bool
    limit: int = 100


class Asked:
    """A client of either colour, as tests ask it."""

    def __init__(self, one: AuthApi[Rights] | AsyncAuthApi[Rights]) -> None:
        self.one: Any = one

    def __getattr__(self, name: str) -> Callable[..., Any]:
        return lambda *args, **options: settled(getattr(self.one, name)(*args, **options))


def settled(answer: Any) -> Any:
    """What a method of either colour answers; a stream as a list."""
    if hasattr(answer, "__aiter__"):
        return asyncio.run(collected(answer))
    if hasattr(answer, "__await__"):
        return asyncio.run(awaited(answer))
    return [*answer] if hasattr(answer, "__next__") else answer


async def awaited(answer: Any) -> Any:
    """What is awaited."""
    return await answer


async def collected(stream: Any) -> list[Any]:
    """All that a stream gives."""
    return [one async for one in stream]


@pytest.fixture
def apex() -> Iterator[FakeApex]:
    """An apex that is served, and knows the service."""
    with FakeApex() as served:
        served.add_service(ORDERS)
        yield served


@pytest.fixture(params=["", "Async"])
def colour(request: pytest.FixtureRequest) -> str:
    """Both colours, as their names begin."""
    return str(request.param)


@pytest.fixture
def provider(apex: FakeApex, colour: str) -> Any:
    """A provider without a credential of its own."""
    return made(colour, apex)


def made(colour: str, apex: FakeApex, **options: Any) -> Any:
    """A provider of this colour."""
    kind = getattr(client, f"{colour}AuthApiProvider")
    return kind(apex.url, **{"service": ORDERS, "metadata": Rights, **options})


def admin(apex: FakeApex, provider: Any) -> Asked:
    """The apex as an admin of the service sees it."""
    return Asked(provider.for_token(apex.token(apex.add_user("root", admin_of=["another"], is_admin=True))))


class TestUsers:
    def test_whose_a_token_is(self, apex: FakeApex, provider: Any) -> None:
        """The user, without what nobody needs to know."""
        ada = apex.add_user("ada", first_name="Ada", last_name=None)

        found = Asked(provider.for_token(apex.token(ada))).user()

        assert (
            client.ApexUser(
                id=ada,
                username="ada",
                email="ada@example.com",
                first_name="Ada",
                phone_number="+1 555 0100",
            )
            == found
        )
        assert "ada@example.com" not in repr(found)

    def test_a_header_is_a_token(self, apex: FakeApex, provider: Any) -> None:
        """Whoever has the whole value of a header gives that."""
        ada = apex.add_user("ada")

        assert ada == Asked(provider.for_token(f"Bearer {apex.token(ada)}")).user().id
        assert ada == Asked(provider.for_token(Secret(apex.token(ada)))).user().id

    def test_what_a_user_is_to_the_service(self, apex: FakeApex, provider: Any) -> None:
        """The flag, and metadata in the service's own form; None for whom the service does not know."""
        ada = apex.add_user("ada", metadata={ORDERS: {"approves": True}}, admin_of=[ORDERS])
        bob, asked = apex.add_user("bob"), Asked(provider.for_token(apex.token(ada)))

        found = asked.full_metadata_for(ada)

        assert ("ada", True, Rights(approves=True, limit=100)) == (
            found.user.username,
            found.is_service_admin,
            found.metadata,
        )
        assert Rights(approves=True) == asked.metadata_for(ada)
        assert (None, None) == (asked.full_metadata_for(bob), asked.metadata_for(bob))

    @pytest.mark.parametrize("metadata", [None, {}])
    def test_who_has_no_metadata(
        self, apex: FakeApex, provider: Any, metadata: dict[str, Any] | None
    ) -> None:
        """Has none, as for the gate."""
        ada = apex.add_user("ada")
        apex.set_member(ORDERS, ada, metadata)
        asked = Asked(provider.for_token(apex.token(ada)))

        assert (None, None) == (asked.full_metadata_for(ada).metadata, asked.metadata_for(ada))

    def test_metadata_of_another_form(self, apex: FakeApex, provider: Any) -> None:
        """Is told with the user that has it, and without what it is."""
        ada = apex.add_user("ada", metadata={ORDERS: {"approves": "perhaps"}})
        asked = Asked(provider.for_token(apex.token(ada)))

        for method in ("metadata_for", "full_metadata_for"):
            with pytest.raises(EndpointUnavailable, match=f"{ada}' does not fit Rights") as caught:
                getattr(asked, method)(ada)
            assert "perhaps" not in str(caught.value)

    @pytest.mark.parametrize("user_id", ["", ".", ".."])
    def test_what_is_no_id(self, apex: FakeApex, provider: Any, user_id: str) -> None:
        """Is no step up in the path either."""
        for method in ("metadata_for", "full_metadata_for"):
            with pytest.raises(ValueError, match="identifies no user"):
                getattr(admin(apex, provider), method)(user_id)

    def test_an_id_with_a_slash(self, apex: FakeApex, provider: Any) -> None:
        """Is one segment of the path."""
        who = apex.add_user("ada", id="../../auth/user?", metadata={ORDERS: {"approves": True}})

        assert Rights(approves=True) == admin(apex, provider).metadata_for(who)


class TestStream:
    def test_everybody(self, apex: FakeApex, provider: Any) -> None:
        """All users of the service, in the order of the apex; more than one answer of the gate could hold."""
        ids = [
            apex.add_user(f"u{number}", metadata={ORDERS: {"approves": number % 2 == 0, "note": "x" * 2000}})
            for number in range(300)
        ]

        found = admin(apex, provider).users_for_service()

        assert ids == [one.user.id for one in found]
        assert [number % 2 == 0 for number in range(300)] == [one.metadata.approves for one in found]

    def test_nobody(self, apex: FakeApex, provider: Any) -> None:
        """A service may have no users."""
        assert [] == admin(apex, provider).users_for_service()

    def test_one_by_one(self, apex: FakeApex, provider: Any, colour: str) -> None:
        """The first is there before the last was sent, and who has seen enough goes."""
        apex.answer(_endless(), paths=[USERS])
        api = provider.for_token(apex.token(apex.add_user(is_admin=True)))

        async def first() -> ServiceUser[Rights]:
            stream = api.users_for_service()
            found: ServiceUser[Rights] = await anext(stream)
            await stream.aclose()
            return found

        found = asyncio.run(first()) if colour else next(api.users_for_service())

        assert "u0" == found.user.id

    @pytest.mark.parametrize(
        "body",
        [
            b"",
            b"[]",
            b"{}",
            b'{"data": {}}',
            b'{"data": {"users": {}}}',
            b'{"data": {"users": [7]}}',
            b'{"data": {"users": [[]]}}',
            b'{"data": {"users": [{}]}}',
            b'{"data": {"users": [{"user": {"id": "u1"}}',
            b'{"data": {"users": [], "users": 1',
            b"garbage",
        ],
    )
    def test_what_cannot_be_read(self, apex: FakeApex, provider: Any, body: bytes) -> None:
        """Law 1.5: is an outage, and never an empty list."""
        apex.answer(body, paths=[USERS])

        with pytest.raises(EndpointUnavailable):
            admin(apex, provider).users_for_service()

    @pytest.mark.parametrize("name", ["elsewhere", "data"])
    def test_what_is_nested_too_deeply(self, apex: FakeApex, provider: Any, name: str) -> None:
        """Law 2.4: is an outage like all that cannot be read, and is not taken apart to its end."""
        deep = b"[" * 20_000 + b"]" * 20_000
        user = (
            b'{"user": {"id": "u1"}, "is_service_admin": false, "metadata": {"approves": true, "deep": %b}}'
        )
        kept = user % (deep if name == "data" else b"1")
        apex.answer(b'{"elsewhere": %b, "data": {"users": [%b]}}' % (deep, kept), paths=[USERS])

        with pytest.raises(EndpointUnavailable, match="nested too deeply"):
            admin(apex, provider).users_for_service()

    def test_as_deep_as_of_one_user(self) -> None:
        """What the answer about one user may hold, the list of all may hold too."""
        deep: Any = 1
        for _ in range(12):
            deep = [deep]
        body = json.dumps({"data": {"users": [{"metadata": {"deep": deep}}]}})

        assert [{"metadata": {"deep": deep}}] == [*streamed([body.encode()], lambda sent: sent)]

    def test_who_gives_up_waits_for_no_more(self, apex: FakeApex) -> None:
        """A task that was cancelled ends with the user that is being read, and not with a hundred."""
        begun = threading.Event()
        apex.answer(_slow(begun), paths=[USERS])
        api = made("Async", apex).for_token(apex.token(apex.add_user(is_admin=True)))

        async def scenario() -> None:
            task = asyncio.ensure_future(anext(api.users_for_service()))
            await asyncio.to_thread(begun.wait)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await asyncio.wait_for(asyncio.shield(task), 20)

        asyncio.run(scenario())

    def test_one_who_takes_too_much(self) -> None:
        """A user of more than 512 KiB ends the stream: nothing fills the memory."""

        def pieces() -> Iterator[bytes]:
            yield b'{"data": {"users": [{"a": 1}, {"a": "'
            while True:
                yield b"x" * 4096

        stream = streamed(pieces(), lambda sent: sent)

        assert {"a": 1} == next(stream)
        with pytest.raises(EndpointUnavailable, match="more than 524288 bytes"):
            next(stream)

    def test_members_of_a_user_are_whole(self) -> None:
        """Objects and lists within a user are part of it, and numbers are what JSON has."""
        users = [{"a": {"b": [1, 2.5, None, True, "x"]}, "c": {}}, {"d": []}]
        body = json.dumps({"before": {"users": [1]}, "data": {"other": [{}], "users": users}, "after": 1})

        assert users == [*streamed([body.encode()], lambda sent: sent)]

    def test_without_the_library(
        self, apex: FakeApex, provider: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Law 1.6: what is missing is said with what to install, and nothing is asked."""
        asked = admin(apex, provider)
        monkeypatch.setattr("authgate_core.apex.streamed.find_spec", lambda _: None)

        with pytest.raises(ag.ConfigurationError, match="authgate-core\\[apex\\]"):
            asked.users_for_service()
        assert 0 == apex.hits[USERS]


class TestPermissions:
    def test_what_is_there(self, apex: FakeApex, provider: Any) -> None:
        """The whole definition of each."""
        apex.add_service(ORDERS, [{"id": 7, **LIMIT.definition(), "label": None, "description": None}])

        (found,) = admin(apex, provider).permissions()

        assert (LIMIT, "7") == (found, found.id)

    def test_what_is_new_is_made(self, apex: FakeApex, provider: Any) -> None:
        """In the order given; a second time there is nothing to do."""
        asked = admin(apex, provider)

        plan = asked.sync_permissions([APPROVES, LIMIT])

        assert ((APPROVES, LIMIT), (), ()) == (plan.create, plan.delete, plan.keep)
        assert [APPROVES.definition(), LIMIT.definition()] == _without_ids(apex)
        again = asked.sync_permissions([LIMIT, APPROVES])
        assert again.is_empty
        assert 2 == len(again.keep)

    @pytest.mark.parametrize(
        "changed",
        [
            {"label": "May approve"},
            {"description": "All orders"},
            {"default": True},
            {"type": "string", "default": "no"},
            {"values": [True]},
        ],
        ids=str,
    )
    def test_whole_definitions_are_compared(
        self, apex: FakeApex, provider: Any, changed: dict[str, Any]
    ) -> None:
        """One that differs in anything is another: it is made, and then the older one is deleted."""
        apex.add_service(ORDERS, [{"id": "old", **APPROVES.definition()}])
        wanted = Permission(**{**APPROVES.definition(), **changed})

        plan = admin(apex, provider).sync_permissions([wanted])

        assert ((wanted,), ("old",)) == (plan.create, tuple(one.id for one in plan.delete))
        assert [wanted.definition()] == _without_ids(apex)

    def test_a_flag_is_no_number(self, apex: FakeApex, provider: Any) -> None:
        """Nor 100 what 100.0 is: Python takes them for equal, and apex does not."""
        apex.add_service(ORDERS, [{"id": "old", **APPROVES.definition(), "default": 0}])

        assert not admin(apex, provider).sync_permissions([APPROVES], dry_run=True).is_empty

    def test_what_is_made_is_made_first(self, apex: FakeApex, provider: Any) -> None:
        """Where the apex makes none, nothing is deleted: nobody loses a permission half way."""
        apex.add_service(ORDERS, [{"id": "old", **LIMIT.definition()}])
        asked = admin(apex, provider)
        apex.stop_creating()

        with pytest.raises(EndpointUnavailable):
            asked.sync_permissions([APPROVES])

        assert ["old"] == [one["id"] for one in apex.permissions(ORDERS)]

    def test_what_was_made_twice_is_there_once(self, apex: FakeApex, provider: Any) -> None:
        """As where two processes began at one time."""
        apex.add_service(ORDERS, [{"id": name, **LIMIT.definition()} for name in ("a", "b")])

        admin(apex, provider).sync_permissions([LIMIT])

        assert ["a"] == [one["id"] for one in apex.permissions(ORDERS)]

    def test_what_somebody_else_deletes(self, apex: FakeApex, provider: Any) -> None:
        """Is gone, which was to be done."""
        apex.add_service(ORDERS, [{"id": "old", **LIMIT.definition()}])
        apex.answer(b"", status=404, paths=[f"{PERMISSIONS}/old"])

        assert ("old",) == tuple(one.id for one in admin(apex, provider).sync_permissions([]).delete)

    def test_what_cannot_be_deleted(self, apex: FakeApex, provider: Any) -> None:
        """Is said."""
        apex.add_service(ORDERS, [{"id": "old", **LIMIT.definition()}])
        apex.answer(b"", status=500, paths=[f"{PERMISSIONS}/old"])

        with pytest.raises(EndpointUnavailable):
            admin(apex, provider).sync_permissions([])

    def test_a_plan(self, apex: FakeApex, provider: Any) -> None:
        """A dry run says what would be done, line by line, and does nothing."""
        apex.add_service(
            ORDERS, [{"id": name, **one.definition()} for name, one in (("a", LIMIT), ("b", APPROVES))]
        )
        before = apex.permissions(ORDERS)
        renamed = Permission(name="cap", type="integer", default=100)

        plan = admin(apex, provider).sync_permissions([renamed, APPROVES], dry_run=True)

        assert before == apex.permissions(ORDERS)
        assert [("+", "cap"), ("-", "limit"), ("=", "approves")] == [
            (line[0], json.loads(line[2:])["name"]) for line in str(plan).splitlines()
        ]

    @pytest.mark.parametrize(
        ("wanted", "said"),
        [
            ([APPROVES, APPROVES], "2 permissions are named 'approves'"),
            ([Permission(name="", type="string", default="")], "has no name"),
            ([Permission(name="a", type="float", default=1)], "is none of"),  # type: ignore[arg-type]
            ([Permission(name="a", type="integer", default=True)], "default=True is no integer"),
            ([Permission(name="a", type="boolean", default=1)], "default=1 is no boolean"),
            ([Permission(name="a", type="string", default=None)], "default=None is no string"),
            ([Permission(name="a", type="string", default="", values=["x", 1])], "1 among its values"),
        ],
    )
    def test_definitions_that_are_none(
        self, apex: FakeApex, provider: Any, wanted: list[Permission], said: str
    ) -> None:
        """Are told before anything is asked."""
        with pytest.raises(ValueError, match=said):
            admin(apex, provider).sync_permissions(wanted)

        assert 0 == apex.hits[PERMISSIONS]

    @pytest.mark.parametrize(
        "sent",
        [
            {},
            {"permissions": {}},
            {"permissions": [7]},
            {"permissions": [{"name": "a"}]},
            {"permissions": [{"id": True}]},
            {"permissions": [{"id": ".."}]},
            {"permissions": [{"id": "a", "name": 7}]},
            {"permissions": [{"id": "a", "values": 7}]},
            {"permissions": [{"id": "a", "values": [[]]}]},
            {"permissions": [{"id": "a", "default": {}}]},
        ],
        ids=str,
    )
    def test_what_cannot_be_read(self, apex: FakeApex, provider: Any, sent: object) -> None:
        """Law 1.5: nothing is made or deleted by a list that is none."""
        apex.answer(json.dumps({"data": sent}).encode(), paths=[PERMISSIONS])

        with pytest.raises(EndpointUnavailable):
            admin(apex, provider).sync_permissions([APPROVES])


class TestWhoAsks:
    def test_the_service_itself(self, apex: FakeApex, colour: str) -> None:
        """Needs nobody's password: its own credential is a token, or a function that gives a fresh one each time."""
        tokens = [apex.service_token(ORDERS) for _ in range(2)]
        given = iter([f"Bearer {tokens[0]}", tokens[1]])

        async def later() -> str:
            return next(given)

        fixed = Asked(made(colour, apex, credential=apex.service_token(ORDERS)).for_service())
        fresh = Asked(made(colour, apex, credential=later if colour else lambda: next(given)).for_service())

        assert not fixed.sync_permissions([LIMIT]).is_empty
        assert (LIMIT,) == fresh.permissions() == fresh.permissions()
        assert [] == fixed.users_for_service()

    @pytest.mark.parametrize("status", [401, 403])
    def test_the_service_is_refused(self, apex: FakeApex, colour: str, status: int) -> None:
        """Law 1.6: that is for the operator to mend, and no caller's fault: 503."""
        asked = Asked(made(colour, apex, credential="s3rvice").for_service())
        apex.answer(b"{}", status=status)

        for method in ("user", "permissions", "users_for_service"):
            with pytest.raises(EndpointRefused):
                getattr(asked, method)()

    @pytest.mark.parametrize("token", ["", " ", "a b", "a\nX: y", "t\xf6ken", "\ud800", "a\0"])
    def test_what_is_nobodys_token(self, apex: FakeApex, colour: str, token: str) -> None:
        """Laws 1.5 and 3.11: is refused like any other, and no apex is asked; of the service's own, the same."""
        provider = made(colour, apex, credential=token)

        for method in ("user", "permissions", "users_for_service"):
            with pytest.raises(TokenInactive):
                getattr(Asked(provider.for_token(token)), method)()
            with pytest.raises(EndpointRefused):
                getattr(Asked(provider.for_service()), method)()
        assert 0 == apex.hits.total()

    def test_a_caller_is_refused(self, apex: FakeApex, provider: Any) -> None:
        """401 and 403 are the caller's own outcomes."""
        nobody = Asked(provider.for_token("nobody"))
        plain = Asked(provider.for_token(apex.token(apex.add_user())))

        for method in ("user", "permissions", "users_for_service"):
            with pytest.raises(TokenInactive):
                getattr(nobody, method)()
        for method in ("permissions", "users_for_service"):
            with pytest.raises(ag.AuthorizationError):
                getattr(plain, method)()

    def test_a_service_that_is_unknown(self, apex: FakeApex, colour: str) -> None:
        """The name is wrong, or nobody made it there."""
        asked = admin(apex, made(colour, apex, service="misspelt"))

        for method in ("permissions", "users_for_service"):
            with pytest.raises(EndpointRefused):
                getattr(asked, method)()

    @pytest.mark.parametrize("status", [204, 302, 429, 500])
    def test_outages(self, apex: FakeApex, provider: Any, status: int) -> None:
        """Law 1.5: and how long to wait is told."""
        asked = admin(apex, provider)
        apex.answer(b"", status=status, headers=[("Retry-After", "7")])

        calls = [(name, ()) for name in ("user", "permissions", "users_for_service")]
        for method, arguments in [*calls, ("metadata_for", ("u",)), ("full_metadata_for", ("u",))]:
            with pytest.raises(EndpointUnavailable) as caught:
                getattr(asked, method)(*arguments)
            assert 7.0 == caught.value.retry_after

    @pytest.mark.parametrize(
        "body", [b"", b"[]", b"{}", b'{"data": []}', b'{"data": {}}', b'{"data": {"metadata": 7}}']
    )
    def test_answers_of_another_form(self, apex: FakeApex, provider: Any, body: bytes) -> None:
        """Are no answers."""
        asked = admin(apex, provider)
        apex.answer(body)

        for method, arguments in [("user", ()), ("metadata_for", ("u",)), ("full_metadata_for", ("u",))]:
            with pytest.raises(EndpointUnavailable):
                getattr(asked, method)(*arguments)

    def test_metadata_that_is_no_object(self, apex: FakeApex, provider: Any) -> None:
        """Is no metadata."""
        asked = admin(apex, provider)
        apex.answer(b'{"data": {"metadata": {"metadata": [1]}}}')

        with pytest.raises(EndpointUnavailable, match="metadata is no object"):
            asked.metadata_for("u")

    def test_nothing_shows_a_token(self, apex: FakeApex, colour: str) -> None:
        """Law 2.5."""
        provider = made(colour, apex, credential="s3rvice")

        assert "s3rvice" not in f"{provider!r}{vars(provider.for_service())!r}"
        assert apex.url in repr(provider)


class TestConfiguration:
    @pytest.mark.parametrize(
        ("options", "said"),
        [
            ({"service": None}, "service: write what"),
            ({"service": ""}, "service: write what"),
            ({"metadata": dict}, "metadata: give a dataclass"),
            ({"base_url": "http://apex.example.com"}, "is not https"),
            ({"base_url": 7}, "base_url"),
        ],
    )
    def test_mistakes(self, apex: FakeApex, colour: str, options: dict[str, Any], said: str) -> None:
        """Law 1.6: all are told where it is made."""
        kind = getattr(client, f"{colour}AuthApiProvider")

        with pytest.raises(ag.ConfigurationError, match=said):
            kind(**{"base_url": apex.url, "service": ORDERS, "metadata": Rights, **options})

    def test_plain_http_where_it_is_allowed(self, colour: str) -> None:
        """Law 4.9: in so many words."""
        kind = getattr(client, f"{colour}AuthApiProvider")

        assert kind("http://apex.example.com", service=ORDERS, metadata=Rights, allow_http=True)

    def test_a_credential_of_the_other_colour(self, apex: FakeApex, colour: str) -> None:
        """Law 9.4."""

        async def later() -> str:
            return ""

        with pytest.raises(ag.ConfigurationError, match="credential: is"):
            made(colour, apex, credential=(lambda: "") if colour else later)

    def test_no_credential(self, provider: Any) -> None:
        """Who has none is told what to give."""
        with pytest.raises(ag.ConfigurationError, match="credential: give"):
            provider.for_service()

    @pytest.mark.parametrize("token", [None, 7, b"x"])
    def test_what_is_no_token(self, provider: Any, token: object) -> None:
        """Is a bug of the caller."""
        with pytest.raises(TypeError, match="a token is a text"):
            provider.for_token(token)

    def test_a_client_of_another_kind(self, apex: FakeApex, colour: str) -> None:
        """Apex takes a secret, and says so for what is none."""
        kind = getattr(client, f"{colour}AuthCodeApi")

        with pytest.raises(ag.ConfigurationError, match="client: give ClientSecret"):
            kind(apex.url, "orders")
        with pytest.raises(ag.ConfigurationError, match="the secret is empty"):
            kind(apex.url, ag.ClientSecret("orders", ""))


class TestLogin:
    def test_by_password(self, apex: FakeApex, provider: Any) -> None:
        """The form that apex reads; the token is whoever's has the password."""
        ada = apex.add_user("ada", password="pa ss+wörd")

        token = settled(provider.login("ada", "pa ss+wörd"))

        assert ada == Asked(provider.for_token(token)).user().id
        assert [
            {
                "grant_type": "password",
                "username": "ada",
                "password": "pa ss+wörd",
                "scope": "",
                "client_id": "",
                "client_secret": "",
            }
        ] == apex.received

    def test_by_code(self, apex: FakeApex, provider: Any, colour: str) -> None:
        """The client shows its secret, and the verifier of PKCE goes along where there is one."""
        ada = apex.add_user("ada")
        apex.add_client("orders", "s3cret")
        codes = getattr(client, f"{colour}AuthCodeApi")(apex.url, ag.ClientSecret("orders", "s3cret"))
        first, second = apex.code(ada), apex.code(ada)

        tokens = [settled(codes.token_for(first)), settled(codes.token_for(second, "v" * 43))]

        assert [ada, ada] == [Asked(provider.for_token(token)).user().id for token in tokens]
        shown = {"client_id": "orders", "client_secret": "s3cret"}
        assert [
            {"code": first, **shown},
            {"code": second, **shown, "code_verifier": "v" * 43},
        ] == apex.received
        with pytest.raises(LoginRefused):
            settled(codes.token_for(first))
        assert "s3cret" not in repr(codes)

    @pytest.mark.parametrize("status", [400, 401, 403, 422])
    def test_refused(self, apex: FakeApex, provider: Any, status: int) -> None:
        """One answer for all that may be wrong, without what was presented."""
        apex.answer(b'{"detail": "bad pa55"}', status=status, paths=[LOGIN_PATH])

        with pytest.raises(LoginRefused) as caught:
            settled(provider.login("ada", "pa55"))

        assert ("login_refused", 401) == (caught.value.public_code, caught.value.status)
        assert "pa55" not in str(caught.value)

    @pytest.mark.parametrize("given", [("\ud800", "pa55"), ("ada", "pa55\udfff")])
    def test_what_is_no_text(self, apex: FakeApex, provider: Any, given: tuple[str, str]) -> None:
        """Law 3.11: half a surrogate pair, which JSON can hold, is nobody's password; no error holds it."""
        with pytest.raises(LoginRefused) as caught:
            settled(provider.login(*given))

        assert caught.value.__context__ is None
        assert 0 == apex.hits.total()

    @pytest.mark.parametrize("given", [("\ud800",), ("c0de", "v\ud800")])
    def test_what_is_no_code(self, apex: FakeApex, colour: str, given: tuple[str, ...]) -> None:
        """The same."""
        codes = getattr(client, f"{colour}AuthCodeApi")(apex.url, ag.ClientSecret("orders", "s3cret"))

        with pytest.raises(LoginRefused):
            settled(codes.token_for(*given))

    def test_an_unknown_client(self, apex: FakeApex, colour: str) -> None:
        """Law 1.6: is a mistake of the operator, where the apex says so."""
        codes = getattr(client, f"{colour}AuthCodeApi")(apex.url, ag.ClientSecret("orders", "s3cret"))
        apex.answer(b'{"error": "invalid_client"}', status=401, paths=[CODE_PATH])

        with pytest.raises(EndpointRefused):
            settled(codes.token_for("c0de"))

    @pytest.mark.parametrize("status", [204, 302, 404, 429, 500, 503])
    def test_outages(self, apex: FakeApex, provider: Any, status: int) -> None:
        """Law 1.5: are no refusals."""
        apex.answer(b"", status=status, paths=[LOGIN_PATH])

        with pytest.raises(EndpointUnavailable):
            settled(provider.login("ada", "pa55"))

    @pytest.mark.parametrize("token", [None, "", "two words", 7])
    def test_no_token_in_the_answer(self, apex: FakeApex, provider: Any, token: object) -> None:
        """Is no answer."""
        apex.answer(json.dumps({"access_token": token}).encode(), paths=[LOGIN_PATH])

        with pytest.raises(EndpointUnavailable):
            settled(provider.login("ada", "pa55"))

    def test_the_user_endpoint_is_not_asked(self, apex: FakeApex, provider: Any) -> None:
        """Nobody asks about a token that nobody uses."""
        apex.add_user("ada", password="pa55")
        settled(provider.login("ada", "pa55"))

        assert 0 == apex.hits[USER_PATH]


def _endless() -> Iterator[bytes]:
    """Two hundred users, and then a long silence: whoever waits for the end waits in vain."""
    yield b'{"data": {"users": ['
    for number in range(200):
        user = {"user": {"id": f"u{number}"}, "is_service_admin": False, "metadata": {"approves": True}}
        yield json.dumps(user).encode() + b", "
    while True:
        yield b" " * 64


def _slow(begun: threading.Event) -> Iterator[bytes]:
    """Two users a second, without an end."""
    yield b'{"data": {"users": ['
    begun.set()
    while True:
        yield b'{"user": {"id": "u1"}, "is_service_admin": false, "metadata": {"approves": true}}, '
        time.sleep(0.5)


def _without_ids(apex: FakeApex) -> list[dict[str, Any]]:
    return [{name: value for name, value in one.items() if name != "id"} for one in apex.permissions(ORDERS)]
