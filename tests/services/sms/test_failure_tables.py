"""What stops, opts out, or closes a vendor, written down once more.

From the vendors' pages that each table names, apart from the tables: a code that slips
into another row sends to somebody who said STOP, or closes a whole country.
"""

import importlib
from collections.abc import Iterator, Mapping

import pytest

from services.sms.provider import Failure, Reason, Scope

# https://www.twilio.com/docs/api/errors: what any product answers.
_TWILIO_ACCOUNT = "10001 20003 20004 20005 20008 20404 21219 21609"
_TWILIO_SENDER = "21212 21603 21604"
_TWILIO_RECIPIENT = "21211 21214 21217"

# vendor, or vendor and " receipts" -> "reason scope" -> codes
LABELS: Mapping[str, Mapping[str, str]] = {
    "twilio": {
        "absent number": "30003",
        "fraud number": "30450 60410",
        "opted_out number": "21610",
        "recipient number": (
            f"{_TWILIO_RECIPIENT} 21265 21266 21614 21635 30004 30005 30006"
        ),
        "account provider": f"{_TWILIO_ACCOUNT} 21607 21608 30002",
        "account country": (
            f"{_TWILIO_SENDER} 21408 21606 21659 21660 21703 21704 21705"
            " 30018 30024 30032 30034"
        ),
        "transient number": "14107 20001 21612",
    },
    "twilio_verify": {
        "fraud number": "60410 60605",
        "recipient number": f"{_TWILIO_RECIPIENT} 60006 60205",
        "account provider": f"{_TWILIO_ACCOUNT} 60204 60223",
        "account country": f"{_TWILIO_SENDER} 60220 60238",
        "transient number": "20001 60200 60202 60203 60212",
    },
    "twilio_voice": {
        "fraud number": "13225 21216",
        "recipient number": f"{_TWILIO_RECIPIENT} 13223 13224 13226 21202",
        "account provider": f"{_TWILIO_ACCOUNT} 10005",
        "account country": f"{_TWILIO_SENDER} 21201 21203 21210 21213",
        # The country, or a prefix in it: only the number is known to be in either.
        "transient number": "13227 20001 21215",
    },
    "fast2sms": {
        "recipient number": "411",
        "account provider": "412 413 414 415 416 990 996 999",
        "transient number": "995",
    },
    "msg91": {
        "recipient number": "202",
        "account provider": "106 201 207 208 301 302 303 418",
        "account country": "203",
        "transient number": "311",
    },
    "msg91 receipts": {"transient number": "17"},
    "vonage": {
        "recipient number": "7 33",
        "account provider": "4 8 9 11 14 23 29 32",
        "account country": "15",
        "transient number": "6",
        "transient unknown": "3",
    },
    "vonage receipts": {
        "absent number": "2 7",
        "opted_out number": "9",
        "recipient number": "3 4 13 14 15",
        "account country": "50 51 54",
        "transient number": "5 12",
    },
    "plivo": {
        "account provider": "401 404 405",
        "account country": "403",
        "transient unknown": "400",
    },
    "plivo receipts": {
        "absent number": "80",
        "fraud number": "451",
        "opted_out number": "200",
        "recipient number": "50 70",
        "account provider": "900 910",
        "account country": "40 450",
        "transient number": "60",
    },
    "infobip": {
        "fraud number": "87",
        "recipient number": "52",
        "account provider": "12 17 18 FORBIDDEN UNAUTHORIZED",
        "account country": "11 13",
        # What a network, a prefix or a list of Infobip's own has against one number.
        "transient number": "6 8 10 14 19 20",
        "transient unknown": "BAD_REQUEST",
    },
    "infobip receipts": {
        "absent number": "5 6 13 27 31 32 33 256",
        "fraud number": "608",
        "opted_out number": "603",
        "recipient number": "1 9 11 12 351 3041",
        "account country": "2053",
        "transient number": "2050 2052 4103 4104",
    },
    "messagebird": {
        "account provider": "2 20 25 98",
        "transient number": "101",
        "transient unknown": "21",
    },
    "messagebird receipts": {
        "absent number": "5 6 13 27 31 32 33",
        "opted_out number": "103",
        "recipient number": "1 9 11 12",
        "account country": "104",
    },
    "aws": {
        "fraud number": (
            "DESTINATION_COUNTRY_BLOCKED_BY_PROTECT_CONFIGURATION"
            " DESTINATION_PHONE_NUMBER_BLOCKED_BY_PROTECT_NUMBER_OVERRIDE"
        ),
        "opted_out number": "DESTINATION_PHONE_NUMBER_OPTED_OUT",
        "account provider": (
            "AccessDeniedException ExpiredTokenException IncompleteSignatureException"
            " InvalidSignatureException MissingAuthenticationTokenException"
            " OptInRequired ServiceQuotaExceededException UnknownOperationException"
            " UnrecognizedClientException ACCOUNT_DISABLED"
            " INSUFFICIENT_ACCOUNT_REPUTATION MONTHLY_SPEND_LIMIT_REACHED_FOR_TEXT"
            " DESTINATION_PHONE_NUMBER_NOT_VERIFIED CHANNEL_NOT_ENABLED"
        ),
        "account country": (
            "ResourceNotFoundException MESSAGE_TYPE_MISMATCH"
            " NUMBER_CAPABILITIES_MISMATCH RESOURCE_NOT_ACTIVE COUNTRY_CODE_MISMATCH"
            " COUNTRY_NOT_ENABLED DESTINATION_COUNTRY_BLOCKED"
            " INTERNATIONAL_SENDING_NOT_SUPPORTED INVALID_ARN"
            " INVALID_IDENTITY_FOR_DESTINATION_COUNTRY PRICE_OVER_THRESHOLD"
            " RESOURCE_NOT_ACCESSIBLE SENDER_ID_NOT_REGISTERED SENDER_ID_NOT_SUPPORTED"
            " SENDER_ID_REQUIRES_REGISTRATION"
        ),
        "transient unknown": "FIELD_VALIDATION_FAILED INVALID_PARAMETER",
    },
    "aws receipts": {
        "absent number": "TEXT_UNREACHABLE",
        "fraud number": "TEXT_PROTECT_BLOCKED",
        "recipient number": "TEXT_BLOCKED TEXT_INVALID",
    },
    "whatsapp": {
        "recipient number": "130472 131021 131026 131049 131050",
        "account provider": (
            "3 10 33 190 200 368 131005 131031 131037 131042 131045 133010"
        ),
        "account country": "130497",
        "account number": "131030",
        "transient number": "100 131056",
    },
    "webhook": {
        "absent number": "absent",
        "fraud number": "fraud",
        "opted_out number": "opted_out",
        "recipient number": "recipient",
        "account provider": "account",
    },
}

