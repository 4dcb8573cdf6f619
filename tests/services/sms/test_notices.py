"""A notice: its words, whose they may be, and who may carry it."""

import re
from collections.abc import Mapping

import pytest

from services.sms.outgoing import Delivery, NotDelivered, Notice
from services.sms.own_templates import OwnTemplates, TemplateError
from services.sms.provider import Dlt, Reason, Refused
from services.sms.segments import segments
from services.sms.template_file import read_templates
from services.sms.templates import Templates
from services.sms.words import WORDS
from tests.fakes import RecordingProvider
from tests.services.sms.fakes import INDIAN, ambiguous, refused, unavailable
from tests.services.sms.worlds import World, failing, pair
from utils.phone import PhoneNumber

IDS = {
    "dlt_entity_id": "1101000000000000001",
    "dlt_template_id": "1107000000000000002",
}
OWN = {"purpose": "notice", "text": "{brand}: your number ends in {ending} now."}
REGISTERED = {
    **OWN,
    **IDS,
    "dlt_text": "QuickCart: your number ends in {#numeric#} now.",
}
# A country where people read each of the languages that come with the service.
REGIONS = {
    "en": "GB",
    "hi": "IN",
    "es": "ES",
    "fr": "FR",
    "pt": "BR",
    "ar": "AE",
    "de": "DE",
    "id": "ID",
}


def read(*tables: Mapping[str, object]) -> OwnTemplates:
    return read_templates(
        tables,
        vendors=("twilio", "vonage"),
        fixed={"brand": "QuickCart", "host": "quickcart.in"},
        minutes_max=5,
    )


def templates(*tables: Mapping[str, object], brand: str = "QuickCart") -> Templates:
    return Templates(
        brand=brand, ttl_seconds=300, autofill_host="quickcart.in", own=read(*tables)
    )


def text_of(
    templates: Templates, *, vendor: str = "twilio", region: str = "IN"
) -> str | None:
    text = templates.render_notice("42", vendor=vendor, region=region)
    return text.text if text else None


class TestWords:
    @pytest.mark.parametrize("language", WORDS)
    @pytest.mark.parametrize("brand", ["Q", "QuickCart", "Q" * 20])
    def test_a_notice_fits_one_sms_in_every_language(
        self, language: str, brand: str
    ) -> None:
        for ending in ("00", "42"):
            text = templates(brand=brand).render_notice(
                ending, vendor="twilio", region=REGIONS[language]
            )

            assert text is not None
            assert segments(text.text) == 1
            assert text.text.startswith(brand)
            assert ending in text.text

    @pytest.mark.parametrize("language", WORDS)
    def test_a_notice_in_full_is_not_like_a_code(self, language: str) -> None:
        for words in WORDS[language].notices:
            text = words.format(brand="QuickCart", ending="42")

            assert not re.search(r"[0-9]{3}|[#@\n]", text)

    def test_the_language_is_the_countrys(self) -> None:
        text = templates().render_notice("42", vendor="twilio", region="DE")

        assert text is not None
        assert text.locale == "de"
        assert "Telefonnummer" in text.text

    def test_who_is_widest_is_told_in_two_sms_rather_than_not(self) -> None:
        text = text_of(templates(brand="क" * 39), region="GB")

        assert text is not None
        assert segments(text) == 2


class TestOwn:
    def test_the_operators_text_goes_before_ours(self) -> None:
        assert text_of(templates(OWN)) == "QuickCart: your number ends in 42 now."

    def test_a_text_for_all_codes_is_for_no_notice(self) -> None:
        assert "account was changed" in str(text_of(templates({"text": "{code} x"})))

    def test_a_notice_is_for_no_code(self) -> None:
        own = read({**OWN, "locale": "ta"})

        for purpose in ("login", "verify"):
            assert not own.find(
                vendor="twilio", region="IN", locale="ta", purpose=purpose, client="web"
            )
        assert own.locales == frozenset()

    @pytest.mark.parametrize(
        ("table", "problem"),
        [
            ({"text": "{brand}"}, "text lacks {ending}"),
            (
                {"text": "{code} {ending}"},
                "text has an unknown placeholder; known are {ending}, {brand}",
            ),
            (
                {"text": "{ending}\n@{host} #1"},
                "text has an unknown placeholder; known are {ending}, {brand}",
            ),
            (
                {"client": "web"},
                "is a notice, which goes to a phone whatever its client",
            ),
            ({"text": "{ending}" + "x" * 160}, "text is 2 characters too long for one"),
        ],
    )
    def test_what_cannot_be_sent_is_found_at_the_start(
        self, table: Mapping[str, object], problem: str
    ) -> None:
        with pytest.raises(TemplateError) as caught:
            read({**OWN, **table})

        (found,) = caught.value.problems
        assert found.startswith(f"template 1: {problem}")

    def test_a_code_has_no_ending(self) -> None:
        with pytest.raises(TemplateError, match="unknown placeholder"):
            read({"text": "{code} {ending}"})


