"""The file of prices."""

from pathlib import Path

import pytest

from config.config import Settings, SettingsError, load_settings
from config.prices import ListedPrice


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "prices.toml"


def settings(file: Path, text: str, **environ: str) -> Settings:
    file.write_text(text)
    return load_settings(
        default_environment="development",
        env_file=None,
        environ={"PRICES_FILE": str(file), **environ},
    )


def problem(file: Path, text: str, **environ: str) -> str:
    with pytest.raises(SettingsError) as caught:
        settings(file, text, **environ)
    [found] = caught.value.problems
    return found


def table(line: str) -> str:
    return f"[[price]]\n{line}\n"


def test_a_price_is_for_a_vendor_and_what_else_it_names(file: Path) -> None:
    found = settings(
        file,
        """
        [[price]]
        vendor = "twilio"
        country = "in"
        price = 0.0832

        [[price]]
        vendor = "twilio"
        prefix = "+1204"
        price = 1

        [[price]]
        vendor = "Webhook"
        channel = "voice"
        price = 0.0

        [[price]]
        vendor = "webhook"
        price = 100
        """,
    ).prices_file

    assert found == (
        ListedPrice("twilio", 0.0832, country="IN"),
        ListedPrice("twilio", 1.0, prefix="+1204"),
        ListedPrice("webhook", 0.0, channel="voice"),
        ListedPrice("webhook", 100.0),
    )


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        ("price = 0.1", "needs a vendor"),
        ('vendor = "twillio"\nprice = 0.1', "vendor names an unknown vendor"),
        ('vendor = "console"\nprice = 0.1', "vendor names an unknown vendor"),
        ("vendor = 5\nprice = 0.1", "vendor must be a text"),
        ('vendor = "aws"', "must have a price from 0 to 100"),
        ('vendor = "aws"\nprice = -0.1', "must have a price from 0 to 100"),
        ('vendor = "aws"\nprice = 100.5', "must have a price from 0 to 100"),
        ('vendor = "aws"\nprice = nan', "must have a price from 0 to 100"),
        ('vendor = "aws"\nprice = inf', "must have a price from 0 to 100"),
        ('vendor = "aws"\nprice = true', "must have a price from 0 to 100"),
        ('vendor = "aws"\nprice = "0.1"', "must have a price from 0 to 100"),
        ('vendor = "aws"\nprice = 0.1\ncountry = "XX"', "country must be a two-letter"),
        ('vendor = "aws"\nprice = 0.1\ncountry = ""', "country must be a two-letter"),
        ('vendor = "aws"\nprice = 0.1\nprefix = "91"', "prefix must be the beginning"),
        ('vendor = "aws"\nprice = 0.1\nprefix = "*"', "prefix must be the beginning"),
        ('vendor = "aws"\nprice = 0.1\nprefix = "+999"', "prefix begins with what is"),
        ('vendor = "aws"\nprice = 0.1\nchannel = "fax"', "channel must be one of sms,"),
        ('vendor = "aws"\nprice = 0.1\nchannel = ["sms"]', "channel must be a text"),
        ('vendor = "aws"\nprice = 0.1\npirce = 1', "has an unknown key; known are"),
        (
            'vendor = "aws"\nprice = 0.1\ncountry = "IN"\nprefix = "+91"',
            "must have a country or a prefix, not both",
        ),
    ],
)
def test_what_cannot_be_meant_is_refused(file: Path, line: str, fault: str) -> None:
    found = problem(file, table('vendor = "plivo"\nprice = 0.1') + table(line))

    assert found.startswith(f"PRICES_FILE: price 2 {fault}"), found


def test_every_wrong_price_is_named_with_all_that_is_wrong(file: Path) -> None:
    found = problem(
        file,
        table('vendor = "hunter2"\ncountry = "hunter2"')
        + table('vendor = "aws"\nprice = 1')
        + table("price = -1\nhunter2 = 5"),
    )

    assert found.count("price 1 ") == 3
    assert found.count("price 3 ") == 3
    assert "price 2 " not in found
    assert "hunter2" not in found


@pytest.mark.parametrize(
    ("line", "again"),
    [
        ("", ""),
        ('country = "IN"', 'country = "in"'),
        ('prefix = "+91"', 'prefix = "+91"'),
        ('channel = "sms"', 'channel = "sms"'),
    ],
)
def test_two_prices_for_one_thing_are_refused(
    file: Path, line: str, again: str
) -> None:
    text = "".join(table(f'vendor = "aws"\nprice = 1\n{it}') for it in (line, again))

    assert problem(file, text) == (
        "PRICES_FILE: price 2 is for what a price before it is for"
    )


@pytest.mark.parametrize(
    ("line", "entry"), [('prefix = "+91"', "aws +91: 0.2"), ("", "aws: 0.2")]
)
def test_a_price_stands_in_one_place_only(file: Path, line: str, entry: str) -> None:
    text = table('vendor = "aws"\nprice = 1\nchannel = "sms"') + table(
        f'vendor = "aws"\nprice = 1\n{line}'
    )

    assert problem(file, text, SMS_PRICES=entry) == (
        "PRICES_FILE: price 2 is for what an entry of SMS_PRICES is for"
    )


def test_a_file_that_is_not_there_is_named(file: Path) -> None:
    with pytest.raises(SettingsError, match="PRICES_FILE: must be the path of a file"):
        load_settings(env_file=None, environ={"PRICES_FILE": str(file)})


def test_a_cap_with_a_price_list_is_not_warned_of(file: Path) -> None:
    text = table('vendor = "aws"\nprice = 1')

    assert settings(file, text, SPEND_GLOBAL="5/1h").warnings == ()
