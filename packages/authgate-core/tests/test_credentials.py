"""Which credentials a request presents (Laws 2.1 to 2.4)."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from authgate_core.cookies import Cookies
from authgate_core.credentials import (
    ACTION_HEADER,
    API_KEY,
    APP,
    BEARER,
    HEADERS,
    PROJECT_TOKEN_HEADER,
    SCHEMES,
    ActionToken,
    ApiKeyCredential,
    AppCredentials,
    BearerToken,
    Credential,
    DPoPToken,
    Kind,
    ProjectToken,
    Reading,
    action_token,
    bearer_alone,
    bearer_pairs,
    bearer_unread,
    extract,
    scheme_of,
)
from authgate_core.errors import CrossSiteRefused, MalformedCredentials
from authgate_core.gateways.presets import INTROSPECTOR
from authgate_core.headers import header_pairs
from authgate_core.identity_headers import GatewayIdentity
from authgate_core.secret import Secret

LIMIT = 16 * 1024
TOKEN = "eyJhbGciOiJSUzI1NiJ9.e30.c2lnbmF0dXJl"

Found = Credential | MalformedCredentials | CrossSiteRefused | None


def bearer(*values: str, limit: int = LIMIT) -> Found:
    """What these Authorization headers present as a Bearer token."""
    headers = header_pairs([("Authorization", value) for value in values])
    return extract(headers, (BEARER,), Reading(limit)).get(BEARER)


def app(*headers: tuple[str, str], limit: int = LIMIT) -> Found:
    """What these headers present as app id and secret."""
    return extract(header_pairs(headers), (APP,), Reading(limit)).get(APP)


def offered(*subprotocols: str, headers: tuple[tuple[str, str], ...] = (), limit: int = LIMIT) -> Found:
    """What a handshake presents that offers these subprotocols."""
    return extract(header_pairs(headers), (BEARER,), Reading(limit), subprotocols=subprotocols).get(BEARER)


def project(*headers: tuple[str, str], limit: int = LIMIT) -> Found:
    """What these headers present of a project, where project tokens are issued."""
    return extract(header_pairs(headers), (APP,), Reading(limit, project_tokens=True)).get(APP)


def api_key(*headers: tuple[str, str], limit: int = LIMIT) -> Found:
    """What these headers present as an API key."""
    return extract(header_pairs(headers), (API_KEY,), Reading(limit)).get(API_KEY)


def malformed(found: Found) -> str | None:
    """The scheme that challenges for what is malformed; None for what is not."""
    return found.scheme if isinstance(found, MalformedCredentials) else None


class TestSubprotocols:
    def test_a_token_among_them(self) -> None:
        """Browsers can set no header of a handshake, so a token may stand among the subprotocols."""
        assert BearerToken(Secret(TOKEN)) == offered("chat", f"authgate.bearer.{TOKEN}", "authgate")

    @pytest.mark.parametrize(
        "names", [(), ("chat",), ("authgate",), ("authgate.bearer",), (f"bearer.{TOKEN}",)]
    )
    def test_other_names(self, names: tuple[str, ...]) -> None:
        """Law 2.1: what is not ours presents nothing."""
        assert offered(*names) is None

    @pytest.mark.parametrize(
        "names",
        [("authgate.bearer.",), ("authgate.bearer.a", "authgate.bearer.b"), ("authgate.bearer.\u00e9",)],
    )
    def test_malformed(self, names: tuple[str, ...]) -> None:
        """Law 2.2: none, two, or one that cannot be read."""
        assert "Bearer" == malformed(offered(*names))

    def test_besides_a_header(self) -> None:
        """Law 2.2: two tokens of one request are malformed, also where they are equal; another scheme is not ours."""
        name = f"authgate.bearer.{TOKEN}"
        assert "Bearer" == malformed(offered(name, headers=(("Authorization", f"Bearer {TOKEN}"),)))
        assert BearerToken(Secret(TOKEN)) == offered(name, headers=(("Authorization", "Basic dTpw"),))

    def test_longer_than_a_header_may_be(self) -> None:
        """Law 2.4: the limit is that of a header."""
        assert BearerToken(Secret("abc")) == offered("authgate.bearer.abc", limit=3)
        assert "Bearer" == malformed(offered("authgate.bearer.abc", limit=2))


class TestBearer:
    @pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER", "bEaReR"])
    def test_the_scheme_is_case_insensitive(self, scheme: str) -> None:
        """Law 2.2: as RFC 9110 section 11.1 says."""
        assert BearerToken(Secret(TOKEN)) == bearer(f"{scheme} {TOKEN}")

    @pytest.mark.parametrize("value", [f"Bearer   {TOKEN}", f"  Bearer {TOKEN}  "])
    def test_spaces_around_the_token_are_not_part_of_it(self, value: str) -> None:
        """RFC 9110 section 11.4 allows more than one space, and servers differ in trimming."""
        assert BearerToken(Secret(TOKEN)) == bearer(value)

    def test_absent_is_absent(self) -> None:
        """Law 2.1: no header presents nothing."""
        assert bearer() is None

    @pytest.mark.parametrize(
        "value",
        [
            TOKEN,
            "",
            "Basic dXNlcjpwYXNz",
            "Negotiate YIIB==",
            "BearerX abc",
            f"Token {TOKEN}",
            'Digest username="a, b c", realm="x", nonce="y"',
            'Digest username = "Mufasa", realm = "http-auth"',
            "AWS4-HMAC-SHA256 Credential=a/b, SignedHeaders=host;date, Signature=00ff",
            'Custom a="x \\", Bearer y", b=c',
            'Custom half"a quote',
        ],
    )
    def test_a_foreign_scheme_is_not_ours(self, value: str) -> None:
        """Law 2.1: a scheme that is not ours, or a bare token, presents nothing."""
        assert bearer(value) is None

    @pytest.mark.parametrize(
        "value",
        [
            "Bearer",
            "Bearer ",
            "Bearer    ",
            "bearer",
            f"Bearer {TOKEN},",
            f"Bearer {TOKEN}, Bearer {TOKEN}",
            "Bearer ,",
        ],
    )
    def test_empty_or_joined_is_malformed(self, value: str) -> None:
        """Law 2.2: an empty token, or several in one header."""
        assert "Bearer" == malformed(bearer(value))

    @pytest.mark.parametrize(
        "values",
        [
            (f"Bearer {TOKEN}", f"Bearer {TOKEN}"),
            ("Basic dXNlcjpwYXNz", f"Bearer {TOKEN}"),
            (f"Bearer {TOKEN}", "Basic dXNlcjpwYXNz"),
            ("Basic dXNlcjpwYXNz", TOKEN),
            ("Basic dXNlcjpwYXNz", ""),
            ("Basic dXNlcjpwYXNz", "Negotiate YIIB=="),
            ('Digest username="a"', f"Bearer {TOKEN}"),
            ('Broken "quote', f"Bearer {TOKEN}"),
            ("", f"Bearer {TOKEN}"),
        ],
    )
    def test_a_second_header_is_malformed_repeated_or_joined(self, values: tuple[str, str]) -> None:
        """Laws 2.2 and 9.3: ASGI shows the repetition, a WSGI server joins it, and the answer is the same."""
        assert "Bearer" == malformed(bearer(*values))
        assert "Bearer" == malformed(bearer(",".join(values)))
        assert "Bearer" == malformed(bearer(", ".join(values)))

    @pytest.mark.parametrize(
        "character", ["\t", "\r", "\n", "\x00", "\x7f", "\x80", "\xe9", "\u212a", "\ud800"]
    )
    def test_control_and_non_ascii_characters_are_malformed(self, character: str) -> None:
        """Law 2.2: in the token, in the scheme or before the token."""
        for value in (
            f"Bearer {TOKEN}{character}x",
            f"Be{character}arer {TOKEN}",
            f"Bearer {character}{TOKEN}",
        ):
            assert "Bearer" == malformed(bearer(value))

    @pytest.mark.parametrize("blank", [" ", "\t", " \t "])
    def test_outer_white_space_is_no_part_of_a_value(self, blank: str) -> None:
        """RFC 9110 section 5.5: some servers take it off and some do not, and the answer is the same."""
        assert bearer(f"Bearer {TOKEN}") == bearer(f"{blank}Bearer {TOKEN}{blank}")
        headers = header_pairs([("x-app-id", f"{blank}shop{blank}"), ("x-app-secret", f"s{blank}")])
        assert {APP: AppCredentials("shop", Secret("s"))} == extract(headers, [APP], Reading(100))

    @pytest.mark.parametrize("value", ["X", "XaX", "-._~+/=", "\"'\\"])
    def test_nothing_but_white_space_is_taken_off(self, value: str) -> None:
        """A credential is what was sent, to the letter."""
        assert BearerToken(Secret(value)) == bearer(f"Bearer {value}")
        assert AppCredentials(value, Secret(value)) == app(("x-app-id", value), ("x-app-secret", value))

    def test_a_header_may_be_as_long_as_the_limit(self) -> None:
        """Law 2.4: the limit is the last length that is read; a longer header is malformed."""
        value = f"Bearer {TOKEN}"
        assert isinstance(bearer(value, limit=len(value)), BearerToken)
        assert "Bearer" == malformed(bearer(value, limit=len(value) - 1))


class TestBearerAlone:
    @pytest.mark.parametrize(
        ("headers", "subprotocols", "token"),
        [
            ((("Authorization", f"Bearer {TOKEN}"),), (), TOKEN),
            ((("Authorization", "Bearer longer-than-a-token-of-this-test-may-be-by-much"),), (), None),
            ((), (f"authgate.bearer.{TOKEN}",), TOKEN),
            ((), ("authgate.bearer.longer-than-a-token-of-this-test-may-be-by-much",), None),
            ((("Authorization", f"Bearer {TOKEN}"),), (f"authgate.bearer.{TOKEN}",), None),
            ((("Authorization", "Bearer"),), (), None),
            ((), (), None),
        ],
    )
    def test_it_is_what_would_be_found(
        self, headers: tuple[tuple[str, str], ...], subprotocols: tuple[str, ...], token: str | None
    ) -> None:
        """Laws 2.1, 2.2 and 2.4: the one token, with the same limits, and nothing where there is more to say."""
        assert token == bearer_alone(header_pairs(headers), subprotocols, len(TOKEN) + len("Bearer "))

    @pytest.mark.parametrize(
        ("values", "text"),
        [
            ([f"Bearer {TOKEN}"], TOKEN),
            ([f"bEARER {TOKEN}"], TOKEN),
            ([f"Bearer  {TOKEN},"], f" {TOKEN},"),
            (["Bearer longer-than-a-token-of-this-test-may-be-by-much"], None),
            ([f" Bearer {TOKEN}"], None),
            ([f"Basic {TOKEN}"], None),
            (["Bearer"], None),
            ([f"Bearer {TOKEN}", f"Bearer {TOKEN}"], None),
            ([], None),
        ],
    )
    def test_it_is_unread(self, values: list[str], text: str | None) -> None:
        """Laws 2.2 and 2.4: of one header within its limit it gives what stands behind the scheme, whatever it is."""
        presented = tuple(("authorization", value) for value in values)
        assert text == bearer_unread(presented, len(TOKEN) + len("Bearer  ,"))


class TestApp:
    def test_both_headers_make_a_credential(self) -> None:
        """Law 6.1: an app id and its secret; names of headers are case-insensitive."""
        assert AppCredentials("shop", Secret("s3cret")) == app(
            ("X-APP-ID", "shop"), ("x-App-Secret", "s3cret")
        )

    def test_absent_is_absent(self) -> None:
        """Law 2.1: neither header presents nothing."""
        assert app(("Authorization", f"Bearer {TOKEN}")) is None

    @pytest.mark.parametrize(
        "headers",
        [
            [("x-app-id", "shop")],
            [("x-app-secret", "s3cret")],
            [("x-app-id", "shop"), ("x-app-secret", "")],
            [("x-app-id", ""), ("x-app-secret", "s3cret")],
            [("x-app-id", ""), ("x-app-secret", "")],
            [("x-app-id", "shop"), ("x-app-id", "shop"), ("x-app-secret", "s3cret")],
            [("x-app-id", "shop"), ("x-app-secret", "s3cret"), ("X-App-Secret", "other")],
            [("x-app-id", "shop,shop"), ("x-app-secret", "s3cret")],
            [("x-app-id", "shop"), ("x-app-secret", "s3cret, other")],
            [("x-app-id", "shop\n"), ("x-app-secret", "s3cret")],
            [("x-app-id", "shop"), ("x-app-secret", "s3cr\xe9t")],
        ],
    )
    def test_anything_but_one_of_each_is_malformed(self, headers: list[tuple[str, str]]) -> None:
        """Law 2.2: half a pair, a repeated or joined header, control and non-ASCII characters."""
        assert "AppCredentials" == malformed(app(*headers))

    def test_each_header_has_the_limit(self) -> None:
        """Law 2.4: a header over the limit is malformed."""
        assert "AppCredentials" == malformed(app(("x-app-id", "a" * 65), ("x-app-secret", "b"), limit=64))
        assert isinstance(app(("x-app-id", "a" * 64), ("x-app-secret", "b" * 64), limit=64), AppCredentials)


class TestProjectTokens:
    def test_a_token_in_its_header(self) -> None:
        """Law 2.1: where project tokens are issued, a project may present one in the place of id and secret."""
        assert ProjectToken(Secret(TOKEN)) == project((PROJECT_TOKEN_HEADER, TOKEN))
        assert AppCredentials("shop", Secret("s3cret")) == project(
            ("x-app-id", "shop"), ("x-app-secret", "s3cret")
        )
        assert project(("Authorization", f"Bearer {TOKEN}")) is None

    def test_elsewhere_its_header_is_not_ours(self) -> None:
        """Law 2.1: where nobody issues them, the header presents nothing, however malformed."""
        assert app(("x-project-token", "a b,c")) is None

    @pytest.mark.parametrize(
        "value", ["", f"Bearer {TOKEN}", f"{TOKEN} x", f"{TOKEN},{TOKEN}", "a\tb", "caf\xe9"]
    )
    def test_anything_but_one_token_is_malformed(self, value: str) -> None:
        """Law 2.2: none, a scheme before it, several in one header, and what cannot be read."""
        assert "AppCredentials" == malformed(project(("x-project-token", value)))

    def test_a_repeated_header_is_malformed(self) -> None:
        """Law 2.2: of two tokens neither is believed."""
        assert "AppCredentials" == malformed(project(("x-project-token", TOKEN), ("X-Project-Token", TOKEN)))

    def test_besides_app_id_and_secret_it_is_malformed(self) -> None:
        """Law 2.2: two credentials of one kind."""
        pair = (("x-app-id", "shop"), ("x-app-secret", "s3cret"))
        assert "AppCredentials" == malformed(project(*pair, ("x-project-token", TOKEN)))

    def test_it_may_be_as_long_as_the_limit(self) -> None:
        """Law 2.4: the limit is the last length that is read."""
        assert ProjectToken(Secret("abc")) == project(("x-project-token", "abc"), limit=3)
        assert "AppCredentials" == malformed(project(("x-project-token", "abc"), limit=2))


class TestApiKeys:
    @pytest.mark.parametrize(
        "header",
        [
            ("X-API-Key", "sk_1"),
            ("x-api-key", "\tsk_1 "),
            ("Authorization", "ApiKey sk_1"),
            ("authorization", "apikey   sk_1"),
        ],
    )
    def test_a_key_stands_in_either_header(self, header: tuple[str, str]) -> None:
        """RFC 9110 section 11.1: the scheme is case-insensitive."""
        assert ApiKeyCredential(Secret("sk_1")) == api_key(header)

    @pytest.mark.parametrize(
        "headers",
        [
            (),
            (("authorization", "Bearer sk_1"),),
            (("authorization", "sk_1"),),
            (("authorization", "ApiKeys sk_1"),),
            (("authorization", 'Digest username="u", nonce="n"'),),
            (("api-key", "sk_1"), ("cookie", "x-api-key=sk_1")),
        ],
    )
    def test_what_is_no_key_is_not_looked_at(self, headers: tuple[tuple[str, str], ...]) -> None:
        """Law 2.1: a scheme that is not ours, or none, presents nothing."""
        assert api_key(*headers) is None

    @pytest.mark.parametrize(
        "headers",
        [
            (("x-api-key", "sk_1"), ("authorization", "ApiKey sk_1")),
            (("x-api-key", "sk_1"), ("x-api-key", "sk_1")),
            (("authorization", "ApiKey sk_1"), ("authorization", "Bearer t")),
            (("x-api-key", "sk_1,sk_2"),),
            (("x-api-key", "sk_1 sk_2"),),
            (("x-api-key", ""),),
            (("x-api-key", " "),),
            (("x-api-key", "sk\xe9"),),
            (("x-api-key", "sk\n1"),),
            (("authorization", "ApiKey"),),
            (("authorization", "ApiKey "),),
            (("authorization", "ApiKey sk_1, ApiKey sk_2"),),
            (("authorization", "ApiKey sk_1 sk_2"),),
            (("authorization", "Bearer t, ApiKey sk_1"),),
        ],
    )
    def test_two_keys_or_half_a_key_are_malformed(self, headers: tuple[tuple[str, str], ...]) -> None:
        """Law 2.2: neither of two is believed, and what is empty is no key."""
        assert "ApiKey" == malformed(api_key(*headers))

    @pytest.mark.parametrize("header", [("x-api-key", "abc"), ("authorization", "ApiKey abc")])
    def test_it_may_be_as_long_as_the_limit(self, header: tuple[str, str]) -> None:
        """Law 2.4: the limit is the last length that is read."""
        assert ApiKeyCredential(Secret("abc")) == api_key(header, limit=len(header[1]))
        assert "ApiKey" == malformed(api_key(header, limit=len(header[1]) - 1))

    def test_a_token_beside_a_key_is_another_kind(self) -> None:
        """Law 2.3: each kind is read for itself, so a route may ask for both."""
        headers = header_pairs([("authorization", f"Bearer {TOKEN}"), ("x-api-key", "sk_1")])
        expected = {BEARER: BearerToken(Secret(TOKEN)), API_KEY: ApiKeyCredential(Secret("sk_1"))}
        assert expected == extract(headers, (BEARER, API_KEY), Reading(LIMIT))

    def test_a_reason_quotes_no_key(self) -> None:
        """Law 2.5: of what is malformed the log has the header's name alone."""
        found = api_key(("x-api-key", "sk_1,sk_2"))
        assert isinstance(found, MalformedCredentials)
        assert "sk_" not in f"{found.reason}{api_key(('x-api-key', 'sk_1'))!r}"


