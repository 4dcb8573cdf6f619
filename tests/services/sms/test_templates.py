"""The words of a text, and whether they fit into one SMS."""

import itertools
from dataclasses import dataclass

import pytest

from services.sms.dlt import find_mismatch
from services.sms.own_templates import TemplateError
from services.sms.provider import Dlt
from services.sms.segments import segments
from services.sms.template_file import read_templates
from services.sms.templates import Templates, Text
from services.sms.words import CLIENTS, WORDINGS, WORDS

HOST = "quickcart.in"
HASH = "FA+9qCX9VSu"

# The longest that the settings take, and a host that is as long as most can be.
LONG_BRAND = "Q" * 20
LONG_HOST = "h" * 27 + ".com"


@dataclass
class Writer:
    """Writes what most messages are, unless it is told otherwise."""

    templates: Templates

    def write(
        self,
        *,
        vendor: str = "twilio",
        region: str = "IN",
        locale: str = "en",
        purpose: str = "login",
        client: str | None = None,
        ttl_seconds: int = 300,
        code: str = "123456",
    ) -> Text:
        return self.templates.render(
            code,
            vendor=vendor,
            region=region,
            locale=locale,
            purpose=purpose,
            client=client,
            ttl_seconds=ttl_seconds,
        )


def writer(
    brand: str = "QuickCart",
    *,
    host: str | None = HOST,
    app_hash: str | None = HASH,
    ttl_seconds: int = 300,
    own: tuple[dict[str, str], ...] = (),
) -> Writer:
    return Writer(
        Templates(
            brand=brand,
            ttl_seconds=ttl_seconds,
            autofill_host=host,
            app_hash=app_hash,
            own=read_templates(
                own, vendors=("aws",), fixed={"brand": brand}, minutes_max=5
            ),
        )
    )


class TestWords:
    def test_the_login_text_ends_with_the_line_that_browsers_read(self) -> None:
        assert writer().write() == Text(
            "123456 is your QuickCart code. It expires in 5 minutes."
            " Don't share it with anyone.\n\n@quickcart.in #123456",
            "en",
        )

    def test_the_verify_text_says_what_the_code_is_for(self) -> None:
        text = writer().write(purpose="verify").text

        assert text.startswith("123456 is your QuickCart verification code. It expires")

    @pytest.mark.parametrize(
        ("left", "words"),
        [
            (300, "5 minutes"),
            (299, "4 minutes"),
            (120, "2 minutes"),
            (119, "1 minute"),
            (61, "1 minute"),
            (10, "1 minute"),
            (900, "5 minutes"),
        ],
    )
    def test_a_resend_promises_no_more_than_is_left(
        self, left: int, words: str
    ) -> None:
        assert f"expires in {words}." in writer().write(ttl_seconds=left).text

    @pytest.mark.parametrize(
        ("locale", "minutes"),
        [
            ("de", ("1 Minute", "2 Minuten", "5 Minuten")),
            ("id", ("1 menit", "5 menit")),
        ],
    )
    def test_minutes_are_counted_as_the_language_does(
        self, locale: str, minutes: tuple[str, ...]
    ) -> None:
        for words in minutes:
            left = int(words.split()[0]) * 60
            assert f" {words}. " in writer().write(locale=locale, ttl_seconds=left).text

    def test_arabic_has_words_for_one_two_and_few(self) -> None:
        time = WORDS["ar"].time

        assert [time(1), time(2), time(3), time(10)] == [
            "دقيقة واحدة",
            "دقيقتين",
            "3 دقائق",
            "10 دقائق",
        ]

    def test_eight_languages_come_with_the_service(self) -> None:
        assert set(WORDS) == {"en", "hi", "es", "fr", "pt", "ar", "de", "id"}

    def test_every_language_has_words_of_its_own(self) -> None:
        for purpose in WORDINGS:
            texts = {writer().write(locale=it, purpose=purpose).text for it in WORDS}

            assert len(texts) == len(WORDS)

    @pytest.mark.parametrize(
        ("locale", "used"), [("pt-BR", "pt"), ("HI", "hi"), ("ja", "en"), ("", "en")]
    )
    def test_a_language_without_words_gets_the_next_one(
        self, locale: str, used: str
    ) -> None:
        assert writer().write(locale=locale).locale == used

    def test_a_brand_with_braces_is_taken_as_it_is(self) -> None:
        assert "your {code} {x} code" in writer("{code} {x}").write().text

    def test_a_text_does_not_show_itself(self) -> None:
        assert "123456" not in repr(writer().write())