# Whatever has one of these effects on people or vendors must be in the list above.
_GRAVE = {
    Reason.RECIPIENT,
    Reason.ABSENT,
    Reason.OPTED_OUT,
    Reason.FRAUD,
    Reason.ACCOUNT,
}


def table_of(name: str) -> Mapping[str, Failure]:
    vendor, _, kind = name.partition(" ")
    module = importlib.import_module(f"services.sms.providers.{vendor}")
    table = module._RECEIPTS if kind else module._FAILURES
    return {str(code): failure for code, failure in table.items()}


def labels_of(name: str) -> Iterator[tuple[str, Failure]]:
    for label, codes in LABELS[name].items():
        reason, scope = label.split()
        for code in codes.split():
            yield code, Failure(Reason(reason), Scope(scope))


@pytest.mark.parametrize("name", LABELS)
def test_each_code_has_the_reason_and_the_reach_that_the_vendor_gives_it(
    name: str,
) -> None:
    table = table_of(name)

    assert {code: table.get(code) for code, _ in labels_of(name)} == dict(
        labels_of(name)
    )


@pytest.mark.parametrize("name", LABELS)
def test_no_other_code_stops_or_closes_anything(name: str) -> None:
    grave = {code for code, it in table_of(name).items() if it.reason in _GRAVE}

    assert grave - dict(labels_of(name)).keys() == set()
