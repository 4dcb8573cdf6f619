import re
from collections.abc import Mapping
from datetime import date
from ipaddress import ip_network
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa, x25519
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
)
from pydantic import ValidationError

from config.config import Settings, SettingsError, load_settings, variable_names
from config.test_numbers import TestNumbers

ROOT = Path(__file__).parents[2]
TWILIO = {
    "TWILIO_ACCOUNT_SID": "AC" + "0123456789abcdef" * 2,
    "TWILIO_AUTH_TOKEN": "twilio-token-value",
    "TWILIO_PHONE_NUMBER": "+15005550006",
}
SECRET = "n2VQ8sLr0xYt5WbKc7MdJf3GhZpAeUi9"
PRODUCTION = {
    "FLASK_ENV": "production",
    "SECRET_KEY": SECRET,
    "SUBJECT_KEY": "Vf0aYw3rT9kQe5uZx7LmC1oHs8dJb2NgP4iRtUyKqXE",
    "REDIS_URL": "redis://redis:6379/0",
    "TOKEN_ISSUER": "https://auth.example.com",
    "STOREFRONT_ORIGINS": "https://shop.example.com",
    **TWILIO,
}


def development(**environ: str) -> Settings:
    return load_settings(
        default_environment="development", env_file=None, environ=environ
    )


def production(**changes: str) -> Settings:
    return load_settings(env_file=None, environ={**PRODUCTION, **changes})


def problems(environ: Mapping[str, str]) -> tuple[str, ...]:
    with pytest.raises(SettingsError) as caught:
        load_settings(default_environment="development", env_file=None, environ=environ)
    return caught.value.problems


def named(environ: Mapping[str, str]) -> list[str]:
    return [problem.split(":")[0] for problem in problems(environ)]


def pem(
    key: PrivateKeyTypes, protection: KeySerializationEncryption | None = None
) -> str:
    text = key.private_bytes(
        Encoding.PEM, PrivateFormat.PKCS8, protection or NoEncryption()
    )
    return text.decode()


class TestLoading:
    def test_development_needs_no_variable(self) -> None:
        settings = development()

        assert settings.environment == "development"
        assert settings.embedded_store
        assert settings.ephemeral_secret
        assert len(settings.secret_key.get_secret_value()) >= 32
        assert settings.token_issuer == "http://localhost:5000"
        assert settings.signing_key_pem is None
        assert settings.allowed_countries == ("IN",)

    def test_each_start_without_a_secret_makes_another_one(self) -> None:
        assert development().secret_key != development().secret_key

    def test_a_given_secret_is_not_ephemeral(self) -> None:
        assert not development(SECRET_KEY="short").ephemeral_secret

    def test_production_is_the_default(self) -> None:
        environ = {k: v for k, v in PRODUCTION.items() if k != "FLASK_ENV"}

        settings = load_settings(env_file=None, environ=environ)

        assert settings.environment == "production"

    def test_the_environment_wins_over_the_file(self, tmp_path: Path) -> None:
        env_file = tmp_path / ".env"
        env_file.write_text("FLASK_ENV=development\nPORT=7000\nTHREADS=7\n")

        settings = load_settings(env_file=env_file, environ={"PORT": "8000"})

        assert settings.environment == "development"
        assert (settings.port, settings.threads) == (8000, 7)

    def test_empty_values_count_as_unset(self, tmp_path: Path) -> None:
        env_file = tmp_path / ".env"
        env_file.write_text("FLASK_ENV=development\nPORT=7000\nTHREADS=\nREDIS_URL\n")

        settings = load_settings(
            env_file=env_file, environ={"PORT": "", "THREADS": "  "}
        )

        assert (settings.port, settings.threads) == (7000, 128)
        assert settings.redis_url is None

    def test_a_secret_in_the_file_is_taken_letter_by_letter(
        self, tmp_path: Path
    ) -> None:
        env_file = tmp_path / ".env"
        env_file.write_text("FLASK_ENV=development\nSECRET_KEY='a${PORT}b#c'\n")

        settings = load_settings(env_file=env_file, environ={"PORT": "8000"})

        assert settings.secret_key.get_secret_value() == "a${PORT}b#c"

    def test_a_missing_file_is_no_problem(self, tmp_path: Path) -> None:
        load_settings(env_file=tmp_path / "none", environ={"FLASK_ENV": "development"})

    def test_a_file_that_is_no_text_is_named(self, tmp_path: Path) -> None:
        env_file = tmp_path / ".env"
        env_file.write_bytes(b"PORT=\xff\xfe\n")

        with pytest.raises(SettingsError, match="cannot be read as UTF-8"):
            load_settings(env_file=env_file, environ={})

    def test_settings_cannot_be_changed(self) -> None:
        with pytest.raises(ValidationError, match="frozen"):
            development().port = 1  # type: ignore[misc]

    def test_unknown_variables_are_ignored(self) -> None:
        assert development(WARNINGS="x", PATH="/bin").warnings == ()

    def test_the_renamed_variable_works_with_a_warning(self) -> None:
        settings = development(REACT_APP_FAST2SMS_API_KEY="old-key-value")

        assert settings.fast2sms_api_key is not None
        assert settings.fast2sms_api_key.get_secret_value() == "old-key-value"
        assert len(settings.warnings) == 1
        assert settings.warnings[0].startswith("REACT_APP_FAST2SMS_API_KEY: ")
        assert "write FAST2SMS_API_KEY" in settings.warnings[0]

    def test_the_new_name_wins_over_the_old_one(self) -> None:
        settings = development(FAST2SMS_API_KEY="new", REACT_APP_FAST2SMS_API_KEY="old")

        assert settings.fast2sms_api_key is not None
        assert settings.fast2sms_api_key.get_secret_value() == "new"
        assert settings.warnings == ()


