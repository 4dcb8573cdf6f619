"""What happened to a phone is remembered for a while, on both stores."""

from collections.abc import Callable
from typing import Any

import pytest

from services.abuse_events import (
    ChallengeAsked,
    ChallengeChecked,
    PhoneWasDisabled,
    SendShadowed,
)
from services.events import (
    AdminActed,
    CodeChecked,
    DeliveryFailed,
    Event,
    LimitReached,
    MessageFollowed,
    PhoneChanged,
    ProviderCalled,
    ReceiptTaken,
    SessionOpened,
    SessionRefreshed,
    SessionRefused,
    SessionsEnded,
    VerificationStarted,
)
from services.journal.lines import KINDS, TrailEntry
from services.journal.trail import Trail
from tests.fakes import Backlog
from tests.services.stores import Store

pytestmark = pytest.mark.contract

TAG, OTHER = "tagtagtagtagtagt", "othrothrothrothr"
FIRST, SECOND = "0123456789ab", "ba9876543210"
SESSION = "5e5510000000"


class Followed:
    """A trail, requests that it can tell apart, and a queue that runs when told to."""

    def __init__(self, store: Store, hours: int = 24) -> None:
        self.store = store
        self.queue = Backlog()
        self.request = "0123456789abcdef01234567"
        self.trail = Trail(
            store.scripts,
            hours=hours,
            background=self.queue,
            clock=store.clock,
            request_id=lambda: self.request,
            offset_seconds=store.offset,
        )

    def tell(self, *told: Event) -> None:
        for event in told:
            self.trail.take(event)
        self.queue.run()

    def read(self, tag: str = TAG, verification: str | None = None) -> list[TrailEntry]:
        return self.trail.read(tag, verification)

    def kinds(self, tag: str = TAG, verification: str | None = None) -> list[str]:
        return [it.kind for it in self.read(tag, verification)]

    def text(self, tag: str = TAG) -> str:
        """What is kept, as an operator would find it in Redis."""
        kept: Any = self.store.client.get(f"trail:{{{tag}}}")
        return str(kept, "ascii")


@pytest.fixture
def followed(store: Store) -> Followed:
    return Followed(store)


def sent(verification: str = FIRST, **changed: Any) -> VerificationStarted:
    fields: dict[str, Any] = {
        "phone_tag": TAG,
        "verification": verification,
        "purpose": "login",
        "country": "IN",
        "channel": "sms",
        "provider": "twilio",
        "attempt": 1,
        "resend": False,
        "seconds": 0.3,
    }
    return VerificationStarted(**{**fields, **changed})


def checked(verification: str = FIRST, outcome: str = "wrong") -> CodeChecked:
    return CodeChecked(
        phone_tag=TAG,
        verification=verification,
        purpose="login",
        outcome=outcome,
        evaluated=True,
        attempts_left=0,
    )


def receipt(**changed: str) -> ReceiptTaken:
    fields = {
        "provider": "twilio",
        "country": "IN",
        "status": "delivered",
        "outcome": "moved",
        "vendor_code": "",
        "phone_tag": TAG,
        "verification": FIRST,
        **changed,
    }
    return ReceiptTaken(seconds=5.0, **fields)


OPENED = SessionOpened(
    phone_tag=TAG,
    subject="subjectsubjectsubjectx",
    session=SESSION,
    client="https://shop.example.com",
)

EVERY_KIND: list[tuple[Event, str, dict[str, object]]] = [
    (
        sent(failed=("twilio transient 20503",), provider="fast2sms"),
        "sent",
        {
            "purpose": "login",
            "channel": "sms",
            "provider": "fast2sms",
            "attempt": 1,
            "resend": False,
            "failed": ["twilio transient 20503"],
        },
    ),
    (
        DeliveryFailed(TAG, FIRST, "IN", "recipient", budget_returned=False),
        "not_sent",
        {"reason": "recipient", "budget_returned": False, "failed": []},
    ),
    (
        receipt(),
        "receipt",
        {
            "provider": "twilio",
            "status": "delivered",
            "outcome": "moved",
            "vendor_code": "",
        },
    ),
    (
        MessageFollowed(TAG, FIRST, "IN", "sms", "whatsapp", "twilio", "late"),
        "followed",
        {"channel": "sms", "after": "whatsapp", "provider": "twilio", "reason": "late"},
    ),
    (
        checked(),
        "checked",
        {"purpose": "login", "outcome": "wrong", "attempts_left": 0},
    ),
    (
        LimitReached("resend_cooldown", "send", 30, TAG, FIRST),
        "limited",
        {"limit": "resend_cooldown", "action": "send", "retry_after_seconds": 30},
    ),
    (
        OPENED,
        "session_opened",
        {"session": SESSION, "client": "https://shop.example.com"},
    ),
    (SessionRefused("frozen", TAG), "session_refused", {"reason": "frozen"}),
    (
        SessionRefreshed("reused", TAG, SESSION),
        "refreshed",
        {"session": SESSION, "outcome": "reused"},
    ),
    (
        SessionsEnded("logout_all", TAG, 2),
        "sessions_ended",
        {"reason": "logout_all", "count": 2},
    ),
    (
        PhoneChanged("subject", TAG, OTHER),
        "phone_changed",
        {"from_tag": TAG, "to_tag": OTHER},
    ),
    (
        AdminActed("freeze", "cli:me", TAG, "subject", "", "done"),
        "admin",
        {"action": "freeze", "actor": "cli:me", "detail": "", "outcome": "done"},
    ),
    (
        ChallengeAsked("phones_per_ip", "IN", TAG, 2),
        "challenged",
        {"limit": "phones_per_ip", "difficulty": 2},
    ),
    (
        ChallengeChecked("turnstile", "refused", TAG, "timeout-or-duplicate"),
        "challenge_checked",
        {
            "provider": "turnstile",
            "outcome": "refused",
            "reason": "timeout-or-duplicate",
        },
    ),
    (
        SendShadowed("sends_global", "block", "IN", TAG, 0.05),
        "shadowed",
        {"limit": "sends_global", "verdict": "block"},
    ),
    (PhoneWasDisabled(TAG, 100), "phone_disabled", {"wrong_checks": 100}),
]


