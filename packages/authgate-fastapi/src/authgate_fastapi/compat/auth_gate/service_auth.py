"""How the older FastAPI client had services call each other: by the value of a header."""

from __future__ import annotations

from functools import lru_cache

from authgate_core.config.service import ServiceSettings, read_service
from authgate_core.outbound import ClientSecret, ServiceClient

__all__ = ["ServiceAuthClient"]

_TOKENS = "/protocol/openid-connect/token"


class ServiceAuthClient:
    """Has tokens for calls in this service's own name; ``KEYCLOAK_REALM_URL`` and ``SERVICE_CLIENT_*`` say who that is.

    One that is made for a single call is as good: those that are the same client to a realm share their tokens.

    What it gives is a text, and where that goes is the application's to see to. ``ServiceClient`` of
    ``authgate_core.outbound`` puts tokens into requests itself, and into no others than those they are for (Law 11.1).

    Args:
        client: A client of your own instead.

    Raises:
        ConfigurationError: If the environment does not say who this service is.
    """

    def __init__(self, client: ServiceClient | None = None) -> None:
        if client is None:
            client = _client(read_service())
        # The older client named no audience and no hosts: nothing is sent through this by itself.
        self._auth = client.auth(hosts="service-auth-client.invalid")

    async def get_service_token(self) -> str:
        """The whole value of an ``Authorization`` header, ``Bearer ...``.

        Raises:
            AuthgateError: EndpointUnavailable where no token can be had, EndpointRefused where the realm gives this
                service none.
        """
        return await self._auth.header_async()


@lru_cache(maxsize=8)
def _client(settings: ServiceSettings) -> ServiceClient:
    return ServiceClient(
        settings.realm_url,
        credential=ClientSecret(settings.client_id, settings.secret),
        token_url=f"{settings.realm_url}{_TOKENS}",
        timeout=settings.timeout,
    )
