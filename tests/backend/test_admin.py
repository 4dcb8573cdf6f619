"""What operators do about people, by HTTP."""

import re
from collections.abc import Callable
from typing import Any

import orjson
import pytest
import redis

from backend.openapi.admin_operations import ADMIN_OPERATIONS, ON_PEOPLE
from tests.backend.api import OTHER_PHONE, PHONE, Api, assert_problem
from tests.backend.conftest import MakeApi
from tests.backend.desk import BODIES, Desk, register

NOBODY = "A" * 22


@pytest.fixture
def desk(shared_api: Api, store: redis.Redis) -> Desk:
    """The desk of the service that lasts, nothing of other tests left to be written."""
    shared_api.settle()
    store.flushall()
    return Desk(shared_api)


@pytest.fixture
def own_desk(api: Api) -> Desk:
    """The desk of a service of its own: for tests that break its vendors."""
    return Desk(api)


def introspect(api: Api, asking: str, token: str) -> Any:
    """Ask for the live truth, as another service does."""
    answer = api.bearing(asking, "POST", "/api/token/introspect", data={"token": token})
    assert answer.status_code == 200, answer.text
    return answer.json


def outcomes(desk: Desk) -> list[tuple[str, str, str]]:
    return [(it["action"], it["detail"], it["outcome"]) for it in desk.audit()]


# Who may


@pytest.mark.parametrize("operation", ON_PEOPLE)
def test_without_a_token_nothing_is_done(untouched: Api, operation: str) -> None:
    answer = untouched.post(f"/api/admin/{operation}", {"phone": PHONE})

    assert_problem(answer, 401, "invalid_token")


@pytest.mark.parametrize("operation", ON_PEOPLE)
def test_a_service_without_the_scope_may_not(shared_api: Api, operation: str) -> None:
    token = register(shared_api, "svc-orders", scopes=("token:introspect",))

    answer = shared_api.bearing(
        token, "POST", f"/api/admin/{operation}", json={"phone": PHONE}
    )

    assert_problem(answer, 403, "insufficient_scope")


def test_a_person_with_the_role_admin_may_not(make_api: MakeApi) -> None:
    """Roles are for the shop's own services; this API is for the operator's."""
    api = make_api(ADMIN_PHONES=PHONE)
    token = api.login(PHONE)["access_token"]

    answer = api.bearing(token, "POST", "/api/admin/look", json={"phone": PHONE})

    assert_problem(answer, 401, "invalid_token")


def test_the_audit_is_for_operators_too(shared_api: Api) -> None:
    answer = shared_api.call("GET", "/api/admin/audit")

    assert_problem(answer, 401, "invalid_token")


# Whom it is about


@pytest.mark.parametrize("operation", ON_PEOPLE)
def test_nobody_is_found_by_a_made_up_subject(desk: Desk, operation: str) -> None:
    answer = desk.ask(operation, sub=NOBODY, **BODIES.get(operation, {}))

    assert_problem(answer, 404, "not_found")
    assert outcomes(desk) == [
        (operation, "not_found", "failed"),
        (operation, "", "begun"),
    ]


@pytest.mark.parametrize(
    "who",
    [
        {},
        {"phone": PHONE, "sub": NOBODY},
        {"phone": PHONE[1:]},
        {"phone": "+91 98765 43210"},
        {"phone": 919876543210},
        {"sub": "short"},
        {"sub": f"{NOBODY}\n"},
        {"phone": PHONE, "surprise": 1},
    ],
)
def test_one_person_is_named_in_one_way(desk: Desk, who: dict[str, object]) -> None:
    answer = desk.api.bearing(desk.token, "POST", "/api/admin/look", json=who)

    assert_problem(answer, 422, "invalid_request")
    assert "9876543210" not in answer.text
    assert desk.audit() == []


def test_a_number_that_does_not_exist_is_no_persons(desk: Desk) -> None:
    assert_problem(desk.ask("look", phone="+910000000000"), 422, "phone_invalid")