class TestKinds:
    def test_only_the_kinds_that_are_asked_for_are_read(self) -> None:
        """Law 2.3: what is presented besides is left alone, however malformed."""
        headers = header_pairs(
            [("authorization", "Bearer"), ("x-app-id", "shop"), ("x-app-secret", "s3cret")]
        )
        assert [APP] == list(extract(headers, (APP,), Reading(LIMIT)))
        assert {} == extract(headers, (), Reading(LIMIT))

    def test_a_malformed_kind_does_not_hide_another(self) -> None:
        """Law 2.1: each kind answers for itself."""
        headers = header_pairs([("authorization", f"Bearer {TOKEN}"), ("x-app-id", "shop")])
        found = extract(headers, (BEARER, APP), Reading(LIMIT))
        assert (BearerToken, MalformedCredentials) == (type(found[BEARER]), type(found[APP]))

    def test_tokens_in_other_headers_are_not_looked_for(self) -> None:
        """Law 2.2: only the headers of the kinds are credentials."""
        headers = header_pairs([("cookie", f"token={TOKEN}"), ("x-access-token", TOKEN)])
        assert {} == extract(headers, (BEARER, APP), Reading(LIMIT))

    def test_every_kind_has_a_scheme(self) -> None:
        """Law 1.1: the challenges can name what was not presented."""
        assert {"bearer": "Bearer", "app": "AppCredentials", "api_key": "ApiKey"} == dict(SCHEMES)

    def test_every_kind_names_its_headers(self) -> None:
        """Law 1.7: what ``Vary`` names is what credentials are read from."""
        expected = {
            BEARER: ("Authorization",),
            APP: ("X-App-Id", "X-App-Secret"),
            API_KEY: ("X-API-Key", "Authorization"),
        }
        assert expected == dict(HEADERS)
        assert "X-Project-Token" == PROJECT_TOKEN_HEADER


