"""The forms that Twilio posts to us, and its signature on them."""

from twilio.request_validator import (  # type: ignore[import-untyped]
    HMAC_SHA1,
    HMAC_SHA256,
    SIGNATURE_HEADER,
    SIGNATURE_SETTINGS_HEADER,
    RequestValidator,
    get_signature_algorithm,
)

from services.sms.documents import split_form
from services.sms.receipts import BadSignature, Callback

_ALGORITHMS = frozenset({HMAC_SHA1, HMAC_SHA256})


class SignedForms:
    """Reads the forms that Twilio posts to us and signs with the account's token.

    https://www.twilio.com/docs/usage/security: the signature is over the URL as it was
    given to Twilio and over every field, also over those that we do not know. An API
    key's secret does not sign.
    """

    def __init__(self, auth_token: str) -> None:
        self._validator = RequestValidator(auth_token)

    def read(self, callback: Callback) -> dict[str, str]:
        """Return the fields; the first value of a repeated one counts.

        Raises:
            BadSignature: Twilio did not sign this, or not with this token.
        """
        form = _Form()
        try:
            for name, value in split_form(callback.body.decode(errors="replace")):
                form.setdefault(name, []).append(value)
        except ValueError:
            raise BadSignature from None
        settings = callback.headers.get(SIGNATURE_SETTINGS_HEADER.lower(), "")
        algorithm = get_signature_algorithm(settings).upper()
        signature = callback.headers.get(SIGNATURE_HEADER.lower(), "")
        # The validator would log the name of an algorithm that it does not know.
        if algorithm not in _ALGORITHMS or not self._validator.validate(
            callback.url, form, signature, algorithm
        ):
            raise BadSignature
        return {name: values[0] for name, values in form.items()}


class _Form(dict[str, list[str]]):
    """What the validator asks for the values of a repeated field."""

    def getlist(self, name: str) -> list[str]:
        return self[name]
