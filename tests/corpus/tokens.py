"""The mutation corpus: tokens that nobody may take, made of one that everybody takes.

Whatever is wrong with a token that the service's own key signed can come of a mistake
in the service alone; it is refused all the same (RFC 8725). Left out is what is good by
the standards: a header that is not understood (RFC 7515 4), and the second signature
that every ECDSA signature has.
"""

import base64
import json
import zlib
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from cryptography.hazmat.primitives.asymmetric import ec, ed25519, utils
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tests.corpus.forge import (
    COORDINATE_BYTES,
    MISSING,
    Forge,
    attach,
    base64url,
    read_segment,
    segment,
    sign,
)
from tests.corpus.good import new_key

# RFC 8032 5.1: the order of the base point.
_ED25519_ORDER = 2**252 + 27742317777372353535851937790883648493
_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"


class Case(NamedTuple):
    """A token to refuse, and what is wrong with it."""

    name: str
    token: str


def mutations(good: str, pem: str | bytes, *, now: int) -> list[Case]:
    """Return every mutation of a good access or verification token.

    ``pem`` is the key that signed it, of any of the three algorithms; ``now`` the time
    (Unix seconds) of whoever is to refuse them.
    """
    forge = Forge.of(good, pem)
    return [
        *_without_signature(forge),
        *_shared_secrets(forge),
        *_algorithms(forge),
        *_kinds(forge),
        *_audiences(forge),
        *_issuers(forge),
        *_key_ids(forge),
        *_strangers(forge),
        *_critical(forge),
        *_times(forge, now),
        *_subjects(forge),
        *_signatures(forge),
        *_shapes(forge),
        *_payloads(forge),
        *_twice(forge, now),
        *_encodings(forge),
    ]


def service_tokens(access: str, pem: str | bytes) -> list[Case]:
    """Return tokens of service clients, which speak for no person."""
    forge = Forge.of(access, pem)
    about = {"sub": "svc-orders", "client_id": "svc-orders", "sid": MISSING}
    about |= {"auth_time": MISSING, "amr": MISSING, "acr": MISSING, "roles": MISSING}
    about |= {"scope": "otp:send"}
    own = forge.with_claims(**about, aud=forge.claims["iss"])
    return [
        Case("a service's token", own),
        Case("a service's token for this audience", forge.with_claims(**about)),
    ]


def other_kinds(good: str, pem: str | bytes, others: Mapping[str, bytes]) -> list[Case]:
    """Return tokens that mix their own key with others of the same issuer.

    ``others`` has those of other algorithms, as PEM by their ids; whoever is to refuse
    the tokens knows them too.
    """
    forge = Forge.of(good, pem)
    return [
        it
        for kid, other in others.items()
        for it in _mixed(forge, Forge.of(good, other), kid)
    ]


def _mixed(forge: Forge, other: Forge, kid: str) -> Iterator[Case]:
    alg = other.algorithm
    yield Case(f"kid of an {alg} key", forge.with_header(kid=kid))
    yield Case(f"kid and alg of an {alg} key", forge.with_header(kid=kid, alg=alg))
    yield Case(f"signed by an {alg} key", forge.by_stranger(other.key))
    token = forge.by_stranger(other.key, alg=alg)
    yield Case(f"signed by an {alg} key, which alg says", token)
    token = forge.by_stranger(other.key, kid=kid)
    yield Case(f"signed by an {alg} key, which kid says", token)
    public = other.key.public_key()
    secret = public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    yield Case(f"HS256 by an {alg} key's PEM", forge.by_secret(secret, kid=kid))


def _without_signature(forge: Forge) -> Iterator[Case]:
    claims = forge.token.split(".")[1]
    for alg in ("none", "None", "NONE", "nOnE", "", None, MISSING):
        header = {**forge.header, "alg": alg}
        if alg is MISSING:
            del header["alg"]
        name = "missing" if alg is MISSING else repr(alg)
        signed = f"{segment(header)}.{claims}"
        yield Case(f"alg {name}, no signature", f"{signed}.")
        yield Case(f"alg {name}, old signature", attach(signed, forge.signature))
        yield Case(f"alg {name}, signed", attach(signed, sign(forge.key, signed)))


