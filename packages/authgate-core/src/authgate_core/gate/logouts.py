"""What an endpoint for logout tokens needs of the core: reading the form that they come in."""

from __future__ import annotations

from typing import Final
from urllib.parse import parse_qs

from ..errors import MalformedToken

__all__ = ["LARGEST_FORM", "logout_token_in"]

LARGEST_FORM: Final = 32 * 1024
"""How long the form with a logout token may be, in bytes."""
_FORM: Final = "application/x-www-form-urlencoded"


def logout_token_in(body: bytes, content_type: str | None) -> str:
    """The one ``logout_token`` of a form (OpenID Connect Back-Channel Logout 1.0 section 2.5).

    Args:
        body: The body of the request.
        content_type: Its type.

    Raises:
        MalformedToken: If it is another kind of body, too long, or holds none or several.
    """
    if (content_type or "").partition(";")[0].strip().lower() != _FORM or len(body) > LARGEST_FORM:
        raise MalformedToken("the body is no form with a logout token")
    try:
        found = parse_qs(body.decode("ascii"), max_num_fields=16).get("logout_token", [])
    except ValueError:
        found = []
    if len(found) != 1:
        raise MalformedToken("the form does not hold one logout_token")
    return found[0]
