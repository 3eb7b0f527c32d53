"""Issuers: the terms of trust, and what claims mean."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from pydantic import BaseModel

from authgate_core.clock import SystemClock
from authgate_core.errors import AuthUnavailable, InvalidClaim
from authgate_core.issuer import ANY_AUDIENCE, Issuer
from authgate_core.issuer.options import Options
from authgate_core.jose.compact import Limits, parse_header, parse_object, split
from authgate_core.jose.verify import VerifiedClaims, verify
from authgate_core.principal import Principal, Service, User, claim_path
from authgate_core.secret import Secret
from authgate_core.testing import FakeIssuer

LIMITS = Limits()


@pytest.fixture(name="fake", scope="module")
def _fake() -> FakeIssuer:
    return FakeIssuer(url="https://id.test")


def verified(fake: FakeIssuer, issuer: Issuer, **claims: Any) -> VerifiedClaims:
    """What ``jose`` makes of a token with these claims."""
    parts = split(fake.token(**claims), LIMITS)
    header = parse_header(parts.header, LIMITS)
    keys = issuer.trust.load(issuer.terms.algorithms).select(header.kid, header.alg)  # type: ignore[union-attr]  # static
    rules = issuer.rules(require_iat=False)
    return verify(parts, header, parse_object(parts.payload, LIMITS), keys, rules, SystemClock().now())


def made(fake: FakeIssuer, options: Mapping[str, Any], **claims: Any) -> Principal:
    """The principal that an issuer with these options makes of these claims."""
    issuer = Issuer.static(fake.jwks(), issuer=fake.url, audience=fake.audience, name="id", **options)
    assert [] == list(issuer.problems())
    return issuer.identify(verified(fake, issuer, **claims), frozenset)[0]


class TestMapping:
    """Law 3.9: claims become a principal by the issuer's configuration."""

    def test_standard_claims_make_a_user(self, fake: FakeIssuer) -> None:
        """Without options the standard claims are read."""
        user = made(
            fake,
            {},
            sub="u1",
            scope="a b",
            roles=["r"],
            email="u@x.test",
            preferred_username="u",
            sid="s1",
            auth_time=1700000000,
            acr="urn:mfa",
        )

        assert isinstance(user, User)
        assert ("u1", ("r",), ("a", "b")) == (user.id, user.roles, user.scopes)
        assert ("u@x.test", "u", "s1") == (user.email, user.username, user.session_id)
        assert (1700000000, "urn:mfa", "bearer") == (user.auth_time, user.acr, user.source)

    def test_paths_are_dotted_or_literal(self, fake: FakeIssuer) -> None:
        """A dotted path descends, claim_path takes its parts literally, a URL is one name."""
        options = {
            "subject": "sub.uuid",
            "roles": ["realm_access.roles", claim_path("resource_access", "my.client", "roles")],
            "scopes": "https://claims.test/scopes",
        }
        claims: dict[str, Any] = {
            "realm_access": {"roles": ["a"]},
            "resource_access": {"my.client": {"roles": ["b", "a"]}},
            "https://claims.test/scopes": ["s"],
        }

        user = made(fake, options, sub={"uuid": "u-9"}, **claims)

        assert ("u-9", ("a", "b"), ("s",)) == (user.id, user.roles, user.scopes)

    @pytest.mark.parametrize(
        "sub", ["", "x" * 256, "a\nb", "a\x00", "a\x85", 7, None, True, ["u"], {"uuid": "u"}]
    )
    def test_an_id_is_a_short_text_without_control_characters(self, fake: FakeIssuer, sub: object) -> None:
        """Anything else is a bad token."""
        with pytest.raises(InvalidClaim, match=r"^sub"):
            made(fake, {}, sub=sub)

    @pytest.mark.parametrize("roles", ["admin", 1, None, True, ["a", 1], ["a", ""], {"a": 1}, [["a"]]])
    def test_roles_are_lists_of_texts(self, fake: FakeIssuer, roles: object) -> None:
        """A lone string without a configured separator is not guessed at."""
        with pytest.raises(InvalidClaim, match=r"^roles"):
            made(fake, {}, roles=roles)

    def test_a_separator_is_configured(self, fake: FakeIssuer) -> None:
        """One string holds several values only where the configuration names the separator."""
        user = made(fake, {"roles": "groups", "separators": {"groups": ","}}, groups="a,b,,c")

        assert ("a", "b", "c") == user.roles

    @pytest.mark.parametrize(("act", "expected"), [({"sub": "agent"}, {"sub": "agent"}), ("agent", None)])
    def test_who_acts_for_the_user(self, fake: FakeIssuer, act: object, expected: object) -> None:
        """RFC 8693 section 4.1: an object, or nothing that could be read."""
        user = made(fake, {}, act=act)

        assert isinstance(user, User)
        assert expected == (None if user.actor is None else dict(user.actor))

    def test_namespace_is_put_before_the_id(self, fake: FakeIssuer) -> None:
        """Law 3.14: ids of different issuers cannot meet."""
        assert "corp:u1" == made(fake, {"namespace": "corp:"}, sub="u1").id

    @pytest.mark.parametrize(
        ("amr", "expected"),
        [(["pwd", "otp"], ("pwd", "otp")), ("pwd", ()), (None, ()), (["pwd", 1], ("pwd",))],
    )
    def test_a_claim_that_only_describes_refuses_nobody(
        self, fake: FakeIssuer, amr: object, expected: tuple[str, ...]
    ) -> None:
        """What is not of its type says nothing, like a name that is a number."""
        user = made(fake, {}, amr=amr, name=7)

        assert isinstance(user, User)
        assert (expected, None) == (user.amr, user.name)

    def test_tenant_is_read_where_configured_and_then_required(self, fake: FakeIssuer) -> None:
        """A tenant is never a fallback."""
        assert "t1" == made(fake, {"tenant": "org.id"}, org={"id": "t1"}).tenant
        with pytest.raises(InvalidClaim, match=r"^org\.id"):
            made(fake, {"tenant": "org.id"}, org={})


