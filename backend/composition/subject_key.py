"""Sees that people keep their names: the subject key is the one it always was."""

from collections.abc import Callable

import redis

from backend.composition.secrets import Secrets, secrets_of
from backend.composition.store import open_redis
from config.config import Settings, SettingsError
from services.identity.keys.subject_key import SubjectKeyCheck


def names_check(
    settings: Settings, secrets: Secrets, client: redis.Redis
) -> Callable[[], str] | None:
    """Return what says whether the names are the old ones; None: none are kept."""
    if settings.embedded_store:
        return None
    return SubjectKeyCheck(
        client,
        key=secrets.naming("subject key mark"),
        may_change=settings.subject_key_change,
    ).problem


def refuse_other_names(settings: Settings) -> bool:
    """Ask before the service starts, if Redis is there; tell whether it was.

    Raises:
        SettingsError: SUBJECT_KEY is another one than it was.
    """
    client, _ = open_redis(settings, lambda _: None)
    try:
        with client:
            check = names_check(settings, secrets_of(settings), client)
            problem = check() if check else ""
    except redis.RedisError:
        return False
    if problem:
        raise SettingsError((problem,))
    return True
