"""AWS under the contract."""

from services.sms.providers import aws
from services.sms.providers.aws import AwsProvider
from services.sms.transport import Transport
from tests.services.sms.contract.vendor import Vendor, Wording
from tests.services.sms.posting import CLOCK
from tests.simulator.aws import (
    DEFAULT_ACCESS_KEY_ID,
    DEFAULT_REGION,
    DEFAULT_SECRET_ACCESS_KEY,
    Aws,
)

BASE_PATH = "/aws"
SENDER = "pool-0123456789abcdef"


def make(
    transport: Transport,
    *,
    access_key_id: str = DEFAULT_ACCESS_KEY_ID,
    secret_access_key: str = DEFAULT_SECRET_ACCESS_KEY,
    configuration_set: str | None = None,
) -> AwsProvider:
    return AwsProvider(
        access_key_id,
        secret_access_key,
        region=DEFAULT_REGION,
        sender=SENDER,
        transport=transport,
        clock=CLOCK,
        configuration_set=configuration_set,
    )


def word_error(code: str) -> Wording:
    kind = code if code in aws._FAILURES and not code.isupper() else "OtherException"
    document = {
        "__type": f"com.amazonaws.pinpointsmsvoicev2#{kind}",
        "Message": "for +919876543210",
    }
    if kind != code:
        document["Reason"] = code
    return "400 Bad Request", document


VENDOR = Vendor(
    name="aws",
    make=make,
    make_stranger=lambda transport: make(transport, secret_access_key="wrong"),
    failures=aws._FAILURES,
    word_error=word_error,
    simulated=Aws.error_codes,
    unknown_code="SOMETHING_NEW",
    base_path=BASE_PATH,
)
