"""The file that says which numbers are served, and the settings beside it."""

from pathlib import Path

import pytest

from config.config import Settings, SettingsError, load_settings
from config.number_policy import NumberRules
from config.number_settings import served_by

ALL = {"sms": "allow", "whatsapp": "allow", "voice": "allow"}
MESSAGES = {**ALL, "voice": "block"}
SHAPE = (
    "NUMBER_POLICY_FILE: must hold [countries] and may hold [types], and nothing"
    " beside them; an empty [countries] serves nobody"
)
NO_COUNTRY = "must be a two-letter country code (ISO 3166-1) such as IN"
NO_TYPE = (
    "must be a type of number: mobile, fixed_line_or_mobile, fixed_line, premium_rate,"
    " shared_cost, toll_free, pager, uan, voip, personal_number, voicemail"
)
NO_CHANNEL = "may name sms, whatsapp, voice and nothing else"
NO_MODE = "must be allow, challenge or block, for all or by channel"
# What somebody may paste into the wrong file.
SECRET = "hunter2"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "numbers.toml"


def load(file: Path, text: str, **environ: str) -> Settings:
    file.write_text(text)
    return load_settings(
        default_environment="development",
        env_file=None,
        environ={"NUMBER_POLICY_FILE": str(file), **environ},
    )


def rules(file: Path, text: str) -> NumberRules:
    found = load(file, text).number_policy_file
    assert found is not None
    return found


def problems(file: Path, text: str, **environ: str) -> tuple[str, ...]:
    with pytest.raises(SettingsError) as caught:
        load(file, text, **environ)
    return caught.value.problems


# What it says


def test_a_mode_alone_is_for_messages_and_not_for_calls(file: Path) -> None:
    found = rules(file, '[countries]\nIN = "allow"\nae = "challenge"\nFR = "block"')

    assert found.countries == {
        "IN": MESSAGES,
        "AE": {"sms": "challenge", "whatsapp": "challenge", "voice": "block"},
        "FR": dict.fromkeys(ALL, "block"),
    }
    assert found.types == {}


def test_a_table_blocks_what_it_does_not_name(file: Path) -> None:
    found = rules(file, '[countries]\nUS = { sms = "allow", voice = "challenge" }')

    assert found.countries == {
        "US": {"sms": "allow", "whatsapp": "block", "voice": "challenge"}
    }


def test_types_are_opened_on_every_channel_or_on_one(file: Path) -> None:
    found = rules(
        file,
        """
        [countries]
        [types]
        voip = "allow"
        fixed_line = { voice = "challenge" }
        """,
    )

    assert found.types == {
        "voip": ALL,
        "fixed_line": {"sms": "block", "whatsapp": "block", "voice": "challenge"},
    }


# What it stands for


def test_only_its_countries_are_served(file: Path) -> None:
    settings = load(
        file,
        """
        [countries]
        IN = "allow"
        FR = "block"
        AE = { whatsapp = "challenge" }
        US = { sms = "allow", voice = "allow" }
        """,
    )

    assert settings.allowed_countries == ("IN", "AE", "US")
    assert served_by(settings, "sms") == ("IN", "US")
    assert served_by(settings, "whatsapp") == ("IN", "AE")
    assert served_by(settings, "voice") == ("US",)
    assert settings.warnings == ()


@pytest.mark.parametrize("text", ["[countries]", '[countries]\nIN = "block"'])
def test_an_empty_list_serves_nobody_and_says_so(file: Path, text: str) -> None:
    settings = load(file, text)

    assert settings.allowed_countries == ()
    assert settings.warnings == (
        "NUMBER_POLICY_FILE: serves no country; nobody is sent anything",
    )


def test_leaving_out_the_default_country_is_said(file: Path) -> None:
    settings = load(file, '[countries]\nAE = "allow"')

    assert settings.allowed_countries == ("AE",)
    [warning] = settings.warnings
    assert warning.startswith("NUMBER_POLICY_FILE: does not serve DEFAULT_COUNTRY")


def test_without_it_the_allowed_countries_stand() -> None:
    settings = load_settings(
        default_environment="development",
        env_file=None,
        environ={"DEFAULT_COUNTRY": "US", "ALLOWED_COUNTRIES": "US, IN"},
    )

    assert settings.number_policy_file is None
    assert served_by(settings, "sms") == served_by(settings, "whatsapp") == ("US", "IN")
    assert served_by(settings, "voice") == ("US",)
    assert settings.warnings == ()


