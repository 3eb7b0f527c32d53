"""What the older client of Mercury exported for GraphQL, over authgate's own.

Change the import line to ``from authgate_graphql.compat.mercury import ...``. Its names for Strawberry and for Graphene
are loaded with the library that they are for, of which an environment holds one; type checkers see them in
``authgate_graphql.compat.mercury.strawberry`` and ``.graphene``.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any, Final

from ...carriers import AuthenticatedRequest, GqlContext
from ...reading import get_current_project, get_current_user, is_authenticated, is_project_authenticated
from .helper import GraphQLAuthHelper

__all__ = [
    "AuthenticatedRequest",
    "GqlContext",
    "GraphQLAuthHelper",
    "get_current_project",
    "get_current_user",
    "is_authenticated",
    "is_project_authenticated",
]

_LATER: Final = {
    "AuthenticationExtension": "strawberry",
    "CombinedAuthPermission": "strawberry",
    "JWTAuthPermission": "strawberry",
    "ProjectAuthPermission": "strawberry",
    "requires_combined_auth": "strawberry",
    "requires_jwt_auth": "strawberry",
    "requires_project_auth": "strawberry",
    "combined_auth_required": "graphene",
    "jwt_auth_required": "graphene",
    "project_auth_required": "graphene",
}


def __getattr__(name: str) -> Any:  # noqa: ANN401 - of the library that is there
    library = _LATER.get(name)
    if library is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{library}"), name)
