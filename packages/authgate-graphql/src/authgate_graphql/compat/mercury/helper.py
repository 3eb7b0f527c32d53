"""Authenticating by hand inside a resolver, whatever library calls it."""

from __future__ import annotations

from typing import cast

from authgate_core import Admission, ConfigurationError, Project, User

from ...checks import check, is_checked
from ...context import visit_of
from ...reading import Info
from ...requirement import Requirement
from .older import COMBINED, JWT, PROJECT

__all__ = ["GraphQLAuthHelper"]


class GraphQLAuthHelper:
    """Authenticates the request of an operation by hand; decorators and permission classes need less.

    Each method takes a resolver's ``info``, puts whom it found on the context as the named guards do, and
    returns them. Sync resolvers call ``authenticate_jwt_sync`` and its like.
    """

    @staticmethod
    async def authenticate_jwt(info: Info) -> User:
        """The user.

        Raises:
            Refusal: If the request is refused.
        """
        return (await _admitted(JWT, info)).user

    @staticmethod
    async def authenticate_project(info: Info) -> Project:
        """The project; raises Refusal like ``authenticate_jwt``."""
        return (await _admitted(PROJECT, info)).project

    @staticmethod
    async def authenticate_combined(info: Info) -> dict[str, User | Project]:
        """Both, by name; raises Refusal like ``authenticate_jwt``."""
        admission = await _admitted(COMBINED, info)
        return {"user": admission.user, "project": admission.project}

    @staticmethod
    def authenticate_jwt_sync(info: Info) -> User:
        """The user, where nothing can be awaited.

        Raises:
            Refusal: If the request is refused.
            ConfigurationError: If the app is async.
        """
        return _admitted_now(JWT, info).user

    @staticmethod
    def authenticate_project_sync(info: Info) -> Project:
        """The project, where nothing can be awaited; raises like ``authenticate_jwt_sync``."""
        return _admitted_now(PROJECT, info).project

    @staticmethod
    def authenticate_combined_sync(info: Info) -> dict[str, User | Project]:
        """Both, where nothing can be awaited; raises like ``authenticate_jwt_sync``."""
        admission = _admitted_now(COMBINED, info)
        return {"user": admission.user, "project": admission.project}


async def _admitted(asked: Requirement, info: Info) -> Admission:
    await check(asked, info.context)
    return _known(asked, info)


def _admitted_now(asked: Requirement, info: Info) -> Admission:
    if not is_checked(asked, info.context):
        raise ConfigurationError(
            "something must be awaited here: write `await GraphQLAuthHelper.authenticate_...`"
        )
    return _known(asked, info)


def _known(asked: Requirement, info: Info) -> Admission:
    return cast("Admission", visit_of(info.context).verdict(asked))  # a refusal was raised
