"""The service keeps what its OpenAPI document promises, whatever it is asked."""

import re
import threading
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import strategies as st
from schemathesis.config import SchemathesisConfig
from schemathesis.engine import from_schema
from schemathesis.engine.events import FatalError, NonFatalError, ScenarioFinished
from schemathesis.schemas import BaseSchema
from werkzeug.serving import WSGIRequestHandler, make_server

from backend.openapi.abuse_operations import ABUSE_OPERATIONS
from backend.openapi.admin_operations import ADMIN_OPERATIONS
from tests.backend.api import OTHER_PHONE, Api, phones
from tests.backend.conftest import MakeApi
from tests.backend.desk import register

CONFIG = Path(__file__).parents[2] / "schemathesis.toml"
AnyCase = schemathesis.Case[Any]
BASE64URL = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-"
# Nothing but the input shall decide about an answer.
NO_LIMITS = {
    "SENDS_PER_PHONE": "1000/1s",
    "RESEND_COOLDOWNS": "15",
    "SENDS_PER_IP": "off",
    "PHONES_PER_IP": "off",
    "SENDS_PER_PREFIX": "off",
    "WRONG_CHECKS_PER_IP": "off",
    "WRONG_CHECKS_GLOBAL": "off",
    "LOCK_LADDER": "off",
}

# Which paths are asked together, how often each at random, and the least requests that
# come of it in all.
GROUPS = {
    "codes": ("^/api/(send-otp|verify-otp|otp-status)", 30, 200),
    "people": ("^/api/(me|sessions|logout)", 25, 200),
    "OAuth": ("^/(api/token|[.]well-known)", 25, 200),
    # Many operations that take the same few fields.
    "operators": ("^/api/admin", 3, 100),
    "the rest": ("^(/api|/api/(webhooks|health|docs|openapi).*|/[^/.]+)$", 25, 200),
}

# Of the lengths at the edges of the schemas, which no phone and no id has.
EDGES = st.sampled_from(["1", "12", "9" * 63, "9" * 64])

schemathesis.openapi.format("phone", st.sampled_from(phones(1000)) | EDGES)
schemathesis.openapi.format(
    "windows", st.sampled_from(["off", "999/1s", "9.5/1h", "9/1h; IN: 9/1h", "x"])
)
schemathesis.openapi.format("country", st.sampled_from(["IN", "US", "AE", "GB"]))
schemathesis.openapi.format(
    "device-name",
    # Without digits: eight of them may be a phone.
    st.text(st.characters(exclude_categories=["C", "Z", "N"]), min_size=1, max_size=40),
)
schemathesis.openapi.format(
    "verification-id",
    st.builds(
        "{}{}{}".format,
        st.text(BASE64URL, min_size=16, max_size=16),
        st.sampled_from("lvcLVC"),
        st.text(BASE64URL, min_size=26, max_size=26),
    )
    | EDGES,
)


@pytest.fixture
def limitless(make_api: MakeApi) -> Api:
    return make_api(**NO_LIMITS)


class Quiet(WSGIRequestHandler):
    """Writes no line per request."""

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None: ...


@contextmanager
def served(api: Api) -> Iterator[str]:
    """Serve over real HTTP; yield the address."""
    server = make_server("127.0.0.1", 0, api.app, threaded=True, request_handler=Quiet)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def load(api: Api, url: str, paths: str, max_examples: int) -> BaseSchema:
    settings = tomllib.loads(CONFIG.read_text())
    settings["generation"]["max-examples"] = max_examples
    config = SchemathesisConfig.from_dict(settings)
    document = schemathesis.openapi.from_url(f"{url}/api/openapi.json", config=config)
    schema = document.include(path_regex=paths)
    token = str(api.login(OTHER_PHONE)["access_token"])
    admin = register(api)

    class Token:
        def get(self, case: object, context: object) -> str:
            return token

        def set(self, case: AnyCase, data: str, context: object) -> None:
            case.headers["Authorization"] = f"Bearer {data}"

    class AdminToken(Token):
        def get(self, case: object, context: object) -> str:
            return admin

    for path in ("/api/me", "/api/me/phone", "/api/sessions"):
        schema.auth().apply_to(path=path)(Token)
    for operation in (*ADMIN_OPERATIONS, *ABUSE_OPERATIONS):
        schema.auth().apply_to(path=operation.path)(AdminToken)
    return schema


def run(api: Api, paths: str, max_examples: int) -> tuple[int, list[str]]:
    """Ask everything of some paths; return how many requests it took, and what failed.

    Through the engine behind the command line, which runs all phases: examples, the
    edges of every schema, random requests, and sequences of them.
    """
    count, failures = 0, []
    with served(api) as url:
        for event in from_schema(load(api, url, paths, max_examples)).execute():
            if isinstance(event, NonFatalError | FatalError):
                failures.append(str(event))
            if isinstance(event, ScenarioFinished):
                count += len(event.recorder.interactions)
                failures += [
                    f"{check.name}: {check.failure_info.failure}\n"
                    f"{check.failure_info.code_sample}"
                    for checks in event.recorder.checks.values()
                    for check in checks
                    if check.failure_info
                ]
    return count, failures


@pytest.mark.parametrize("group", GROUPS)
def test_the_document_is_kept(limitless: Api, group: str) -> None:
    paths, max_examples, at_least = GROUPS[group]

    count, failures = run(limitless, paths, max_examples)

    assert failures == []
    assert count >= at_least


def test_every_operation_is_in_one_group(api: Api) -> None:
    for path in api.call("GET", "/api/openapi.json").json["paths"]:
        assert sum(bool(re.search(it[0], path)) for it in GROUPS.values()) == 1, path
