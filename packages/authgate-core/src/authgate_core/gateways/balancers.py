"""AWS load balancers that sign users in: whose token they hand on, where its keys are, and who may have signed it."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import replace
from typing import Final, cast

from ..issuer import ANY_AUDIENCE, Issuer, TenantKeys
from ..jose.balancer import BalancerRules
from ..request import url_problems

__all__ = ["balancer_issuer", "balancer_problems", "balancer_rules"]

_ARN: Final = re.compile(
    r"arn:(aws[a-z-]*):elasticloadbalancing:([a-z]{2}(?:-[a-z]+)+-[0-9]{1,2}):[0-9]{12}:loadbalancer/app/[A-Za-z0-9-]+/[0-9a-f]+",
    re.ASCII,
)
_KEYS: Final = {
    "aws": "https://public-keys.auth.elb.{region}.amazonaws.com",
    "aws-us-gov": "https://s3-{region}.amazonaws.com/aws-elb-public-keys-prod-{region}",
}
"""Where each partition of AWS publishes the keys of a region."""


def balancer_rules(signer: object, client_id: object) -> BalancerRules:
    """What headers must say; what of it is wrong is said by ``balancer_problems``."""
    return BalancerRules(frozenset(_texts(signer)), frozenset(_texts(client_id)))


def balancer_issuer(issuer: str, signers: Collection[str], keys_url: str | None) -> Issuer:
    """The issuer as whose tokens they are verified: their provider's name, and their own region's keys.

    A token of theirs has no audience: the client in its header, which is checked besides, takes that place.
    """
    base = (keys_url or next(filter(None, map(_keys_of, sorted(signers))), "")).rstrip("/")
    plain = Issuer.jwks(base, issuer=issuer, audience=ANY_AUDIENCE, name="alb", algorithms=["ES256"])
    return replace(
        plain,
        trust=TenantKeys(base, "/{tenant}", pem=True),
        terms=replace(plain.terms, require_kid=True),
    )


def balancer_problems(signer: object, client_id: object, issuer: object, keys_url: object) -> Iterator[str]:
    """What is wrong: a sentence each, with the fix (Law 1.6)."""
    signers = _texts(signer)
    places = {_keys_of(arn) for arn in signers}
    if not signers or not all(map(_ARN.fullmatch, signers)):
        yield "signer: give the load balancer's ARN, arn:aws:elasticloadbalancing:REGION:ACCOUNT:loadbalancer/app/..."
    elif keys_url is None and len(places) > 1:
        yield "signer: load balancers of several regions have keys in several places; build a gate for each"
    elif keys_url is None and None in places:
        yield "keys_url: where this partition of AWS publishes keys is not known here; give what is before a key's id"
    if keys_url is not None:
        yield from url_problems("keys_url", keys_url, plain_http=None)
    if not _texts(client_id):
        yield "client_id: give the OAuth client of the load balancer's rule; its tokens have no audience besides"
    if not isinstance(issuer, str) or not issuer:
        yield "issuer: give the exact iss of the provider that the load balancer signs users in with"


def _texts(given: object) -> tuple[str, ...]:
    """One text or several; none where anything else is among them."""
    several = (
        cast("Collection[object]", given) if isinstance(given, (list, tuple, set, frozenset)) else (given,)
    )
    texts = tuple(text for text in several if isinstance(text, str) and text)
    return texts if len(texts) == len(several) else ()


def _keys_of(arn: str) -> str | None:
    found = _ARN.fullmatch(arn)
    form = None if found is None else _KEYS.get(found[1])
    return None if found is None or form is None else form.format(region=found[2])
