"""Forms and answers of the OAuth routes, as the OpenAPI document shows them."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from backend.schemas.body import Body, Problem


class Form(BaseModel):
    """A form; parameters that are not named here are passed over (RFC 6749 3.2)."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    client_assertion_type: Annotated[
        Literal["urn:ietf:params:oauth:client-assertion-type:jwt-bearer"] | None,
        Field(description="With client_assertion: private_key_jwt (RFC 7523)."),
    ] = None
    client_assertion: Annotated[
        str | None,
        Field(description="A JWT by which a service client proves who it is."),
    ] = None


class TokenRequest(Form):
    """Renew a session, or get a service token."""

    grant_type: Literal["refresh_token", "client_credentials"]
    refresh_token: Annotated[
        str | None,
        Field(description="With grant_type refresh_token; without it the cookie."),
    ] = None
    scope: Annotated[
        str | None,
        Field(description="Fewer scopes than were granted, with spaces between."),
    ] = None
    client_id: Annotated[
        str | None, Field(description="Whose the session must be, if given.")
    ] = None


class TokenQuestion(Form):
    """Ask about a token, or end it."""

    token: Annotated[str, Field(min_length=1, description="Any token of ours.")]
    token_type_hint: Annotated[
        str | None, Field(description="Passed over: tokens tell what they are.")
    ] = None


class IntrospectRequest(TokenQuestion):
    """Ask about a token."""


class RevokeRequest(TokenQuestion):
    """End the session of a token."""


class TokenResponse(Body):
    """A new access token (RFC 6749 5.1)."""

    access_token: str
    token_type: Literal["Bearer"]
    expires_in: Annotated[int, Field(description="Seconds.")]
    scope: str
    refresh_token: Annotated[
        str | None,
        Field(description="The next one; the one before is used up. Not by cookie."),
    ] = None
    refresh_expires_in: Annotated[
        int | None, Field(description="Seconds, unless it is used before.")
    ] = None


class IntrospectResponse(Body):
    """The live truth about a token (RFC 7662 2.2); ``active`` alone if it is none."""

    active: bool
    token_type: Annotated[
        str | None, Field(description="Bearer, or refresh_token: no access token.")
    ] = None
    scope: str | None = None
    client_id: str | None = None
    sub: str | None = None
    aud: str | None = None
    iss: str | None = None
    exp: Annotated[int | None, Field(description="Unix seconds.")] = None
    iat: Annotated[int | None, Field(description="Unix seconds.")] = None
    jti: str | None = None
    sid: Annotated[str | None, Field(description="The session.")] = None
    auth_time: Annotated[int | None, Field(description="The login.")] = None
    amr: list[str] | None = None
    acr: str | None = None
    roles: Annotated[
        list[str] | None, Field(description="As they are now, not at login.")
    ] = None
    phone_number: Annotated[
        str | None, Field(description="E.164; only with scope phone.")
    ] = None
    phone_number_verified: bool | None = None


class MetadataResponse(BaseModel):
    """What a stock OAuth client needs to know of us (RFC 8414)."""

    issuer: str
    token_endpoint: str
    introspection_endpoint: str
    revocation_endpoint: str
    jwks_uri: str
    grant_types_supported: list[str]
    response_types_supported: list[str]
    scopes_supported: list[str]
    service_documentation: str
    token_endpoint_auth_methods_supported: list[str]
    token_endpoint_auth_signing_alg_values_supported: list[str]
    introspection_endpoint_auth_methods_supported: list[str]
    introspection_endpoint_auth_signing_alg_values_supported: list[str]
    revocation_endpoint_auth_methods_supported: list[str]
    revocation_endpoint_auth_signing_alg_values_supported: list[str]


class OAuthProblem(Problem):
    """An error of an OAuth route (RFC 6749 5.2), with all that our problems have."""

    error: Annotated[str, Field(description="The code, by OAuth's name.")]
    error_description: str