def _shared_secrets(forge: Forge) -> Iterator[Case]:
    """CVE-2017-11424, CVE-2022-29217: what is public, as the secret of an HMAC."""
    public = forge.key.public_key()
    pem = public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    der = public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    number = forge.jwk["n" if forge.algorithm == "RS256" else "x"]
    secrets = {
        "PEM": pem,
        "PEM without its last line end": pem.strip(),
        "DER": der,
        "JWK": json.dumps(forge.jwk).encode(),
        "compact JWK": json.dumps(forge.jwk, separators=(",", ":")).encode(),
        "number": number.encode(),
        "bytes of its number": base64.urlsafe_b64decode(number + "=="),
        "key id": forge.header["kid"].encode(),
        "nothing": b"",
    }
    if forge.algorithm == "RS256":
        secrets["PEM of PKCS #1"] = public.public_bytes(
            Encoding.PEM, PublicFormat.PKCS1
        )
    for name, secret in secrets.items():
        yield Case(f"HS256 by {name}", forge.by_secret(secret))
    yield Case("HS384 by PEM", forge.by_secret(pem, "HS384"))
    yield Case("HS512 by PEM", forge.by_secret(pem, "HS512"))


def _algorithms(forge: Forge) -> Iterator[Case]:
    own = forge.algorithm
    known = {"ES256", "EdDSA", "RS256", "Ed25519", "ES384", "ES256K", "PS256", "RS512"}
    for alg in (*sorted(known - {own}), own.swapcase(), f"{own} ", 1, [own]):
        yield Case(f"alg {alg!r}", forge.with_header(alg=alg))


def _kinds(forge: Forge) -> Iterator[Case]:
    """Explicit typing (RFC 8725 3.11): each kind in its one spelling."""
    own = forge.header["typ"]
    others = ("JWT", "jwt", "", "at", own.upper(), own.title(), f"application/{own}")
    for typ in (*others, f" {own}", f"{own}\0", f"{own};", [own], None, MISSING):
        name = "missing" if typ is MISSING else repr(typ)
        yield Case(f"typ {name}", forge.with_header(typ=typ))
    swapped = {"at+jwt": "verification+jwt", "verification+jwt": "at+jwt"}[own]
    yield Case("typ of the other kind", forge.with_header(typ=swapped))


def _audiences(forge: Forge) -> Iterator[Case]:
    own = forge.claims["aud"]
    others = (own[:-1], own[1:], f"{own}x", f"x{own}", own.swapcase(), f"{own} ", "")
    lists: tuple[Any, ...] = ([own], [own, "other"], ["other", own], [], {own: own})
    for aud in (*others, f"{own}/verification", f"{own}/", *lists, True, None, MISSING):
        name = "missing" if aud is MISSING else repr(aud)
        yield Case(f"aud {name}", forge.with_claims(aud=aud))


def _issuers(forge: Forge) -> Iterator[Case]:
    own = forge.claims["iss"]
    others = (own[:-1], own[1:], f"{own}.evil.example", f"{own}/", f"{own}@evil", "")
    spelled = (own.upper(), own.title(), own.replace("s://", "://", 1) + "#", f"{own} ")
    for iss in (*others, *spelled, "https://evil.example", [own], 1, None, MISSING):
        name = "missing" if iss is MISSING else repr(iss)
        yield Case(f"iss {name}", forge.with_claims(iss=iss))


def _key_ids(forge: Forge) -> Iterator[Case]:
    own = forge.header["kid"]
    hostile = (
        "../../../../dev/null",
        "/dev/null",
        "file:///dev/null",
        "https://evil.example/key",
        "' OR '1'='1",
        "x'; DROP TABLE keys; --",
        "key:*",
        "\0",
        "",
        "__proto__",
        "é",
    )
    # The key is another one at every run, and a case is to keep its name.
    made_of_it = {
        "and a line end": f"{own}\n",
        "and a space": f"{own} ",
        "in the other case": own.swapcase(),
        "cut short": own[:-1],
        "in a list": [own],
        "in an object": {own: own},
    }
    for name, kid in made_of_it.items():
        yield Case(f"kid {name}", forge.with_header(kid=kid))
    yield Case("kid missing", forge.with_header(kid=MISSING))
    for kid in (*hostile, 0, True, None):
        yield Case(f"kid {kid!r}", forge.with_header(kid=kid))
    yield Case("kid of 65 letters", forge.with_header(kid="k" * 65))
    yield Case("kid of 4 KiB", forge.with_header(kid="k" * 4096))
    yield Case("kid of 1 MB", forge.with_header(kid="k" * 2**20))