class TestDefaults:
    def test_limits_arrive_as_plain_numbers_of_seconds(self) -> None:
        settings = development()

        assert settings.sends_per_phone == ((3, 600), (5, 3600), (10, 86400))
        assert settings.wrong_checks_per_phone == ((15, 86400),)
        assert settings.lock_ladder == ((5, 30), (8, 120), (10, 900), (12, 3600))
        assert settings.sends_per_ip == ((10, 600), (30, 3600), (100, 86400))
        assert settings.wrong_checks_per_ip == ((20, 600), (50, 3600))
        assert settings.sends_per_prefix == ((5, 600), (15, 3600))
        assert settings.wrong_checks_global == ((2000, 3600),)
        assert settings.sends_global == ()
        assert settings.resend_cooldowns == (30, 60, 120, 300)

    def test_the_example_file_names_every_variable_in_order(self) -> None:
        text = (ROOT / ".env.example").read_text()
        shown = re.findall(r"^# ([A-Z0-9_]+)=", text, flags=re.MULTILINE)

        assert tuple(shown) == variable_names()
        assert not re.search(r"^[^#\n]", text, flags=re.MULTILINE)
        assert "REACT_APP_FAST2SMS_API_KEY" not in shown
        assert "REACT_APP_FAST2SMS_API_KEY" in text

    def test_the_example_file_shows_the_defaults(self, tmp_path: Path) -> None:
        example = (ROOT / ".env.example").read_text()
        env_file = tmp_path / ".env"
        env_file.write_text(
            re.sub(r"^# ([A-Z0-9_]+=)", r"\1", example, flags=re.MULTILINE)
        )
        environ = {"FLASK_ENV": "development", "SECRET_KEY": SECRET}

        shown = load_settings(env_file=env_file, environ=environ)

        assert shown == load_settings(env_file=None, environ=environ)


