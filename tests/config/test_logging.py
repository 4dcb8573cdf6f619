import io
import re
from collections.abc import Iterator
from typing import Any

import orjson
import pytest
import structlog

from config.logging import configure_logging


@pytest.fixture(autouse=True)
def _restored() -> Iterator[None]:
    yield
    structlog.reset_defaults()


def lines(output: io.BytesIO) -> list[dict[str, Any]]:
    return [orjson.loads(line) for line in output.getvalue().splitlines()]


def test_an_event_is_one_line_of_json() -> None:
    output = io.BytesIO()

    configure_logging("info", output=output).info("code_sent", provider="twilio")

    assert output.getvalue().endswith(b"}\n")
    [line] = lines(output)
    assert line.keys() == {"time", "level", "event", "provider"}
    assert (line["level"], line["event"]) == ("info", "code_sent")
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", line["time"])


def test_line_ends_cannot_be_smuggled_in() -> None:
    output = io.BytesIO()

    configure_logging("info", output=output).info("seen", agent='a\n{"event":"x"}')

    assert len(output.getvalue().splitlines()) == 1


def test_lower_levels_are_silent() -> None:
    output = io.BytesIO()
    log = configure_logging("warning", output=output)

    log.info("quiet")
    log.warning("loud")

    assert [line["event"] for line in lines(output)] == ["loud"]


def test_an_exception_stays_on_its_line() -> None:
    output = io.BytesIO()
    log = configure_logging("info", output=output)

    try:
        _ = 1 // 0
    except ZeroDivisionError:
        log.exception("broken")

    [line] = lines(output)
    assert line["level"] == "error"
    assert "ZeroDivisionError" in line["exception"]


def test_values_that_json_lacks_do_not_stop_the_log() -> None:
    output = io.BytesIO()

    configure_logging("info", output=output).info("odd", value=object())

    assert len(lines(output)) == 1


def test_lines_go_to_standard_output(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    configure_logging("info").info("started")

    assert orjson.loads(capfdbinary.readouterr().out)["event"] == "started"