class TestLastLine:
    @pytest.mark.parametrize(
        ("client", "line"),
        [
            (None, "@quickcart.in #123456"),
            ("web", "@quickcart.in #123456"),
            ("ios", "@quickcart.in #123456"),
            ("android", HASH),
        ],
    )
    def test_it_is_what_the_client_reads(self, client: str | None, line: str) -> None:
        for locale in WORDS:
            lines = writer().write(client=client, locale=locale).text.split("\n")

            assert lines[1:] == ["", line]

    def test_there_is_none_for_other_clients(self) -> None:
        assert "\n" not in writer().write(client="other").text

    @pytest.mark.parametrize("client", [None, *CLIENTS])
    def test_there_is_none_where_none_is_configured(self, client: str | None) -> None:
        bare = writer(host=None, app_hash=None)

        assert "\n" not in bare.write(client=client).text

    def test_an_android_app_without_a_hash_gets_no_line_for_browsers(self) -> None:
        assert "\n" not in writer(app_hash=None).write(client="android").text


class TestOneSms:
    @pytest.mark.parametrize("locale", WORDS)
    @pytest.mark.parametrize(
        ("brand", "host"),
        [
            ("QuickCart", HOST),
            (LONG_BRAND, LONG_HOST),
            ("क्विककार्ट", HOST),
            ("€" * 20, HOST),
        ],
    )
    def test_every_text_is_one(self, locale: str, brand: str, host: str) -> None:
        made = writer(brand, host=host, ttl_seconds=600)
        for purpose, client, region, left in itertools.product(
            WORDINGS, CLIENTS, ("IN", "CN"), (60, 120, 300, 600)
        ):
            text = made.write(
                locale=locale,
                purpose=purpose,
                client=client,
                region=region,
                ttl_seconds=left,
            ).text

            assert segments(text) == 1, text
            assert text.startswith("123456 ")
            assert brand in text

    @pytest.mark.parametrize("locale", WORDS)
    @pytest.mark.parametrize(("brand", "host"), [("QuickCart", HOST), (LONG_BRAND, "")])
    def test_every_text_with_eight_digits_is_one_too(
        self, locale: str, brand: str, host: str
    ) -> None:
        made = writer(brand, host=host or None, ttl_seconds=600)
        for purpose, client in itertools.product(WORDINGS, CLIENTS):
            text = made.write(
                locale=locale, purpose=purpose, client=client, code="12345678"
            ).text

            assert segments(text) == 1, text
            assert text.startswith("12345678 ")
            if host and client in {"web", "ios"}:
                # https://wicg.github.io/sms-one-time-codes/ has no fixed length.
                assert text.endswith(f"\n\n@{host} #12345678")

    def test_what_fits_with_six_digits_alone_is_shortest_with_eight(self) -> None:
        brand = "क्विककार्ट"
        # Texts to China have a space more.
        host = "h" * (69 - len(f"123456 {brand}\n\n@.com #123456")) + ".com"
        made = writer(brand, host=host)

        assert segments(made.write(locale="hi").text) == 1
        text = made.write(locale="hi", code="12345678").text

        assert text == f"12345678 {brand}\n\n@{host} #12345678"
        assert segments(text) == 2

    @pytest.mark.parametrize("locale", ["en", "es", "fr", "pt", "de", "id"])
    def test_where_160_characters_can_be_had_nothing_is_left_out(
        self, locale: str
    ) -> None:
        made = writer(LONG_BRAND, host=LONG_HOST, ttl_seconds=600)
        words = WORDS[locale]
        for purpose in WORDINGS:
            text = made.write(locale=locale, purpose=purpose, ttl_seconds=600).text

            assert words.time(10) in text
            assert words.warning in text

    def test_where_70_are_all_the_text_is_as_full_as_it_can_be(self) -> None:
        made = writer()

        assert made.write(locale="hi", client="other").text == (
            "123456 आपका QuickCart कोड है। 5 मिनट तक मान्य। इसे किसी को न बताएँ।"
        )
        assert made.write(locale="hi", client="android").text == (
            f"123456 आपका QuickCart कोड है। इसे किसी को न बताएँ।\n\n{HASH}"
        )
        assert made.write(locale="hi").text == (
            "123456 आपका QuickCart कोड है।\n\n@quickcart.in #123456"
        )
        assert writer(LONG_BRAND, host=LONG_HOST).write(locale="hi").text == (
            f"123456 {LONG_BRAND}\n\n@{LONG_HOST} #123456"
        )

    def test_a_text_to_china_is_no_plain_one_and_its_last_line_is(self) -> None:
        text = writer().write(region="CN").text

        assert text == "123456 is your QuickCart code.\u2008\n\n@quickcart.in #123456"

    @pytest.mark.parametrize(
        ("brand", "host", "over"),
        [("Q" * 20, "h" * 40 + ".com", 13), ("😀" * 20, HOST, 1), ("Q" * 63, None, 14)],
    )
    def test_what_cannot_fit_is_refused_with_how_much_to_shorten(
        self, brand: str, host: str | None, over: int
    ) -> None:
        with pytest.raises(TemplateError, match=f"^together {over} characters too"):
            writer(brand, host=host)

    @pytest.mark.parametrize("brand", ["", " ", "a\nb"])
    def test_a_brand_that_cannot_be_shown_is_refused(self, brand: str) -> None:
        with pytest.raises(TemplateError):
            writer(brand)

    @pytest.mark.parametrize(
        "host",
        [
            "https://quickcart.in",
            "quickcart.in/",
            "a b",
            "quickcart.in:443",
            "a..b",
            "",
        ],
    )
    def test_an_autofill_host_is_a_bare_host(self, host: str) -> None:
        with pytest.raises(TemplateError):
            writer(host=host)


