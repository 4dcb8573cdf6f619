"""Puts together the keys that sign tokens: the settings' own and the fleet's."""

from collections.abc import Callable

from backend.composition.chores import Chores
from backend.composition.secrets import Secrets
from config.config import Settings
from services.background import run_task
from services.events import Emit
from services.identity.keys.keyring import Keyring
from services.identity.keys.signing_keys import (
    SigningKey,
    SigningKeys,
    derived_signing_key,
    read_signing_key,
)
from services.identity.keys.store import KeyStore
from services.scripts import ScriptRunner


def build_signing_keys(
    settings: Settings,
    secrets: Secrets,
    scripts: ScriptRunner,
    *,
    chores: Chores,
    emit: Emit,
    offset_seconds: Callable[[], float],
) -> SigningKeys:
    """Return the keys, which this worker follows; read once, if Redis is there."""
    held = held_keys(settings, secrets)
    store = build_key_store(secrets, scripts, held[0], offset_seconds=offset_seconds)
    keys = SigningKeys(Keyring(store, held).read, emit=emit)
    # Whatever it is, a service that starts and says so is better than none.
    run_task(keys.follow, "signing keys", emit)
    chores.add("signing keys", keys.follow, seconds=settings.signing_keys_seconds)
    return keys


def build_key_store(
    secrets: Secrets,
    scripts: ScriptRunner,
    built_in: SigningKey,
    *,
    offset_seconds: Callable[[], float] = lambda: 0.0,
) -> KeyStore:
    """Return where the fleet's keys are."""
    return KeyStore(
        scripts,
        seal_keys=secrets.keys("signing key"),
        built_in=built_in,
        offset_seconds=offset_seconds,
    )


def held_keys(settings: Settings, secrets: Secrets) -> list[SigningKey]:
    """Return the keys that follow from the settings; the built-in one comes first.

    While one secret replaces another verifiers know the keys of both, whichever of them
    the rest of the fleet signs with.
    """
    if pem := settings.signing_key_pem:
        return [read_signing_key(pem)]
    derived = map(derived_signing_key, secrets.keys("derived signing key"))
    return [read_signing_key(pem) for pem in derived]