class TestProblems:
    def test_all_are_reported_at_once(self) -> None:
        environ = {
            "FLASK_ENV": "production",
            "FLASK_DEBUG": "true",
            "PORT": "99999",
            "THREADS": "many",
            "STOREFRONT_ORIGINS": "*",
            "TEST_NUMBERS": "+15550100000:123456",
            "TWILIO_AUTH_TOKEN": "token",
            "SECRET_KEY": "changeme",
        }

        assert set(named(environ)) == {
            "PORT",
            "THREADS",
            "FLASK_DEBUG",
            "STOREFRONT_ORIGINS",
            "TEST_NUMBERS",
            "SECRET_KEY",
            "SUBJECT_KEY",
            "REDIS_URL",
            "TOKEN_ISSUER",
            "TWILIO_ACCOUNT_SID",
            "TWILIO_PHONE_NUMBER",
        }

    def test_an_empty_production_names_all_it_needs(self) -> None:
        with pytest.raises(SettingsError) as caught:
            load_settings(env_file=None, environ={})

        text = str(caught.value)
        for name in ("SECRET_KEY", "SUBJECT_KEY", "REDIS_URL", "TOKEN_ISSUER"):
            assert f"\n  {name}: required in production" in text
        assert "SMS provider" in text

    def test_each_begins_with_the_variable(self) -> None:
        assert problems({"PORT": "0"}) == ("PORT: must be between 1 and 65535",)

    def test_a_wrong_value_is_not_called_missing_too(self) -> None:
        environ = {**PRODUCTION, "REDIS_URL": "http://redis", "TWILIO_ACCOUNT_SID": "1"}

        assert set(named(environ)) == {"REDIS_URL", "TWILIO_ACCOUNT_SID"}

    def test_an_unknown_environment_is_the_only_thing_said_about_it(self) -> None:
        assert named({"FLASK_ENV": "staging"}) == ["FLASK_ENV"]

    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("FLASK_ENV", "test"),
            ("FLASK_DEBUG", "maybe"),
            ("HOST", "not an address"),
            ("HOST", "example.com"),
            ("PORT", "0"),
            ("PORT", "65536"),
            ("PORT", "http"),
            ("PORT", "9" * 5000),
            ("WORKERS", "0"),
            ("THREADS", "0"),
            ("LOG_LEVEL", "loud"),
            ("TRUSTED_PROXIES", "0.0.0.0/0"),
            ("TRUSTED_PROXIES", "10.0.0.0/8, ::/0"),
            ("TRUSTED_PROXIES", "10.0.0.1/8"),
            ("TRUSTED_PROXIES", "proxy"),
            ("TRUSTED_PROXIES", "0"),
            ("TRUSTED_PROXIES", "10"),
            ("REDIS_URL", "http://redis"),
            ("REDIS_URL", "redis://"),
            ("REDIS_URL", "redis://redis:port"),
            ("REDIS_URL", "unix://"),
            ("DEFAULT_COUNTRY", "XX"),
            ("DEFAULT_COUNTRY", "IND"),
            ("ALLOWED_COUNTRIES", "IN, ZZ"),
            ("ALLOWED_COUNTRIES", "*"),
            ("BRAND_NAME", "A brand of 21 letters"),
            ("BRAND_NAME", "Quick\nCart"),
            ("AUTOFILL_HOST", "https://shop.example.com"),
            ("AUTOFILL_HOST", "shop.example.com:443"),
            ("AUTOFILL_HOST", "-shop.example.com"),
            ("STOREFRONT_ORIGINS", "https://shop.example.com/"),
            ("STOREFRONT_ORIGINS", "https://shop.example.com/path"),
            ("STOREFRONT_ORIGINS", "https://shop.example.com:443"),
            ("STOREFRONT_ORIGINS", "https://me@shop.example.com"),
            ("STOREFRONT_ORIGINS", "shop.example.com"),
            ("STOREFRONT_ORIGINS", "null"),
            ("STOREFRONT_ORIGINS", "https://*.example.com"),
            ("TOKEN_ISSUER", "auth.example.com"),
            ("TOKEN_ISSUER", "https://auth.example.com?x=1"),
            ("TOKEN_ISSUER", "https://auth.example.com#x"),
            ("TOKEN_ISSUER", "https://me:pw@auth.example.com"),
            ("TOKEN_ISSUER", "https://[::1"),
            ("TOKEN_AUDIENCE", "two words"),
            ("JWT_SIGNING_KEY", "/no/such/file.pem"),
            ("JWT_SIGNING_KEY", "-----BEGIN PRIVATE KEY-----\\nx"),
            ("ACCESS_TOKEN_SECONDS", "59"),
            ("ACCESS_TOKEN_SECONDS", "3601"),
            ("ADMIN_PHONES", "9876543210"),
            ("ADMIN_PHONES", "+91 98765 43210"),
            ("ADMIN_PHONES", "+9199999999999999999"),
            ("ADMIN_PHONES", "+4407911123456"),
            ("ADMIN_PHONES", "+9999999999"),
            ("METRICS_TOKEN", "fifteen-letters"),
            ("TWILIO_PHONE_NUMBER", "QuickCartStore"),
            ("TWILIO_PHONE_NUMBER", "555000612"),
            ("TWILIO_MESSAGING_SERVICE_SID", "MG123"),
            ("TWILIO_BASE_URL", "api.twilio.com"),
            ("FAST2SMS_ROUTE", "bulk"),
            ("FAST2SMS_MESSAGE_ID", "abc"),
            ("FAST2SMS_SENDER_ID", "a b"),
            ("SMS_DEADLINE_SECONDS", "0.5"),
            ("SMS_DEADLINE_SECONDS", "nan"),
            ("SMS_DEADLINE_SECONDS", "soon"),
            ("CODE_TTL_SECONDS", "601"),
            ("CODE_TTL_SECONDS", "59"),
            ("CODE_MAX_CHECKS", "11"),
            ("CODE_MAX_CHECKS", "2"),
            ("RESEND_COOLDOWNS", "30s"),
            ("RESEND_COOLDOWNS", "30, 0"),
            ("RESEND_COOLDOWNS", ","),
            ("LIVE_VERIFICATIONS_PER_PHONE", "4"),
            ("SENDS_PER_PHONE", "3"),
            ("SENDS_PER_PHONE", "3/10"),
            ("SENDS_PER_PHONE", "3/10w"),
            ("SENDS_PER_PHONE", "0/10m"),
            ("SENDS_PER_PHONE", "3/0m"),
            ("SENDS_PER_PHONE", "3/31d"),
            ("SENDS_PER_PHONE", "3/10m, 5/600s"),
            ("SENDS_PER_PHONE", "3/10m, off"),
            ("SENDS_PER_PHONE", "٣/10m"),
            ("LOCK_LADDER", "5/30s"),
            ("LOCK_LADDER", "5:30s, 5:2m"),
            ("LOCK_LADDER", "5:2m, 8:30s"),
        ],
    )
    def test_a_wrong_value_is_refused(self, name: str, value: str) -> None:
        assert name in named({name: value})

    def test_every_wrong_item_of_a_list_is_named_by_its_place(self) -> None:
        [problem] = problems({"ALLOWED_COUNTRIES": "IN, XX, AE, YY"})

        assert "item 2 " in problem
        assert "item 4 " in problem