@pytest.mark.parametrize("name", ["ALLOWED_COUNTRIES", "VOICE_COUNTRIES"])
def test_nothing_else_says_which_countries_are_served(file: Path, name: str) -> None:
    voice = {
        "TWILIO_ACCOUNT_SID": "AC" + "0" * 32,
        "TWILIO_AUTH_TOKEN": "token",
        "TWILIO_VOICE_NUMBER": "+15005550006",
    }

    found = problems(file, '[countries]\nAE = "allow"', **voice, **{name: "IN"})

    assert found == (
        f"{name}: must not stand beside NUMBER_POLICY_FILE, which says it",
    )


# What is wrong with it


@pytest.mark.parametrize(
    "text",
    [
        "",
        '[types]\nvoip = "allow"',
        'countries = ["IN"]',
        '[[countries]]\nIN = "allow"',
        '[countries]\nIN = "allow"\n[channels]\nsms = "allow"',
        f'{SECRET} = "{SECRET}"\n[countries]\nIN = "allow"',
        '[countries]\nIN = "allow"\n[[types]]\nvoip = "allow"',
    ],
)
def test_it_holds_countries_and_types_alone(file: Path, text: str) -> None:
    assert problems(file, text) == (SHAPE,)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (
            f'[countries]\nIN = "allow"\n{SECRET} = "allow"',
            f"entry 2 of [countries] {NO_COUNTRY}",
        ),
        (
            '[countries]\nXX = "allow"',
            f"entry 1 of [countries] {NO_COUNTRY}",
        ),
        (
            '[countries]\n001 = "allow"',
            f"entry 1 of [countries] {NO_COUNTRY}",
        ),
        (
            f'[countries]\nIN = "{SECRET}"',
            f"entry 1 of [countries] (IN) {NO_MODE}",
        ),
        (
            f'[countries]\nIN = {{ sms = "{SECRET}" }}',
            f"entry 1 of [countries] (IN) {NO_MODE}",
        ),
        ("[countries]\nIN = true", f"entry 1 of [countries] (IN) {NO_MODE}"),
        ('[countries]\nIN = ["allow"]', f"entry 1 of [countries] (IN) {NO_MODE}"),
        ("[countries]\nIN = {}", f"entry 1 of [countries] (IN) {NO_MODE}"),
        (
            f'[countries]\nIN = {{ {SECRET} = "allow" }}',
            f"entry 1 of [countries] (IN) {NO_CHANNEL}",
        ),
        (
            '[countries]\nIN = "allow"\nin = "block"',
            "entry 2 of [countries] is for IN, as an entry before it is",
        ),
        (
            f'[countries]\nIN = "allow"\n[types]\n{SECRET} = "allow"',
            f"entry 1 of [types] {NO_TYPE}",
        ),
        (
            f'[countries]\nIN = "allow"\n[types]\nvoip = "{SECRET}"',
            f"entry 1 of [types] (voip) {NO_MODE}",
        ),
    ],
)
def test_an_entry_that_cannot_be_used_is_named_by_its_place(
    file: Path, text: str, reason: str
) -> None:
    assert problems(file, text) == (f"NUMBER_POLICY_FILE: {reason}",)


def test_all_of_them_are_named_at_once(file: Path) -> None:
    text = '[countries]\nXX = "allow"\nIN = 1\n[types]\nsatellite = "allow"'

    [found] = problems(file, text)

    assert found == (
        f"NUMBER_POLICY_FILE: entry 1 of [countries] {NO_COUNTRY};"
        f" entry 2 of [countries] (IN) {NO_MODE}; entry 1 of [types] {NO_TYPE}"
    )


def test_a_mistake_in_toml_is_shown_by_its_place(file: Path) -> None:
    [found] = problems(file, f'[countries]\nIN = "allow"\nIN = "{SECRET}"\n')

    assert "must be the path of a TOML file: see line 3, column" in found
    assert SECRET not in found


def test_one_that_is_missing_is_named_by_its_setting(file: Path) -> None:
    with pytest.raises(SettingsError) as caught:
        load_settings(
            env_file=None,
            environ={"FLASK_ENV": "development", "NUMBER_POLICY_FILE": str(file)},
        )

    assert caught.value.problems == (
        "NUMBER_POLICY_FILE: must be the path of a file that can be read",
    )