def _strangers(forge: Forge) -> Iterator[Case]:
    """CVE-2018-0114: a key that comes with the token proves nothing."""
    stranger = Forge.of(forge.token, new_key(forge.algorithm))
    key, public = stranger.key, stranger.jwk
    der = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    brought: dict[str, dict[str, Any]] = {
        "nothing": {},
        "jwk": {"jwk": public},
        "jku": {"jku": "https://evil.example/jwks.json"},
        "local jku": {"jku": "http://127.0.0.1:9/jwks.json"},
        "x5u": {"x5u": "https://evil.example/chain.pem"},
        "x5c": {"x5c": [base64.b64encode(der).decode()]},
    }
    for name, header in brought.items():
        yield Case(f"another key and {name}", forge.by_stranger(key, **header))
        for kid in ("theirs", MISSING):
            called = "no kid" if kid is MISSING else "a kid of its own"
            token = forge.by_stranger(key, **header, kid=kid)
            yield Case(f"another key, {called} and {name}", token)


def _critical(forge: Forge) -> Iterator[Case]:
    """RFC 7515 4.1.11, RFC 7797."""
    for crit in (["unknown"], ["exp"], ["alg"], ["b64", "unknown"], [], "b64", None):
        yield Case(f"crit {crit!r}", forge.with_header(crit=crit, unknown=1))
    yield Case("b64 true", forge.with_header(crit=["b64"], b64=True))
    plain = forge.header | {"b64": False}
    payload = json.dumps(forge.claims, separators=(",", ":"))
    for name, header in {
        "b64 false": plain | {"crit": ["b64"]},
        "b64 false, not critical": plain,
    }.items():
        yield Case(f"{name}, encoded", forge.with_payload(forge.claims, **header))
        yield Case(f"{name}, plain", forge.sign(segment(header), payload))
        detached = forge.sign(segment(header), payload).rpartition(".")[2]
        yield Case(f"{name}, detached", f"{segment(header)}..{detached}")


def _times(forge: Forge, now: int) -> Iterator[Case]:
    life = forge.claims["exp"] - forge.claims["iat"]
    yield Case("expired by 31 s", forge.with_claims(exp=now - 31, iat=now - 31 - life))
    later = now + life
    others: tuple[Any, ...] = (str(later), later + 0.5, float(later), True, [later])
    # No float, and no other JSON reader, has these as they are (RFC 8259 6).
    huge = {"2^53": 2**53, "2^63": 2**63, "2^64 and later": 2**64 + later}
    for name, exp in {**huge, "10^300": 10**300, "-10^300": -(10**300)}.items():
        yield Case(f"exp {name}", forge.with_claims(exp=exp))
    for name in ("iat", "nbf"):
        token = forge.with_claims(**{name: -(10**300)})
        yield Case(f"{name} -10^300", token)
    yield Case("auth_time 10^300", forge.with_claims(auth_time=10**300))
    for text in (f"{later}e0", f"{later // 10}e1", f"{later}.0", "1e300", "1e400"):
        yield Case(f"exp written {text}", _with_exp(forge, text))
    # More digits than Python reads.
    yield Case("exp of 5000 digits", _with_exp(forge, "9" * 5_000))
    yield Case("exp with a zero before", _with_exp(forge, f"0{later}"))
    yield Case("exp with a plus", _with_exp(forge, f"+{later}"))
    yield Case("exp in hex", _with_exp(forge, hex(later)))
    token = _with_exp(forge, f"{later}.0", r'"e\u0078p"')
    yield Case("exp written with an escape, and a fraction", token)
    for exp in (*others, {}, -later, 0):
        yield Case(f"exp {exp!r}", forge.with_claims(exp=exp))
    for name, exp in {"null": None, "missing": MISSING, "NaN": float("nan")}.items():
        yield Case(f"exp {name}", forge.with_claims(exp=exp))
    yield Case("exp Infinity", forge.with_claims(exp=float("inf")))
    yield Case("not yet valid", forge.with_claims(nbf=now + 3_600))
    yield Case("from the future", forge.with_claims(iat=now + 3_600, exp=now + 7_200))
    others = (str(now), now + 0.5, True, [now], None)
    for value in others:
        yield Case(f"nbf {value!r}", forge.with_claims(nbf=value))
        yield Case(f"iat {value!r}", forge.with_claims(iat=value))
    yield Case("iat missing", forge.with_claims(iat=MISSING))