class TestMasking:
    def test_credentials_do_not_show_secrets(self) -> None:
        """Law 2.5: repr of what was presented is masked."""
        shown = repr(bearer(f"Bearer {TOKEN}")) + repr(app(("x-app-id", "shop"), ("x-app-secret", "s3cret")))
        assert TOKEN not in shown
        assert "s3cret" not in shown

    def test_reasons_do_not_quote_the_header(self) -> None:
        """Law 2.5: the reason of a refusal names the header and holds nothing of it."""
        for found in (
            bearer(f"Bearer {TOKEN}, x"),
            bearer(f"Basic {TOKEN}, {TOKEN}"),
            app(("x-app-secret", TOKEN)),
        ):
            assert isinstance(found, MalformedCredentials)
            assert TOKEN not in found.reason
            assert found.__traceback__ is None
            assert found.__context__ is None


names = st.sampled_from(
    ["Authorization", "authorization", "x-app-id", "X-App-Id", "x-app-secret", "x-api-key", "accept"]
)
pieces = st.sampled_from(
    ["Bearer", "Basic", "ApiKey", " ", ",", ", ", '"', "\\", "=", "a=b", TOKEN, "", "\t", "\n", "\xe9", "x"]
)
header_values = st.one_of(st.text(), st.lists(pieces, max_size=8).map("".join))
kinds = st.lists(st.sampled_from((BEARER, APP, API_KEY)), unique=True)


