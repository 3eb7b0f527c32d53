"""The client of an apex, for threads; ``aio`` is its twin for event loops."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Generic, TypeAlias, TypeVar

from ..clients import ClientSecret
from ..errors import ConfigurationError
from ..io.http import SafeHttp
from ..issuer import Apex, ApexUser, ServiceUser
from ..ports import is_async
from ..runner import Ports, Runner
from ..secret import Secret
from .actors import LONGEST, as_secret, client_problems, refused
from .calls import Calls, exchange, log_in
from .permissions import Permission, PermissionPlan
from .replies import Actor
from .streamed import check_streaming, streamed

__all__ = ["AuthApi", "AuthApiProvider", "AuthCodeApi"]

M = TypeVar("M")
Credential: TypeAlias = Secret | str | Callable[[], str]


class AuthApiProvider(Generic[M]):
    """Makes clients of an apex: for the bearer of a token, or for this service itself.

    Args:
        base_url: Where the apex is.
        service: What it calls this service.
        metadata: What the metadata of its users must fit: a dataclass or a pydantic model.
        credential: The token by which this service acts for itself, or a function that gives it, alone or as the
            header ``Bearer ...``; it is called for every request.
        allow_http: Whether ``base_url`` may be http beyond loopback.

    Raises:
        ConfigurationError: Naming everything that is wrong (Law 1.6).
    """

    def __init__(
        self,
        base_url: str,
        *,
        service: str,
        metadata: type[M],
        credential: Credential | None = None,
        allow_http: bool = False,
    ) -> None:
        self._calls = Calls(Apex(base_url, service, metadata), metadata, allow_http)
        if callable(credential) and is_async(credential):
            raise ConfigurationError("credential: is async; write it with `def`, or use AsyncAuthApiProvider")
        self._credential = credential
        self._http = SafeHttp()
        self._runner = Runner(Ports(self._http))

    def login(self, username: str, password: str) -> str:
        """The token of somebody who has a password.

        Raises:
            LoginRefused: If the apex does not let them in.
            EndpointUnavailable: If it gives no answer that can be believed.
        """
        kept = Secret(password)
        del password  # Law 2.5: error reporters write out the locals of every frame
        calls = self._calls
        return self._runner.run(log_in(calls.spec, username, kept, plain_http=calls.plain_http))

    def for_token(self, token: Secret | str) -> AuthApi[M]:
        """The apex as the bearer of a token sees it."""
        kept = as_secret(token)
        return AuthApi(self._calls, lambda: Actor(kept, is_service=False), self._http, self._runner)

    def for_service(self) -> AuthApi[M]:
        """The apex as this service itself sees it, without anybody's password.

        Raises:
            ConfigurationError: If there is no credential.
        """
        if self._credential is None:
            raise ConfigurationError("credential: give AuthApiProvider(credential=...) the service's own")
        return AuthApi(self._calls, self._as_service, self._http, self._runner)

    def _as_service(self) -> Actor:
        given = self._credential
        return Actor(as_secret(given() if callable(given) else given), is_service=True)

    def __repr__(self) -> str:
        return f"AuthApiProvider({self._calls.spec.base_url!r}, service={self._calls.spec.service!r})"


class AuthApi(Generic[M]):
    """An apex as somebody sees it; made by ``AuthApiProvider``.

    Every method raises ``TokenInactive`` where the apex says that the caller's token is nobody's,
    ``AuthorizationError`` where it may not do this, ``EndpointRefused`` where the service's own credential may not, and
    ``EndpointUnavailable`` where there is no answer that can be believed.

    Args:
        calls: What can be asked.
        actor: Who asks.
        http: Reads what is long.
        runner: Performs the calls.
    """

    def __init__(self, calls: Calls[M], actor: Callable[[], Actor], http: SafeHttp, runner: Runner) -> None:
        self._calls = calls
        self._actor = actor
        self._http = http
        self._runner = runner

    def user(self) -> ApexUser:
        """Whose the token is."""
        return self._runner.run(self._calls.user(self._actor()))

    def metadata_for(self, user_id: str) -> M | None:
        """What the service keeps about a user; None where nothing."""
        return self._runner.run(self._calls.metadata(self._actor(), user_id))

    def full_metadata_for(self, user_id: str) -> ServiceUser[M] | None:
        """What a user is to the service; None for whom it does not know."""
        return self._runner.run(self._calls.member(self._actor(), user_id))

    def users_for_service(self) -> Iterator[ServiceUser[M]]:
        """Everybody whom the service knows, as they arrive, within ten minutes; needs the extra ``apex``."""
        check_streaming()
        actor = self._actor()
        with self._http.stream(self._calls.users_request(actor), within=LONGEST) as (reply, pieces):
            refused(reply, actor)
            yield from streamed(pieces, self._calls.read)

    def permissions(self) -> tuple[Permission, ...]:
        """The permissions of the service."""
        return self._runner.run(self._calls.permissions(self._actor()))

    def sync_permissions(self, permissions: Iterable[Permission], *, dry_run: bool = False) -> PermissionPlan:
        """Make the permissions of the service these and no others; what is new is made before anything is deleted.

        Args:
            permissions: The definitions; one that differs in anything from that of the apex is another.
            dry_run: Whether it is only said what would be done.

        Returns:
            What was to be done.

        Raises:
            ValueError: If the definitions cannot be made, before anything is.
        """
        return self._runner.run(self._calls.sync(self._actor(), permissions, dry_run=dry_run))


class AuthCodeApi:
    """Exchanges the codes that logins in browsers end with.

    Args:
        base_url: Where the apex is.
        client: Who this service is to it.
        allow_http: Whether ``base_url`` may be http beyond loopback.

    Raises:
        ConfigurationError: Naming everything that is wrong (Law 1.6).
    """

    def __init__(self, base_url: str, client: ClientSecret, *, allow_http: bool = False) -> None:
        self._spec = Apex(base_url)
        self._plain_http = allow_http
        client_problems(self._spec, client, plain_http=allow_http)
        self._client = client
        self._runner = Runner(Ports(SafeHttp()))

    def token_for(self, code: str, code_verifier: str | None = None) -> str:
        """The token of whoever has logged in.

        Args:
            code: The code.
            code_verifier: Of PKCE, which an apex that knows it checks too (RFC 7636).

        Raises:
            LoginRefused: If the apex does not take it.
            EndpointUnavailable: If it gives no answer that can be believed, or does not know the client.
        """
        kept, verifier = Secret(code), None if code_verifier is None else Secret(code_verifier)
        del code, code_verifier  # as above
        flow = exchange(self._spec, self._client, kept, verifier, plain_http=self._plain_http)
        return self._runner.run(flow)

    def __repr__(self) -> str:
        return f"AuthCodeApi({self._spec.base_url!r}, client_id={self._client.client_id!r})"
