"""Delivery receipts: what vendors tell us of the messages that they took."""

from collections.abc import Iterable

from flask import Blueprint, Response, request
from werkzeug.exceptions import NotFound

from backend.body import read_raw
from backend.composition.addresses import Addresses
from backend.errors import BodyError
from services.otp.deliveries import Deliveries
from services.sms.providers.whatsapp import answer_challenge
from services.sms.receipts import BadSignature, Callback

# Vendors put many receipts into one request.
_MAX_BYTES = 256 * 1024


def webhook_routes(deliveries: Deliveries, addresses: Addresses) -> Blueprint:
    """Return the routes that vendors call."""
    routes = Blueprint("webhooks", __name__)

    @routes.route("/api/webhooks/<vendor>", methods=["GET", "POST"])
    @routes.route("/api/webhooks/<vendor>/<token>", methods=["GET", "POST"])
    def webhook(vendor: str, token: str = "") -> Response:
        if vendor not in deliveries.vendors:
            raise NotFound
        if vendor == "whatsapp" and request.method == "GET":
            return _challenge(addresses.tokens(vendor))
        try:
            token = addresses.renewed(vendor, token)
            deliveries.take(vendor, _callback(addresses.base_url or "", token))
        except BadSignature:
            raise BodyError("invalid_signature") from None
        return Response(status=204)

    return routes


def _challenge(tokens: Iterable[str]) -> Response:
    """Answer Meta, which asks once whether this address is ours."""
    query = request.query_string.decode("latin-1")
    for token in tokens:
        if answer := answer_challenge(query, token):
            return Response(answer, mimetype="text/plain")
    raise BodyError("invalid_signature")


def _callback(base_url: str, token: str) -> Callback:
    # The path as we see it, behind the address as vendors see it: signatures cover the
    # latter, whatever a proxy makes of the request's own host and scheme.
    query = request.query_string.decode("latin-1")
    return Callback(
        method=request.method,
        url=f"{base_url}{request.path}{'?' if query else ''}{query}",
        query=query,
        headers={name.lower(): value for name, value in request.headers.items()},
        body=read_raw(request, _MAX_BYTES),
        token=token,
    )
