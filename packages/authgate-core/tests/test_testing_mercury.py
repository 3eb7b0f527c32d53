"""The pretended Mercury: what it publishes, mints, checks and counts."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from typing import Any

import httpx2
import jwt
import pytest

from authgate_core.clock import Instant
from authgate_core.errors import AuthUnavailable
from authgate_core.io.http import SafeHttp
from authgate_core.request import HttpReply, HttpRequest
from authgate_core.secret import Secret
from authgate_core.signing import RequestSigning
from authgate_core.testing import ABSENT, FakeMercury, ManualClock, MercuryProject

PROJECT_KEYS = "/auth/project/.well-known/jwks.json"
VERIFY = "/auth/projects/verify"
CLOCK = ManualClock()


@pytest.fixture(scope="module")
def served() -> Iterator[FakeMercury]:
    """One for all tests, since RSA keys are slow to make."""
    with FakeMercury(clock=CLOCK) as mercury:
        yield mercury


@pytest.fixture
def mercury(served: FakeMercury) -> Iterator[FakeMercury]:
    """Told to behave."""
    served.recover()
    served.reset_hits()
    yield served
    served.enable(served.nexus)


def ask(mercury: FakeMercury, path: str, body: bytes = b"", *, secret: str | None = None) -> HttpReply:
    """Send a signed request."""
    request = HttpRequest("POST" if body else "GET", mercury.url + path, body=body)
    signing = RequestSigning(Secret(mercury.secret if secret is None else secret))
    return SafeHttp().send(signing.signed(request, CLOCK.now()))


def question(project: MercuryProject, **changed: object) -> bytes:
    """What a service asks about project credentials."""
    asked = {"app_id": project.app_id, "app_secret": project.app_secret, "service_id": "orders"}
    return json.dumps(asked | changed).encode()


def decoded(token: str, keys: HttpReply, **options: Any) -> dict[str, Any]:
    """What PyJWT makes of a token; its own clock is not the one of the tests, and an object is a subject."""
    kid = jwt.get_unverified_header(token)["kid"]
    checks = {"verify_exp": False, "verify_nbf": False, "verify_iat": False, "verify_sub": False}
    key = jwt.PyJWKSet.from_dict(json.loads(keys.body))[kid]
    return jwt.decode(token, key, algorithms=["RS512"], options=checks, **options)  # type: ignore[arg-type] # a plain dict will do


class TestUserTokens:
    def test_they_verify_with_the_keys_of_their_project(self, mercury: FakeMercury) -> None:
        """The claims of the contract, under a key that the project publishes."""
        project = mercury.add_project()
        token = mercury.user_token(project)
        claims = decoded(token, ask(mercury, project.keys_path), audience="test-api", issuer=mercury.url)

        assert {"iss", "aud", "sub", "exp", "iat", "nbf", "jti", "project_uuid", "type"} == set(claims)
        assert (project.uuid, "access") == (claims["project_uuid"], claims["type"])
        assert mercury.user() == claims["sub"]
        assert {"alg": "RS512", "typ": "JWT", "kid": mercury.keys(project).kid} == jwt.get_unverified_header(
            token
        )

    def test_claims_are_replaced_and_left_out(self, mercury: FakeMercury) -> None:
        """A token may say anything, such as the name of another project or of none."""
        keys = ask(mercury, mercury.nexus.keys_path)
        other = mercury.user_token(project_uuid="../../x", sub=mercury.user(name="Grace"))
        bare = mercury.user_token(project_uuid=ABSENT)

        assert "../../x" == decoded(other, keys, audience="test-api")["project_uuid"]
        assert "Grace" == decoded(other, keys, audience="test-api")["sub"]["name"]
        assert "project_uuid" not in decoded(bare, keys, audience="test-api")

    def test_keys_of_two_projects_may_have_one_name(self, mercury: FakeMercury) -> None:
        """The same kid, and another key: neither verifies what the other signed."""
        one, two = mercury.add_project(kid="same"), mercury.add_project(kid="same")
        token = mercury.user_token(one, project_uuid=two.uuid)

        assert mercury.keys(one).kid == mercury.keys(two).kid
        with pytest.raises(jwt.InvalidSignatureError):
            decoded(token, ask(mercury, two.keys_path), audience="test-api")

    def test_projects_rotate_apart(self, mercury: FakeMercury) -> None:
        """A new key of one project is no business of another."""
        one, two = mercury.add_project(), mercury.add_project()
        before, kid = ask(mercury, two.keys_path).body, mercury.rotate(one, keep_old=False)

        assert before == ask(mercury, two.keys_path).body
        assert [kid] == [key["kid"] for key in json.loads(ask(mercury, one.keys_path).body)["keys"]]
        assert kid == jwt.get_unverified_header(mercury.user_token(one))["kid"]

    def test_hostile_tokens_are_those_of_a_project(self, mercury: FakeMercury) -> None:
        """One step away from a good one: all but the signature is as it should be."""
        forged = mercury.hostile().forged(mercury.user())
        with pytest.raises(jwt.InvalidSignatureError):
            decoded(forged, ask(mercury, mercury.nexus.keys_path), audience="test-api")
        claims = jwt.decode(forged, options={"verify_signature": False})

        assert (mercury.url, mercury.nexus_id) == (claims["iss"], claims["project_uuid"])


class TestProjectTokens:
    def test_they_verify_with_the_keys_of_all_projects(self, mercury: FakeMercury) -> None:
        """The claims of the contract and no others, by default as the project is."""
        project = mercury.add_project(enabled_services=["a", "b"], secret_version=3)
        claims = decoded(mercury.project_token(project), ask(mercury, PROJECT_KEYS), issuer=mercury.url)
        usual = {"iss", "iat", "exp", "project_uuid", "enabled_services", "secret_version", "token_id"}

        assert usual == set(claims)
        assert (project.uuid, ["a", "b"], 3) == tuple(
            claims[name] for name in ("project_uuid", "enabled_services", "secret_version")
        )

    def test_claims_are_replaced_and_left_out(self, mercury: FakeMercury) -> None:
        """Each claim by its name, ``ABSENT`` for none."""
        token = mercury.project_token(
            enabled_services=[], secret_version=ABSENT, token_id="t1", project_uuid="x"
        )
        claims = decoded(token, ask(mercury, PROJECT_KEYS))

        assert ([], "t1", "x") == tuple(
            claims[name] for name in ("enabled_services", "token_id", "project_uuid")
        )
        assert "secret_version" not in claims

    def test_their_key_is_of_no_project(self, mercury: FakeMercury) -> None:
        """A user token's key does not sign for projects."""
        assert mercury.keys(mercury.nexus).kid not in mercury.project_keys.kids


