"""The keys that sign tokens, and the set that others verify them by."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeVar, get_args

from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from joserfc.jwa import EdDSAAlgorithm, JWSAlgModel
from joserfc.jwk import ECKey, KeyParameters, OKPKey, RSAKey
from joserfc.jws import JWSRegistry

from services.errors import StoreUnavailable
from services.events import Emit, SigningKeyChanged
from utils.crypto import derive_key

Algorithm = Literal["ES256", "EdDSA", "RS256"]
ALGORITHMS: tuple[Algorithm, ...] = get_args(Algorithm)
# Unreadable: nobody can use it, and it stands in the way of nothing. Lost: gone from
# the store, though rows are never removed but for unreadable ones.
State = Literal["published", "active", "verifying", "retired", "unreadable", "lost"]

# The order of P-256 (NIST SP 800-186, 3.2.1.3).
_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551

# NIST SP 800-57 part 1, table 2: 128 bits of strength, as P-256 and Ed25519 have.
RSA_BITS = 3072
_RSA_EXPONENT = 65_537

_Made = TypeVar("_Made", ECKey, OKPKey, RSAKey)


class _EdDSA(EdDSAAlgorithm):
    # RFC 9864 renames it to Ed25519, which no verifier in the field knows yet.
    security_warning = ""


class _Registry(JWSRegistry):
    algorithms: dict[str, JWSAlgModel] = {  # noqa: RUF012 - declared so by its base
        **JWSRegistry.algorithms,
        "EdDSA": _EdDSA(),
    }


# What tokens are signed and checked with; nothing but ours is read.
JWS = _Registry(algorithms=ALGORITHMS)


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A private key, parsed once: parsing per token would cost more than signing.

    ``kid`` is the thumbprint (RFC 7638), so equal keys have equal names.
    """

    kid: str
    algorithm: Algorithm
    key: ECKey | OKPKey | RSAKey = field(repr=False)

    def public(self) -> dict[str, Any]:
        """Return the public half as a JWK (RFC 7517), with use, alg and kid."""
        return self.key.as_dict(private=False)


@dataclass(frozen=True, slots=True)
class KeySet:
    """The keys at one moment: the one that signs, and all that verify."""

    active: SigningKey | None
    verifying: Mapping[str, SigningKey]
    states: Mapping[str, State]
    stored: frozenset[str]
    jwks: dict[str, Any] = field(repr=False)

    @classmethod
    def of(
        cls,
        active: SigningKey | None,
        verifying: Iterable[SigningKey],
        *,
        states: Mapping[str, State] | None = None,
        stored: Iterable[str] = (),
    ) -> "KeySet":
        """Put together; the order of the JWKS depends on the keys alone.

        ``states`` are all that are known, by the key's id; ``stored`` are those ids
        that the store has rows of.
        """
        keys = {it.kid: it for it in sorted(verifying, key=lambda it: it.kid)}
        return cls(
            active=active,
            verifying=keys,
            states=states or {},
            stored=frozenset(stored),
            jwks={"keys": [it.public() for it in keys.values()]},
        )


