"""What the service says of itself: its health, its keys, what it is."""

from typing import Annotated, Literal

from pydantic import ConfigDict, Field

from backend.schemas.body import Body

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


class JwksResponse(Body):
    """The keys that verify our tokens (RFC 7517)."""

    keys: list[dict[str, object]]