class TestIndia:
    def test_vendors_that_pass_ids_on_need_a_registered_text(self) -> None:
        assert text_of(templates(), vendor="vonage") is None
        assert text_of(templates(OWN), vendor="vonage") is None

    def test_with_one_they_send_it_with_its_ids(self) -> None:
        text = templates({**REGISTERED, "vendor": "vonage"}).render_notice(
            "42", vendor="vonage", region="IN"
        )

        assert text is not None
        assert text.text == "QuickCart: your number ends in 42 now."
        assert text.dlt == Dlt(IDS["dlt_entity_id"], IDS["dlt_template_id"])

    def test_elsewhere_they_need_none(self) -> None:
        assert text_of(templates(), vendor="vonage", region="AE") is not None

    def test_a_text_that_is_not_the_registered_one_is_found(self) -> None:
        other = {**REGISTERED, "vendor": "vonage", "dlt_text": "Your number: {#var#}"}

        with pytest.raises(TemplateError, match="dlt_text"):
            read(other)


def notify(world: World, *order: str, phone: PhoneNumber = INDIAN) -> Delivery:
    notice = Notice(phone, "42", "MDEyMzQ1Njc4OWFi")
    return world.sms.notify(notice, order=order, deadline=world.sms.deadline())


class TestSending:
    def test_the_first_vendor_that_takes_it_has_it(self) -> None:
        world = pair([unavailable()])

        assert notify(world, "a", "b").provider == "b"
        assert world.calls == [("a", "transient"), ("b", "accepted")]

    def test_what_is_sent_has_a_text_and_no_code(self) -> None:
        vendor = RecordingProvider("a")
        world = World(vendor)

        notify(world, "a")

        (message,) = vendor.messages
        assert message.code == ""
        assert "ending in 42" in message.text
        assert "42" not in repr(message)

    def test_a_phone_that_cannot_get_it_ends_it(self) -> None:
        world = pair([refused()])

        with pytest.raises(Refused):
            notify(world, "a", "b")

        assert world.calls == [("a", "recipient")]

    def test_nobody_to_ask_is_said(self) -> None:
        with pytest.raises(NotDelivered) as caught:
            notify(pair())

        assert caught.value.reason is None

    def test_why_the_last_one_failed_is_said(self) -> None:
        world = World(failing("a", unavailable()), failing("b", ambiguous()))

        with pytest.raises(NotDelivered) as caught:
            notify(world, "a", "b")

        assert caught.value.reason is Reason.AMBIGUOUS
        assert caught.value.may_have_left

    def test_nobody_is_asked_when_the_time_is_over(self) -> None:
        world = pair()
        notice = Notice(INDIAN, "42", "MDEyMzQ1Njc4OWFi")
        soon = world.clock.monotonic() + 0.01

        with pytest.raises(NotDelivered):
            world.sms.notify(notice, order=["a", "b"], deadline=soon)

        assert world.calls == []

    def test_who_was_left_alone_or_failed_before_is_told(self) -> None:
        world = pair([unavailable()])

        assert notify(world, "a", "b").failed == ("a transient connect",)

    def test_failures_count_for_the_breaker_as_any(self) -> None:
        world = pair([unavailable()] * 5)
        for _ in range(5):
            notify(world, "a", "b")

        assert world.candidates() == ("b", "a")