class TestAnyHeaders:
    @given(st.lists(st.tuples(names, header_values), max_size=6), kinds)
    @example([("Authorization", 'Foo "' + '\\"' * 40 + ",")], [BEARER])
    def test_any_header_is_a_credential_or_malformed(
        self, headers: list[tuple[str, str]], asked: list[Kind]
    ) -> None:
        """Laws 2.1 and 2.2: whatever arrives, the answer is absent, malformed or one whole credential."""
        for kind, found in extract(header_pairs(headers), asked, Reading(64)).items():
            assert kind in asked
            match found:
                case MalformedCredentials():
                    assert SCHEMES[kind] == found.scheme
                case BearerToken(value):
                    assert kind == BEARER
                    assert_clean(value.reveal())
                case AppCredentials(app_id, secret):
                    assert kind == APP
                    assert_clean(app_id)
                    assert_clean(secret.reveal())
                case ApiKeyCredential(value):
                    assert kind == API_KEY
                    assert_clean(value.reveal())

    @given(st.lists(st.tuples(names, header_values), max_size=6), kinds)
    def test_the_order_of_kinds_does_not_matter(
        self, headers: list[tuple[str, str]], asked: list[Kind]
    ) -> None:
        """Law 2.3: the same is found in whatever order it is looked for."""
        answers = [
            {
                kind: describe(found)
                for kind, found in extract(header_pairs(headers), order, Reading(64)).items()
            }
            for order in itertools.permutations(asked)
        ]
        assert all(answers[0] == answer for answer in answers)

    @given(st.lists(header_values, min_size=2, max_size=3))
    def test_a_repeated_header_is_never_read(self, repeated: list[str]) -> None:
        """Law 2.2: of two credentials neither is believed."""
        assert isinstance(bearer(*repeated), MalformedCredentials)