@pytest.mark.parametrize(("event", "kind", "fields"), EVERY_KIND)
def test_an_event_is_read_as_it_happened(
    followed: Followed, event: Event, kind: str, fields: dict[str, object]
) -> None:
    followed.tell(event)

    (entry,) = followed.read()
    assert (entry.kind, entry.fields) == (kind, fields)
    assert entry.verification == getattr(event, "verification", "")
    assert entry.request_id == "0123456789abcdef01234567"


def test_times_are_those_of_the_event_and_not_of_the_writing(
    followed: Followed, store: Store
) -> None:
    followed.trail.take(sent())
    store.clock.advance(7)
    followed.trail.take(checked())
    store.clock.advance(3)
    followed.queue.run()

    first, second = followed.read()
    seconds, micros = store.client.time()
    now = seconds + micros / 1e6 + store.offset()
    assert second.at - first.at == pytest.approx(7, abs=0.11)
    assert now - second.at == pytest.approx(3, abs=1)


def test_what_was_written_late_stands_where_it_happened(store: Store) -> None:
    """Two workers write when they come to it."""
    slow, fast = Followed(store), Followed(store)
    slow.trail.take(sent())
    store.clock.advance(1)
    fast.tell(checked())
    slow.queue.run()

    assert slow.kinds() == ["sent", "checked"]


def test_many_phones_share_one_round_trip(followed: Followed, store: Store) -> None:
    store.events.clear()

    followed.tell(sent(), checked(), sent(phone_tag=OTHER))

    assert len(store.events) == 1
    assert followed.kinds() == ["sent", "checked"]
    assert followed.kinds(OTHER) == ["sent"]


def test_a_request_pays_nothing_for_it(followed: Followed, store: Store) -> None:
    followed.trail.take(sent())

    assert store.events == []
    assert store.dump() == {}


@pytest.mark.parametrize(
    "event",
    [
        ProviderCalled("twilio", "IN", "accepted", "", 0.3),
        LimitReached("sends_global", "send", 30),
        receipt(phone_tag=""),
        receipt(outcome="same"),
        SessionRefreshed("rotated", TAG, SESSION),
        SessionsEnded("erased", TAG, 2),
        AdminActed("erase", "cli:me", TAG, "subject", "", "done"),
    ],
)
def test_what_is_nobodys_or_not_to_be_kept_is_not(
    followed: Followed, store: Store, event: Event
) -> None:
    followed.tell(event)

    assert store.dump() == {}


def test_both_numbers_of_a_person_who_moved_know_it(followed: Followed) -> None:
    followed.tell(PhoneChanged("subject", TAG, OTHER))

    assert followed.kinds(TAG) == followed.kinds(OTHER) == ["phone_changed"]


def test_one_verification_can_be_told_from_the_others(followed: Followed) -> None:
    followed.tell(sent(FIRST))
    followed.request = "another"
    followed.tell(sent(SECOND), LimitReached("resend_cooldown", "send", 30, TAG))
    followed.request = "third"
    followed.tell(checked(FIRST, "verified"), OPENED)

    # The session of the same request is what came of it.
    assert followed.kinds(verification=FIRST) == ["sent", "checked", "session_opened"]
    assert followed.kinds(verification=SECOND) == ["sent", "limited"]


def test_what_no_request_did_is_not_of_one_request(followed: Followed) -> None:
    """Follow-ups run on their own: they have no request in common."""
    followed.request = ""
    followed.tell(receipt(), receipt(verification=SECOND))

    assert len(followed.read(verification=FIRST)) == 1