def test_people_in_countries_that_are_not_served_any_more_are_found(
    desk: Desk,
) -> None:
    """They have the same rights as before."""
    assert desk.do("erase", phone="+447400123456")["erased_subject"]


@pytest.mark.parametrize(
    "reason",
    [
        "",
        " ",
        "x" * 101,
        "called from +919876543210",
        "called from 98765 43210",
        "(987) 654-3210",
        "98765/43210",
        "98765 and then 43210",
        "2098-76-54",
        "९८७६५४३२१०",
        "two\nlines",
    ],
)
def test_a_reason_is_short_and_holds_no_number(desk: Desk, reason: str) -> None:
    answer = desk.ask("freeze", reason=reason)

    assert_problem(answer, 422, "invalid_request")
    assert answer.json["errors"][0]["field"] == "reason"


@pytest.mark.parametrize("reason", ["INC0012345", "chargeback of 2026-11-20", "é"])
def test_a_reason_may_name_a_case_and_a_day(desk: Desk, reason: str) -> None:
    desk.do("freeze", reason=reason)

    assert desk.do("look")["frozen"]["reason"] == reason


# What they do


def test_a_look_shows_who_is_there(desk: Desk) -> None:
    login = desk.api.login(PHONE, device_name="Asha's phone")

    seen = desk.do("look")

    (session,) = seen["sessions"]
    assert seen["subject"] == login["user"]["id"]
    assert seen["roles"] == ["customer"]
    assert seen["frozen"] is None
    assert (session["device"], session["client"]) == ("Asha's phone", "direct")
    assert session["created_at"] == session["last_used_at"] < session["ends_at"]
    assert seen["lock"] == {
        "locked_for": 0,
        "wrong_checks": 0,
        "in_a_row": 0,
        "checks_left": 15,
        "forgiven": 0,
        "since_right": 0,
        "disabled": False,
        "device_locked_for": 0,
        "device_wrong_checks": 0,
        "device_disabled": False,
    }
    assert desk.do("look", sub=seen["subject"]) == seen


def test_a_session_has_the_same_name_in_the_log(desk: Desk) -> None:
    desk.api.login(PHONE)

    (session,) = desk.do("look")["sessions"]

    assert f'"session":"{session["session"]}"' in desk.api.log.getvalue().decode()


def test_a_frozen_person_is_refused_everywhere_at_once(desk: Desk) -> None:
    api = desk.api
    login = api.login(PHONE)
    token = login["access_token"]
    orders = register(api, "svc-orders", scopes=("token:introspect",))
    assert introspect(api, orders, token)["active"] is True

    assert desk.do("freeze", reason="card fraud")["changed"] is True

    assert introspect(api, orders, token) == {"active": False}
    assert introspect(api, orders, login["refresh_token"]) == {"active": False}
    assert_problem(api.me(token), 401, "invalid_token")
    refreshed = api.refresh(login["refresh_token"])
    assert (refreshed.status_code, refreshed.json["error"]) == (400, "invalid_grant")
    api.clock.advance(60)
    verification = api.start(PHONE)
    answer = api.verify(verification, PHONE, api.code_of(PHONE))
    assert_problem(answer, 403, "subject_frozen")


def test_a_thawed_person_goes_on_where_they_were(desk: Desk) -> None:
    login = desk.api.login(PHONE)
    desk.do("freeze", reason="card fraud")

    assert desk.do("thaw")["changed"] is True

    assert desk.api.me(login["access_token"]).status_code == 200
    assert desk.api.refresh(login["refresh_token"]).status_code == 200
    assert desk.do("thaw")["changed"] is False


def test_the_first_reason_stands(desk: Desk) -> None:
    desk.do("freeze", reason="first")

    assert desk.do("freeze", reason="second")["changed"] is False
    assert desk.do("look")["frozen"]["reason"] == "first"


def test_all_sessions_end_at_once(desk: Desk) -> None:
    login = desk.api.login(PHONE)

    assert desk.do("end-sessions")["ended"] == 1

    assert_problem(desk.api.me(login["access_token"]), 401, "invalid_token")
    assert desk.do("look")["sessions"] == []
    assert desk.do("end-sessions")["ended"] == 0