class TestServices:
    """Law 3.13: which tokens are services is said by the issuer, never guessed."""

    def test_without_a_rule_everyone_is_a_user(self, fake: FakeIssuer) -> None:
        """A token without any user claim is still not a service."""
        assert isinstance(made(fake, {}, sub="svc", client_id="svc"), User)

    @pytest.mark.parametrize(
        ("rule", "claims", "is_service"),
        [
            ({"gty": "client-credentials"}, {"gty": "client-credentials"}, True),
            ({"gty": "client-credentials"}, {"gty": ["client-credentials", "x"]}, True),
            ({"gty": ["a", "b"]}, {"gty": "b"}, True),
            ({"gty": "a", "kind": "m2m"}, {"gty": "a"}, False),
            ({"gty": "a"}, {}, False),
            ({"m2m": True}, {"m2m": 1}, False),
            ({"m2m": True}, {"m2m": True}, True),
            ({}, {"gty": "a"}, False),
            (lambda claims: claims.get("kind") == "m2m", {"kind": "m2m"}, True),
        ],
    )
    def test_the_rule_decides(
        self, fake: FakeIssuer, rule: Any, claims: dict[str, Any], is_service: bool
    ) -> None:
        """Every named claim has the value, or one of the values."""
        principal = made(fake, {"service_when": rule}, sub="x", client_id="c1", **claims)

        assert is_service == isinstance(principal, Service)

    @pytest.mark.parametrize(
        ("claims", "expected"),
        [
            ({"name": "Billing", "client_id": "c1"}, ("Billing", "c1")),
            ({"client_id": "c1", "azp": "c2"}, ("c1", "c1")),
            ({"azp": "c2"}, ("c2", "c2")),
            ({}, (None, None)),
        ],
    )
    def test_what_a_service_is_called(
        self, fake: FakeIssuer, claims: dict[str, Any], expected: tuple[str | None, str | None]
    ) -> None:
        """By its name, else by its client."""
        service = made(fake, {"service_when": {"m2m": True}}, m2m=True, **claims)

        assert isinstance(service, Service)
        assert expected == (service.name, service.client_id)

    def test_a_rule_that_answers_no_bool_is_a_bug(self, fake: FakeIssuer) -> None:
        """Truthiness decides nothing."""
        with pytest.raises(TypeError, match="service_when returned str"):
            made(fake, {"service_when": lambda claims: "yes"})


