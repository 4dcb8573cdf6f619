"""What operators see and change of the defence against abuse, by HTTP."""

from collections.abc import Callable
from typing import Any

import pytest
import redis

from backend.openapi.abuse_operations import ON_ABUSE
from backend.schemas.abuse import ReportAnswer
from services.abuse.rules import RULES
from tests.backend.abuse_desk import BODIES, AbuseDesk
from tests.backend.api import (
    OTHER_PHONE,
    PEER,
    PHONE,
    Answer,
    Api,
    assert_problem,
    fields_of,
    phones,
)
from tests.backend.conftest import MakeApi
from tests.backend.desk import register

MakeDesk = Callable[..., AbuseDesk]
FOLLOW = "abuse policy"


@pytest.fixture
def desk(api: Api) -> AbuseDesk:
    return AbuseDesk(api)


def audited(store: redis.Redis) -> list[tuple[str, ...]]:
    """Return action, actor, detail and outcome of all entries, oldest first."""
    names = (b"action", b"actor", b"detail", b"outcome")
    entries: Any = store.xrange("audit")
    return [tuple(it[name].decode() for name in names) for _, it in entries]


# Who may


@pytest.mark.parametrize("operation", ON_ABUSE)
def test_without_a_token_nothing_is_done(untouched: Api, operation: str) -> None:
    answer = untouched.post(f"/api/admin/abuse/{operation}", BODIES[operation])

    assert_problem(answer, 401, "invalid_token")


@pytest.mark.parametrize("operation", ON_ABUSE)
def test_a_service_without_the_scope_may_not(
    api: Api, store: redis.Redis, operation: str
) -> None:
    token = register(api, "svc-orders", scopes=("otp:send",))

    for method, path in (("POST", f"/{operation}"), ("GET", "")):
        answer = api.bearing(
            token, method, f"/api/admin/abuse{path}", json=BODIES[operation]
        )
        assert_problem(answer, 403, "insufficient_scope")

    assert not store.exists("policy:{all}", "audit")


# Rules


def test_the_report_shows_every_rule_as_the_settings_have_it(make_api: MakeApi) -> None:
    desk = AbuseDesk(
        make_api(
            SENDS_PER_PREFIX="off",
            SPEND_GLOBAL="12.5/1h, 300/24h",
            SPEND_PER_COUNTRY="50/1h; AE: 5/1h, 7.25/1d",
        )
    )

    rules = {it["rule"]: it for it in desk.report()["rules"]}

    assert list(rules) == list(RULES)
    assert rules["sends_per_ip"] == {
        "rule": "sends_per_ip",
        "scope": "ip",
        "kind": "count",
        "mode": "challenge",
        "windows": "10/10m, 30/1h, 100/1d",
        "set_here": [],
    }
    assert rules["sends_per_prefix"]["windows"] == "off"
    assert rules["spend_global"]["windows"] == "12.5/1h, 300/1d"
    assert rules["spend_per_country"]["windows"] == "50/1h; AE: 5/1h, 7.25/1d"


def send_all(api: Api, count: int = 4) -> list[int]:
    """Ask for codes for far numbers from one address; return the statuses."""
    return [api.send(phone).status_code for phone in phones(count)]


@pytest.mark.parametrize(
    ("rule", "how"),
    [
        ("sends_global", {"mode": "block"}),
        ("spend_global", {"mode": "monitor"}),
        ("spend_per_country", {"mode": "block", "windows": "IN: off"}),
        ("sends_per_ip", {"mode": "block", "windows": "off"}),
    ],
)
def test_a_rule_without_windows_cannot_be_switched_on(
    desk: AbuseDesk, store: redis.Redis, rule: str, how: dict[str, str]
) -> None:
    answer = desk.ask("rules", rule=rule, **how)

    assert_problem(answer, 422, "invalid_request")
    assert fields_of(answer) == ["windows"]
    message = answer.json["errors"][0]["message"]
    assert message == f"{rule}={how['mode']} means nothing without windows"
    assert not store.exists("policy:{all}", "audit")


