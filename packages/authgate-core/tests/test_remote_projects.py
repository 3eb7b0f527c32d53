"""Mercury as a directory: the specification, and the flow that asks and reads, stepped by hand."""

from __future__ import annotations

import hashlib
import hmac
import json
import pickle
from typing import Any

import pytest

from authgate_core.clock import Instant
from authgate_core.credentials import AppCredentials
from authgate_core.effects import SendRequest
from authgate_core.errors import ProjectsUnavailable, ServiceNotEnabled
from authgate_core.flows.remote import AskedToWait, RequestRefused, verify_remotely
from authgate_core.principal import Project
from authgate_core.projects import RemoteProjects
from authgate_core.request import HttpReply, HttpRequest
from authgate_core.secret import Secret
from authgate_core.testing import StepTrace, step

BASE = "https://mercury.example.com"
UUID = "0b6f6c1e-8d0b-4c57-9c3a-5f0e3f9b2a11"
PROJECTS = RemoteProjects(BASE, signing_secret="signing-secret", service_id="orders")
CREDENTIALS = AppCredentials("shop-app", Secret("a-secret-that-nobody-may-see"))
NOW = Instant(1_717_171_717.171, 5.0)
CONFIRMED = {
    "app_id": "shop-app",
    "projectUuid": UUID,
    "projectName": "Shop",
    "enabledServices": ["orders", "stock"],
    "secretVersion": 3,
}


def remote(**changed: Any) -> RemoteProjects:
    """A specification that is right but for what is changed."""
    right = {"base_url": BASE, "signing_secret": "s", "service_id": "orders"}
    return RemoteProjects(**(right | changed))


def asked() -> StepTrace[Project | None]:
    """The flow, having asked."""
    trace = step(verify_remotely(PROJECTS, CREDENTIALS, NOW))
    trace.next()
    return trace


def reply(status: int, document: object = None, **headers: str) -> HttpReply:
    """An answer of Mercury."""
    body = document if isinstance(document, bytes) else json.dumps(document).encode()
    return HttpReply(status, {name.replace("_", "-"): value for name, value in headers.items()}, body)


class TestProblems:
    def test_none(self) -> None:
        """Each way of writing it that is right."""
        right = [
            remote(),
            remote(base_url="https://host:8443/mercury", signing_secret=Secret("s")),
            remote(base_url="http://127.0.0.1:8000"),
            remote(base_url="http://mercury.internal", allow_http=True),
            remote(tenants=[UUID]),
            remote(tenants=str.isupper),
        ]
        assert [[]] * 6 == [projects.problems() for projects in right]

    @pytest.mark.parametrize(
        ("changed", "said"),
        [
            ({"base_url": f"{BASE}/"}, "base_url: ends with a slash; leave it out"),
            ({"base_url": f"{BASE}/a/../b"}, "base_url: holds a dot segment"),
            ({"base_url": f"{BASE}/a?b=c"}, "base_url: holds a query"),
            ({"base_url": f"{BASE}#a"}, "base_url: holds a query, a fragment"),
            ({"base_url": f"{BASE}/a b"}, "base_url: holds"),
            ({"base_url": f"{BASE}/\u00fc"}, "base_url: holds"),
            ({"base_url": "http://mercury.internal"}, "base_url: 'http://mercury.internal' is not https"),
            ({"base_url": "https://u:p@mercury.internal"}, "base_url: must not hold a user name or password"),
            ({"base_url": "mercury"}, "base_url: 'mercury' is not an absolute URL"),
            ({"base_url": None}, "base_url: a NoneType is not a URL"),
            ({"allow_http": "false"}, "allow_http: write True or False, not 'false'"),
            ({"signing_secret": ""}, "signing_secret: is empty; give the secret that Mercury shares"),
            ({"signing_secret": b"bytes"}, "signing_secret: a bytes is no secret"),
            ({"service_id": ""}, "service_id: is empty or no text; give the id"),
            ({"service_id": None}, "service_id: is empty or no text; give the id"),
            ({"tenants": []}, "tenants: name at least one, or leave it out"),
            ({"tenants": UUID}, "tenants: give a list of ids"),
            ({"tenants": 7}, "tenants: give a list of ids"),
            ({"tenants": [UUID, UUID.upper()]}, "tenants: each is a UUID in lower case"),
            ({"tenants": [7]}, "tenants: each is a UUID in lower case"),
        ],
    )
    def test_each(self, changed: dict[str, Any], said: str) -> None:
        """Law 1.6: one sentence, with the setting and what to write instead."""
        (problem,) = remote(**changed).problems()
        assert problem.startswith(said)

    def test_async_predicate(self) -> None:
        """Law 9.4: its answer would be a coroutine, which is true of everybody."""

        async def tenants(tenant: str) -> bool:
            return False

        wrong: Any = tenants
        assert [
            "tenants: give a plain function, which answers from memory; nobody would await an async one"
        ] == remote(tenants=wrong).problems()

    def test_all_at_once(self) -> None:
        """Law 1.6: everything that is wrong is said together."""
        found = remote(base_url="", signing_secret="", service_id="", tenants=[]).problems()
        assert ["base_url", "signing_secret", "service_id", "tenants"] == [
            one.partition(":")[0] for one in found
        ]