def assert_clean(value: str) -> None:
    """A credential is not empty, not joined and plain ASCII."""
    assert value
    assert value.isascii()
    assert value.isprintable()
    assert "," not in value


def describe(found: Credential | MalformedCredentials | CrossSiteRefused) -> object:
    """Something to compare: errors are compared by their reason."""
    return found.reason if isinstance(found, MalformedCredentials) else found


class TestCookies:
    """Law 2.9: a token in a cookie comes once and alone, and only from one's own pages."""

    SPOTLESS = (("X-CSRF-Token", "c1"),)

    def read(
        self,
        *cookies: str,
        headers: tuple[tuple[str, str], ...] = SPOTLESS,
        kind: Kind = BEARER,
        limit: int = LIMIT,
    ) -> Found:
        """What a request that changes something presents, with the CSRF value repeated."""
        given = header_pairs([("Cookie", "; ".join(("__Host-auth_csrf=c1", *cookies))), *headers])
        return extract(given, (kind,), Reading(limit, cookies=Cookies()), method="POST").get(kind)

    def test_it_is_a_token_like_others(self) -> None:
        """Up to the limit of a header."""
        assert BearerToken(Secret(TOKEN)) == self.read(f"__Host-auth_access={TOKEN}")
        assert BearerToken(Secret("x" * 99)) == self.read(f"__Host-auth_access={'x' * 99}", limit=99)

    def test_it_counts_only_where_it_is_configured_and_asked_for(self) -> None:
        """Law 2.3: what a policy does not name is left alone."""
        headers = header_pairs([("Cookie", f"__Host-auth_access={TOKEN}")])
        assert {} == extract(headers, (BEARER,), Reading(LIMIT), method="GET")
        assert {} == extract(headers, (APP,), Reading(LIMIT, cookies=Cookies()), method="GET")
        assert self.read() is None

    @pytest.mark.parametrize(
        "cookies",
        [
            (f"__Host-auth_access={TOKEN}", f"__Host-auth_access={TOKEN}"),
            ("__Host-auth_access=",),
            ("__Host-auth_access=a,b",),
            ("__Host-auth_access=\u00e9",),
            (f"__Host-auth_access={'x' * (LIMIT + 1)}",),
        ],
        ids=["twice", "empty", "joined", "unreadable", "oversized"],
    )
    def test_what_is_malformed(self, cookies: tuple[str, ...]) -> None:
        """Laws 2.2 and 2.4, for cookies as for headers; the challenge is that of tokens."""
        found = self.read(*cookies)
        assert isinstance(found, MalformedCredentials)
        assert "Bearer" == found.scheme

    def test_beside_a_header_it_is_malformed(self) -> None:
        """Law 2.9: nobody says which of the two counts."""
        found = self.read(
            f"__Host-auth_access={TOKEN}", headers=(*self.SPOTLESS, ("Authorization", f"Bearer {TOKEN}"))
        )
        assert isinstance(found, MalformedCredentials)
        assert "Bearer" == found.scheme

    def test_without_the_csrf_value_it_is_refused(self) -> None:
        """Law 2.9: also where nobody says which method it is; what is malformed is called so first."""
        assert isinstance(self.read(f"__Host-auth_access={TOKEN}", headers=()), CrossSiteRefused)
        assert isinstance(self.read("__Host-auth_access=", headers=()), MalformedCredentials)
        headers = header_pairs([("Cookie", f"__Host-auth_access={TOKEN}")])
        reading = Reading(LIMIT, cookies=Cookies())
        assert isinstance(extract(headers, (BEARER,), reading)[BEARER], CrossSiteRefused)

    def test_a_query_by_a_safe_method_needs_an_origin(self) -> None:
        """Law 2.9: a GraphQL GET does; any other GET does not."""
        headers = header_pairs([("Cookie", f"__Host-auth_access={TOKEN}")])
        reading = Reading(LIMIT, cookies=Cookies())
        assert BearerToken(Secret(TOKEN)) == extract(headers, (BEARER,), reading, method="GET")[BEARER]
        query = extract(headers, (BEARER,), reading, method="GET", is_query=True)[BEARER]
        assert isinstance(query, CrossSiteRefused)
        assert "Origin" in query.reason