@pytest.mark.parametrize(
    ("rule", "how"),
    [
        ("sends_global", {"mode": "block", "windows": "5/1h"}),
        ("sends_per_country", {"mode": "block", "windows": "IN: 5/1h"}),
        ("sends_global", {"mode": "off"}),
        ("country_conversion", {"mode": "monitor"}),
        ("sends_per_ip", {"windows": "off"}),
    ],
)
def test_a_rule_that_binds_somebody_or_is_off_can_be_set(
    desk: AbuseDesk, rule: str, how: dict[str, str]
) -> None:
    assert desk.set(rule, **how)["set_here"]


def test_a_running_fleet_follows_a_rule_without_a_restart(make_api: MakeApi) -> None:
    """Every worker asks every 3 s; here it is told to ask now."""
    desk, worker = AbuseDesk(make_api()), make_api()
    assert send_all(worker, 2) == [202, 202]

    desk.set("sends_per_ip", mode="block", windows="3/10m")
    worker.chores.rounds[FOLLOW]()

    worker.clock.advance(31)
    refused = [worker.send(it) for it in phones(4)][-1]
    assert_problem(refused, 429, "rate_limited")
    assert refused.json["limit"] == "sends_per_ip"
    desk.set("sends_per_ip", reset=True)
    worker.chores.rounds[FOLLOW]()
    assert worker.send(phones(4)[-1]).status_code == 202


def test_workers_ask_for_the_policy_far_more_often_than_every_30_seconds(
    api: Api,
) -> None:
    beats = {it._name: it._seconds for it in api.chores._beats}

    assert beats[FOLLOW] <= 5


def test_the_mode_changes_and_the_windows_follow_the_settings(
    make_api: MakeApi,
) -> None:
    changed = AbuseDesk(make_api()).set("sends_per_ip", mode="monitor")
    deployed = AbuseDesk(make_api(SENDS_PER_IP="7/1h"), "svc-two")

    assert (changed["mode"], changed["set_here"]) == ("monitor", ["mode"])
    found = deployed.rule("sends_per_ip")
    assert (found["mode"], found["windows"]) == ("monitor", "7/1h")


def test_windows_of_single_subjects_are_set_too(desk: AbuseDesk) -> None:
    windows = "500/1h; AE: 5/1h; IN: off"
    desk.set("sends_per_country", mode="block", windows=windows)

    found = desk.rule("sends_per_country")

    assert found["windows"] == windows
    assert found["set_here"] == ["mode", "windows", "special"]


def test_windows_alone_do_not_switch_a_rule_on(desk: AbuseDesk) -> None:
    """Or it would look as if it bound from now on."""
    answer = desk.ask("rules", rule="spend_global", windows="50/24h")

    assert_problem(answer, 422, "invalid_request")
    assert answer.json["errors"] == [
        {"field": "mode", "message": "spend_global is off: say its mode, too"}
    ]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"rule": "sends_per_ip"}, ""),
        ({"rule": "sends_per_ip", "reset": False}, ""),
        ({"rule": "sends_per_ip", "reset": True, "mode": "off"}, ""),
        ({"rule": "sends_per_moon", "mode": "off"}, "rule"),
        ({"mode": "off"}, "rule"),
        ({"rule": "sends_per_ip", "mode": "shadow"}, "mode"),
        ({"rule": "wrong_checks_per_ip", "mode": "challenge"}, "mode"),
        ({"rule": "spend_global", "mode": "challenge"}, "mode"),
        ({"rule": "sends_per_ip", "windows": ""}, "windows"),
        ({"rule": "sends_per_ip", "windows": "many"}, "windows"),
        ({"rule": "sends_per_ip", "windows": "0/10m"}, "windows"),
        ({"rule": "sends_per_ip", "windows": "1/31d"}, "windows"),
        ({"rule": "sends_per_ip", "windows": "1/1h, 2/1h"}, "windows"),
        ({"rule": "sends_per_ip", "windows": "1/1h; IN: 1/1h"}, "windows"),
        ({"rule": "sends_per_ip", "windows": "0.5/1h"}, "windows"),
        ({"rule": "sends_per_country", "windows": "1/1h; XX: 1/1h"}, "windows"),
        ({"rule": "sends_per_caller", "windows": "1/1h; shop: 1/1h"}, "windows"),
        ({"rule": "prefix_conversion", "windows": "1/1h"}, "windows"),
        ({"rule": "wrong_checks_global", "windows": "1/1h, 2/2h"}, "windows"),
        ({"rule": "sends_per_ip", "windows": 10}, "windows"),
    ],
)
def test_a_change_that_cannot_be_is_refused_field_by_field(
    desk: AbuseDesk, store: redis.Redis, body: dict[str, object], field: str
) -> None:
    answer = desk.ask("rules", **body)

    assert_problem(answer, 422, "invalid_request")
    assert fields_of(answer) == [field]
    assert not store.exists("policy:{all}", "audit")


