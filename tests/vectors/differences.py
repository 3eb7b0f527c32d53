"""Where authgate answers a public vector otherwise than its source: each case by name, with the law that refuses it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

__all__ = ["DIFFERENCES", "TWINS", "Difference"]


@dataclass(frozen=True, slots=True)
class Difference:
    """Cases that their source accepts and a law refuses.

    Args:
        law: Its number in docs/reference/laws.md.
        refusal: How the reason of the refusal begins, so that a case is refused by this law and by no accident.
        cases: Their ids.
    """

    law: str
    refusal: str
    cases: tuple[str, ...]


DIFFERENCES: Final = (
    # b64 is true, which changes nothing, yet crit names it: we implement no extension.
    Difference("3.3", "the header asks for an extension", ("joserfc/test_compact_use_registry",)),
    # Their tokens never expire.
    Difference(
        "3.7",
        "exp: is missing",
        (
            "joserfc/test_EdDSA",
            "joserfc/test_RS256#2",
            "joserfc/test_RS384#2",
            "joserfc/test_RS512#2",
            "joserfc/test_algorithms_accepts_any_collection",
            "joserfc/test_algorithms_accepts_any_collection#2",
            "joserfc/test_algorithms_accepts_any_collection#3",
            "joserfc/test_algorithms_accepts_any_collection#4",
            "joserfc/test_claims_registry",
            "joserfc/test_claims_registry#2",
            "joserfc/test_default_type",
            "joserfc/test_default_type#2",
            "pyjwt/test_decodes_valid_es256_jwt",
            "pyjwt/test_decodes_valid_rs384_jwt",
            "pyjwt/test_ghsa_ffqj_6fqr_9h24",
            "pyjwt/test_ghsa_ffqj_6fqr_9h24#3",
            "pyjwt/test_global_register_algorithm_works_with_encode",
            "pyjwt/test_jwt_encode_decode_rejects_wrong_curve#2",
            "pyjwt/test_pyjwt_decode_enforces_short_hmac_key",
        ),
    ),
    # Its header typ is "jwt+at".
    Difference("3.8", "typ header:", ("joserfc/test_default_type#3",)),
)
"""What their source accepts and authgate refuses."""

TWINS: Final[Mapping[str, str]] = {
    "wycheproof/json_web_signature/base64/tc367": "wycheproof/json_web_signature/base64/tc357",
    "wycheproof/json_web_signature/base64/tc370": "wycheproof/json_web_signature/base64/tc357",
}
"""Cases that are to be refused although another, the same byte for byte, is to be accepted: both cannot be had.

Their names speak of padding, and in the file none is left. Padding is refused by Law 3.1, as test_jose_compact shows.
"""
