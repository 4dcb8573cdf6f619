"""Subjects: the names of people."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.identity.people.subjects import Subjects

TAG = "AAECAwQFBgcICQoL"
SUBJECTS = Subjects(key=bytes(range(32)), admin_tags=[TAG])

tags = st.binary(min_size=12, max_size=12).map(
    lambda it: base64.urlsafe_b64encode(it).decode()
)


def test_a_subject_is_what_it_was_before() -> None:
    # Golden values: a change here makes everybody a stranger.
    assert SUBJECTS.subject_of(TAG) == "vdxMyrFQZszB_msMuhM-tg"
    assert SUBJECTS.subject_of(TAG, 1) == "9MLbHcOIBaN7khccXQqBzA"


@given(tags, st.integers(0, 0xFFFF))
def test_a_subject_reads_back_and_shows_nothing(tag: str, generation: int) -> None:
    subject = SUBJECTS.subject_of(tag, generation)

    assert SUBJECTS.read(subject) == (tag, generation)
    assert len(subject) == 22
    assert tag not in subject


@given(tags, tags)
def test_every_phone_and_every_generation_has_its_own(one: str, other: str) -> None:
    names = {SUBJECTS.subject_of(tag, n) for tag in (one, other) for n in (0, 1)}

    assert len(names) == (2 if one == other else 4)


def test_another_key_names_everybody_otherwise() -> None:
    other = Subjects(key=bytes(32))

    assert other.subject_of(TAG) != SUBJECTS.subject_of(TAG)
    assert other.read(SUBJECTS.subject_of(TAG)) is None


@pytest.mark.parametrize("text", ["", "x" * 21, "x" * 23, "é" * 22, "A" * 21 + "B"])
def test_what_is_no_subject_does_not_read(text: str) -> None:
    assert SUBJECTS.read(text) is None


def test_admins_are_those_of_the_settings() -> None:
    admin, other = SUBJECTS.subject_of(TAG), SUBJECTS.subject_of("x" * 16)

    assert SUBJECTS.roles_of(TAG, admin) == ["customer", "admin"]
    assert SUBJECTS.roles_of("x" * 16, other) == ["customer"]
    granted = SUBJECTS.roles_of("x" * 16, other, ["admin", "picker"])
    assert granted == ["customer", "admin", "picker"]
    assert SUBJECTS.roles_of(TAG, admin, ["admin"]) == ["customer", "admin"]


def test_who_comes_to_an_admins_number_later_is_none() -> None:
    successor = SUBJECTS.subject_of(TAG, 1)

    assert SUBJECTS.roles_of(TAG, successor) == ["customer"]
    assert SUBJECTS.roles_of(TAG, successor, ["picker"]) == ["customer", "picker"]
