"""Several issuers in one gate: each with its own keys, algorithms, audience and people (Laws 3.5, 3.6, 3.14)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

import authgate_core as ag
from authgate_core.events import Decided, Notice
from authgate_core.testing import ABSENT, FakeIssuer
from tests.support.gates import Face, face

SHARED = "a-shared-secret-of-more-than-thirty-two-bytes"


@pytest.fixture(name="one", scope="module")
def _one() -> FakeIssuer:
    return FakeIssuer(url="https://one.test", audience="one-api")


@pytest.fixture(name="two", scope="module")
def _two() -> FakeIssuer:
    return FakeIssuer(url="https://two.test", audience="two-api")


@pytest.fixture(name="colour", params=["sync", "async"])
def _colour(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def trusted(fake: FakeIssuer, name: str, **options: Any) -> ag.Issuer:
    """An issuer as a gate is told of it, with people of its own."""
    plain = {"issuer": fake.url, "audience": fake.audience, "name": name, "namespace": f"{name}:"}
    keys = [{member: jwk[member] for member in jwk if member != "alg"} for jwk in fake.jwks()["keys"]]
    return ag.Issuer.static({"keys": keys}, **{**plain, **options})


@pytest.fixture(name="gate")
def _gate(one: FakeIssuer, two: FakeIssuer, colour: str) -> Iterator[Face]:
    """Both issuers, whose first keys have the same kid, with revocation in memory."""
    issuers = [
        trusted(one, "one", algorithms=["RS256", "PS256"]),
        trusted(two, "two", algorithms=["RS256", "RS512"]),
    ]
    gate = face(colour, ag.GateConfig(issuers=issuers, revocation=ag.MemoryRevocation()))
    yield gate
    gate.close()


class TestBoundTogether:
    """Law 3.5: issuer, keys, algorithms and audience are bound together."""

    def test_each_believes_its_own(self, gate: Face, one: FakeIssuer, two: FakeIssuer) -> None:
        """Tokens of both are admitted, in any order and again."""
        for fake, name in ((one, "one"), (two, "two"), (one, "one")):
            assert name == gate.verify_token(fake.token("u1")).user.issuer

    def test_keys_of_another_issuer(self, gate: Face, one: FakeIssuer, two: FakeIssuer) -> None:
        """A key proves nothing for another ``iss``, also after a header of the same bytes was good there."""
        assert one.kid == two.kid
        gate.verify_token(one.token("u1"))
        gate.verify_token(two.token("u1"))

        for fake, other in ((one, two), (two, one)):
            with pytest.raises(ag.BadSignature):
                gate.verify_token(fake.token("u1", iss=other.url, aud=other.audience))

    def test_the_audience_of_another_issuer(self, gate: Face, one: FakeIssuer, two: FakeIssuer) -> None:
        """What one issuer's tokens are meant for, another's are not."""
        with pytest.raises(ag.InvalidClaim, match=r"^aud"):
            gate.verify_token(one.token("u1", aud=two.audience))

    def test_the_algorithms_of_another_issuer(self, gate: Face, one: FakeIssuer, two: FakeIssuer) -> None:
        """The allow-list is each one's own, though the keys would fit."""
        gate.verify_token(one.token("u1", algorithm="PS256"))
        gate.verify_token(two.token("u1", algorithm="RS512"))

        with pytest.raises(ag.AlgorithmRefused):
            gate.verify_token(two.token("u1", algorithm="PS256"))
        with pytest.raises(ag.AlgorithmRefused):
            gate.verify_token(one.token("u1", algorithm="RS512"))

    def test_a_shared_secret_beside_public_keys(self, one: FakeIssuer, colour: str) -> None:
        """Law 3.2: one issuer's secret opens no door to confusion in another, whichever ``iss`` is claimed."""
        symmetric = ag.Issuer.static(
            ag.Secret(SHARED), issuer="https://hmac.test", audience="one-api", name="hmac"
        )
        gate = face(colour, ag.GateConfig(issuers=[trusted(one, "one"), symmetric], shared_subjects=True))

        with pytest.raises(ag.AlgorithmRefused):
            gate.verify_token(one.hostile.keyed_with_public_key())
        with pytest.raises(ag.BadSignature):
            gate.verify_token(one.hostile.keyed_with_public_key(iss="https://hmac.test"))
        with pytest.raises(ag.AlgorithmRefused):
            gate.verify_token(one.token("u1", iss="https://hmac.test"))
        gate.close()


class TestLookingUp:
    """Law 3.5: the unverified ``iss`` selects an issuer by its exact text, and does nothing else."""

    @pytest.mark.parametrize(
        "iss",
        [
            "https://ONE.test",
            "https://one.test/",
            "https://one.tes",
            " https://one.test",
            "",
            None,
            7,
            True,
            ABSENT,
            ["https://one.test"],
            {"https://one.test": 1},
        ],
    )
    def test_another_spelling_is_another_issuer(self, gate: Face, one: FakeIssuer, iss: object) -> None:
        """Byte for byte, and a text; null and absent select nobody."""
        with pytest.raises(ag.UnknownIssuer):
            gate.verify_token(one.token("u1", iss=iss))

    def test_an_issuer_without_a_name_of_its_own(self, one: FakeIssuer, colour: str) -> None:
        """``issuer=None`` matches only a token without ``iss``: null is something, and so is its label."""
        nameless = trusted(one, "nameless", issuer=None)
        gate = face(colour, ag.GateConfig(issuers=[nameless]))

        assert "nameless" == gate.verify_token(one.token("u1", iss=ABSENT)).user.issuer
        for iss in (None, "", "nameless", one.url):
            with pytest.raises(ag.UnknownIssuer):
                gate.verify_token(one.token("u1", iss=iss))
        gate.close()

    def test_two_with_one_iss(self, one: FakeIssuer, two: FakeIssuer, colour: str) -> None:
        """A token could not tell them apart, so no gate is built, whatever else differs; None counts too."""
        for iss in ("https://same.test", None):
            same = [trusted(one, "a", issuer=iss), trusted(two, "b", issuer=iss)]
            with pytest.raises(ag.ConfigurationError, match="could not tell them apart"):
                face(colour, ag.GateConfig(issuers=same))


