"""An application of the older FastAPI client's users, of which only the import line was changed."""

from __future__ import annotations

from typing import Any

from fastapi import Depends, FastAPI

from authgate_fastapi.compat.auth_gate import (
    AuthContext,
    AuthMiddleware,
    ServiceContext,
    UserContext,
    get_current_auth,
    get_current_service,
    get_current_user,
    require_admin,
    require_customer,
)

app = FastAPI()
app.add_middleware(AuthMiddleware)


@app.get("/health")
async def health() -> dict[str, str]:
    """For anybody."""
    return {"status": "healthy"}


@app.get("/profile")
async def profile(user: UserContext = Depends(get_current_user)) -> dict[str, Any]:
    """For users."""
    return {"username": user.username, "customer": "customer" in user.roles}


@app.get("/sync")
async def sync(service: ServiceContext = Depends(get_current_service)) -> dict[str, Any]:
    """For services."""
    return {"service": service.service_name}


@app.get("/data")
async def data(auth: AuthContext = Depends(get_current_auth)) -> dict[str, Any]:
    """For both."""
    return {"is_service": auth.is_service}


@app.get("/customers")
async def customers(auth: AuthContext = Depends(require_customer)) -> bool:
    """For customers."""
    return auth.is_service


@app.get("/admin")
async def admin(auth: AuthContext = Depends(require_admin)) -> bool:
    """For admins."""
    return auth.is_admin
