"""Verifying a token with the key that its header names, of those that the issuer publishes, over ``PyJWKClient``.

The keys are fetched once beforehand, and each token is verified anew.
"""

from __future__ import annotations

import authgate_core as ag

from .issued import AUDIENCE, Issued, by_turns, show
from .peers import check, pyjwkclient
from .rounds import ratio


def measured() -> dict[str, float]:
    """Every key, with what was measured."""
    issued = Issued.by("RS256")
    issued.fake.rotate()
    with issued.fake:
        published = ag.Issuer.jwks(issued.fake.jwks_url, issuer=issued.fake.url, audience=AUDIENCE)
        ours = issued.gate(issuers=[published], verified_tokens=0).verify_token
        theirs = pyjwkclient(issued)
        check({"authgate": ours, "pyjwkclient": theirs}, issued)
        work, other = by_turns(issued.tokens, ours), by_turns(issued.tokens, theirs)
        return {"kid_lookup_and_verify_over_pyjwkclient": ratio(work, other)}


if __name__ == "__main__":
    show(measured())
