"""``python -m backend.cli keys``: what an operator does with signing keys."""

import re
from functools import partial
from pathlib import Path

import pytest
import redis

from backend.composition.secrets import new_subject_key
from backend.composition.subject_key import refuse_other_names
from config.config import load_settings
from services.identity.keys.signing_keys import generate_signing_key, one_key
from tests.backend.conftest import Run

OLD = "b1Kq7RzVx3Wm9TgYc5NsHd2PfJ8LuEa4"
NEW = "Zp4Xw8Gk2Vt6Rb9Yn3Jc7Hd5Mf1QsLuA"
KID = re.compile(r"^[A-Za-z0-9_-]{43}", re.MULTILINE)


@pytest.fixture
def variables(variables: dict[str, str]) -> dict[str, str]:
    """The environment of production, with the secret that is to be replaced."""
    return {**variables, "SECRET_KEY": OLD}


@pytest.fixture
def run(run: Run) -> Run:
    """Run a ``keys`` command."""
    return partial(run, "keys")


def kid_in(text: str) -> str:
    found = KID.search(text)
    assert found, text
    return found[0]


def listed(run: Run, **changed: str) -> dict[str, tuple[str, str]]:
    """Return algorithm and state by the key's id."""
    _, text, _ = run("list", **changed)
    rows = [line.split() for line in text.splitlines()[1:]]
    return {kid: (algorithm, state) for kid, algorithm, state, *_ in rows}


def test_at_first_the_built_in_key_signs(run: Run) -> None:
    assert list(listed(run).values()) == [("ES256", "active")]


@pytest.mark.parametrize("algorithm", ["ES256", "EdDSA", "RS256"])
def test_a_generated_key_is_published_and_says_how_it_is_activated(
    run: Run, algorithm: str
) -> None:
    code, said, _ = run("generate", "--alg", algorithm)

    kid = kid_in(said)
    assert code == 0
    assert said.splitlines()[0] == f"{kid} is published; it may sign in 360 s:"
    command = said.splitlines()[1].split()
    assert command[:5] == ["python", "-m", "backend.cli", "keys", "activate"]
    assert command[-1] == kid
    assert listed(run)[kid] == (algorithm, "published")


def test_a_key_is_not_activated_before_verifiers_know_it(run: Run) -> None:
    kid = kid_in(run("generate")[1])

    code, said, problem = run("activate", kid)
    assert (code, said) == (65, "")
    assert re.search(r"may not know it yet\. Wait 3(60|5\d) s, until \d\d:", problem)
    assert listed(run)[kid][1] == "published"

    code, said, _ = run("activate", "--now", kid)
    assert (code, said) == (0, f"{kid} signs; every worker follows within a minute.\n")
    assert sorted(state for _, state in listed(run).values()) == ["active", "verifying"]


def test_a_key_is_not_retired_while_its_tokens_are_good(run: Run) -> None:
    (built_in,) = listed(run)
    kid = kid_in(run("generate")[1])
    run("activate", "--now", kid)

    code, _, problem = run("retire", built_in)
    assert code == 65
    assert re.search(r"may still be good\. Wait 36[89]\d s, until \d\d:", problem)

    code, said, _ = run("retire", "--now", built_in)
    assert code == 0
    assert said == f"{built_in} is retired; every worker follows within a minute.\n"
    assert listed(run)[built_in][1] == "retired"


def test_the_key_that_signs_cannot_be_retired(run: Run) -> None:
    (built_in,) = listed(run)

    code, _, problem = run("retire", "--now", built_in)

    assert code == 65
    assert problem.splitlines()[-1].endswith("signs: activate another one first.")


def test_a_retired_key_cannot_be_activated(run: Run) -> None:
    kid = kid_in(run("generate")[1])
    run("retire", kid)

    code, _, problem = run("activate", "--now", kid)

    assert code == 65
    assert problem.splitlines()[-1].endswith("is retired: generate another one.")


@pytest.mark.parametrize("command", ["activate", "retire"])
def test_an_unknown_key_is_named(run: Run, command: str) -> None:
    code, _, problem = run(command, "x" * 43)

    assert code == 65
    assert problem.splitlines()[-1] == f"There is no key {'x' * 43} in the store."


