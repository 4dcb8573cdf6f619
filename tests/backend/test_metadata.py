"""What a stock OAuth client reads of us (RFC 8414)."""

import pytest

from backend.routes.metadata_routes import metadata
from tests.backend.api import Api
from tests.backend.conftest import MakeApi
from tests.backend.oauth import ISSUER, assert_oauth_error

PATH = "/.well-known/oauth-authorization-server"


def test_the_document_names_the_issuer_exactly_and_all_that_hangs_off_it(
    shared_api: Api,
) -> None:
    answer = shared_api.call("GET", PATH)

    assert answer.status_code == 200
    assert answer.content_type == "application/json"
    assert answer.json["issuer"] == ISSUER
    assert answer.json["token_endpoint"] == f"{ISSUER}/api/token"
    assert answer.json["introspection_endpoint"] == f"{ISSUER}/api/token/introspect"
    assert answer.json["revocation_endpoint"] == f"{ISSUER}/api/token/revoke"
    assert answer.json["jwks_uri"] == f"{ISSUER}/.well-known/jwks.json"
    assert answer.json["service_documentation"] == f"{ISSUER}/api/docs"


def test_what_it_names_is_there(shared_api: Api) -> None:
    found = shared_api.call("GET", PATH).json
    expected = {
        "token_endpoint": (400, "invalid_request"),
        "introspection_endpoint": (401, "invalid_client"),
        "revocation_endpoint": (401, "invalid_client"),
    }

    for name, error in expected.items():
        path = found[name].removeprefix(ISSUER)
        answer = shared_api.call("POST", path, data={"client_assertion": "x"})
        assert_oauth_error(answer, *error)
    for name in ("jwks_uri", "service_documentation"):
        path = found[name].removeprefix(ISSUER)
        assert shared_api.call("GET", path).status_code == 200


def test_it_says_what_is_supported(shared_api: Api) -> None:
    found = shared_api.call("GET", PATH).json

    assert found["grant_types_supported"] == ["refresh_token", "client_credentials"]
    assert found["response_types_supported"] == []
    assert "phone" in found["scopes_supported"]
    assert found["token_endpoint_auth_methods_supported"] == [
        *("none", "client_secret_basic", "private_key_jwt")
    ]
    assert found["introspection_endpoint_auth_methods_supported"] == [
        *("client_secret_basic", "private_key_jwt")
    ]
    for endpoint in ("token", "introspection", "revocation"):
        name = f"{endpoint}_endpoint_auth_signing_alg_values_supported"
        assert found[name] == ["ES256", "EdDSA", "RS256"]


def test_it_may_be_kept(shared_api: Api) -> None:
    first = shared_api.call("GET", PATH)
    again = shared_api.call(
        "GET", PATH, headers={"If-None-Match": first.headers["ETag"]}
    )

    assert first.headers["Cache-Control"] == "public, max-age=300"
    assert (again.status_code, again.get_data()) == (304, b"")


def test_an_issuer_with_a_path_is_found_behind_and_in_front(make_api: MakeApi) -> None:
    api = make_api(TOKEN_ISSUER="https://shop.example/auth/v1")

    behind = api.call("GET", f"{PATH}/auth/v1")
    # A proxy takes the path away.
    in_front = api.call("GET", PATH)

    assert behind.json == in_front.json
    assert behind.json["issuer"] == "https://shop.example/auth/v1"
    assert behind.json["token_endpoint"] == "https://shop.example/auth/v1/api/token"


@pytest.mark.parametrize("path", ["/auth", "/auth/v2", "/x"])
def test_another_issuers_document_is_not_here(make_api: MakeApi, path: str) -> None:
    api = make_api(TOKEN_ISSUER="https://shop.example/auth/v1")

    assert api.call("GET", PATH + path).status_code == 404


def test_a_slash_at_the_end_of_the_issuer_stays_its_own() -> None:
    found = metadata("https://auth.shop.example/")

    assert found["issuer"] == "https://auth.shop.example/"
    assert found["token_endpoint"] == "https://auth.shop.example/api/token"
