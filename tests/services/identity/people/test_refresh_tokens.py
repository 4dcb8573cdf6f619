"""Refresh tokens: their format, and what is not taken for one."""

import base64
import re
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.errors import InvalidGrant
from services.identity.people.refresh_tokens import RefreshTokens
from tests.services.identity.people.world import World
from tests.services.stores import open_embedded

KEY = bytes(range(32))
SESSION = "AAECAwQFBgcICQoL" + "DA0ODxAREhMUFRYXGBkaGw"
TOKENS = RefreshTokens((KEY,))
TOKEN = "qcr_AQABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhsAAAAAd5iIXZUTw0A0UJfEZ3huGUepmQ8"

sessions = st.binary(min_size=28, max_size=28).map(
    lambda it: text_of(it[:12]) + text_of(it[12:])
)
counters = st.integers(0, 2**32 - 1)


def text_of(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def bytes_of(token: str) -> bytes:
    return base64.urlsafe_b64decode(token.removeprefix("qcr_") + "=")


def test_a_token_is_what_it_was_before() -> None:
    # Golden values: a change here logs everybody out.
    assert TOKENS.write(SESSION, 0) == TOKEN
    assert TOKENS.read(TOKEN) == (SESSION, 0)


def test_a_token_is_laid_out_as_documented() -> None:
    data = bytes_of(TOKENS.write(SESSION, 258))

    assert len(data) == 53
    assert data[:33] == b"\x01" + bytes(range(28)) + b"\x00\x00\x01\x02"
    assert data[49:] == zlib.crc32(data[:49]).to_bytes(4, "big")


@given(sessions, counters)
def test_a_token_reads_back(session: str, counter: int) -> None:
    token = TOKENS.write(session, counter)

    assert TOKENS.read(token) == (session, counter)
    assert re.fullmatch(r"qcr_[A-Za-z0-9_-]{71}", token)
    assert token == TOKENS.write(session, counter)


@given(st.integers(0, 52), st.integers(1, 255), st.booleans())
def test_any_changed_byte_is_refused(
    place: int,
    change: int,
    repaired: bool,  # noqa: FBT001 - hypothesis hands it over by place
) -> None:
    data = bytearray(bytes_of(TOKENS.write(SESSION, 7)))
    data[place] ^= change
    if repaired and place < 49:
        data[49:] = zlib.crc32(data[:49]).to_bytes(4, "big")

    assert TOKENS.read("qcr_" + text_of(bytes(data))) is None


@given(st.integers(0, 74), st.characters(codec="utf-8"))
def test_any_changed_character_is_refused(place: int, character: str) -> None:
    token = TOKENS.write(SESSION, 7)
    changed = token[:place] + character + token[place + 1 :]

    assert (TOKENS.read(changed) is None) == (changed != token)


@given(st.text(max_size=100))
def test_any_other_text_is_no_token(text: str) -> None:
    assert TOKENS.read(text) is None


def test_a_token_of_another_key_is_refused() -> None:
    other = RefreshTokens((b"another",))

    assert other.read(TOKENS.write(SESSION, 0)) is None


def test_a_token_of_the_secret_before_is_good() -> None:
    both = RefreshTokens((b"another", KEY))

    assert both.read(TOKENS.write(SESSION, 3)) == (SESSION, 3)
    assert both.write(SESSION, 3) == RefreshTokens((b"another",)).write(SESSION, 3)


@pytest.mark.parametrize("how", ["junk", "torn", "forged"])
def test_what_is_no_token_never_reaches_redis(how: str) -> None:
    store = open_embedded()
    token = {
        "junk": "qcr_junk",
        "torn": TOKENS.write(SESSION, 0)[:-1],
        "forged": RefreshTokens((b"forger",)).write(SESSION, 0),
    }[how]

    with pytest.raises(InvalidGrant):
        World(store).refresh(token)

    assert store.events == [], "no script ran"