def test_an_unlocked_phone_can_be_used_at_once(desk: Desk) -> None:
    api = desk.api
    verification = api.start(PHONE)
    for _ in range(5):
        api.verify(verification, PHONE, api.wrong_code_of(PHONE))
    api.clock.advance(29)
    assert_problem(api.send(PHONE), 429, "phone_locked")

    lock = desk.do("unlock")["lock"]

    assert (lock["locked_for"], lock["wrong_checks"], lock["checks_left"]) == (0, 5, 10)
    api.clock.advance(1)  # What is left of the wait for the next message.
    assert api.login(PHONE)["verified"] is True


def test_a_phone_is_not_unlocked_without_end(desk: Desk, store: redis.Redis) -> None:
    tag = desk.do("look")["phone_tag"]
    now = int((store.time()[0] + desk.api.clock.offset) * 1000)
    # A day on which it was unlocked seven times, and guessed at all the same.
    record = {"wrongs": [now] * 15, "in_a_row": 15, "forgiven": [now] * 35}
    store.set(f"otp:{{{tag}}}", orjson.dumps(record))

    answer = desk.ask("unlock")

    assert_problem(answer, 429, "rate_limited")
    assert answer.json["limit"] == "unlocks_per_phone"
    assert 86_000 < answer.json["retry_after"] <= 86_400
    assert outcomes(desk)[0] == ("unlock", "rate_limited", "failed")
    assert_problem(desk.api.send(PHONE), 429, "phone_locked")


def test_roles_are_granted_and_taken(desk: Desk) -> None:
    refresh_token = desk.api.login(PHONE)["refresh_token"]

    assert desk.do("grant-role", role="support") == {
        "subject": desk.do("look")["subject"],
        "changed": True,
        "roles": ["customer", "support"],
    }
    renewed = desk.api.refresh(refresh_token).json
    me = desk.api.me(renewed["access_token"]).json
    assert me["user"]["roles"] == ["customer", "support"]
    assert desk.do("grant-role", role="support")["changed"] is False
    assert desk.do("take-role", role="support")["roles"] == ["customer"]
    assert desk.do("take-role", role="support")["changed"] is False


@pytest.mark.parametrize("role", ["", "Support", "a" * 32, "9", "a b", "a\n"])
def test_a_role_is_a_short_word(desk: Desk, role: str) -> None:
    assert_problem(desk.ask("grant-role", role=role), 422, "invalid_request")


def test_what_everybody_is_cannot_be_given_or_taken(desk: Desk) -> None:
    for operation in ("grant-role", "take-role"):
        answer = desk.ask(operation, role="customer")

        assert_problem(answer, 422, "invalid_request")
        (fault,) = answer.json["errors"]
        assert fault["field"] == "role"
        assert "everybody has it" in fault["message"]
    assert desk.do("look")["roles"] == ["customer"]


def test_who_is_admin_by_the_settings_stays_so(make_api: MakeApi) -> None:
    desk = Desk(make_api(ADMIN_PHONES=PHONE))

    answer = desk.ask("take-role", role="admin")

    assert_problem(answer, 422, "invalid_request")
    assert "ADMIN_PHONES" in answer.json["errors"][0]["message"]
    assert desk.do("look")["roles"] == ["customer", "admin"]
    # What was granted besides can be taken, and the settings' stays.
    desk.do("grant-role", role="admin")
    assert desk.do("take-role", role="admin") == {
        "subject": desk.do("look")["subject"],
        "changed": True,
        "roles": ["customer", "admin"],
    }
    desk.do("grant-role", phone=OTHER_PHONE, role="admin")
    taken = desk.do("take-role", phone=OTHER_PHONE, role="admin")
    assert taken["roles"] == ["customer"]


