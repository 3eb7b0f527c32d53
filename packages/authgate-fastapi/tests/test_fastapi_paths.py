import asyncio
from typing import Any
from urllib.parse import unquote

import pytest
from fastapi import FastAPI, Request, Response
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from starlette.routing import Mount, Route

import authgate_core as ag
from authgate_fastapi import AuthGate, AuthMiddleware
from authgate_fastapi.paths import GivenPaths, Paths, asked_of, path_problems

ID = "7b5bcc8f-6f5a-4b0e-9d8a-0123456789ab"


def scope_of(target: str, method: str = "GET", **more: Any) -> dict[str, Any]:
    """A scope as servers make it of a request target."""
    raw, _, query = target.partition("?")
    return {
        "type": "http",
        "method": method,
        "path": unquote(raw),
        "raw_path": raw.encode(),
        "query_string": query.encode(),
        "headers": [],
        **more,
    }


def matches(
    given: GivenPaths, target: str, method: str = "GET", *, prefixes: bool = False, **more: Any
) -> bool:
    """Whether a request for a target is one of these paths."""
    return Paths(given, prefixes=prefixes).match(asked_of(scope_of(target, method, **more)))


class TestExactly:
    """Law 8.7: a path is the one that is written, and no other."""

    @pytest.mark.parametrize(
        "target", ["/health", "/health?x=1", "/health?next=%2Fadmin", "/he%61lth", "/%68ealth"]
    )
    def test_the_path(self, target: str) -> None:
        """As the router decodes it, whatever the query."""
        assert matches({"/health"}, target)

    @pytest.mark.parametrize(
        "target",
        ["/health/", "/healthz", "/health/live", "/Health", "/", "/x/health", "/?/health", "/health%20", "*"],
    )
    def test_other_paths(self, target: str) -> None:
        """A slash at the end is another path, and so is another case."""
        assert not matches({"/health"}, target)

    def test_root(self) -> None:
        """The root is a path like any other."""
        assert matches({"/"}, "/")
        assert not matches({"/"}, "/x")

    def test_decoded(self) -> None:
        """Paths are written as they are meant."""
        assert matches({"/für alle"}, "/f%C3%BCr%20alle")

    def test_nothing(self) -> None:
        """None and an empty set leave nothing alone."""
        assert not Paths(None).match(asked_of(scope_of("/")))
        assert not matches(set(), "/")


class TestBelow:
    """Law 8.7: a prefix is one by whole segments."""

    @pytest.mark.parametrize(
        "target", ["/static", "/static/", "/static/app.js", "/static/a/b?c", "/static/.b"]
    )
    def test_below(self, target: str) -> None:
        """The prefix itself, and what is below it."""
        assert matches({"/static"}, target, prefixes=True)

    @pytest.mark.parametrize(
        "target", ["/static-admin", "/staticx/a", "/stati", "/a/static", "/", "/static%2Fa"]
    )
    def test_not_below(self, target: str) -> None:
        """``/static`` does not open ``/static-admin``."""
        assert not matches({"/static"}, target, prefixes=True)

    def test_only_below(self) -> None:
        """A prefix with a slash at its end is not met by the path without it."""
        assert matches({"/docs/"}, "/docs/x", prefixes=True)
        assert not matches({"/docs/"}, "/docs", prefixes=True)


class TestAmbiguous:
    @pytest.mark.parametrize(
        "tail",
        [
            "//x",
            "/../admin",
            "/./x",
            "/..",
            "/%2e%2e/admin",
            "/%2E/x",
            "/a%2Fb",
            "/a%2fb",
            "/a%252fb",
            "/a%255Cb",
            "/%252e%252e/admin",
            "/a\\b",
            "/a%5Cb",
            "/a;b",
            "/a%3Bb",
            "/a%00b",
            "/a%0a",
            "/a%7F",
            "/a%C2%85b",
        ],
    )
    def test_never_match(self, tail: str) -> None:
        """Law 8.7: what a proxy or a mounted application may read in another way."""
        assert not matches({"/static"}, f"/static{tail}", prefixes=True)

    def test_without_raw_path(self) -> None:
        """Where a server does not say how a path was written, or more than that, the router's path counts."""
        assert matches({"/health"}, "/health", raw_path=None)
        assert matches({"/health"}, "/health", raw_path=b"/health?next=%2Fadmin")
        assert not matches({"/static"}, "/static/../x", prefixes=True, raw_path=None)


class TestMethods:
    @pytest.mark.parametrize(
        ("method", "expected"), [("GET", True), ("get", False), ("POST", False), ("HEAD", False)]
    )
    def test_some(self, method: str, *, expected: bool) -> None:
        """However they are written they are left alone; HEAD is not GET, nor is ``get``, as for the router."""
        assert expected is matches({"/docs": {"get"}}, "/docs", method)
        assert expected is matches({"/docs": frozenset({"GET"})}, "/docs/x", method, prefixes=True)

    def test_all(self) -> None:
        """None is every method."""
        assert matches({"/docs": None}, "/docs", "PATCH")

    def test_websockets(self) -> None:
        """A WebSocket is no GET: only a path for every method leaves it alone."""
        assert matches({"/feed"}, "/feed", type="websocket")
        assert not matches({"/feed": {"GET"}}, "/feed", type="websocket")