class TestGrants:
    """Law 3.14: grants limit what an issuer may assert."""

    def test_roles_and_scopes_beyond_the_grant_are_left_out(self, fake: FakeIssuer) -> None:
        """The rest of the token stands."""
        user = made(fake, {"grants": {"roles": ["a"], "scopes": ["s"]}}, roles=["a", "root"], scope="s admin")

        assert (("a",), ("s",)) == (user.roles, user.scopes)

    def test_a_kind_beyond_the_grant_is_refused(self, fake: FakeIssuer) -> None:
        """An issuer of services cannot make a user."""
        with pytest.raises(InvalidClaim, match="may not assert a user"):
            made(fake, {"grants": {"kinds": ["service"]}, "service_when": {"m2m": True}})


class Claims(BaseModel):
    """A user's own model of the claims."""

    sub: str
    level: int


@dataclass
class Tags:
    """A user's own dataclass of the claims."""

    tags: list[str]


class TestModelsAndValidators:
    """Law 3.10: the user's own checks run last."""

    def test_a_model_is_built_and_kept(self, fake: FakeIssuer) -> None:
        """``principal.model`` returns what was validated."""
        assert 3 == made(fake, {"claims": Claims}, level=3).model(Claims).level
        assert ["a"] == made(fake, {"claims": Tags}, tags=["a"]).model(Tags).tags

    def test_a_model_shares_nothing_with_the_claims(self, fake: FakeIssuer) -> None:
        """Law 7.2: changing the model changes no claim."""
        user = made(fake, {"claims": Tags}, tags=["a"])
        user.model(Tags).tags.append("b")

        assert ("a",) == user.claims["tags"]

    def test_claims_that_do_not_fit_are_a_bad_token(self, fake: FakeIssuer) -> None:
        """And the text of the failure, which quotes claims, goes no further."""
        with pytest.raises(InvalidClaim) as caught:
            made(fake, {"claims": Claims}, level="private-value")

        assert "private-value" not in str(caught.value)

    def test_value_error_is_a_bad_token_and_an_outage_is_an_outage(self, fake: FakeIssuer) -> None:
        """Anything else is a bug and passes as itself (Law 1.3)."""

        def refuse(claims: Mapping[str, Any]) -> None:
            raise claims_error[claims["sub"]]

        claims_error = {"bad": ValueError("no"), "down": AuthUnavailable("no"), "bug": ZeroDivisionError()}
        for sub, expected in (("bad", InvalidClaim), ("down", AuthUnavailable), ("bug", ZeroDivisionError)):
            with pytest.raises(expected):
                made(fake, {"validators": [refuse]}, sub=sub)

    @pytest.mark.parametrize("answer", [False, True])
    def test_a_validator_that_answers_is_a_bug(self, fake: FakeIssuer, answer: bool) -> None:
        """It says no by raising; its False must not be taken for a yes."""

        def answering(claims: Mapping[str, Any]) -> None:
            return answer  # type: ignore[return-value]  # what a careless validator would do

        with pytest.raises(TypeError, match="a validator returned bool"):
            made(fake, {"validators": [answering]})

    def test_a_validator_that_must_be_awaited_is_a_bug(self, fake: FakeIssuer) -> None:
        """Also where a plain function hides it."""

        async def late() -> None:
            raise ValueError("refused")

        waiting = late()
        with pytest.raises(TypeError, match="a validator returned coroutine"):
            made(fake, {"validators": [lambda claims: waiting]})
        waiting.close()

    def test_a_model_will_do_as_a_validator(self, fake: FakeIssuer) -> None:
        """What it builds is nobody's concern."""
        assert "u1" == made(fake, {"validators": [Claims.model_validate]}, sub="u1", level=1).id
        with pytest.raises(InvalidClaim):
            made(fake, {"validators": [Claims.model_validate]}, sub="u1")

    def test_own_checks_run_last(self, fake: FakeIssuer) -> None:
        """Nothing is asked about a token that is refused anyway."""
        asked: list[object] = []
        with pytest.raises(InvalidClaim, match="may not assert a user"):
            made(
                fake,
                {"validators": [asked.append], "grants": {"kinds": ["service"]}, "service_when": {"m": 1}},
            )
        with pytest.raises(InvalidClaim, match="roles"):
            made(fake, {"validators": [asked.append]}, roles=1)

        assert [] == asked

    def test_a_validator_cannot_change_the_claims(self, fake: FakeIssuer) -> None:
        """Law 7.2."""

        def promote(claims: Mapping[str, Any]) -> None:
            claims["roles"] = ["admin"]  # type: ignore[index]  # what a careless validator would do

        with pytest.raises(TypeError):
            made(fake, {"validators": [promote]})