# Lists


def refused(api: Api, **options: Any) -> str:
    """Ask for a code; return why there is none."""
    answer = api.send(PHONE, **options)
    return "" if answer.status_code == 202 else str(answer.json["code"])


@pytest.mark.parametrize(
    ("kind", "value", "code"),
    [
        ("phone", PHONE, "phone_not_supported"),
        ("prefix", "+91987", "phone_not_supported"),
        ("country", "IN", "phone_not_supported"),
        ("ip", PEER, "caller_blocked"),
        ("ip", "198.51.100.0/24", "caller_blocked"),
    ],
)
def test_a_block_holds_in_the_whole_fleet_until_it_is_removed(
    make_api: MakeApi, kind: str, value: str, code: str
) -> None:
    desk, worker = AbuseDesk(make_api()), make_api()

    put = desk.put("block", kind, value)
    worker.chores.rounds[FOLLOW]()

    assert refused(worker) == code
    assert worker.simulator.messages() == []
    assert desk.do("entries/remove", id=put["id"]) == {"removed": True}
    assert desk.do("entries/remove", id=put["id"]) == {"removed": False}
    worker.chores.rounds[FOLLOW]()
    assert refused(worker) == ""


def test_a_block_of_a_range_of_ipv6_holds(desk: AbuseDesk) -> None:
    desk.put("block", "ip", "2001:db8:1::/48")

    assert refused(desk.api, peer="2001:db8:1:2::99") == "caller_blocked"
    assert refused(desk.api, peer="2001:db8:2:2::99") == ""


def test_who_asks_through_a_service_is_blocked_by_their_own_address(
    desk: AbuseDesk,
) -> None:
    api = desk.api
    token = register(api, "svc-shop", scopes=("otp:send",))
    desk.put("block", "ip", "93.184.216.0/24")

    def ask(address: str, phone: str) -> int:
        body = {"phone": phone, "end_user_ip": address}
        return api.bearing(token, "POST", "/api/send-otp", json=body).status_code

    assert ask("93.184.216.34", PHONE) == 403
    assert ask("93.184.217.34", OTHER_PHONE) == 202


def test_a_block_for_hours_ends_by_itself(desk: AbuseDesk) -> None:
    put = desk.put("block", "country", "IN", hours=2)
    assert put["until"] == put["at"] + 7_200
    assert refused(desk.api) == "phone_not_supported"

    desk.api.clock.advance(7_200)

    assert refused(desk.api) == ""
    assert desk.report()["entries"] == []


def test_who_is_allowed_is_not_counted_by_address(desk: AbuseDesk) -> None:
    desk.set("sends_per_ip", mode="block", windows="1/10m")
    assert send_all(desk.api, 2) == [202, 429]

    desk.put("allow", "ip", PEER, reason="our own office")

    desk.api.clock.advance(31)
    assert send_all(desk.api, 4) == [202] * 4


def test_a_block_wins_over_what_allows_more_exactly(desk: AbuseDesk) -> None:
    desk.put("allow", "phone", PHONE)
    desk.put("block", "country", "IN")

    assert refused(desk.api) == "phone_not_supported"


