"""``python -m backend.cli abuse``, beside a service that runs."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import redis

from backend.cli.acting import actor
from services.abuse.rules import RULES
from tests.backend.abuse_desk import AbuseDesk
from tests.backend.api import OTHER_PHONE, PEER, PHONE, Api
from tests.backend.conftest import MakeApi, Run
from tests.end_to_end.service import REPOSITORY
from tests.redis_server import free_port

FOLLOW = "abuse policy"
WHY = ("--reason", "nuisance, case 4711")


@pytest.fixture
def run(run: Run) -> Run:
    """Run an ``abuse`` command."""
    return partial(run, "abuse")


@pytest.fixture
def asked(api: Api) -> Callable[..., int]:
    """Ask a worker, which follows the policy, for a code; return the status."""

    def ask(phone: str = PHONE) -> int:
        api.chores.rounds[FOLLOW]()
        api.clock.advance(31)
        return api.send(phone).status_code

    return ask


@pytest.mark.parametrize(
    ("named", "shown", "status"),
    [
        (("phone", PHONE), "+91********10", 422),
        (("prefix", "+91987"), "+91987", 422),
        (("country", "IN"), "IN", 422),
        (("ip", "198.51.100.7"), f"{PEER}/32", 403),
    ],
)
def test_somebody_is_blocked_listed_and_let_in_again(
    run: Run, asked: Callable[..., int], named: tuple[str, str], shown: str, status: int
) -> None:
    kind, value = named
    code, said, _ = run("block", kind, value, *WHY)
    assert code == 0
    assert f"{kind} {shown} is blocked for ever" in said
    assert asked() == status

    heading, line = run("entries")[1].splitlines()
    assert heading.split()[:4] == ["ID", "VERDICT", "KIND", "VALUE"]
    entry_id, *rest = line.split()
    assert rest[:3] == ["block", kind, shown]
    assert line.endswith("nuisance, case 4711")
    assert actor() in line

    assert run("remove", entry_id)[:2] == (0, "It is off the lists within 5 s.\n")
    assert run("remove", entry_id)[:2] == (0, "There is none.\n")
    assert run("entries")[1] == "The lists are empty.\n"
    assert asked() == 202


def test_somebody_is_allowed_for_hours(run: Run) -> None:
    run("allow", "country", "IN", "--hours", "2", *WHY)

    (entry,) = json.loads(run("entries", "--json")[1])

    assert (entry["verdict"], entry["kind"], entry["value"]) == (
        *("allow", "country", "IN"),
    )
    assert entry["until"] - entry["at"] == 7_200


def test_a_rule_is_changed_and_reset(run: Run, asked: Callable[..., int]) -> None:
    code, said, _ = run("set", "sends_per_ip", "--mode=block", "--windows", "1/10m")
    assert (code, said) == (0, "Within 5 s sends_per_ip is block: 1/10m.\n")
    assert [asked(PHONE), asked(OTHER_PHONE)] == [202, 429]

    (line,) = [it for it in run("rules")[1].splitlines() if "sends_per_ip " in it]
    assert line.split() == ["sends_per_ip", "block", "1/10m", "mode,", "windows"]

    assert run("set", "sends_per_ip", "--reset")[0] == 0
    assert asked(OTHER_PHONE) == 202


def test_the_rules_are_listed_as_they_are(run: Run) -> None:
    lines = run("rules")[1].splitlines()

    assert [it.split()[0] for it in lines] == ["RULE", *RULES]
    assert {it["rule"] for it in json.loads(run("rules", "--json")[1])} == set(RULES)


def test_the_report_shows_what_was_not_let_pass_and_what_monitor_let_by(
    run: Run, make_api: MakeApi
) -> None:
    api = make_api(PRICE_UNKNOWN="0.5", SPEND_GLOBAL="100/24h")
    run("set", "sends_per_ip", "--mode", "block", "--windows", "1/10m")
    run("set", "sends_global", "--mode", "monitor", "--windows", "1/10m")
    api.chores.rounds[FOLLOW]()
    for peer in (PEER, PEER, "203.0.113.9"):
        api.clock.advance(31)
        api.send(PHONE, peer=peer)
    api.settle()

    code, said, _ = run("report", SPEND_GLOBAL="100/24h")

    assert code == 0
    blocked, done, watched, spent, guessing = said.strip().split("\n\n")
    assert blocked == "Blocked, money in USD: nothing"
    assert done.splitlines()[2].split()[:3] == ["sends_per_ip", "block", "1"]
    assert watched.splitlines()[2].split()[:3] == ["sends_global", "block", "1"]
    assert float(watched.split()[-1]) > 0
    assert spent.splitlines()[2].split()[:3] == ["spend_global", "all", "1d"]
    assert guessing.startswith("Guessing is as usual: 0 of 2000 wrong codes")


def test_programs_read_what_the_api_answers(run: Run, api: Api) -> None:
    desk = AbuseDesk(api)
    desk.put("block", "phone", PHONE)
    expected = desk.report(3)

    found = json.loads(run("report", "--json", "--days", "3")[1])

    assert {**found, "at": 0} == {**expected, "at": 0}


def test_a_block_of_the_defence_is_lifted(run: Run, api: Api) -> None:
    api.simulator.add_rule("error", provider="twilio", code=30450)
    api.send(PHONE)
    api.settle()
    name = PHONE[:-4]

    report = run("report")[1].splitlines()
    assert report[2].split()[:4] == ["prefix", name, "blocked", "vendor"]

    assert run("lift", "prefix", name)[:2] == (0, f"{name} is open again.\n")
    assert run("lift", "prefix", name)[:2] == (0, "There is none.\n")


def test_who_reads_only_the_beginning_is_not_bothered(
    variables: dict[str, str], tmp_path: Path
) -> None:
    """As `| head` does, which is gone before the command writes."""
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "wb") as gone:
        ended = subprocess.run(
            [sys.executable, "-m", "backend.cli", "abuse", "rules"],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(REPOSITORY), **variables},
            stdout=gone,
            stderr=subprocess.PIPE,
            timeout=60,
            check=False,
        )

    assert (ended.returncode, ended.stderr) == (0, b"")


def test_rows_that_nobody_can_read_are_told(run: Run, store: redis.Redis) -> None:
    store.hset("policy:{all}", mapping={"entry:abc": "junk", "stamp": "x"})

    assert "Rows of the policy that nobody can read: entry:abc" in run("report")[1]


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("set", "sends_per_ip"), "say --mode, --windows or both, or --reset"),
        (("set", "sends_per_ip", "--mode", "x"), "--mode: off, monitor,"),
        (("set", "spend_global", "--mode", "challenge"), "--mode: spend_global can be"),
        (("set", "sends_per_ip", "--windows", "x"), "--windows: must look like"),
        (("set", "spend_global", "--windows", "1/1h"), "--mode: spend_global is off"),
        (
            ("set", "sends_global", "--mode", "block"),
            "--windows: sends_global=block means nothing without windows",
        ),
        (("block", "phone", PHONE[1:], *WHY), "VALUE: must be in E.164"),
        (("block", "phone", "+9100", *WHY), "This is not a phone number."),
        (("block", "prefix", PHONE, *WHY), "VALUE: must be + and 1 to 11 digits"),
        (("block", "country", "XX", *WHY), "VALUE: must be a country"),
        (("block", "ip", "0.0.0.0/0", *WHY), "VALUE: must not be wider than /8"),
        (("block", "ip", "10.0.0.0/8", "--hours", "0", *WHY), "--hours: 1 to 8784"),
        (("block", "country", "IN", "--reason", PHONE), "--reason: up to 100"),
        (("block", "country", "IN", "--reason", "at 10.1.2.3"), "--reason: up to 100"),
        (("lift", "prefix", PHONE), "NAME: as `abuse report` lists it"),
        (("remove", "a b"), "ID: as `abuse entries` lists it"),
    ],
)
def test_what_cannot_be_is_refused(
    run: Run, store: redis.Redis, arguments: tuple[str, ...], complaint: str
) -> None:
    code, said, told = run(*arguments)

    assert (code, said) == (65, "")
    assert told.startswith(complaint)
    assert PHONE[1:] not in told
    assert not store.exists("policy:{all}", "audit")


def audited(store: redis.Redis) -> list[tuple[str, ...]]:
    """Return action, actor, detail and outcome of all entries, oldest first."""
    names = (b"action", b"actor", b"detail", b"outcome")
    entries: Any = store.xrange("audit")
    return [tuple(it[name].decode() for name in names) for _, it in entries]


def test_every_change_is_audited_and_logged(run: Run, store: redis.Redis) -> None:
    _, _, told = run("set", "sends_per_ip", "--mode", "monitor")

    assert audited(store) == [
        ("abuse-rule", actor(), "sends_per_ip monitor", "begun"),
    ]
    line = json.loads(told)
    assert (line["event"], line["action"], line["outcome"]) == (
        *("admin_acted", "abuse-rule", "done"),
    )


def test_reading_changes_nothing(run: Run, store: redis.Redis) -> None:
    for command in ("report", "rules", "entries"):
        assert run(command)[0] == 0

    assert not store.exists("policy:{all}", "audit")


def test_an_outage_is_told(run: Run) -> None:
    nowhere = f"redis://127.0.0.1:{free_port()}/0"

    for command in (("report",), ("entries",), ("block", "country", "IN", *WHY)):
        code, said, told = run(*command, REDIS_URL=nowhere)
        assert (code, said) == (69, "")
        assert "Redis cannot be reached" in told


def test_the_embedded_store_is_refused(run: Run) -> None:
    code, _, told = run("report", REDIS_URL="", FLASK_ENV="development")

    assert code == 78
    assert "REDIS_URL: missing" in told