class TestProblems:
    """Law 1.6: what is wrong is known without I/O, all of it, with what to write instead."""

    @pytest.mark.parametrize(
        ("options", "expected"),
        [
            ({"audience": ""}, "write audience=ANY_AUDIENCE"),
            ({"audience": []}, "write audience=ANY_AUDIENCE"),
            ({"audience": "ANY_AUDIENCE"}, "the constant of authgate_core, not a text"),
            ({"audience": ["a", "ANY_AUDIENCE"]}, "stands alone"),
            ({"algorithms": ["none"]}, "none unknown"),
            ({"algorithms": []}, "the list is empty"),
            ({"algorithms": ["RS256", "HS256"]}, "HS256 needs"),
            ({"leeway": 121}, "not between 0 and 120"),
            ({"leeway": -1}, "not between 0 and 120"),
            ({"max_lifetime": 0}, "not a positive number"),
            ({"issuer": ""}, "issuer: is empty"),
            ({"name": ""}, "name: is empty"),
            ({"grants": {"role": ["x"]}}, "grants: 'role' is unknown; did you mean 'roles'?"),
            ({"grants": {"kinds": ["admin"]}}, "kinds are 'user' and 'service'"),
            ({"grants": {"kinds": ["service"]}}, "with service_when="),
            ({"requried_claims": ["email"]}, "'requried_claims' is unknown; did you mean 'required_claims'?"),
            ({"colour": "red"}, "'colour' is unknown; write algorithms, "),
            ({"authorized_parties": []}, "authorized_parties: is empty"),
        ],
    )
    def test_each_is_named(self, fake: FakeIssuer, options: dict[str, Any], expected: str) -> None:
        """One line each, with the issuer's name."""
        issuer = Issuer.static(fake.jwks(), **{"issuer": fake.url, "audience": "a", **options})

        assert any(expected in problem for problem in issuer.problems()), list(issuer.problems())

    @pytest.mark.parametrize(
        "keys", ["", "nonsense", "-----BEGIN PUBLIC KEY-----\nx\n", {"keys": []}, {}, b"\xff"]
    )
    def test_unusable_keys_are_named(self, keys: Any) -> None:
        """Static keys are read when the gate is built, not at the first request."""
        problems = list(Issuer.static(keys, issuer="i", audience="a").problems())

        assert 1 == len(problems)
        assert "keys:" in problems[0]

    @pytest.mark.parametrize(
        ("url", "fine"),
        [
            ("https://id.test", True),
            ("http://127.0.0.1:8000", True),
            ("http://localhost/x", True),
            ("http://[::1]:80", True),
            ("http://id.test", False),
            ("http://127.0.0.1.evil.test", False),
            ("ftp://id.test", False),
            ("file:///etc/passwd", False),
            ("id.test", False),
            ("https://user:pw@id.test", False),
            ("https://user@id.test", False),
            ("https://:pw@id.test", False),
            ("https://id.test:port", False),
        ],
    )
    def test_urls_are_https_or_loopback(self, url: str, fine: bool) -> None:
        """Law 4.9, and what is written to allow http elsewhere."""
        assert fine == (not list(Issuer.jwks(url, issuer="i", audience="a").problems()))
        assert fine == (not list(Issuer.oidc(url, audience="a").problems()))

    @pytest.mark.parametrize(
        "url",
        [
            "https://u:private@id.test",
            "ftp://u:private@id.test",
            "u:private@id.test",
            "https://u:private@id:x",
        ],
    )
    def test_a_password_in_a_url_is_not_shown(self, url: str) -> None:
        """Law 2.5: neither as the URL nor as the name that the issuer has from it."""
        for issuer in (Issuer.oidc(url, audience="a"), Issuer.jwks(url, issuer=url, audience="a")):
            problems = list(issuer.problems())

            assert 1 == len(problems)
            assert "private" not in problems[0]

    def test_plain_http_can_be_allowed(self) -> None:
        """By name, for a network that is trusted."""
        assert [] == list(Issuer.oidc("http://id.test", audience="a", allow_http=True).problems())

    def test_a_short_shared_secret_is_named_and_hidden(self) -> None:
        """Law 3.2: an HMAC key is at least as long as the hash."""
        issuer = Issuer.static(Secret("short"), issuer="i", audience=ANY_AUDIENCE)

        assert 1 == len(list(issuer.problems()))
        assert "short" not in repr(issuer)

    def test_a_shared_secret_goes_with_hmac_only(self) -> None:
        """Law 3.2: never in one issuer with asymmetric keys."""
        issuer = Issuer.static(Secret("s" * 64), issuer="i", audience="a", algorithms=["HS256", "RS256"])

        assert ["a shared secret verifies HS256, HS384 and HS512 only"] == [
            problem.partition("algorithms: ")[2] for problem in issuer.problems()
        ]

    @pytest.mark.parametrize(
        ("options", "expected"),
        [
            ({"issuer": 7}, "issuer: give a text, or None, not an int"),
            ({"issuer": ["i"]}, "issuer: give"),
            ({"name": 7}, "name: give a text, not an int"),
            ({"audience": None}, "audience: give a name or a list of names, not a NoneType"),
            ({"audience": ["a", None]}, "audience: give"),
            ({"algorithms": 7}, "algorithms: give"),
            ({"algorithms": [["RS256"]]}, "algorithms: give"),
            ({"require_at_jwt": "false"}, "require_at_jwt: give True or False, not a str"),
            ({"allow_http": 1}, "allow_http: give True or False"),
            ({"required_claims": [""]}, "required_claims: give"),
            ({"authorized_parties": {"a": 1}}, "authorized_parties: give"),
            ({"subject": 7}, "subject: give a claim path such as"),
            ({"subject": "a..b"}, "subject: a claim path names"),
            ({"roles": ["roles", ""]}, "roles: a claim path names"),
            ({"scopes": [None]}, "scopes: give a claim path"),
            ({"tenant": ""}, "tenant: a claim path names"),
            ({"separators": ["scope"]}, "separators: give a mapping, not a list"),
            ({"separators": {"scope": ""}}, "separators: nothing separates the values of 'scope'"),
            ({"separators": {"scope": 7}}, "separators: give a text"),
            ({"separators": {"": ","}}, "separators: a claim path names"),
            ({"service_when": "gty=m2m"}, "service_when: give a mapping"),
            ({"service_when": {"": 1}}, "service_when: a claim path names"),
            ({"service_when": {7: 1}}, "service_when: give a claim path"),
            ({"namespace": 7}, "namespace: give a text"),
            ({"grants": ["roles"]}, "grants: give a mapping"),
            ({"grants": {"roles": 7}}, "grants: roles: give"),
            ({"claims": dict}, "claims: give a dataclass or a pydantic model"),
            ({"claims": Tags(["a"])}, "claims: give a dataclass or a pydantic model, the class itself"),
            ({"validators": ["x"]}, "validators: give functions that are not async, not a str"),
        ],
    )
    def test_wrong_types_are_named_and_break_nothing(
        self, fake: FakeIssuer, options: dict[str, Any], expected: str
    ) -> None:
        """No request meets what the configuration could have shown, and no value is shown."""
        given = {"issuer": fake.url, "audience": "a", **options}
        problems = list(Issuer.static(fake.jwks(), **given).problems())

        assert [] != [problem for problem in problems if expected in problem], problems

    def test_none_counts_as_left_out(self, fake: FakeIssuer) -> None:
        """As an optional setting is passed on that nobody set."""
        options: dict[str, Any] = dict.fromkeys(Options.__annotations__)

        issuer = Issuer.static(fake.jwks(), issuer=fake.url, audience="a", **options)

        assert [] == list(issuer.problems())
        assert Issuer.static(fake.jwks(), issuer=fake.url, audience="a") == issuer

    def test_all_are_told_at_once(self, fake: FakeIssuer) -> None:
        """One mistake hides no other."""
        options: dict[str, Any] = {"subject": "", "leeway": -1, "namespace": 7, "colour": 1}
        issuer = Issuer.static(fake.jwks(), issuer=fake.url, audience="a", **options)

        assert 4 == len(list(issuer.problems()))

    def test_one_name_is_a_list_of_one(self, fake: FakeIssuer) -> None:
        """To Python, and to a type checker, a text is a collection of letters: "web" would let "w" in."""
        issuer = Issuer.static(
            fake.jwks(),
            issuer=fake.url,
            audience="orders",
            algorithms="RS256",
            required_claims="email",
            authorized_parties="web",
            grants={"kinds": "user", "roles": "admin"},
        )

        assert [] == list(issuer.problems())
        assert (frozenset({"orders"}), frozenset({"RS256"}), ("email",), frozenset({"web"})) == (
            issuer.terms.audience,
            issuer.terms.algorithms,
            issuer.terms.required_claims,
            issuer.terms.authorized_parties,
        )
        assert (frozenset({"user"}), frozenset({"admin"})) == (issuer.grants.kinds, issuer.grants.roles)

    @pytest.mark.parametrize(
        "options",
        [{"grants": {"kinds": ["user", "service"]}}, {"leeway": 0}, {"leeway": 120}, {"max_lifetime": 1}],
    )
    def test_the_bounds_themselves_are_fine(self, fake: FakeIssuer, options: dict[str, Any]) -> None:
        """Neither too little nor too much."""
        issuer = Issuer.static(fake.jwks(), **{"issuer": fake.url, "audience": "a", **options})

        assert [] == list(issuer.problems())

    @pytest.mark.parametrize("as_bytes", [False, True])
    def test_a_pem_will_do(self, as_bytes: bool) -> None:
        """A public key, as a text or as the bytes of a file."""
        key = Ed25519PrivateKey.generate().public_key()
        pem = key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        issuer = Issuer.static(pem if as_bytes else pem.decode(), issuer="i", audience="a")

        assert [] == list(issuer.problems())

    @pytest.mark.parametrize("keys", [7, None, [{"kty": "RSA"}]])
    def test_keys_of_another_type(self, keys: Any) -> None:
        """A list of keys is no key set."""
        assert 1 == len(list(Issuer.static(keys, issuer="i", audience="a").problems()))

    def test_functions_are_sync(self, fake: FakeIssuer) -> None:
        """Law 3.10: nobody would await an async one, so it would refuse nothing."""

        async def late(claims: Mapping[str, Any]) -> bool:
            raise ValueError("refused")

        options: dict[str, Any] = {"validators": [late], "service_when": late}
        issuer = Issuer.static(fake.jwks(), issuer=fake.url, audience="a", **options)

        assert 2 == len([problem for problem in issuer.problems() if "not async" in problem])

    def test_a_model_is_built_when_the_gate_is(self, fake: FakeIssuer) -> None:
        """What pydantic cannot validate is no surprise for the first request."""

        class Odd:
            pass

        @dataclass
        class Holds:
            odd: Odd

        issuer = Issuer.static(fake.jwks(), issuer=fake.url, audience="a", claims=Holds)

        assert 1 == len([problem for problem in issuer.problems() if "cannot validate Holds" in problem])

    @pytest.mark.parametrize("options", [{"leeway": "30"}, {"leeway": True}, {"max_lifetime": "x"}])
    def test_numbers_are_numbers(self, options: dict[str, Any]) -> None:
        """Of the wrong type is wrong, not a crash."""
        assert 1 == len(list(Issuer.jwks("https://id.test", issuer="i", audience="a", **options).problems()))

    def test_a_url_is_a_text(self) -> None:
        """None where a URL belongs is a forgotten setting."""
        url: Any = None

        assert ["a NoneType is not a URL"] == [
            problem.partition("URL: ")[2].partition(";")[0]
            for problem in Issuer.oidc(url, audience="a", name="i").problems()
        ]