def test_a_key_is_imported_once(run: Run, tmp_path: Path) -> None:
    pem = generate_signing_key("EdDSA")
    (tmp_path / "key.pem").write_bytes(pem)

    code, said, _ = run("import", "key.pem")
    again = run("import", "key.pem")

    assert code == 0
    assert kid_in(said) == one_key(pem).active().kid
    assert again[0] == 65
    assert again[2].splitlines()[-1].endswith(" is there already.")


@pytest.mark.parametrize("content", ["", "no key", None])
def test_a_file_without_a_key_is_refused(
    run: Run, tmp_path: Path, content: str | None
) -> None:
    if content is not None:
        (tmp_path / "key.pem").write_text(content)

    code, said, problem = run("import", "key.pem")

    assert (code, said) == (65, "")
    assert problem.startswith("key.pem: ")


def test_a_key_that_another_secret_sealed_is_shown_and_does_not_sign(run: Run) -> None:
    kid = kid_in(run("generate")[1])

    _, text, _ = run("list", SECRET_KEY=NEW)
    code, _, problem = run("activate", "--now", kid, SECRET_KEY=NEW)

    (line,) = [it for it in text.splitlines() if it.startswith(kid)]
    assert line.endswith("store, sealed with another SECRET_KEY")
    assert code == 65
    assert "sealed with another SECRET_KEY" in problem


def test_the_built_in_key_is_shown_to_sign_where_the_active_one_is_sealed(
    run: Run,
) -> None:
    kid = kid_in(run("generate")[1])
    run("activate", "--now", kid)

    shown = listed(run, SECRET_KEY=NEW)

    assert shown.pop(kid)[1] == "active"
    # That of the old secret has a row, and that of the new one signs.
    assert sorted(state for _, state in shown.values()) == ["active", "verifying"]


def test_a_key_whose_id_begins_with_a_hyphen_is_named_as_it_is(
    run: Run, redis_url: str
) -> None:
    kid = f"-{'x' * 42}"
    with redis.Redis.from_url(redis_url) as client:
        client.hset("keys", kid, "{no JSON")

    activated = run("activate", kid, "--now")
    retired = run("retire", "--now", kid)

    assert f"{kid} cannot be read" in activated[2]
    assert (retired[0], kid in listed(run)) == (0, False)


def test_keys_are_sealed_again_before_the_previous_secret_goes(run: Run) -> None:
    kid = kid_in(run("generate")[1])
    run("activate", "--now", kid)
    rotating = {"SECRET_KEY": NEW, "SECRET_KEY_PREVIOUS": OLD}

    first = run("reseal", **rotating)
    second = run("reseal", **rotating)

    assert first[:2] == (0, "1 sealed again with SECRET_KEY.\n")
    assert second[:2] == (0, "0 sealed again with SECRET_KEY.\n")
    _, text, _ = run("list", SECRET_KEY=NEW, SECRET_KEY_PREVIOUS="")
    (line,) = [it for it in text.splitlines() if it.startswith(kid)]
    assert line.split()[2] == "active"
    assert line.endswith(" store")


def test_what_redis_refuses_is_no_outage(run: Run, redis_url: str) -> None:
    with redis.Redis.from_url(redis_url) as client:
        client.set("keys", "no hash")

    code, _, problem = run("list")

    assert code == 69
    assert problem.startswith("Redis refused the command")


def test_settings_that_name_people_otherwise_are_refused(
    run: Run, variables: dict[str, str], redis_url: str
) -> None:
    others = {"SUBJECT_KEY": new_subject_key()}
    refuse_other_names(load_settings(environ=variables, env_file=None))

    code, said, problem = run("generate", **others)

    assert (code, said) == (78, "")
    assert "SUBJECT_KEY: is not the one that names everybody here" in problem
    assert run("list")[0] == 0
    with redis.Redis.from_url(redis_url) as client:
        assert not client.exists("keys")
        client.delete("subject_key")
    # Only a service that starts puts a key on record.
    assert run("list", **others)[0] == run("list")[0] == 0


