"""Names stay, secrets rotate."""

import base64

from backend.composition.addresses import addresses_of
from backend.composition.secrets import (
    Secrets,
    new_subject_key,
    secrets_of,
    write_subject_key,
)
from backend.composition.signing_keys import held_keys
from config.config import Settings, load_settings

OLD = "b1Kq7RzVx3Wm9TgYc5NsHd2PfJ8LuEa4"
NEW = "Zp4Xw8Gk2Vt6Rb9Yn3Jc7Hd5Mf1QsLuA"
SUBJECT = "c3ViamVjdC1rZXktb2YtdGhpcnR5LXR3by1ieXRlcyE"


def settings_of(secret: str = OLD, **more: str) -> Settings:
    variables = {"FLASK_ENV": "development", "SECRET_KEY": secret, **more}
    return load_settings(environ=variables, env_file=None)


def read(secret: str = OLD, **more: str) -> Secrets:
    return secrets_of(settings_of(secret, **more))


def test_names_follow_from_the_subject_key_alone() -> None:
    one = read(OLD, SUBJECT_KEY=SUBJECT)
    other = read(NEW, SUBJECT_KEY=SUBJECT)

    assert one.naming("phone tag") == other.naming("phone tag")
    assert one.naming("phone tag") != one.naming("subject")
    assert one.keys("code pepper") != other.keys("code pepper")


def test_without_a_subject_key_names_follow_from_the_secret() -> None:
    assert read(OLD).naming("subject") == read(OLD).naming("subject")
    assert read(OLD).naming("subject") != read(NEW).naming("subject")


def test_the_printed_subject_key_names_as_the_derived_one_did() -> None:
    before = read(OLD)

    printed = write_subject_key(before)

    after = read(NEW, SECRET_KEY_PREVIOUS=OLD, SUBJECT_KEY=printed)
    assert len(base64.urlsafe_b64decode(printed + "=")) == 32
    assert after.naming("subject") == before.naming("subject")
    assert write_subject_key(after) == printed


def test_a_new_subject_key_is_another_one_each_time() -> None:
    one, other = new_subject_key(), new_subject_key()

    assert one != other
    assert write_subject_key(read(OLD, SUBJECT_KEY=one)) == one


def test_secrets_come_current_first_and_the_previous_one_beside_it() -> None:
    both = read(NEW, SECRET_KEY_PREVIOUS=OLD, SUBJECT_KEY=SUBJECT)

    (new,) = read(NEW).keys("code pepper")
    (old,) = read(OLD).keys("code pepper")
    assert both.keys("code pepper") == (new, old)


def test_names_and_secrets_of_one_label_differ() -> None:
    secrets = read(OLD)

    assert secrets.naming("label") not in secrets.keys("label")


def test_no_secret_is_in_a_repr() -> None:
    secrets = read(NEW, SECRET_KEY_PREVIOUS=OLD, SUBJECT_KEY=SUBJECT)

    told = repr(secrets)

    assert OLD not in told
    assert NEW not in told
    assert "key" not in told


def test_addresses_of_both_secrets_are_good_and_the_current_one_is_shown() -> None:
    public = {"PUBLIC_BASE_URL": "https://auth.shop.example", "SUBJECT_KEY": SUBJECT}
    before = addresses_of(settings_of(OLD, **public))
    both = addresses_of(settings_of(NEW, SECRET_KEY_PREVIOUS=OLD, **public))
    after = addresses_of(settings_of(NEW, **public))

    assert both.secret("vonage") == after.secret("vonage")
    assert both.renewed("vonage", before.token("vonage")) == both.token("vonage")
    assert both.renewed("vonage", both.token("vonage")) == both.token("vonage")
    assert both.renewed("vonage", before.token("msg91")) == before.token("msg91")
    assert after.renewed("vonage", before.token("vonage")) == before.token("vonage")


def test_both_secrets_derive_keys_that_verify_and_the_current_one_signs() -> None:
    before, after = settings_of(OLD), settings_of(NEW)
    between = settings_of(NEW, SECRET_KEY_PREVIOUS=OLD, SUBJECT_KEY=SUBJECT)

    held = [it.kid for it in held_keys(between, secrets_of(between))]

    assert held == [held_keys(it, secrets_of(it))[0].kid for it in (after, before)]


def test_a_configured_key_stands_alone() -> None:
    settings = settings_of(OLD)
    (derived,) = held_keys(settings, secrets_of(settings))
    pem = derived.key.as_pem(private=True).decode()
    configured = settings_of(
        NEW, SECRET_KEY_PREVIOUS=OLD, SUBJECT_KEY=SUBJECT, JWT_SIGNING_KEY=pem
    )

    (held,) = held_keys(configured, secrets_of(configured))

    assert held.kid == derived.kid
