"""How an issuer of tokens is configured: a constructor for each kind of trust."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any, Unpack

from ..clients import ClientAuthentication
from ..ports import ValidationHooks
from ..secret import Secret
from ..signing import RequestSigning
from .apex import Apex, apex_defaults, apex_mapping, apex_problems
from .auth_service import auth_defaults, auth_keys, auth_mapping, auth_terms, sessions_url
from .keycloak import (
    KeycloakRule,
    keycloak_keys,
    keycloak_mapping,
    keycloak_options,
    keycloak_problems,
    keycloak_terms,
)
from .m8 import M8_FIXED, m8_defaults, m8_mapping, m8_trust
from .mercury import FIXED, defaults, mercury_mapping, mercury_problems, project_tokens, user_keys
from .options import Options, Reader
from .record import IssuerRecord, KeyOrigin
from .settings import AnyAudience
from .trust import Discovery, JwksUrl, NoKeys, StaticKeys

__all__ = ["Issuer", "KeyOrigin", "Options"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Issuer(IssuerRecord):
    """An issuer whose tokens are believed, with its keys, algorithms and audience bound together (Law 3.5).

    Made by ``Issuer.oidc``, ``.jwks``, ``.static`` or a profile such as ``.mercury``; what is wrong is said when the
    gate is built.
    """

    @classmethod
    def oidc(
        cls, url: str, *, audience: str | Collection[str] | AnyAudience, **options: Unpack[Options]
    ) -> Issuer:
        """An OpenID provider, whose discovery document names its keys; ``url`` is its ``iss``, byte for byte."""
        return _make(url, Discovery(url), audience, options)

    @classmethod
    def jwks(
        cls,
        jwks_url: str,
        *,
        issuer: str | None,
        audience: str | Collection[str] | AnyAudience,
        **options: Unpack[Options],
    ) -> Issuer:
        """An issuer whose keys are at a known URL."""
        return _make(issuer, JwksUrl(jwks_url), audience, options)

    @classmethod
    def static(
        cls,
        keys: Mapping[str, Any] | str | bytes | Secret,
        *,
        issuer: str | None,
        audience: str | Collection[str] | AnyAudience,
        **options: Unpack[Options],
    ) -> Issuer:
        """An issuer whose keys are given here: a JWKS document, a PEM, or a ``Secret`` for HMAC."""
        return _make(issuer, StaticKeys(keys), audience, options)

    @classmethod
    def mercury(
        cls,
        base_url: str,
        *,
        signing_secret: Secret | str,
        audience: str | Collection[str] | AnyAudience,
        fallback_tenant: str | None = None,
        **options: Unpack[Options],
    ) -> Issuer:
        """A Mercury: a key set for each project, signed requests, project tokens beside user tokens.

        Args:
            base_url: Its URL without a slash at the end, and the ``iss`` of its tokens, byte for byte.
            signing_secret: The secret that Mercury shares with its services.
            audience: As for every issuer.
            fallback_tenant: The project of user tokens that name none.
            options: As for every issuer; ``tenants`` are the ids of the projects that are served, by default the
                fallback alone; ``leeway`` is 0 unless set (Law 5.8).
        """
        given = _given(defaults(), options)
        if fallback_tenant is not None:
            given.setdefault("tenants", (fallback_tenant,))
        secret = Secret(signing_secret) if isinstance(signing_secret, str) else signing_secret
        signing = RequestSigning(secret)
        plain = _make(base_url, user_keys(base_url, signing), audience, given)
        return replace(
            plain,
            terms=replace(plain.terms, fixed_claims=FIXED),
            mapping=mercury_mapping(plain.mapping, fallback_tenant),
            project_tokens=project_tokens(base_url, plain.terms.leeway, signing),
            mistakes=(*plain.mistakes, *mercury_problems(base_url, plain.tenants), *signing.problems()),
        )

    @classmethod
    def auth_service(
        cls,
        base_url: str,
        *,
        audience: str | Collection[str] | AnyAudience,
        validate_sessions: bool = True,
        **options: Unpack[Options],
    ) -> Issuer:
        """A central auth service, whose tokens have no ``iss`` and are users' or, of the type m2m, services'.

        Args:
            base_url: Where it is.
            audience: As for every issuer.
            validate_sessions: Whether it is asked, every 5 s at most for each token of a user, whether the session
                goes on; while it cannot answer, users get 503.
            options: As for every issuer.
        """
        given = _given(auth_defaults(), options)
        plain = _make(None, auth_keys(base_url), audience, given)
        return replace(
            plain,
            terms=auth_terms(plain.terms),
            mapping=auth_mapping(plain.mapping),
            sessions_url=sessions_url(base_url) if validate_sessions else None,
            action_tokens=True,
        )

    @classmethod
    def m8(
        cls,
        keys: Mapping[str, Any] | str | bytes | Secret,
        *,
        issuer: str | None,
        audience: str | Collection[str] | AnyAudience,
        hooks: ValidationHooks | None = None,
        **options: Unpack[Options],
    ) -> Issuer:
        """An m8 auth_user_service: users with one role each, some of whom are not active.

        Args:
            keys: The URL of its keys, or the keys: a JWKS document, a PEM, or a ``Secret`` for HS256.
            issuer: The exact ``iss``; None for a service that writes none.
            audience: As for every issuer.
            hooks: Told what became of its tokens.
            options: As for every issuer; ``leeway`` is 0 unless set (Law 5.8).
        """
        trust = m8_trust(keys)
        given = _given(m8_defaults(symmetric=isinstance(keys, Secret)), options)
        plain = _make(issuer, trust, audience, given)
        terms = replace(plain.terms, fixed_claims=M8_FIXED)
        return replace(plain, terms=terms, mapping=m8_mapping(plain.mapping), hooks=hooks)

    @classmethod
    def keycloak(
        cls,
        realm_url: str,
        *,
        audience: str | Collection[str] | AnyAudience,
        introspect: ClientAuthentication | None = None,
        service_clients: Collection[str] | None = None,
        service_by: Collection[KeycloakRule] = (),
        **options: Unpack[Options],
    ) -> Issuer:
        """A realm of Keycloak: its roles, and as ``client:role`` those of its clients; service accounts are services.

        Args:
            realm_url: Its URL without a slash at the end, and the ``iss`` of its tokens, byte for byte.
            audience: As for every issuer.
            introspect: Who asks Keycloak about each token; None has them verified here.
            service_clients: The clients whose service accounts are services; None for all of them.
            service_by: What makes a token a service's besides: a ``role`` of that name, its ``type``, or that its
                ``claims`` name a client and nobody.
            options: As for every issuer.
        """
        given = keycloak_options(realm_url, introspect, service_clients, service_by, options)
        plain = _make(realm_url, keycloak_keys(realm_url), audience, given)
        mistakes = (*plain.mistakes, *keycloak_problems(realm_url, service_by, plain.terms))
        terms = keycloak_terms(plain.terms, service_by)
        return replace(plain, terms=terms, mapping=keycloak_mapping(plain.mapping), mistakes=mistakes)

    @classmethod
    def apex(
        cls,
        base_url: str,
        *,
        audience: AnyAudience,
        issuer: str | None = None,
        service: str | None = None,
        metadata: type | None = None,
        **options: Unpack[Options],
    ) -> Issuer:
        """An apex, which is asked whose each token is, every 5 s at most; while it cannot answer, there is 503.

        ``is_admin`` and ``is_service_admin`` are the roles ``admin`` and ``service_admin``.

        Args:
            base_url: Where it is.
            audience: ``ANY_AUDIENCE``: apex does not say which API a token is for (Law 3.6).
            issuer: The ``iss`` of its tokens, where they are JWTs that have one.
            service: What it calls this service: then it is asked too what the user is to it. A user whom it does
                not know there is no admin of the service and has no metadata.
            metadata: What the metadata of its users must fit, a dataclass or a pydantic model; ``user.model(...)``
                gives it. Metadata of another form is a broken contract, 503.
            options: As for every issuer, but those about what a token says.
        """
        apex = Apex(base_url, service, metadata)
        given = _given(apex_defaults(), options)
        plain = _make(issuer, NoKeys(), audience, given)
        mistakes = (*plain.mistakes, *apex_problems(audience, metadata, options))
        return replace(plain, mapping=apex_mapping(plain.mapping, apex), asked=apex, mistakes=mistakes)


def _given(defaults: Options, options: Mapping[str, object]) -> dict[str, object]:
    return {**defaults, **{name: value for name, value in options.items() if value is not None}}


def _make(
    issuer: str | None,
    trust: KeyOrigin,
    audience: str | Collection[str] | AnyAudience,
    options: Mapping[str, object],
) -> Issuer:
    read = Reader(options)
    symmetric = isinstance(trust, StaticKeys) and isinstance(trust.material, Secret)
    expected = read.issuer(issuer)
    return Issuer(
        issuer=expected,
        name=read.text("name", "default" if expected is None else expected),
        trust=trust,
        terms=read.terms(audience, symmetric=symmetric),
        mapping=read.mapping(),
        grants=read.grants(),
        tenants=read.tenants(),
        introspection=read.introspection(),
        logout_clients=read.logout_clients(),
        allow_http=read.flag("allow_http"),
        tenant_matches_project=read.flag("tenant_matches_project"),
        mistakes=tuple(read.problems),
    )
