"""What the service says of itself, and that it is all true."""

import re
from typing import Any

import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

from backend.errors import PROBLEMS
from backend.openapi.document import document
from backend.version import VERSION
from tests.backend.api import Api


def routes_of(api: Api) -> set[tuple[str, str]]:
    """Return method and path of every route, as OpenAPI writes paths."""
    return {
        (method, re.sub(r"<(?:[^:>]+:)?([^>]+)>", r"{\1}", rule.rule))
        for rule in api.app.url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }


def described(api: Api) -> Any:
    return api.call("GET", "/api/openapi.json").json


def test_the_document_is_valid_openapi(api: Api) -> None:
    OpenAPIV31SpecValidator(described(api)).validate()


def test_every_route_is_in_the_document_and_the_reverse(api: Api) -> None:
    paths = described(api)["paths"]

    documented = {
        (method.upper(), path)
        for path, operations in paths.items()
        for method in operations
    }

    assert documented == routes_of(api)


def test_every_code_of_the_table_is_in_the_document(api: Api) -> None:
    text = str(described(api)["paths"])

    # 405 stands for all the methods that the document does not name.
    missing = {code for code in PROBLEMS if f"`{code}`" not in text}
    assert missing == {"method_not_allowed"}


def test_every_operation_can_be_told_by_its_name(api: Api) -> None:
    operations = [
        operation
        for path in described(api)["paths"].values()
        for operation in path.values()
    ]
    names = [it["operationId"] for it in operations]

    assert len(set(names)) == len(names)
    assert all(it["summary"] for it in operations)


def test_waiting_answers_say_how_long_in_a_header(api: Api) -> None:
    for path in described(api)["paths"].values():
        for operation in path.values():
            for status, answer in operation["responses"].items():
                problem = "application/problem+json" in answer.get("content", {})
                if status in {"429", "503"} and problem:
                    assert "Retry-After" in answer["headers"]


def test_about_lists_what_there_is(api: Api) -> None:
    body = api.call("GET", "/api").json

    assert body == {
        "name": "QuickCart Auth",
        "version": VERSION,
        "documentation": "/api/docs",
        "openapi": "/api/openapi.json",
        "jwks": "/.well-known/jwks.json",
        "endpoints": body["endpoints"],
    }
    assert {tuple(it.split()) for it in body["endpoints"]} == routes_of(api)


@pytest.mark.parametrize("name", ["documentation", "openapi", "jwks"])
def test_what_about_points_to_is_there(api: Api, name: str) -> None:
    path = api.call("GET", "/api").json[name]

    assert api.call("GET", path).status_code == 200


def test_the_page_shows_every_route_and_fetches_nothing(api: Api) -> None:
    answer = api.call("GET", "/api/docs")

    assert answer.content_type == "text/html; charset=utf-8"
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    for path in document()["paths"]:
        assert path in answer.text
    assert not re.search(r"<(script|link|img|iframe)|(src|href)=.?https?:", answer.text)


def test_paths_may_end_with_a_slash(api: Api) -> None:
    assert api.call("GET", "/api/").status_code == 200