def test_roles_have_an_end(desk: Desk) -> None:
    for number in range(20):
        desk.do("grant-role", role=f"role-{number}")

    assert_problem(desk.ask("grant-role", role="more"), 422, "invalid_request")
    assert desk.do("grant-role", role="role-0")["changed"] is False


def test_a_recycled_number_is_somebody_new(desk: Desk) -> None:
    api = desk.api
    former = api.login(PHONE)
    desk.do("grant-role", role="support")
    desk.do("freeze", reason="card fraud")

    answer = desk.do("reassign")

    assert answer["former_subject"] == former["user"]["id"]
    assert_problem(api.me(former["access_token"]), 401, "invalid_token")
    refreshed = api.refresh(former["refresh_token"])
    assert refreshed.json["error"] == "invalid_grant"
    api.clock.advance(60)
    new = api.login(PHONE)["user"]
    assert new["id"] == answer["subject"] != former["user"]["id"]
    assert (new["roles"], new["first_login"]) == (["customer"], True)
    assert_problem(desk.ask("look", sub=former["user"]["id"]), 404, "not_found")


@pytest.mark.parametrize("operation", ["reassign", "erase"])
def test_a_code_that_the_former_holder_asked_for_opens_nothing(
    desk: Desk, operation: str
) -> None:
    api = desk.api
    verification = api.start(PHONE)
    code = api.code_of(PHONE)

    desk.do(operation)

    assert_problem(api.verify(verification, PHONE, code), 410, "verification_gone")


def test_an_erased_person_is_forgotten(
    desk: Desk, dump: Callable[[], dict[str, Any]]
) -> None:
    api = desk.api
    login = api.login(PHONE)
    desk.do("grant-role", role="support")
    tag = desk.do("look")["phone_tag"]
    api.settle()

    erased = desk.do("erase")
    api.settle()

    assert erased == {"erased_subject": login["user"]["id"]}
    left = {key: it for key, it in dump().items() if tag in key}
    # How often the number changed hands is all that is left.
    assert list(left) == [f"person:{{{tag}}}"]
    assert b"support" not in left[f"person:{{{tag}}}"]
    assert_problem(api.me(login["access_token"]), 401, "invalid_token")
    assert_problem(desk.ask("look", sub=login["user"]["id"]), 404, "not_found")


def test_no_subject_is_given_twice(desk: Desk) -> None:
    subjects = []
    for operation in ("erase", "reassign", "erase"):
        subjects.append(desk.do("look")["subject"])
        desk.do(operation)
    subjects.append(desk.do("look")["subject"])

    assert len(set(subjects)) == 4


def test_who_was_frozen_is_not_thawed_by_being_erased(desk: Desk) -> None:
    api = desk.api
    api.login(PHONE)
    desk.do("freeze", reason="card fraud")

    desk.do("erase")

    assert desk.do("look")["frozen"]["reason"] == "card fraud"
    verification = api.start(PHONE)
    answer = api.verify(verification, PHONE, api.code_of(PHONE))
    assert_problem(answer, 403, "subject_frozen")


# What happened


def test_a_login_that_a_freeze_refused_can_be_traced(own_desk: Desk) -> None:
    desk, api = own_desk, own_desk.api
    desk.do("freeze", reason="card fraud")
    answer = api.verify(api.start(PHONE), PHONE, api.code_of(PHONE))
    api.settle()

    refused = desk.do("trace")["entries"][-1]

    assert (refused["event"], refused["details"]) == (
        "session_refused",
        {"reason": "frozen"},
    )
    assert refused["request_id"] == answer.headers["X-Request-Id"]
    assert '"event":"session_refused"' in api.log.getvalue().decode()
    metrics = api.telemetry.metrics.render().decode()
    assert 'sessions_refused_total{reason="frozen"} 1.0' in metrics


def events_of(trace: Any) -> list[str]:
    return [it["event"] for it in trace["entries"]]


