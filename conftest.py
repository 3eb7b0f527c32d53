"""For every test of the repository: nothing presented is ever logged in clear (Law 2.5), and no test is a race."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Callable, Iterator

import pytest
from hypothesis import HealthCheck, settings

from authgate_core.credentials import ApiKeyCredential, AppCredentials, BearerToken
from authgate_core.secret import Secret

# How fast a generated test runs says something about the machine, and nothing about authgate.
settings.register_profile("unhurried", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("unhurried")

_SHORTEST = 10
"""Shorter texts, such as a secret spelled "wrong", stand in log lines for other reasons."""

_presented: set[str] = set()


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


@pytest.fixture(autouse=True)
def _nothing_presented_is_logged() -> Iterator[None]:
    """Search every log record that was written during the test."""
    listener, root, ours = _Listener(), logging.getLogger(), logging.getLogger("authgate")
    level = ours.level
    ours.setLevel(logging.DEBUG)
    root.addHandler(listener)
    yield
    root.removeHandler(listener)
    ours.setLevel(level)
    private = {text for text in _presented if len(text) >= _SHORTEST}
    shown = "\n".join(listener.lines)
    _presented.clear()
    assert not [text for text in private if text in shown], "a credential was logged in clear"