def test_the_lists_show_who_put_what_and_why(desk: AbuseDesk) -> None:
    desk.put("block", "phone", PHONE, reason="nuisance, case 4711")
    desk.put("block", "ip", "198.51.100.7/24", hours=1)

    by_kind = {it["kind"]: it for it in desk.report()["entries"]}

    assert by_kind["phone"] == {
        "id": by_kind["phone"]["id"],
        "kind": "phone",
        "value": "+91********10",
        "verdict": "block",
        "until": None,
        "reason": "nuisance, case 4711",
        "actor": "client:svc-desk",
        "at": int(desk.api.clock.now()),
    }
    assert by_kind["ip"]["value"] == "198.51.100.0/24"


@pytest.mark.parametrize(
    ("changed", "code", "fields"),
    [
        ({"kind": "phone", "value": PHONE[1:]}, "invalid_request", ["value"]),
        ({"kind": "phone", "value": "+910000000000"}, "phone_invalid", None),
        ({"kind": "phone", "value": "+91"}, "phone_invalid", None),
        ({"kind": "prefix", "value": PHONE}, "invalid_request", ["value"]),
        ({"kind": "prefix", "value": "91987"}, "invalid_request", ["value"]),
        ({"kind": "country", "value": "XX"}, "invalid_request", ["value"]),
        ({"kind": "ip", "value": "0.0.0.0/0"}, "invalid_request", ["value"]),
        ({"kind": "ip", "value": "shop.example"}, "invalid_request", ["value"]),
        ({"kind": "asn"}, "invalid_request", ["kind"]),
        ({"value": ""}, "invalid_request", ["value"]),
        ({"value": "x" * 65}, "invalid_request", ["value"]),
        ({"value": 91}, "invalid_request", ["value"]),
        ({"verdict": "maybe"}, "invalid_request", ["verdict"]),
        ({"hours": 0}, "invalid_request", ["hours"]),
        ({"hours": 9_000}, "invalid_request", ["hours"]),
        ({"hours": 1.5}, "invalid_request", ["hours"]),
        ({"reason": ""}, "invalid_request", ["reason"]),
        ({"reason": f"called from {PHONE}"}, "invalid_request", ["reason"]),
        ({"reason": "bots at 10.1.2.3"}, "invalid_request", ["reason"]),
        ({"reason": "bots at 2001:db8::1"}, "invalid_request", ["reason"]),
        ({"surprise": 1}, "invalid_request", ["surprise"]),
    ],
)
def test_an_entry_that_cannot_be_is_refused_field_by_field(
    desk: AbuseDesk,
    store: redis.Redis,
    changed: dict[str, object],
    code: str,
    fields: list[str] | None,
) -> None:
    answer = desk.ask("entries", **{**BODIES["entries"], **changed})

    assert_problem(answer, 422, code)
    if fields is not None:
        assert fields_of(answer) == fields
    assert PHONE[1:] not in answer.text
    assert not store.exists("policy:{all}", "audit")


def test_phones_of_countries_that_are_not_served_can_be_listed(desk: AbuseDesk) -> None:
    """The country may be served again."""
    assert desk.put("block", "phone", "+447400123456")["value"].endswith("56")


# Blocks


def test_a_block_of_the_defence_is_shown_and_lifted(desk: AbuseDesk) -> None:
    api = desk.api
    block_by_vendor(api)

    (block,) = desk.report()["blocks"]

    assert (block["scope"], block["name"]) == ("prefix", PHONE[:-4])
    assert (block["state"], block["cause"]) == ("blocked", "vendor")
    assert block["until"] > block["since"]
    assert desk.do("lift", scope="prefix", name=block["name"]) == {"lifted": True}
    assert desk.do("lift", scope="prefix", name=block["name"]) == {"lifted": False}
    assert desk.report()["blocks"] == []