class TestPeople:
    """Law 3.14: a principal is its issuer, tenant and id."""

    def test_one_subject_of_two_issuers_is_two_people(
        self, gate: Face, one: FakeIssuer, two: FakeIssuer
    ) -> None:
        """Each namespace stands before the id, and refs differ besides."""
        first, second = (gate.verify_token(fake.token("u1")).user for fake in (one, two))

        assert [("one", None, "one:u1"), ("two", None, "two:u1")] == [
            tuple(user.ref) for user in (first, second)
        ]
        assert first != second

    def test_revocation_goes_by_ref(self, gate: Face, one: FakeIssuer, two: FakeIssuer) -> None:
        """What is revoked of one issuer is not revoked of another, not even under the same text."""
        mine, theirs = one.token("u1", jti="j-1", sid="s-1"), two.token("u1", jti="j-1", sid="s-1")

        gate.revoke("revoke_before", subject="one:u1", issuer="one")
        gate.revoke("revoke_session", "s-1", issuer="one")
        gate.revoke("revoke_token", "j-1", issuer="one")
        gate.revoke("revoke_key", one.kid, issuer="one")

        with pytest.raises(ag.TokenRevoked):
            gate.verify_token(mine)
        assert "two:u1" == gate.verify_token(theirs).user.id

    def test_an_id_without_its_namespace_is_nobody(self, gate: Face, one: FakeIssuer) -> None:
        """Revoking the bare subject of a namespaced issuer would refuse no token, so it is not written."""
        with pytest.raises(ValueError, match="ids of issuer 'one' begin with 'one:'"):
            gate.revoke("revoke_before", subject="u1", issuer="one")

        assert "one:u1" == gate.verify_token(one.token("u1")).user.id

    @pytest.mark.parametrize(
        ("namespaces", "fine"),
        [(("a:", "b:"), True), (("a:", ""), False), (("", ""), False), (("a:", "a:b:"), False)],
    )
    def test_several_issuers_need_namespaces(
        self, one: FakeIssuer, two: FakeIssuer, colour: str, namespaces: tuple[str, str], fine: bool
    ) -> None:
        """Each of them one that no other begins with, unless it is written that they speak of the same people."""
        issuers = [
            trusted(fake, name, namespace=namespace)
            for fake, name, namespace in zip((one, two), ("a", "b"), namespaces, strict=True)
        ]
        face(colour, ag.GateConfig(issuers=issuers, shared_subjects=True)).close()
        if fine:
            face(colour, ag.GateConfig(issuers=issuers)).close()
            return
        with pytest.raises(ag.ConfigurationError, match="namespace"):
            face(colour, ag.GateConfig(issuers=issuers))

    def test_issuers_of_services_need_none(self, one: FakeIssuer, two: FakeIssuer, colour: str) -> None:
        """The question is whose people they are, and services are no people."""
        services = trusted(two, "b", namespace="", grants={"kinds": ["service"]}, service_when={"m2m": True})

        face(colour, ag.GateConfig(issuers=[trusted(one, "a", namespace=""), services])).close()

    def test_grants_bound_what_an_issuer_asserts(self, one: FakeIssuer, two: FakeIssuer, colour: str) -> None:
        """The lesser issuer makes no administrator, however good its signature is."""
        lesser = trusted(two, "lesser", grants={"kinds": ["user"], "roles": ["guest"], "scopes": ["read"]})
        gate = face(colour, ag.GateConfig(issuers=[trusted(one, "one"), lesser]))
        claims: dict[str, Any] = {"roles": ["admin", "guest"], "scope": "read write"}

        assert gate.verify_token(one.token("u1", **claims), ag.any_role("admin")).user.has_scope("write")
        for policy in (ag.any_role("admin"), ag.all_scopes("write")):
            with pytest.raises(ag.AuthorizationError):
                gate.verify_token(two.token("u1", **claims), policy)
        assert gate.verify_token(two.token("u1", **claims), ag.any_role("guest") & ag.all_scopes("read"))
        gate.close()


class TestAudience:
    """Law 3.6: an audience is required, and doing without one is said aloud."""

    def test_without_one_no_issuer_is_made(self, one: FakeIssuer) -> None:
        """There is no default."""
        for make in (ag.Issuer.oidc, ag.Issuer.jwks, ag.Issuer.static):
            with pytest.raises(TypeError, match="audience"):
                make("https://one.test", issuer="https://one.test")  # type: ignore[call-arg]  # that is it

    def test_opting_out_is_warned_about_at_each_start(
        self, one: FakeIssuer, two: FakeIssuer, colour: str, caplog: pytest.LogCaptureFixture
    ) -> None:
        """By the name of the issuer, in the log and to the observer; with an audience nothing is said."""
        events: list[Decided | Notice] = []
        issuers = [trusted(one, "open", audience=ag.ANY_AUDIENCE), trusted(two, "closed")]
        for _ in range(2):
            gate = face(colour, ag.GateConfig(issuers=issuers, on_event=events.append))
            assert "open:u1" == gate.verify_token(one.token("u1", aud="any-api")).user.id
            gate.close()

        warned = [event.subject for event in events if isinstance(event, Notice)]
        assert ["open", "open"] == warned
        assert 2 == caplog.text.count("tokens meant for other APIs are accepted")
