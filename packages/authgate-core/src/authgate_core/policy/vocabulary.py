"""The words of a policy: values and functions that read as a sentence when they are put together.

Every function but ``check`` takes ``of=``: which principal it is about, ``User``, ``Service``, ``Project`` or
``ApiKey`` (or ``is_user`` and its like). It is needed only where a group joined by ``&`` names several (Law 8.3).
"""

from __future__ import annotations

import re
from inspect import iscoroutinefunction
from typing import Final, TypeAlias

from ..credentials import API_KEY, APP, BEARER
from ..principal import ApiKey, ClaimPath, Project, Service, User, as_path
from .algebra import Leaf, Policy
from .step_up import Action, AnyAcr, FreshWithin
from .terms import (
    AnyClient,
    Check,
    CheckFunction,
    ClaimEquals,
    FromIssuer,
    HasClaim,
    HasMetadata,
    Is,
    Roles,
    SameTenant,
    Scalar,
    Scopes,
)

__all__ = [
    "Of",
    "action",
    "all_roles",
    "all_scopes",
    "any_acr",
    "any_client",
    "any_role",
    "any_scope",
    "check",
    "claim_equals",
    "fresh_within",
    "from_issuer",
    "has_claim",
    "has_metadata",
    "is_api_key",
    "is_project",
    "is_service",
    "is_user",
    "same_tenant",
]

Of: TypeAlias = type[User] | type[Service] | type[Project] | type[ApiKey] | Leaf | None
"""How a condition names the principal that it is about."""

is_user: Final = Leaf(Is("is_user", User, BEARER))
"""A person, identified by a Bearer token."""

is_service: Final = Leaf(Is("is_service", Service, BEARER))
"""A program, identified by a Bearer token that its issuer calls a service's (Law 3.13)."""

is_project: Final = Leaf(Is("is_project", Project, APP))
"""A project, identified by its app id and secret."""

is_api_key: Final = Leaf(Is("is_api_key", ApiKey, API_KEY))
"""An API key, whoever presents it."""

_WORD: Final = re.compile(r"[\x21-\x7e]+")

_KINDS: Final[tuple[tuple[object, Leaf], ...]] = (
    (User, is_user),
    (Service, is_service),
    (Project, is_project),
    (ApiKey, is_api_key),
)


def any_role(*names: str, of: Of = None) -> Policy:
    """Whether the principal has at least one of these roles; of none: no."""
    return Leaf(Roles(_texts("any_role", names), every=False, of=_of(of)))


def all_roles(*names: str, of: Of = None) -> Policy:
    """Whether the principal has every one of these roles; of none: no."""
    return Leaf(Roles(_texts("all_roles", names), every=True, of=_of(of)))


def any_scope(*names: str, of: Of = None) -> Policy:
    """Whether the principal has at least one of these scopes; of none: no."""
    return Leaf(Scopes(_texts("any_scope", names), every=False, of=_of(of)))


def all_scopes(*names: str, of: Of = None) -> Policy:
    """Whether the principal has every one of these scopes; of none: no."""
    return Leaf(Scopes(_texts("all_scopes", names), every=True, of=_of(of)))


def has_claim(path: str | ClaimPath, *values: Scalar, of: Of = None) -> Policy:
    """Whether a claim is present and not null, or where values are given, is one of them or a list with one.

    Args:
        path: Dotted, or a ``claim_path`` where names hold dots (Law 3.9).
        values: Texts, numbers or booleans, compared with their JSON type: 1 is neither "1" nor true.
        of: Which principal it is about.
    """
    return Leaf(HasClaim(as_path(path), tuple(map(_typed, values)), of=_of(of)))


def has_metadata(path: str | ClaimPath | None = None, *values: Scalar, of: Of = None) -> Policy:
    """Whether an apex keeps metadata of this service about the user; with a path, as ``has_claim`` asks of a claim.

    It goes with an issuer that tells metadata: ``Issuer.apex(..., service=...)``. What a model would put in the place
    of what is missing is not there.

    Args:
        path: Within the metadata; None asks only whether there is any.
        values: As for ``has_claim``.
        of: Which principal it is about.
    """
    within = None if path is None else as_path(path)
    return Leaf(HasMetadata(within, tuple(map(_typed, values)), of=_of(of)))


def any_client(*ids: str, of: Of = None) -> Policy:
    """Whether the token was issued to one of these OAuth clients."""
    return Leaf(AnyClient(_texts("any_client", ids), of=_of(of)))


def from_issuer(*names: str, of: Of = None) -> Policy:
    """Whether one of these issuers, by their configured names, vouches for the principal."""
    return Leaf(FromIssuer(_texts("from_issuer", names), of=_of(of)))