def _with_exp(forge: Forge, text: str, name: str = '"exp"') -> str:
    """Sign claims whose end is written as it is given."""
    claims = {name: it for name, it in forge.claims.items() if name != "exp"}
    return forge.with_payload(f"{json.dumps(claims)[:-1]}, {name}: {text}}}".encode())


def _subjects(forge: Forge) -> Iterator[Case]:
    values: tuple[Any, ...] = (1, ["x"], {}, "", None, MISSING)
    for claim in ("sub", "client_id"):
        for value in values:
            name = "missing" if value is MISSING else repr(value)
            yield Case(f"{claim} {name}", forge.with_claims(**{claim: value}))


def _signatures(forge: Forge) -> Iterator[Case]:
    good = forge.signature
    for at in range(len(good)):
        flipped = bytes(
            it ^ (1 << at % 8) if i == at else it for i, it in enumerate(good)
        )
        yield Case(f"bit {at % 8} of byte {at} flipped", forge.with_signature(flipped))
    middle = len(good) // 2
    first, second, nothing = good[:middle], good[middle:], bytes(middle)
    for name, signature in {
        **_as_numbers(forge),
        "of zeros": nothing + nothing,  # CVE-2022-21449
        "of its first half and zeros": first + nothing,
        "of zeros and its second half": nothing + second,
        "of ones": b"\xff" * len(good),
        "turned around": second + first,
        "without its last byte": good[:-1],
        "half": first,
        "with a byte more": good + b"\0",
        "with a byte before": b"\0" + good,
        "of one byte": b"\0",
        "empty": b"",
    }.items():
        yield Case(f"signature {name}", forge.with_signature(signature))
    header, claims, own = forge.token.split(".")
    changed = {
        "header": f"{segment(forge.header | {'more': 1})}.{claims}.{own}",
        "claims": f"{header}.{segment(forge.claims | {'roles': ['admin']})}.{own}",
        "subject": f"{header}.{segment(forge.claims | {'sub': 'me'})}.{own}",
    }
    for name, token in changed.items():
        yield Case(f"{name} changed after signing", token)
    other = forge.with_claims(jti="another").rpartition(".")[2]
    yield Case("signature of another token", f"{forge.signed_part}.{other}")


def _as_numbers(forge: Forge) -> dict[str, bytes]:
    """The same numbers in another form, where a signature is made of numbers."""
    first = forge.signature[:COORDINATE_BYTES]
    second = forge.signature[COORDINATE_BYTES:]
    match forge.key:
        case ec.EllipticCurvePrivateKey():
            r, s = int.from_bytes(first, "big"), int.from_bytes(second, "big")
            return {"as DER": utils.encode_dss_signature(r, s)}
        case ed25519.Ed25519PrivateKey():
            # RFC 8032 8.4: the same signature to who does not look at the bound.
            s = int.from_bytes(second, "little") + _ED25519_ORDER
            return {"beyond the order": first + s.to_bytes(COORDINATE_BYTES, "little")}
    return {}


def _shapes(forge: Forge) -> Iterator[Case]:
    header, claims, signature = forge.token.split(".")
    shapes = {
        "no signature part": f"{header}.{claims}",
        "no header": f".{claims}.{signature}",
        "no claims": f"{header}..{signature}",
        "one part": header,
        "four parts": f"{forge.token}.{signature}",
        "five parts, as encrypted": f"{forge.token}.{signature}.{signature}",
        "a point before": f".{forge.token}",
        "a point after": f"{forge.token}.",
        "only points": "..",
        "no token": "x",
        "cut short": forge.token[:-20],
        "twice": forge.token * 2,
        "of 9 KiB": forge.with_claims(more="x" * 9_216),
        "as JSON": json.dumps(
            {"protected": header, "payload": claims, "signature": signature}
        ),
    }
    for name, token in shapes.items():
        yield Case(f"shape: {name}", token)


