"""What monitors read: is the process alive, is it ready, how is each dependency."""

from flask import Blueprint, Response, request
from prometheus_client import CONTENT_TYPE_LATEST
from werkzeug.exceptions import NotFound

from backend.responses import json_response
from backend.schemas.service import Check, Health, HealthResponse, LiveResponse
from backend.telemetry import Telemetry
from backend.version import VERSION
from backend.wiring import Services
from services.errors import InvalidToken
from services.identity.keys.signing_keys import SigningKeys
from services.sms.breaker import BreakerState
from services.sms.breakers import ProviderHealth
from utils.crypto import same

HEALTH_TYPE = "application/health+json"


def health_routes(
    services: Services,
    telemetry: Telemetry,
    *,
    metrics_token: str | None,
    open_metrics: bool,
) -> Blueprint:
    """Return the routes of health and metrics.

    Metrics need ``metrics_token`` as bearer; without one they are shown only if
    ``open_metrics`` says so, and are not there otherwise.
    """
    routes = Blueprint("health", __name__)

    @routes.get("/livez")
    def live() -> Response:
        return json_response(LiveResponse(status="pass"), content_type=HEALTH_TYPE)

    @routes.get("/readyz")
    def ready() -> Response:
        return _answer(_own_checks(services))

    @routes.get("/api/health")
    def health() -> Response:
        checks = _own_checks(services)
        providers = services.sms.health()
        none_left = all(_is_open(state) for state in providers.values())
        for name, state in providers.items():
            checks[f"sms:{name}"] = [_provider_check(state, none_left=none_left)]
        return _answer(checks)

    @routes.get("/metrics")
    def metrics() -> Response:
        if metrics_token is None and not open_metrics:
            raise NotFound
        offered = request.headers.get("Authorization", "")
        if metrics_token is not None and not same(offered, f"Bearer {metrics_token}"):
            raise InvalidToken
        return Response(telemetry.metrics.render(), content_type=CONTENT_TYPE_LATEST)

    return routes


def _own_checks(services: Services) -> dict[str, list[Check]]:
    return {
        "redis:connection": [_store_check(services)],
        "keys:signing": [_keys_check(services.identity.keys)],
    }


def _keys_check(keys: SigningKeys) -> Check:
    """Tell of the keys; while tokens are signed it is a warning at the worst."""
    output = keys.trouble()
    status: Health = "warn" if output else "pass"
    if not keys.can_sign():
        status, output = "fail", "no key to sign with is known"
    return Check(status=status, component_type="component", output=output or None)


def _store_check(services: Services) -> Check:
    found = services.check_store()
    return Check(
        status="fail" if found.problem else "pass",
        component_type="datastore",
        output=found.problem or None,
        observed_value=round(found.seconds * 1000, 3),
        observed_unit="ms",
    )


def _provider_check(state: ProviderHealth, *, none_left: bool) -> Check:
    """One vendor left out is a warning, as others take over; all left out is not."""
    healthy = state.state is BreakerState.CLOSED and not state.blocked_countries
    output = None
    if state.blocked_countries:
        output = f"left out in {', '.join(state.blocked_countries)}"
    if _is_open(state):
        output = f"left out, tried again in {state.retry_in_seconds:.0f} s"
    return Check(
        status="fail" if none_left else "pass" if healthy else "warn",
        component_type="component",
        output=output,
        observed_value=state.state.value,
        observed_unit="breaker",
    )


def _is_open(state: ProviderHealth) -> bool:
    return state.state is BreakerState.OPEN


def _answer(checks: dict[str, list[Check]]) -> Response:
    states = {check.status for group in checks.values() for check in group}
    status: Health = "pass"
    if states != {"pass"}:
        status = "fail" if "fail" in states else "warn"
    body = HealthResponse(
        status=status, version=VERSION, service_id="quickcart-auth", checks=checks
    )
    return json_response(
        body, status=503 if status == "fail" else 200, content_type=HEALTH_TYPE
    )
