"""Which rules bind a send or a check, on which subjects, as the scripts read them."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from services.abuse.asking import Caller
from services.abuse.conversion import conversion_test
from services.abuse.keys import rule_key
from services.abuse.policy import EntryKind, Policy
from services.abuse.rules import RULES, Action, Rule, Scope
from utils.crypto import Keys, mac_text, seal, unseal
from utils.phone import PhoneNumber

# 96 bits: enough that two subjects never share a counter.
_SUBJECT_BYTES = 12

_NAME_CONTEXT = "abuse subject"

# What the operator's lists spare a caller or a phone.
_ALLOWED: Mapping[EntryKind, frozenset[Scope]] = {
    "phone": frozenset({"ip", "network", "device", "prefix", "country", "caller"}),
    "prefix": frozenset({"prefix"}),
    "country": frozenset({"country"}),
    "ip": frozenset({"ip", "network", "device"}),
}

_OWN: frozenset[Scope] = frozenset({"ip", "network", "device"})

# A device that the phone knows is bound by the phone's own limits, and these not.
_SPARED: frozenset[Scope] = frozenset({"ip", "network", "device", "prefix", "country"})


@dataclass(frozen=True, slots=True)
class Binding:
    """One rule on one subject: its key, and its document for the scripts."""

    name: str
    rule: Rule
    subject: str
    key: str
    document: Mapping[str, Any]


class Subjects:
    """Names subjects so that Redis learns no address and no part of a number."""

    def __init__(self, *, key: bytes, seal_keys: Keys) -> None:
        """``key`` names them for ever; ``seal_keys`` let the operator read a name."""
        self._key = key
        self._seal_keys = seal_keys

    def of(
        self, caller: Caller | None, phone: PhoneNumber | None, device_id: str = ""
    ) -> Mapping[Scope, tuple[str, str]]:
        """Return each scope's subject, and its name as the operator knows it."""
        found: dict[Scope, tuple[str, str]] = {"global": ("", "")}
        if caller is not None:
            found["ip"] = self.masked(caller.network), ""
            if caller.wider:
                found["network"] = self.masked(caller.wider), ""
            if caller.client:
                found["caller"] = caller.client, caller.client
        if device_id:
            found["device"] = self.masked(device_id), ""
        if phone is not None:
            found["prefix"] = self.masked(phone.prefix), phone.prefix
            found["country"] = phone.region, phone.region
        return found

    def masked(self, text: str) -> str:
        """Return what names a text in Redis."""
        return mac_text(self._key, "subject", text, size=_SUBJECT_BYTES)

    def sealed(self, name: str) -> str:
        """Return a name that only who has the secret can read."""
        return seal(self._seal_keys, name, context=_NAME_CONTEXT)

    def unsealed(self, sealed: str) -> str:
        """Return the name, or a question mark where its secret is gone."""
        try:
            return unseal(self._seal_keys, sealed, context=_NAME_CONTEXT)
        except ValueError:
            return "?"


class Bindings:
    """Finds the rules that bind. Safe to share between threads."""

    def __init__(self, subjects: Subjects, *, life_seconds: int) -> None:
        """``life_seconds`` is a code's."""
        self._subjects = subjects
        self._tests = {
            scope: conversion_test(scope, life_seconds)
            for scope in ("prefix", "country", "caller")
        }

    def of(
        self,
        policy: Policy,
        caller: Caller | None,
        phone: PhoneNumber | None,
        *,
        device_id: str = "",
        taking: Collection[Action] = (),
        kinds: Collection[str] = ("count",),
        allowed: Collection[EntryKind] = (),
    ) -> Sequence[Binding]:
        """Return every rule of ``kinds`` that binds; units are taken of ``taking``.

        ``allowed`` are the operator's lists that spare this caller or phone.
        """
        subjects = self._subjects.of(caller, phone, device_id)
        spared = frozenset[Scope]().union(*(_ALLOWED[it] for it in allowed))
        return list(self._binding(policy, subjects, taking, kinds, spared))

    def on(self, policy: Policy, scope: Scope, name: str) -> Sequence[Binding]:
        """Return the conversion rule of one subject, by the name operators know.

        A block of numbers is named by how they begin, a country by its code.
        """
        subject = self._subjects.masked(name) if scope == "prefix" else name
        found = {scope: (subject, name)}
        return list(self._binding(policy, found, (), ("conversion",), frozenset()))

    def _binding(
        self,
        policy: Policy,
        subjects: Mapping[Scope, tuple[str, str]],
        taking: Collection[Action],
        kinds: Collection[str],
        spared: frozenset[Scope],
    ) -> Iterator[Binding]:
        for name, definition in RULES.items():
            rule = policy.rules[name]
            scope, kind = definition.scope, definition.kind
            if (
                rule.mode == "off"
                or kind not in kinds
                or scope not in subjects
                or (scope in spared and kind != "money")
            ):
                continue
            subject, known_as = subjects[scope]
            windows = rule.windows_of(known_as)
            if not windows and kind != "conversion":
                continue
            document: dict[str, Any] = {
                "rule": name,
                "kind": kind,
                "mode": rule.mode,
                "part": definition.action,
                "scope": scope,
                "subject": subject,
                # Guesses are counted on checks and make sends harder.
                "take": ("send" if kind == "guessing" else definition.action) in taking,
                "own": definition.action == "send" and scope in _OWN,
                # What proves nothing refuses nobody.
                "asks": scope == "device",
                "spares": definition.action == "send" and scope in _SPARED,
                # Nobody is to obey a rule that only watches.
                "quota": name == "sends_per_ip" and rule.mode != "monitor",
                "windows": [[capacity, it * 1000] for capacity, it in windows],
            }
            if kind == "conversion":
                document["test"] = self._tests[scope]
                document["name"] = self._subjects.sealed(known_as)
            key = rule_key(kind, name, scope, subject)
            yield Binding(name, rule, known_as, key, document)
