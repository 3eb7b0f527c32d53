"""For every test of the repository: nothing presented is in a log or an error (Law 2.5), and no test is a race."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

from authgate_core.credentials import ApiKeyCredential, AppCredentials, BearerToken
from authgate_core.errors import AuthgateError
from authgate_core.secret import Secret

# How fast a generated test runs says something about the machine, and nothing about authgate.
settings.register_profile("unhurried", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("unhurried")

_SHORTEST = 10
"""Shorter texts, such as a secret spelled "wrong", stand in log lines for other reasons."""

_LONGEST_CHAIN = 8

_presented: set[str] = set()
_said: list[str] = []
"""What errors say: each of authgate's when it is made, and every one that a test sees."""


class _Listener(logging.Handler):
    """Keeps what every logger writes, as text, tracebacks included."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(f"{record.getMessage()} {record.args!r}")
        if record.exc_info:
            self.lines.extend(traceback.format_exception(*record.exc_info))


def _remember(credential: BearerToken | AppCredentials | ApiKeyCredential) -> None:
    if isinstance(credential, (BearerToken, ApiKeyCredential)):
        token = credential.value.reveal()
        _presented.update({token, *token.split(".")})
    else:
        _presented.update({credential.app_id, credential.secret.reveal()})


def _watched(kind: type[BearerToken | AppCredentials | ApiKeyCredential]) -> None:
    made: Callable[..., None] = kind.__init__

    def init(
        self: BearerToken | AppCredentials | ApiKeyCredential, *args: str | Secret, **named: str | Secret
    ) -> None:
        made(self, *args, **named)
        _remember(self)

    kind.__init__ = init  # type: ignore[method-assign]  # watching is what this file is for


_watched(BearerToken)
_watched(AppCredentials)
_watched(ApiKeyCredential)


def _words(error: BaseException) -> str:
    """What an error says wherever it is shown, and what it came of says."""
    told: list[str] = []
    link: BaseException | None = error
    while link is not None and len(told) < _LONGEST_CHAIN:
        told.append(f"{link!s} {link!r} {link.args!r} {getattr(link, '__notes__', '')}")
        link = link.__cause__ or link.__context__
    return "\n".join(told)


def _overheard() -> None:
    made: Callable[..., None] = AuthgateError.__init__
    caught = pytest.ExceptionInfo.fill_unfilled

    def init(self: AuthgateError, *args: Any, **named: Any) -> None:
        made(self, *args, **named)
        _said.append(_words(self))

    def fill_unfilled(
        self: pytest.ExceptionInfo[BaseException],
        exc_info: tuple[type[BaseException], BaseException, TracebackType],
    ) -> None:
        _said.append(_words(exc_info[1]))
        caught(self, exc_info)

    AuthgateError.__init__ = init  # type: ignore[method-assign]  # listening is what this file is for
    pytest.ExceptionInfo.fill_unfilled = fill_unfilled  # type: ignore[method-assign]  # as above


_overheard()


@pytest.fixture(autouse=True)
def _nothing_presented_is_shown() -> Iterator[None]:
    """Search every log record that was written during the test, and every error that was made or seen in it."""
    listener, root, ours = _Listener(), logging.getLogger(), logging.getLogger("authgate")
    level = ours.level
    ours.setLevel(logging.DEBUG)
    root.addHandler(listener)
    yield
    root.removeHandler(listener)
    ours.setLevel(level)
    private = {text for text in _presented if len(text) >= _SHORTEST}
    logged, told = "\n".join(listener.lines), "\n".join(_said)
    _presented.clear()
    _said.clear()
    assert not [text for text in private if text in logged], "a credential was logged in clear"
    assert not [text for text in private if text in told], "an error shows a credential"