def test_after_a_leak_only_keys_of_the_new_secret_are_left(run: Run) -> None:
    (built_in,) = listed(run)
    leaked = kid_in(run("generate")[1])
    run("activate", "--now", leaked)

    made = kid_in(run("generate", SECRET_KEY=NEW)[1])
    run("activate", "--now", made, SECRET_KEY=NEW)
    code, _, _ = run("retire", "--now", leaked, SECRET_KEY=NEW)
    run("retire", "--now", built_in, SECRET_KEY=NEW)

    left = listed(run, SECRET_KEY=NEW)
    assert code == 0
    assert left.pop(leaked)[1] == left.pop(built_in)[1] == "retired"
    assert left.pop(made)[1] == "active"
    assert [state for _, state in left.values()] == ["verifying"]


def test_the_derived_subject_key_is_printed_for_production(run: Run) -> None:
    code, printed, _ = run("subject", SUBJECT_KEY="", FLASK_ENV="development")
    key = printed.strip()
    rotating = {"SECRET_KEY": NEW, "SECRET_KEY_PREVIOUS": OLD, "SUBJECT_KEY": key}

    assert code == 0
    assert re.fullmatch(r"[A-Za-z0-9_-]{43}", key)
    assert run("subject", **rotating)[1] == printed
    assert sorted(listed(run, **rotating).values()) == [
        ("ES256", "active"),
        ("ES256", "verifying"),
    ]


def test_a_new_subject_key_needs_no_settings(
    run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    printed = []
    for _ in range(2):
        with pytest.raises(SystemExit) as end:
            run("subject", "--new", SUBJECT_KEY="", SECRET_KEY="", REDIS_URL="")
        assert end.value.code == 0
        printed.append(capsys.readouterr().out.strip())

    assert printed[0] != printed[1]
    assert run("subject", SUBJECT_KEY=printed[0])[1].strip() == printed[0]


def test_a_row_that_cannot_be_read_is_listed_and_retired(
    run: Run, redis_url: str
) -> None:
    kid = "x" * 43
    with redis.Redis.from_url(redis_url) as client:
        client.hset("keys", kid, "{no JSON")

    _, text, _ = run("list")
    code, _, problem = run("activate", kid)

    (line,) = [it for it in text.splitlines() if it.startswith(kid)]
    assert line.split() == [kid, "-", "unreadable", "-", "store"]
    assert code == 65
    assert problem.splitlines()[-1].endswith(
        "cannot be read: import it again, or retire it."
    )
    assert run("retire", kid)[0] == 0
    assert kid not in listed(run)


def test_changes_are_entered_into_the_audit(run: Run, redis_url: str) -> None:
    kid = kid_in(run("generate")[1])
    run("activate", "--now", kid)
    run("list")

    with redis.Redis.from_url(redis_url, decode_responses=True) as client:
        entries = [fields for _, fields in client.xrange("audit")]

    assert [(it["action"], it["detail"]) for it in entries] == [
        ("publish-key", kid),
        ("activate-key", kid),
    ]


def test_no_private_key_is_ever_printed_or_kept_in_clear(
    run: Run, redis_url: str
) -> None:
    said = "".join(run("generate")[1:] + run("list")[1:])

    with redis.Redis.from_url(redis_url) as client:
        kept = repr(client.hgetall("keys"))
    assert "PRIVATE KEY" not in said + kept


@pytest.mark.parametrize("command", ["list", "generate"])
def test_keys_need_a_store_and_a_secret_that_others_share(
    run: Run, command: str
) -> None:
    development = {"FLASK_ENV": "development"}

    without_redis = run(command, REDIS_URL="", **development)
    without_secret = run(command, SECRET_KEY="", **development)

    assert without_redis[0] == without_secret[0] == 78
    assert "REDIS_URL: missing" in without_redis[2]
    assert "SECRET_KEY: missing" in without_secret[2]
    derived = {"SUBJECT_KEY": "", **development}
    assert run("subject", SECRET_KEY="", **derived)[0] == 78