class TestSecrets:
    SECRETS = {  # noqa: RUF012 - read only
        "SECRET_KEY": "known-to-nobody-1",
        "TWILIO_AUTH_TOKEN": "known-to-nobody-2",
        "FAST2SMS_API_KEY": "known-to-nobody-3",
        "REDIS_URL": "redis://:known-to-nobody-4@redis:6379/0",
        "METRICS_TOKEN": "known-to-nobody-5",
        "TEST_NUMBERS": "+15550100000:918273",
        "TEST_NUMBERS_UNTIL": "2030-12-31",
        "ADMIN_PHONES": "+919812345678",
        "TWILIO_ACCOUNT_SID": TWILIO["TWILIO_ACCOUNT_SID"],
        "TWILIO_PHONE_NUMBER": "QuickCart",
    }
    MARKS = ("nobody", "918273", "9812345678", "PRIVATE KEY")

    def test_none_is_shown(self) -> None:
        key = pem(ec.generate_private_key(ec.SECP256R1()))
        settings = development(JWT_SIGNING_KEY=key, **self.SECRETS)

        shown = f"{settings!r} {settings} {settings.test_numbers!r}"

        assert settings.test_numbers[0].code == "918273"
        for mark in self.MARKS:
            assert mark not in shown

    @pytest.mark.parametrize("name", variable_names())
    def test_none_is_in_a_message_whatever_variable_it_was_pasted_into(
        self, name: str
    ) -> None:
        pasted = "known-to-nobody-1\n, 918273, +919812345678x"
        try:
            load_settings(env_file=None, environ={**self.SECRETS, name: pasted})
        except SettingsError as error:
            shown = f"{error!r} {error} {error.problems} {error.__cause__}"
        else:
            pytest.fail("production takes none of this")

        for mark in self.MARKS:
            assert mark not in shown

    def test_the_values_are_there_for_who_needs_them(self) -> None:
        settings = development(**self.SECRETS)

        assert settings.redis_url is not None
        assert settings.redis_url.get_secret_value() == self.SECRETS["REDIS_URL"]
        assert settings.metrics_token is not None
        assert settings.metrics_token.get_secret_value() == "known-to-nobody-5"


