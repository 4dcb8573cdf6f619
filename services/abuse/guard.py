"""Which shared limits bind which action, and what they leave for the next one.

Units are taken before the phone's own limits are asked. When those refuse, or no vendor
takes the message, they are given back; a crash in between counts too much, never too
little.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

from services.abuse.limits import Limit, Limits, Quota, Standing, Use, Windows
from services.errors import RateLimited
from services.events import Emit, LimitReached
from services.scripts import Call, Reply, ScriptRunner
from utils.crypto import mac_text
from utils.phone import PhoneNumber

# A warning is read once, and whoever makes us send it again wants to annoy.
_NOTICES = Limit("notices_per_phone", ((1, 3_600),))

# 96 bits: enough that two subjects never share a counter.
_SUBJECT_BYTES = 12


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks: the network (IPv4 address or IPv6 /64) and the storefront.

    The network of who asks through a service has that service's id before it.
    """

    network: str
    storefront: str


@dataclass(frozen=True, slots=True)
class SharedLimits:
    """Windows (count, seconds) of each limit; an empty one is off."""

    sends_per_ip: Windows = ((10, 600), (30, 3_600), (100, 86_400))
    sends_per_prefix: Windows = ((10, 600), (30, 3_600))
    sends_global: Windows = ()
    calls_per_prefix: Windows = ((5, 3_600),)
    calls_global: Windows = ((100, 3_600),)
    wrong_checks_per_ip: Windows = ((20, 600), (50, 3_600))
    wrong_checks_global: Windows = ((2_000, 3_600),)


@dataclass(slots=True)
class Room:
    """What the shared limits leave: seconds to wait, and the caller's own quotas.

    ``taken_at_ms``, by Redis's clock, is when units were taken, and ``took_call``
    whether of those on calls, too.
    """

    send_wait: int = 0
    call_wait: int = 0
    check_wait: int = 0
    quotas: Sequence[Quota] = ()
    taken_at_ms: int = 0
    took_call: bool = False


class SharedLimitReached(RateLimited):
    """A shared limit has no unit left; ``room`` is how all of them stand."""

    def __init__(self, limit: str, retry_after: int, room: Room) -> None:
        super().__init__(limit=limit, retry_after=retry_after)
        self.room = room


