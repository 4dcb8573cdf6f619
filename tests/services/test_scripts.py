"""Running scripts on a Redis that restarts, forgets, hangs and fills up."""

import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from services.errors import StoreUnavailable
from services.events import Event, ScriptRan
from services.scripts import Call, HeldConnections, Script, ScriptRunner
from tests.redis_server import RedisServer
from tests.services.threads import at_once

COUNT = """
local request = cjson.decode(ARGV[1])
return cjson.encode({ count = redis.call('INCRBY', KEYS[1], request.by) })
"""

# The same, if anybody still waits for it.
IN_TIME = """
local request, time = cjson.decode(ARGV[1]), redis.call('TIME')
local now = time[1] * 1000 + time[2] / 1000
if now > request.not_after_ms then return '{"late":true}' end
return cjson.encode({ count = redis.call('INCRBY', KEYS[1], request.by) })
"""


@pytest.fixture
def own_server() -> Iterator[RedisServer]:
    """A server that a test may stop."""
    server = RedisServer()
    yield server
    server.close()


@pytest.fixture
def script(tmp_path: Path) -> Script:
    path = tmp_path / "count.lua"
    path.write_text(COUNT)
    return Script.load(path)


def runner(url: str, events: list[Event] | None = None) -> ScriptRunner:
    pool = redis.ConnectionPool.from_url(url, socket_timeout=0.2)
    emit = (events if events is not None else []).append
    return ScriptRunner(HeldConnections(pool), emit=emit)


def count(script: Script, key: str = "{k}", by: int = 1) -> Call:
    return Call(script, [key], {"by": by})


def test_a_script_runs_and_is_an_event(redis_url: str, script: Script) -> None:
    events: list[Event] = []

    reply = runner(redis_url, events).run(count(script, by=3))

    assert reply == {"count": 3}
    (event,) = events
    assert isinstance(event, ScriptRan)
    assert (event.script, event.outcome) == ("count", "ok")


def test_two_scripts_run_in_one_round_trip(redis_url: str, script: Script) -> None:
    scripts = runner(redis_url)
    scripts.run(count(script))
    with redis.Redis.from_url(redis_url) as client:
        before = client.info("stats")["total_reads_processed"]
        replies = scripts.run_together(count(script), count(script))
        after = client.info("stats")["total_reads_processed"]

    assert replies == [{"count": 2}, {"count": 3}]
    assert after - before == 2  # ours, and the second INFO


def test_scripts_run_together_are_one_event_under_each_name_once(
    redis_url: str, script: Script
) -> None:
    events: list[Event] = []

    runner(redis_url, events).run_together(*[count(script)] * 3)

    assert [it.script for it in events if isinstance(it, ScriptRan)] == ["count"]


def test_scripts_that_redis_forgot_are_loaded_again(
    redis_url: str, script: Script
) -> None:
    scripts = runner(redis_url)
    scripts.run(count(script))
    with redis.Redis.from_url(redis_url) as client:
        client.script_flush()

    replies = scripts.run_together(count(script), count(script))

    assert replies == [{"count": 2}, {"count": 3}]


def test_a_restart_goes_unnoticed_by_every_thread(
    own_server: RedisServer, script: Script
) -> None:
    scripts = runner(own_server.url)
    all_have_run, restarted = threading.Barrier(8), threading.Barrier(8)

    def before_and_after(index: int) -> int:
        scripts.run(count(script))
        all_have_run.wait()
        if index == 0:
            own_server.stop()
            own_server.start()
        restarted.wait()
        return int(scripts.run(count(script))["count"])

    counts = at_once(8, before_and_after)

    assert sorted(counts) == list(range(1, 9))


def test_a_server_that_is_gone_is_an_error_and_then_is_back(
    own_server: RedisServer, script: Script
) -> None:
    events: list[Event] = []
    scripts = runner(own_server.url, events)
    scripts.run(count(script))
    own_server.stop()

    for _ in range(3):
        with pytest.raises(StoreUnavailable):
            scripts.run(count(script))
    own_server.start()

    assert scripts.run(count(script)) == {"count": 1}
    outcomes = [it.outcome for it in events if isinstance(it, ScriptRan)]
    assert outcomes == ["ok", *["ConnectionError"] * 3, "ok"]


def test_a_server_that_hangs_is_an_error_in_time(script: Script) -> None:
    with socket.create_server(("127.0.0.1", 0)) as mute:
        port = mute.getsockname()[1]

        with pytest.raises(StoreUnavailable):
            runner(f"redis://127.0.0.1:{port}").run(count(script))


def test_an_answer_that_came_too_late_is_not_taken_for_the_next(
    redis_url: str, script: Script
) -> None:
    scripts = runner(redis_url)
    scripts.run(count(script))
    with redis.Redis.from_url(redis_url) as client:
        client.execute_command("CLIENT", "PAUSE", "400", "ALL")
        with pytest.raises(StoreUnavailable):
            scripts.run(count(script, by=100))
        client.execute_command("CLIENT", "UNPAUSE")

    reply = scripts.run(count(script, "{other}"))

    assert reply == {"count": 1}


def test_a_full_server_is_an_error(own_server: RedisServer, script: Script) -> None:
    with redis.Redis.from_url(own_server.url) as client:
        client.config_set("maxmemory", "1")

    with pytest.raises(StoreUnavailable):
        runner(own_server.url).run(count(script))


def test_threads_that_end_take_their_connection_with_them(
    own_server: RedisServer, script: Script
) -> None:
    scripts = runner(own_server.url)

    at_once(150, lambda _: scripts.run(count(script)))

    with redis.Redis.from_url(own_server.url) as client:
        give_up = 100
        while give_up and client.info("clients")["connected_clients"] > 1:
            give_up -= 1
        assert give_up


@pytest.fixture
def timely(tmp_path: Path) -> Call:
    path = tmp_path / "in_time.lua"
    path.write_text(IN_TIME)
    return Call(Script.load(path), ["{k}"], {"by": 1}, timely=True)


def test_what_nobody_waits_for_any_more_is_not_done(
    own_server: RedisServer, timely: Call
) -> None:
    """A server that was stopped runs what lies in its sockets when it goes on."""
    scripts = runner(own_server.url)
    scripts.run(timely)
    with own_server.stalled():
        with pytest.raises(StoreUnavailable):
            scripts.run(timely)
        threading.Event().wait(1.1)

    with redis.Redis.from_url(own_server.url) as client:
        assert client.get("{k}") == b"1"


def test_a_clock_of_the_server_that_was_set_loses_nothing(
    redis_url: str, timely: Call
) -> None:
    scripts = runner(redis_url)
    scripts.run(timely)
    assert scripts._redis_zero_ms is not None
    scripts._redis_zero_ms -= 3_600_000

    assert scripts.run(timely) == {"count": 2}


def test_a_server_that_is_busy_is_unavailable(
    own_server: RedisServer, timely: Call
) -> None:
    """It answers every command with a refusal, TIME as well."""
    with redis.Redis.from_url(own_server.url) as client:
        client.acl_setuser(
            "narrow",
            enabled=True,
            nopass=True,
            keys="*",
            commands=["+eval", "+evalsha"],
        )
    scripts = runner(own_server.url.replace("//", "//narrow:any@"))

    with pytest.raises(StoreUnavailable):
        scripts.run(timely)
