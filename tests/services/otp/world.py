"""A service over a store and providers that do as they are told."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from services.abuse.asking import Caller
from services.abuse.challenges.challenges import Challenges
from services.abuse.challenges.proof_of_work import ProofOfWork
from services.abuse.challenges.tickets import Tickets
from services.abuse.devices import DeviceTokens
from services.abuse.rules import Rule, Windows
from services.otp.admission import Admission
from services.otp.answers import SendRequest, Started
from services.otp.codes import Peppers, Purpose, phone_tag
from services.otp.conversions import Conversions
from services.otp.deliveries import Deliveries
from services.otp.follow_ups import FollowUps
from services.otp.messages import MessageStore
from services.otp.number_policy import NumberPolicy
from services.otp.numbers import Numbers, TestRange
from services.otp.phonebook import Phonebook
from services.otp.planning import Planner
from services.otp.records import PhoneLimits
from services.otp.sending import CodeSender
from services.otp.service import OtpService
from services.otp.store import OtpStore
from services.sms.provider import (
    Ambiguous,
    Channel,
    ProviderFailure,
    Reason,
    Refused,
    Scope,
    Unavailable,
)
from services.sms.receipts import BadSignature, Callback, Receipt
from services.sms.routing.health import VendorHealth
from services.sms.senders import Senders
from services.sms.templates import Templates
from tests.fakes import Backlog, RecordingProvider
from tests.services.abuse.world import World
from tests.services.otp.phones import ON_WIN
from tests.services.sms.worlds import make_sms
from tests.services.stores import Store
from utils.crypto import Keys

PHONE = "+919876543210"
OTHER = "+919876543211"
TEST_PHONE = "+15550100000"
SHOP = Caller(network="192.0.2.1", storefront="https://shop.example")
DOWN = Unavailable(Reason.TRANSIENT, Scope.PROVIDER, "500")
LOST = Ambiguous(Reason.AMBIGUOUS, Scope.PROVIDER, "timeout")
DEAD = Refused(Reason.RECIPIENT, Scope.NUMBER, "21211")
ABSENT = Refused(Reason.ABSENT, Scope.NUMBER, "30003")
STOPPED = Refused(Reason.OPTED_OUT, Scope.NUMBER, "21610")
FRAUD = Refused(Reason.FRAUD, Scope.NUMBER, "30450")


@dataclass(frozen=True)
class FakePrize:
    e164: str
    purpose: Purpose

    @property
    def keys(self) -> Sequence[str]:
        return [f"ses:{{{tag_of(self.e164)}}}"]

    @property
    def argument(self) -> Mapping[str, str]:
        return {"value": "session"} if self.purpose == "login" else {}


PEPPERS = (b"pepper",)
MARK = Peppers(PEPPERS).mark


def tag_of(e164: str) -> str:
    return phone_tag(b"tag key", e164)


def shared_limits(**windows: Windows) -> Mapping[str, Rule]:
    """What is usual, in mode block, and what a test sets in its place."""
    usual: dict[str, Windows] = {
        "sends_per_ip": ((10, 600), (30, 3_600), (100, 86_400)),
        "sends_per_prefix": ((10, 600), (30, 3_600)),
        "calls_per_prefix": ((5, 3_600),),
        "calls_global": ((100, 3_600),),
        "wrong_checks_per_ip": ((20, 600), (50, 3_600)),
    }
    return {name: Rule("block", it) for name, it in (usual | windows).items()}


class ReceiptsByHand:
    """Reads what a test wrote; only the callback whose token is "signed" is."""

    def __init__(self) -> None:
        self.next: list[Receipt] = []

    def read(self, callback: Callback) -> Sequence[Receipt]:
        if callback.token != "signed":
            raise BadSignature
        return self.next


class Login:
    """A service with two providers, and a person who uses it."""

    def __init__(
        self,
        store: Store,
        shared: Mapping[str, Rule] | None = None,
        *,
        more: Sequence[RecordingProvider] = (),
        whatsapp_first: bool = False,
        whatsapp_wait: float = 10.0,
        senders: Senders | None = None,
        limits: PhoneLimits | None = None,
        peppers: Keys = PEPPERS,
    ) -> None:
        self.store = store
        self.first = RecordingProvider("first")
        self.second = RecordingProvider("second", countries=frozenset({"IN"}))
        self.providers = [self.first, self.second, *more]
        self.notes, self.sends = Backlog(), Backlog()
        self.readers = {it.name: ReceiptsByHand() for it in self.providers}
        emit = store.events.append
        otp_store = OtpStore(store.scripts, on_win=ON_WIN, offset_seconds=store.offset)
        rules = shared_limits() if shared is None else shared
        self.abuse = World(store, rules, notes=self.notes)
        guard = self.abuse.guard
        self.health = VendorHealth(
            store.scripts,
            candidates=lambda channel, _: [
                it.name for it in self.providers if channel in it.channels
            ],
            clock=store.clock,
            emit=emit,
            offset_seconds=store.offset,
        )
        self.sms = make_sms(
            self.providers,
            clock=store.clock,
            emit=emit,
            senders=senders,
            health=self.health,
        )
        tickets = Tickets(keys=(b"t" * 32,), clock=store.clock)
        self.devices = DeviceTokens((b"d" * 32,), clock=store.clock)
        admission = Admission(
            guard=guard,
            aftermath=self.abuse.aftermath,
            challenges=Challenges(
                proof_of_work=ProofOfWork(
                    keys=(b"c" * 32,), tickets=tickets, difficulty=1
                ),
                captcha=None,
                emit=emit,
            ),
            devices=self.devices,
            sms=self.sms,
            emit=emit,
        )
        phonebook = Phonebook(
            numbers=Numbers(
                default_region="IN",
                policy=NumberPolicy.allowing(["IN"]),
                test_ranges=[TestRange(15550100000, 15550199999, "123456")],
                test_until=date(2100, 1, 1),
                clock=store.clock,
            ),
            tag_of=tag_of,
            peppers=Peppers(peppers),
            name_key=b"name key",
            limits=limits or PhoneLimits(),
        )
        planner = Planner(
            self.sms,
            policy=NumberPolicy.allowing(["IN"]),
            whatsapp_first=whatsapp_first,
        )
        sender = CodeSender(
            store=otp_store,
            sms=self.sms,
            whatsapp_falls_back=whatsapp_wait > 0,
            emit=emit,
        )
        self.deliveries = Deliveries(
            scripts=store.scripts,
            store=otp_store,
            messages=MessageStore(
                store.scripts,
                name_key=b"name key",
                letter_keys=(b"k" * 32,),
                offset_seconds=store.offset,
            ),
            sms=self.sms,
            follow_ups=FollowUps(
                store=otp_store,
                admission=admission,
                planner=planner,
                sender=sender,
                phonebook=phonebook,
                whatsapp_falls_back=whatsapp_wait > 0,
                background=self.sends,
                clock=store.clock,
                emit=emit,
            ),
            health=self.health,
            readers=self.readers,
            phonebook=phonebook,
            whatsapp_wait_seconds=whatsapp_wait,
            notes=self.notes,
            emit=emit,
        )
        self.service = OtpService(
            scripts=store.scripts,
            store=otp_store,
            guard=guard,
            admission=admission,
            planner=planner,
            sender=sender,
            deliveries=self.deliveries,
            conversions=Conversions(
                sms=self.sms,
                health=self.health,
                background=self.sends,
                clock=store.clock,
                emit=emit,
            ),
            templates=Templates(brand="Shop", ttl_seconds=300),
            phonebook=phonebook,
            clock=store.clock,
            emit=emit,
        )

    def send(
        self,
        phone: str = PHONE,
        resend_of: Started | None = None,
        channel: Channel | None = None,
    ) -> Started:
        id_ = str(resend_of.id) if resend_of else None
        request = SendRequest(phone, channel=channel, verification_id=id_)
        return self.service.start(request, SHOP)

    def check(
        self, started: Started, code: str, phone: str = PHONE, caller: Caller = SHOP
    ) -> bool:
        won = self.service.check(
            verification_id=str(started.id),
            phone_text=phone,
            code=code,
            caller=caller,
            prize=FakePrize,
        )
        return "value" in won.result

    def settle(self) -> None:
        """Let what follows the answers happen."""
        while self.notes.tasks or self.sends.tasks:
            self.notes.run()
            self.sends.run()

    def receipt(self, provider: RecordingProvider, *receipts: Receipt) -> None:
        """Let a vendor say how its messages fare, and what follows happen."""
        self.readers[provider.name].next = list(receipts)
        self.deliveries.take(provider.name, callback("signed"))
        self.settle()

    def fails(self, *failures: ProviderFailure) -> None:
        """Let the providers fail in turn, once each."""
        for provider, failure in zip((self.first, self.second), failures, strict=False):
            provider.failures.append(failure)

    def status_of(self, started: Started) -> str:
        delivery = self.service.status(started.id, SHOP).delivery
        return delivery.status if delivery else "none"

    def phone_record(self) -> object:
        """The phone's record as it is stored."""
        return self.store.dump()[f"otp:{{{tag_of(PHONE)}}}"][0]

    @property
    def sent(self) -> Mapping[str, int]:
        """How many messages each provider took."""
        return {it.name: len(it.messages) for it in self.providers if it.messages}

    @property
    def code(self) -> str:
        return max(self.providers, key=lambda it: len(it.messages)).last_code


def callback(token: str = "") -> Callback:
    return Callback("POST", "https://auth.example/x", "", {}, b"", token)


def other_than(code: str) -> str:
    return f"{(int(code) + 1) % 10**6:06}"