def test_a_trace_tells_what_happened_through_whom_with_what_answer(
    own_desk: Desk,
) -> None:
    desk, api = own_desk, own_desk.api
    api.simulator.add_rule("status", provider="twilio", status=503, times=1)
    sent = api.send(PHONE)
    api.send(PHONE)
    api.clock.advance(5)
    verification = sent.json["verification_id"]
    api.verify(verification, PHONE, api.wrong_code_of(PHONE))
    won = api.verify(verification, PHONE, api.code_of(PHONE))
    api.settle()

    trace = desk.do("trace")

    assert trace["hours"] == 24
    assert events_of(trace) == [
        "sent",
        "limited",
        "checked",
        "checked",
        "session_opened",
    ]
    first, refused, wrong, right, opened = trace["entries"]
    assert first["details"]["failed"] == ["twilio transient 20503"]
    assert first["details"]["provider"] == "fast2sms"
    assert first["request_id"] == sent.headers["X-Request-Id"]
    assert refused["details"]["limit"] == "resend_cooldown"
    assert [it["details"]["outcome"] for it in (wrong, right)] == ["wrong", "verified"]
    assert wrong["at"] - first["at"] == pytest.approx(5, abs=0.1)
    assert opened["request_id"] == won.headers["X-Request-Id"]
    assert opened["details"]["client"] == "direct"


def test_one_verification_can_be_traced_alone(desk: Desk) -> None:
    api = desk.api
    first = api.start(PHONE)
    api.clock.advance(60)
    second = api.start(PHONE)
    api.verify(second, PHONE, api.code_of(PHONE))
    api.settle()

    assert events_of(desk.do("trace", verification_id=first)) == ["sent"]
    assert events_of(desk.do("trace", verification_id=second)) == [
        "sent",
        "checked",
        "session_opened",
    ]
    assert outcomes(desk)[0] == (
        "trace",
        desk.do("trace", verification_id=second)["entries"][0]["verification"],
        "begun",
    )


def test_what_nobody_could_send_can_be_traced(own_desk: Desk) -> None:
    desk, api = own_desk, own_desk.api
    api.simulator.add_rule("error", provider="twilio", code=21211)
    api.send(PHONE)
    api.settle()

    (entry,) = desk.do("trace")["entries"]

    assert (entry["event"], entry["details"]["reason"]) == ("not_sent", "recipient")
    assert entry["details"]["failed"] == ["twilio recipient 21211"]


def test_a_shared_limit_can_be_traced(make_api: MakeApi) -> None:
    desk = Desk(make_api(SENDS_PER_IP="1/1h"))
    desk.api.start(OTHER_PHONE)
    desk.api.send(PHONE)
    desk.api.settle()

    (entry,) = desk.do("trace")["entries"]

    assert entry["details"]["limit"] == "sends_per_ip"


def test_what_is_no_verification_cannot_be_traced(desk: Desk) -> None:
    answer = desk.ask("trace", verification_id="x" * 43)

    assert_problem(answer, 404, "not_found")


def test_the_embedded_store_can_be_operated_by_http(development: Api) -> None:
    desk = Desk(development)
    development.login(PHONE)
    for operation in ("freeze", "look", "thaw", "unlock", "reassign"):
        desk.do(operation, **BODIES.get(operation, {}))
    development.settle()

    assert events_of(desk.do("trace"))[:3] == ["sent", "checked", "session_opened"]
    assert len(desk.audit()) == 6
    desk.do("erase")


def test_without_hours_nothing_is_kept(
    make_api: MakeApi, dump: Callable[[], dict[str, Any]]
) -> None:
    desk = Desk(make_api(TRACE_HOURS="0"))
    desk.api.login(PHONE)
    desk.api.settle()

    assert desk.do("trace") == {"hours": 0, "entries": []}
    assert not any(key.startswith("trail:") for key in dump())


# Who did it


