"""The first command: it starts with nothing configured, and its three lines log in."""

import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.end_to_end.service import Service

PHONE = "+919876543210"


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    """Started as ``make run`` does, in a folder without ``.env``."""
    service = Service(tmp_path, "--default-env", "development", variables={})
    try:
        service.wait_until_ready()
        yield service
    finally:
        service.close()


def run(script: str) -> str:
    done = subprocess.run(
        ["/bin/sh", "-euc", script], capture_output=True, check=True, timeout=30
    )
    return done.stdout.decode()


def test_the_three_printed_lines_log_in(service: Service) -> None:
    banner = service.stderr.wait_for(r"  ID=.*\n  TOKEN=.*\n  curl .*")[0]
    send, verify, me = (line.strip() for line in banner.splitlines())

    verification = run(f'{send}\nprintf %s "$ID"')
    code = service.stderr.wait_for(r"SMS to \+91\d{10}: the code is (\d{6})")[1]
    answer = run(f"ID={verification}\n{verify.replace('CODE', code)}\n{me}")

    phone = json.loads(answer)["user"]["phone"]
    assert re.search(phone.replace("+", r"\+").replace("*", r"\d"), send)
    assert service.terminate() == 0


def test_it_says_what_it_uses_and_keeps_codes_out_of_the_log(service: Service) -> None:
    sent = service.send(PHONE)
    code = service.stderr.wait_for(r"the code is (\d{6})")[1]
    won = service.verify(sent.json["verification_id"], PHONE, code)
    assert service.terminate() == 0

    assert f"QuickCart Auth (development) on {service.url}" in service.stderr.text
    assert "embedded" in service.stderr.text
    assert "console" in service.stderr.text
    assert sent.json["delivery"]["status"] == "console"
    assert won.status == 200
    lines = [json.loads(line) for line in service.stdout.text.splitlines()]
    assert {"verification_started", "code_checked"} <= {it["event"] for it in lines}
    assert PHONE[3:] not in service.stdout.text
    assert f'"{code}"' not in service.stdout.text


def test_the_settings_may_stand_in_a_file(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("BRAND_NAME=Shop\nDEFAULT_COUNTRY=AE\n")
    service = Service(tmp_path, "--default-env", "development", variables={})
    try:
        service.stderr.wait_for(r"countries  AE")
    finally:
        service.close()