def same_tenant(*, path: str, of: Of = None) -> Policy:
    """Whether the principal's tenant is the one in the path.

    Args:
        path: The name of the path parameter; a request or a principal without one is refused.
        of: Which principal it is about.
    """
    return Leaf(SameTenant(_text("same_tenant", path), of=_of(of)))


def claim_equals(claim: str | ClaimPath, *, path: str, of: Of = None) -> Policy:
    """Whether a claim, a text or a whole number, is what stands in the path.

    Args:
        claim: Dotted, or a ``claim_path`` where names hold dots (Law 3.9).
        path: The name of the path parameter; a request without it is refused.
        of: Which principal it is about.
    """
    return Leaf(ClaimEquals(as_path(claim), _text("claim_equals", path), of=_of(of)))


def fresh_within(seconds: int, *, of: Of = None) -> Policy:
    """Whether the user logged in so lately; a token that does not say when is refused (RFC 9470).

    Args:
        seconds: How long ago the login may be at the moment of admission, by this machine's clock.
        of: Which principal it is about.

    Raises:
        TypeError: If that is no positive whole number.
    """
    return Leaf(FreshWithin(_seconds(seconds), of=_of(of)))


def any_acr(*values: str, of: Of = None) -> Policy:
    """Whether the user logged in in one of these ways, by the token's ``acr``; of none: no (RFC 9470).

    Args:
        values: Classes of authentication, the preferred one first.
        of: Which principal it is about.

    Raises:
        TypeError: If one cannot stand in a challenge, whose list of them is separated by spaces.
    """
    return Leaf(AnyAcr(tuple(map(_acr, values)), of=_of(of)))


def action(name: str, *, once: bool = True, of: Of = None) -> Policy:
    """Whether the user has confirmed this action, as a token in ``X-Action-Token`` says.

    It goes with an issuer that has such tokens: ``Issuer.auth_service(...)``. Who has not is asked to, as for a
    stronger login.

    Args:
        name: The action, as the auth service calls it.
        once: Whether the token is used up by the request that it lets in, so that no other can bring it again.
        of: Which principal it is about.

    Raises:
        TypeError: If the name cannot stand in a header.
    """
    if not isinstance(once, bool):
        raise TypeError(f"action takes once=True or once=False, not {once!r}")
    return Leaf(Action(_word("action", name), once, of=_of(of)))


def check(name: str, fn: CheckFunction) -> Policy:
    """Ask a function of your own.

    Args:
        name: What the policy calls it when it is printed and logged.
        fn: Pure: looks at the principals of its branch and at the request, does no I/O, and returns a bool.
            It lets nobody in by itself: without a kind beside it, a Bearer token is required (Law 8.6).

    Raises:
        TypeError: If ``fn`` cannot be called, or is a coroutine function.
    """
    _check_function(fn)
    return Leaf(Check(_text("check", name), fn))


def _texts(function: str, texts: tuple[object, ...]) -> tuple[str, ...]:
    return tuple(_text(function, text) for text in texts)


def _text(function: str, text: object) -> str:
    if not isinstance(text, str) or not text:
        raise TypeError(f"{function} takes texts that are not empty, one by one, and {text!r} is none")
    return str.__str__(text)  # a member of a text Enum is compared and printed as its value


def _acr(value: object) -> str:
    return _word("any_acr", value)


def _word(function: str, value: object) -> str:
    text = _text(function, value)
    if not _WORD.fullmatch(text):
        raise TypeError(f"{function} takes printable ASCII texts without spaces, and {value!r} is none")
    return text


def _seconds(seconds: object) -> int:
    if isinstance(seconds, bool) or not isinstance(seconds, int) or seconds < 1:
        raise TypeError(f"fresh_within takes a positive whole number of seconds, and {seconds!r} is none")
    return seconds


def _typed(value: Scalar) -> tuple[type, Scalar]:
    plain = str.__str__(value) if isinstance(value, str) else value
    if type(plain) not in (str, int, float, bool):
        raise TypeError(f"has_claim compares texts, numbers and booleans, and {value!r} is none")
    return type(plain), plain


def _check_function(fn: object) -> None:
    if not callable(fn) or iscoroutinefunction(fn):
        raise TypeError(f"check takes a plain function of (admission, request), not {fn!r}")


def _of(of: object) -> Is | None:
    for kind, leaf in _KINDS:
        if (of is kind or of == leaf) and isinstance(leaf.term, Is):
            return leaf.term
    if of is not None:
        raise TypeError(f"of= takes User, Service, Project or ApiKey, not {of!r}")
    return None