def block_by_vendor(api: Api) -> None:
    """Have a vendor call PHONE's block of numbers fraud."""
    api.simulator.add_rule("error", provider="twilio", code=30450)
    assert_problem(api.send(PHONE), 422, "phone_not_supported")
    api.settle()


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"scope": "ip"}, "scope"),
        ({"scope": "global"}, "scope"),
        ({"name": PHONE}, "name"),
        ({"name": "91987654"}, "name"),
        ({"name": ""}, "name"),
        ({"name": "*"}, "name"),
    ],
)
def test_what_cannot_be_blocked_cannot_be_lifted(
    desk: AbuseDesk, changed: dict[str, object], field: str
) -> None:
    answer = desk.ask("lift", **{**BODIES["lift"], **changed})

    assert_problem(answer, 422, "invalid_request")
    assert fields_of(answer) == [field]


# The report


def test_the_report_is_as_its_schema_says_on_a_quiet_day(desk: AbuseDesk) -> None:
    report = desk.report()

    ReportAnswer.model_validate(report)
    assert report["days"] == 2
    for empty in ("blocks", "tallies", "entries", "broken"):
        assert report[empty] == []
    assert report["guessing"]["escalated"] is False


@pytest.mark.parametrize("days", ["0", "9", "-1", "x", "1.5", "", "१", "1 "])
def test_the_days_of_the_report_are_few(desk: AbuseDesk, days: str) -> None:
    answer = desk.api.bearing(desk.token, "GET", f"/api/admin/abuse?days={days}")

    assert_problem(answer, 422, "invalid_request")
    assert fields_of(answer) == ["days"]


def tallies(report: Any) -> dict[tuple[str, str, bool], int]:
    return {
        (it["rule"], it["verdict"], it["shadow"]): it["sends"]
        for it in report["tallies"]
    }


def test_what_monitor_would_have_refused_equals_what_block_refuses(
    make_api: MakeApi, store: redis.Redis
) -> None:
    def run(mode: str) -> tuple[list[int], dict[str, Any]]:
        store.flushall()
        desk = AbuseDesk(make_api(PRICE_UNKNOWN="0.5"))
        desk.set("sends_per_ip", mode=mode, windows="2/10m")
        statuses = send_all(desk.api, 5)
        report = desk.report()
        ReportAnswer.model_validate(report)
        (tally,) = report["tallies"]
        return statuses, tally

    watched, shadow = run("monitor")
    refused, real = run("block")

    assert watched == [202] * 5
    assert refused == [202, 202, 429, 429, 429]
    assert shadow["shadow"]
    assert not real["shadow"]
    assert {**shadow, "shadow": False} == real
    assert (real["rule"], real["verdict"], real["sends"]) == (
        *("sends_per_ip", "block", 3),
    )
    assert real["saved"] > 0


def test_tallies_are_told_by_day(desk: AbuseDesk) -> None:
    desk.set("sends_per_ip", mode="block", windows="1/10m")
    send_all(desk.api, 2)
    desk.api.clock.advance(86_400)
    send_all(desk.api, 3)
    # The other one's registration has ended.
    tomorrow = AbuseDesk(desk.api, "svc-two")

    two, one = tomorrow.report(2)["tallies"], tomorrow.report(1)["tallies"]

    assert [it["sends"] for it in two] == [2, 1]
    assert two[0]["day"] > two[1]["day"]
    assert one == two[:1]


def test_the_report_shows_what_is_spent_of_each_cap(make_api: MakeApi) -> None:
    api = make_api(
        SPEND_GLOBAL="100/1h, 500/24h",
        SPEND_PER_COUNTRY="50/1h; AE: 5/1h",
        SPEND_PER_CALLER="10/1h",
        SPEND_CURRENCY="EUR",
    )
    desk = AbuseDesk(api)
    token = register(api, "svc-shop", scopes=("otp:send",))
    body = {"phone": PHONE}
    assert api.bearing(token, "POST", "/api/send-otp", json=body).status_code == 202
    api.settle()

    report = desk.report()

    assert report["currency"] == "EUR"
    spent = {
        (it["rule"], it["subject"], it["window"]): (it["spent"], it["cap"])
        for it in report["spending"]
    }
    cost = spent["spend_global", "", "1h"][0]
    assert cost > 0
    assert spent == {
        ("spend_global", "", "1h"): (cost, 100),
        ("spend_global", "", "1d"): (cost, 500),
        ("spend_per_country", "AE", "1h"): (0, 5),
        ("spend_per_country", "IN", "1h"): (cost, 50),
        ("spend_per_caller", "svc-shop", "1h"): (cost, 10),
    }
    assert {it["held"] for it in report["spending"]} == {0}


