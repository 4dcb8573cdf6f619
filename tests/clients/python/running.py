"""The service as a process, with a client of its own, and the kit's two examples."""

import importlib.util
import re
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

import requests

from tests.end_to_end.service import REPOSITORY, Service
from tests.redis_server import free_port
from tests.services.identity.clients.service_clients import write_client_file
from tests.simulator import Simulator

CLIENT = "svc-orders"
ADMIN = "+919876543210"
_EXAMPLES = REPOSITORY / "clients" / "python" / "examples"


class Running:
    """One service with real Redis, whose issuer is where it listens."""

    def __init__(
        self, folder: Path, variables: Mapping[str, str], simulator: Simulator
    ) -> None:
        self.folder = folder
        self.simulator = simulator
        clients = folder / "clients.toml"
        self.secret = write_client_file(clients, CLIENT, "token:introspect", "admin")
        port = free_port()
        self.issuer = f"http://127.0.0.1:{port}"
        self.variables = {
            **variables,
            "TOKEN_ISSUER": self.issuer,
            "SERVICE_CLIENTS_FILE": str(clients),
            "SIGNING_KEYS_SECONDS": "0.1",
            "SENDS_PER_IP": "off",
        }
        self.service = Service(folder, variables=self.variables, port=port)

    def login(self, phone: str) -> str:
        """Log in; return the access token."""
        return str(self._won(phone)["access_token"])

    def receipt(self, phone: str) -> str:
        """Have a phone verified; return the verification token."""
        return str(self._won(phone, purpose="verify")["verification_token"])

    def _won(self, phone: str, **fields: object) -> Any:
        sent = self.service.send(phone, **fields)
        assert sent.status == 202, sent.text
        found = re.search(r"\b\d{6}\b", self.simulator.messages(to=phone)[-1].text)
        assert found
        won = self.service.verify(sent.json["verification_id"], phone, found[0])
        assert won.status == 200, won.text
        return won.json

    def service_token(self) -> str:
        """Ask for a token as a service."""
        answer = requests.post(
            f"{self.issuer}/api/token",
            data={"grant_type": "client_credentials"},
            auth=(CLIENT, self.secret),
            timeout=10,
        )
        assert answer.status_code == 200, answer.text
        return str(answer.json()["access_token"])

    def operate(self, operation: str, **body: object) -> None:
        """Do what an operator may do."""
        headers = {"Authorization": f"Bearer {self.service_token()}"}
        answer = self.service.call("POST", f"/api/admin/{operation}", body, headers)
        assert answer.status == 200, answer.text


def load_example(name: str) -> ModuleType:
    """Import an example anew, as it stands; it reads its two settings."""
    spec = importlib.util.spec_from_file_location(name, _EXAMPLES / f"{name}.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
