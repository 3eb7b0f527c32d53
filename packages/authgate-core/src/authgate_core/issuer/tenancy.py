"""Which tenant a token is of, and where each tenant's keys are (Law 3.12)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

from ..errors import InvalidClaim
from ..ports import tenant_problems
from ..principal import ClaimPath, is_uuid, resolve
from ..request import url_problems
from ..signing import RequestSigning
from .settings import ClaimsMap

__all__ = ["Served", "TenantKeys", "tenancy_problems", "tenant_of"]

Served: TypeAlias = frozenset[str] | Callable[[str], bool]
"""The tenants that are served: by name, or by a predicate."""

_MARK: Final = "{tenant}"


@dataclass(frozen=True, slots=True)
class TenantKeys:
    """Keys that an issuer publishes for each tenant apart.

    Args:
        base_url: Where the issuer is, without a slash at the end.
        path: Where below that; ``{tenant}`` stands for the tenant's UUID, the one part that a caller has a say in.
        signing: Signs the requests, where the issuer asks for that.
        pem: Whether it is not a set that is there but one key in PEM, of the same name as the tenant: AWS load
            balancers have no tenants, and publish each of their keys apart.
    """

    base_url: str
    path: str
    signing: RequestSigning | None = field(default=None, repr=False)
    pem: bool = False

    def url_of(self, tenant: str) -> str:
        """Where the keys of a tenant are; only a canonical UUID ever becomes a part of a URL.

        Raises:
            ValueError: If it is none.
        """
        if not is_uuid(tenant):
            raise ValueError("the tenant is not a UUID in lower case")
        return self.base_url + self.path.replace(_MARK, tenant)

    def problems(self, *, plain_http: bool) -> Iterator[str]:
        """What is wrong with the URL."""
        yield from url_problems("base_url", self.base_url, plain_http=plain_http)


def tenant_of(claims: Mapping[str, Any], path: ClaimPath, fallback: str | None, *, uuid: bool) -> str:
    """The tenant that claims name; the fallback only where they name none at all.

    Raises:
        InvalidClaim: If it is missing without a fallback, null, of another type or in another spelling. The
            value is not repeated: nothing may be verified yet (Law 1.2).
    """
    if fallback is not None and path.parts[0] not in claims:  # what is there and leads nowhere names none
        return fallback
    value = resolve(claims, path)
    if uuid and not is_uuid(value):
        raise InvalidClaim(str(path), "is not a UUID in lower case")
    if not isinstance(value, str) or not value:
        raise InvalidClaim(str(path), "is missing, or no text")
    return value


def tenancy_problems(tenants: object, mapping: ClaimsMap, *, matched: bool) -> Iterator[str]:
    """What is wrong with the tenants of an issuer.

    Args:
        tenants: Those that are served, as they were given.
        mapping: Which claim names one.
        matched: Whether users go with projects of their own tenant only.
    """
    if matched and mapping.tenant is None:
        yield "tenant_matches_project: needs tenant=..., the claim that holds the project's id"
    if tenants is not None and mapping.tenant is None:
        yield "tenants: needs tenant=..., the claim that holds the tenant"
    if tenants is not None:
        yield from tenant_problems(tenants, uuid=mapping.tenant_is_uuid)
    fallback: object = mapping.fallback_tenant
    if fallback is not None and mapping.tenant_is_uuid and not is_uuid(fallback):
        yield "fallback_tenant: is no UUID in lower case, 8-4-4-4-12, and no other tenant has keys"
