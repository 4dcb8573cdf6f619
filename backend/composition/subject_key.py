"""Sees that people keep their names: the subject key is the one it always was."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

import redis

from backend.composition.chores import Chores
from backend.composition.secrets import Secrets, secrets_of
from backend.composition.store import open_redis
from config.config import Settings, SettingsError
from services.identity.keys.subject_key import SubjectKeyCheck

# Redis may have been away at start, have lost everything since, or been put right.
_WATCH_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Names:
    """Whether people have the names they always had.

    ``problem`` asks Redis and says what is wrong; ``ensure`` raises where it is known.
    """

    problem: Callable[[], str]
    ensure: Callable[[], None]


def watch_names(
    settings: Settings, secrets: Secrets, client: redis.Redis, *, chores: Chores
) -> Names:
    """Keep the subject key on record; return what tells whether it is another one."""
    if not _keeps_names(settings):
        return Names(problem=lambda: "", ensure=lambda: None)
    check = _subject_key_check(settings, secrets, client)

    def look() -> None:
        # That Redis is away, the look at its health tells.
        with suppress(redis.RedisError):
            check.record()
            check.problem()

    chores.add("subject key", look, seconds=_WATCH_SECONDS)
    return Names(problem=check.problem, ensure=check.ensure)


def find_other_names(settings: Settings) -> str:
    """Say what is wrong with the subject key, if Redis is there to ask."""
    client, _ = open_redis(settings, lambda _: None)
    with client, suppress(redis.RedisError):
        return _subject_key_check(settings, secrets_of(settings), client).problem()
    return ""


def refuse_other_names(settings: Settings) -> bool:
    """Put the key on record before the service starts, if Redis is there to ask.

    Raises:
        SettingsError: SUBJECT_KEY is another one than it was.
    """
    if not _keeps_names(settings):
        return True
    client, _ = open_redis(settings, lambda _: None)
    check = _subject_key_check(settings, secrets_of(settings), client)
    try:
        with client:
            check.record()
            problem = check.problem()
    except redis.RedisError:
        return False
    if problem:
        raise SettingsError((problem,))
    return True


def _keeps_names(settings: Settings) -> bool:
    """Whether the next start could name people otherwise: not where all are new."""
    derived_anew = settings.ephemeral_secret and settings.subject_key is None
    return not (settings.embedded_store or derived_anew)


def _subject_key_check(
    settings: Settings, secrets: Secrets, client: redis.Redis
) -> SubjectKeyCheck:
    return SubjectKeyCheck(
        client,
        key=secrets.naming("subject key mark"),
        may_change=settings.subject_key_change,
    )
