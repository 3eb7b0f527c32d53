"""Finding keys and fetching key sets, stepped by hand: no runner, no network, no time."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest

from authgate_core.clock import Instant
from authgate_core.effects import AwaitKeys, RingName, SendRequest, StartRefresh
from authgate_core.errors import AlgorithmRefused, AuthUnavailable, KeysUnavailable, UnknownKey
from authgate_core.flows.keys import Refreshed, RefreshFailed, find_keys, find_newer_keys, refresh
from authgate_core.jose.compact import Header
from authgate_core.jose.keys import Key, KeyDocument, KeySet
from authgate_core.keyring import KeyRing, KeySource
from authgate_core.request import HttpReply, HttpRequest
from authgate_core.testing import StepTrace, TokenMint, step

NAME = RingName("main")
NOW = Instant(wall=1_800_000_000.0, mono=5_000.0)
STALE, IDLE, OLD = NOW.plus(301), NOW.plus(7200), NOW.plus(90_000)
ISSUER = "https://id.example.com"
DISCOVERY = f"{ISSUER}/.well-known/openid-configuration"
JWKS = f"{ISSUER}/keys"
RS256 = frozenset({"RS256"})
MINT = TokenMint(ISSUER, audience="api")


def key(kid: str | None) -> Key:
    """A key that verifies nothing real."""
    return Key(kid, "RSA", None, RS256, str(kid).encode())


A, B, C = key("a"), key("b"), key("c")


def warm(*keys: Key) -> KeyRing:
    """A ring that got a good document at NOW."""
    ring = KeyRing(NAME)
    load(ring, NOW, *keys)
    return ring


def load(ring: KeyRing, now: Instant, *keys: Key) -> None:
    """Give a ring a good document, of A and B unless told otherwise."""
    ring.state = ring.state.loaded(KeyDocument(KeySet(keys or (A, B))), now)


class TestFindKeys:
    def test_a_fresh_set_needs_no_effect(self) -> None:
        """Law 4.2."""
        trace = step(find_keys(Header("RS256", "a"), warm(), NOW))
        trace.returns((A,))
        assert [] == trace.effects

    def test_a_stale_set_answers_and_is_refreshed(self) -> None:
        """Law 4.3."""
        trace = step(find_keys(Header("RS256", "a"), warm(), STALE))
        assert StartRefresh(NAME) == trace.next()
        trace.reply(None)
        trace.returns((A,))

    def test_after_an_idle_time_it_waits_once_and_goes_on(self) -> None:
        """Laws 4.3, 4.4."""
        trace = step(find_keys(Header("RS256", "a"), warm(), IDLE))
        assert AwaitKeys(NAME, 1.0) == trace.next()
        trace.reply(IDLE.plus(1))
        trace.returns((A,))

    def test_a_cold_set_is_waited_for(self) -> None:
        """Law 4.10."""
        ring = KeyRing(NAME)
        trace = step(find_keys(Header("RS256", "a"), ring, NOW))
        assert AwaitKeys(NAME, 2.0) == trace.next()
        load(ring, NOW)
        trace.reply(NOW.plus(0.1))
        trace.returns((A,))

    def test_a_cold_set_that_stays_cold_is_unavailable(self) -> None:
        """Laws 1.5, 1.8: an outage, with the rest of the back-off."""
        ring = KeyRing(NAME)
        trace = step(find_keys(Header("RS256", "a"), ring, NOW))
        trace.next()
        ring.state = ring.state.failed("connection refused", NOW, jitter=1.0)
        with pytest.raises(KeysUnavailable, match="connection refused") as refusal:
            trace.reply(NOW.plus(0.25))
        assert (0.75, "main") == (refusal.value.retry_after, refusal.value.issuer)

    def test_an_unknown_kid_waits_for_a_fetch(self) -> None:
        """Law 4.5; the effect says since when the kid was looked for, so that one rotation costs one fetch."""
        ring = warm()
        trace = step(find_keys(Header("RS256", "c"), ring, NOW))
        effect = trace.next()
        assert AwaitKeys(NAME, 0.3, unknown_kid=True) == effect
        assert isinstance(effect, AwaitKeys)
        assert NOW == effect.since
        load(ring, NOW.plus(0.1), B, C)
        trace.reply(NOW.plus(0.1))
        trace.returns((C,))

    def test_an_unknown_kid_that_stays_unknown_is_refused(self) -> None:
        """Law 4.5: 401 while the newest good document is young."""
        trace = step(find_keys(Header("RS256", "c"), warm(), NOW))
        trace.next()
        with pytest.raises(UnknownKey):
            trace.reply(NOW.plus(0.3))

    def test_a_known_kid_with_another_algorithm_is_refused_without_an_effect(self) -> None:
        """Law 3.4."""
        trace = step(find_keys(Header("ES256", "a"), warm(), NOW))
        with pytest.raises(AlgorithmRefused):
            trace.next()
        assert [] == trace.effects

    def test_the_same_on_a_stale_set_has_it_refreshed(self) -> None:
        """The kid may have another algorithm by now."""
        trace = step(find_keys(Header("ES256", "a"), warm(), STALE))
        assert StartRefresh(NAME) == trace.next()
        with pytest.raises(AlgorithmRefused):
            trace.reply(None)

    def test_an_old_set_whose_refresh_failed_is_unavailable_at_once(self) -> None:
        """Law 4.4: past the hard limit, and cooling down."""
        ring = warm()
        ring.state = ring.state.failed("status 503", OLD, jitter=1.0)
        with pytest.raises(KeysUnavailable, match="status 503"):
            step(find_keys(Header("RS256", "a"), ring, OLD)).next()


class TestFindNewerKeys:
    def test_it_waits_as_for_an_unknown_kid(self) -> None:
        """Law 3.4."""
        ring = warm(A)
        trace = step(find_newer_keys(Header("RS256"), ring, (A,), NOW))
        assert AwaitKeys(NAME, 0.3, unknown_kid=True) == trace.next()
        load(ring, NOW, A, C)
        trace.reply(NOW)
        trace.returns((C,))

    def test_without_newer_keys_the_token_is_refused(self) -> None:
        """Law 4.5."""
        trace = step(find_newer_keys(Header("RS256"), warm(A), (A,), NOW))
        trace.next()
        with pytest.raises(UnknownKey):
            trace.reply(NOW)

    def test_keys_that_came_meanwhile_need_no_effect(self) -> None:
        """Another request may have brought them."""
        trace = step(find_newer_keys(Header("RS256"), warm(A, C), (A,), NOW))
        trace.returns((C,))
        assert [] == trace.effects


def reply(document: object, **headers: str) -> HttpReply:
    """A JSON document, as the issuer sends it."""
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    return HttpReply(200, names, json.dumps(document).encode())


def discovery(**members: object) -> HttpReply:
    """A discovery document."""
    return reply({"issuer": ISSUER, "jwks_uri": JWKS, **members})


def by_jwks(**options: Any) -> KeySource:
    """Keys at a known URL."""
    return KeySource(algorithms=RS256, jwks_url=JWKS, **options)


def by_discovery(**options: Any) -> KeySource:
    """Keys that discovery names."""
    return KeySource(**{"algorithms": RS256, "discovery_url": DISCOVERY, "issuer": ISSUER, **options})


def asked(trace: StepTrace[Refreshed]) -> HttpRequest:
    """The request that the flow waits for."""
    effect = trace.next()
    assert isinstance(effect, SendRequest)
    return effect.request


def failure(trace: StepTrace[Refreshed], answer: HttpReply) -> RefreshFailed:
    """What an answer makes of the refresh."""
    with pytest.raises(RefreshFailed) as raised:
        trace.reply(answer)
    return raised.value


class TestFetch:
    def test_a_key_set_is_read(self) -> None:
        """One GET, and its max-age with it."""
        trace = step(refresh(by_jwks()))
        request = asked(trace)
        assert ("GET", JWKS, False) == (request.method, request.url, request.plain_http)
        trace.reply(reply(MINT.jwks(), cache_control="public, max-age=120"))
        refreshed = trace.result
        assert (MINT.kids[0],) == tuple(key.kid for key in refreshed.document.keys.keys)
        assert (120.0, None) == (refreshed.max_age, refreshed.key_url)

    def test_plain_http_is_passed_on(self) -> None:
        """Law 4.9: allowed explicitly, or not at all."""
        assert asked(step(refresh(by_jwks(plain_http=True)))).plain_http

    @pytest.mark.parametrize(
        ("value", "max_age"),
        [
            ("max-age=60", 60.0),
            ("MAX-AGE=60, must-revalidate", 60.0),
            ('public,max-age="60"', 60.0),
            ("s-maxage=60", None),
            ("x-max-age=60", None),
            ("max-age=soon", None),
            ("max-age=99999999999999999999", None),
            ("no-store", None),
        ],
    )
    def test_max_age_is_read_from_cache_control(self, value: str, max_age: float | None) -> None:
        """RFC 9111 section 5.2.2.1."""
        trace = step(refresh(by_jwks()))
        trace.reply(reply(MINT.jwks(), cache_control=value))
        assert max_age == trace.result.max_age

    @pytest.mark.parametrize(("status", "definite"), [(404, True), (410, True), (500, False), (302, False)])
    def test_another_status_is_a_failure(self, status: int, definite: bool) -> None:
        """Laws 4.4, 4.9: 404 and 410 are definite; a redirect is not followed."""
        error = failure(step(refresh(by_jwks())), HttpReply(status, {}, b""))
        assert (f"the key set was answered with status {status}", definite) == (error.reason, error.definite)

    @pytest.mark.parametrize(
        ("status", "value", "seconds"),
        [
            (503, "17", 17.0),
            (429, " 5 ", 5.0),
            (500, "17", 0.0),
            (503, "Wed, 21 Oct 2026 07:28:00 GMT", 0.0),
            (503, "-1", 0.0),
            (503, "9" * 5000, 0.0),
        ],
    )
    def test_retry_after_is_heard(self, status: int, value: str, seconds: float) -> None:
        """RFC 9110 section 10.2.3, in seconds."""
        error = failure(step(refresh(by_jwks())), HttpReply(status, {"retry-after": value}, b""))
        assert seconds == error.retry_after

    @pytest.mark.parametrize(
        ("body", "definite"),
        [(b'{"keys":[]}', True), (b"{}", False), (b"<html>", False), (b'{"keys":[{"kty":"oct"}]}', False)],
    )
    def test_a_document_without_usable_keys_is_a_failure(self, body: bytes, definite: bool) -> None:
        """Laws 4.4, 4.8: only a valid document with no keys is a definite answer."""
        error = failure(step(refresh(by_jwks())), HttpReply(200, {}, body))
        assert definite == error.definite

    def test_no_answer_is_a_failure(self) -> None:
        """What the port could not do is not a definite answer."""
        trace = step(refresh(by_jwks()))
        trace.next()
        with pytest.raises(RefreshFailed, match="the key set could not be fetched: refused") as raised:
            trace.fail(AuthUnavailable("refused"))
        assert not raised.value.definite


class TestDiscovery:
    def test_it_leads_to_the_key_set(self) -> None:
        """OpenID Connect Discovery, section 4."""
        trace = step(refresh(by_discovery()))
        assert DISCOVERY == asked(trace).url
        trace.reply(discovery())
        assert JWKS == asked(trace).url
        trace.reply(reply(MINT.jwks()))
        assert JWKS == trace.result.key_url

    def test_what_it_said_lately_spares_asking_again(self) -> None:
        """One request less between a rotation and the new key."""
        trace = step(refresh(by_discovery(), JWKS))
        assert JWKS == asked(trace).url
        trace.reply(reply(MINT.jwks()))
        assert trace.result.key_url is None

    @pytest.mark.parametrize(
        "issuer", ["https://id.example.com/", "https://ID.example.com", "https://evil.example", None, 7]
    )
    def test_its_issuer_equals_the_configured_one(self, issuer: object) -> None:
        """Laws 1.6, 4.9: byte for byte; else 503 and an alarm, and nothing is fetched from it."""
        error = failure(step(refresh(by_discovery())), discovery(issuer=issuer))
        assert (True, False) == (error.alarm, error.definite)
        assert repr(ISSUER) in error.reason

    def test_a_foreign_issuer_is_quoted_safely(self) -> None:
        """A log line holds no control characters and no novel."""
        error = failure(step(refresh(by_discovery())), discovery(issuer="\n\x1b" + "x" * 5000))
        assert error.reason.isprintable()
        assert 200 > len(error.reason)

    @pytest.mark.parametrize("members", [{"jwks_uri": None}, {"jwks_uri": ["https://x"]}])
    def test_without_a_url_it_is_a_failure(self, members: Mapping[str, object]) -> None:
        """There is nothing to fetch."""
        assert "no jwks_uri" in failure(step(refresh(by_discovery())), discovery(**members)).reason

    @pytest.mark.parametrize("url", ["http://127.0.0.1/keys", "ftp://id.example.com/keys", "keys"])
    def test_https_does_not_lead_to_anything_weaker(self, url: str) -> None:
        """Law 4.9: URLs read from discovery obey the same."""
        assert "https" in failure(step(refresh(by_discovery())), discovery(jwks_uri=url)).reason

    def test_plain_http_may_lead_to_plain_http(self) -> None:
        """On loopback, or where it was allowed; the HTTP port judges the host."""
        plain = "http://127.0.0.1:8080"
        source = by_discovery(discovery_url=plain, issuer=plain)
        trace = step(refresh(source))
        trace.reply(discovery(issuer=plain, jwks_uri=f"{plain}/keys"))
        assert f"{plain}/keys" == asked(trace).url

    def test_explicitly_allowed_http_may_be_named_on_https(self) -> None:
        """Whoever allows plain http allows this too."""
        trace = step(refresh(by_discovery(plain_http=True)))
        trace.reply(discovery(jwks_uri="http://keys.internal/keys"))
        assert "http://keys.internal/keys" == asked(trace).url

    @pytest.mark.parametrize("body", [b"", b"[]", b"\xff", b'{"issuer":"a","issuer":"b"}', b"[" * 100_000])
    def test_it_is_parsed_strictly(self, body: bytes) -> None:
        """Laws 3.1, 3.11: any bytes are a failure and nothing else."""
        error = failure(step(refresh(by_discovery())), HttpReply(200, {}, body))
        assert "cannot be read" in error.reason

    def test_a_status_is_judged_as_for_the_key_set(self) -> None:
        """An issuer that is gone answers 404 here first."""
        assert failure(step(refresh(by_discovery())), HttpReply(404, {}, b"")).definite
