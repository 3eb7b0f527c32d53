"""Whether a gate can ever satisfy a policy: one that it cannot would refuse everybody, and never say why (Law 1.6)."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from ..config import GateConfig
from ..policy import CompiledPolicy
from ..principal import ApiKey, Principal, Project, Service, User

__all__ = ["Means"]

_NOBODY_MAKES: Final[Mapping[type[Principal], str]] = {
    User: "nobody issues users; give issuers=[Issuer...] that may assert them",
    Service: "no issuer says which tokens are services; give one service_when=... (Law 3.13)",
    Principal: "nobody issues tokens; give issuers=[Issuer...]",
    Project: "nobody knows projects; give projects=StaticProjects(...), RemoteProjects(...) or a directory of your own",
    ApiKey: "nobody knows API keys; give api_keys=ApiKeys.from_file(path) or ApiKeys.redis(url)",
}
"""What to write where a policy asks for somebody whom nobody here makes (Law 1.6)."""


@dataclass(frozen=True, slots=True)
class Means:
    """What a gate has to satisfy policies with.

    Args:
        config: Of the gate.
        names: What the issuers of its tokens are called.
        confirms_actions: Whether any of them has its users confirm actions.
        takes_project_tokens: Whether any of them issues tokens of projects.
    """

    config: GateConfig
    names: Collection[str]
    confirms_actions: bool
    takes_project_tokens: bool

    def lacking(self, policy: CompiledPolicy) -> Iterator[str]:
        """What a policy asks for and nobody here gives: a sentence each, with the fix."""
        for kind, line in _NOBODY_MAKES.items():
            if kind in policy.principals and not self._make(kind):
                yield line
        if policy.asks_action and not self.confirms_actions:
            yield "no issuer has its users confirm actions; give issuers=[Issuer.auth_service(...)]"
        if policy.asks_metadata and not any(issuer.tells_metadata for issuer in self.config.trusted_issuers):
            yield 'nobody tells metadata; give issuers=[Issuer.apex(..., service="this-service")]'
        for asked in policy.issuers:
            if not {*asked.names} & {*self.names}:
                yield f"{asked!r} names no issuer of this gate; it has {', '.join(map(repr, self.names))}"

    def _make(self, kind: type[Principal]) -> bool:
        config = self.config
        if kind is User:
            return any(speaker.makes_users for speaker in config.speakers)
        if kind is Service:
            return any(speaker.makes_services for speaker in config.speakers)
        if kind is Principal:
            return bool(config.speakers)
        if kind is ApiKey:
            return config.api_keys is not None
        return config.projects is not None or self.takes_project_tokens