class TestProofs:
    """A token behind ``DPoP``, with a proof beside it, where some are bound to keys (RFC 9449 section 7.1)."""

    def read(
        self, *headers: tuple[str, str], subprotocols: tuple[str, ...] = (), limit: int = LIMIT
    ) -> Found:
        """What these headers present."""
        reading = Reading(limit, proofs=True)
        return extract(header_pairs(headers), (BEARER,), reading, subprotocols=subprotocols).get(BEARER)

    @pytest.mark.parametrize("scheme", ["DPoP", "dpop", "DPOP"])
    def test_a_token_and_its_proof(self, scheme: str) -> None:
        """RFC 9110 section 11.1: the scheme is case-insensitive; it is the one that challenges."""
        found = self.read(("Authorization", f"{scheme} {TOKEN}"), ("DPoP", "a.b.c"))
        assert DPoPToken(Secret(TOKEN), Secret("a.b.c")) == found
        assert "DPoP" == scheme_of(BEARER, found)

    def test_a_token_without_one(self) -> None:
        """Whether it needs one, the flow says; among subprotocols that hold no token it is alone."""
        alone = ("Authorization", f"DPoP {TOKEN}")
        assert DPoPToken(Secret(TOKEN), None) == self.read(alone)
        assert DPoPToken(Secret(TOKEN), None) == self.read(alone, subprotocols=("chat", "authgate"))

    def test_other_tokens_are_read_as_ever(self) -> None:
        """Law 2.1: a proof beside them, or alone, presents nothing."""
        proof = ("DPoP", "a.b.c")
        found = self.read(("Authorization", f"Bearer {TOKEN}"), proof)
        assert BearerToken(Secret(TOKEN)) == found
        assert "Bearer" == scheme_of(BEARER, found)
        assert BearerToken(Secret(TOKEN)) == self.read(proof, subprotocols=(f"authgate.bearer.{TOKEN}",))
        assert self.read(proof) is None

    def test_elsewhere_the_scheme_is_not_ours(self) -> None:
        """Law 2.1: as any that is foreign; and another kind of credential is read beside it."""
        assert bearer(f"DPoP {TOKEN}") is None
        headers = header_pairs([("Authorization", f"DPoP {TOKEN}"), ("X-API-Key", "sk_1")])
        assert {API_KEY: ApiKeyCredential(Secret("sk_1"))} == extract(
            headers, (API_KEY,), Reading(LIMIT, proofs=True)
        )

    @pytest.mark.parametrize(
        ("headers", "scheme"),
        [
            ((("Authorization", "DPoP"),), "DPoP"),
            ((("Authorization", f"DPoP {TOKEN}, DPoP {TOKEN}"),), "DPoP"),
            ((("Authorization", f"DPoP {TOKEN}"), ("DPoP", "")), "DPoP"),
            ((("Authorization", f"DPoP {TOKEN}"), ("DPoP", "a.b.c,a.b.c")), "DPoP"),
            ((("Authorization", f"DPoP {TOKEN}"), ("DPoP", "a.b.c"), ("DPoP", "a.b.c")), "Bearer"),
            ((("Authorization", f"DPoP {TOKEN}"), ("DPoP", "caf\xe9")), "Bearer"),
            ((("Authorization", f"DPoP {TOKEN}"), ("Authorization", f"Bearer {TOKEN}")), "Bearer"),
            ((("Authorization", f"Basic dTpw, DPoP {TOKEN}"),), "Bearer"),
        ],
    )
    def test_what_is_malformed(self, headers: tuple[tuple[str, str], ...], scheme: str) -> None:
        """Law 2.2: none, two, or one that cannot be read, of tokens and of proofs."""
        assert scheme == malformed(self.read(*headers))

    def test_beside_a_subprotocol(self) -> None:
        """Law 2.2: two tokens in one handshake."""
        alone = ("Authorization", f"DPoP {TOKEN}")
        assert "DPoP" == malformed(self.read(alone, subprotocols=("chat", f"authgate.bearer.{TOKEN}")))

    def test_each_header_may_be_as_long_as_the_limit(self) -> None:
        """Law 2.4: the limit is the last length that is read."""
        headers = ("Authorization", f"DPoP {TOKEN}"), ("DPoP", "x" * len(f"DPoP {TOKEN}"))
        assert isinstance(self.read(*headers, limit=len(headers[1][1])), DPoPToken)
        assert "Bearer" == malformed(self.read(*headers, limit=len(headers[1][1]) - 1))
        longer = headers[0], ("DPoP", headers[1][1] + "x")
        assert "Bearer" == malformed(self.read(*longer, limit=len(headers[1][1])))


