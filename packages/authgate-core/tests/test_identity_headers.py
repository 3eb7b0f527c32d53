"""What a gateway says of a caller, as it is read: every reading is the only one, or there is none."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authgate_core.errors import MalformedCredentials
from authgate_core.gateways.presets import INTROSPECTOR, STAMP, consumer_headers
from authgate_core.headers import header_pairs
from authgate_core.identity_headers import GatewayIdentity, IdentityHeaders, read_identity

USER = {"X-Token-Verified": "true", "X-User-ID": "u1"}
SERVICE = {"X-Token-Verified": "true", "X-Service-Authenticated": "true", "X-Service-Name": "billing"}
STAMPED = replace(INTROSPECTOR, stamp=STAMP)
SIGNED = replace(INTROSPECTOR, signed=True)


def read(
    *parts: dict[str, str], names: IdentityHeaders = INTROSPECTOR, repeated: tuple[tuple[str, str], ...] = ()
) -> GatewayIdentity | None:
    """What is read of these headers."""
    pairs = [pair for part in parts for pair in part.items()]
    return read_identity(header_pairs([*pairs, *repeated]), names, 1024)


def known(*parts: dict[str, str], names: IdentityHeaders = INTROSPECTOR) -> GatewayIdentity:
    """Whom these headers name, who must be somebody."""
    identity = read(*parts, names=names)
    assert identity is not None
    return identity


class TestIntrospector:
    def test_a_user(self) -> None:
        """Everything that the headers say of a person."""
        identity = known(
            USER,
            {
                "X-Username": "ann",
                "X-User-Email": "ann@example.com",
                "X-User-Roles": "admin, clerk,,admin",
                "X-User-Scopes": "orders:read  orders:write",
                "X-Session-ID": "s1",
                "X-Client-ID": "web",
                "X-Auth-Source": "kong",
            },
        )

        assert ("user", "u1") == (identity.kind, identity.id)
        assert ("admin", "clerk") == identity.roles
        assert ("orders:read", "orders:write") == identity.scopes
        assert {
            "preferred_username": "ann",
            "email": "ann@example.com",
            "sid": "s1",
            "client_id": "web",
            "auth_source": "kong",
        } == dict(identity.claims)

    def test_a_service(self) -> None:
        """The roles of a service are its own, and it has no scopes of a user."""
        identity = known(SERVICE, {"X-Service-Roles": "billing"})

        assert ("service", "billing", ("billing",)) == (identity.kind, identity.id, identity.roles)

    def test_roles_of_the_other_kind_are_not_its_own(self) -> None:
        """What is said of services says nothing of a user."""
        assert () == known(USER, {"X-Service-Roles": "admin"}).roles
        assert () == known(SERVICE, {"X-User-Roles": "admin"}).roles

    @pytest.mark.parametrize(
        "headers",
        [
            {},
            {"X-Session-ID": "s1", "X-Client-ID": "web", "X-Auth-Source": "kong"},
            {"Authorization": "Bearer x", "X-User": "u1"},
            {"X_User_ID": "u1", "X_Token_Verified": "true"},
        ],
    )
    def test_nothing_is_said(self, headers: dict[str, str]) -> None:
        """A name is the gateway's as it is spelled; what also comes to strangers names nobody (Law 2.8)."""
        assert read(headers) is None

    @pytest.mark.parametrize(
        "headers",
        [
            {"X-User-ID": "u1"},
            {"X-User-ID": "u1", "X-Token-Verified": "false"},
            {"X-User-ID": "u1", "X-Token-Verified": "yes"},
            {"X-User-ID": "u1", "X-Token-Verified": "true,true"},
            {"X-Token-Verified": "true"},
            {"X-User-Roles": "admin"},
            {"X-Token-Verified": "true", "X-User-ID": ""},
            {"X-Token-Verified": "true", "X-User-ID": "  "},
            {"X-Token-Verified": "true", "X-Service-Name": "billing"},
            {"X-Token-Verified": "true", "X-Service-Name": "billing", "X-Service-Authenticated": "false"},
            USER | {"X-Service-Authenticated": "true"},
            USER | {"X-Service-Name": "billing"},
            USER | SERVICE,
            USER | {"X-Service-Name": ""},
        ],
    )
    def test_half_of_what_a_gateway_sends_is_malformed(self, headers: dict[str, str]) -> None:
        """And so is what says two things at once."""
        with pytest.raises(MalformedCredentials):
            read(headers)

    @pytest.mark.parametrize(
        "name",
        [
            "X-User-ID",
            "X-Username",
            "X-User-Email",
            "X-User-Roles",
            "X-User-Scopes",
            "X-Session-ID",
            "X-Client-ID",
            "X-Auth-Source",
            "X-Token-Verified",
        ],
    )
    def test_a_repeated_header_is_malformed(self, name: str) -> None:
        """Though both say the same (Law 2.8)."""
        value = {**USER, "X-User-Roles": "admin"}.get(name, "x")
        with pytest.raises(MalformedCredentials, match="is repeated"):
            read({**USER, name: value}, repeated=((name, value),))

    @pytest.mark.parametrize(
        "name",
        ["X-User-ID", "X-Username", "X-User-Email", "X-User-Scopes", "X-Session-ID", "X-Client-ID"],
    )
    def test_a_comma_is_what_a_server_joins_with(self, name: str) -> None:
        """In a header that holds one value it may be somebody's second one (Law 2.8)."""
        with pytest.raises(MalformedCredentials, match="comma"):
            read({**USER, name: "u1,admin"})

    @pytest.mark.parametrize("value", ["a\x00b", "a\nb", "\xe9ve", "a\x7f", "a" * 1025])
    def test_what_cannot_be_read_alike_by_all_is_malformed(self, value: str) -> None:
        """Control characters, other alphabets, too much (Laws 2.2, 2.4)."""
        with pytest.raises(MalformedCredentials):
            read({**USER, "X-User-ID": value})

    def test_a_signature_that_nobody_asks_for_is_not_looked_at(self) -> None:
        """A client may sign for somebody else."""
        strange = {"X-Authz-Ts": "1,2", "Signature": "\x00", "Signature-Input": "\x00"}

        identity = known(USER, strange)

        assert (None, None) == (identity.stamp, identity.signature)

    @pytest.mark.parametrize("half", [{"X-Authz-Ts": "1"}, {"X-Authz-Signature": "x"}])
    def test_half_a_stamp_is_malformed(self, half: dict[str, str]) -> None:
        """The time without the signature, or the other way round."""
        with pytest.raises(MalformedCredentials, match="half"):
            read(USER, half, names=STAMPED)

    def test_signatures_are_kept_as_they_arrived(self) -> None:
        """With the names of what must be covered, and without a value in what is printed (Law 2.5)."""
        signed = {
            "Signature-Input": 'a=("@method")',
            "Signature": "a=:c2VjcmV0:",
            "Content-Digest": "sha-256=:x:",
        }
        identity = known(USER, {"X-User-Email": ""}, signed, names=SIGNED)

        assert frozenset({"x-token-verified", "x-user-id", "x-user-email"}) == identity.names
        assert identity.signature is not None
        assert "sha-256=:x:" == identity.signature.digest
        assert "c2VjcmV0" not in repr(identity)
        stamped = known(USER, {"X-Authz-Ts": "1", "X-Authz-Signature": "c2VjcmV0"}, names=STAMPED)
        assert "c2VjcmV0" not in repr(stamped)


