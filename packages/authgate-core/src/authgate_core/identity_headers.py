"""What a gateway says of a caller in headers: a part of reading credentials, which ``credentials`` alone asks for.

Nothing here is believed: that the headers are the gateway's own is for the flow to find out (Law 2.7).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final, Literal, TypeAlias

from .errors import MalformedCredentials
from .headers import CONTENT_DIGEST, SIGNATURE, SIGNATURE_INPUT, HeaderPairs, values

__all__ = [
    "CallerKind",
    "GatewayIdentity",
    "IdentityHeaders",
    "MessageSignature",
    "asserted",
    "is_printable",
    "read_identity",
    "single",
]

CallerKind: TypeAlias = Literal["user", "service"]

_PRINTABLE: Final = bytes(range(0x20, 0x7F))
_SCHEME: Final = "Bearer"
_TRUE: Final = "true"


@dataclass(frozen=True, slots=True, kw_only=True)
class IdentityHeaders:
    """How a gateway names the headers in which it says who calls, in lower case.

    Args:
        user: The id of a user.
        service: The name of a service.
        texts: The claims that one header each holds, by header.
        roles: The roles of either kind, a comma list each.
        scopes: The scopes.
        separator: What separates the scopes.
        marks: What says, by ``true``, that the gateway has identified somebody.
        service_mark: What says so, besides, of a service.
        anonymous: What says, by ``true``, that it has identified nobody.
        on_behalf: The id of the user for whom whoever was identified calls.
        stamp: When the gateway signed, and the signature, as HMAC v1 has them.
        shared: Those that also come to requests about which the gateway says nothing.
        signed: Whether the message is signed (RFC 9421); the headers of a signature are not looked at otherwise.
    """

    user: str | None = None
    service: str | None = None
    texts: tuple[tuple[str, str], ...] = ()
    roles: tuple[tuple[CallerKind, str], ...] = ()
    scopes: str | None = None
    separator: str = " "
    marks: tuple[str, ...] = ()
    service_mark: str | None = None
    anonymous: str | None = None
    on_behalf: str | None = None
    stamp: tuple[str, str] | None = None
    shared: frozenset[str] = frozenset()
    signed: bool = False

    def names(self) -> tuple[str, ...]:
        """Every header that says something about the caller; the signature of v1 says nothing."""
        subjects = (self.user, self.service, self.on_behalf, self.service_mark, self.anonymous, self.scopes)
        more = (*self.marks, *(name for name, _ in self.texts), *(name for _, name in self.roles))
        return (*(name for name in subjects if name is not None), *more)

    def read(self) -> tuple[str, ...]:
        """Every header that is read."""
        signature = (SIGNATURE_INPUT, SIGNATURE, CONTENT_DIGEST) if self.signed else ()
        return (*self.names(), *(self.stamp or ()), *signature)

    def lists(self) -> frozenset[str]:
        """Those that may hold a comma."""
        several = {SIGNATURE_INPUT, SIGNATURE, CONTENT_DIGEST, *(name for _, name in self.roles)}
        return frozenset(several | {self.scopes} if self.scopes and self.separator == "," else several)


@dataclass(frozen=True, slots=True)
class MessageSignature:
    """The headers of a message signature (RFC 9421 section 4), as they arrived.

    Args:
        inputs: ``Signature-Input``.
        signatures: ``Signature``.
        digest: ``Content-Digest`` (RFC 9530).
    """

    inputs: str
    signatures: str = field(repr=False)
    digest: str | None = None


@dataclass(frozen=True, slots=True)
class GatewayIdentity:
    """Whom a gateway, or somebody who pretends to be one, says the caller is.

    Args:
        kind: Whether a person or a program.
        id: What identifies them.
        claims: What else is said, by the name of the claim.
        roles: In the order of the header.
        scopes: In the order of the header.
        names: The headers that said something.
        stamp: When it was signed by HMAC v1, as it was written, and the signature.
        signature: The message signature.
    """

    kind: CallerKind
    id: str
    claims: tuple[tuple[str, str], ...] = ()
    roles: tuple[str, ...] = ()
    scopes: tuple[str, ...] = ()
    names: frozenset[str] = frozenset()
    stamp: tuple[str, str] | None = field(default=None, repr=False)
    signature: MessageSignature | None = None

    def claim(self, name: str) -> str | None:
        """What is said under the name of a claim."""
        return next((value for claim, value in self.claims if claim == name), None)


def read_identity(headers: HeaderPairs, names: IdentityHeaders, limit: int) -> GatewayIdentity | None:
    """Read who a gateway says the caller is; None where it says nothing.

    Args:
        headers: The request's headers, names in lower case.
        names: How the gateway names them.
        limit: How long each may be, in bytes (Law 2.4).

    Raises:
        MalformedCredentials: If they can be read in more than one way, or are half of what a gateway sends.
    """
    found = dict(_found(headers, names, limit))
    if names.anonymous is not None and _is_marked(found, names.anonymous):
        return None
    said = found.keys() & set(names.names())
    if not said - names.shared - {names.anonymous}:
        return None
    kind, identifier = _subject(found, names)
    _check_marks(found, names, kind)
    claims = [(claim, found[name]) for name, claim in names.texts if found.get(name)]
    if names.on_behalf is not None and found.get(names.on_behalf):
        # What else is said is said of the client, and its name is not the user's.
        claims = [*(one for one in claims if one[0] != "preferred_username"), ("client_id", identifier)]
        kind, identifier = "user", found[names.on_behalf]
    roles = next((name for whose, name in names.roles if whose == kind), None)
    return GatewayIdentity(
        kind,
        identifier,
        tuple(claims),
        _list(found, roles, ","),
        _list(found, names.scopes, names.separator),
        frozenset(said),
        _stamp(found, names),
        _signature(found),
    )


def _found(headers: HeaderPairs, names: IdentityHeaders, limit: int) -> Iterator[tuple[str, str]]:
    lists = names.lists()
    for name in names.read():
        value = single(headers, name, limit, _SCHEME)
        if value is None:
            continue
        if "," in value and name not in lists:  # Law 2.8: a WSGI server joins what was repeated
            raise _malformed(f"the header {name} holds a comma")
        yield name, value


def _is_marked(found: dict[str, str], mark: str) -> bool:
    """Whether a mark is set; what is neither ``true`` nor ``false`` may be read in either way."""
    value = found.get(mark, "").lower()
    if value not in {"", _TRUE, "false"}:
        raise _malformed(f"the header {mark} is neither true nor false")
    return value == _TRUE


def _check_marks(found: dict[str, str], names: IdentityHeaders, kind: CallerKind) -> None:
    for mark in names.marks:
        if not _is_marked(found, mark):
            raise _malformed(f"an identity without {mark}: true")
    own = names.service_mark
    if own is not None and _is_marked(found, own) != (kind == "service"):
        raise _malformed(f"{own} says something else of the caller than the other headers")


def _subject(found: dict[str, str], names: IdentityHeaders) -> tuple[CallerKind, str]:
    user = found.get(names.user) if names.user is not None else None
    service = found.get(names.service) if names.service is not None else None
    if user is not None and service is not None:
        raise _malformed("a user and a service in one request")
    identifier = service if user is None else user
    if not identifier:
        raise _malformed("what belongs to an identity, without the id")
    return ("service" if user is None else "user"), identifier


def _list(found: dict[str, str], name: str | None, separator: str) -> tuple[str, ...]:
    if name is None:
        return ()
    parts = (part.strip(" \t") for part in found.get(name, "").split(separator))
    return tuple(dict.fromkeys(part for part in parts if part))


def _stamp(found: dict[str, str], names: IdentityHeaders) -> tuple[str, str] | None:
    if names.stamp is None:
        return None
    time, signature = (found.get(name) for name in names.stamp)
    if time is None and signature is None:
        return None
    if not time or not signature:
        raise _malformed("half a signature of the gateway: its time or itself is missing")
    return time, signature


def _signature(found: dict[str, str]) -> MessageSignature | None:
    inputs, signatures = found.get(SIGNATURE_INPUT), found.get(SIGNATURE)
    if inputs is None or signatures is None:
        return None
    return MessageSignature(inputs, signatures, found.get(CONTENT_DIGEST))


def _malformed(reason: str) -> MalformedCredentials:
    return MalformedCredentials(reason, scheme=_SCHEME)


def asserted(headers: HeaderPairs, name: str, limit: int) -> str | None:
    """Read the token that a gateway hands on in a header of its own; None where there is none.

    Raises:
        MalformedCredentials: If it can be read in more than one way.
    """
    value = single(headers, name, limit, _SCHEME)
    if value is not None and (not value or " " in value or "," in value):
        raise _malformed("an empty or joined assertion of the gateway")
    return value


def single(headers: HeaderPairs, name: str, limit: int, scheme: str) -> str | None:
    """The value of a header that may be there once; None where it is not there.

    Args:
        headers: The request's headers, names in lower case.
        name: The header.
        limit: How long it may be, in bytes (Law 2.4).
        scheme: Of which credential it is a part.

    Raises:
        MalformedCredentials: If it is repeated, too long, or holds control or non-ASCII characters (Law 2.2).
    """
    found = values(headers, name)
    if not found:
        return None
    if len(found) > 1:
        raise MalformedCredentials(f"the header {name} is repeated", scheme=scheme)
    # RFC 9110 section 5.5: outer white space is no part of a value; not every server takes it off.
    value = found[0].strip(" \t")
    if len(value) > limit:
        raise MalformedCredentials(f"the header {name} is longer than {limit} bytes", scheme=scheme)
    if not is_printable(value):
        raise MalformedCredentials(f"control or non-ASCII characters in {name}", scheme=scheme)
    return value


def is_printable(text: str) -> bool:
    """Whether a text is of printable ASCII characters and blanks alone."""
    return text.isascii() and not text.encode("ascii").translate(None, _PRINTABLE)
