"""The operator's own texts: which of them is meant, and what is wrong with them."""

from collections.abc import Mapping

import pytest

from services.sms.own_templates import OwnTemplates, TemplateError
from services.sms.provider import Dlt
from services.sms.template_file import find_dlt_gaps, find_unserved, read_templates

VENDORS = ("twilio", "vonage", "aws", "fast2sms")
FIXED = {"brand": "QuickCart", "host": "quickcart.in"}
IDS = {
    "dlt_entity_id": "1101000000000000001",
    "dlt_template_id": "1107000000000000002",
}


def registered(text: str) -> dict[str, str]:
    """Return a text, its ids and what is registered for it."""
    return {"text": text, "dlt_text": text.replace("{code}", "{#numeric#}"), **IDS}


def read(*tables: Mapping[str, object]) -> OwnTemplates:
    return read_templates(
        tables, vendors=VENDORS, fixed=FIXED, minutes_max=10, wordless={"fast2sms"}
    )


def problems(*tables: Mapping[str, object]) -> tuple[str, ...]:
    with pytest.raises(TemplateError) as caught:
        read(*tables)
    return caught.value.problems


def found(
    own: OwnTemplates,
    *,
    vendor: str = "twilio",
    region: str = "IN",
    locale: str = "en",
    purpose: str = "login",
    client: str = "web",
) -> str | None:
    template = own.find(
        vendor=vendor, region=region, locale=locale, purpose=purpose, client=client
    )
    return template.fill("123456", 5) if template else None


class TestFinding:
    def test_a_text_is_for_all_that_it_does_not_name(self) -> None:
        own = read({"text": "{code} x", "vendor": "twilio", "country": "IN"})

        assert found(own) == "123456 x"
        assert found(own, locale="fr", purpose="verify", client="ios") == "123456 x"
        assert found(own, vendor="vonage") is None
        assert found(own, region="AE") is None

    @pytest.mark.parametrize(
        ("key", "value"),
        [
            ("vendor", "vonage"),
            ("country", "AE"),
            ("locale", "hi"),
            ("purpose", "verify"),
            ("client", "android"),
        ],
    )
    def test_a_text_is_for_nothing_but_what_it_names(
        self, key: str, value: str
    ) -> None:
        asked = {"region" if key == "country" else key: value}
        own = read({"text": "{code} x", key: value})

        assert found(own) is None
        assert found(own, **asked) == "123456 x"

    def test_of_two_the_first_thing_named_in_the_order_decides(self) -> None:
        scope = {
            "vendor": "twilio",
            "country": "IN",
            "locale": "pt-BR",
            "purpose": "login",
            "client": "web",
        }
        keys = list(scope)
        for index, key in enumerate(keys[:-1]):
            others = {it: scope[it] for it in keys[index + 1 :]}
            own = read(
                {"text": "{code} others", **others},
                {"text": "{code} first", key: scope[key]},
            )

            assert found(own, locale="pt-BR") == "123456 first", key

    def test_a_language_of_a_country_comes_before_the_language(self) -> None:
        own = read(
            {"text": "{code} pt", "locale": "pt"},
            {"text": "{code} pt-BR", "locale": "pt-BR"},
        )

        assert found(own, locale="pt-BR") == "123456 pt-BR"
        assert found(own, locale="pt-PT") == "123456 pt"
        assert own.locales == {"pt", "pt-BR"}

    def test_placeholders_are_filled_and_braces_are_written_twice(self) -> None:
        own = read({"text": "{code} {{{brand}}}, {minutes} min\n\n@{host} #{code}"})

        assert found(own) == "123456 {QuickCart}, 5 min\n\n@quickcart.in #123456"

    def test_the_ids_of_the_registry_come_with_the_text(self) -> None:
        own = read(registered("{code} x"))

        template = own.find(
            vendor="aws", region="IN", locale="en", purpose="login", client="web"
        )

        assert template is not None
        assert template.dlt == Dlt("1101000000000000001", "1107000000000000002")


