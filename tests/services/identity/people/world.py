"""People who log in on a store, and what operators do to them."""

import itertools
import json
from dataclasses import replace
from typing import Any

from services.events import Event
from services.identity.people.people import People
from services.identity.people.records import Session, SessionPrize, SessionRules
from services.identity.people.refresh_tokens import RefreshTokens
from services.identity.people.sessions import ON_WIN, Sessions
from services.identity.people.subjects import Subjects
from services.otp.codes import VerificationId, phone_tag
from services.otp.records import Attempt, PhoneLimits, Plan, Record
from services.otp.store import OtpStore
from services.scripts import Call, Reply, ScriptRunner
from services.sms.provider import Channel
from tests.services.stores import Store

PHONE = "+919876543210"
NEW_PHONE = "+919812345678"
THIRD_PHONE = "+919812345679"
ADMIN = "+919999999999"
SHOP = "https://shop.example"
DAY = 86_400
LIMITS = PhoneLimits(cooldowns=(), sends=((1_000, DAY),))


def tag_of(e164: str) -> str:
    return phone_tag(b"tag key", e164)


class World:
    """One worker on a store."""

    def __init__(
        self,
        store: Store,
        *,
        rules: SessionRules | None = None,
        phone_keys: tuple[bytes, ...] = (bytes(32),),
        token_keys: tuple[bytes, ...] = (b"token key",),
        scripts: ScriptRunner | None = None,
    ) -> None:
        self.store = store
        self.events: list[Event] = []
        scripts = scripts or store.scripts
        self.subjects = Subjects(key=b"s" * 32, admin_tags=[tag_of(ADMIN)])
        self.refresh_tokens = RefreshTokens(token_keys)
        self.people = People(
            scripts,
            subjects=self.subjects,
            emit=self.events.append,
            offset_seconds=store.offset,
        )
        self.sessions = Sessions(
            scripts,
            subjects=self.subjects,
            people=self.people,
            tag_of=tag_of,
            phone_keys=phone_keys,
            refresh_tokens=self.refresh_tokens,
            rules=rules or SessionRules(),
            emit=self.events.append,
            offset_seconds=store.offset,
        )
        self.otp = OtpStore(scripts, on_win=ON_WIN, offset_seconds=store.offset)
        self._ops = itertools.count()

    def start(self, phone: str = PHONE, channel: Channel = "sms") -> Attempt:
        """Have a code sent."""
        id_ = VerificationId.new(tag_of(phone), "login", mark="mark")
        attempt = Attempt(id_, "", "shop", LIMITS)
        # Nobody is called before a message had the time to arrive.
        ways: list[Channel] = ["sms", "voice"] if channel == "voice" else [channel]
        for way in ways:
            self.otp.start(
                replace(attempt, op=f"op-{next(self._ops)}"),
                resend_of=None if way == ways[0] else attempt.id.part,
                plans=[Plan(way, [("vendor", "accepted", 1)])],
                channels=ways,
            )
            self.advance(60 if way != ways[-1] else 0)
        return replace(attempt, op=f"op-{next(self._ops)}")

    def win(
        self, prize: SessionPrize, phone: str = PHONE, channel: Channel = "sms"
    ) -> Record:
        """Have a code sent, and type it."""
        return self.otp.check(self.start(phone, channel), prize=prize)

    def log_in(
        self, phone: str = PHONE, *, channel: Channel = "sms", **options: Any
    ) -> Session:
        prize = self.sessions.prize(phone, client_id=SHOP, **options)
        return self.sessions.opened(phone, self.win(prize, phone, channel).won)

    def move(self, session: Session, to: str = NEW_PHONE) -> Session:
        """Change the number of a person who is logged in."""
        return self.log_in(to, moving=session)

    def token(self, session: Session) -> str:
        return self.sessions.refresh_token_of(session)

    def token_at(self, session_id: str, counter: int) -> str:
        """Return the refresh token of a session, made or not, at any counter."""
        return self.refresh_tokens.write(session_id, counter)

    def generation(self, phone: str) -> int:
        """Return how often a number changed hands, by its record."""
        stored = self.store.client.get(self.key("person", phone))
        generation: int = json.loads(stored or "{}").get("generation", 0)
        return generation

    def refresh(self, token: str) -> Session:
        return self.sessions.refresh(token, client_id=SHOP)

    def advance(self, seconds: float) -> None:
        self.store.clock.advance(seconds)

    def told(self, kind: type[Event]) -> list[Any]:
        """Return the events of one kind."""
        return [it for it in self.events if isinstance(it, kind)]

    def key(self, name: str, phone: str = PHONE) -> str:
        return f"{name}:{{{tag_of(phone)}}}"


class CutShort(Exception):
    """Whoever ran the scripts is gone."""


class DyingScripts(ScriptRunner):
    """Runs so many scripts more, then no other."""

    def __init__(self, store: Store) -> None:
        self._runner = store.scripts
        self.left = 1_000_000

    def run(self, call: Call) -> Reply:
        if self.left == 0:
            raise CutShort
        self.left -= 1
        return self._runner.run(call)