class TestConsumers:
    def test_a_consumer_is_what_the_configuration_says(self) -> None:
        """Nothing in the headers tells people from programs (Law 3.13)."""
        headers = {"X-Consumer-ID": "c1", "X-Consumer-Username": "shop", "X-Consumer-Custom-ID": "7"}

        kinds = [
            known(headers, names=consumer_headers(kind, oauth2=False)).kind for kind in ("user", "service")
        ]

        assert ["user", "service"] == kinds

    def test_an_anonymous_consumer_is_nobody(self) -> None:
        """Kong names the consumer that stands for strangers as it names any other."""
        headers = {"X-Consumer-ID": "c0", "X-Anonymous-Consumer": "true"}

        assert read(headers, names=consumer_headers("user", oauth2=False)) is None

    def test_an_anonymous_mark_that_says_neither_is_malformed(self) -> None:
        """It must not make somebody of a stranger."""
        headers = {"X-Consumer-ID": "c0", "X-Anonymous-Consumer": "1"}

        with pytest.raises(MalformedCredentials, match="neither true nor false"):
            read(headers, names=consumer_headers("user", oauth2=False))

    def test_what_only_its_oauth2_plugin_removes_is_not_read_without_it(self) -> None:
        """With a key of its own, a consumer could write there for whom it calls, and what it may do."""
        headers = {
            "X-Consumer-ID": "c1",
            "X-Authenticated-Userid": "root",
            "X-Authenticated-Scope": "admin",
        }

        identity = known(headers, names=consumer_headers("service", oauth2=False))

        assert ("service", "c1", ()) == (identity.kind, identity.id, identity.scopes)

    def test_with_it_a_consumer_calls_for_a_user(self) -> None:
        """The user is who calls, the consumer the client; its name is not the user's."""
        headers = {
            "X-Consumer-ID": "c1",
            "X-Consumer-Username": "shop",
            "X-Authenticated-Userid": "ann",
            "X-Authenticated-Scope": "read,write",
        }

        identity = known(headers, names=consumer_headers("service", oauth2=True))

        assert ("user", "ann", ("read", "write")) == (identity.kind, identity.id, identity.scopes)
        assert {"client_id": "c1"} == dict(identity.claims)

    @pytest.mark.parametrize("headers", [{"X-Consumer-Username": "shop"}, {"X-Credential-Identifier": "k"}])
    def test_a_consumer_without_an_id_is_malformed(self, headers: dict[str, str]) -> None:
        """A name may be given to another consumer some day."""
        with pytest.raises(MalformedCredentials):
            read(headers, names=consumer_headers("service", oauth2=False))


ANY = st.lists(
    st.tuples(
        st.sampled_from([*INTROSPECTOR.names(), *STAMP, "signature", "signature-input", "x-other"]),
        st.text(max_size=20) | st.sampled_from(["true", "false", "u1", "admin,clerk", ""]),
    ),
    max_size=12,
)


class TestWhateverArrives:
    @given(ANY)
    def test_the_only_exception_is_its_own(self, pairs: list[tuple[str, str]]) -> None:
        """Law 3.11."""
        for names in (INTROSPECTOR, STAMPED, SIGNED):
            try:
                identity = read_identity(header_pairs(pairs), names, 1024)
            except MalformedCredentials:
                continue
            assert identity is None or identity.id
