"""What binds whom, as the settings say it."""

from collections.abc import Mapping
from dataclasses import replace

from config.config import Settings
from config.limits import Limits
from config.money import BySubject
from services.abuse.rules import RULES, Rule
from services.otp.number_policy import NumberPolicy
from services.otp.numbers import Numbers, TestRange
from services.otp.records import PhoneLimits
from utils.clock import Clock


def numbers_of(settings: Settings, clock: Clock) -> Numbers:
    """Return the numbers that we send to."""
    return Numbers(
        default_region=settings.default_country,
        policy=number_policy_of(settings),
        test_ranges=[
            TestRange(first=it.first, last=it.last, code=it.code)
            for it in settings.test_numbers
        ],
        test_until=settings.test_numbers_until,
        clock=clock,
    )


def number_policy_of(settings: Settings) -> NumberPolicy:
    """Return which of them on which channel; who may be called, the routes know too."""
    rules = settings.number_policy_file
    if rules is None:
        return NumberPolicy.allowing(settings.allowed_countries)
    return NumberPolicy(rules.countries, rules.types)


def phone_limits_of(settings: Settings) -> PhoneLimits:
    """Return what one phone may do."""
    return PhoneLimits(
        life=settings.code_ttl_seconds,
        max_checks=settings.code_max_checks,
        max_live=settings.live_verifications_per_phone,
        cooldowns=settings.resend_cooldowns,
        sends=settings.sends_per_phone,
        wrongs=settings.wrong_checks_per_phone,
        locks=settings.lock_ladder,
    )


def rules_of(settings: Settings, *, with_calls: bool = True) -> Mapping[str, Rule]:
    """Return every rule against abuse, as strict as the settings make it.

    Off are those without windows, which would bind nobody, and where no vendor can call
    (not ``with_calls``) those on calls: they would only cost time.
    """
    modes = dict(settings.rule_modes)
    found: dict[str, Rule] = {}
    for name, definition in RULES.items():
        rule = definition.default
        if definition.kind != "conversion":
            rule = _rule(rule, getattr(settings, name))
        off = definition.action == "call" and not with_calls
        mode = "off" if off or rule.mode == "off" else modes.get(name, rule.mode)
        found[name] = replace(rule, mode=mode)
    return found


def _rule(default: Rule, limits: Limits | BySubject) -> Rule:
    mode = default.mode if limits else "off"
    if isinstance(limits, BySubject):
        return Rule(mode, limits.limits, dict(limits.special))
    return Rule(mode, limits)
