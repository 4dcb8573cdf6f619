"""How a rule may be, and how that is written down."""

import pytest

from services.abuse.overrides import (
    Override,
    PolicyRefused,
    check_override,
    read_part,
    write_parts,
)
from services.abuse.rules import RULES, Mode, Rule

WINDOWS = ((10, 600), (30, 3_600))


@pytest.mark.parametrize("name", RULES)
def test_every_default_can_be_set_and_read_again(name: str) -> None:
    default = RULES[name].default
    override = Override(default.mode, default.windows, default.special)
    check_override(name, override)

    found = Rule("off")
    for part, text in write_parts(override).items():
        found = read_part(name, part, text).over(found)

    assert found == default


@pytest.mark.parametrize("name", RULES)
@pytest.mark.parametrize("mode", ["off", "monitor", "challenge", "block"])
def test_a_rule_has_the_modes_of_its_definition(name: str, mode: Mode) -> None:
    if mode in RULES[name].modes:
        check_override(name, Override(mode=mode))
        return

    with pytest.raises(PolicyRefused, match=f"{name} can be off, monitor") as refused:
        check_override(name, Override(mode=mode))
    assert refused.value.field == "mode"


def test_there_are_no_other_rules() -> None:
    with pytest.raises(PolicyRefused, match="no such rule") as refused:
        check_override("sends_per_moon", Override(mode="off"))

    assert refused.value.field == "rule"


@pytest.mark.parametrize(
    ("name", "override", "words"),
    [
        ("sends_per_ip", Override(windows=((0, 60),)), "counts start at 1"),
        ("sends_per_ip", Override(windows=((1, 0),)), "between 1s and 30d"),
        ("sends_per_ip", Override(windows=((1, 31 * 86_400),)), "between 1s and 30d"),
        ("sends_per_ip", Override(windows=((10**9, 60),)), "counts start at 1"),
        ("sends_per_ip", Override(windows=((1, 60), (2, 60))), "twice"),
        (
            "sends_per_ip",
            Override(windows=tuple((1, it) for it in range(1, 7))),
            "5 windows",
        ),
        ("spend_global", Override(windows=((10**13, 60),)), "counts start at 1"),
        ("prefix_conversion", Override(windows=((1, 60),)), "no windows"),
        ("wrong_checks_global", Override(windows=WINDOWS), "one window"),
        ("sends_per_ip", Override(special={"IN": WINDOWS}), "no windows for single"),
        ("sends_global", Override(special={"IN": WINDOWS}), "no windows for single"),
        ("country_conversion", Override(special={"IN": WINDOWS}), "no windows for"),
        ("sends_per_country", Override(special={"India": WINDOWS}), "a country"),
        ("sends_per_caller", Override(special={"svc shop": WINDOWS}), "a service"),
        ("sends_per_country", Override(special={"IN": ((0, 60),)}), "start at 1"),
        (
            "sends_per_caller",
            Override(special={f"svc-{it}": WINDOWS for it in range(301)}),
            "300 subjects",
        ),
    ],
)
def test_windows_out_of_range_are_refused(
    name: str, override: Override, words: str
) -> None:
    with pytest.raises(PolicyRefused, match=words) as refused:
        check_override(name, override)

    assert refused.value.field == "windows"


def test_money_may_be_as_much_as_the_settings_take() -> None:
    check_override("spend_global", Override(windows=((9_999_999_999_999, 86_400),)))


def test_parts_that_are_not_set_stay_as_they_are() -> None:
    rule = Rule("block", WINDOWS, {"IN": WINDOWS})

    assert Override().over(rule) == rule
    assert Override(mode="off").over(rule) == Rule("off", WINDOWS, {"IN": WINDOWS})
    assert Override(windows=(), special={}).over(rule) == Rule("block")


def test_a_set_part_can_be_empty() -> None:
    assert write_parts(Override(windows=(), special={})) == {
        "windows": "",
        "special": "",
    }
    assert read_part("sends_per_country", "windows", "") == Override(windows=())
    assert read_part("sends_per_country", "special", "") == Override(special={})


def test_what_is_written_has_a_spelling_of_its_own() -> None:
    override = Override(
        "block", WINDOWS, {"IN": ((5, 60),), "AE": ((9, 60), (99, 600))}
    )

    assert write_parts(override) == {
        "mode": "block",
        "windows": "10/600,30/3600",
        "special": "AE=9/60,99/600;IN=5/60",
    }


@pytest.mark.parametrize(
    ("name", "part", "text"),
    [
        ("sends_per_moon", "mode", "off"),
        ("sends_per_ip", "mood", "off"),
        ("sends_per_ip", "mode", ""),
        ("sends_per_ip", "mode", "BLOCK"),
        ("wrong_checks_global", "mode", "block"),
        ("sends_per_ip", "windows", "10"),
        ("sends_per_ip", "windows", "10/600,"),
        ("sends_per_ip", "windows", "10/0"),
        ("sends_per_ip", "windows", "-1/600"),
        ("sends_per_ip", "windows", "१/600"),
        ("sends_per_ip", "windows", "1" * 17 + "/600"),
        ("sends_per_country", "special", "IN"),
        ("sends_per_country", "special", "IN=1=2"),
        ("sends_per_country", "special", ";"),
    ],
)
def test_what_cannot_be_read_is_no_override(name: str, part: str, text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - whatever it says
        read_part(name, part, text)
