"""What ``gate.revocations`` writes, before anything is stored: the colourless half of it (Laws 5.6 to 5.8)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from math import isfinite

from ..clock import Clock
from ..config.gate_config import GateConfig
from ..credentials import BearerToken
from ..effects import Flow
from ..errors import InvalidClaim, MalformedToken, TokenExpired, TokenInactive
from ..flows.introspection import vouched_claims
from ..flows.logout import verify_logout
from ..flows.token import verify_token
from ..flows.trust import Trust, TrustedIssuer
from ..jose.compact import parse_header
from ..principal import Revocation, TokenRef, is_uuid
from ..revocation import cut_off_entry, key_entry, session_entry, token_entry
from ..secret import Secret

__all__ = ["RevocationEntries"]


@dataclass(frozen=True, slots=True)
class RevocationEntries:
    """Writes entries, but stores none: the colourless half of ``Revocations``.

    Args:
        config: The gate's configuration.
        clock: Where the present moment comes from.
        trust: What tokens are verified with.
        issuers: By configured name.
    """

    config: GateConfig
    clock: Clock
    trust: Trust
    issuers: Mapping[str, TrustedIssuer]

    def token(self, token_or_jti: Secret, issuer: str | None, tenant: str | None) -> Flow[Revocation | None]:
        """The entry for a token, given whole or by its ``jti``.

        A whole one is verified first: a forgery must not revoke the token that it imitates.

        Returns:
            The entry, or None for a token that has expired and is refused without one.

        Raises:
            InvalidToken: If a whole token does not verify.
            ValueError: If it is not of the issuer and tenant that were named.
        """
        if not self._is_token(token_or_jti.reveal()):
            return (yield from self._of_text(token_or_jti, issuer, tenant))
        now = self.clock.now()
        try:
            trusted, verified = yield from verify_token(BearerToken(token_or_jti), self.trust, now)
        except TokenExpired:
            return None
        _, ref = trusted.issuer.identify(verified, self.trust.expand)
        return self._of(ref, issuer, tenant)

    def _of(self, ref: TokenRef, issuer: str | None, tenant: str | None) -> Revocation:
        if issuer not in {None, ref.issuer} or tenant not in {None, ref.tenant}:
            raise ValueError(
                f"the token is of issuer {ref.issuer!r} and tenant {ref.tenant!r}, not of those that were named"
            )
        limit = self._lifetime(ref.issuer)
        return token_entry(
            ref.issuer,
            ref.tenant,
            ref.name,
            expires_at=ref.expires_at if isfinite(ref.expires_at) else None,
            max_lifetime=limit,
            now=self.clock.now(),
        )

    def _of_text(self, text: Secret, issuer: str | None, tenant: str | None) -> Flow[Revocation]:
        """The entry for what is no JWT: an opaque token, if its issuer says that it is one, else a ``jti``."""
        opaque = self.trust.opaque
        if opaque is None or issuer not in {None, opaque.issuer.name}:
            return self._of_jti(text, issuer, tenant)
        try:
            with opaque.named:
                claims = yield from vouched_claims(BearerToken(text), opaque, self.clock.now())
                _, ref = opaque.issuer.identify(claims, self.trust.expand)
        except (TokenInactive, MalformedToken):
            return self._of_jti(text, issuer, tenant)
        return self._of(ref, issuer, tenant)

    def _of_jti(self, jti: Secret, issuer: str | None, tenant: str | None) -> Revocation:
        if any(map(self._is_token, jti.reveal().split())):
            raise ValueError("give the token alone, without its scheme and without blanks")
        name = self._issuer(issuer, tenant)
        limit = self._lifetime(name)
        return token_entry(
            name, tenant, jti.reveal(), expires_at=None, max_lifetime=limit, now=self.clock.now()
        )

    def logout(self, token: Secret) -> Flow[Revocation]:
        """The entry for what a logout token ends: one session, or all that its subject has had by then.

        Raises:
            InvalidToken: If it is no good logout token.
            KeysUnavailable: If its keys could not be had.
        """
        now = self.clock.now()
        ended = yield from verify_logout(BearerToken(token), self.trust, now)
        issuer, said = ended.trusted.issuer, ended.claims
        limit = issuer.terms.max_lifetime
        if said.session_id is not None:
            return session_entry(issuer.name, ended.tenant, said.session_id, max_lifetime=limit, now=now)
        if issuer.mapping.subject.parts != ("sub",) or said.subject is None:
            raise InvalidClaim(
                "sid", "is missing, and the ids of this issuer are not in sub", issuer=issuer.name
            )
        return cut_off_entry(
            issuer.name,
            ended.tenant,
            subject=f"{issuer.mapping.namespace}{said.subject}",
            before=said.issued_at,
            max_lifetime=limit,
            now=now,
        )

    def session(self, sid: str, issuer: str | None, tenant: str | None) -> Revocation:
        """The entry for a session."""
        name = self._issuer(issuer, tenant)
        return session_entry(name, tenant, sid, max_lifetime=self._lifetime(name), now=self.clock.now())

    def cut_off(
        self,
        moment: float | datetime | None,
        *,
        subject: str | None,
        client_id: str | None,
        tenant: str | None,
        issuer: str | None,
        except_session: str | None,
    ) -> Revocation:
        """The entry for everything of a subject, client or tenant that was issued before a moment."""
        name = self._issuer(issuer, tenant)
        namespace = self.issuers[name].issuer.mapping.namespace
        if subject is not None and not subject.startswith(namespace):
            raise ValueError(f"subject={subject!r}: ids of issuer {name!r} begin with {namespace!r}")
        return cut_off_entry(
            name,
            tenant,
            subject=subject,
            client_id=client_id,
            before=_unix(moment) if isinstance(moment, datetime) else moment,
            except_session=except_session,
            max_lifetime=self._lifetime(name),
            now=self.clock.now(),
        )

    def key(self, kid: str, issuer: str | None, tenant: str | None) -> Revocation:
        """The entry for a key."""
        name = self._issuer(issuer, tenant)
        return key_entry(name, tenant, kid, max_lifetime=self._lifetime(name), now=self.clock.now())

    def _is_token(self, token_or_jti: str) -> bool:
        """Whether this is a whole token: three segments, of which the first is a JOSE header."""
        if token_or_jti.count(".") != 2:  # RFC 7515 section 3.1
            return False
        try:
            parse_header(token_or_jti.partition(".")[0], self.trust.limits)
        except MalformedToken:
            return False
        return True

    def _issuer(self, name: str | None, tenant: str | None) -> str:
        """The issuer that is meant; an entry that no token could ever match is refused, not written."""
        if name is None and len(self.issuers) == 1:
            name = next(iter(self.issuers))
        if name is None or name not in self.issuers:
            raise ValueError(f"issuer={name!r}: name one of {', '.join(map(repr, self.issuers)) or 'none'}")
        mapping = self.issuers[name].issuer.mapping
        has_tenants = mapping.tenant is not None
        if has_tenants and tenant is None:
            raise ValueError(f"tenant=None: every token of issuer {name!r} is of a tenant; name it")
        if tenant is not None and not has_tenants:
            raise ValueError(f"tenant={tenant!r}: issuer {name!r} has no tenants; leave it out")
        if mapping.tenant_is_uuid and not is_uuid(tenant):
            raise ValueError(f"tenant={tenant!r}: each tenant of issuer {name!r} is a UUID in lower case")
        return name

    def _lifetime(self, issuer: str) -> float | None:
        return self.issuers[issuer].issuer.terms.max_lifetime


def _unix(moment: datetime) -> float:
    if moment.tzinfo is None:
        raise ValueError("the moment has no time zone; write datetime.now(timezone.utc), or Unix seconds")
    return moment.timestamp()
