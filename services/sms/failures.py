"""What a vendor's error means, from its table or from the HTTP status alone."""

import re
from http import HTTPStatus

from services.sms.provider import (
    Ambiguous,
    Failure,
    ProviderFailure,
    Reason,
    Refused,
    Scope,
    Unavailable,
)

RECIPIENT = Failure(Reason.RECIPIENT, Scope.NUMBER)
ABSENT = Failure(Reason.ABSENT, Scope.NUMBER)
OPTED_OUT = Failure(Reason.OPTED_OUT, Scope.NUMBER)
FRAUD = Failure(Reason.FRAUD, Scope.NUMBER)
ACCOUNT = Failure(Reason.ACCOUNT, Scope.PROVIDER)
ACCOUNT_COUNTRY = Failure(Reason.ACCOUNT, Scope.COUNTRY)
ACCOUNT_NUMBER = Failure(Reason.ACCOUNT, Scope.NUMBER)
CONTENT = Failure(Reason.CONTENT, Scope.COUNTRY)
TRANSIENT = Failure(Reason.TRANSIENT, Scope.PROVIDER)
TRANSIENT_COUNTRY = Failure(Reason.TRANSIENT, Scope.COUNTRY)
TRANSIENT_NUMBER = Failure(Reason.TRANSIENT, Scope.NUMBER)
UNCLEAR = Failure(Reason.TRANSIENT, Scope.UNKNOWN)
AMBIGUOUS = Failure(Reason.AMBIGUOUS, Scope.PROVIDER)

# What a status says that comes without a vendor's code, or with an unknown one.
_STATUSES: dict[int, Failure] = {
    HTTPStatus.UNAUTHORIZED: ACCOUNT,
    HTTPStatus.NOT_FOUND: ACCOUNT,  # The address in our settings is wrong.
    HTTPStatus.REQUEST_TIMEOUT: TRANSIENT,  # RFC 9110 15.5.9: request not complete.
    HTTPStatus.TOO_MANY_REQUESTS: TRANSIENT,
    # The vendor itself says that it failed; no gateway gave up on it.
    HTTPStatus.INTERNAL_SERVER_ERROR: TRANSIENT,
    HTTPStatus.SERVICE_UNAVAILABLE: TRANSIENT,  # 15.6.4: unable to handle it now.
}

# The longest in any table have five.
_MAX_CODE_DIGITS = 6

# No digits: a number or a code cannot pass for one.
_WORD = re.compile(r"[A-Za-z][A-Za-z_]{1,79}")


def error_for(failure: Failure, vendor_code: str) -> ProviderFailure:
    """Make the exception that a failure is raised as."""
    match failure.reason:
        case Reason.RECIPIENT | Reason.ABSENT | Reason.OPTED_OUT | Reason.FRAUD:
            kind: type[ProviderFailure] = Refused
        case Reason.AMBIGUOUS:
            kind = Ambiguous
        case _:
            kind = Unavailable
    return kind(failure.reason, failure.scope, vendor_code)


def error_for_status(
    status: int, vendor_code: int | str | None = None
) -> ProviderFailure:
    """Make the exception for an HTTP status, when its code is absent or unknown."""
    shown = f"http_{status}" if vendor_code is None else str(vendor_code)
    return error_for(_failure_for_status(status), shown)


def read_code(value: object) -> int | None:
    """Read a vendor's error code, which some send as text; None if it is none."""
    if isinstance(value, str) and value.isascii() and value.isdecimal():
        value = int(value[:_MAX_CODE_DIGITS])
    if isinstance(value, bool) or not isinstance(value, int):
        return None
    return value if 0 < value < 10**_MAX_CODE_DIGITS else None


def read_word(value: object) -> str | None:
    """Read a vendor's error code where it is a word; None if it is none."""
    return value if isinstance(value, str) and _WORD.fullmatch(value) else None


def _failure_for_status(status: int) -> Failure:
    known = _STATUSES.get(status)
    if known is not None:
        return known
    if (
        status >= HTTPStatus.INTERNAL_SERVER_ERROR
        or status < HTTPStatus.MULTIPLE_CHOICES
    ):
        # A gateway gave up waiting, or it says yes in words that we do not understand:
        # the message may have been taken before.
        return AMBIGUOUS
    # A redirect is never followed with a code in the body: our address is wrong. Other
    # 4xx: something is not right with this account, this country or this number.
    return ACCOUNT if status < HTTPStatus.BAD_REQUEST else UNCLEAR
