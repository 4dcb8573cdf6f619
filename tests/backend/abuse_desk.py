"""The operators' desk of the defence against abuse, and its verbs."""

from typing import Any

from tests.backend.api import Answer, Api
from tests.backend.desk import DESK
from tests.backend.oauth import Service

# What each operation needs.
BODIES: dict[str, dict[str, object]] = {
    "rules": {"rule": "sends_per_ip", "mode": "monitor"},
    "entries": {
        "kind": "country",
        "value": "IN",
        "verdict": "allow",
        "reason": "a campaign",
    },
    "entries/remove": {"id": "abcdefghijklmnop"},
    "lift": {"scope": "prefix", "name": "+91987654"},
}


class AbuseDesk:
    """Sees and changes what operators do, by HTTP."""

    def __init__(self, api: Api, client_id: str = DESK) -> None:
        self.api = api
        self._service = Service(api, client_id, scopes=("admin",))
        self._token, self._got_at = self._service.token(), api.clock.now()

    @property
    def token(self) -> str:
        """A token that is good now."""
        if self.api.clock.now() > self._got_at + 300:
            self._token, self._got_at = self._service.token(), self.api.clock.now()
        return self._token

    def ask(self, operation: str, **body: object) -> Answer:
        return self.api.bearing(
            self.token, "POST", f"/api/admin/abuse/{operation}", json=body
        )

    def do(self, operation: str, **body: object) -> Any:
        answer = self.ask(operation, **body)
        assert answer.status_code == 200, answer.text
        return answer.json

    def set(self, rule: str, **how: object) -> Any:
        """Change a rule."""
        return self.do("rules", rule=rule, **how)

    def put(
        self,
        verdict: str,
        kind: str,
        value: str,
        *,
        reason: str = "a test",
        **more: int,
    ) -> Any:
        """Allow or block somebody."""
        return self.do(
            "entries", kind=kind, value=value, verdict=verdict, reason=reason, **more
        )

    def read(self, days: int | None = None) -> Answer:
        path = "/api/admin/abuse" + (f"?days={days}" if days is not None else "")
        return self.api.bearing(self.token, "GET", path)

    def report(self, days: int | None = None) -> Any:
        answer = self.read(days)
        assert answer.status_code == 200, answer.text
        return answer.json

    def rule(self, name: str) -> Any:
        """How a rule is by now."""
        (found,) = [it for it in self.report()["rules"] if it["rule"] == name]
        return found
