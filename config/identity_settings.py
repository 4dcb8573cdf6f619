"""Sessions, keys that rotate, service clients, and what operators ask about people."""

from typing import Annotated

from pydantic import SecretStr
from pydantic_settings import BaseSettings

from config import fields
from config.clients import ServiceClientsFile, StorefrontAudiences


class IdentitySettings(BaseSettings):
    """What a won login leaves behind, and who may ask about it."""

    # Accepted beside SECRET_KEY while one replaces the other.
    secret_key_previous: SecretStr | None = None
    # Names phones and people for ever; derived from SECRET_KEY unless set.
    subject_key: fields.SubjectKey | None = None
    subject_key_change: bool = False
    # A worker must know a new key within 60 s of its publication.
    signing_keys_seconds: Annotated[float, fields.between(0.1, 30)] = 10.0

    # Sessions. NIST SP 800-63B-4 2.1.3: at most 30 days at AAL1.
    session_idle_days: Annotated[int, fields.between(1, 30)] = 14
    session_max_days: Annotated[int, fields.between(1, 30)] = 30
    sessions_per_person: Annotated[int, fields.between(1, 50)] = 10

    # Storefronts, service clients and operators
    storefront_audiences: StorefrontAudiences = ()
    service_clients_file: ServiceClientsFile = ()
    trace_hours: Annotated[int, fields.between(0, 168)] = 24
