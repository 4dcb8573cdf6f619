"""The mobile network's own errors, which several vendors pass on as they are."""

from collections.abc import Mapping

from services.sms.failures import ABSENT, RECIPIENT, TRANSIENT_COUNTRY
from services.sms.provider import Failure

# 3GPP TS 29.002 17.6.6 and 17.7: what became of a text that a network was to deliver.
GSM_ERRORS: Mapping[int, Failure] = {
    1: RECIPIENT,  # unknown subscriber
    # Unidentified subscriber: the network cannot tell now whether there is one.
    5: ABSENT,
    6: ABSENT,  # no signal
    9: RECIPIENT,  # illegal subscriber
    11: RECIPIENT,  # texts are not provisioned
    12: RECIPIENT,  # illegal equipment
    13: ABSENT,  # barred for now
    21: TRANSIENT_COUNTRY,  # the network over there has no texts
    27: ABSENT,  # switched off
    31: ABSENT,  # busy with another text
    32: ABSENT,  # the phone did not take it
    33: ABSENT,  # too much is waiting for this phone
    34: TRANSIENT_COUNTRY,  # system failure at the operator
}