class TestProblems:
    @pytest.mark.parametrize(
        ("table", "reason"),
        [
            ({}, "text is missing"),
            ({"text": ""}, "text must not be empty"),
            ({"text": 1}, "text must not be empty"),
            ({"text": "Your {brand} code"}, "text lacks {code}"),
            ({"text": "{code} {otp}"}, "unknown placeholder"),
            ({"text": "{code} {}"}, "unknown placeholder"),
            ({"text": "{code} {brand.x}"}, "unknown placeholder"),
            ({"text": "{code!r}"}, "unknown placeholder"),
            ({"text": "{code:>9}"}, "unknown placeholder"),
            ({"text": "{code} {"}, "brace too many"),
            ({"text": "{code} {app_hash}"}, "{app_hash}, which no setting fills"),
            ({"text": "{code}" + "a" * 154}, None),
            ({"text": "{code}" + "a" * 155}, "1 characters too long"),
            ({"text": "{code}{minutes}" + "a" * 152}, None),
            # Ten minutes are a digit more than nine.
            ({"text": "{code}{minutes}" + "a" * 153}, "1 characters too long"),
            ({"text": "{code}’" + "a" * 66}, "3 characters too long"),
            ({"text": "{code}", "vendor": "twillio"}, "vendor must be one of twilio"),
            ({"text": "{code}", "vendor": ["aws"]}, "vendor must be one of twilio"),
            ({"text": "{code}", "country": "XX"}, "country must be"),
            ({"text": "{code}", "country": "in"}, "country must be"),
            ({"text": "{code}", "country": ["IN"]}, "country must be"),
            ({"text": "{code}", "locale": "xx"}, "locale must be"),
            ({"text": "{code}", "purpose": "signup"}, "purpose must be one of login"),
            ({"text": "{code}", "client": "windows"}, "client must be one of web"),
            ({"text": "{code}", "txt": "a"}, "the key 'txt'"),
            ({**registered("{code}"), "dlt_entity_id": "1"}, "dlt_entity_id must be"),
            (
                {**registered("{code}"), "dlt_template_id": 1107000000000000002},
                "dlt_template_id must be",
            ),
            (
                {
                    "text": "{code}",
                    "dlt_text": "{#numeric#}",
                    "dlt_entity_id": IDS["dlt_entity_id"],
                },
                "dlt_template_id is missing",
            ),
            (
                {
                    "text": "{code}",
                    "dlt_text": "{#numeric#}",
                    "dlt_template_id": IDS["dlt_template_id"],
                },
                "dlt_entity_id is missing",
            ),
            ({"text": "{code}", **IDS}, "dlt_text is missing"),
            ({"text": "{code}", "dlt_text": "{#otp#}", **IDS}, "a variable 'otp'"),
            ({"text": "{code} a", "dlt_text": "{#numeric#} a", **IDS}, None),
            ({"text": "{code} a", "dlt_text": "{#numeric#} b", **IDS}, "first 7"),
            # What is registered with a code in it is for that code alone.
            ({"text": "{code} a", "dlt_text": "000000 a", **IDS}, "first 0 characters"),
            ({"text": "{minutes} {code}", "dlt_text": "5 {#numeric#}", **IDS}, "first"),
            ({"vendor": "aws", **registered("{code} a")}, None),
            (
                {"vendor": "twilio", **registered("{code} a")},
                "has DLT ids, which twilio does not pass on",
            ),
            (
                {"text": "{code}", "vendor": "fast2sms"},
                "is for fast2sms, which sends words of its own",
            ),
            ({"text": "{code}\0"}, "invisible characters"),
            ({"text": "{code}\r\nx"}, "invisible characters"),
            ({"text": "{code}\tx"}, "invisible characters"),
            ({"text": "{code}\u200bx"}, "invisible characters"),
            ({"text": "{code}\ufeff"}, "invisible characters"),
            ({"text": "{code}\u202e"}, "invisible characters"),
            ({"text": "{code}\u00adx"}, "invisible characters"),
            ({"text": "{code}\u2028x"}, "invisible characters"),
            # Two that words are written with, a line's end, and spaces of any width.
            ({"text": "{code} नमस्\u200dते می\u200cخواهم\n\u2008\u00a0"}, None),
            ({"text": "{code}\n\n@{host} #{code}"}, None),
            ({"text": "{code}\n\n@shop.example #{code} @pay.example"}, None),
            ({"text": "@{host} #{code}"}, None),
            ({"text": "{code} @{host} #{code}"}, "must be the whole last line"),
            ({"text": "@{host} #{code}\n{brand}"}, "must be the whole last line"),
            ({"text": "@{host} #{code}\n"}, "must be the whole last line"),
            ({"text": "@{host} #{code} bye"}, "must be the whole last line"),
        ],
        ids=str,
    )
    def test_a_text_that_cannot_be_sent_is_refused(
        self, table: Mapping[str, object], reason: str | None
    ) -> None:
        if reason is None:
            read(table)
            return
        [problem] = problems(table)
        assert problem.startswith("template 1: ")
        assert reason in problem

    def test_all_are_named_at_once_by_their_place(self) -> None:
        named = problems(
            {"text": "x", "vendor": "vonage"},
            {"text": "{code}"},
            {"txt": "x", "vendor": "x"},
            {"text": "{code} {nobody} {app_hash}"},
        )

        assert [it.split(": ")[0] for it in named] == [
            "template 1",
            "template 3",
            "template 3",
            "template 3",
            "template 4",
            "template 4",
            "template 4",
        ]

    def test_two_for_the_same_messages_are_one_too_many(self) -> None:
        [problem] = problems({"text": "{code} a"}, {"text": "{code} b"})

        assert problem == "template 2: is for the same messages as template 1"

    def test_languages_that_differ_in_case_alone_are_the_same(self) -> None:
        [problem] = problems(
            {"text": "{code} a", "locale": "pt-BR"},
            {"text": "{code} b", "locale": "pt-br"},
        )

        assert problem == "template 2: is for the same messages as template 1"

    def test_ids_and_what_is_registered_go_together(self) -> None:
        assert problems({"text": "{code}", "dlt_text": "{#numeric#}"}) == (
            "template 1: dlt_entity_id is missing",
            "template 1: dlt_template_id is missing",
        )

    def test_a_text_for_nobody_is_found(self) -> None:
        own = read(
            {"text": "{code} a", "vendor": "aws", "country": "IN"},
            {"text": "{code} b", "vendor": "twilio"},
            {"text": "{code} c", "country": "US"},
            {"text": "{code} d"},
        )

        assert sorted(find_unserved(own, vendors={"twilio"}, regions=("IN",))) == [
            "template 1: is for aws, which is not configured",
            "template 3: is for US, which is not served",
        ]