def _payloads(forge: Forge) -> Iterator[Case]:
    claims = json.dumps(forge.claims).encode()
    squeezed = zlib.compress(claims)[2:-4]
    yield Case("zipped", forge.with_payload(squeezed, zip="DEF"))
    # A signed token has no "zip" (RFC 7516 4.1.3): who wrote it meant something else.
    yield Case("zip, not zipped", forge.with_header(zip="DEF"))
    yield Case("nested token", forge.with_payload(forge.token.encode(), cty="JWT"))
    odd = {
        "a list": [forge.claims],
        "a text": json.dumps(forge.claims),
        "null": None,
        "empty": b"",
        "no JSON": b"{",
        "JSON and more": claims + b"{}",
        "JSON with a comment": b"/**/" + claims,
        "Latin-1": claims[:-1] + b', "x": "\xe9"}',
        "nested deeply": b"[" * 5_000,
        "nested deeply and closed": b'{"a":' * 700 + b"1" + b"}" * 700,
    }
    for name, payload in odd.items():
        yield Case(f"payload: {name}", forge.with_payload(payload))
    part = forge.token.split(".")[1]
    for name, data in {
        "nested deeply": b"[" * 5_000,
        "a list": json.dumps([forge.header]).encode(),
        "null": b"null",
        "no JSON": b"{",
    }.items():
        yield Case(f"header: {name}", forge.sign(base64url(data), part))


def _twice(forge: Forge, now: int) -> Iterator[Case]:
    """RFC 7519 4: of a name that comes twice the last counts, or neither."""
    header, claims, _ = forge.token.split(".")
    for name, value in {"aud": "other", "iss": "https://evil.example"}.items():
        yield Case(f"{name} twice", forge.sign(header, _with_last(claims, name, value)))
    token = forge.sign(header, _with_last(claims, "exp", now - 3_600))
    yield Case("exp twice", token)
    for name, value in {"alg": "none", "typ": "JWT", "kid": "other"}.items():
        yield Case(f"{name} twice", forge.sign(_with_last(header, name, value), claims))


def _with_last(part: str, name: str, value: object) -> str:
    text = json.dumps(read_segment(part))
    return base64url(f"{text[:-1]}, {json.dumps({name: value})[1:]}".encode())


def _encodings(forge: Forge) -> Iterator[Case]:
    """Base64url has one spelling (RFC 7515 2, RFC 4648 3.2 to 3.5)."""
    header, claims, signature = forge.token.split(".")
    yield Case("padding after the signature", f"{forge.token}==")
    yield Case("padding after the header", forge.sign(_padded(header), claims))
    yield Case("padding after the claims", forge.sign(header, _padded(claims)))
    yield Case("padding inside", f"{header}.{claims}.{signature[:4]}=={signature[4:]}")
    yield Case(
        "a space in the claims", forge.sign(header, f"{claims[:8]} {claims[8:]}")
    )
    yield Case(
        "a space in the header", forge.sign(f"{header[:8]} {header[8:]}", claims)
    )
    yield Case(
        "a space in the signature",
        f"{header}.{claims}.{signature[:4]} {signature[4:]}",
    )
    yield Case(
        "a sign of no alphabet", f"{header}.{claims}.{signature[:4]}!{signature[4:]}"
    )
    yield Case("bits that mean nothing", forge.token[:-1] + _next_to(signature[-1]))
    plain, number = forge.token, 0
    while not {"-", "_"} & set(plain.rpartition(".")[2]):
        # Two of the three algorithms sign the same to the same.
        plain, number = forge.with_claims(jti=f"token {number}"), number + 1
    first, _, last = plain.rpartition(".")
    other = last.replace("-", "+").replace("_", "/")
    yield Case("the other alphabet", f"{first}.{other}")


def _padded(part: str) -> str:
    return part + ("=" * (-len(part) % 4) or "====")


def _next_to(letter: str) -> str:
    # 64 bytes leave the last letter four bits that nobody reads.
    return _ALPHABET[_ALPHABET.index(letter) ^ 1]
