"""Caps on money, limits of single countries and clients, and the modes of rules."""

from typing import get_args

import pytest

from config.config import Settings, SettingsError, load_settings
from config.money import BySubject
from config.rule_modes import MODES, Mode
from services.abuse import rules
from services.abuse.rules import MICROS, RULES


def settings(**environ: str) -> Settings:
    return load_settings(
        default_environment="development", env_file=None, environ=environ
    )


def problems(**environ: str) -> tuple[str, ...]:
    with pytest.raises(SettingsError) as caught:
        settings(**environ)
    return caught.value.problems


def problem(**environ: str) -> str:
    [found] = problems(**environ)
    return found


# Money


@pytest.mark.parametrize(
    ("text", "windows"),
    [
        ("12.5/1h", ((12_500_000, 3_600),)),
        ("12.5/1h, 300/24h", ((12_500_000, 3_600), (300_000_000, 86_400))),
        ("0.000001/1d", ((1, 86_400),)),
        ("9999999.999999/30d", ((9_999_999_999_999, 30 * 86_400),)),
        ("0.10/10m", ((100_000, 600),)),
        ("off", ()),
        ("OFF", ()),
    ],
)
def test_money_is_whole_millionths_in_windows(
    text: str, windows: tuple[tuple[int, int], ...]
) -> None:
    assert settings(SPEND_GLOBAL=text).spend_global == windows


@pytest.mark.parametrize(
    "text",
    [
        "12.5",
        "12,5/1h",
        "$5/1h",
        "-5/1h",
        "1e3/1h",
        "5./1h",
        ".5/1h",
        "1.2345678/1h",
        "12345678/1h",
        "5/1w",
        "5/1h; IN: 6/1h",
        "off, 5/1h",
        "٥/1h",
    ],
)
def test_other_shapes_of_money_are_refused(text: str) -> None:
    assert problem(SPEND_GLOBAL=text) == (
        "SPEND_GLOBAL: must look like 12.5/1h, 300/24h, or be off"
    )


@pytest.mark.parametrize("text", ["0/1h", "0.000000/1h", "5/0s", "5/31d"])
def test_nothing_and_no_time_are_no_cap(text: str) -> None:
    assert "amounts are above 0" in problem(SPEND_GLOBAL=text)


def test_one_duration_has_one_amount() -> None:
    assert "names the same duration twice" in problem(SPEND_GLOBAL="5/1h, 6/60m")


def test_the_largest_cap_is_exact_where_redis_writes_it() -> None:
    [(micros, _)] = settings(SPEND_GLOBAL="9999999.999999/30d").spend_global

    # Lua in Redis writes numbers with 14 digits.
    assert float(f"{micros:.14g}") == micros


def test_nothing_is_capped_unless_somebody_says_so() -> None:
    found = settings()

    assert not found.spend_global
    assert not found.spend_per_country
    assert not found.spend_per_caller
    assert (found.spend_currency, found.price_unknown) == ("USD", 0.1)
    assert found.warnings == ()


def test_countries_may_have_caps_of_their_own() -> None:
    found = settings(
        SPEND_PER_COUNTRY="50/1h; in: 100.5/1h, 500/24h; AE: off"
    ).spend_per_country

    assert found == BySubject(
        ((50_000_000, 3_600),),
        (("IN", ((100_500_000, 3_600), (500_000_000, 86_400))), ("AE", ())),
    )


def test_a_country_may_be_the_only_one_with_a_cap() -> None:
    found = settings(SPEND_PER_COUNTRY="IN: 100/1h").spend_per_country

    assert found == BySubject((), (("IN", ((100_000_000, 3_600),)),))
    assert found


def test_service_clients_may_have_limits_of_their_own() -> None:
    found = settings(
        SENDS_PER_CALLER="600/1m; svc-orders: 60/1m, 100/1h",
        SPEND_PER_CALLER="svc-orders: 5/24h",
    )

    assert found.sends_per_caller == BySubject(
        ((600, 60),), (("svc-orders", ((60, 60), (100, 3_600))),)
    )
    assert found.spend_per_caller.special == (("svc-orders", ((5_000_000, 86_400),)),)


@pytest.mark.parametrize(
    ("variable", "text", "fault"),
    [
        ("SPEND_PER_COUNTRY", "5/1h; XX: 6/1h", "entry 2 must be a two-letter"),
        ("SPEND_PER_COUNTRY", "5/1h; svc-orders: 6/1h", "entry 2 must be a two-letter"),
        ("SPEND_PER_COUNTRY", "5/1h; IN: many", "entry 2 must look like 12.5/1h"),
        ("SPEND_PER_COUNTRY", "IN: 5/1h; IN: 6/1h", "entry 2 is for whom an entry"),
        ("SPEND_PER_COUNTRY", "5/1h; 6/1h", "entry 2 is for whom an entry"),
        ("SPEND_PER_COUNTRY", ": 5/1h", "entry 1 must be a two-letter"),
        ("SENDS_PER_COUNTRY", "5/1h; XX: 6/1h", "entry 2 must be a two-letter"),
        ("SENDS_PER_COUNTRY", "0.5/1h", "entry 1 must look like 3/10m"),
        ("SPEND_PER_CALLER", "IN: 6/1h", "entry 1 must be a service client's id"),
        ("SPEND_PER_CALLER", "svc-: 6/1h", "entry 1 must be a service client's id"),
        ("SENDS_PER_CALLER", "orders: 6/1h", "entry 1 must be a service client's id"),
    ],
)
def test_a_limit_of_nobody_is_refused(variable: str, text: str, fault: str) -> None:
    assert fault in problem(**{variable: text})