@pytest.mark.parametrize(
    "refuse",
    [
        lambda tag: LimitReached("sends_per_ip", "send", 30, tag),
        lambda tag: ChallengeAsked("sends_per_ip", "IN", tag, 1),
        lambda tag: ChallengeChecked("altcha", "forged", tag),
    ],
    ids=["limited", "challenged", "checked"],
)
def test_a_flood_of_refusals_leaves_little(
    followed: Followed, store: Store, refuse: Callable[[str], Event]
) -> None:
    for _ in range(400):
        followed.trail.take(refuse(OTHER))
    store.clock.advance(2)
    followed.tell(*[refuse(TAG)] * 50, sent())

    assert followed.kinds()[-1] == "sent"
    # Five a second.
    assert len(followed.kinds()) == 10 + 1


def test_the_last_eight_kilobytes_are_kept(followed: Followed) -> None:
    followed.tell(sent(), *[OPENED for _ in range(250)], checked())

    kinds = followed.kinds()
    assert len(kinds) > 100
    assert kinds == ["session_opened"] * (len(kinds) - 1) + ["checked"]
    assert 8_100 < len(followed.text()) <= 8_192


def test_it_ends_with_the_hours(store: Store) -> None:
    followed = Followed(store, hours=2)
    followed.tell(sent())

    _, ttl = store.dump()[f"trail:{{{TAG}}}"]
    assert ttl == pytest.approx(7_200_000, abs=10_000)


def test_what_is_older_than_the_hours_goes_though_more_came(store: Store) -> None:
    followed = Followed(store, hours=2)
    followed.tell(sent())
    store.clock.advance(3_601)
    followed.tell(checked())
    store.clock.advance(3_600)
    unread = followed.kinds()
    followed.tell(checked())

    assert unread == ["checked"]
    assert len(followed.text().splitlines()) == 2


def test_without_hours_nothing_is_kept(store: Store) -> None:
    followed = Followed(store, hours=0)
    followed.tell(sent())

    assert followed.read() == []
    assert store.dump() == {}


def test_a_trail_can_be_forgotten(followed: Followed) -> None:
    followed.tell(sent(), sent(phone_tag=OTHER))

    followed.trail.forget(TAG)

    assert followed.read(TAG) == []
    assert followed.kinds(OTHER) == ["sent"]


def test_a_send_and_a_login_cost_few_bytes(followed: Followed) -> None:
    followed.tell(sent())
    send = len(followed.text())
    followed.tell(receipt(), checked(outcome="verified"), OPENED)

    assert send < 60
    assert len(followed.text()) < 240


def test_a_line_can_be_read_by_eye(followed: Followed) -> None:
    followed.tell(sent(provider="fast2sms", failed=("twilio transient 20503",)))
    followed.tell(sent(purpose="verify", channel="whatsapp", attempt=2, resend=True))

    at = followed.text().split("|")[0]
    assert followed.text().splitlines() == [
        f"{at}|s|{FIRST}|0123456789abcdef01234567|fast2sms|||||twilio transient 20503",
        f"{at}|s|{FIRST}|0123456789abcdef01234567|twilio|verify|whatsapp|2|1",
    ]
    assert int(at) / 10 == followed.read()[0].at


def test_a_request_is_named_once(followed: Followed) -> None:
    followed.tell(checked(outcome="verified"), OPENED)

    first, second = followed.text().splitlines()
    assert first.split("|")[3] == "0123456789abcdef01234567"
    assert second.split("|")[1:] == ["o", "", "=", SESSION, "https://shop.example.com"]
    requests = {it.request_id for it in followed.read()}
    assert requests == {"0123456789abcdef01234567"}


def test_signs_of_the_line_itself_are_kept_apart(followed: Followed) -> None:
    odd = "50%7C|a;b\nc=%"
    failed = (odd, "second")
    followed.tell(
        AdminActed("freeze", "cli:me", TAG, "subject", odd, "done"),
        sent(failed=failed),
    )

    acted, started = followed.read()
    assert acted.fields["detail"] == odd
    assert started.fields["failed"] == list(failed)
    assert len(followed.text().split("\n")) == 2


def test_every_kind_is_tried_here() -> None:
    assert {type(event) for event, _, _ in EVERY_KIND} == KINDS


def test_lines_of_a_newer_worker_are_passed_over(
    followed: Followed, store: Store
) -> None:
    """A letter that nobody knows here, and a field more than is known."""
    followed.tell(sent(), checked())
    first, second = followed.text().splitlines()
    at = first.split("|")[0]
    unknown = f"{at}|~|{FIRST}|newrequest|what|ever", f"{at}|~"
    again = second.replace("|=|", "|newrequest|") + "||more|and more"
    lines = [first, unknown[0], f"{at}|c|{FIRST}|=|wrong|0", unknown[1], again]
    store.client.set(f"trail:{{{TAG}}}", "\n".join(lines), px=60_000)

    read = followed.read()

    assert [it.kind for it in read] == ["sent", "checked", "checked"]
    # The request is that of the line before, known here or not.
    assert read[1].request_id == "newrequest"
    assert read[2].fields == read[1].fields