class TestSpecification:
    def test_it_shows_no_secret(self) -> None:
        """Law 2.5: however the secret was given."""
        for secret in ("hidden", Secret("hidden")):
            assert "hidden" not in repr(remote(signing_secret=secret))

    def test_it_cannot_be_changed(self) -> None:
        """A list of tenants is copied, so what was checked is what counts."""
        tenants = [UUID]
        projects = remote(tenants=tenants)
        tenants.clear()
        assert frozenset({UUID}) == projects.tenants


class TestAsking:
    def test_the_question(self) -> None:
        """Law 6.1: the contract's members and no others, as JSON, over https."""
        effect = step(verify_remotely(PROJECTS, CREDENTIALS, NOW)).next()
        assert isinstance(effect, SendRequest)
        request = effect.request
        members = {
            "app_id": "shop-app",
            "app_secret": "a-secret-that-nobody-may-see",
            "service_id": "orders",
        }
        assert ("POST", f"{BASE}/auth/projects/verify", False) == (
            request.method,
            request.url,
            request.plain_http,
        )
        assert members == json.loads(request.body)
        assert ("application/json", "application/json") == (
            dict(request.headers)["accept"],
            dict(request.headers)["content-type"],
        )
        assert CREDENTIALS.secret.reveal() not in repr(effect)

    def test_the_signature(self) -> None:
        """Over method, path, time and the digest of the body, by the contract and not by our signer."""
        request = self._request(PROJECTS)
        digest = hashlib.sha256(request.body).hexdigest()
        message = f"POST/auth/projects/verify1717171717171\n{digest}"
        expected = hmac.digest(b"signing-secret", message.encode(), "sha256").hex()
        sent = dict(request.headers)
        assert ("1717171717171", digest, expected) == (
            sent["X-Timestamp"],
            sent["X-Content-SHA256"],
            sent["X-Signature"],
        )

    def test_plain_http_where_that_was_allowed(self) -> None:
        """Law 4.9: only in writing."""
        assert self._request(remote(base_url="http://mercury.internal", allow_http=True)).plain_http

    def _request(self, projects: RemoteProjects) -> HttpRequest:
        effect = step(verify_remotely(projects, CREDENTIALS, NOW)).next()
        assert isinstance(effect, SendRequest)
        return effect.request


class TestConfirmed:
    def test_the_project(self) -> None:
        """Its id is the UUID; it has no tenant of its own, no roles and no scopes."""
        trace = asked()
        trace.reply(reply(200, CONFIRMED))
        project = trace.result
        assert project is not None
        assert Project(id=UUID) == project
        assert ("Shop", ("orders", "stock"), 3, None, (), ()) == (
            project.name,
            project.enabled_services,
            project.secret_version,
            project.tenant,
            project.roles,
            project.scopes,
        )

    def test_it_reads_like_the_older_client(self) -> None:
        """Under the names of the answer, which are also what is public, and of a project token's claims."""
        trace = asked()
        trace.reply(reply(200, CONFIRMED | {"projectName": None, "more": "ignored"}))
        project = trace.result
        assert project is not None
        assert (UUID, None, ("orders", "stock"), 3) == tuple(
            project[name] for name in ("projectUuid", "projectName", "enabledServices", "secretVersion")
        )
        assert (UUID, 3) == (project["project_uuid"], project["secret_version"])
        assert {
            "projectUuid": UUID,
            "projectName": None,
            "enabledServices": ["orders", "stock"],
            "secretVersion": 3,
        } == project.to_dict()
        assert "more" not in project.claims

    def test_a_copy_may_use_no_more_services(self) -> None:
        """Law 3.14: a pickle shows what the original shows, and is for the same services."""
        trace = asked()
        trace.reply(reply(200, CONFIRMED))
        again = pickle.loads(pickle.dumps(trace.result))
        assert trace.result is not None
        assert (trace.result.to_dict(), ("orders", "stock")) == (again.to_dict(), again.enabled_services)

    @pytest.mark.parametrize(
        "changed",
        [
            {"app_id": "another"},
            {"app_id": None},
            {"projectUuid": UUID.upper()},
            {"projectUuid": UUID.replace("-", "")},
            {"projectUuid": f"{UUID}\n"},
            {"projectUuid": "../../x"},
            {"projectUuid": None},
            {"projectName": 7},
            {"enabledServices": None},
            {"enabledServices": "orders"},
            {"enabledServices": ["orders", 7]},
            {"enabledServices": {"orders": True}},
            {"secretVersion": -1},
            {"secretVersion": 1.0},
            {"secretVersion": True},
            {"secretVersion": "1"},
            {"secretVersion": None},
        ],
        ids=str,
    )
    def test_another_answer_is_an_outage(self, changed: dict[str, object]) -> None:
        """Law 1.5: what is not the contract's is no verdict, and its text is not repeated."""
        with pytest.raises(ProjectsUnavailable) as caught:
            asked().reply(reply(200, CONFIRMED | changed))
        assert "another" not in caught.value.reason.replace("another app id", "")
        assert "../" not in caught.value.reason

    @pytest.mark.parametrize("missing", sorted(CONFIRMED))
    def test_half_an_answer_is_an_outage(self, missing: str) -> None:
        """Law 1.5: null is an answer to the name, nothing is none."""
        with pytest.raises(ProjectsUnavailable):
            asked().reply(reply(200, {name: value for name, value in CONFIRMED.items() if name != missing}))

    @pytest.mark.parametrize(
        "body", [b"", b"[]", b"null", b"{", b'{"app_id":"shop-app","app_id":"shop-app"}', b"\xff"]
    )
    def test_no_answer_is_an_outage(self, body: bytes) -> None:
        """Law 3.1: JSON that two readers would read differently is not read at all."""
        with pytest.raises(ProjectsUnavailable, match=r"cannot be read|another app id"):
            asked().reply(reply(200, body))


