"""The rules against abuse: limits that many share, caps on money, and how strict."""

from typing import Annotated

from pydantic import AfterValidator
from pydantic_settings import BaseSettings

from config import fields
from config.limits import check_one_window, parse_limits
from config.money import (
    BySubject,
    CountByClient,
    CountByCountry,
    Currency,
    Money,
    MoneyByClient,
    MoneyByCountry,
)
from config.prices import PricesFile
from config.routes import PRICE_MAX
from config.rule_modes import RuleModes


class AbuseSettings(BaseSettings):
    """What reaches beyond one phone; what is empty binds nobody."""

    # Limits of one IPv4 address or IPv6 /64. Mobile carriers share addresses.
    sends_per_ip: fields.LimitList = parse_limits("10/10m, 30/1h, 100/24h")
    # One household or bot net may have all of an IPv6 /48: four times as much.
    sends_per_network: fields.LimitList = parse_limits("40/10m, 120/1h, 400/24h")
    # Phones that have typed no code: a person has one or two.
    phones_per_ip: fields.LimitList = parse_limits("5/1h, 20/24h")
    phones_per_device: fields.LimitList = parse_limits("5/1h, 20/24h")
    # As PyPI: 50 an hour.
    wrong_checks_per_ip: fields.LimitList = parse_limits("20/10m, 50/1h")
    wrong_checks_per_network: fields.LimitList = parse_limits("80/10m, 200/1h")

    # Limits of numbers. SMS pumping walks through neighbouring numbers.
    sends_per_prefix: fields.LimitList = parse_limits("5/10m, 15/1h")
    sends_per_country: CountByCountry = BySubject()
    # A call costs as much as ten texts, and to some countries a hundred times that.
    calls_per_prefix: fields.LimitList = parse_limits("5/1h")

    # Limits of service clients, and of everybody
    sends_per_caller: CountByClient = BySubject(parse_limits("600/1m, 5000/24h"))
    sends_global: fields.LimitList = ()
    calls_global: fields.LimitList = parse_limits("100/1h")
    # 2,000 guesses an hour are one takeover in 21 days, over all phones.
    wrong_checks_global: Annotated[
        fields.LimitList, AfterValidator(check_one_window)
    ] = parse_limits("2000/1h")

    # Money, in one currency
    spend_global: Money = ()
    spend_per_country: MoneyByCountry = BySubject()
    spend_per_caller: MoneyByClient = BySubject()
    spend_currency: Currency = "USD"
    prices_file: PricesFile = ()
    # Dearer than a text to most countries: what is not known must not look cheap.
    price_unknown: Annotated[float, fields.between(0.0001, PRICE_MAX)] = 0.1

    rule_modes: RuleModes = ()
