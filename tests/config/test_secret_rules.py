"""What is asked of the secrets while one replaces another."""

import pytest

from config.config import SettingsError, load_settings

OLD = "b1Kq7RzVx3Wm9TgYc5NsHd2PfJ8LuEa4"
NEW = "Zp4Xw8Gk2Vt6Rb9Yn3Jc7Hd5Mf1QsLuA"
SUBJECT = "c3ViamVjdC1rZXktb2YtdGhpcnR5LXR3by1ieXRlcyE"
ROTATING = {
    "SECRET_KEY": NEW,
    "SECRET_KEY_PREVIOUS": OLD,
    "SUBJECT_KEY": SUBJECT,
}


def problems(**variables: str) -> list[str]:
    environ = {"FLASK_ENV": "development", **variables}
    with pytest.raises(SettingsError) as refusal:
        load_settings(environ=environ, env_file=None)
    text = str(refusal.value)
    assert not any(it and it in text for it in variables.values() if len(it) > 30)
    return list(refusal.value.problems)


def test_one_secret_may_replace_another() -> None:
    environ = {"FLASK_ENV": "development", **ROTATING}

    settings = load_settings(environ=environ, env_file=None)

    assert settings.secret_key.get_secret_value() == NEW
    assert settings.secret_key_previous
    assert settings.secret_key_previous.get_secret_value() == OLD


def test_equal_secrets_are_no_rotation() -> None:
    [problem] = problems(**{**ROTATING, "SECRET_KEY_PREVIOUS": NEW})

    assert problem.startswith("SECRET_KEY_PREVIOUS: must be another secret")


def test_a_rotation_needs_a_subject_key_and_says_how_to_get_it() -> None:
    [problem] = problems(**{**ROTATING, "SUBJECT_KEY": ""})

    assert problem.startswith("SUBJECT_KEY: missing")
    assert "python -m backend.cli keys subject" in problem
    assert "while SECRET_KEY is still the first one" in problem


def test_a_previous_secret_does_not_stand_alone() -> None:
    [problem] = problems(**{**ROTATING, "SECRET_KEY": ""})

    assert problem.startswith("SECRET_KEY: missing")


def test_one_key_is_not_both() -> None:
    [problem] = problems(SECRET_KEY=SUBJECT, SUBJECT_KEY=SUBJECT)

    assert problem.startswith("SUBJECT_KEY: must be another one than SECRET_KEY")


def test_production_needs_a_subject_key_and_says_how_to_make_one() -> None:
    found = problems(SECRET_KEY=OLD, SECRET_KEY_PREVIOUS=NEW, FLASK_ENV="production")

    [problem] = [it for it in found if it.startswith("SUBJECT_KEY: ")]
    assert "`python -m backend.cli keys subject --new`" in problem
    assert "`FLASK_ENV=development python -m backend.cli keys subject`" in problem


@pytest.mark.parametrize("key", ["A" * 43, "ab" * 21 + "a"])
def test_in_production_the_subject_key_is_random(key: str) -> None:
    found = problems(SECRET_KEY=OLD, SUBJECT_KEY=key, FLASK_ENV="production")

    [problem] = [it for it in found if it.startswith("SUBJECT_KEY: ")]
    assert problem.startswith("SUBJECT_KEY: is no random key")


@pytest.mark.parametrize("weak", ["short", "changeme" * 8, "ab" * 20])
def test_in_production_the_previous_secret_is_held_to_the_same(weak: str) -> None:
    variables = {**ROTATING, "SECRET_KEY_PREVIOUS": weak, "FLASK_ENV": "production"}

    found = problems(**variables)

    assert any(it.startswith("SECRET_KEY_PREVIOUS: ") for it in found)


@pytest.mark.parametrize("key", ["short", SUBJECT + "A", SUBJECT[:-1] + "="])
def test_a_subject_key_is_43_characters(key: str) -> None:
    [problem] = problems(SECRET_KEY=NEW, SUBJECT_KEY=key)

    assert problem == "SUBJECT_KEY: must be 32 bytes in base64url, 43 characters"
