"""The mutation corpus against the service: one answer for all of it."""

import pytest

from tests.backend.api import PHONE, Api, assert_problem, without_request_id
from tests.backend.conftest import MakeApi
from tests.backend.oauth import Service
from tests.corpus.forge import Forge
from tests.corpus.good import new_key
from tests.corpus.tokens import Case, mutations, service_tokens

PEM = new_key()


@pytest.fixture
def api(make_api: MakeApi) -> Api:
    """The service, signing with a key that we hold."""
    return make_api(JWT_SIGNING_KEY=PEM.decode())


@pytest.fixture
def access(api: Api) -> str:
    return str(api.login(PHONE)["access_token"])


@pytest.fixture
def corpus(api: Api, access: str) -> list[Case]:
    """Everything that is no access token."""
    verification = api.start(PHONE, purpose="verify")
    won = api.verify(verification, PHONE, api.code_of(PHONE))
    return [
        *mutations(access, PEM, now=int(api.clock.now())),
        *service_tokens(access, PEM),
        Case("a verification token", won.json["verification_token"]),
    ]


def test_what_the_mutations_were_made_of_is_good(api: Api, access: str) -> None:
    assert api.me(access).status_code == 200
    assert api.me(Forge.of(access, PEM).with_claims()).status_code == 200


def test_no_mutation_names_anybody_and_all_get_one_answer(
    api: Api, corpus: list[Case]
) -> None:
    expected = api.me("x")
    assert_problem(expected, 401, "invalid_token")

    wrong = []
    for name, token in corpus:
        answer = api.me(token)
        body = without_request_id(answer)
        challenge = answer.headers["WWW-Authenticate"]
        same = body == without_request_id(expected)
        if not (answer.status_code == 401 and same and "invalid_token" in challenge):
            wrong.append((name, answer.status_code, answer.text))

    assert wrong == []


def test_introspection_tells_none_of_it_from_any_other(
    api: Api, access: str, corpus: list[Case]
) -> None:
    service = Service(api, "svc-reports")
    assert service.introspect(access).json["active"] is True

    odd = {
        name: answer.text
        for name, token in corpus
        # Longer ones are refused before they are read, and "" is none at all.
        if 0 < len(token) < 3_000
        and (answer := service.introspect(token)).data != b'{"active":false}'
    }

    assert odd == {}