class TestValues:
    def test_countries_are_upper_case_and_named_once(self) -> None:
        settings = development(DEFAULT_COUNTRY="ae", ALLOWED_COUNTRIES="in, AE,IN,")

        assert settings.default_country == "AE"
        assert settings.allowed_countries == ("IN", "AE")

    def test_an_empty_list_of_countries_means_the_default_one(self) -> None:
        settings = development(DEFAULT_COUNTRY="US", ALLOWED_COUNTRIES=" , ")

        assert settings.allowed_countries == ("US",)

    def test_proxies_are_networks(self) -> None:
        settings = development(TRUSTED_PROXIES="127.0.0.1, 10.0.0.0/8, fd00::/8")

        assert settings.trusted_proxies == (
            ip_network("127.0.0.1/32"),
            ip_network("10.0.0.0/8"),
            ip_network("fd00::/8"),
        )

    def test_origins_are_those_that_browsers_and_apps_send(self) -> None:
        settings = development(
            STOREFRONT_ORIGINS="https://Shop.example.com, http://localhost:3000,"
            "capacitor://localhost, http://[::1]:8080"
        )

        assert settings.storefront_origins == (
            "https://shop.example.com",
            "http://localhost:3000",
            "capacitor://localhost",
            "http://[::1]:8080",
        )

    def test_the_autofill_host_is_lower_case(self) -> None:
        settings = development(AUTOFILL_HOST="Shop.Example.com")

        assert settings.autofill_host == "shop.example.com"

    @pytest.mark.parametrize(
        ("text", "address"),
        [("localhost", "127.0.0.1"), ("0.0.0.0", "0.0.0.0"), ("::1", "::1")],  # noqa: S104
    )
    def test_the_server_listens_on_an_address(self, text: str, address: str) -> None:
        assert development(HOST=text).host == address

    @pytest.mark.parametrize("url", ["rediss://u:p@h:6380/1", "unix:///run/redis.sock"])
    def test_redis_is_reached_in_three_ways(self, url: str) -> None:
        settings = development(REDIS_URL=url)

        assert not settings.embedded_store

    def test_the_issuer_in_development_has_the_port(self) -> None:
        assert development(PORT="8123").token_issuer == "http://localhost:8123"

    def test_a_base_url_has_no_slash_at_its_end(self) -> None:
        settings = development(TWILIO_BASE_URL="http://127.0.0.1:9000/")

        assert settings.twilio_base_url == "http://127.0.0.1:9000"

    @pytest.mark.parametrize(
        "sender", ["+15005550006", "QuickCart", "Quick Cart", "12345"]
    )
    def test_twilio_sends_from_a_number_a_name_or_a_short_code(
        self, sender: str
    ) -> None:
        settings = development(**{**TWILIO, "TWILIO_PHONE_NUMBER": sender})

        assert settings.twilio_phone_number == sender

    def test_limits_have_four_units(self) -> None:
        settings = development(SENDS_PER_IP="1/30s,2/10m, 3/2h ,4/30d")

        assert settings.sends_per_ip == ((1, 30), (2, 600), (3, 7200), (4, 2592000))

    @pytest.mark.parametrize("text", ["off", "OFF", " off "])
    def test_off_means_no_limit(self, text: str) -> None:
        settings = development(SENDS_PER_PHONE=text, LOCK_LADDER=text)

        assert settings.sends_per_phone == ()
        assert settings.lock_ladder == ()

    def test_test_numbers_are_ranges_and_single_numbers(self) -> None:
        settings = development(
            TEST_NUMBERS="+15550100000-+15550199999:123456, +15550200000:000042",
            TEST_NUMBERS_UNTIL="2030-12-31",
        )

        assert settings.test_numbers == (
            TestNumbers(15550100000, 15550199999, "123456"),
            TestNumbers(15550200000, 15550200000, "000042"),
        )
        assert settings.test_numbers_until == date(2030, 12, 31)

    @pytest.mark.parametrize(
        "text",
        [
            "+15550100000",
            "15550100000:123456",
            "+15550100000:12345",
            "+15550100000:1234567",
            "+15550100000:١٢٣٤٥٦",
            "+15550199999-+15550100000:123456",
            "+15550100000-+155501999990:123456",
        ],
    )
    def test_other_shapes_of_test_numbers_are_refused(self, text: str) -> None:
        environ = {"TEST_NUMBERS": text, "TEST_NUMBERS_UNTIL": "2030-12-31"}

        assert named(environ) == ["TEST_NUMBERS"]

    @pytest.mark.parametrize(
        "text", ["20301231", "2030-13-01", "tomorrow", "1900000000"]
    )
    def test_a_last_day_is_a_date(self, text: str) -> None:
        environ = {"TEST_NUMBERS": "+15550100000:123456", "TEST_NUMBERS_UNTIL": text}

        assert named(environ) == ["TEST_NUMBERS_UNTIL"]

    def test_test_numbers_need_a_last_day(self) -> None:
        assert named({"TEST_NUMBERS": "+15550100000:123456"}) == ["TEST_NUMBERS_UNTIL"]


