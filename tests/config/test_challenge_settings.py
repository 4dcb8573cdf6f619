"""Challenges that cannot be what they are meant to be are refused at start."""

import pytest

from config.config import Settings, SettingsError, load_settings

CAPTCHA = {"CHALLENGE_SITE_KEY": "site-key", "CHALLENGE_SECRET_KEY": "secret"}
LONELY = "means nothing with CHALLENGE=altcha"
VENDORS = ("turnstile", "hcaptcha", "recaptcha")


def load(**environ: str) -> Settings:
    return load_settings(
        default_environment="development", env_file=None, environ=environ
    )


def problems(**environ: str) -> tuple[str, ...]:
    with pytest.raises(SettingsError) as caught:
        load(**environ)
    return caught.value.problems


def test_nothing_is_needed_for_a_proof_of_work() -> None:
    settings = load()

    assert (settings.challenge, settings.challenge_difficulty) == ("altcha", 1)


@pytest.mark.parametrize("vendor", VENDORS)
def test_a_captcha_needs_both_keys(vendor: str) -> None:
    assert load(CHALLENGE=vendor.upper(), **CAPTCHA).challenge == vendor
    assert problems(CHALLENGE=vendor) == (
        f"CHALLENGE_SITE_KEY: missing; CHALLENGE={vendor} needs it",
        f"CHALLENGE_SECRET_KEY: missing; CHALLENGE={vendor} needs it",
    )


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("CHALLENGE_SITE_KEY", "site-key"),
        ("CHALLENGE_SECRET_KEY", "secret"),
        ("CHALLENGE_HOSTNAMES", "shop.example.com"),
        ("CHALLENGE_MIN_SCORE", "0"),
        ("CHALLENGE_VERIFY_URL", "https://captcha.example.com"),
    ],
)
def test_what_only_a_captcha_reads_needs_one(name: str, value: str) -> None:
    assert problems(**{name: value}) == (f"{name}: {LONELY}",)


@pytest.mark.parametrize("vendor", ["turnstile", "hcaptcha"])
def test_a_least_score_is_recaptchas(vendor: str) -> None:
    score = {"CHALLENGE_MIN_SCORE": "0.7"}

    assert load(CHALLENGE="recaptcha", **CAPTCHA, **score).challenge_min_score == 0.7
    assert problems(CHALLENGE=vendor, **CAPTCHA, **score) == (
        "CHALLENGE_MIN_SCORE: means nothing without CHALLENGE=recaptcha",
    )


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("CHALLENGE", "puzzle"),
        ("CHALLENGE_DIFFICULTY", "0"),
        ("CHALLENGE_DIFFICULTY", "21"),
        ("CHALLENGE_DIFFICULTY", "1.5"),
        ("CHALLENGE_MIN_SCORE", "1.1"),
        ("CHALLENGE_MIN_SCORE", "-0.1"),
        ("CHALLENGE_MIN_SCORE", "nan"),
        ("CHALLENGE_HOSTNAMES", "https://shop.example.com"),
        ("CHALLENGE_VERIFY_URL", "captcha.example.com"),
        ("CHALLENGE_SITE_KEY", "two words"),
    ],
)
def test_a_value_that_cannot_be_is_named(name: str, value: str) -> None:
    given = {"CHALLENGE": "recaptcha", **CAPTCHA, name: value}

    found = problems(**given)

    assert [it.partition(":")[0] for it in found] == [name]


def test_all_is_named_at_once() -> None:
    found = problems(
        CHALLENGE="turnstile", CHALLENGE_MIN_SCORE="0.5", CHALLENGE_DIFFICULTY="99"
    )

    assert {it.partition(":")[0] for it in found} == {
        "CHALLENGE_DIFFICULTY",
        "CHALLENGE_SITE_KEY",
        "CHALLENGE_SECRET_KEY",
        "CHALLENGE_MIN_SCORE",
    }


def test_production_hands_its_secret_to_nobody_in_the_clear() -> None:
    found = problems(
        FLASK_ENV="production",
        CHALLENGE="hcaptcha",
        CHALLENGE_VERIFY_URL="http://captcha.example.com",
        **CAPTCHA,
    )

    assert "CHALLENGE_VERIFY_URL: must be https in production" in found


def test_no_problem_shows_the_secret() -> None:
    secret = "captcha-secret-0123"

    assert secret not in str(problems(CHALLENGE_SECRET_KEY=secret))
    assert secret not in repr(
        load(**{**CAPTCHA, "CHALLENGE_SECRET_KEY": secret}, CHALLENGE="turnstile")
    )
