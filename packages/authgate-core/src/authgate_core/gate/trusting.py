"""From configured issuers to what their tokens are verified with: rules, and keys that are looked after."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from secrets import token_urlsafe
from typing import Any

from ..cache import Answers, TenantsServed
from ..config import GateConfig
from ..effects import Endpoint, RingName
from ..errors import InvalidClaim
from ..flows.project_token import TrustedProjects
from ..flows.sessions import Sessions
from ..flows.trust import ApexDesk, Asking, TrustedIssuer
from ..issuer import (
    METADATA,
    ApexUser,
    Discovery,
    Issuer,
    JwksUrl,
    NoKeys,
    ServiceUser,
    StaticKeys,
    TenantKeys,
    action_rules,
)
from ..issuer.settings import Grants
from ..jose.claims import TokenRules
from ..jose.keys import KeySet
from ..keyring import KeyRing, KeySource, KeyTimes, TenantRings
from ..principal import MISSING, resolve
from ..runner.refresher import KeyRefresher

__all__ = ["Trusting"]


@dataclass(frozen=True, slots=True)
class Trusting:
    """Binds each issuer to its rules and keys (Law 3.5), and has the keys refreshed.

    Args:
        config: Of the gate.
        refresher: Looks after every key set.
    """

    config: GateConfig
    refresher: KeyRefresher

    def issuer(self, issuer: Issuer) -> TrustedIssuer:
        """An issuer of Bearer tokens."""
        config = self.config
        if not issuer.tells_metadata and any(one.tells_metadata for one in config.trusted_issuers):
            issuer = _telling_none(issuer)
        # The entries of others name tokens one by one; only what we write cuts off by age (Law 3.7).
        by_age = len(config.sources) > len(config.foreign)
        rules = issuer.rules(require_iat=by_age, plain_jti=bool(config.foreign))
        asking, sessions, apex = _asking(issuer, rules), _sessions(issuer), _apex(issuer)
        return TrustedIssuer(issuer, rules, self._keys(issuer), _served(issuer), asking, sessions, apex)

    def actions(self, issuers: Iterable[TrustedIssuer]) -> dict[str, TrustedIssuer]:
        """What tokens of actions are verified with, by the name of the issuer: its keys, and rules of their own."""
        return {one.issuer.name: _of_actions(one) for one in issuers if one.issuer.action_tokens}

    def project_issuers(self) -> dict[str | None, TrustedProjects]:
        """The issuers of project tokens, by exact ``iss``."""
        found = (self._projects(issuer) for issuer in self.config.trusted_issuers)
        return {trusted.tokens.issuer: trusted for trusted in found if trusted is not None}

    def _projects(self, issuer: Issuer) -> TrustedProjects | None:
        tokens = issuer.project_tokens
        name = issuer.project_keys_name
        if tokens is None or name is None:
            return None
        ring = self._ring(RingName(name), _source(issuer, tokens.trust, tokens.algorithms))
        return TrustedProjects(issuer.name, tokens, tokens.rules(), ring, _served(issuer))

    def _keys(self, issuer: Issuer) -> KeyRing | TenantRings:
        origin, algorithms = issuer.trust, issuer.terms.algorithms
        match origin:
            case StaticKeys():
                return self._kept(KeyRing.static(RingName(issuer.name), origin.load(algorithms)), None)
            case NoKeys():
                return KeyRing.static(RingName(issuer.name), KeySet(()))  # which nobody has to look after
            case TenantKeys():
                return self._tenants(issuer, origin)
            case _:
                return self._ring(RingName(issuer.name), _source(issuer, origin, algorithms))

    def _tenants(self, issuer: Issuer, keys: TenantKeys) -> TenantRings:
        listed = issuer.tenants if isinstance(issuer.tenants, frozenset) else ()
        rings = TenantRings(issuer.name, self._times(), listed)
        self.refresher.add_tenants(issuer.name, rings, partial(_tenant_source, issuer, keys))
        return rings

    def _ring(self, name: RingName, source: KeySource) -> KeyRing:
        return self._kept(KeyRing(name, self._times()), source)

    def _kept(self, ring: KeyRing, source: KeySource | None) -> KeyRing:
        self.refresher.add(ring, source)
        return ring

    def _times(self) -> KeyTimes:
        return KeyTimes(key_wait=self.config.key_wait, max_stale=self.config.max_stale)


def _telling_none(issuer: Issuer) -> Issuer:
    """An issuer beside an apex: what its tokens hold in the place of metadata would be taken for the apex's word."""
    besides = issuer.mapping.payload

    def check(claims: Mapping[str, Any]) -> None:
        if resolve(claims, METADATA) is not MISSING:
            raise InvalidClaim(str(METADATA), "is for an apex to tell")
        if besides is not None:
            besides(claims)

    return replace(issuer, mapping=replace(issuer.mapping, payload=check))


