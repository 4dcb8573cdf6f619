"""The keys that sign tokens: read, derived, shown, followed."""

import base64
import hashlib
import json
from typing import Any

import jwt as pyjwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa, x25519
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
)
from joserfc import jwt

from services.errors import StoreUnavailable
from services.events import Event
from services.identity.keys.signing_keys import (
    ALGORITHMS,
    JWS,
    RSA_BITS,
    Algorithm,
    KeySet,
    SigningKeys,
    derived_signing_key,
    generate_signing_key,
    one_key,
    read_signing_key,
)

# What a verifier needs of each kind (RFC 7518 6, RFC 8037 2), and nothing else.
PUBLIC: dict[Algorithm, set[str]] = {
    "ES256": {"kty", "crv", "x", "y"},
    "EdDSA": {"kty", "crv", "x"},
    "RS256": {"kty", "n", "e"},
}
PEMS = {algorithm: generate_signing_key(algorithm) for algorithm in ALGORITHMS}


class Reading:
    """What a worker reads its keys from: sets of keys, or an outage."""

    def __init__(self, *found: KeySet | None) -> None:
        self.found = list(found)
        self.events: list[Event] = []

    def __call__(self) -> KeySet:
        keys = self.found.pop(0)
        if keys is None:
            raise StoreUnavailable(retry_after=1)
        return keys


def of(algorithm: Algorithm) -> KeySet:
    key = read_signing_key(PEMS[algorithm])
    return KeySet.of(key, [key], states={})


def thumbprint(jwk: dict[str, Any]) -> str:
    """RFC 7638, 3: the SHA-256 of the required members, in order, without spaces."""
    members = {name: jwk[name] for name in sorted(PUBLIC[jwk["alg"]])}
    digest = hashlib.sha256(json.dumps(members, separators=(",", ":")).encode())
    return base64.urlsafe_b64encode(digest.digest()).rstrip(b"=").decode()


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_what_a_key_signs_another_library_verifies_by_the_jwks(
    algorithm: Algorithm,
) -> None:
    keys = one_key(PEMS[algorithm])
    key = keys.active()

    token = jwt.encode(
        {"alg": key.algorithm, "kid": key.kid}, {"sub": "x"}, key.key, registry=JWS
    )
    (public,) = pyjwt.PyJWKSet.from_dict(keys.jwks()).keys

    assert key.algorithm == algorithm
    assert pyjwt.decode(token, public, algorithms=[algorithm]) == {"sub": "x"}


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_the_jwks_holds_what_verifiers_need_and_nothing_private(
    algorithm: Algorithm,
) -> None:
    keys = one_key(PEMS[algorithm])

    (jwk,) = keys.jwks()["keys"]

    assert set(jwk) == PUBLIC[algorithm] | {"use", "alg", "kid"}
    assert (jwk["use"], jwk["alg"]) == ("sig", algorithm)
    assert jwk["kid"] == keys.active().kid == thumbprint(jwk)


def test_a_key_of_rsa_has_3072_bits() -> None:
    key = read_signing_key(PEMS["RS256"])

    modulus = base64.urlsafe_b64decode(key.public()["n"] + "==")
    assert len(modulus) * 8 == RSA_BITS == 3072


def test_a_key_that_no_algorithm_of_ours_knows_is_refused() -> None:
    pem = x25519.X25519PrivateKey.generate().private_bytes(
        Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()
    )

    with pytest.raises(ValueError, match="P-256, Ed25519 or RSA"):
        read_signing_key(pem)


def test_no_key_is_repeated_in_its_repr() -> None:
    for pem in PEMS.values():
        keys = one_key(pem)
        keys.follow()

        told = repr(keys.active()) + repr(keys._keys)
        assert "PRIVATE" not in told
        assert "key=" not in told


def test_the_derived_key_depends_on_the_secret_alone() -> None:
    assert derived_signing_key(b"secret") == derived_signing_key(b"secret")
    assert derived_signing_key(b"secret") != derived_signing_key(b"another")


def test_the_order_of_the_jwks_depends_on_the_keys_alone() -> None:
    keys = [read_signing_key(pem) for pem in PEMS.values()]

    one = KeySet.of(keys[0], keys)
    other = KeySet.of(keys[1], reversed(keys))

    assert json.dumps(one.jwks) == json.dumps(other.jwks)


def test_nothing_is_known_before_the_first_read() -> None:
    reading = Reading(None, None, None, of("ES256"))
    keys = SigningKeys(reading, emit=reading.events.append)

    for ask in (keys.active, keys.jwks, lambda: keys.find("kid")):
        with pytest.raises(StoreUnavailable):
            ask()

    assert keys.active().algorithm == "ES256"


def test_an_outage_leaves_the_last_keys() -> None:
    reading = Reading(of("ES256"), None)
    keys = SigningKeys(reading, emit=reading.events.append)
    keys.follow()

    with pytest.raises(StoreUnavailable):
        keys.follow()

    assert keys.active().algorithm == "ES256"


def test_without_a_key_that_may_sign_nothing_is_signed() -> None:
    retired = KeySet.of(None, [], states={})
    keys = SigningKeys(lambda: retired, emit=lambda _: None)

    assert keys.jwks() == {"keys": []}
    with pytest.raises(StoreUnavailable):
        keys.active()


def test_keys_are_named_by_their_public_half() -> None:
    key = rsa.generate_private_key(65537, RSA_BITS)
    formats = (PrivateFormat.PKCS8, PrivateFormat.TraditionalOpenSSL)
    pems = [key.private_bytes(Encoding.PEM, it, NoEncryption()) for it in formats]

    first, second = (read_signing_key(pem).kid for pem in pems)

    assert pems[0] != pems[1]
    assert first == second
