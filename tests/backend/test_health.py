"""Liveness, readiness, health of each dependency, and who may read the metrics."""

import pytest

from tests.backend.api import PHONE, Api, phones
from tests.backend.conftest import MakeApi

HEALTH_TYPE = "application/health+json"


def test_a_process_that_answers_is_alive(api: Api) -> None:
    answer = api.call("GET", "/livez")

    assert (answer.status_code, answer.content_type) == (200, HEALTH_TYPE)
    assert answer.json == {"status": "pass"}


def test_a_service_with_its_store_is_ready(api: Api) -> None:
    answer = api.call("GET", "/readyz")

    assert (answer.status_code, answer.content_type) == (200, HEALTH_TYPE)
    assert (answer.json["status"], answer.json["serviceId"]) == (
        "pass",
        "quickcart-auth",
    )
    (check,) = answer.json["checks"]["redis:connection"]
    assert check["observedValue"] >= 0
    assert (check["status"], check["componentType"], check["observedUnit"]) == (
        "pass",
        "datastore",
        "ms",
    )


def test_health_shows_each_dependency_and_calls_no_vendor(api: Api) -> None:
    answer = api.call("GET", "/api/health")

    assert (answer.status_code, answer.json["status"]) == (200, "pass")
    assert set(answer.json["checks"]) == {
        "redis:connection",
        "keys:signing",
        "sms:twilio",
        "sms:fast2sms",
    }
    (check,) = answer.json["checks"]["sms:twilio"]
    assert check == {
        "status": "pass",
        "componentType": "component",
        "output": None,
        "observedValue": "closed",
        "observedUnit": "breaker",
    }
    assert api.simulator.messages() == []


def test_a_vendor_left_out_is_a_warning_while_another_takes_over(api: Api) -> None:
    api.simulator.add_rule("error", provider="twilio", code=20003)
    api.send(PHONE)

    answer = api.call("GET", "/api/health")

    assert (answer.status_code, answer.json["status"]) == (200, "warn")
    (check,) = answer.json["checks"]["sms:twilio"]
    assert check["status"] == "warn"
    assert check["observedValue"] == "open"
    assert check["output"] == "left out, tried again in 300 s"
    assert api.call("GET", "/readyz").status_code == 200


def test_a_vendor_left_out_in_one_country_is_a_warning(api: Api) -> None:
    api.simulator.add_rule("error", provider="twilio", code=21408)
    api.send(PHONE)

    answer = api.call("GET", "/api/health")

    assert answer.json["status"] == "warn"
    (check,) = answer.json["checks"]["sms:twilio"]
    assert check["output"] == "left out in IN"


def test_all_vendors_left_out_is_a_failure(api: Api) -> None:
    api.simulator.add_rule("status", status=503)
    for phone in phones(5):
        api.send(phone)

    answer = api.call("GET", "/api/health")

    assert (answer.status_code, answer.json["status"]) == (503, "fail")
    # Readiness is about this process: another one would reach them no better.
    assert api.call("GET", "/readyz").status_code == 200


def test_health_is_well_again_when_the_vendors_are(api: Api) -> None:
    api.simulator.add_rule("status", status=503, times=10)
    for phone in phones(5):
        api.send(phone)
    api.clock.advance(31)
    for phone in phones(7)[5:]:
        api.send(phone)

    assert api.call("GET", "/api/health").status_code == 200


def test_development_shows_the_console_and_the_embedded_store(
    development: Api,
) -> None:
    checks = development.call("GET", "/api/health").json["checks"]

    assert "sms:console" in checks
    assert checks["redis:connection"][0]["status"] == "pass"


def test_metrics_need_their_token(make_api: MakeApi) -> None:
    api = make_api(METRICS_TOKEN="a-token-that-nobody-guesses")

    def read(header: str | None) -> int:
        headers = {"Authorization": header} if header is not None else {}
        return api.call("GET", "/metrics", headers=headers).status_code

    assert read(None) == 401
    assert read("Bearer nope") == 401
    assert read("Bearer \xe9") == 401
    assert read("a-token-that-nobody-guesses") == 401
    assert read("Bearer a-token-that-nobody-guesses") == 200


def test_metrics_are_not_there_in_production_without_a_token(api: Api) -> None:
    answer = api.call("GET", "/metrics")

    assert (answer.status_code, answer.json["code"]) == (404, "not_found")


def test_metrics_are_open_in_development(development: Api) -> None:
    answer = development.call("GET", "/metrics")

    assert answer.status_code == 200
    assert answer.content_type.startswith("text/plain")


@pytest.mark.parametrize("path", ["/livez", "/readyz", "/api/health"])
def test_probes_may_use_head(api: Api, path: str) -> None:
    answer = api.call("HEAD", path)

    assert (answer.status_code, answer.get_data()) == (200, b"")
