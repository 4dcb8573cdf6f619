"""Stock clients against the running service, which know nothing but its metadata."""

import json
import os
import re
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import jwt
import pytest
import requests
from authlib.integrations.base_client import OAuthError
from authlib.integrations.requests_client import OAuth2Session
from authlib.oauth2.rfc7523 import PrivateKeyJWT
from joserfc.jwk import ECKey

from tests.backend.api import production
from tests.end_to_end.service import REPOSITORY, Service
from tests.redis_server import RedisServer, free_port
from tests.simulator import Simulator

PHONE = "+919876543210"
AUDIENCE = "quickcart"
_FOLLOW_SECONDS = 10.0
# Less than the five that are promised: the command's own time counts, too.
_REFUSED_SECONDS = 3.0


class Operator:
    """Registers service clients on the command line."""

    def __init__(self, folder: Path, variables: dict[str, str]) -> None:
        self._folder = folder
        self._variables = variables

    def run(self, *arguments: str) -> str:
        done = subprocess.run(
            [sys.executable, "-m", "backend.cli", *arguments],
            cwd=self._folder,
            env={
                "PATH": os.environ["PATH"],
                "HOME": str(self._folder),
                "PYTHONPATH": str(REPOSITORY),
                **self._variables,
            },
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def secret_of(self, client_id: str, *arguments: str) -> str:
        """Register a client and return its secret."""
        said = self.run("clients", "add", client_id, "--name", client_id, *arguments)
        found = re.search(r"qcs_\S+", said)
        assert found, said
        return found[0]


@pytest.fixture(scope="module")
def port() -> int:
    return free_port()


@pytest.fixture(scope="module")
def variables(
    redis_server: RedisServer, running_simulator: Simulator, port: int
) -> dict[str, str]:
    return {
        **production(running_simulator, redis_server.url),
        # Of a service on this machine, without TLS in front of it.
        "FLASK_ENV": "development",
        "TOKEN_ISSUER": f"http://127.0.0.1:{port}",
        "SENDS_PER_IP": "off",
        "WORKERS": "1",
    }


@pytest.fixture(scope="module")
def service(
    variables: dict[str, str], port: int, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Service]:
    folder = tmp_path_factory.mktemp("service")
    service = Service(folder, variables=variables, port=port)
    try:
        service.wait_until_ready()
        yield service
    finally:
        service.close()


@pytest.fixture
def operator(variables: dict[str, str], tmp_path: Path, redis_url: str) -> Operator:
    return Operator(tmp_path, variables)


@pytest.fixture
def metadata(service: Service) -> Any:
    """All that a client is told: the issuer, and what follows from it."""
    url = f"{service.url}/.well-known/oauth-authorization-server"
    found = requests.get(url, timeout=15).json()
    assert found["issuer"] == service.url
    return found


@pytest.fixture
def login(service: Service, simulator: Simulator, redis_url: str) -> Any:
    sent = service.send(PHONE)
    assert sent.status == 202, sent.text
    found = re.search(r"\b\d{6}\b", simulator.messages(to=PHONE)[-1].text)
    assert found
    won = service.verify(sent.json["verification_id"], PHONE, found[0])
    assert won.status == 200, won.text
    return won.json


def eventually(ask: Callable[[], Any]) -> Any:
    """Ask until the client that was just registered is known."""
    pause = threading.Event()
    for _ in range(int(_FOLLOW_SECONDS / 0.1)):
        try:
            return ask()
        except OAuthError as error:
            assert error.error == "invalid_client"  # noqa: PT017 - it goes on
        pause.wait(0.1)
    raise AssertionError("the client is not known")


def test_a_storefront_renews_and_ends_its_session(metadata: Any, login: Any) -> None:
    with OAuth2Session("direct", token=login) as storefront:
        token = storefront.refresh_token(metadata["token_endpoint"])
        ended = storefront.revoke_token(
            metadata["revocation_endpoint"], token=token["refresh_token"]
        )

        assert token["access_token"] != login["access_token"]
        assert ended.status_code == 200
        with pytest.raises(OAuthError, match="invalid_grant"):
            storefront.refresh_token(metadata["token_endpoint"])


def test_a_service_with_a_secret_asks_about_a_person_and_logs_them_out(
    metadata: Any, login: Any, operator: Operator
) -> None:
    secret = operator.secret_of(
        "svc-orders",
        *("--scope", "token:introspect", "--scope", "token:revoke"),
        *("--audience", AUDIENCE),
    )
    with OAuth2Session("svc-orders", secret, **metadata) as orders:
        own = eventually(lambda: orders.fetch_token(grant_type="client_credentials"))
        assert own["scope"] == "token:introspect token:revoke"

        def look() -> Any:
            return orders.introspect_token(
                metadata["introspection_endpoint"], token=login["access_token"]
            ).json()

        assert look()["sub"] == login["user"]["id"]
        orders.revoke_token(
            metadata["revocation_endpoint"], token=login["access_token"]
        )
        assert look() == {"active": False}


def test_a_service_with_a_key_does_the_same(
    metadata: Any, login: Any, operator: Operator, tmp_path: Path
) -> None:
    key = ECKey.generate_key("P-256")
    public = tmp_path / "orders.json"
    public.write_text(json.dumps(key.as_dict(private=False)))
    operator.run(
        *("clients", "add", "svc-signer", "--name", "Signer"),
        *("--scope", "token:introspect", "--audience", AUDIENCE),
        *("--public-key", str(public)),
    )
    with OAuth2Session(
        "svc-signer", key, token_endpoint_auth_method="private_key_jwt", **metadata
    ) as signer:
        signer.register_client_auth_method(
            PrivateKeyJWT(metadata["token_endpoint"], alg="ES256")
        )
        own = eventually(lambda: signer.fetch_token(grant_type="client_credentials"))
        found = signer.introspect_token(
            metadata["introspection_endpoint"], token=login["access_token"]
        ).json()

        assert own["token_type"] == "Bearer"
        assert found["sub"] == login["user"]["id"]


def test_a_removed_service_is_refused_within_five_seconds(
    metadata: Any, operator: Operator
) -> None:
    secret = operator.secret_of("svc-gone", "--scope", "otp:send")
    with OAuth2Session("svc-gone", secret, **metadata) as gone:
        eventually(lambda: gone.fetch_token(grant_type="client_credentials"))

        operator.run("clients", "remove", "svc-gone")
        threading.Event().wait(_REFUSED_SECONDS)

        with pytest.raises(OAuthError, match="invalid_client"):
            gone.fetch_token(grant_type="client_credentials")


def test_pyjwt_verifies_a_token_by_the_keys_that_are_named(
    metadata: Any, login: Any
) -> None:
    token = login["access_token"]
    keys = jwt.PyJWKClient(metadata["jwks_uri"])

    claims = jwt.decode(
        token,
        keys.get_signing_key_from_jwt(token),
        algorithms=["ES256"],
        issuer=metadata["issuer"],
        audience=AUDIENCE,
    )

    assert claims["sub"] == login["user"]["id"]
    assert jwt.get_unverified_header(token)["typ"] == "at+jwt"
