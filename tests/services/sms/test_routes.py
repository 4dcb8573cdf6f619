"""Who may carry a message, and what is wrong with routes."""

from collections.abc import Mapping, Sequence

import pytest

from services.sms.provider import Channel, Provider
from services.sms.routes import Hop, Route, Routes, find_faults, find_unserved
from tests.services.sms.fakes import GERMAN, INDIAN, ScriptedProvider
from utils.phone import PhoneNumber

AMERICAN = PhoneNumber("+12125550123", "US", 1)
CANADIAN = PhoneNumber("+12045550123", "CA", 1)

WORLDWIDE = ScriptedProvider("worldwide")
INDIA = ScriptedProvider("india", countries=frozenset({"IN"}))
CALLER = ScriptedProvider("caller", channels=frozenset({"voice"}))
BOTH = ScriptedProvider("both", channels=frozenset({"sms", "voice"}))
CONSOLE = ScriptedProvider("console")
ALL = (WORLDWIDE, INDIA, CALLER, BOTH)


def route(prefix: str, *names: str, **weights: int) -> Route:
    hops = [Hop(it) for it in names] + [Hop(*it) for it in weights.items()]
    return Route(prefix, tuple(hops))


def routes(*sms: Route, providers: Sequence[Provider] = ALL) -> Routes:
    return Routes(providers, tables={"sms": sms})


def names(hops: Sequence[Hop]) -> list[str]:
    return [hop.name for hop in hops]


class TestVendors:
    def test_without_routes_all_that_serve_the_country_stand_in_their_order(
        self,
    ) -> None:
        assert names(routes().vendors_for("sms", INDIAN)) == [
            "worldwide",
            "india",
            "both",
        ]
        assert names(routes().vendors_for("sms", GERMAN)) == ["worldwide", "both"]
        assert names(routes().vendors_for("voice", GERMAN)) == ["caller", "both"]
        assert routes().vendors_for("whatsapp", GERMAN) == ()

    def test_the_longest_prefix_counts_whatever_stands_first(self) -> None:
        made = routes(
            route("", "worldwide"),
            route("+1", "both"),
            route("+1204", "both", "worldwide"),
        )

        assert names(made.vendors_for("sms", GERMAN)) == ["worldwide"]
        assert names(made.vendors_for("sms", AMERICAN)) == ["both"]
        assert names(made.vendors_for("sms", CANADIAN)) == ["both", "worldwide"]

    def test_a_number_that_no_route_is_for_has_no_vendor(self) -> None:
        assert routes(route("+91", "india")).vendors_for("sms", GERMAN) == ()

    def test_a_vendor_is_left_out_where_it_does_not_serve(self) -> None:
        made = routes(route("", "india", "worldwide"))

        assert names(made.vendors_for("sms", INDIAN)) == ["india", "worldwide"]
        assert names(made.vendors_for("sms", GERMAN)) == ["worldwide"]

    def test_a_channel_may_be_for_some_countries_alone(self) -> None:
        made = Routes(
            ALL, tables={"voice": [route("", "both")]}, regions={"voice": ["IN", "US"]}
        )

        assert names(made.vendors_for("voice", INDIAN)) == ["both"]
        assert names(made.vendors_for("voice", AMERICAN)) == ["both"]
        assert made.vendors_for("voice", CANADIAN) == ()
        assert made.vendors_for("voice", GERMAN) == ()
        assert names(made.vendors_for("sms", GERMAN)) == ["worldwide", "both"]

    def test_weights_add_up_to_one_among_those_that_serve(self) -> None:
        made = routes(route("", india=60, worldwide=30, both=10))

        assert dict(made.vendors_for("sms", INDIAN)) == pytest.approx(
            {"india": 0.6, "worldwide": 0.3, "both": 0.1}
        )
        assert dict(made.vendors_for("sms", GERMAN)) == pytest.approx(
            {"worldwide": 0.75, "both": 0.25}
        )

    def test_without_weights_the_order_is_all_there_is(self) -> None:
        hops = routes(route("", "worldwide", "both")).vendors_for("sms", GERMAN)

        assert hops == (("worldwide", None), ("both", None))

    def test_channels_do_not_mix(self) -> None:
        made = routes(route("", "worldwide"))

        assert names(made.vendors_for("voice", GERMAN)) == ["caller", "both"]

    @pytest.mark.parametrize(
        "table", [(), (route("", worldwide=1),), (route("+1", "worldwide"),)]
    )
    def test_the_console_stands_last_on_sms_and_nowhere_else(
        self, table: Sequence[Route]
    ) -> None:
        made = routes(*table, providers=[CONSOLE, *ALL])

        for phone in (GERMAN, AMERICAN):
            assert made.vendors_for("sms", phone)[-1] == ("console", None)
            assert names(made.vendors_for("sms", phone)).count("console") == 1
            assert "console" not in names(made.vendors_for("voice", phone))

    def test_two_routes_into_one_country_stay_apart(self) -> None:
        made = routes(route("+1204", "both"), route("+1", "worldwide"))
        elsewhere = PhoneNumber("+14165550123", "CA", 1)

        for _ in range(2):
            assert names(made.vendors_for("sms", CANADIAN)) == ["both"]
            assert names(made.vendors_for("sms", elsewhere)) == ["worldwide"]


