"""Signature Version 4 against the vectors of AWS's own test suite (aws-sig-v4)."""

import pytest

from services.sms.aws_signature import Credentials, sign

CREDENTIALS = Credentials(
    access_key_id="AKIDEXAMPLE",
    secret_access_key="wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
    region="us-east-1",
    service="service",
)
NOW = 1_440_938_160.0  # 20150830T123600Z
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


@pytest.mark.parametrize(
    ("method", "headers", "body", "signed", "signature"),
    [
        pytest.param(
            "GET",
            {},
            b"",
            "host;x-amz-date",
            "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31",
            id="get-vanilla",
        ),
        pytest.param(
            "POST",
            {},
            b"",
            "host;x-amz-date",
            "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b",
            id="post-vanilla",
        ),
        pytest.param(
            "POST",
            FORM,
            b"Param1=value1",
            "content-type;host;x-amz-date",
            "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a",
            id="post-x-www-form-urlencoded",
        ),
        pytest.param(
            "POST",
            {"My-Header1": "value1"},
            b"",
            "host;my-header1;x-amz-date",
            "c5410059b04c1ee005303aed430f6e6645f61f4dc9e1461ec8f8916fdf18852c",
            id="post-header-key-sort",
        ),
        pytest.param(
            "GET",
            {"My-Header1": " value1", "My-Header2": ' "a   b   c"'},
            b"",
            "host;my-header1;my-header2;x-amz-date",
            "acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736",
            id="get-header-value-trim",
        ),
    ],
)
def test_the_vectors_hold(
    method: str, headers: dict[str, str], body: bytes, signed: str, signature: str
) -> None:
    given = {"Host": "example.amazonaws.com", **headers}

    complete = sign(
        CREDENTIALS, method=method, path="/", headers=given, body=body, now=NOW
    )

    assert complete == {
        **given,
        "X-Amz-Date": "20150830T123600Z",
        "Authorization": (
            "AWS4-HMAC-SHA256 "
            "Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, "
            f"SignedHeaders={signed}, Signature={signature}"
        ),
    }


def test_credentials_do_not_show_the_secret() -> None:
    assert "wJalr" not in repr(CREDENTIALS)