class TestSigningKey:
    def test_is_pem_text(self) -> None:
        text = pem(ec.generate_private_key(ec.SECP256R1()))

        assert development(JWT_SIGNING_KEY=text).signing_key_pem == (
            text.strip().encode()
        )

    def test_may_write_its_line_ends_as_backslash_n(self) -> None:
        text = pem(ec.generate_private_key(ec.SECP256R1())).strip()

        settings = development(JWT_SIGNING_KEY=text.replace("\n", "\\n"))

        assert settings.signing_key_pem == text.encode()

    def test_may_be_the_path_of_a_file(self, tmp_path: Path) -> None:
        text = pem(ec.generate_private_key(ec.SECP256R1()))
        file = tmp_path / "key.pem"
        file.write_text(text)

        settings = development(JWT_SIGNING_KEY=str(file))

        assert settings.signing_key_pem == text.encode()

    @pytest.mark.parametrize(
        "key",
        [
            pytest.param(ec.generate_private_key(ec.SECP384R1()), id="other curve"),
            pytest.param(rsa.generate_private_key(65537, 2048), id="few bits"),
            pytest.param(x25519.X25519PrivateKey.generate(), id="other algorithm"),
        ],
    )
    def test_is_of_a_kind_that_signs(self, key: PrivateKeyTypes) -> None:
        [problem] = problems({"JWT_SIGNING_KEY": pem(key)})

        assert problem == (
            "JWT_SIGNING_KEY: must be a private key of P-256, Ed25519, or RSA with at "
            "least 3072 bits"
        )

    @pytest.mark.parametrize(
        "key",
        [
            pytest.param(ed25519.Ed25519PrivateKey.generate(), id="EdDSA"),
            pytest.param(rsa.generate_private_key(65537, 3072), id="RS256"),
        ],
    )
    def test_may_be_of_another_kind(self, key: PrivateKeyTypes) -> None:
        text = pem(key)

        settings = development(JWT_SIGNING_KEY=text)

        assert settings.signing_key_pem == text.strip().encode()

    def test_is_not_encrypted(self) -> None:
        key = ec.generate_private_key(ec.SECP256R1())
        text = pem(key, BestAvailableEncryption(b"password"))

        [problem] = problems({"JWT_SIGNING_KEY": text})

        assert problem == "JWT_SIGNING_KEY: must not be encrypted"


class TestProviders:
    @pytest.mark.parametrize("missing", list(TWILIO))
    def test_half_of_twilio_names_the_other_half(self, missing: str) -> None:
        environ = {name: value for name, value in TWILIO.items() if name != missing}

        assert named(environ) == [missing]

    def test_a_messaging_service_alone_names_the_account(self) -> None:
        environ = {"TWILIO_MESSAGING_SERVICE_SID": "MG" + "0" * 32}

        assert named(environ) == ["TWILIO_ACCOUNT_SID", "TWILIO_AUTH_TOKEN"]

    def test_a_messaging_service_stands_in_for_a_number(self) -> None:
        environ = {**TWILIO, "TWILIO_MESSAGING_SERVICE_SID": "MG" + "0" * 32}
        del environ["TWILIO_PHONE_NUMBER"]

        settings = development(**environ)

        assert settings.has_twilio
        assert settings.twilio_phone_number is None

    def test_the_dlt_route_needs_header_and_template(self) -> None:
        environ = {"FAST2SMS_API_KEY": "key", "FAST2SMS_ROUTE": "DLT"}

        assert named(environ) == ["FAST2SMS_SENDER_ID", "FAST2SMS_MESSAGE_ID"]

    def test_a_header_needs_the_key(self) -> None:
        assert named({"FAST2SMS_SENDER_ID": "QKCART"}) == ["FAST2SMS_API_KEY"]

    @pytest.mark.parametrize("name", ["FAST2SMS_SENDER_ID", "FAST2SMS_MESSAGE_ID"])
    def test_a_header_and_a_template_need_the_dlt_route(self, name: str) -> None:
        assert problems({"FAST2SMS_API_KEY": "key", name: "123456"}) == (
            f"{name}: means nothing without FAST2SMS_ROUTE=dlt",
        )

    def test_the_dlt_route_works_when_complete(self) -> None:
        settings = development(
            FAST2SMS_API_KEY="key",
            FAST2SMS_ROUTE="dlt",
            FAST2SMS_SENDER_ID="QKCART",
            FAST2SMS_MESSAGE_ID="123456",
        )

        assert settings.has_fast2sms
        assert settings.fast2sms_route == "dlt"


