"""The one HTTP client of the gate's own requests (Law 4.9).

It stands on httpcore2, the transport under httpx2: what a transport does not have, such as redirects,
cookies, decompression, proxies and credentials from the environment, cannot be left switched on. A connection
serves one request: keys are fetched every few minutes, and what is not kept needs no care after ``fork()``
(Law 9.5).
"""

from __future__ import annotations

import os
import ssl
from collections.abc import Generator, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Final, TypeAlias

import httpcore2
import httpx2

from ..errors import AuthUnavailable, ConfigurationError
from ..headers import X_REQUEST_ID
from ..request import ASKED_FOR, HttpReply, HttpRequest
from .sockets import Deadline, DeadlineBackend, Patience, is_loopback

__all__ = ["ClientContext", "SafeHttp", "client_context"]

ClientContext: TypeAlias = ssl.SSLContext

_MAX_BODY: Final = 512 * 1024
_MAX_REFUSAL: Final = 4 * 1024
_REFUSALS: Final = frozenset({400, 401, 403})
_ALWAYS: Final = (("accept-encoding", "identity"), ("connection", "close"), ("user-agent", "authgate"))
_HTML: Final = frozenset({"text/html", "application/xhtml+xml"})


class SafeHttp:
    """An ``HttpPort`` that no answer can hold up, fill up or lead astray.

    It asks https URLs only, http where the host is loopback or the request allows it explicitly; follows no
    redirect; takes no compressed answer, no HTML and no more than 512 KiB; and gives up after ``timeout``
    seconds in all, name look-up, TLS and a dripping peer included. Of an answer that is no success (RFC 9110
    section 15.3) only status and headers are read; of a refusal whose request asks for it, up to 4 KiB as well.

    Args:
        proxy: ``http://host:port``, or ``http://user:password@host:port``; loopback is asked directly.
            Nothing is read from the environment.
        ssl_context: What to trust; by default the machine's certificate authorities.
        timeout: Seconds for one request in all.

    Raises:
        ConfigurationError: If ``proxy`` is anything else.
    """

    def __init__(
        self, *, proxy: str | None = None, ssl_context: ssl.SSLContext | None = None, timeout: float = 5.0
    ) -> None:
        self._proxy = None if proxy is None else _read_proxy(proxy)
        self._ssl_context = ssl_context
        self._timeout = timeout

    def send(self, request: HttpRequest) -> HttpReply:
        """Send one request; what its answer means is for the caller to judge.

        Raises:
            AuthUnavailable: If the URL may not be asked, or no acceptable answer came in time.
        """
        url = _read_url(request)
        host = url.raw_host.decode("ascii")
        timeout = self._timeout if request.timeout is None else min(request.timeout, self._timeout)
        with _outages(host, timeout), self._opened(request, url, host, Deadline(timeout)) as response:
            answered = _join_headers(response.headers)
            most = _most_of_body(request, response.status)
            if most is None:
                return HttpReply(response.status, answered, b"")
            _check_form(answered, host)
            return HttpReply(response.status, answered, _read_body(response.iter_stream(), host, most))

    @contextmanager
    def stream(self, request: HttpRequest, *, within: float) -> Generator[tuple[HttpReply, Iterator[bytes]]]:
        """Send one request, and read the body of a success piece by piece, however long that is.

        Each piece has the time that ``send`` has for everything.

        Args:
            request: The request.
            within: Seconds for all of it.

        Returns:
            Status and headers, with the body of a refusal as ``send`` reads it; and the pieces.

        Raises:
            AuthUnavailable: As for ``send``, also by the pieces.
        """
        url = _read_url(request)
        host = url.raw_host.decode("ascii")
        with ExitStack() as stack:
            with _outages(host, self._timeout):
                patience = Patience(within, self._timeout)
                response = stack.enter_context(self._opened(request, url, host, patience))
                answered = _join_headers(response.headers)
                is_success = 200 <= response.status < 300
                if is_success or _most_of_body(request, response.status) is not None:
                    _check_form(answered, host)
                body = b"" if is_success else _refusal(request, response, host)
            pieces = _pieces(response.iter_stream(), host, self._timeout) if is_success else iter(())
            yield HttpReply(response.status, answered, body), pieces

    def close(self) -> None:
        """Nothing to do: no connection is kept, and a request under way ends by its own deadline."""

    @contextmanager
    def _opened(
        self, request: HttpRequest, url: httpx2.URL, host: str, deadline: Deadline
    ) -> Generator[httpcore2.Response]:
        headers: list[tuple[bytes | str, bytes | str]] = [("host", url.netloc), *_ALWAYS, *request.headers]
        asked_for = ASKED_FOR.get()
        if asked_for:
            headers.append((X_REQUEST_ID, asked_for))
        target = httpcore2.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path)
        with (
            self._connections(url.scheme, host, deadline) as pool,
            pool.stream(request.method, target, headers=headers, content=request.body or None) as response,
        ):
            yield response

    def _connections(self, scheme: str, host: str, deadline: Deadline) -> httpcore2.ConnectionPool:
        if scheme == "https" and self._ssl_context is None:
            # Reading the authorities takes a while; under no lock, which a fork could leave locked (Law 9.5).
            self._ssl_context = httpx2.create_ssl_context(trust_env=False)
        return httpcore2.ConnectionPool(
            ssl_context=self._ssl_context,
            proxy=None if is_loopback(host) else self._proxy,
            network_backend=DeadlineBackend(deadline),
        )


