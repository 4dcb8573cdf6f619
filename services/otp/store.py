"""A phone's record in Redis: verifications, send log, wrong checks, lock.

All that belongs to a phone is one JSON value, read and written whole by one script, so
every decision about a phone is atomic and in one Cluster slot.

Key ``otp:{<tag>}``, a string of JSON. ``tag`` is 16 characters of a keyed MAC of the
E.164 number. Times are Unix milliseconds by Redis's own clock.

A record has two budgets. What stands at its top is that of strangers; ``device`` is
that of devices which the phone logged in on, all together, with the fields ``sends`` to
``locked_until`` of its own. Whoever burns or locks one leaves the other as it is.

======================  ==============================================================
``sends``               times of sends, as far back as the longest window
``cooldown_until``      no send before
``streak``              sends since the last login or hour of calm: the cooldown's rung
``wrongs``              times of wrong checks, at least a day back
``in_a_row``            wrong checks since the last right one, while any of ``wrongs``
                        is remembered: the lock's rung
``since_right``         wrong checks since the last right one, over however many days:
                        at 100 nothing is sent or checked any more; absent for none
``locked_until``        no send and no check before
``device``              the budget of known devices; absent while nothing counts in it
``forgiven``            times of wrong checks that an unlock took out of ``wrongs``, of
                        both budgets, for a day; see locks.py
``logged_in_at``        last login, for 90 days
``known_since``         first login of this holder, to the second: what devices were
                        told before was somebody else's; absent where that is unknown
``closed``              channel -> [until, reason]: it cannot be reached there
                        (``unreachable``), or asked not to be (``opted_out``)
``verifications``       ``part`` of the id (purpose letter, 26 characters) -> object:
``.expires``            end of the code's life
``.left``               checks left
``.storefront``         who asked, as a keyed MAC
``.device``             a known device asked, and its budget binds; absent for strangers
``.uncounted``          none of its messages counts in the shared rules; absent if so
``.sends``              of each send accepted or under way, as planned until settled:
                        [provider, delivery status, channel, time of its admission,
                        vendor's message id] (the id only where the vendor takes
                        conversion reports)
``.channels``           the channels that this phone's country has
``.followed``           a failed message was followed by another: once is enough
``.state``              absent while pending; ``verified`` or ``exhausted``
``.first_login``        with ``verified``: no login was on record before
``.send_op .check_op``  the last requests, so that running one again changes nothing
======================  ==============================================================

TTL: 24 hours after the last write, or as long as the longest window or lock; 90 days
after the last login; 30 days with five wrong checks in a row, 400 days when disabled.

What a right code wins, a session mostly, is made in the same step, under other keys of
the slot. Which, and how, is not known here: a piece of Lua, ``on_win``, is given.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from services.otp.codes import VerificationId
from services.otp.records import (
    Attempt,
    Closing,
    PhoneLimits,
    Plan,
    Prize,
    Record,
    phone_key,
    read_record,
)
from services.scripts import Call, Script, ScriptRunner
from services.sms.provider import Channel

_HERE = Path(__file__).parent
_SHARED = _HERE / "phone.lua"
_START = Script.load(_SHARED, _HERE / "start.lua")
_SETTLE = Script.load(_SHARED, _HERE / "settle.lua")
_FORGET = Script.load(_SHARED, _HERE / "forget.lua")
_STATUS = Script.load(_SHARED, _HERE / "status.lua")
_FOLLOW = Script.load(_SHARED, _HERE / "follow.lua")
_NOTE = Script.load(_SHARED, _HERE / "note.lua")
_ERASE = Script.load(_HERE / "erase.lua")


class OtpStore:
    """The verifications of all phones. Safe to share between threads.

    Every method raises ``StoreUnavailable`` when Redis cannot be reached.
    """

    def __init__(
        self,
        scripts: ScriptRunner,
        *,
        on_win: Sequence[Path],
        offset_seconds: Callable[[], float] = lambda: 0.0,
    ) -> None:
        """Use ``scripts``; tests move Redis's time by ``offset_seconds``.

        ``on_win`` are the files that define it, as ``check.lua`` calls it.
        """
        self._scripts = scripts
        self._check = Script.load(_SHARED, *on_win, _HERE / "check.lua")
        self._offset_seconds = offset_seconds

    def start(
        self,
        attempt: Attempt,
        *,
        resend_of: str | None,
        plans: Sequence[Plan],
        channels: Sequence[Channel],
    ) -> Record:
        """Count a send and make the verification, or send again ``resend_of``.

        ``plans`` stand in the order of preference; ``channels`` are all that this
        phone's country has. Outcome ``started``, ``resent`` (same verification),
        ``limited``, ``closed`` (no channel of the plans reaches it), ``disabled`` or
        ``gone``; ``provider`` and ``channel`` of the answer are those least used so
        far. A new verification is bound by the known device's budget where the attempt
        has a ``device_at`` of this phone's holder, a resend by what bound the first.
        """
        arguments: dict[str, Any] = {
            "op": attempt.op,
            "id": attempt.id.part,
            "storefront": attempt.storefront,
            "plans": _in_lua(plans),
            "channels": channels,
            **attempt.about_send,
        }
        if resend_of is not None:
            arguments["resend_of"] = resend_of
        return self._run(_START, attempt.id.tag, attempt.limits, arguments)

    def settle(
        self,
        attempt: Attempt,
        *,
        sent: tuple[str, str, Channel] | None = None,
        keep_count: bool = False,
        keep_cooldown: bool = False,
        closings: Sequence[Closing] = (),
    ) -> Record:
        """Correct a start: another provider took it, or (without ``sent``) none did."""
        arguments: dict[str, Any] = {
            "op": attempt.op,
            "id": attempt.id.part,
            "keep_count": keep_count,
            "keep_cooldown": keep_cooldown,
        }
        if sent is not None:
            arguments["sent"] = sent
        if closings:
            arguments["close"] = [closing.argument for closing in closings]
        return self._run(_SETTLE, attempt.id.tag, attempt.limits, arguments)

    def follow(
        self,
        attempt: Attempt,
        *,
        number: int,
        status: str | None,
        closings: Sequence[Closing],
        plans: Sequence[Plan],
    ) -> Record:
        """Take down how message ``number`` fares, and plan another by ``plans``.

        Outcome ``moved``, ``followed`` (``provider``, ``channel`` and ``uses`` are of
        the message to send now), ``same`` or ``gone``.
        """
        arguments: dict[str, Any] = {
            "op": attempt.op,
            "id": attempt.id.part,
            "attempt": number,
            **attempt.about_send,
        }
        if status is not None:
            arguments["status"] = status
        if closings:
            arguments["close"] = [closing.argument for closing in closings]
        if plans:
            arguments["plans"] = _in_lua(plans)
        return self._run(_FOLLOW, attempt.id.tag, attempt.limits, arguments)

    def note_call(self, attempt: Attempt, *, number: int, message_id: str) -> Call:
        """Return the call that notes a vendor's message id, to be run with others."""
        arguments = {
            "id": attempt.id.part,
            "attempt": number,
            "message_id": message_id,
        }
        return self._call(_NOTE, attempt.id.tag, attempt.limits, arguments)

    def check(
        self,
        attempt: Attempt,
        *,
        prize: Prize | None,
    ) -> Record:
        """Decide one guess; a right one ends the verification and wins ``prize``.

        Without a prize the guess was wrong. Outcome ``verified``, ``wrong`` (both
        evaluated), ``exhausted``, ``locked``, ``disabled`` or ``gone``.
        """
        arguments: dict[str, Any] = {
            "op": attempt.op,
            "id": attempt.id.part,
            "storefront": attempt.storefront,
        }
        keys: Sequence[str] = ()
        if prize is not None:
            keys = prize.keys
            arguments["prize"] = prize.argument
        call = self._call(self._check, attempt.id.tag, attempt.limits, arguments, *keys)
        return read_record(self._scripts.run(replace(call, timely=True)))

    def forget_holder(self, tag: str, limits: PhoneLimits) -> None:
        """Drop a phone's verifications and its login; its limits stay.

        It is somebody else's now, or nobody's: who holds it next is new here.
        """
        self._scripts.run(self._call(_FORGET, tag, limits, {}))

    def erase(self, tag: str) -> None:
        """Drop all that is known of a phone, its limits too."""
        self._scripts.run(Call(_ERASE, [phone_key(tag)], {}))

    def status_call(self, verification: VerificationId, limits: PhoneLimits) -> Call:
        """Return the call that asks for a status, to be run with others."""
        return self._call(_STATUS, verification.tag, limits, {"id": verification.part})

    def newest_call(self, tag: str, limits: PhoneLimits) -> Call:
        """Return the call that asks for the status of a phone's newest verification."""
        return self._call(_STATUS, tag, limits, {})

    def _run(
        self,
        script: Script,
        tag: str,
        limits: PhoneLimits,
        arguments: dict[str, Any],
        *more_keys: str,
    ) -> Record:
        return read_record(
            self._scripts.run(self._call(script, tag, limits, arguments, *more_keys))
        )

    def _call(
        self,
        script: Script,
        tag: str,
        limits: PhoneLimits,
        arguments: dict[str, Any],
        *more_keys: str,
    ) -> Call:
        arguments["limits"] = limits.arguments
        arguments["offset_ms"] = int(self._offset_seconds() * 1000)
        return Call(script, [phone_key(tag), *more_keys], arguments)


def _in_lua(plans: Sequence[Plan]) -> list[tuple[Channel, Any]]:
    return [(plan.channel, plan.providers) for plan in plans]
