"""What both colours of ``RefreshTokens`` share: how one is configured, and what the use of a token comes to."""

from __future__ import annotations

from functools import partial
from typing import Final, Literal, TypedDict

from ..clock import Clock, SystemClock
from ..errors import AuthgateError, ConfigurationError, InvalidToken, TokenReused, TokenRevoked
from ..events import Journal, Notice, Observer
from ..gate.reports import without_frames
from ..issuer.m8 import reason_of
from ..ports import ValidationHooks, hook_problems
from ..revocation import prefix_problems, server_problems
from ..secret import Secret
from .refresh import NextToken, Presented, RefreshRules

__all__ = ["RefreshOptions", "Rotation"]

_DAY: Final = 86_400.0
_STOLEN: Final = Notice(
    "refresh_token_reused", "m8", "a refresh token was used twice, so its family is ended", alarm=True
)


class RefreshOptions(TypedDict, total=False):
    """What ``RefreshTokens`` may be told besides its server and its secret.

    ``lifetime`` is how long each token lives, in seconds (a day); ``issuer`` the exact ``iss`` of the tokens, where
    they have one; ``prefix`` what every key in Redis begins with; ``accept_slow_client`` accepts, in writing, a client
    with time-outs above 1 s or more than one retry (Law 5.4); ``hooks`` are told what became of each token;
    ``on_event`` is called with every notice, such as that of a theft (Law 10.1); ``clock`` is where the time comes
    from.
    """

    lifetime: float
    issuer: str | None
    prefix: str
    accept_slow_client: bool
    hooks: ValidationHooks | None
    on_event: Observer | None
    clock: Clock


class Rotation:
    """Verifies refresh tokens, and judges what a store says of them.

    Args:
        name: Who is configured.
        colour: Of whoever that is.
        server: What was given as the server.
        secret: What the tokens are signed with.
        options: The options.

    Raises:
        ConfigurationError: Naming everything that is wrong (Law 1.6).

    Attributes:
        clock: Where the time comes from.
        prefix: What every key in Redis begins with.
        lifetime: How long each token lives, in seconds.
    """

    def __init__(
        self,
        name: str,
        colour: Literal["sync", "async"],
        server: object,
        secret: Secret | str,
        options: RefreshOptions,
    ) -> None:
        self.clock = options.get("clock") or SystemClock()
        self.prefix = options.get("prefix", "authgate")
        self.lifetime = options.get("lifetime", _DAY)
        self._hooks = options.get("hooks")
        self._journal = Journal(options.get("on_event"))
        kept = Secret(secret) if isinstance(secret, str) else secret
        self._rules = RefreshRules(kept, self.lifetime, options.get("issuer"))
        slow = options.get("accept_slow_client", False)
        problems = server_problems(name, server, colour, accept_slow=slow)
        problems += prefix_problems(self.prefix)
        problems += self._rules.problems()
        problems += () if self._hooks is None else hook_problems(self._hooks)
        if problems:
            raise ConfigurationError(*problems)
        self._key = self._rules.key()

    def notice(self, event: Notice) -> None:
        """Tell an operator."""
        self._journal.notice(event)

    def first(self, sub: str) -> tuple[NextToken, Presented]:
        """The first token of a new family, and how it will be presented; raises ValueError."""
        return self._rules.first(sub, self.clock.now())

    def after(self, used: Presented) -> tuple[NextToken, str]:
        """The token that comes after another, and its serial."""
        return self._rules.after(used, self.clock.now())

    def read(self, token: Secret) -> Presented:
        """Verify a token; raises InvalidToken."""
        try:
            return self._rules.read(token, self._key, self.clock.now())
        except InvalidToken as error:
            refusal = error
        raise self._refused(refusal)

    def judge(self, use: str, used: Presented, new: NextToken) -> NextToken:
        """The token that comes next, where the use of the one before it was good.

        Raises:
            TokenReused: If it was used before.
            TokenRevoked: If its family has ended, or is not kept.
        """
        if use == "stolen":
            self._journal.notice(_STOLEN)
        if use in {"stolen", "reused"}:
            raise self._refused(TokenReused("its family is ended, for it was used before", subject=used.sub))
        if use != "renewed":
            raise self._refused(TokenRevoked(f"the family of the token is {use}"))
        if self._hooks is not None:
            tell = partial(self._hooks.on_success, jti=new.jti, sub=new.sub, token_type="refresh")
            self._journal.observed(tell, "the hooks failed on a rotation")
        return new

    def _refused(self, error: InvalidToken) -> AuthgateError:
        if self._hooks is not None:
            tell = partial(self._hooks.on_failure, reason=reason_of(error), token_type="refresh")
            self._journal.observed(tell, "the hooks failed on a refusal")
        return without_frames(error)

    def __repr__(self) -> str:
        return f"prefix={self.prefix!r}, lifetime={self.lifetime!r}"
