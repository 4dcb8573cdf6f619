"""Measure the service and write benchmarks/report.md: ``make bench``.

``make bench ARGS=--quick`` tries everything once, for a look in less than a minute.
"""

import argparse
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import redis

from benchmarks.defence import defended, measure_defence, undefended
from benchmarks.first_send import measure_starts
from benchmarks.footprint import (
    COOLDOWN_SECONDS,
    OPERATIONS,
    Counter,
    Operation,
    count_operations,
    measure_bytes,
)
from benchmarks.identity import (
    Client,
    Logins,
    access_tokens,
    introspections,
    measure_crowd,
)
from benchmarks.kit import measure as measure_kit
from benchmarks.load import Load, missing_tool
from benchmarks.measure import Bench, Case, Row
from benchmarks.processes import (
    Process,
    start_floor,
    start_redis,
    start_service,
    start_simulator,
)
from benchmarks.receipts import measure_receipts
from benchmarks.report import Found, write_report
from benchmarks.rules import rule
from benchmarks.slow_vendor import measure_slow_vendor
from benchmarks.vendor_cost import measure_vendors
from benchmarks.workload import (
    FLOOR,
    GUESSES,
    Phones,
    Prepared,
    console_settings,
    right_guesses,
    sends,
    status_questions,
    twilio_settings,
    wrong_guesses,
)
from tests.redis_server import server_binary

_REPORT = Path(__file__).parent / "report.md"
_SHARE_OF_FLOOR = 0.5
# More than any run could use in a second.
_REQUESTS_PER_SECOND = 6_000
_STATUS_IDS = 500


@dataclass(frozen=True, slots=True)
class Plan:
    """How long everything is measured."""

    command: str
    rounds: int
    seconds: int
    slow_rounds: int
    slow_seconds: int
    verifications: int
    vendor_rounds: int
    vendor_sends: int
    starts: int
    sessions: int


_WHOLE = Plan("make bench", 3, 4, 3, 8, 20_000, 5, 200, 5, 1_000_000)
_QUICK = Plan("make bench ARGS=--quick", 1, 1, 1, 2, 2_000, 1, 50, 1, 20_000)