@pytest.mark.parametrize("operation", ON_PEOPLE)
def test_every_act_is_entered_with_who_did_it(desk: Desk, operation: str) -> None:
    look = desk.api.services.identity.people.look
    login = desk.api.login(PHONE)
    body = BODIES.get(operation, {})

    answer = desk.ask(operation, **body)

    assert answer.status_code == 200, answer.text
    (entry,) = desk.audit()
    assert (entry["action"], entry["actor"]) == (operation, "client:svc-desk")
    assert entry["subject"] == login["user"]["id"]
    assert look(entry["phone_tag"]).tag == entry["phone_tag"]
    assert entry["detail"] == next(iter(body.values()), "")
    assert entry["request"] == answer.headers["X-Request-Id"]
    assert entry["outcome"] == "begun"
    lines = map(orjson.loads, desk.api.log.getvalue().splitlines())
    (line,) = [
        it
        for it in lines
        if it["event"] == "admin_acted" and it["request_id"] == entry["request"]
    ]
    assert (line["level"], line["outcome"]) == ("warning", "done")
    for name in ("action", "actor", "phone_tag", "subject", "detail"):
        assert line[name] == entry[name]


def test_an_act_that_is_refused_is_entered_twice(desk: Desk) -> None:
    desk.ask("take-role", role="customer")

    assert outcomes(desk) == [
        ("take-role", "invalid_request", "failed"),
        ("take-role", "customer", "begun"),
    ]


def test_an_act_that_breaks_is_entered_and_is_no_success(
    desk: Desk, store: redis.Redis
) -> None:
    tag = desk.do("look")["phone_tag"]
    # Something else than ours under the name of the sessions.
    store.rpush(f"ses:{{{tag}}}", "odd")

    answer = desk.ask("end-sessions")

    assert_problem(answer, 503, "store_unavailable")
    assert outcomes(desk)[:2] == [
        ("end-sessions", "store_unavailable", "failed"),
        ("end-sessions", "", "begun"),
    ]


def test_without_the_audit_nothing_is_done(desk: Desk, store: redis.Redis) -> None:
    store.set("audit", "odd")

    answer = desk.ask("freeze", reason="card fraud")

    assert_problem(answer, 503, "store_unavailable")
    store.delete("audit")
    assert desk.do("look")["frozen"] is None


def test_the_last_acts_are_read_and_no_more(desk: Desk) -> None:
    for _ in range(3):
        desk.do("look")
    desk.do("thaw")

    assert [it["action"] for it in desk.audit(2)] == ["thaw", "look"]
    assert len(desk.audit()) == 4


@pytest.mark.parametrize("last", ["0", "1001", "-1", "x", "", "1e2", "٣", "9" * 99])
def test_a_count_that_is_none_is_refused(desk: Desk, last: str) -> None:
    path = f"/api/admin/audit?last={last}"

    answer = desk.api.bearing(desk.token, "GET", path)

    assert_problem(answer, 422, "invalid_request")


def test_every_operation_is_documented() -> None:
    paths = {it.path for it in ADMIN_OPERATIONS}

    assert paths == {
        "/api/admin/audit",
        *(f"/api/admin/{name}" for name in ON_PEOPLE),
    }


def test_no_trail_and_no_audit_holds_a_number_or_a_code(
    desk: Desk, store: redis.Redis
) -> None:
    api = desk.api
    verification = api.start(PHONE)
    api.verify(verification, PHONE, api.wrong_code_of(PHONE))
    api.verify(verification, PHONE, api.code_of(PHONE))
    for operation in ON_PEOPLE:
        if operation != "erase":
            desk.ask(operation, **BODIES.get(operation, {}))
    desk.ask("trace", verification_id=verification)
    api.settle()

    (trail,) = list(store.scan_iter("trail:*"))
    kept = f"{store.get(trail)!r} {store.xrange('audit')}"
    assert "card fraud" in kept
    assert PHONE[-10:] not in kept
    assert verification not in kept
    assert verification[16:] not in kept
    codes = {api.code_of(PHONE), api.wrong_code_of(PHONE)}
    assert not codes & set(re.findall(r"(?<![0-9])[0-9]{6}(?![0-9])", kept))
    assert 0 < store.ttl(trail) <= 24 * 3_600
    assert 0 < store.ttl("audit") <= 400 * 86_400