class Guard:
    """Admits sends and checks by the shared limits. Safe to share between threads.

    Every method that asks Redis raises ``StoreUnavailable`` when it cannot be reached.
    """

    def __init__(
        self,
        scripts: ScriptRunner,
        limits: SharedLimits,
        *,
        key: bytes,
        tag_of: Callable[[str], str],
        emit: Emit,
        offset_seconds: Callable[[], float] = lambda: 0.0,
    ) -> None:
        """``key`` turns addresses and prefixes into what Redis may hold.

        ``tag_of`` names a phone, for events.
        """
        self._scripts = scripts
        self._key = key
        self._tag_of = tag_of
        self._emit = emit
        self._counters = Limits(offset_seconds=offset_seconds)
        self._send_limits = _switched_on(
            limits, "sends_per_ip", "sends_per_prefix", "sends_global"
        )
        self._call_limits = _switched_on(limits, "calls_per_prefix", "calls_global")
        self._check_limits = _switched_on(
            limits, "wrong_checks_per_ip", "wrong_checks_global"
        )

    def admit_send(
        self, caller: Caller | None, phone: PhoneNumber, *, by_voice: bool = False
    ) -> Room:
        """Take a unit of every send limit; without a caller, of those that are shared.

        ``by_voice``: of those on calls, too.

        Raises:
            SharedLimitReached: one of them has none left; nothing was taken of any.
        """
        taking = {"send", "call"} if by_voice else {"send"}
        reply, standings = self._run(self._uses(caller, phone, taking=taking))
        room = _room(standings)
        room.taken_at_ms, room.took_call = reply["at_ms"], by_voice
        if not reply["taken"]:
            sends = [it for it in standings if it.use.take]
            raise self._refusal("send", phone, sends, room)
        for it in standings:
            if it.use.limit.name == "sends_per_ip":
                room.quotas = it.quotas()
        return room

    def admit_check(self, caller: Caller, phone: PhoneNumber) -> Room:
        """See whether wrong checks are left; none is taken until one is wrong.

        So checks that are under way at the same time may overshoot these limits by
        their number; those of the phone and the verification they cannot.

        Raises:
            SharedLimitReached: too many wrong checks from here, or in all.
        """
        _, standings = self._run(self._uses(caller, phone))
        room = _room(standings)
        if room.check_wait:
            checks = [it for it in standings if it.use.limit in self._check_limits]
            raise self._refusal("check", phone, checks, room)
        return room

    def count_wrong_check(
        self, caller: Caller, phone: PhoneNumber, *, evaluated: bool
    ) -> Room:
        """Count a wrong check against the caller, and if evaluated against all.

        One that met no live verification cannot take an account, but it can ask
        whether there is one: that has its limit, and none for others.
        """
        uses = self._uses(caller, phone, taking={"check"})
        for use in uses:
            use.take = use.take and (evaluated or bool(use.subject))
        return _room(self._run(uses, force=True)[1])

    def give_back(
        self, caller: Caller | None, phone: PhoneNumber, room: Room, *, to_caller: bool
    ) -> None:
        """Return the units that ``room`` took for a send that did not take place.

        Those of the number's block and of all, or anybody could use them up at no cost
        by asking in vain; the caller's own only if the refusal was not for the caller.
        """
        taking = {"send", "call"} if room.took_call else {"send"}
        uses = self._uses(caller, phone, taking=taking)
        network = self._subject(caller.network) if caller else ""
        for use in uses:
            own = caller is not None and use.subject == network
            use.take = use.take and (to_caller or not own)
        self._scripts.run(self._counters.call(uses, returning=room.taken_at_ms))

    def admit_notice(self, phone: PhoneNumber) -> bool:
        """Take the one notice that a phone may get in an hour; False: it had it.

        Notices are no sends: they neither need nor take a unit of those limits.
        """
        uses = [Use(_NOTICES, self._subject(phone.e164), take=True)]
        return bool(self._run(uses)[0]["taken"])

    def look(self, caller: Caller) -> tuple[Call, Callable[[Reply], Room]]:
        """Return a call that only looks, and how to read its answer.

        Without the phone the limit on its prefix cannot be seen.
        """
        uses = self._uses(caller, None)
        return self._counters.call(uses), lambda reply: _room(
            self._counters.read(uses, reply)
        )

    def _run(
        self, uses: Sequence[Use], *, force: bool = False
    ) -> tuple[Reply, list[Standing]]:
        reply = self._scripts.run(self._counters.call(uses, force=force))
        return reply, self._counters.read(uses, reply)

    def _refusal(
        self,
        action: str,
        phone: PhoneNumber,
        standings: Sequence[Standing],
        room: Room,
    ) -> SharedLimitReached:
        binding = max(standings, key=lambda it: it.wait_seconds)
        limit, wait = binding.use.limit.name, max(1, binding.wait_seconds)
        self._emit(LimitReached(limit, action, wait, self._tag_of(phone.e164)))
        return SharedLimitReached(limit, wait, room)

    def _uses(
        self,
        caller: Caller | None,
        phone: PhoneNumber | None,
        *,
        taking: Collection[str] = (),
    ) -> list[Use]:
        """Every limit that binds, because an answer tells of all (``next``)."""
        subjects = {"global": ""}
        if caller is not None:
            subjects["ip"] = self._subject(caller.network)
        if phone is not None:
            subjects["prefix"] = self._subject(phone.prefix)
        return [
            Use(limit, subjects[scope], take=action in taking)
            for action, limits in (
                ("send", self._send_limits),
                ("call", self._call_limits),
                ("check", self._check_limits),
            )
            for limit, scope in limits.items()
            if scope in subjects
        ]

    def _subject(self, text: str) -> str:
        return mac_text(self._key, "subject", text, size=_SUBJECT_BYTES)


def _switched_on(limits: SharedLimits, *names: str) -> dict[Limit, str]:
    """Return the limits that are on, each with its scope: what it is counted by."""
    return {
        Limit(name, windows): name.rpartition("_")[2]
        for name in names
        if (windows := getattr(limits, name))
    }


def _room(standings: Sequence[Standing]) -> Room:
    room = Room()
    for it in standings:
        if it.use.limit.name.startswith("sends"):
            room.send_wait = max(room.send_wait, it.wait_seconds)
        elif it.use.limit.name.startswith("calls"):
            room.call_wait = max(room.call_wait, it.wait_seconds)
        else:
            room.check_wait = max(room.check_wait, it.wait_seconds)
    return room
