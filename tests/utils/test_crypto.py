"""Framing, derivation and sealing."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from utils.crypto import (
    base64url,
    derive_key,
    fingerprint,
    from_base64url,
    mac,
    mac_text,
    permute,
    random_text,
    same,
    seal,
    unpermute,
    unseal,
)

KEY = bytes(range(32))


@given(st.binary(max_size=40))
def test_base64url_comes_back_and_has_no_padding(data: bytes) -> None:
    text = base64url(data)

    assert "=" not in text
    assert from_base64url(text) == data


@pytest.mark.parametrize("text", ["a", "ab c", "abc.", "é", "ab==="])
def test_what_is_no_base64url_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        from_base64url(text)


def test_labels_give_independent_keys() -> None:
    keys = {derive_key(b"secret", label) for label in ("a", "b", "c")}

    assert len(keys) == 3
    assert derive_key(b"secret", "a") == derive_key(b"secret", "a")


@given(st.lists(st.text(), max_size=4), st.lists(st.text(), max_size=4))
def test_other_fields_give_another_mac(left: list[str], right: list[str]) -> None:
    assert (mac(KEY, *left) == mac(KEY, *right)) == (left == right)


def test_texts_have_the_size_asked_for() -> None:
    assert len(mac_text(KEY, "x", size=12)) == 16
    assert len(random_text(16)) == 22
    assert random_text(16) != random_text(16)
    assert len(fingerprint("x")) == 12


@given(st.text(), st.text())
def test_same_compares_any_text(left: str, right: str) -> None:
    assert same(left, left)
    assert same(left, right) == (left == right)


@given(st.text(), st.text())
def test_what_was_sealed_opens(text: str, context: str) -> None:
    assert unseal((KEY,), seal((KEY,), text, context=context), context=context) == text


@given(st.text())
def test_what_either_key_sealed_opens_while_one_replaces_the_other(text: str) -> None:
    old, new = (KEY, bytes(32)), (bytes(32), KEY)

    assert unseal(new, seal(old, text, context="x"), context="x") == text
    assert unseal(old, seal(new, text, context="x"), context="x") == text


def test_the_first_key_seals() -> None:
    sealed = seal((KEY, bytes(32)), "text", context="x")

    assert unseal((KEY,), sealed, context="x") == "text"
    with pytest.raises(ValueError, match="sealed"):
        unseal((bytes(32),), sealed, context="x")


def test_sealing_twice_looks_different() -> None:
    assert seal((KEY,), "x", context="") != seal((KEY,), "x", context="")


@pytest.mark.parametrize("how", ["key", "context", "text", "junk", "empty"])
def test_what_was_altered_does_not_open(how: str) -> None:
    sealed = seal((KEY,), "+919876543210", context="session")
    key, context = KEY, "session"
    if how == "key":
        key = bytes(32)
    elif how == "context":
        context = "another"
    elif how == "text":
        sealed = ("B" if sealed[0] == "A" else "A") + sealed[1:]
    else:
        sealed = "!!!" if how == "junk" else ""

    with pytest.raises(ValueError, match="sealed"):
        unseal((key,), sealed, context=context)


def test_a_block_is_permuted_as_the_standard_has_it() -> None:
    # FIPS 197, appendix C.3.
    block = bytes.fromhex("00112233445566778899aabbccddeeff")

    permuted = permute(KEY, block)

    assert permuted == bytes.fromhex("8ea2b7ca516745bfeafc49904b496089")
    assert unpermute(KEY, permuted) == block
