"""authgate for FastAPI: one gate in front of HTTP and WebSocket routes.

    from authgate_fastapi import AuthGate, CurrentUser

    AuthGate(app)

    @app.get("/me")
    async def me(user: CurrentUser):
        return {"id": user.id}
"""

from .dependencies import (
    CurrentAdmission,
    CurrentPrincipal,
    CurrentProject,
    CurrentService,
    CurrentUser,
    OptionalPrincipal,
    OptionalUser,
    fastapi_combined_auth,
    fastapi_jwt_auth,
    fastapi_project_auth,
    get_current_auth,
    get_current_principal,
    get_current_project,
    get_current_service,
    get_current_user,
    get_optional_auth,
    get_optional_user,
)
from .extension import AuthGate
from .guards import requires
from .overrides import get_admission

__all__ = [
    "AuthGate",
    "CurrentAdmission",
    "CurrentPrincipal",
    "CurrentProject",
    "CurrentService",
    "CurrentUser",
    "OptionalPrincipal",
    "OptionalUser",
    "fastapi_combined_auth",
    "fastapi_jwt_auth",
    "fastapi_project_auth",
    "get_admission",
    "get_current_auth",
    "get_current_principal",
    "get_current_project",
    "get_current_service",
    "get_current_user",
    "get_optional_auth",
    "get_optional_user",
    "requires",
]
