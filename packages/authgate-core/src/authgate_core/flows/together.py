"""Whom several guards of one request admit, held against each other (Law 6.8)."""

from __future__ import annotations

from ..errors import TenantMismatch
from ..principal import Admission, Project, User
from ..request import RequestView

__all__ = ["everyone_admitted"]


def everyone_admitted(
    admission: Admission, view: RequestView, gate: int, bound: frozenset[str]
) -> tuple[object, ...]:
    """Whom a guard admits, behind those whom earlier guards of the request did.

    Args:
        admission: Whom the guard admits.
        view: The request.
        gate: The gate whose guards are meant (Law 2.6).
        bound: The issuers whose users go with projects of their own tenant only.

    Raises:
        TenantMismatch: If a user of such an issuer and a project among them belong to different tenants.
    """
    memo = view.memo
    held = () if memo is None else memo.admitted.get(gate, ())
    everyone: tuple[object, ...] = admission.principals
    if held:
        everyone = (*held, *(principal for principal in everyone if principal not in held))
    if bound:
        _check_tenants(everyone, bound)
    return everyone


def _check_tenants(everyone: tuple[object, ...], bound: frozenset[str]) -> None:
    projects = {principal.id for principal in everyone if isinstance(principal, Project)}
    for user in everyone:
        if isinstance(user, User) and user.issuer in bound and projects - {user.tenant}:
            raise TenantMismatch("the user is of one tenant, the project of another", issuer=user.issuer)
