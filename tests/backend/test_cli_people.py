"""What an operator does about people by ``python -m backend.cli``."""

import io
import json
import re
from typing import Any

import pytest
import redis

from backend.cli.acting import actor, entered
from backend.cli.commands import CommandError
from backend.openapi.admin_operations import ON_PEOPLE
from services.errors import NotFound
from tests.backend.api import PHONE, Api
from tests.backend.conftest import Run
from tests.backend.desk import Desk
from tests.redis_server import free_port
from tests.services.stores import Store, open_real

OPTIONS: dict[str, tuple[str, ...]] = {
    "freeze": ("--reason", "card fraud"),
    "grant-role": ("--role", "support"),
    "take-role": ("--role", "support"),
}


def audited(store: redis.Redis) -> list[tuple[str, ...]]:
    """Return action, actor, detail and outcome of all entries, oldest first."""
    names = (b"action", b"actor", b"detail", b"outcome")
    entries: Any = store.xrange("audit")
    return [tuple(it[name].decode() for name in names) for _, it in entries]


@pytest.mark.parametrize("operation", ON_PEOPLE)
def test_every_operation_is_there_and_audited(
    run: Run, api: Api, store: redis.Redis, operation: str
) -> None:
    api.login(PHONE)
    options = OPTIONS.get(operation, ())

    code, said, told = run("people", operation, "--phone", PHONE, *options)

    assert code == 0
    assert said.strip()
    detail = options[-1] if options else ""
    assert audited(store) == [(operation, actor(), detail, "begun")]
    line = json.loads(told)
    assert (line["event"], line["action"]) == ("admin_acted", operation)
    assert (line["actor"], line["outcome"]) == (actor(), "done")
    assert PHONE[1:] not in said + told


@pytest.mark.parametrize("operation", ON_PEOPLE)
def test_programs_read_what_the_api_answers(run: Run, api: Api, operation: str) -> None:
    desk = Desk(api)
    sub = api.login(PHONE)["user"]["id"]

    _, said, _ = run(
        "people", operation, "--sub", sub, *OPTIONS.get(operation, ()), "--json"
    )

    answer = json.loads(said)
    schema = desk.api.call("GET", "/api/openapi.json").json
    path = schema["paths"][f"/api/admin/{operation}"]["post"]["responses"]["200"]
    name = path["content"]["application/json"]["schema"]["$ref"].rsplit("/", 1)[1]
    assert set(answer) == set(schema["components"]["schemas"][name]["properties"])


def test_a_look_reads_well(run: Run, api: Api) -> None:
    login = api.login(PHONE, device_name="Asha's phone")

    _, said, _ = run("people", "look", "--phone", PHONE)

    facts, sessions = said.split("\n\n")
    assert re.search(rf"^subject +{login['user']['id']}$", facts, re.MULTILINE)
    assert re.search(r"^frozen +no$", facts, re.MULTILINE)
    assert "not locked; wrong codes today: 0, 15 left" in facts
    heading, session = sessions.strip().splitlines()
    assert heading.split()[:3] == ["SESSION", "DEVICE", "CLIENT"]
    assert "Asha's phone" in session


def test_a_frozen_person_is_refused_by_the_service(run: Run, api: Api) -> None:
    token = api.login(PHONE)["access_token"]

    _, said, _ = run("people", "freeze", "--phone", PHONE, "--reason", "card fraud")

    assert "is frozen." in said
    assert api.me(token).status_code == 401
    _, look, _ = run("people", "look", "--phone", PHONE)
    assert re.search(r"frozen +since 20\d\d-.*Z: card fraud", look)


def test_a_trace_reads_as_a_story(run: Run, api: Api) -> None:
    api.simulator.add_rule("status", provider="twilio", status=503, times=1)
    verification = api.start(PHONE)
    api.clock.advance(9)
    wrong = api.verify(verification, PHONE, api.wrong_code_of(PHONE))
    api.verify(verification, PHONE, api.code_of(PHONE))
    api.settle()

    _, said, _ = run("people", "trace", "--verification", verification)

    heading, *lines = said.strip().splitlines()
    assert heading.split() == ["TIME", "+S", "WHAT", "WHO", "ANSWER", "REQUEST"]
    told = [re.split(r"  +", line)[1:5] for line in lines]
    session = told[-1][3]
    assert told == [
        [
            "0.0",
            "sent",
            "fast2sms",
            "took sms 1 for login; before: twilio transient 20503",
        ],
        ["9.0", "checked", "person", "login code wrong, 4 left"],
        ["9.0", "checked", "person", "login code verified"],
        ["9.0", "session opened", "direct", session],
    ]
    assert re.fullmatch("session [0-9a-f]{12}", session)
    assert lines[1].endswith(wrong.headers["X-Request-Id"])
    assert verification not in said


def test_a_trace_of_nothing_says_so(run: Run) -> None:
    _, said, _ = run("people", "trace", "--phone", PHONE)

    assert said == "Nothing in the last 24 hours.\n"
    _, said, _ = run("people", "trace", "--phone", PHONE, TRACE_HOURS="0")
    assert said == "TRACE_HOURS is 0: nothing is kept.\n"