def _asking(issuer: Issuer, rules: TokenRules) -> Asking | None:
    """How an issuer is asked about tokens; its answers are kept apart from those of every other configuration."""
    spec = issuer.introspection
    if spec is None:
        return None
    name = f"{issuer.name} (introspection)"
    endpoint = Endpoint(name, spec.url, opens_after=spec.opens_after, longest_rest=spec.longest_rest)
    named = (spec.url, spec.client.client_id, issuer.name, repr(rules))
    # RFC 9068 is about JWTs; what an answer says of an opaque token need not hold all that it asks for.
    asked = rules if spec.jwts else replace(rules, require_at_jwt=False)
    return Asking(spec, endpoint, asked, Answers(os.urandom(32), *named), partial(token_urlsafe, 32))


def _served(issuer: Issuer) -> TenantsServed | None:
    return None if issuer.tenants is None else TenantsServed(issuer.tenants)


def _of_actions(trusted: TrustedIssuer) -> TrustedIssuer:
    # What an application asks of the claims of a user says nothing of those of an action.
    mapping = replace(trusted.issuer.mapping, model=None, validators=())
    issuer = replace(trusted.issuer, mapping=mapping, grants=Grants())
    return TrustedIssuer(issuer, action_rules(trusted.rules), trusted.keys, trusted.served)


def _sessions(issuer: Issuer) -> Sessions | None:
    url = issuer.sessions_url
    if url is None:
        return None
    answers = Answers[bool](os.urandom(32), url, issuer.name)
    return Sessions(Endpoint(f"{issuer.name} (sessions)", url), answers, issuer.allow_http)


def _apex(issuer: Issuer) -> ApexDesk | None:
    spec = issuer.asked
    if spec is None:
        return None
    named = (spec.base_url, spec.service or "", issuer.name)
    return ApexDesk(
        spec,
        Endpoint(f"{issuer.name} (users)", spec.user_url),
        Endpoint(f"{issuer.name} (service)", spec.users_url),
        Answers[ApexUser](os.urandom(32), *named),
        Answers[ServiceUser[Mapping[str, Any]]](os.urandom(32), *named),
        issuer.allow_http,
    )


def _source(issuer: Issuer, origin: JwksUrl | Discovery, algorithms: frozenset[str]) -> KeySource:
    if isinstance(origin, JwksUrl):
        return KeySource(
            algorithms=algorithms,
            jwks_url=origin.url,
            plain_http=issuer.allow_http,
            signing=origin.signing,
        )
    return KeySource(
        algorithms=algorithms,
        discovery_url=origin.document_url,
        issuer=issuer.issuer,
        plain_http=issuer.allow_http,
    )


def _tenant_source(issuer: Issuer, keys: TenantKeys, tenant: str) -> KeySource:
    source = _source(issuer, JwksUrl(keys.url_of(tenant), keys.signing), issuer.terms.algorithms)
    return replace(source, pem_kid=tenant) if keys.pem else source
