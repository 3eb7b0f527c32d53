"""The directory that is Mercury's: who a project is, and what it may use, is asked over HTTP."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import KW_ONLY, dataclass, field
from typing import Final, cast

from ..ports import tenant_problems
from ..request import url_problems
from ..secret import Secret
from ..signing import RequestSigning, base_url_problems

__all__ = ["RemoteProjects"]

_PATH: Final = "/auth/projects/verify"


@dataclass(frozen=True, slots=True)
class RemoteProjects:
    """Projects that Mercury knows; each look-up is a signed ``POST {base_url}/auth/projects/verify``.

    Args:
        base_url: Where Mercury is, without a slash at its end.
        signing_secret: What Mercury shares with its services.
        service_id: This service, as Mercury knows it: a project must be enabled for it.
        tenants: The projects that may be admitted at all, by id, or a plain function that says so of an id and
            is asked at most once a minute for each; None for any that Mercury confirms.
        allow_http: Whether ``base_url`` may be http beyond loopback.
    """

    base_url: str
    _: KW_ONLY
    signing_secret: Secret | str = field(repr=False)
    service_id: str
    tenants: Collection[str] | Callable[[str], bool] | None = None
    allow_http: bool = False

    def __post_init__(self) -> None:
        if isinstance(self.signing_secret, str):
            object.__setattr__(self, "signing_secret", Secret(self.signing_secret))
        # A list that is changed afterwards would change what was checked.
        tenants: object = self.tenants
        if isinstance(tenants, Iterable) and not isinstance(tenants, (str, bytes)):
            object.__setattr__(self, "tenants", frozenset(cast("Iterable[str]", tenants)))

    @property
    def verify_url(self) -> str:
        """What is asked."""
        return f"{self.base_url}{_PATH}"

    @property
    def signing(self) -> RequestSigning:
        """What signs the requests."""
        return RequestSigning(
            cast("Secret", self.signing_secret)
        )  # __post_init__ made it one, or problems() tells

    def problems(self) -> list[str]:
        """What is wrong with the configuration: a sentence each, with setting and fix (Law 1.6)."""
        return [
            *self._address_problems(),
            *self.signing.problems(),
            *_service_problems(self.service_id),
            *(() if self.tenants is None else tenant_problems(self.tenants, uuid=True)),
        ]

    def _address_problems(self) -> Iterator[str]:
        allow_http: object = self.allow_http
        if not isinstance(allow_http, bool):
            yield f"allow_http: write True or False, not {allow_http!r}"
        found = [*url_problems("base_url", self.base_url, plain_http=allow_http is True)]
        yield from found or _base_problems(self.base_url)


def _base_problems(base_url: str) -> Iterator[str]:
    if base_url.endswith("/"):
        yield "base_url: ends with a slash; leave it out"
    yield from base_url_problems(base_url)


def _service_problems(service_id: object) -> Iterator[str]:
    if not isinstance(service_id, str) or not service_id:
        yield "service_id: is empty or no text; give the id under which Mercury knows this service"
