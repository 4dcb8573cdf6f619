"""What an operator is told by ``python -m backend.cli``."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from backend.composition.addresses import addresses_of
from config.config import load_settings
from services.sms.learned_prices import LearnedPrices
from services.sms.routing.standing import Route
from tests.backend.conftest import Run
from tests.redis_server import free_port
from tests.services.sms.routing.workers import JUDGED, Worker
from tests.services.stores import open_real

REPOSITORY = Path(__file__).parents[2]
TWILIO = Route("sms", "IN", "twilio")
FAST2SMS = Route("sms", "IN", "fast2sms")
PUBLIC = {"PUBLIC_BASE_URL": "https://auth.shop.example"}


@pytest.fixture
def worker(redis_url: str) -> Iterator[Worker]:
    """A worker of the service that the commands are run beside."""
    store = open_real(redis_url)
    yield Worker(store, vendors=("twilio", "fast2sms"))
    store.close()


def work(worker: Worker) -> None:
    """Twilio does well, Fast2SMS fails, and its breaker is open."""
    worker.send(TWILIO, times=100)
    worker.deliver(TWILIO, times=90)
    worker.convert(TWILIO, times=75)
    worker.after(JUDGED)
    worker.fail(FAST2SMS, times=20)
    worker.flush(lambda route: route == FAST2SMS)


def lines_of(table: str) -> list[list[str]]:
    return [line.split() for line in table.split("\n\n", 1)[0].splitlines()]


def test_routes_is_a_table_of_all_vendors_in_order(run: Run) -> None:
    code, table, _ = run("routes", ALLOWED_COUNTRIES="IN,US")

    heading, *rows = lines_of(table)
    assert code == 0
    assert " ".join(heading) == (
        "CHANNEL COUNTRY VENDOR WEIGHT BREAKER CALLS"
        " ERRORS DELIVERED CONVERSION P50 PRICE"
    )
    assert [row[:6] for row in rows] == [
        ["sms", "IN", "twilio", "100", "-", "0"],
        ["sms", "IN", "fast2sms", "100", "-", "0"],
        ["sms", "US", "twilio", "100", "-", "0"],
    ]
    assert {tuple(row[6:]) for row in rows} == {("-",) * 5}


def test_routes_shows_what_the_workers_saw(run: Run, worker: Worker) -> None:
    work(worker)

    _, table, _ = run("routes", SMS_PRICES="twilio +91: 0.0832, *: 0.05")

    assert [" ".join(line) for line in lines_of(table)[1:]] == [
        "sms IN twilio 100 - 100 0% (0%) 90% (90%) 75% (75%) 5.7 s 0.0832",
        "sms IN fast2sms 75 open in 1 20 100% (100%) - 0% (0%) - -",
    ]


def test_routes_marks_prices_that_receipts_told(run: Run, worker: Worker) -> None:
    learned = LearnedPrices(worker.store.scripts, currency="USD")
    learned.add(("twilio", "IN", "sms"), 91_500)
    learned.exchange()
    before = worker.store.dump()

    _, table, _ = run("routes", SMS_PRICES="twilio: 0.0832; fast2sms: 0.0025")
    _, text, _ = run("routes", "--json", SMS_PRICES="twilio: 0.0832")
    _, in_rupees, _ = run("routes", SPEND_CURRENCY="INR", SMS_PRICES="twilio: 7.1")

    assert [line[-1] for line in lines_of(table)[1:]] == ["0.0915*", "0.0025"]
    twilio, fast2sms = json.loads(text)
    assert (twilio["price"], twilio["price_learned"]) == (0.0915, True)
    assert (fast2sms["price"], fast2sms["price_learned"]) == (None, False)
    assert [line[-1] for line in lines_of(in_rupees)[1:]] == ["7.1", "-"]
    assert worker.store.dump().keys() == before.keys()


def test_routes_can_be_read_by_programs(run: Run, worker: Worker) -> None:
    work(worker)

    _, text, _ = run("routes", "--json", SMS_PRICES="fast2sms: 0.0025")

    documents: list[dict[str, Any]] = json.loads(text)
    by_vendor = {it["vendor"]: it for it in documents}
    assert list(by_vendor) == ["twilio", "fast2sms"]
    fast2sms = by_vendor["fast2sms"]
    assert (fast2sms["channel"], fast2sms["country"]) == ("sms", "IN")
    assert (fast2sms["weight"], fast2sms["open_workers"]) == (75, 1)
    assert fast2sms["price"] == 0.0025
    assert fast2sms["minutes"]["error_share"] == 1
    hours = by_vendor["twilio"]["hours"]
    assert hours["calls"] == pytest.approx(100, abs=0.5)
    assert hours["conversion"] == pytest.approx(0.75)
    assert hours["p50_seconds"] == pytest.approx(5.7, abs=0.1)


def test_looking_writes_nothing(run: Run, worker: Worker) -> None:
    run("routes")

    assert worker.store.dump() == {}


def test_routes_says_when_redis_is_away(run: Run) -> None:
    away = f"redis://127.0.0.1:{free_port()}/0"

    code, table, problem = run("routes", REDIS_URL=away)

    assert (code, table) == (69, "")
    assert problem == "Redis cannot be reached; REDIS_URL says where.\n"


def test_routes_cannot_look_into_the_embedded_store(run: Run) -> None:
    code, _, problem = run("routes", FLASK_ENV="development", REDIS_URL="")

    assert code == 78
    assert "REDIS_URL: missing" in problem


@pytest.mark.parametrize("command", ["routes", "webhooks"])
def test_settings_that_are_wrong_are_named(run: Run, command: str) -> None:
    code, said, problem = run(command, SECRET_KEY="", PORT="none")

    assert (code, said) == (78, "")
    assert "SECRET_KEY: required" in problem
    assert "PORT: " in problem


def test_webhooks_are_public_for_who_signs_and_secret_for_the_others(
    run: Run, variables: dict[str, str]
) -> None:
    settings = load_settings(environ={**variables, **PUBLIC}, env_file=None)

    code, table, _ = run("webhooks", **PUBLIC)

    addresses = dict(line.split() for line in table.splitlines()[1:])
    token = addresses_of(settings).token("fast2sms")
    assert code == 0
    assert addresses == {
        "twilio": "https://auth.shop.example/api/webhooks/twilio",
        "fast2sms": f"https://auth.shop.example/api/webhooks/fast2sms/{token}",
    }


def test_a_signature_that_could_be_copied_does_not_do_without_the_secret_path(
    run: Run, variables: dict[str, str]
) -> None:
    plivo = {
        "PLIVO_AUTH_ID": "MA0",
        "PLIVO_AUTH_TOKEN": "token",
        "PLIVO_SENDER": "QuickCart",
    }
    settings = load_settings(environ={**variables, **PUBLIC}, env_file=None)

    _, table, _ = run("webhooks", **PUBLIC, **plivo)

    token = addresses_of(settings).token("plivo")
    assert f"https://auth.shop.example/api/webhooks/plivo/{token}\n" in table


def test_meta_is_also_given_its_verify_token(
    run: Run, variables: dict[str, str]
) -> None:
    whatsapp = {
        "WHATSAPP_ACCESS_TOKEN": "EAAGm0PX4ZCpsBA",
        "WHATSAPP_PHONE_NUMBER_ID": "106540352242922",
        "WHATSAPP_TEMPLATE": "login_code",
        "WHATSAPP_APP_SECRET": "a1b2c3d4e5f60718293a4b5c6d7e8f90",
    }
    settings = load_settings(environ={**variables, **PUBLIC}, env_file=None)

    _, table, _ = run("webhooks", **PUBLIC, **whatsapp)

    token = addresses_of(settings).token("whatsapp")
    assert "whatsapp  https://auth.shop.example/api/webhooks/whatsapp\n" in table
    assert f"verify token: {token}" in table


def test_webhooks_need_a_public_address(run: Run) -> None:
    code, _, problem = run("webhooks", PUBLIC_BASE_URL="")

    assert code == 78
    assert "PUBLIC_BASE_URL: missing" in problem


def test_webhooks_need_a_secret_that_stays(run: Run) -> None:
    code, _, problem = run(
        "webhooks", FLASK_ENV="development", SECRET_KEY="", REDIS_URL="", **PUBLIC
    )

    assert code == 78
    assert "SECRET_KEY: not set" in problem


def test_it_runs_as_a_command(variables: dict[str, str], tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "backend.cli", "routes", "--json"],
        check=False,
        capture_output=True,
        cwd=tmp_path,
        env={**os.environ, **variables, "PYTHONPATH": str(REPOSITORY)},
    )

    assert (done.returncode, done.stderr) == (0, b"")
    assert [it["vendor"] for it in json.loads(done.stdout)] == ["twilio", "fast2sms"]