class TestKeySets:
    def test_what_is_not_known_is_not_found(self, mercury: FakeMercury) -> None:
        """An unknown project, a disabled one, another path and another method: 404."""
        gone = mercury.add_project()
        mercury.disable(gone)
        unknown = "/auth/projects/00000000-0000-4000-8000-000000000000/.well-known/jwks.json"
        paths = (unknown, gone.keys_path, "/auth/projects", "/", VERIFY)

        assert {404} == {ask(mercury, path).status for path in paths}
        assert 404 == ask(mercury, mercury.nexus.keys_path, b"{}").status
        mercury.enable(gone)
        assert 200 == ask(mercury, gone.keys_path).status


class TestVerification:
    def test_good_credentials_are_confirmed(self, mercury: FakeMercury) -> None:
        """With what Mercury knows of the project, under the names of the contract."""
        project = mercury.add_project(name="Shop", app_id="a1", app_secret="s1", secret_version=2)
        reply = ask(mercury, VERIFY, question(project))

        assert (
            200,
            {
                "app_id": "a1",
                "projectUuid": project.uuid,
                "projectName": "Shop",
                "enabledServices": ["orders"],
                "secretVersion": 2,
            },
        ) == (reply.status, json.loads(reply.body))

    @pytest.mark.parametrize("changed", [{"app_id": "nobody"}, {"app_secret": "wrong"}, {"app_secret": ""}])
    def test_others_are_not(self, mercury: FakeMercury, changed: dict[str, object]) -> None:
        """An unknown app id and a wrong secret are refused alike."""
        assert 401 == ask(mercury, VERIFY, question(mercury.nexus, **changed)).status

    def test_a_disabled_project_is_not(self, mercury: FakeMercury) -> None:
        """Its credentials are as good as unknown, until it is enabled."""
        mercury.disable(mercury.nexus_id)
        before = ask(mercury, VERIFY, question(mercury.nexus)).status
        mercury.enable(mercury.nexus_id)

        assert (401, 200) == (before, ask(mercury, VERIFY, question(mercury.nexus)).status)

    def test_a_service_must_be_enabled(self, mercury: FakeMercury) -> None:
        """What a project is enabled for can change."""
        project = mercury.add_project()
        mercury.enable_services(project, "billing")

        assert 403 == ask(mercury, VERIFY, question(project)).status
        assert 200 == ask(mercury, VERIFY, question(project, service_id="billing")).status

    def test_a_raised_version_shows(self, mercury: FakeMercury) -> None:
        """With a new secret the old one is over; without, it goes on under the new version."""
        project = mercury.add_project()

        assert 1 == mercury.raise_secret_version(project)
        assert 1 == json.loads(ask(mercury, VERIFY, question(project)).body)["secretVersion"]
        assert 2 == mercury.raise_secret_version(project, "new")
        assert 401 == ask(mercury, VERIFY, question(project)).status
        assert 200 == ask(mercury, VERIFY, question(mercury.project(project))).status

    @pytest.mark.parametrize("body", [b"{", b"[]", b"{}", b'{"app_id":1,"app_secret":"","service_id":""}'])
    def test_what_is_no_question_is_a_bad_request(self, mercury: FakeMercury, body: bytes) -> None:
        """Rightly signed and of another shape."""
        assert 400 == ask(mercury, VERIFY, body).status

    @pytest.mark.parametrize(
        ("service", "code"), [("orders", "invalid_credentials"), ("billing", "service_not_enabled")]
    )
    def test_a_refusal_says_why(self, mercury: FakeMercury, service: str, code: str) -> None:
        """By the codes of the contract."""
        secret = "wrong" if service == "orders" else mercury.nexus.app_secret
        asked = question(mercury.nexus, service_id=service, app_secret=secret)
        url, now = mercury.url + VERIFY, CLOCK.now()
        signed = RequestSigning(Secret(mercury.secret)).signed(HttpRequest("POST", url, body=asked), now)
        reply = httpx2.post(url, content=asked, headers=dict(signed.headers), trust_env=False)

        assert {"code": code} == reply.json()