class TestDlt:
    def gaps(self, *tables: Mapping[str, object]) -> list[str]:
        return list(find_dlt_gaps(read(*tables), ["twilio", "vonage", "aws"]))

    def test_without_any_ids_nothing_is_asked_for(self) -> None:
        assert self.gaps({"text": "{code}", "country": "IN"}) == []

    def test_one_text_for_all_is_enough(self) -> None:
        assert self.gaps({**registered("{code}"), "country": "IN"}) == []

    def test_a_text_without_ids_is_found_where_others_have_them(self) -> None:
        gaps = self.gaps(
            {**registered("{code} a"), "country": "IN"},
            {"text": "{code} b", "country": "IN", "vendor": "aws"},
        )

        assert gaps == ["template 2: lacks DLT ids, which other texts to India have"]

    def test_a_text_that_no_such_vendor_sends_to_india_needs_none(self) -> None:
        gaps = self.gaps(
            {**registered("{code} a"), "country": "IN"},
            {"text": "{code} b", "country": "IN", "vendor": "twilio"},
            {"text": "{code} c", "country": "AE", "vendor": "aws"},
            {"text": "{code} d"},
        )

        assert gaps == []

    def test_a_purpose_or_a_language_that_was_forgotten_is_found(self) -> None:
        gaps = self.gaps(
            {
                **registered("{code} a"),
                "country": "IN",
                "vendor": "aws",
                "locale": "en",
            }
        )

        [gap] = gaps
        assert gap.startswith("aws has DLT ids for India, but not for every text")
