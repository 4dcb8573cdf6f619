"""How messages get through: routes, channels, templates, receipts."""

from typing import Annotated, Literal

from pydantic_settings import BaseSettings

from config import fields
from config.routes import Prices, Routes, SenderIds
from config.templates import TemplatesFile


class DeliverySettings(BaseSettings):
    """What is not about one vendor."""

    # Where vendors reach this service with their delivery receipts
    public_base_url: fields.BaseUrl | None = None

    # Channels
    whatsapp_first: bool = False
    # Meta's own advice for a fallback is 8 to 15 seconds; 0 never falls back.
    whatsapp_wait: Annotated[float, fields.between(0, 120)] = 10.0
    voice_countries: fields.Countries = ()

    # Routes: empty means every vendor that is configured, in the default order.
    sms_routes: Routes = ()
    whatsapp_routes: Routes = ()
    voice_routes: Routes = ()
    routing: Annotated[
        Literal["order", "priorities", "adaptive"], fields.read(str.lower)
    ] = "priorities"
    routing_shadow: Annotated[Literal["off", "adaptive"], fields.read(str.lower)] = (
        "off"
    )
    sender_ids: SenderIds = ()
    sms_prices: Prices = ()

    # Texts
    sms_templates_file: TemplatesFile = ()
    # https://developers.google.com/identity/sms-retriever/verify: 11 of base64.
    android_app_hash: (
        Annotated[str, fields.like(r"[A-Za-z0-9+/]{11}", "11 characters of base64")]
        | None
    ) = None
