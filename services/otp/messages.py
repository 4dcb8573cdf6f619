"""Which verification a vendor's message belongs to: how receipts find their way back.

Key ``msg:{<id>}``, a string of JSON. ``id`` is a keyed MAC of the vendor's name and the
vendor's own id of the message.

===================  =================================================================
``tag`` ``part``     the verification's id
``attempt``          which of its messages, from 1
``channel region``   where it went
``vendor``           who took it
``at_ms``            when, by Redis's clock
``letter``           phone number, storefront and wording, sealed: what a message that
                     failed is sent again with
``early``            receipts that came before we knew the message; until then, alone
===================  =================================================================

TTL: an hour, or a minute with ``early``.

Key ``waiting:{<channel>}``, a sorted set of such ids by the time at which somebody
looks whether the message arrived; whoever does has ``_LEASE_MS`` for it. TTL: an hour
after the last one.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from services.otp.codes import VerificationId
from services.otp.sending import Letter
from services.scripts import Call, Reply, Script, ScriptRunner
from services.sms.provider import Channel, Failure, Reason, Scope
from services.sms.receipts import Receipt
from utils.crypto import Keys, mac_text, seal, unseal
from utils.phone import PhoneNumber, kind_of

_HERE = Path(__file__).parent
_LINK = Script.load(_HERE / "link.lua")
_RECEIVE = Script.load(_HERE / "receive.lua")
_WAIT = Script.load(_HERE / "wait.lua")
_CLAIM = Script.load(_HERE / "claim.lua")
_DONE = Script.load(_HERE / "done.lua")

# Receipts come within seconds; one that takes an hour changes nothing for anybody.
_KEEP_MS = 3_600_000
# Our own note is some milliseconds late, or under load some seconds.
_EARLY_MS = 60_000
# What one worker takes at a time, so that the others get their share.
_MOST_DUE = 50
_LEASE_MS = 30_000

_ID_BYTES = 16


@dataclass(frozen=True, slots=True)
class Tracked:
    """A message that a vendor took, and what it was for."""

    verification: VerificationId
    attempt: int
    channel: Channel
    region: str
    vendor: str
    letter: Letter
    age_seconds: float = 0.0


class MessageStore:
    """The messages under way. Safe to share between threads.

    Every method that asks Redis raises ``StoreUnavailable`` when it cannot be reached.
    """

    def __init__(
        self,
        scripts: ScriptRunner,
        *,
        name_key: bytes,
        letter_keys: Keys,
        offset_seconds: Callable[[], float] = lambda: 0.0,
    ) -> None:
        """``name_key`` names messages, ``letter_keys`` seal what they were."""
        self._scripts = scripts
        self._name_key = name_key
        self._letter_keys = letter_keys
        self._offset_seconds = offset_seconds

    def id_of(self, vendor: str, message_id: str) -> str:
        """Return the name that a vendor's message has in Redis."""
        return mac_text(self._name_key, "message", vendor, message_id, size=_ID_BYTES)

    def link_call(self, id_: str, tracked: Tracked) -> Call:
        """Return the call that remembers a message, to be run with others."""
        message = {
            "tag": tracked.verification.tag,
            "part": tracked.verification.part,
            "attempt": tracked.attempt,
            "channel": tracked.channel,
            "region": tracked.region,
            "vendor": tracked.vendor,
            "letter": self._seal(id_, tracked.letter),
        }
        return self._call(_LINK, id_, {"ttl_ms": _KEEP_MS, "message": message})

    def read_early(self, reply: Reply) -> list[Receipt]:
        """Return the receipts that came before the message was known."""
        return [_read_receipt(it) for it in reply.get("early") or ()]

    def find(self, vendor: str, receipt: Receipt) -> Tracked | None:
        """Return the message that a receipt is about.

        None for an unknown one: the receipt waits until the message is known.
        """
        return self._find(self.id_of(vendor, receipt.message_id), receipt)

    def wait_call(self, id_: str, channel: Channel, seconds: float) -> Call:
        """Return the call that has a message looked at again, to be run with others."""
        arguments = {
            "wait_ms": int(seconds * 1000),
            "ttl_ms": _KEEP_MS,
            "member": id_,
        }
        return self._list_call(_WAIT, channel, arguments)

    def claim_due(self, channel: Channel) -> list[str]:
        """Take what is to be looked at now; nobody else gets it for a while."""
        arguments = {"most": _MOST_DUE, "lease_ms": _LEASE_MS}
        reply = self._scripts.run(self._list_call(_CLAIM, channel, arguments))
        return list(reply.get("members") or ())

    def is_done(self, channel: Channel, id_: str) -> None:
        """Say that a message needs no other look."""
        self._scripts.run(self._list_call(_DONE, channel, {"member": id_}))

    def look_up(self, id_: str) -> Tracked | None:
        """Return a message by its name here; None when it is forgotten."""
        return self._find(id_)

    def _find(self, id_: str, receipt: Receipt | None = None) -> Tracked | None:
        arguments: dict[str, Any] = {"early_ms": _EARLY_MS}
        if receipt is not None:
            arguments["receipt"] = _write_receipt(receipt)
        reply = self._scripts.run(self._call(_RECEIVE, id_, arguments))
        message = reply.get("message")
        if message is None:
            return None
        try:
            letter = self._unseal(id_, message["letter"])
        except ValueError:
            # Sealed with another secret: its verification is dead, too. Or about a
            # number that nobody has by now.
            return None
        return Tracked(
            verification=VerificationId(message["tag"], message["part"]),
            attempt=message["attempt"],
            channel=message["channel"],
            region=message["region"],
            vendor=message["vendor"],
            letter=letter,
            age_seconds=reply["age_ms"] / 1000,
        )

    def _call(self, script: Script, id_: str, arguments: dict[str, Any]) -> Call:
        return self._with_offset(script, f"msg:{{{id_}}}", arguments)

    def _list_call(
        self, script: Script, channel: Channel, arguments: dict[str, Any]
    ) -> Call:
        return self._with_offset(script, f"waiting:{{{channel}}}", arguments)

    def _with_offset(self, script: Script, key: str, arguments: dict[str, Any]) -> Call:
        arguments["offset_ms"] = int(self._offset_seconds() * 1000)
        return Call(script, [key], arguments)

    def _seal(self, id_: str, letter: Letter) -> str:
        phone = letter.phone
        fields = (
            phone.e164,
            phone.region,
            phone.country_code,
            letter.storefront,
            letter.locale,
            letter.client,
        )
        return seal(self._letter_keys, orjson.dumps(fields).decode(), context=id_)

    def _unseal(self, id_: str, sealed: str) -> Letter:
        fields = orjson.loads(unseal(self._letter_keys, sealed, context=id_))
        e164, region, country_code, storefront, locale, client = fields
        return Letter(
            # The kind follows from the number. More fields than these six would be
            # none of ours to a worker of the version before, in a rolling upgrade.
            phone=PhoneNumber(e164, region, country_code, kind_of(e164)),
            storefront=storefront,
            locale=locale,
            client=client,
        )


def _write_receipt(receipt: Receipt) -> dict[str, Any]:
    """Write down a receipt, without the vendor's id: nobody knows what that holds."""
    written: dict[str, Any] = {
        "status": receipt.status,
        "vendor_code": receipt.vendor_code,
    }
    if receipt.price is not None:
        written["price"] = receipt.price
        written["currency"] = receipt.currency
    if receipt.failure is not None:
        written["reason"] = receipt.failure.reason
        written["scope"] = receipt.failure.scope
    return written


def _read_receipt(written: dict[str, Any]) -> Receipt:
    failure = None
    if "reason" in written:
        failure = Failure(Reason(written["reason"]), Scope(written["scope"]))
    return Receipt(
        message_id="",
        status=written["status"],
        failure=failure,
        vendor_code=written["vendor_code"],
        price=written.get("price"),
        currency=written.get("currency", ""),
    )