class TestOwn:
    def test_it_comes_before_those_of_the_service_and_is_sent_as_it_is(self) -> None:
        dlt = {
            "dlt_entity_id": "1" * 19,
            "dlt_template_id": "2" * 19,
            "dlt_text": "{#numeric#}: QuickCart",
        }
        made = writer(own=({"text": "{code}: {brand}", "vendor": "aws", **dlt},))

        assert made.write(vendor="aws", locale="hi") == Text(
            "123456: QuickCart", "hi", Dlt("1" * 19, "2" * 19)
        )
        assert made.write(vendor="twilio").text.startswith("123456 is your")
        assert made.write(vendor="twilio").dlt is None

    def test_eight_digits_are_what_is_registered_too(self) -> None:
        dlt = {"dlt_entity_id": "1" * 19, "dlt_template_id": "2" * 19}
        for variable in ("var", "numeric", "number", "alphanumeric"):
            registered = f"{{#{variable}#}}: QuickCart"
            own = {"text": "{code}: {brand}", "vendor": "aws", "dlt_text": registered}
            made = writer(own=({**own, **dlt},))

            text = made.write(vendor="aws", code="12345678").text

            assert text == "12345678: QuickCart"
            assert find_mismatch(registered, text) is None

    def test_a_language_that_only_it_has_can_be_chosen(self) -> None:
        tamil = "உங்கள் குறியீடு {code}"
        made = writer(own=({"text": tamil, "locale": "ta", "vendor": "aws"},))

        chosen = made.templates.choose_locale(None, "ta-IN, hi;q=0.5", "IN")

        assert chosen == "ta"
        assert made.write(vendor="aws", locale="ta").text.endswith(" 123456")
        assert made.write(vendor="aws", locale="ta").locale == "ta"
        # Another vendor has no words for it.
        assert made.write(locale="ta").locale == "en"
        assert writer().templates.choose_locale(None, "ta, hi;q=0.5", "IN") == "hi"

    def test_it_tells_the_minutes_that_are_left(self) -> None:
        made = writer(own=({"text": "{code} {minutes}"},))

        assert made.write(ttl_seconds=130).text == "123456 2"