def client_context(
    certificate: str | os.PathLike[str],
    key: str | os.PathLike[str] | None,
    password: str | None,
    authorities: str | os.PathLike[str] | None,
) -> ClientContext:
    """What shows a client certificate to the other side, and trusts the machine's authorities or those of a file.

    Raises:
        OSError: If a file cannot be read, or certificate and key do not belong together.
    """
    if authorities is None:
        context = httpx2.create_ssl_context(trust_env=False)
    else:
        context = ssl.create_default_context(cafile=authorities)
    # Without a password one would be asked for at the terminal.
    context.load_cert_chain(certificate, key, password or "")
    return context


def _read_url(request: HttpRequest) -> httpx2.URL:
    """Parse the URL once, so that what was checked is what is asked."""
    try:
        url = httpx2.URL(request.url)
    except (httpx2.InvalidURL, ValueError):
        raise AuthUnavailable("the URL is not valid") from None
    host = url.raw_host.decode("ascii")
    if not host or url.scheme not in {"http", "https"}:
        raise AuthUnavailable("the URL is neither https nor http")
    if url.port is not None and not 0 < url.port < 65536:
        raise AuthUnavailable("the URL is not valid")
    if url.userinfo:
        raise AuthUnavailable(f"the URL of {host} holds a user name or password")
    if url.scheme == "http" and not request.plain_http and not is_loopback(host):
        raise AuthUnavailable(f"the URL of {host} is not https")
    return url


def _read_proxy(proxy: str) -> httpcore2.Proxy:
    try:
        url = httpx2.URL(proxy)
    except (httpx2.InvalidURL, ValueError):
        url = httpx2.URL()
    if url.scheme != "http" or not url.raw_host:
        raise ConfigurationError("proxy: is not the URL of an HTTP proxy; write http://host:port")
    target = httpcore2.URL(scheme=b"http", host=url.raw_host, port=url.port, target=b"/")
    auth = (url.username.encode(), url.password.encode()) if url.userinfo else None
    return httpcore2.Proxy(target, auth=auth)


def _join_headers(headers: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
    """Lower the names and join what is repeated (RFC 9110 section 5.3)."""
    joined: dict[str, str] = {}
    for raw_name, raw_value in headers:
        name, value = raw_name.decode("latin-1").lower(), raw_value.decode("latin-1")
        joined[name] = f"{joined[name]}, {value}" if name in joined else value
    return joined


def _check_form(headers: dict[str, str], host: str) -> None:
    if "content-encoding" in headers:
        raise AuthUnavailable(f"{host} sent a compressed answer that nobody asked for")
    if headers.get("content-type", "").partition(";")[0].strip().lower() in _HTML:
        raise AuthUnavailable(f"{host} answered with an HTML page")


def _most_of_body(request: HttpRequest, status: int) -> int | None:
    """How many bytes of the body are wanted at most; None for none."""
    if 200 <= status < 300:
        return _MAX_BODY
    return _MAX_REFUSAL if request.refusal_body and status in _REFUSALS else None


@contextmanager
def _outages(host: str, timeout: float) -> Generator[None]:
    """Have what goes wrong on the way to a host leave as an outage."""
    try:
        yield
    except TimeoutError:
        raise AuthUnavailable(f"{host} did not answer within {timeout:g} s") from None
    except OSError as error:
        why = error.strerror or type(error).__name__
        raise AuthUnavailable(f"no connection to {host}: {why}") from None
    except httpcore2.ProxyError:
        raise AuthUnavailable(f"the proxy does not connect to {host}") from None
    except httpcore2.ProtocolError:
        raise AuthUnavailable(f"{host} broke off, or answered something that is not HTTP") from None


def _refusal(request: HttpRequest, response: httpcore2.Response, host: str) -> bytes:
    most = _most_of_body(request, response.status)
    return b"" if most is None else _read_body(response.iter_stream(), host, most)


def _pieces(chunks: Iterator[bytes], host: str, timeout: float) -> Iterator[bytes]:
    """The pieces; what goes wrong with whoever takes them is none of the host's faults."""
    while True:
        with _outages(host, timeout):
            piece = next(chunks, None)
        if piece is None:
            return
        yield piece


def _read_body(chunks: Iterable[bytes], host: str, most: int) -> bytes:
    body = bytearray()
    for chunk in chunks:
        body += chunk
        if len(body) > most:
            raise AuthUnavailable(f"the answer of {host} is larger than {most} bytes")
    return bytes(body)