class TestGateways:
    """Law 2.7: behind a gateway, users and services come from its headers alone."""

    IDENTITY = (("X-Token-Verified", "true"), ("X-User-ID", "u1"))
    TOKENS = (("Authorization", f"Bearer {TOKEN}"), ("DPoP", "a.b.c"))

    def read(self, *headers: tuple[str, str], reading: Reading, kind: Kind = BEARER) -> Found:
        """What a handshake presents that offers a token of its own besides."""
        names = (f"authgate.bearer.{TOKEN}",)
        return extract(header_pairs(headers), (kind,), reading, subprotocols=names).get(kind)

    def test_an_identity(self) -> None:
        """Whom the headers name; what else is there is left to the gateway."""
        reading = Reading(LIMIT, identity=INTROSPECTOR, proofs=True)
        found = self.read(*self.IDENTITY, *self.TOKENS, reading=reading)
        assert GatewayIdentity("user", "u1", names=frozenset({"x-token-verified", "x-user-id"})) == found
        assert self.read(*self.TOKENS, reading=reading) is None

    def test_an_identity_is_read_in_one_way_only(self) -> None:
        """Laws 2.2 and 2.4: as any credential."""
        assert "Bearer" == malformed(
            self.read(*self.IDENTITY, ("X-User-ID", "u2"), reading=Reading(LIMIT, identity=INTROSPECTOR))
        )
        assert isinstance(
            self.read(*self.IDENTITY, reading=Reading(4, identity=INTROSPECTOR)), GatewayIdentity
        )
        assert "Bearer" == malformed(self.read(*self.IDENTITY, reading=Reading(3, identity=INTROSPECTOR)))

    def test_a_token(self) -> None:
        """In the header that the gateway hands it on in, and in no other."""
        reading = Reading(LIMIT, assertion="x-asserted", proofs=True)
        for besides in ((), self.TOKENS, (("Authorization", f"DPoP {TOKEN}"),)):
            assert BearerToken(Secret("a.b.c")) == self.read(
                ("X-Asserted", "a.b.c"), *besides, reading=reading
            )
            assert self.read(*besides, reading=reading) is None

    @pytest.mark.parametrize("values", [("",), ("a b",), ("a,b",), ("a", "a"), ("\xe9",), ("x" * 6,)])
    def test_a_token_is_read_in_one_way_only(self, values: tuple[str, ...]) -> None:
        """Laws 2.2 and 2.4: as any other."""
        headers = [("X-Asserted", value) for value in values]
        assert "Bearer" == malformed(self.read(*headers, reading=Reading(5, assertion="x-asserted")))
        assert isinstance(
            self.read(("X-Asserted", "x" * 5), reading=Reading(5, assertion="x-asserted")), BearerToken
        )

    @pytest.mark.parametrize(
        "reading", [Reading(LIMIT, identity=INTROSPECTOR), Reading(LIMIT, assertion="x-asserted")]
    )
    def test_projects_and_api_keys_speak_for_themselves(self, reading: Reading) -> None:
        """A gateway answers for users and services."""
        headers = (*self.IDENTITY, ("X-App-Id", "shop"), ("X-App-Secret", "s3cret"), ("X-API-Key", "sk_1"))
        assert AppCredentials("shop", Secret("s3cret")) == self.read(*headers, reading=reading, kind=APP)
        assert ApiKeyCredential(Secret("sk_1")) == self.read(*headers, reading=reading, kind=API_KEY)


