"""Request and response bodies. The OpenAPI document is made from these models."""

from ipaddress import ip_address
from typing import Annotated, Literal

import phonenumbers
from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from services.otp.codes import Purpose
from services.otp.records import State
from services.sms.provider import Channel


def _known_region(region: str) -> str:
    if region not in phonenumbers.SUPPORTED_REGIONS:
        message = "not a country code of ISO 3166"
        raise ValueError(message)
    return region


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


class Body(BaseModel):
    """A JSON object with these fields and no others, of these types exactly."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


def _ip_address(text: str) -> str:
    try:
        ip_address(text)
    except ValueError:
        message = "not an IPv4 or IPv6 address"
        raise ValueError(message) from None
    return text


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


class Turn(Body):
    """Whether an action may be taken, and in how many seconds."""

    allowed: Annotated[
        bool,
        Field(description="False: waiting will not help, do something else first."),
    ]
    retry_in: Annotated[
        int | None,
        Field(ge=0, description="Seconds to wait; null where it does not apply."),
    ]


class Next(Body):
    """What the person may do next."""

    sms: Turn
    whatsapp: Turn
    voice: Turn
    check: Turn


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


class JwksResponse(Body):
    """The keys that verify our tokens (RFC 7517)."""

    keys: list[dict[str, object]]


Health = Literal["pass", "warn", "fail"]


class Check(Body):
    """One dependency's state."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True)

    status: Health
    component_type: Annotated[str, Field(serialization_alias="componentType")]
    output: str | None = None
    observed_value: Annotated[
        float | str | None, Field(serialization_alias="observedValue")
    ] = None
    observed_unit: Annotated[str | None, Field(serialization_alias="observedUnit")] = (
        None
    )


class HealthResponse(Body):
    """Health of the service (draft-inadarei-api-health-check-06)."""

    status: Health
    version: str
    service_id: Annotated[str, Field(serialization_alias="serviceId")]
    checks: dict[str, list[Check]]


class LiveResponse(Body):
    """The process runs."""

    status: Literal["pass"]


class AboutResponse(Body):
    """What this is."""

    name: str
    version: str
    documentation: str
    openapi: str
    jwks: str
    endpoints: list[str]


class FieldError(Body):
    """What is wrong with one field."""

    field: str
    message: str


class Problem(Body):
    """An error (RFC 9457, ``application/problem+json``)."""

    type: str
    title: str
    status: int
    code: str
    request_id: str
    detail: Annotated[str | None, Field(description="What to do about it.")] = None
    retry_after: Annotated[int | None, Field(description="Seconds.")] = None
    limit: Annotated[str | None, Field(description="The limit that was reached.")] = (
        None
    )
    attempts_left: int | None = None
    errors: list[FieldError] | None = None
    next: Next | None = None