def main() -> int:
    """Measure, print, and write the report; 1 if a run was void."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.run")
    parser.add_argument("--quick", action="store_true", help="a look, no figures")
    plan = _QUICK if parser.parse_args().quick else _WHOLE
    if missing := _missing():
        print(missing, file=sys.stderr)
        return 2
    found = _measure(plan)
    report = write_report(found)
    print(report)
    if plan is _WHOLE:
        _REPORT.write_text(report)
    return 1 if found.void else 0


def _missing() -> str:
    if not Path("/proc/self/stat").exists():
        return "The benchmark reads CPU time from /proc: it needs Linux."
    try:
        server_binary()
    except (ImportError, StopIteration):
        return (
            "There is no Redis. Put redis-server on PATH (Debian and Ubuntu: apt-get"
            " install redis-server), or install requirements-dev.txt, which brings one."
        )
    return missing_tool()


def _measure(plan: Plan) -> Found:
    began = time.monotonic()
    phones = Phones()
    with ExitStack() as stack:
        store = stack.enter_context(start_redis(server_binary()))
        simulator = stack.enter_context(start_simulator())
        client = stack.enter_context(redis.Redis(port=store.port))
        asker = Client()
        stack.callback(asker.close)
        console = console_settings(store.port, SERVICE_CLIENTS_FILE=str(asker.file))
        services = stack.enter_context(ExitStack())
        floor = services.enter_context(start_floor(console))
        service = services.enter_context(start_service(console))
        twilio = services.enter_context(
            start_service(twilio_settings(store.port, simulator.port))
        )
        floor_row = Row("(a) floor: one EVALSHA")
        floor_case = Case(floor_row, floor, lambda: FLOOR)
        bench = Bench(redis=store, floor=floor_case, seconds=plan.seconds)
        cases = [
            *_console_cases(service, phones, plan.seconds),
            _twilio_case(twilio, phones, plan.seconds),
        ]
        logins = Logins(client, service, phones)
        cases += _session_cases(service, logins, asker, plan.seconds)
        bench.warm_up(
            [
                (floor, FLOOR),
                (service, _some_sends(phones, 1)),
                (twilio, _some_sends(phones, 1)),
            ]
        )
        for number in range(plan.rounds):
            _say(f"round {number + 1} of {plan.rounds}")
            bench.round(cases)

        _say("vendors")
        vendors = measure_vendors(
            simulator, phones, rounds=plan.vendor_rounds, sends=plan.vendor_sends
        )
        _say("defence")
        with (
            start_service(undefended(store.port)) as without,
            start_service(defended(store.port)) as with_all,
        ):
            defence = measure_defence(
                without,
                with_all,
                phones,
                seconds=plan.seconds,
                rounds=plan.rounds,
            )
        _say("slow vendor")
        slow = measure_slow_vendor(
            twilio,
            simulator,
            phones,
            seconds=plan.slow_seconds,
            rounds=plan.slow_rounds,
        )
        _say("first sends")
        settings = twilio_settings(store.port, simulator.port)
        with rule(simulator, "receipt_missing"):
            starts = measure_starts(
                client,
                lambda: start_service(settings, receipts=True),
                phones,
                starts=plan.starts,
            )
        _say("receipts")
        followed = services.enter_context(start_service(settings, receipts=True))
        receipts = measure_receipts(
            twilio,
            followed,
            simulator,
            phones,
            seconds=plan.seconds,
            rounds=plan.rounds,
        )
        _say("sessions")
        crowd = measure_crowd(client, service, logins, many=plan.sessions)
        _say("kit")
        kit = measure_kit()
        _say("memory")
        footprint = measure_bytes(client, service, phones, plan.verifications)
        with rule(simulator, "receipt_missing"):
            footprint_followed = measure_bytes(
                client, followed, phones, plan.verifications // 2
            )
            _say("operations")
            # Their workers ask Redis something now and then, which would be counted.
            services.close()
            operations = _count(client, settings, phones, asker)
        return Found(
            command=plan.command,
            floor=floor_row,
            rows=[case.row for case in cases],
            vendors=vendors,
            slow=slow,
            starts=starts,
            receipts=receipts,
            defence=defence,
            crowd=crowd,
            kit=kit,
            footprint=footprint,
            followed=footprint_followed,
            operations=operations,
            redis_version=str(client.info("server")["redis_version"]),
            seconds=time.monotonic() - began,
        )


def _count(
    client: redis.Redis, settings: Mapping[str, str], phones: Phones, asker: Client
) -> list[Operation]:
    """Count on a service that does one thing at a time."""
    single = {
        "WORKERS": "1",
        "THREADS": "1",
        "RESEND_COOLDOWNS": str(COOLDOWN_SECONDS),
        "SERVICE_CLIENTS_FILE": str(asker.file),
    }
    with start_service({**settings, **single}, receipts=True) as service:
        of_codes = count_operations(
            client,
            service,
            phones,
            lambda it: (right_guesses(it), wrong_guesses(it), status_questions(it)),
        )
        return [*of_codes, *_count_sessions(client, service, phones, asker)]


def _count_sessions(
    client: redis.Redis, service: Process, phones: Phones, asker: Client
) -> Iterator[Operation]:
    logins = Logins(client, service, phones)
    sessions = list(logins.make(OPERATIONS))
    tokens = access_tokens(logins, service, OPERATIONS)
    counter = Counter(client, service)
    yield counter.count("refresh", logins.refreshes(sessions), at_most=1)
    asked = introspections(tokens, asker)
    yield counter.count("introspect", asked, at_most=1)


def _console_cases(service: Process, phones: Phones, seconds: int) -> list[Case]:
    prepared = Prepared(service.port, phones)
    most = seconds * _REQUESTS_PER_SECOND
    guessing = prepared.take(0)

    def right() -> Load:
        guessing[:] = prepared.take(most)
        return right_guesses(guessing)

    return [
        Case(
            Row("(b1) send, console", _SHARE_OF_FLOOR),
            service,
            lambda: _some_sends(phones, seconds),
        ),
        Case(
            Row("(c) login with token", _SHARE_OF_FLOOR),
            service,
            right,
            settle=lambda issued: prepared.give_back(guessing[issued:]),
        ),
        Case(
            Row("(d) verify, wrong code", _SHARE_OF_FLOOR),
            service,
            lambda: wrong_guesses(prepared.take(most // GUESSES)),
        ),
        Case(
            Row("(e) status"),
            service,
            lambda: status_questions(prepared.take(_STATUS_IDS)),
        ),
    ]


def _session_cases(
    service: Process, logins: Logins, asker: Client, seconds: int
) -> list[Case]:
    asked = introspections(access_tokens(logins, service, _STATUS_IDS), asker)
    most = seconds * _REQUESTS_PER_SECOND
    return [
        Case(
            Row("(f) refresh", _SHARE_OF_FLOOR),
            service,
            lambda: logins.refreshes(list(logins.make(most))),
        ),
        Case(Row("(g) introspect", _SHARE_OF_FLOOR), service, lambda: asked),
    ]


def _twilio_case(service: Process, phones: Phones, seconds: int) -> Case:
    return Case(
        Row("(b2) send, Twilio", _SHARE_OF_FLOOR),
        service,
        lambda: _some_sends(phones, seconds),
    )


def _some_sends(phones: Phones, seconds: int) -> Load:
    return sends(phones.take(seconds * _REQUESTS_PER_SECOND))


def _say(what: str) -> None:
    print(f"... {what}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