class TestVary:
    """Law 1.7: what an answer depends on is named."""

    @pytest.mark.parametrize(
        ("kinds", "reading", "named"),
        [
            ((BEARER,), Reading(LIMIT), ("Authorization",)),
            ((APP,), Reading(LIMIT), ("X-App-Id", "X-App-Secret")),
            ((BEARER,), Reading(LIMIT, project_tokens=True), ("Authorization",)),
            ((APP,), Reading(LIMIT, cookies=Cookies()), ("X-App-Id", "X-App-Secret")),
            ((APP,), Reading(LIMIT, project_tokens=True), ("X-App-Id", "X-App-Secret", "X-Project-Token")),
            ((BEARER,), Reading(LIMIT, cookies=Cookies()), ("Authorization", "Cookie")),
            ((BEARER, API_KEY), Reading(LIMIT), ("Authorization", "X-API-Key")),
            ((BEARER,), Reading(LIMIT, proofs=True), ("Authorization", "DPoP")),
            ((APP,), Reading(LIMIT, proofs=True), ("X-App-Id", "X-App-Secret")),
            ((BEARER,), Reading(LIMIT, bearer=("X-User-ID", "X-Roles")), ("X-User-ID", "X-Roles")),
            ((API_KEY,), Reading(LIMIT, bearer=("X-User-ID",)), ("X-API-Key", "Authorization")),
        ],
    )
    def test_the_headers_that_are_read_each_once(
        self, kinds: tuple[Kind, ...], reading: Reading, named: tuple[str, ...]
    ) -> None:
        """Those of the kinds that the policy reads, as the gate reads them."""
        assert named == reading.headers(kinds)

    def test_the_header_of_actions_is_named_like_the_others(self) -> None:
        """A guard of an action names it besides."""
        assert "X-Action-Token" == ACTION_HEADER

    def test_tokens_are_looked_for_where_they_are_read(self) -> None:
        """Law 2.3: the short way asks for the one header, by its name in lower case."""
        presented = {"authorization": header_pairs([("Authorization", f"Bearer {TOKEN}")])}

        assert presented["authorization"] == bearer_pairs(presented.__getitem__)


class TestActionTokens:
    """The token that confirms one action stands in a header of its own."""

    def read(self, *values: str, limit: int = LIMIT) -> ActionToken | None:
        """What these headers hold."""
        return action_token(header_pairs([("X-Action-Token", value) for value in values]), limit)

    def test_it_is_read(self) -> None:
        """Up to the limit of a header; another header is none."""
        assert ActionToken(Secret(TOKEN)) == self.read(TOKEN)
        assert ActionToken(Secret("x" * 99)) == self.read("x" * 99, limit=99)
        assert self.read() is None
        assert action_token(header_pairs([("Authorization", f"Bearer {TOKEN}")]), LIMIT) is None

    @pytest.mark.parametrize(
        "values", [("",), ("a b",), ("a,b",), ("a", "a"), ("\u00e9",), ("x" * (LIMIT + 1),)]
    )
    def test_what_is_malformed(self, values: tuple[str, ...]) -> None:
        """Laws 2.2 and 2.4: as for any credential; the challenge is that of tokens."""
        with pytest.raises(MalformedCredentials) as refused:
            self.read(*values)
        assert "Bearer" == refused.value.scheme
