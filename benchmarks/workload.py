"""What the service is asked: settings, phones, and guesses with known codes."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import count

import orjson

from backend.composition.secrets import secrets_of
from benchmarks.load import Load, run_wrk
from config.config import load_settings
from services.otp.codes import VerificationId, derive_code, phone_tag
from tests.simulator.simulator import DEFAULT_ACCOUNT_SID, DEFAULT_AUTH_TOKEN

SECRET = "Wq8vR2nXy5TzK7mBc3JfHd9LgPs4UaEe6YtNiMo1"

# Every window is counted, as in production, and none refuses. What one phone may do
# stays as it is: no phone gets more than a send and four wrong guesses.
_UNREACHABLE = {
    "SENDS_PER_IP": "999999999/10m, 999999999/1h, 999999999/24h",
    "SENDS_PER_PREFIX": "999999999/10m, 999999999/1h",
    "PHONES_PER_IP": "999999999/1h, 999999999/24h",
    "WRONG_CHECKS_PER_IP": "999999999/10m, 999999999/1h",
    "WRONG_CHECKS_GLOBAL": "999999999/1h",
}
GUESSES = 4

# The fifth wrong guess locks; what is prepared must live until it is used.
_SHARED = {
    "SECRET_KEY": SECRET,
    "SUBJECT_KEY": "Vf0aYw3rT9kQe5uZx7LmC1oHs8dJb2NgP4iRtUyKqXE",
    "CODE_TTL_SECONDS": "600",
    **_UNREACHABLE,
}


def console_settings(redis: int, **more: str) -> dict[str, str]:
    """Return the settings of a service that sends nothing over the network."""
    return {
        "FLASK_ENV": "development",
        "REDIS_URL": f"redis://127.0.0.1:{redis}/0",
        **_SHARED,
        **more,
    }


def twilio_settings(redis: int, simulator: int) -> dict[str, str]:
    """Return the settings of production, over Twilio on the simulator."""
    return {
        "FLASK_ENV": "production",
        "REDIS_URL": f"redis://127.0.0.1:{redis}/0",
        "TOKEN_ISSUER": "https://auth.example.com",
        "TWILIO_ACCOUNT_SID": DEFAULT_ACCOUNT_SID,
        "TWILIO_AUTH_TOKEN": DEFAULT_AUTH_TOKEN,
        "TWILIO_PHONE_NUMBER": "+15005550006",
        "TWILIO_BASE_URL": f"http://127.0.0.1:{simulator}",
        **_SHARED,
    }


FLOOR = Load("/floor", ['{"phone":"+919876543210"}'], 200, repeats=True)


class Phones:
    """Valid Indian mobile numbers, none twice, spread so that few share a prefix."""

    def __init__(self) -> None:
        self._numbers = (
            f"+91{9_000_000_000 + index * 618_033_989 % 10**9}" for index in count()
        )

    def take(self, how_many: int) -> list[str]:
        """Return the next ones."""
        return [next(self._numbers) for _ in range(how_many)]


def sends(phones: Sequence[str]) -> Load:
    """Ask for a code for each phone."""
    return Load("/api/send-otp", [_json({"phone": it}) for it in phones], 202)


@dataclass(slots=True)
class Pending:
    """A verification whose code we know."""

    id: str
    phone: str
    code: str

    def guess(self, offset: int = 0) -> str:
        """Return the body of a check; the right one unless ``offset`` is given."""
        code = f"{(int(self.code) + offset) % 10**6:06}"
        return _json({"verification_id": self.id, "phone": self.phone, "otp": code})


@dataclass(slots=True)
class Prepared:
    """Verifications that wait for their check, made over HTTP before it is timed."""

    port: int
    phones: Phones
    _waiting: list[Pending] = field(default_factory=list)

    def take(self, how_many: int) -> list[Pending]:
        """Return as many, made now unless some are left."""
        while len(self._waiting) < how_many:
            phones = self.phones.take(20_000)
            answered = run_wrk(sends(phones), self.port, 2, keep_bodies=True)
            if answered.problem:
                raise RuntimeError(f"void: {answered.problem}")
            self._waiting += read_pending(answered.bodies, phones)
        taken, self._waiting = self._waiting[:how_many], self._waiting[how_many:]
        return taken

    def give_back(self, unused: Sequence[Pending]) -> None:
        """Keep what was not sent."""
        self._waiting += unused


def right_guesses(pending: Sequence[Pending]) -> Load:
    """Check each verification with its code."""
    return Load("/api/verify-otp", [it.guess() for it in pending], 200)


def wrong_guesses(pending: Sequence[Pending]) -> Load:
    """Guess wrong at each verification, as often as no lock follows."""
    guesses = [it.guess(nth) for nth in range(1, GUESSES + 1) for it in pending]
    return Load("/api/verify-otp", guesses, 400)


def status_questions(pending: Sequence[Pending]) -> Load:
    """Ask how each verification stands, again and again."""
    paths = [f"/api/otp-status/{it.id}" for it in pending]
    return Load("", paths, 200, method="GET", repeats=True)


def read_pending(bodies: Sequence[bytes], phones: Sequence[str]) -> Iterator[Pending]:
    """Find out which phone each answer was for, and the code that was sent to it."""
    settings = load_settings(environ=console_settings(0), env_file=None)
    secrets = secrets_of(settings)
    tag_of = partial(phone_tag, secrets.naming("phone tag"))
    pepper = secrets.keys("code pepper")[0]
    by_tag: Mapping[str, str] = {tag_of(phone): phone for phone in phones}
    for body in bodies:
        identifier = VerificationId.parse(orjson.loads(body)["verification_id"])
        assert identifier is not None
        phone = by_tag[identifier.tag]
        code = derive_code(pepper, identifier, storefront="direct", e164=phone)
        yield Pending(str(identifier), phone, code)


def _json(fields: Mapping[str, str]) -> str:
    return orjson.dumps(fields).decode()