def test_rows_that_nobody_can_read_are_named(
    desk: AbuseDesk, store: redis.Redis
) -> None:
    store.hset("policy:{all}", mapping={"entry:abc": "junk", "stamp": "x"})

    assert desk.report()["broken"] == ["entry:abc"]
    assert desk.do("entries/remove", id="abc") == {"removed": True}
    assert desk.report()["broken"] == []


# The audit, and what is kept


@pytest.mark.parametrize("operation", ON_ABUSE)
def test_every_change_is_audited_before_it_is_made(
    desk: AbuseDesk, store: redis.Redis, operation: str
) -> None:
    details = {
        "rules": "sends_per_ip monitor",
        "entries": "allow country IN: a campaign",
        "entries/remove": "abcdefghijklmnop",
        "lift": "prefix",
    }
    actions = {
        "rules": "abuse-rule",
        "entries": "abuse-entry",
        "entries/remove": "abuse-entry-remove",
        "lift": "abuse-lift",
    }

    desk.do(operation, **BODIES[operation])

    assert audited(store)[0] == (
        *(actions[operation], "client:svc-desk", details[operation], "begun"),
    )


@pytest.mark.parametrize("operation", ["lift", "entries/remove"])
def test_what_found_nothing_to_change_does_not_stand_as_done(
    desk: AbuseDesk, store: redis.Redis, operation: str
) -> None:
    desk.do(operation, **BODIES[operation])

    begun, failed = audited(store)
    assert (begun[3], failed[2:]) == ("begun", ("none_there", "failed"))


def test_a_lift_and_a_removal_that_are_done_are_no_failures(
    desk: AbuseDesk, store: redis.Redis
) -> None:
    block_by_vendor(desk.api)
    put = desk.put("block", "country", "IN")

    assert desk.do("lift", scope="prefix", name=PHONE[:-4]) == {"lifted": True}
    assert desk.do("entries/remove", id=put["id"]) == {"removed": True}

    assert [it[3] for it in audited(store)] == ["begun"] * 3


def test_reading_is_no_act(desk: AbuseDesk, store: redis.Redis) -> None:
    desk.report()

    assert not store.exists("audit")


def test_no_number_and_no_address_is_left_behind(
    desk: AbuseDesk, store: redis.Redis, dump: Callable[[], dict[str, Any]]
) -> None:
    desk.put("block", "phone", PHONE)
    desk.put("block", "prefix", "+91981234")
    desk.put("block", "ip", "203.0.113.0/24")
    desk.put("allow", "ip", "2001:db8:77::/48")
    desk.do("lift", scope="prefix", name="+91987654")
    desk.ask("entries", **{**BODIES["entries"], "kind": "phone", "value": "+9198765"})

    kept = str(dump()) + desk.api.log.getvalue().decode()

    for secret in (PHONE[3:], PHONE[1:8], "981234", "203.0.113", "2001:db8:77"):
        assert secret not in kept, secret
    assert '"event":"admin_acted"' in kept
    assert store.pttl("policy:{all}") == -1


def test_while_redis_is_away_nothing_is_changed(desk: AbuseDesk) -> None:
    def ask() -> list[Answer]:
        return [
            desk.read(),
            *(desk.ask(it, **BODIES[it]) for it in ON_ABUSE),
        ]

    break_redis(desk.api)

    for answer in ask():
        assert_problem(answer, 503, "store_unavailable")


def break_redis(api: Api) -> None:
    """Have every script fail from now on."""

    def fail(*_: object, **__: object) -> Any:
        raise redis.ConnectionError

    policies: Any = api.services.abuse.policies
    policies._scripts._exchange = fail