class TestPlaceholders:
    def test_a_segment(self) -> None:
        """A whole segment may stand for any UUID."""
        assert matches({"/items/{item:uuid}/photo"}, f"/items/{ID}/photo")
        assert matches({"/items/{item:uuid}"}, f"/items/{ID.upper()}")
        assert matches({"/items/{item:uuid}"}, f"/items/{ID}/a/b", prefixes=True)

    @pytest.mark.parametrize(
        "target", ["/items/1", f"/items/{ID}0", f"/items/x{ID}", f"/items/{ID}/x", "/items/"]
    )
    def test_nothing_else(self, target: str) -> None:
        """Neither another id, nor more or less than the segment."""
        assert not matches({"/items/{item:uuid}"}, target)


class TestRootPath:
    def test_removed(self) -> None:
        """The path is the one that the router sees behind a proxy or a mount."""
        assert matches({"/health"}, "/api/health", root_path="/api")
        assert matches({"/health"}, "/health", root_path="/api")
        assert not matches({"/health"}, "/apihealth", root_path="/api")
        assert not matches({"/api/health"}, "/api/health", root_path="/api")

    def test_ambiguous_before_it(self) -> None:
        """The whole path counts."""
        assert not matches({"/health"}, "/a//health", root_path="/a/")


class TestMistakes:
    @pytest.mark.parametrize(
        ("given", "prefixes", "says"),
        [
            ({"health"}, False, "write '/health'"),
            ({""}, False, "begins with no slash"),
            ({"/a//b"}, False, "never matches"),
            ({"/a/../b"}, False, "never matches"),
            ({"/a%2Fb"}, False, "never matches"),
            ({"/a%20b"}, False, "write it decoded"),
            ({"/a?b"}, False, "without query"),
            ({"/static/*"}, True, "is no plain path"),
            ({"/items/{item}"}, False, "{name:uuid}"),
            ({"/items/{item:int}"}, False, "{name:uuid}"),
            ({"/items/x{item:uuid}"}, False, "whole segment"),
            ({"/"}, True, "leave the middleware out"),
            ({"/a": set()}, False, "write None"),
        ],
    )
    def test_of_values(self, given: GivenPaths, prefixes: bool, says: str) -> None:
        """Law 1.6: what can never match, or opens everything, is said with what to write instead."""
        (problem,) = path_problems("excluded_paths", given, prefixes=prefixes)
        assert problem.startswith("excluded_paths: ")
        assert says in problem

    @pytest.mark.parametrize(
        "given",
        ["/health", ["/health"], {b"/health"}, {"/health": "GET"}, {"/health": ["GET"]}, {"/health": {1}}, 7],
    )
    def test_of_types(self, given: Any) -> None:
        """A str is no set of paths, though it could be read as one of letters."""
        with pytest.raises(TypeError, match="excluded_paths"):
            list(path_problems("excluded_paths", given))

    def test_none(self) -> None:
        """What is right is not complained about."""
        right: GivenPaths = {"/": None, "/a-b.c/~d": {"get"}, "/{x:uuid}/y": None, "/für alle": None}
        assert [] == [*path_problems("excluded_paths", None), *path_problems("excluded_paths", right)]


PIECES = [
    "health",
    "static",
    "static-admin",
    "docs",
    "a",
    ID,
    "admin",
    "api",
    "/",
    "//",
    ".",
    "..",
    "%2e",
    "%2F",
    "%5c",
    "%25",
    "%252f",
    "\\",
    ";",
    "%3b",
    "%00",
    "%0a",
    "?",
    "%C3%BC",
    "%ff",
    "S",
    " ",
]


def everywhere(name: str, reached: list[str]) -> Any:
    """An endpoint that says that it was reached."""

    async def endpoint(request: Request) -> Response:
        reached.append(name)
        return Response()

    return endpoint


def routed(reached: list[str]) -> FastAPI:
    """An application whose routes lie beside, below and above what is excluded."""
    app = FastAPI(routes=[Mount("/static", routes=[Route("/{p:path}", everywhere("open", reached))])])
    for path in ("/health", "/static", "/docs/{p:path}", "/a/{x:uuid}"):
        app.add_api_route(path, everywhere("open", reached))
    for path in (
        "/healthz",
        "/health/{p:path}",
        "/static-admin",
        "/static-admin/{p:path}",
        "/docs",
        "/docsx",
        "/a/{x:int}",
        "/a/{x:uuid}/{p:path}",
        "/{p:path}",
    ):
        app.add_api_route(path, everywhere(path, reached))
    return app


class TestAgainstTheRouter:
    def test_nobody_reaches_another_route(self, gate: ag.AsyncGate) -> None:
        """Law 8.7: no path that the router sends to a route that is not excluded matches an exclusion."""
        reached: list[str] = []
        opened: set[str] = set()
        app = routed(reached)
        AuthGate(app, gate=gate)
        app.add_middleware(
            AuthMiddleware,
            excluded_paths={"/health", "/a/{x:uuid}"},
            excluded_prefixes={"/static", "/docs/"},
        )

        async def receive() -> Any:
            return {"type": "http.request", "body": b"", "more_body": False}

        async def send(message: Any) -> None: ...

        @settings(max_examples=1500, deadline=None, suppress_health_check=[HealthCheck.too_slow])
        @given(st.lists(st.sampled_from(PIECES), max_size=7).map("".join), st.sampled_from(["", "/api"]))
        @example("health", "")
        @example("static/../admin", "")
        @example("static%2F..%2Fadmin", "")
        @example("docs/x", "/api")
        def ask(path: str, root: str) -> None:
            opened.update(reached)
            reached.clear()
            asyncio.run(app(scope_of(f"{root}/{path}", root_path=root), receive, send))
            assert reached in ([], ["open"])

        ask()
        assert {"open"} == opened