def test_what_the_command_line_did_is_in_the_trail(run: Run) -> None:
    run("people", "freeze", "--phone", PHONE, "--reason", "card fraud")

    _, said, _ = run("people", "trace", "--phone", PHONE)

    assert f"{actor()}  freeze card fraud done" in said


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("look", "--sub", "A" * 22), "There is nothing here."),
        (("look", "--phone", "+910000000000"), "This is not a phone number."),
        (
            ("look", "--phone", "98765 43210"),
            "--phone: in E.164, such as +919876543210\n",
        ),
        (("look", "--phone", ""), "--phone: in E.164"),
        (("look", "--sub", "short"), "--sub: 22 characters"),
        (("trace", "--verification", ""), "--verification: 43 characters"),
        (
            ("freeze", "--phone", PHONE, "--reason", "98765/43210 called"),
            "--reason: up to 100 characters, less than 8 digits but for dates\n",
        ),
        (("grant-role", "--phone", PHONE, "--role", "A"), "--role: a-z"),
        (
            ("take-role", "--phone", PHONE, "--role", "customer"),
            "--role: customer cannot be taken: everybody has it\n",
        ),
        (("trace", "--verification", "x" * 43), "There is nothing here."),
    ],
)
def test_what_cannot_be_done_is_said_without_the_number(
    run: Run, arguments: tuple[str, ...], said: str
) -> None:
    code, out, err = run("people", *arguments)

    assert (code, out) == (65, "")
    assert said in err
    assert "98765" not in err.replace("such as +919876543210", "")


def test_one_person_is_named(run: Run) -> None:
    with pytest.raises(SystemExit):
        run("people", "look")
    with pytest.raises(SystemExit):
        run("people", "look", "--phone", PHONE, "--sub", "A" * 22)


@pytest.mark.parametrize("command", [("people", "look", "--phone", PHONE), ("audit",)])
def test_the_embedded_store_is_refused(run: Run, command: tuple[str, ...]) -> None:
    code, _, err = run(*command, FLASK_ENV="development", REDIS_URL="")

    assert code == 78
    assert "REDIS_URL: missing" in err


@pytest.mark.parametrize("command", [("people", "look", "--phone", PHONE), ("audit",)])
def test_redis_away_is_said(run: Run, command: tuple[str, ...]) -> None:
    code, _, err = run(*command, REDIS_URL=f"redis://127.0.0.1:{free_port()}/0")

    assert code == 69
    assert "Redis cannot be reached" in err


def test_the_audit_is_a_table_the_newest_first(run: Run, api: Api) -> None:
    Desk(api).do("look")
    run("people", "take-role", "--phone", PHONE, "--role", "customer")

    _, said, _ = run("audit")

    heading, *lines = said.strip().splitlines()
    assert heading.startswith("TIME")
    assert [re.split(r"  +", line)[1:3] for line in lines] == [
        ["take-role", actor()],
        ["look", "client:svc-desk"],
    ]
    assert [line.split()[-2:] for line in lines] == [
        ["invalid_request", "failed"],
        ["-", "done"],
    ]


def test_the_audit_can_be_read_by_programs(run: Run) -> None:
    for _ in range(3):
        run("people", "look", "--phone", PHONE)

    _, said, _ = run("audit", "--last", "2", "--json")

    entries = json.loads(said)
    assert [it["action"] for it in entries] == ["look", "look"]
    assert all(it["actor"] == actor() for it in entries)


@pytest.mark.parametrize("last", ["0", "1001", "many"])
def test_so_many_entries_are_not_shown(run: Run, last: str) -> None:
    with pytest.raises(SystemExit):
        run("audit", "--last", last)


@pytest.fixture
def opened(redis_url: str) -> Any:
    found = open_real(redis_url)
    yield found
    found.close()


def test_other_commands_enter_what_they_do(
    opened: Store, store: redis.Redis, capsys: pytest.CaptureFixture[str]
) -> None:
    with entered(opened.scripts, "client-add", "svc-orders"):
        assert audited(store) == [("client-add", actor(), "svc-orders", "begun")]
    with pytest.raises(NotFound), entered(opened.scripts, "client-remove", "svc-x"):
        raise NotFound

    assert audited(store)[1:] == [
        ("client-remove", actor(), "svc-x", "begun"),
        ("client-remove", actor(), "not_found", "failed"),
    ]
    told = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert [it["outcome"] for it in told] == ["done", "failed"]
    with pytest.raises(CommandError), entered(opened.scripts, "retire-key", "kid"):
        raise CommandError("It signs.")
    assert audited(store)[-1] == ("retire-key", actor(), "refused", "failed")


class Terminal(io.TextIOWrapper):
    """Where a person reads what is said."""

    def isatty(self) -> bool:
        return True


def test_a_terminal_is_spared_the_log_line(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown = io.BytesIO()
    monkeypatch.setattr("sys.stderr", Terminal(shown))

    code, said, _ = run("people", "look", "--phone", PHONE)

    assert (code, shown.getvalue()) == (0, b"")
    assert said.startswith("subject")


def test_the_actor_is_named_by_what_can_be_shown(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("LOGNAME", "a\nb" + "c" * 50)

    assert actor() == "cli:a?b" + "c" * 29


@pytest.mark.parametrize("option", ["--sub", "--verification"])
def test_an_id_may_begin_with_a_hyphen(run: Run, option: str) -> None:
    name = f"-{'x' * (21 if option == '--sub' else 42)}"

    code, said, problem = run("people", "trace", option, name)

    assert (code, said) == (65, "")
    assert "expected one argument" not in problem
