"""The rules against abuse, as the settings make them."""

from collections.abc import Mapping

from backend.composition.limits import rules_of
from config.config import load_settings
from services.abuse.rules import RULES, Rule


def rules(*, with_calls: bool = True, **environ: str) -> Mapping[str, Rule]:
    settings = load_settings(
        default_environment="development", env_file=None, environ=environ
    )
    return rules_of(settings, with_calls=with_calls)


def test_without_settings_the_rules_are_as_they_are_written() -> None:
    found = rules()

    assert list(found) == list(RULES)
    # These bind nobody until somebody says how much.
    unset = {
        *("sends_per_country", "sends_global"),
        *("spend_global", "spend_per_country", "spend_per_caller"),
    }
    for name in found.keys() - unset:
        assert found[name] == RULES[name].default, name
    for name in unset:
        assert found[name] == Rule("off"), name


def test_windows_are_the_settings() -> None:
    found = rules(
        SENDS_PER_IP="1/1m",
        PHONES_PER_IP="2/1h",
        SENDS_PER_NETWORK="3/1h",
        SENDS_PER_COUNTRY="4/1h; IN: 5/1h, 6/24h",
        SENDS_PER_CALLER="7/1h; svc-orders: 8/1h",
        WRONG_CHECKS_PER_NETWORK="9/1h",
        SPEND_PER_COUNTRY="0.5/1h; IN: 1.25/1h",
        SPEND_GLOBAL="3/24h",
    )

    assert found["sends_per_ip"] == Rule("challenge", ((1, 60),))
    assert found["phones_per_ip"] == Rule("challenge", ((2, 3_600),))
    assert found["sends_per_network"] == Rule("challenge", ((3, 3_600),))
    by_country = found["sends_per_country"]
    assert by_country.mode == "block"
    assert by_country.windows_of("DE") == ((4, 3_600),)
    assert by_country.windows_of("IN") == ((5, 3_600), (6, 86_400))
    assert found["sends_per_caller"].windows_of("svc-orders") == ((8, 3_600),)
    assert found["wrong_checks_per_network"] == Rule("block", ((9, 3_600),))
    assert found["spend_global"] == Rule("block", ((3_000_000, 86_400),))
    assert found["spend_per_country"] == Rule(
        "block", ((500_000, 3_600),), {"IN": ((1_250_000, 3_600),)}
    )


def test_a_rule_that_is_about_one_subject_alone_is_on() -> None:
    found = rules(SPEND_PER_COUNTRY="IN: 5/1h")["spend_per_country"]

    assert found == Rule("block", (), {"IN": ((5_000_000, 3_600),)})
    assert found.windows_of("DE") == ()


def test_modes_are_the_settings() -> None:
    found = rules(
        RULE_MODES="sends_per_ip=monitor, prefix_conversion=challenge,"
        " wrong_checks_global=monitor, spend_global=monitor",
        SPEND_GLOBAL="5/1h",
    )

    assert found["sends_per_ip"].mode == "monitor"
    assert found["sends_per_ip"].windows == RULES["sends_per_ip"].default.windows
    assert found["prefix_conversion"].mode == "challenge"
    assert found["wrong_checks_global"].mode == "monitor"
    assert found["spend_global"].mode == "monitor"
    assert found["sends_per_prefix"].mode == "challenge"


def test_a_rule_without_limits_is_off() -> None:
    found = rules(SENDS_PER_IP="off", SENDS_PER_CALLER="off", WRONG_CHECKS_GLOBAL="off")

    assert found["sends_per_ip"] == Rule("off")
    assert found["sends_per_caller"] == Rule("off")
    assert found["wrong_checks_global"] == Rule("off")


def test_where_nobody_can_be_called_the_rules_on_calls_are_off() -> None:
    found = rules(with_calls=False, RULE_MODES="calls_global=monitor")

    assert {name for name, it in found.items() if it.mode == "off"} >= {
        "calls_per_prefix",
        "calls_global",
    }
    assert rules()["calls_global"].mode == "block"
    assert found["sends_per_ip"].mode == "challenge"


def test_every_mode_is_one_that_the_rule_may_have() -> None:
    for name, rule in rules(SPEND_GLOBAL="5/1h", SENDS_GLOBAL="5/1h").items():
        assert rule.mode in RULES[name].modes
