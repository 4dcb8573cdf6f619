"""The JavaScript kit, tested in Node: alone, against the corpus, and on the service."""

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from urllib.parse import urlencode

import pytest

from tests.backend.api import vendors
from tests.clients.js.running import (
    CODE,
    FOLDER,
    Storefront,
    find_node,
    run,
    running_browser,
    running_service,
)
from tests.end_to_end.service import REPOSITORY
from tests.simulator import Simulator

ALONE = ("client", "challenge", "tabs", "fetch", "verifier", "exports")


def run_tests(node: str, name: str, env: Mapping[str, str] | None = None) -> None:
    run(node, "--test", f"{name}.test.js", env=env)


@pytest.fixture(scope="module")
def node() -> str:
    return find_node()


@pytest.fixture
def storefront() -> Iterator[Storefront]:
    storefront = Storefront()
    yield storefront
    storefront.close()


@pytest.mark.parametrize("name", ALONE)
def test_the_kit_by_itself(node: str, name: str) -> None:
    run_tests(node, name)


def test_the_types_agree_with_the_code_and_its_use(node: str) -> None:
    run(node, "node_modules/typescript/bin/tsc", "--project", "tsconfig.json")


def test_no_mutation_of_a_token_is_taken(node: str, tmp_path: Path) -> None:
    corpus = tmp_path / "corpus.json"
    with corpus.open("wb") as output:
        subprocess.run(
            [sys.executable, "-m", "tests.corpus"],
            cwd=REPOSITORY,
            stdout=output,
            timeout=60,
            check=True,
        )

    run_tests(node, "corpus", {"CORPUS": str(corpus)})


def test_the_kit_on_the_service(node: str, tmp_path: Path) -> None:
    with running_service(tmp_path) as variables:
        run_tests(node, "service", variables)


def test_a_login_with_a_solved_challenge(
    node: str, tmp_path: Path, simulator: Simulator
) -> None:
    policy = tmp_path / "numbers.toml"
    policy.write_text('[countries]\nIN = "challenge"\n')
    more = {"NUMBER_POLICY_FILE": str(policy), **vendors(simulator)}
    with running_service(tmp_path, **more) as variables:
        run_tests(node, "challenged", {**variables, "VENDOR_URL": simulator.url})


@pytest.mark.slow
def test_the_kit_in_a_browser(storefront: Storefront, tmp_path: Path) -> None:
    """Web Locks, BroadcastChannel, CORS and cookies are the browser's own here."""
    with running_service(tmp_path, STOREFRONT_ORIGINS=storefront.origin) as variables:
        # By the same name as the page, or the two are not the same site.
        query = urlencode({"service": variables["ISSUER"], "code": CODE})
        page = f"{storefront.origin}/tests/clients/js/browser/index.html?{query}"
        with running_browser(page, tmp_path / "profile"):
            result = storefront.results.get(timeout=50)

    good = {
        "heardLogin": True,
        "tokens": 1,
        "refreshes": 1,
        "restored": True,
        "heardLogout": True,
        "gone": True,
    }
    assert result == {
        "locks": True,
        "token": {**good, "holdsRefreshToken": True},
        "cookie": {**good, "holdsRefreshToken": False},
    }


def test_the_lock_names_no_registry() -> None:
    lock = json.loads((FOLDER / "package-lock.json").read_text())

    assert len(lock["packages"]) > 1
    assert not any("resolved" in it for it in lock["packages"].values())
