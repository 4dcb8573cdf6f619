"""The file of the operator's own texts, as far as TOML goes."""

from pathlib import Path

import pytest

from config.config import SettingsError, load_settings


def read(path: Path) -> object:
    return load_settings(
        default_environment="development",
        env_file=None,
        environ={"SMS_TEMPLATES_FILE": str(path)},
    ).sms_templates_file


def problem(path: Path) -> str:
    with pytest.raises(SettingsError) as caught:
        read(path)
    [found] = caught.value.problems
    return found


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "templates.toml"


def test_its_tables_are_read_in_order(file: Path) -> None:
    file.write_text('[[template]]\ntext = "{code} कोड"\n[[template]]\ntext = "b"\n')

    assert read(file) == ({"text": "{code} कोड"}, {"text": "b"})


def test_without_one_there_are_no_texts() -> None:
    settings = load_settings(
        default_environment="development", env_file=None, environ={}
    )

    assert settings.sms_templates_file == ()


def test_one_that_is_missing_is_named_by_its_setting(file: Path) -> None:
    assert problem(file) == (
        "SMS_TEMPLATES_FILE: must be the path of a file that can be read"
    )


def test_a_mistake_in_toml_is_shown_by_its_place(file: Path) -> None:
    file.write_text('[[template]]\ntext = "a"\ntext = "hunter2"\n')

    found = problem(file)

    assert "must be the path of a TOML file: see line 3, column" in found
    assert "hunter2" not in found


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b'text = "a"', "[[template]] tables"),
        (b"template = 1", "[[template]] tables"),
        (b"template = [1]", "[[template]] tables"),
        (b'[[template]]\ntext = "a"\n[other]', "nothing beside them"),
        (b'text = "\xff"', "UTF-8"),
        (b"#" * 1_000_001, "larger"),
    ],
)
def test_other_files_are_refused(file: Path, content: bytes, reason: str) -> None:
    file.write_bytes(content)

    assert reason in problem(file)
