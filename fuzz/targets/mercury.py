"""What Mercury answers about a project's credentials (Laws 1.5, 3.11, 6.1)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Final

import authgate_core as ag
from authgate_core.clock import Instant
from authgate_core.credentials import AppCredentials
from authgate_core.flows.remote import verify_remotely
from authgate_core.request import HttpReply

from ..target import hold

__all__ = ["probe", "seeds"]

_UUID: Final = "0b6f6c1e-2f57-4b5b-9c4e-111111111111"
_MERCURY: Final = ag.RemoteProjects("https://mercury.test", signing_secret="s" * 32, service_id="orders")
_ASKED: Final = AppCredentials("shop", ag.Secret("a secret"))
_STATUSES: Final = (200, 200, 200, 401, 403, 400, 404, 429, 500, 503)


def probe(data: bytes) -> None:
    """The first byte chooses a status, the first line is a header, and the rest is the body."""
    status = _STATUSES[data[0] % len(_STATUSES)] if data else 200
    head, _, body = data[1:].partition(b"\n")
    flow = verify_remotely(_MERCURY, _ASKED, Instant(1_800_000_000.0, 0.0))
    next(flow)
    try:
        flow.send(HttpReply(status, {"retry-after": head.decode("latin-1")}, body))
    except StopIteration as done:
        _judge(done.value, status, body)
    except ag.ServiceNotEnabled:
        hold("only a 403 says that a service is not enabled", kept=status == 403)
    except ag.ProjectsUnavailable as outage:
        hold("a pause is no less than none", kept=outage.retry_after >= 0)
    else:
        hold("one request settles it", kept=False)


def _judge(project: ag.Project | None, status: int, body: bytes) -> None:
    answer = json.loads(body)
    if project is None:
        said = (status, answer["code"])
        hold("only a 401 with its code is a no", kept=said == (401, "invalid_credentials"))
        return
    hold("only a success is a yes", kept=status == 200 and answer["app_id"] == "shop")
    hold("the project is the one of the answer", kept=project.id == answer["projectUuid"])
    hold("its services are names", kept=all(isinstance(name, str) for name in project.enabled_services or ()))


def seeds() -> Iterator[bytes]:
    """Answers that are right, and nearly so."""
    right = {"projectUuid": _UUID, "projectName": "Shop", "enabledServices": ["orders"], "secretVersion": 1}
    for changes in ({}, {"secretVersion": True}, {"projectUuid": _UUID.upper()}, {"enabledServices": [1]}):
        yield b"\x00\n" + json.dumps({"app_id": "shop", **right, **changes}).encode()
    for number, code in ((3, "invalid_credentials"), (3, "invalid_signature"), (4, "service_not_enabled")):
        yield bytes([number]) + b"\n" + json.dumps({"code": code}).encode()
    yield b"\x0930\n"
