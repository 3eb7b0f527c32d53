"""What shared caches are told about responses that depend on who was admitted (Law 1.7)."""

from __future__ import annotations

from flask import Response, request

from authgate_core.challenge import admitted_headers

from .visit import known_visit

__all__ = ["keep_private"]


def keep_private(response: Response) -> Response:
    """Say of a response that a guard let its request in: private, and varying with what the guard read."""
    visit = known_visit(request)
    if visit is not None and visit.admission is not None:
        held = response.headers
        for name, value in admitted_headers(
            held.get("Cache-Control"), held.getlist("Vary"), visit.read
        ).items():
            held[name] = value
    return response