def test_every_wrong_entry_is_named_and_none_is_repeated() -> None:
    found = problem(SPEND_PER_COUNTRY="hunter2; XX: 5/1h; IN: 5/1h; DE: hunter2")

    assert "entry 1 " in found
    assert "entry 2 " in found
    assert "entry 4 " in found
    assert "entry 3 " not in found
    assert "hunter2" not in found


@pytest.mark.parametrize(("text", "currency"), [("inr", "INR"), ("EUR", "EUR")])
def test_a_currency_is_one_that_there_is(text: str, currency: str) -> None:
    assert settings(SPEND_CURRENCY=text).spend_currency == currency


@pytest.mark.parametrize("text", ["UDS", "$", "Rupees", "US"])
def test_other_currencies_are_refused(text: str) -> None:
    assert "ISO 4217" in problem(SPEND_CURRENCY=text)


@pytest.mark.parametrize("text", ["0", "-0.1", "101", "nan", "inf", "cheap"])
def test_what_is_not_known_costs_something(text: str) -> None:
    assert problem(PRICE_UNKNOWN=text).startswith("PRICE_UNKNOWN: must be")


@pytest.mark.parametrize(
    "cap", ["SPEND_GLOBAL", "SPEND_PER_COUNTRY", "SPEND_PER_CALLER"]
)
def test_a_cap_without_any_price_is_warned_of(cap: str) -> None:
    [warning] = settings(**{cap: "5/1h", "PRICE_UNKNOWN": "0.2"}).warnings

    assert warning.startswith(f"{cap}: no price is set")
    assert "0.2 USD" in warning
    assert settings(**{cap: "5/1h", "SMS_PRICES": "twilio: 0.05"}).warnings == ()


@pytest.mark.parametrize(
    ("cap", "text"),
    [
        ("", ""),
        ("SPEND_GLOBAL", "5/1h"),
        ("SPEND_PER_COUNTRY", "IN: 5/1h"),
        ("SPEND_PER_CALLER", "5/1h"),
        ("SENDS_GLOBAL", "500/1h"),
    ],
)
def test_production_without_any_cap_on_the_bill_is_warned(cap: str, text: str) -> None:
    found = settings(
        FLASK_ENV="production",
        SECRET_KEY="7sXo2mQp9vLw4kTz8bYc1nRf6hJd3gAe",
        SUBJECT_KEY="Vf0aYw3rT9kQe5uZx7LmC1oHs8dJb2NgP4iRtUyKqXE",
        REDIS_URL="redis://127.0.0.1:1/0",
        TOKEN_ISSUER="https://auth.shop.example",
        FAST2SMS_API_KEY="a-key-of-some-length",
        SMS_PRICES="fast2sms: 0.01",
        **({cap: text} if cap else {}),
    )

    said = [it for it in found.warnings if "no cap on money" in it]
    assert len(said) == (0 if cap else 1)


def test_what_everybody_guesses_has_one_window() -> None:
    assert settings(WRONG_CHECKS_GLOBAL="500/1h").wrong_checks_global == ((500, 3_600),)
    assert settings(WRONG_CHECKS_GLOBAL="off").wrong_checks_global == ()
    found = problem(WRONG_CHECKS_GLOBAL="500/1h, 5000/24h")
    assert found.startswith("WRONG_CHECKS_GLOBAL: has one window")


# Modes


def test_the_names_and_modes_of_rules_are_those_of_the_rules() -> None:
    assert {name: it.modes for name, it in RULES.items()} == MODES
    assert tuple(RULES) == tuple(MODES)
    assert get_args(Mode) == get_args(rules.Mode)
    assert MICROS == 1_000_000


def test_modes_are_set_rule_by_rule() -> None:
    found = settings(RULE_MODES="sends_per_ip=monitor, Country_Conversion = OFF,")

    assert found.rule_modes == (
        ("sends_per_ip", "monitor"),
        ("country_conversion", "off"),
    )


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("sends_per_ip", "entry 1: sends_per_ip can be off, monitor, challenge, block"),
        ("sends_per_ip=allow", "entry 1: sends_per_ip can be off, monitor"),
        ("spend_global=challenge", "entry 1: spend_global can be off, monitor, block"),
        ("wrong_checks_global=block", "can be off, monitor, challenge"),
        ("sends_per_moon=off", "entry 1 names an unknown rule; known are sends_per_ip"),
        ("=off", "entry 1 names an unknown rule"),
        ("sends_per_ip=off, sends_per_ip=off", "entry 2 names sends_per_ip once more"),
    ],
)
def test_other_modes_are_refused(text: str, fault: str) -> None:
    assert fault in problem(RULE_MODES=text)


def test_every_wrong_mode_is_named() -> None:
    found = problem(RULE_MODES="hunter2, sends_per_ip=off, spend_global=x")

    assert "entry 1 " in found
    assert "entry 3" in found
    assert "hunter2" not in found


@pytest.mark.parametrize(
    ("rule", "variable"),
    [
        ("spend_global", "SPEND_GLOBAL"),
        ("sends_per_country", "SENDS_PER_COUNTRY"),
        ("sends_global", "SENDS_GLOBAL"),
    ],
)
def test_a_mode_needs_something_to_be_strict_about(rule: str, variable: str) -> None:
    found = problem(RULE_MODES=f"{rule}=block")

    assert found == f"RULE_MODES: {rule}=block means nothing without {variable}"
    assert settings(RULE_MODES=f"{rule}=off").rule_modes == ((rule, "off"),)
    assert settings(RULE_MODES=f"{rule}=block", **{variable: "5/1h"}).rule_modes


def test_conversion_needs_no_limit_to_be_strict() -> None:
    assert settings(RULE_MODES="prefix_conversion=challenge").rule_modes
