"""What every body is made of: strict objects, what may be done next, errors."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field


class Body(BaseModel):
    """A JSON object with these fields and no others, of these types exactly."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


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


class FieldError(Body):
    """What is wrong with one field."""

    field: str
    message: str


class AltchaChallenge(Body):
    """A proof of work, as the altcha libraries read it (their version 2)."""

    type: Literal["altcha"]
    expires_in: Annotated[int, Field(description="Seconds.")]
    parameters: Annotated[
        dict[str, Any], Field(description="How to derive which key, and what we keep.")
    ]
    signature: str


class CaptchaChallenge(Body):
    """What the page hands to the vendor's widget; its token is the solution."""

    type: Literal["turnstile", "hcaptcha", "recaptcha"]
    site_key: str
    action: str | None = None
    cdata: Annotated[
        str | None, Field(description="Turnstile: binds the token to this send.")
    ] = None


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
    challenge: Annotated[
        AltchaChallenge | CaptchaChallenge | None,
        Field(
            description="To solve; the solution goes into challenge_solution of the"
            " next send-otp, within ten minutes."
        ),
    ] = None
    errors: list[FieldError] | None = None
    next: Next | None = None
