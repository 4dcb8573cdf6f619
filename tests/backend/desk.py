"""The operators' desk: a service client with scope ``admin``, and its verbs."""

from typing import Any

from tests.backend.api import PHONE, Answer, Api
from tests.backend.oauth import Service

DESK = "svc-desk"

# What operations need besides whom they are about.
BODIES: dict[str, dict[str, str]] = {
    "freeze": {"reason": "card fraud"},
    "grant-role": {"role": "support"},
    "take-role": {"role": "support"},
}


def register(
    api: Api, client_id: str = DESK, *, scopes: tuple[str, ...] = ("admin",)
) -> str:
    """Register a service client where the service keeps them; return its token."""
    return Service(api, client_id, scopes=scopes).token()


class Desk:
    """Does what operators do, by HTTP."""

    def __init__(self, api: Api) -> None:
        self.api = api
        self.token = register(api)

    def ask(self, operation: str, **body: object) -> Answer:
        """Do something about somebody, PHONE's holder unless another is named."""
        named = {"phone", "sub", "verification_id"} & set(body)
        given = body if named else {"phone": PHONE, **body}
        return self.api.bearing(
            self.token, "POST", f"/api/admin/{operation}", json=given
        )

    def do(self, operation: str, **body: object) -> Any:
        """Do it, and return what came of it."""
        answer = self.ask(operation, **body)
        assert answer.status_code == 200, answer.text
        return answer.json

    def audit(self, last: int = 50) -> list[dict[str, Any]]:
        """Read the last entries, the newest first."""
        path = f"/api/admin/audit?last={last}"
        answer = self.api.bearing(self.token, "GET", path)
        assert answer.status_code == 200, answer.text
        entries: list[dict[str, Any]] = answer.json["entries"]
        return entries
