"""Codes and ids: derived, bound, uniform."""

from collections import Counter
from typing import get_args

from hypothesis import given
from hypothesis import strategies as st

from services.otp.codes import (
    Digits,
    Peppers,
    Purpose,
    VerificationId,
    derive_code,
    phone_tag,
)

PEPPER = bytes(range(32))
PHONE = "+919876543210"
TAG = phone_tag(b"key", PHONE)
MARK = Peppers((PEPPER,)).mark


def code(
    verification: VerificationId,
    *,
    pepper: bytes = PEPPER,
    storefront: str = "https://shop.example",
    e164: str = PHONE,
) -> str:
    return derive_code(pepper, verification, storefront=storefront, e164=e164)


def test_a_code_is_what_it_was_before() -> None:
    # A golden value: a change here makes every code that is on its way wrong.
    verification = VerificationId("AAAAAAAAAAAAAAAA", "lBBBBBBBBBBBBBBBBBBBBBBBBBB")

    assert code(verification) == "918703"


def test_a_code_repeats_and_is_six_digits() -> None:
    verification = VerificationId.new(TAG, "login", mark=MARK)

    assert code(verification) == code(verification)
    assert len(code(verification)) == 6
    assert code(verification).isdigit()


def test_a_code_belongs_to_all_it_was_sent_for() -> None:
    changed: Counter[str] = Counter()
    for _ in range(20):
        login = VerificationId.new(TAG, "login", mark=MARK)
        verify = VerificationId(login.tag, "v" + login.part[1:])
        right = code(login)
        changed["pepper"] += code(login, pepper=b"another") != right
        changed["storefront"] += code(login, storefront="https://evil") != right
        changed["phone"] += code(login, e164="+919876543211") != right
        changed["purpose"] += code(verify) != right
        changed["verification"] += (
            code(VerificationId.new(TAG, "login", mark=MARK)) != right
        )

    # By chance two codes are equal once in a million.
    assert all(count >= 19 for count in changed.values())
    assert len(changed) == 5


def test_a_long_code_is_eight_digits_and_no_longer_form_of_the_short_one() -> None:
    codes = set()
    for _ in range(200):
        short = VerificationId.new(TAG, "login", mark=MARK)
        long = VerificationId(TAG, short.part[0].upper() + short.part[1:])
        assert (short.digits, long.digits, long.purpose) == (6, 8, "login")
        assert len(code(long)) == 8
        assert code(long).isdigit()
        assert not code(long).endswith(code(short))
        codes.add(code(long))

    # Of 200 draws from 10^8 hardly two are equal; of fewer digits they would be.
    assert len(codes) == 200
    assert any(it.startswith("0") for it in codes)


def test_codes_are_uniform_and_keep_leading_zeros() -> None:
    # Chi-square over the first digit: 9 degrees of freedom, p = 0.001 is 27.9.
    draws = 20_000
    firsts = Counter(
        code(VerificationId("A" * 16, f"l{i:026}"))[0] for i in range(draws)
    )

    expected = draws / 10
    chi_square = sum((firsts[d] - expected) ** 2 / expected for d in "0123456789")
    assert chi_square < 27.9


@given(st.sampled_from(get_args(Purpose)), st.sampled_from(get_args(Digits)))
def test_an_id_reads_back(purpose: Purpose, digits: Digits) -> None:
    made = VerificationId.new(TAG, purpose, mark=MARK, digits=digits)

    read = VerificationId.parse(str(made))

    assert read == made
    assert read is not None
    assert (read.purpose, read.digits) == (purpose, digits)
    # What the operator's tools and the schema cut them by.
    assert len(read.part) == 27


@given(st.text())
def test_any_other_text_is_no_id(text: str) -> None:
    read = VerificationId.parse(text)

    assert read is None or str(read) == text


def test_an_id_with_a_line_end_or_other_purpose_is_none() -> None:
    text = str(VerificationId.new(TAG, "login", mark=MARK))

    assert VerificationId.parse(text + "\n") is None
    assert VerificationId.parse(text[:16] + "x" + text[17:]) is None
