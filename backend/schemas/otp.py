"""Send a code, check it, ask how it stands: what goes in and comes out."""

from ipaddress import ip_address
from typing import Annotated, Literal

import phonenumbers
from pydantic import AfterValidator, Field

from backend.schemas.body import Body, Next
from backend.schemas.kept_text import kept_text
from services.otp.codes import Purpose
from services.otp.records import State
from services.sms.provider import Channel


def _known_region(region: str) -> str:
    if region not in phonenumbers.SUPPORTED_REGIONS:
        message = "not a country code of ISO 3166"
        raise ValueError(message)
    return region


def _ip_address(text: str) -> str:
    try:
        ip_address(text)
    except ValueError:
        message = "not an IPv4 or IPv6 address"
        raise ValueError(message) from None
    return text


# 64 characters are room for every spelling of a number; the length of what the pattern
# of a verification id allows is fixed.
PhoneText = Annotated[
    str,
    Field(
        min_length=1,
        max_length=64,
        description="A phone number, best in E.164. Without + the country applies.",
        examples=["+919876543210"],
        json_schema_extra={"format": "phone"},
    ),
]


VerificationIdText = Annotated[
    str,
    Field(
        min_length=1,
        max_length=64,
        description="The id that send-otp answered with.",
        json_schema_extra={"format": "verification-id"},
    ),
]


CountryText = Annotated[
    str,
    Field(
        pattern="^[A-Z]{2}$",
        description="ISO 3166 country for a number without +.",
        examples=["IN"],
        json_schema_extra={"format": "country"},
    ),
    AfterValidator(_known_region),
]


EndUserIp = Annotated[
    str,
    Field(
        max_length=64,
        description="With a service token of scope otp:send: the address of the person"
        " that the service acts for. Limits count it instead of the service's own.",
        examples=["203.0.113.7"],
        json_schema_extra={"format": "end-user-ip"},
    ),
    AfterValidator(_ip_address),
]


CodeText = Annotated[
    str,
    Field(
        pattern="^[0-9]{6}([0-9]{2})?$",
        description="The code: as many digits as code_length said.",
        examples=["123456"],
    ),
]


SessionMode = Annotated[
    Literal["token", "cookie"],
    Field(
        description="Where the refresh token goes: into the body, or into a cookie"
        " that no script can read."
    ),
]


# The longest that we make is under 200 characters.
RefreshTokenText = Annotated[str, Field(min_length=1, max_length=400)]


class SendOtpRequest(Body):
    """Ask for a code. With ``verification_id``: send the same code again."""

    phone: PhoneText
    country: CountryText | None = None
    channel: (
        Annotated[
            Channel,
            Field(description="Without it the service chooses, mostly sms."),
        ]
        | None
    ) = None
    purpose: Annotated[
        Purpose, Field(description="change: to move an account to this number.")
    ] = "login"
    locale: (
        Annotated[
            str,
            Field(
                pattern="^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8}){0,3}$",
                description="Language of the text (BCP 47); without it "
                "Accept-Language counts, then the number's country.",
                examples=["en-IN"],
            ),
        ]
        | None
    ) = None
    client: (
        Annotated[
            Literal["web", "android", "ios", "other"],
            Field(
                description="What asks: decides how the text helps to fill the code in."
            ),
        ]
        | None
    ) = None
    verification_id: VerificationIdText | None = None
    end_user_ip: EndUserIp | None = None
    challenge_solution: (
        Annotated[
            str,
            Field(
                min_length=1,
                max_length=3_000,
                description="What solves the challenge of a challenge_required answer.",
            ),
        ]
        | None
    ) = None
    device_token: (
        Annotated[
            str,
            Field(
                min_length=1,
                max_length=200,
                description="From the last login of this phone on this device: what"
                " strangers ask for then does not use up what this device may.",
            ),
        ]
        | None
    ) = None
    device_id: (
        Annotated[
            str,
            Field(
                pattern="^[!-~]{1,128}$",
                description="The app's own id of this device: a hint, no proof.",
            ),
        ]
        | None
    ) = None
    platform: (
        Annotated[
            str,
            Field(
                pattern="^[a-z0-9_.-]{1,32}$",
                description="Such as ios or web: a hint, no proof.",
            ),
        ]
        | None
    ) = None


class VerifyOtpRequest(Body):
    """Submit the code that the person typed."""

    verification_id: VerificationIdText
    phone: PhoneText
    country: CountryText | None = None
    otp: CodeText
    end_user_ip: EndUserIp | None = None
    session: SessionMode = "token"
    scope: (
        Annotated[
            Literal["phone"],
            Field(description="phone: the access tokens name the phone number, too."),
        ]
        | None
    ) = None
    device_name: (
        Annotated[
            str,
            Field(
                min_length=1,
                max_length=40,
                description="What the list of sessions calls this device; without it"
                " the kind of browser counts. It is kept as it is, so no phone number.",
                examples=["Asha's phone"],
                json_schema_extra={"format": "device-name"},
            ),
            AfterValidator(kept_text),
        ]
        | None
    ) = None


class Delivery(Body):
    """How the last message fares."""

    status: Annotated[
        str,
        Field(
            description="accepted (by a vendor), sent, delivered, undelivered or "
            "unknown (as receipts say), console (printed, development only) or test (a "
            "test number: nothing is sent)."
        ),
    ]
    channel: Annotated[
        Channel, Field(description="How it went: SMS may follow WhatsApp.")
    ]
    attempt: Annotated[int, Field(ge=0, description="Which message this was.")]


class SendOtpResponse(Body):
    """A code is on its way."""

    verification_id: str
    phone: Annotated[str, Field(description="Masked.")]
    purpose: Purpose
    channel: Channel
    expires_in: Annotated[int, Field(ge=0, description="Seconds.")]
    code_length: int
    attempts_left: Annotated[int, Field(ge=0)]
    delivery: Delivery
    next: Next


class LoggedInUser(Body):
    """The person who just logged in."""

    id: Annotated[str, Field(description="Opaque and stable; never the number.")]
    phone: Annotated[str, Field(description="E.164.")]
    roles: list[str]
    first_login: Annotated[
        bool, Field(description="No login of this phone in the last 90 days.")
    ]


class LoginResponse(Body):
    """The person is logged in: the code was right, and this is a new session."""

    verified: Literal[True]
    access_token: str
    token_type: Literal["Bearer"]
    expires_in: Annotated[int, Field(description="Seconds.")]
    refresh_token: Annotated[
        str | None, Field(description="Not there in cookie mode.")
    ] = None
    refresh_expires_in: Annotated[
        int, Field(description="Seconds, if it is not used until then.")
    ]
    device_token: Annotated[
        str, Field(description="For the next send-otp of this phone on this device.")
    ]
    user: LoggedInUser


class VerificationResponse(Body):
    """The code was right (purpose ``verify``): a signed receipt for other services."""

    verified: Literal[True]
    verification_token: str
    expires_in: Annotated[int, Field(description="Seconds.")]


class StatusResponse(Body):
    """How a verification stands."""

    state: State
    expires_in: Annotated[int, Field(ge=0, description="Seconds of life left.")]
    attempts_left: Annotated[int, Field(ge=0)]
    delivery: Delivery | None
    next: Next
