"""What an operation costs in Redis: bytes kept, commands run, round trips made."""

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from http.client import HTTPConnection
from statistics import fmean, median

import orjson
import redis

from benchmarks.load import Load, run_wrk
from benchmarks.processes import Process
from benchmarks.workload import Pending, Phones, read_pending, sends

# The last requests under way are done by then.
_SETTLE_SECONDS = 1
_SAMPLES = 200
OPERATIONS = 20
# The first cooldown of the service whose operations are counted: the least that is
# allowed in production.
COOLDOWN_SECONDS = 15
# What is left for after an answer is done by then, and not begun before the first look.
_AFTERWARDS_SECONDS = 0.08


@dataclass(frozen=True, slots=True)
class Footprint:
    """Bytes of Redis per pending verification, all keys counted.

    ``message_bytes`` are those of what is kept for a message's receipts.
    """

    verifications: int
    bytes_each: float
    keys_each: float
    record_bytes: float
    message_bytes: float


def measure_bytes(
    client: redis.Redis, service: Process, phones: Phones, how_many: int
) -> Footprint:
    """Send to many phones, and compare the memory of Redis before and after."""
    # Leaves scripts and connections as they are while sends go on.
    _send(service, phones, 200)
    client.flushall()
    before = _used_bytes(client)
    while (made := _count(client, "otp:*")) < how_many:
        _send(service, phones, how_many - made)
    after = _used_bytes(client)
    return Footprint(
        verifications=made,
        bytes_each=(after - before) / made,
        keys_each=int(client.dbsize()) / made,
        record_bytes=_mean_bytes(client, "otp:*"),
        message_bytes=_mean_bytes(client, "msg:*"),
    )


def _send(service: Process, phones: Phones, how_many: int) -> None:
    # About as many as are asked for: the load is by time, and sends no phone twice.
    seconds = max(1, how_many // 2_000)
    answered = run_wrk(sends(phones.take(seconds * 10_000)), service.port, seconds)
    if answered.problem:
        raise RuntimeError(f"void: {answered.problem}")


def _used_bytes(client: redis.Redis) -> int:
    time.sleep(_SETTLE_SECONDS)
    memory = client.info("memory")
    return int(memory["used_memory"]) - int(memory["mem_clients_normal"])


def _count(client: redis.Redis, pattern: str) -> int:
    return sum(1 for _ in client.scan_iter(pattern, count=1_000))


def _mean_bytes(client: redis.Redis, pattern: str) -> float:
    keys = client.scan_iter(pattern, count=1_000)
    some = [key for key, _ in zip(keys, range(_SAMPLES), strict=False)]
    return fmean([int(client.memory_usage(key) or 0) for key in some] or [0])


@dataclass(frozen=True, slots=True)
class Operation:
    """What one kind of request makes Redis do, each time.

    ``afterwards`` are the round trips made when it has been answered.
    """

    name: str
    round_trips: float
    afterwards: float
    at_most: int
    scripts: float
    commands: float
    detail: str


class Counter:
    """Counts by what Redis itself counts, on a service that serves one at a time."""

    def __init__(self, client: redis.Redis, service: Process) -> None:
        """``service`` has one worker with one thread, and ``client`` is idle else."""
        self._client = client
        self._http = HTTPConnection("127.0.0.1", service.port)

    def count(self, name: str, load: Load, *, at_most: int) -> Operation:
        """Send every request of ``load`` and count what Redis did meanwhile.

        Everything is the median: what comes round every few seconds does not count.
        """
        found = [self._count_one(load, line) for line in load.lines]
        names = {name for it in found for name in it.done}
        done = {name: median(it.done.get(name, 0) for it in found) for name in names}
        scripts = done.pop("evalsha", 0) + done.pop("eval", 0)
        inside = {it: done[it] for it in sorted(done) if done[it] > 0 and it != "info"}
        return Operation(
            name=name,
            round_trips=median(it.reads for it in found),
            afterwards=median(it.reads_afterwards for it in found),
            at_most=at_most,
            scripts=scripts,
            commands=sum(inside.values()),
            detail=", ".join(
                f"{command.upper()} {calls:g}" for command, calls in inside.items()
            ),
        )

    def _count_one(self, load: Load, line: str) -> "_Counted":
        before = self._read()
        self.ask(load, line)
        after = self._read()
        time.sleep(_AFTERWARDS_SECONDS)
        later = self._read()
        # One read is our own: the look at the end of each.
        return _Counted(
            reads=after.reads - before.reads - 1,
            reads_afterwards=later.reads - after.reads - 1,
            done={
                command: calls - before.commands.get(command, 0)
                for command, calls in after.commands.items()
            },
        )

    def ask(self, load: Load, line: str) -> bytes:
        """Send one request and return the answer's body."""
        if load.method == "GET":
            self._http.request("GET", line)
        else:
            headers = dict(load.headers)
            self._http.request("POST", load.path, body=line, headers=headers)
        response = self._http.getresponse()
        body = response.read()
        if response.status != load.status:
            raise RuntimeError(f"void: {response.status} to {load.path}: {body!r}")
        return body

    def _read(self) -> "_Reading":
        stats = self._client.info("stats", "commandstats")
        return _Reading(
            reads=int(stats["total_reads_processed"]),
            commands={
                name.removeprefix("cmdstat_"): int(found["calls"])
                for name, found in stats.items()
                if name.startswith("cmdstat_")
            },
        )


@dataclass(frozen=True, slots=True)
class _Reading:
    reads: int
    commands: dict[str, int]


@dataclass(frozen=True, slots=True)
class _Counted:
    reads: int
    reads_afterwards: int
    done: dict[str, int]


def count_operations(
    client: redis.Redis,
    service: Process,
    phones: Phones,
    guesses: Callable[[Sequence[Pending]], tuple[Load, Load, Load]],
) -> Iterable[Operation]:
    """Count every kind of request; ``guesses`` makes right, wrong and status."""
    counter = Counter(client, service)
    numbers = phones.take(2 * OPERATIONS)
    asked = sends(numbers)
    bodies = [counter.ask(asked, line) for line in asked.lines]
    cooled_down = time.monotonic() + COOLDOWN_SECONDS
    right, wrong, status = guesses(list(read_pending(bodies, numbers)))
    # The first of a kind loads its script.
    for load in (wrong, status, right):
        counter.ask(load, load.lines[-1])

    fresh = sends(phones.take(OPERATIONS))
    yield counter.count("send", fresh, at_most=2)
    refused = Load(fresh.path, fresh.lines, 429)
    yield counter.count("send, refused by the phone's cooldown", refused, at_most=3)
    yield counter.count("status", _first(status), at_most=1)
    yield counter.count("verify, wrong code", _first(wrong), at_most=3)
    yield counter.count("verify, right code", _first(right), at_most=2)
    time.sleep(max(0.0, cooled_down - time.monotonic()))
    # Those that were not guessed at; the last one was, for its script.
    some = slice(OPERATIONS, -1)
    yield counter.count("resend", _resends(bodies[some], numbers[some]), at_most=2)


def _resends(bodies: Sequence[bytes], phones: Sequence[str]) -> Load:
    lines = []
    for body, phone in zip(bodies, phones, strict=True):
        identifier = orjson.loads(body)["verification_id"]
        request = {"phone": phone, "verification_id": identifier}
        lines.append(orjson.dumps(request).decode())
    return Load("/api/send-otp", lines, 202)


def _first(load: Load) -> Load:
    return Load(
        load.path, load.lines[:OPERATIONS], load.status, load.method, load.repeats
    )