class TestFaults:
    def faults(
        self, tables: Mapping[Channel, Sequence[Route]]
    ) -> list[tuple[Channel, str]]:
        return list(find_faults(ALL, tables))

    def test_good_routes_have_none(self) -> None:
        tables: Mapping[Channel, Sequence[Route]] = {
            "sms": [route("+91", "india", "both"), route("", "worldwide", "india")],
            "voice": [route("+1204", "caller")],
        }

        assert self.faults(tables) == []

    def test_all_are_named_at_once_by_channel_place_and_vendor(self) -> None:
        tables: Mapping[Channel, Sequence[Route]] = {
            "sms": [route("", "worldwide"), route("+49", "vonage", "india", "caller")],
            "voice": [route("", "worldwide")],
        }

        assert self.faults(tables) == [
            ("sms", "entry 2: vonage is not configured"),
            ("sms", "entry 2: india does not send to +49"),
            ("sms", "entry 2: caller does not send by sms"),
            ("voice", "entry 1: worldwide does not send by voice"),
        ]


class TestUnserved:
    def unserved(self, *sms: Route, regions: Sequence[str]) -> list[str]:
        providers = [*ALL, CONSOLE]
        return list(find_unserved(providers, "sms", routes=sms, regions=regions))

    def test_a_country_without_a_route_is_unserved(self) -> None:
        table = [route("+91", "india"), route("+49", "worldwide")]

        assert self.unserved(*table, regions=["IN", "DE", "FR", "US"]) == ["FR", "US"]

    def test_a_country_whose_route_has_only_others_vendors_is_unserved(self) -> None:
        assert self.unserved(route("", "india"), regions=["IN", "DE"]) == ["DE"]

    def test_a_general_route_does_not_stand_in_for_the_countrys_own(self) -> None:
        table = [route("", "worldwide"), route("+49", "india")]

        assert self.unserved(*table, regions=["DE", "FR"]) == ["DE"]

    def test_a_route_for_a_part_of_a_country_serves_it(self) -> None:
        assert self.unserved(route("+1204", "worldwide"), regions=["CA"]) == []

    def test_the_console_serves_where_nothing_is_routed_and_only_there(self) -> None:
        alone = [CONSOLE]

        assert not list(find_unserved(alone, "sms", routes=(), regions=["DE"]))
        assert list(
            find_unserved(
                [INDIA, CONSOLE], "sms", routes=[route("", "india")], regions=["DE"]
            )
        ) == ["DE"]
