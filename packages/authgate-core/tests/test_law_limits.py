"""Sizes and forms as a request meets them: over the outer limit 400, everything inside a token 401 (Laws 2.4, 3.1)."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

import authgate_core as ag
from authgate_core.testing import FakeIssuer
from tests.support.gates import Face, face, view

APP_SECRET = "a-chosen-secret-of-thirty-two-characters"


@pytest.fixture(name="fake", scope="module")
def _fake() -> FakeIssuer:
    return FakeIssuer(url="https://id.test")


@pytest.fixture(name="colour", params=["sync", "async"])
def _colour(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(name="make")
def _make(fake: FakeIssuer, colour: str) -> Iterator[Callable[..., Face]]:
    made: list[Face] = []

    def make(**options: Any) -> Face:
        issuer = ag.Issuer.static(fake.jwks(), issuer=fake.url, audience=fake.audience, name="id")
        projects = ag.StaticProjects({"shop": {"secret": APP_SECRET}})
        made.append(face(colour, ag.GateConfig(issuers=[issuer], projects=projects, **options)))
        return made[-1]

    yield make
    for gate in made:
        gate.close()


def status(gate: Face, *headers: tuple[str, str], policy: ag.Policy = ag.is_user) -> int:
    """What a request with these headers is answered with; 200 where it is admitted."""
    try:
        gate.admit(view(*headers), policy)
    except ag.AuthgateError as error:
        return gate.gate.problem(error).status
    return 200


def bearer(token: str) -> tuple[str, str]:
    """The header of a token."""
    return ("Authorization", f"Bearer {token}")


def nested(levels: int) -> Any:
    """A claim that makes the payload this deep, the payload itself included."""
    value: Any = 1
    for _ in range(levels - 1):
        value = [value]
    return value


class TestLimits:
    """Law 2.4: a header over its limit is malformed, a token over an inner limit is invalid; all configurable."""

    def test_a_credential_header(self, make: Callable[..., Face], fake: FakeIssuer) -> None:
        """16 KiB, of each header that the policy reads and of no other."""
        gate, room = make(), 16 * 1024 - len("Bearer ")

        assert 401 == status(gate, bearer("a" * room))
        assert 400 == status(gate, bearer("a" * (room + 1)))
        project = (("x-app-id", "shop"), ("x-app-secret", "a" * (16 * 1024 + 1)))
        assert 400 == status(gate, *project, policy=ag.is_project)
        assert 200 == status(gate, bearer(fake.token()), *project, ("x-other", "a" * 100_000))

    def test_the_header_of_a_token(self, make: Callable[..., Face], fake: FakeIssuer) -> None:
        """2 KiB, as it arrives."""
        gate = make()

        assert 200 == status(gate, bearer(fake.token(headers={"x": "a" * 1400})))
        assert 401 == status(gate, bearer(fake.token(headers={"x": "a" * 1600})))

    def test_nesting(self, make: Callable[..., Face], fake: FakeIssuer) -> None:
        """16 levels."""
        gate = make()

        assert 200 == status(gate, bearer(fake.token(deep=nested(16))))
        assert 401 == status(gate, bearer(fake.token(deep=nested(17))))

    def test_each_is_configurable(self, make: Callable[..., Face], fake: FakeIssuer) -> None:
        """More, for tokens that need it, or less."""
        large = make(credential_limit=40_000, token_header_limit=4_000, token_depth=20)
        small = make(credential_limit=1_000, token_header_limit=100, token_depth=1)

        token = fake.token(headers={"x": "a" * 1600}, deep=nested(20), filler="a" * 20_000)
        assert 200 == status(large, bearer(token))
        assert 400 == status(small, bearer(token))
        assert 200 == status(small, bearer(fake.token()))
        assert 401 == status(small, bearer(fake.token(headers={"x": "a" * 100})))
        assert 401 == status(small, bearer(fake.token(deep=[])))

    def test_without_a_request_a_token_has_the_limit_of_a_header(
        self, make: Callable[..., Face], fake: FakeIssuer
    ) -> None:
        """There is no header that could be malformed, so it is a bad token."""
        token = fake.token(filler="a" * 20_000)

        assert "u1" == make(credential_limit=40_000).verify_token(token).user.id
        with pytest.raises(ag.MalformedToken):
            make().verify_token(token)


ALGORITHM = {"alg": "RS256", "kid": "key-1"}


def signed(fake: FakeIssuer, *, header: bytes | None = None, payload: bytes | None = None) -> str:
    """A truly signed token of these bytes."""
    return fake.raw_token(
        json.dumps(ALGORITHM).encode() if header is None else header,
        json.dumps(fake.claims()).encode() if payload is None else payload,
    )


def remade(fake: FakeIssuer, change: Callable[[list[str]], str]) -> str:
    """A good token, put together in another way."""
    return change(fake.token().split("."))


FORMS: dict[str, Callable[[FakeIssuer], str]] = {
    "two segments": lambda fake: remade(fake, lambda parts: ".".join(parts[:2])),
    "four segments": lambda fake: remade(fake, lambda parts: ".".join([*parts, "a"])),
    "five segments": lambda fake: remade(fake, lambda parts: ".".join([*parts, "YQ", "YQ"])),
    "padding": lambda fake: remade(fake, lambda parts: ".".join([*parts[:2], parts[2] + "=="])),
    "whitespace": lambda fake: remade(fake, ". ".join),
    "base64": lambda fake: remade(fake, lambda parts: ".".join([*parts[:2], "+/" + parts[2][2:]])),
    "trailing bits": lambda fake: remade(fake, lambda parts: ".".join([*parts[:2], parts[2][:-1] + "B"])),
    "no object": lambda fake: signed(fake, payload=b"[]"),
    "no JSON": lambda fake: signed(fake, payload=b"{"),
    "UTF-16": lambda fake: signed(fake, payload=json.dumps(fake.claims()).encode("utf-16")),
    "byte order mark": lambda fake: signed(
        fake, payload=b"\xef\xbb\xbf" + json.dumps(fake.claims()).encode()
    ),
    "duplicate claim": lambda fake: signed(
        fake, payload=b'{"sub":"root",' + json.dumps(fake.claims()).encode()[1:]
    ),
    "duplicate alg": lambda fake: signed(fake, header=b'{"alg":"none","alg":"RS256","kid":"key-1"}'),
    "NaN": lambda fake: signed(fake, payload=b'{"x":NaN,' + json.dumps(fake.claims()).encode()[1:]),
    "Infinity": lambda fake: signed(fake, payload=b'{"x":1e999,' + json.dumps(fake.claims()).encode()[1:]),
    "abyss": lambda fake: signed(fake, payload=b"[" * 5_000),
    "crit": lambda fake: fake.token(headers={"crit": ["exp"], "exp": 1}),
    "alg none": lambda fake: fake.hostile.unsigned(),
    "no alg": lambda fake: signed(fake, header=b'{"kid":"key-1"}'),
    "unknown kid": lambda fake: fake.token(kid="nobody"),
    "forged": lambda fake: fake.hostile.forged(),
    "no exp": lambda fake: fake.token(exp=None),
    "wrong audience": lambda fake: fake.hostile.for_another_audience(),
    "refresh token": lambda fake: fake.hostile.refresh(),
    "confirmation": lambda fake: fake.token(cnf={"jkt": "x"}),
    "odd subject": lambda fake: fake.token({"uuid": "u1"}),
    "odd roles": lambda fake: fake.token(roles="admin"),
}


class TestForms:
    """Law 3.1: every refusal of section 3 is an invalid token, 401, never a malformed request."""

    def test_the_plain_form_is_good(self, make: Callable[..., Face], fake: FakeIssuer) -> None:
        """So that each row below differs in one thing."""
        assert 200 == status(make(), bearer(signed(fake)))

    @pytest.mark.parametrize("form", FORMS)
    def test_any_other_is_invalid(self, make: Callable[..., Face], fake: FakeIssuer, form: str) -> None:
        """And to whoever sent it each of them reads alike (Law 1.2)."""
        gate = make()
        with pytest.raises(ag.InvalidToken) as caught:
            gate.admit(view(bearer(FORMS[form](fake))), ag.is_user)
        answer = gate.gate.problem(caught.value)

        assert (401, "token_invalid", "The token is not valid.") == (
            answer.status,
            answer.body["code"],
            answer.body["detail"],
        )
        assert ("WWW-Authenticate", 'Bearer realm="api", error="invalid_token"') in answer.headers