class SigningKeys:
    """The keys as this worker last saw them. Safe to share between threads.

    Until they were read once every method tries to, and raises ``StoreUnavailable``
    where that fails: the built-in key may have been retired.
    """

    def __init__(self, read: Callable[[], KeySet], *, emit: Emit) -> None:
        """``read`` returns the keys as they are now; each change is an event."""
        self._read = read
        self._emit = emit
        self._keys: KeySet | None = None
        self._lost: frozenset[str] = frozenset()

    def follow(self) -> None:
        """Read the keys and use them from now on, a whole new set at a time.

        Raises:
            StoreUnavailable: the store cannot be reached; the last ones are used.
        """
        before, self._keys = self._keys, self._read()
        for kid, state in self._keys.states.items():
            # At first nothing is a change, but what is wrong is told.
            known = before.states.get(kid) if before else None
            if known != state and (before or state == "unreadable"):
                self._emit(SigningKeyChanged(kid, state))
        self._lost = self._lost - self._keys.stored
        for kid in sorted(_gone(before, self._keys) if before else ()):
            self._lost |= {kid}
            self._emit(SigningKeyChanged(kid, "lost"))

    def trouble(self) -> str:
        """Say what is wrong with the keys, though tokens are signed; else nothing."""
        if self._lost:
            return "signing keys were lost from Redis; a retired one may be good again"
        if self._keys and "unreadable" in self._keys.states.values():
            return "a signing key in Redis cannot be read: see `keys list`"
        return ""

    def can_sign(self) -> bool:
        """Whether there is a key to sign with."""
        try:
            return self._shown().active is not None
        except StoreUnavailable:
            return False

    def active(self) -> SigningKey:
        """Return the key that signs."""
        active = self._shown().active
        if active is None:
            raise StoreUnavailable(retry_after=1)
        return active

    def find(self, kid: str) -> SigningKey | None:
        """Return the key that a token names, if it verifies."""
        return self._shown().verifying.get(kid)

    def jwks(self) -> dict[str, Any]:
        """Return the public keys (RFC 7517), nothing private in them."""
        return self._shown().jwks

    def _shown(self) -> KeySet:
        # A thread may be here while another follows: look at the attribute once.
        keys = self._keys
        if keys is None:
            self.follow()
            keys = self._keys
        if keys is None:
            raise StoreUnavailable(retry_after=1)
        return keys


def _gone(before: KeySet, now: KeySet) -> set[str]:
    # The built-in key needs no row any more when it signs again.
    gone = before.stored - now.stored - set(now.states)
    return {kid for kid in gone if before.states[kid] != "unreadable"}


def one_key(pem: bytes) -> SigningKeys:
    """Return the keys of a service that has a single one, and follows no store."""
    key = read_signing_key(pem)
    return SigningKeys(lambda: KeySet.of(key, [key]), emit=lambda _: None)


def read_signing_key(pem: bytes) -> SigningKey:
    """Read a private key's PEM: its kind decides the algorithm.

    Raises:
        ValueError: no PEM, or no P-256, Ed25519 or RSA key.
    """
    match load_pem_private_key(pem, password=None):
        case ec.EllipticCurvePrivateKey():
            return _named("ES256", ECKey.import_key(pem, _marks("ES256")))
        case ed25519.Ed25519PrivateKey():
            return _named("EdDSA", OKPKey.import_key(pem, _marks("EdDSA")))
        case rsa.RSAPrivateKey():
            return _named("RS256", RSAKey.import_key(pem, _marks("RS256")))
        case _:
            message = "no key of P-256, Ed25519 or RSA"
            raise ValueError(message)


def generate_signing_key(algorithm: Algorithm) -> bytes:
    """Return a new private key as PEM."""
    match algorithm:
        case "ES256":
            return _pem(ec.generate_private_key(ec.SECP256R1()))
        case "EdDSA":
            return _pem(ed25519.Ed25519PrivateKey.generate())
        case "RS256":
            return _pem(rsa.generate_private_key(_RSA_EXPONENT, RSA_BITS))


def derived_signing_key(secret: bytes) -> bytes:
    """Return the P-256 key that follows from the service's secret, as PEM.

    48 bytes of HKDF output are reduced modulo the order, which leaves no bias worth the
    name (FIPS 186-5, A.2.1: at least 64 bits more than the order).
    """
    wide = int.from_bytes(derive_key(secret, "token signing", 48), "big")
    return _pem(ec.derive_private_key(wide % (_ORDER - 1) + 1, ec.SECP256R1()))


def _marks(algorithm: Algorithm) -> KeyParameters:
    return {"use": "sig", "alg": algorithm}


def _named(algorithm: Algorithm, key: _Made) -> SigningKey:
    key.ensure_kid()
    return SigningKey(kid=str(key.kid), algorithm=algorithm, key=key)


def _pem(key: PrivateKeyTypes) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