class TestSignatures:
    def test_right_ones_are_counted(self, mercury: FakeMercury) -> None:
        """Every request counts, by path and by whether it was signed."""
        before = (mercury.accepted, mercury.refused)
        ask(mercury, PROJECT_KEYS)
        ask(mercury, VERIFY, question(mercury.nexus))

        assert {PROJECT_KEYS: 1, VERIFY: 1} == mercury.hits
        assert (before[0] + 2, before[1]) == (mercury.accepted, mercury.refused)

    @pytest.mark.parametrize("seconds", [-60.0, 60.0])
    def test_a_minute_is_allowed(self, mercury: FakeMercury, seconds: float) -> None:
        """Clocks may differ by that much."""
        now = CLOCK.now()
        request = HttpRequest("GET", mercury.url + PROJECT_KEYS)
        signed = RequestSigning(Secret(mercury.secret)).signed(request, Instant(now.wall + seconds, 0.0))

        assert 200 == SafeHttp().send(signed).status

    @pytest.mark.parametrize(
        "flaw",
        [
            "unsigned",
            "secret",
            "early",
            "late",
            "seconds",
            "method",
            "path",
            "body",
            "digest",
            "no digest",
            "signature",
        ],
    )
    def test_wrong_ones_are_refused_and_counted(self, mercury: FakeMercury, flaw: str) -> None:
        """Whatever differs from what was signed, and a time more than a minute away."""
        before = (mercury.accepted, mercury.refused)

        assert 401 == SafeHttp().send(flawed(mercury, flaw)).status
        assert (before[0], before[1] + 1) == (mercury.accepted, mercury.refused)

    def test_they_are_refused_before_anything_else(self, mercury: FakeMercury) -> None:
        """Also on a path that is not there, and while Mercury is out of order."""
        mercury.outage()

        assert 503 == ask(mercury, "/").status
        assert 401 == ask(mercury, "/", secret="another").status