class TestProduction:
    def test_starts_with_all_it_needs(self) -> None:
        settings = production()

        assert not settings.embedded_store
        assert not settings.ephemeral_secret

    def test_starts_with_fast2sms_alone(self) -> None:
        environ = {k: v for k, v in PRODUCTION.items() if k not in TWILIO}

        load_settings(env_file=None, environ={**environ, "FAST2SMS_API_KEY": "key"})

    @pytest.mark.parametrize(
        "missing", ["SECRET_KEY", "SUBJECT_KEY", "REDIS_URL", "TOKEN_ISSUER"]
    )
    def test_needs(self, missing: str) -> None:
        environ = {k: v for k, v in PRODUCTION.items() if k != missing}

        assert named(environ) == [missing]

    def test_needs_a_real_provider(self) -> None:
        environ = {k: v for k, v in PRODUCTION.items() if k not in TWILIO}

        [problem] = problems(environ)

        assert "SMS provider" in problem

    @pytest.mark.parametrize(
        "secret",
        [
            "secret",
            "changeme",
            "dev",
            "your-secret-key",
            "your-secret-key-change-it-in-production",
            "change-me-change-me-change-me-change-me",
            "SUPER_SECRET_KEY_FOR_THE_QUICKCART_APP",
            "x" * 64,
            "ab" * 32,
            "abcdefghijkl" * 4,
            "aaaaaaaaaaaaaaaabbbbbbbbbbbbbbbc",
            SECRET[:31],
        ],
    )
    def test_refuses_a_secret_that_is_none(self, secret: str) -> None:
        assert named({**PRODUCTION, "SECRET_KEY": secret}) == ["SECRET_KEY"]

    @pytest.mark.parametrize(
        "secret",
        [
            "9f86d081884c7d659a2feaa0c55ad015",
            "kq3v9Yt1mT0eJr8Xw5LzB2nHc7UaPdGf6SiRoEyKjVb=",
            "ein Satz, den niemand sonst je so schreiben würde",
        ],
    )
    def test_takes_a_secret_that_is_one(self, secret: str) -> None:
        production(SECRET_KEY=secret)

    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("FLASK_DEBUG", "1"),
            ("STOREFRONT_ORIGINS", "https://shop.example.com, *"),
            ("STOREFRONT_ORIGINS", "http://shop.example.com"),
            ("TOKEN_ISSUER", "http://auth.example.com"),
            ("TWILIO_BASE_URL", "http://twilio.example.com"),
            ("FAST2SMS_BASE_URL", "http://fast2sms.example.com"),
            ("TEST_NUMBERS", "+15550100000:123456"),
            ("RESEND_COOLDOWNS", "14, 60"),
            ("SENDS_PER_PHONE", "off"),
            ("WRONG_CHECKS_PER_PHONE", "off"),
            ("WRONG_CHECKS_PER_PHONE", "101/24h"),
            ("WRONG_CHECKS_PER_PHONE", "5/1h"),
        ],
    )
    def test_refuses(self, name: str, value: str) -> None:
        assert named({**PRODUCTION, name: value}) == [name]

    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("STOREFRONT_ORIGINS", "http://localhost:3000, http://127.0.0.1"),
            ("TOKEN_ISSUER", "http://localhost:5000"),
            ("TWILIO_BASE_URL", "http://127.0.0.1:9000"),
            ("RESEND_COOLDOWNS", "15, 60"),
            ("WRONG_CHECKS_PER_PHONE", "100/24h"),
            ("WRONG_CHECKS_PER_PHONE", "5/1h, 50/24h"),
            ("LOCK_LADDER", "off"),
        ],
    )
    def test_takes(self, name: str, value: str) -> None:
        production(**{name: value})
