"""Keys and secrets are replaced while people log in, and nobody notices."""

import re
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path

import pytest

from backend.cli.__main__ import main
from tests.backend.api import production
from tests.end_to_end.fleet import Fleet, Traffic
from tests.end_to_end.service import Service
from tests.simulator import Simulator

OLD = "b1Kq7RzVx3Wm9TgYc5NsHd2PfJ8LuEa4"
NEW = "Zp4Xw8Gk2Vt6Rb9Yn3Jc7Hd5Mf1QsLuA"
# Two workers take connections by chance: that one of them took none of so many does
# not happen.
_ANSWERS = 40

Start = Callable[..., Service]
Keys = Callable[..., str]


@pytest.fixture
def variables(simulator: Simulator, redis_url: str) -> dict[str, str]:
    """Those of production, but for the cooldown: nobody waits here."""
    return {
        **production(simulator, redis_url),
        "FLASK_ENV": "development",
        "SECRET_KEY": OLD,
        "RESEND_COOLDOWNS": "1",
        "SENDS_PER_IP": "off",
        "PHONES_PER_IP": "off",
        "SENDS_PER_PREFIX": "off",
        "RULE_MODES": "prefix_conversion=off, country_conversion=off",
        "SIGNING_KEYS_SECONDS": "0.1",
    }


@pytest.fixture
def start(
    variables: Mapping[str, str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Start]:
    """Start an instance, some settings changed; it need not be ready yet."""
    with ExitStack() as started:

        def start_one(**changed: str) -> Service:
            folder = tmp_path_factory.mktemp("service")
            service = Service(folder, variables={**variables, **changed})
            started.callback(service.close)
            return service

        yield start_one


@pytest.fixture
def keys(
    variables: Mapping[str, str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> Keys:
    """Run a ``keys`` command as an operator."""
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(tmp_path)

    def run(*arguments: str) -> str:
        capsys.readouterr()
        assert main(["keys", *arguments]) == 0, capsys.readouterr().err
        return capsys.readouterr().out

    return run


def wait_until_followed(service: Service, kid: str, *, shown: bool = True) -> None:
    """Return when no worker is left that has not followed a change of the JWKS."""
    pause, agreed = threading.Event(), 0
    for _ in range(2_000):
        jwks = service.call("GET", "/.well-known/jwks.json").json
        agrees = (kid in {it["kid"] for it in jwks["keys"]}) is shown
        agreed = agreed + 1 if agrees else 0
        if agreed == _ANSWERS:
            return
        pause.wait(0.01)
    raise AssertionError(service.stdout.text)


def test_signing_keys_are_replaced_under_traffic(
    start: Start, keys: Keys, simulator: Simulator
) -> None:
    service = start(WORKERS="2")
    service.wait_until_ready()
    (built_in,) = re.findall(r"^(\S{43}) .* active ", keys("list"), re.MULTILINE)

    with Traffic(Fleet(service), simulator) as traffic:
        for algorithm in ("EdDSA", "ES256"):
            kid = keys("generate", "--alg", algorithm).split()[0]
            wait_until_followed(service, kid)
            keys("activate", "--now", "--", kid)
            traffic.go_on()
        # Who shows a key that came later signs with the last one by now.
        later = keys("generate").split()[0]
        wait_until_followed(service, later)
        keys("retire", "--now", "--", built_in)
        wait_until_followed(service, built_in, shown=False)
        traffic.go_on()

    traffic.assert_no_failure()


@pytest.mark.slow
def test_one_secret_replaces_another_under_traffic(
    start: Start, simulator: Simulator
) -> None:
    steps = (
        {"SECRET_KEY": OLD, "SECRET_KEY_PREVIOUS": NEW},
        {"SECRET_KEY": NEW, "SECRET_KEY_PREVIOUS": OLD},
        {"SECRET_KEY": NEW},
    )
    fleet = Fleet(start(WORKERS="1"), start(WORKERS="1"))
    for service in fleet.services:
        service.wait_until_ready()

    with Traffic(fleet, simulator) as traffic:
        for step in steps:
            if "SECRET_KEY_PREVIOUS" not in step:
                # As long as a session lasts, both secrets are accepted: no session of
                # the old one is left then.
                traffic.keep_another()
            # What begins before a step goes on while it is taken, and after it.
            patient = traffic.person()
            verification = patient.ask_for_code()
            code = patient.code()
            successors = [start(WORKERS="1", **step) for _ in fleet.services]
            for old, new in zip(list(fleet.services), successors, strict=True):
                new.wait_until_ready()
                someone = traffic.person()
                begun = someone.ask_for_code()

                fleet.replace(old, new)
                old.close()

                someone.type_code(begun, someone.code())
            assert patient.ask_for_code(verification) == verification
            assert patient.code() == code
            patient.type_code(verification, code)
            patient.refresh()
            traffic.go_on()

    traffic.assert_no_failure()
