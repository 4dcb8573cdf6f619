"""What binds whom, as the settings say it."""

from config.config import Settings
from services.abuse.guard import SharedLimits
from services.otp.numbers import Numbers, TestRange
from services.otp.records import PhoneLimits
from utils.clock import Clock


def numbers_of(settings: Settings, clock: Clock) -> Numbers:
    """Return the numbers that we send to."""
    return Numbers(
        default_region=settings.default_country,
        allowed_regions=settings.allowed_countries or (settings.default_country,),
        test_ranges=[
            TestRange(first=it.first, last=it.last, code=it.code)
            for it in settings.test_numbers
        ],
        test_until=settings.test_numbers_until,
        clock=clock,
    )


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


def shared_limits_of(settings: Settings, *, with_calls: bool) -> SharedLimits:
    """Return what many share."""
    # Where nobody can be called their limits would only cost time.
    return SharedLimits(
        sends_per_ip=settings.sends_per_ip,
        sends_per_prefix=settings.sends_per_prefix,
        sends_global=settings.sends_global,
        calls_per_prefix=settings.calls_per_prefix if with_calls else (),
        calls_global=settings.calls_global if with_calls else (),
        wrong_checks_per_ip=settings.wrong_checks_per_ip,
        wrong_checks_global=settings.wrong_checks_global,
    )