def flawed(mercury: FakeMercury, flaw: str) -> HttpRequest:
    """A request that was signed and then changed, or signed wrongly."""
    now = CLOCK.now()
    signing = RequestSigning(Secret("another" if flaw == "secret" else mercury.secret))
    moments = {"early": now.wall - 60.002, "late": now.wall + 60.002, "seconds": now.wall / 1000}
    asked = HttpRequest("POST", mercury.url + VERIFY, body=question(mercury.nexus))
    signed = signing.signed(asked, Instant(moments.get(flaw, now.wall), 0.0))
    headers, url, body, method = dict(signed.headers), signed.url, signed.body, signed.method
    match flaw:
        case "unsigned":
            headers = {}
        case "method":
            method = "GET"
        case "path":
            url += "/"
        case "body":
            body += b" "
        case "digest":
            body += b" "
            headers["X-Content-SHA256"] = hashlib.sha256(body).hexdigest()
        case "no digest":
            del headers["X-Content-SHA256"]
        case "signature":
            headers["X-Signature"] = headers["X-Signature"].upper()
    return HttpRequest(method, url, tuple(headers.items()), body)


class TestServing:
    def test_it_is_its_own_issuer(self, mercury: FakeMercury) -> None:
        """``iss`` is the address without a trailing slash; where it never was served, a name that nobody has."""
        apart = FakeMercury(clock=CLOCK)

        assert mercury.url.startswith("http://127.0.0.1:")
        assert not mercury.url.endswith("/")
        assert "https://mercury.test" == apart.url == apart.keys(apart.nexus).url

    def test_it_can_be_out_of_order(self, mercury: FakeMercury) -> None:
        """Like a ``FakeIssuer``, and comes back at the same address."""
        mercury.outage(None)
        with pytest.raises(AuthUnavailable):
            ask(mercury, PROJECT_KEYS)
        mercury.recover()

        assert 200 == ask(mercury, PROJECT_KEYS).status

    def test_the_environment_is_that_of_the_older_client(self) -> None:
        """With the profile that reads it."""
        mercury = FakeMercury(secret="s1", service_id="billing")
        expected = {
            "AUTHGATE_PROFILE": "mercury",
            "MERCURY_BASE_URL": "https://mercury.test",
            "SIGNATURE_SHARED_SECRET": "s1",
            "SERVICE_ID": "billing",
            "NEXUS_ID": mercury.nexus.uuid,
        }

        assert expected == mercury.environment()
        assert expected | {"REDIS_URL": "redis://h"} == mercury.environment("redis://h")

    def test_a_project_does_not_show_its_secret(self) -> None:
        """Law 2.5, in tests as well; and ``headers`` is what it presents."""
        project = FakeMercury().add_project(app_id="a1", app_secret="hidden")

        assert "hidden" not in repr(project)
        assert {"x-app-id": "a1", "x-app-secret": "hidden"} == project.headers