class TestRefused:
    def test_no(self) -> None:
        """The code says that the credentials are wrong."""
        trace = asked()
        trace.reply(reply(401, {"code": "invalid_credentials"}))
        trace.returns(None)

    def test_barred(self) -> None:
        """The code says that they are right, and that the project may not use this service."""
        with pytest.raises(ServiceNotEnabled):
            asked().reply(reply(403, {"code": "service_not_enabled"}))

    @pytest.mark.parametrize("status", [401, 403])
    @pytest.mark.parametrize("document", [{"code": "invalid_signature"}, {"code": None}, {}, [], b"", b"{"])
    def test_of_the_request_itself(self, status: int, document: object) -> None:
        """Law 1.5: without the one code of its status it is no verdict on the project, but on this service."""
        with pytest.raises(RequestRefused, match=f"with status {status}"):
            asked().reply(reply(status, document))

    @pytest.mark.parametrize(("status", "code"), [(401, "service_not_enabled"), (403, "invalid_credentials")])
    def test_the_code_of_the_other(self, status: int, code: str) -> None:
        """Status and code go together."""
        with pytest.raises(RequestRefused):
            asked().reply(reply(status, {"code": code}))


class TestAnythingElse:
    @pytest.mark.parametrize("status", [201, 204, 302, 400, 404, 409, 410, 429, 500, 502, 503])
    def test_is_an_outage(self, status: int) -> None:
        """Law 1.5: whatever its body says."""
        for document in (CONFIRMED, {"code": "invalid_credentials"}):
            with pytest.raises(ProjectsUnavailable, match=f"status {status}") as caught:
                asked().reply(reply(status, document))
            assert not isinstance(caught.value, (AskedToWait, RequestRefused))

    @pytest.mark.parametrize("status", [429, 500, 503])
    def test_with_a_time_to_wait(self, status: int) -> None:
        """Laws 1.5 and 1.8: it is told to the caller."""
        with pytest.raises(AskedToWait) as caught:
            asked().reply(reply(status, b"", retry_after=" 17 "))
        assert 17.0 == caught.value.retry_after

    @pytest.mark.parametrize(
        "asked_for", ["", "-1", "1.5", "soon", "Fri, 31 Dec 1999 23:59:59 GMT", "9" * 10]
    )
    def test_with_no_time_that_is_read(self, asked_for: str) -> None:
        """RFC 9110 section 10.2.3: seconds are read, a date is not."""
        with pytest.raises(ProjectsUnavailable) as caught:
            asked().reply(reply(429, b"", retry_after=asked_for))
        assert not isinstance(caught.value, AskedToWait)

    def test_an_outage_of_the_port_goes_through(self) -> None:
        """Law 1.5: as it is."""
        outage = ProjectsUnavailable("no connection")
        with pytest.raises(ProjectsUnavailable) as caught:
            asked().fail(outage)
        assert outage is caught.value
