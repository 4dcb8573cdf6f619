"""What a merge of health is worth telling: steps, and what was measured."""

from collections.abc import Iterator, Mapping

from services.routing_events import VendorMeasured, VendorWeightChanged
from services.scripts import Reply
from services.sms.routing.standing import Area, Standing


def weight_changes(area: Area, reply: Reply) -> Iterator[VendorWeightChanged]:
    """Read the steps that a run of ``health.lua`` made."""
    channel, country = area
    for vendor, before, after, reason in reply["changes"]:
        yield VendorWeightChanged(
            provider=vendor,
            channel=channel,
            country=country,
            before=round(before),
            after=round(after),
            reason=reason,
        )


def measures(
    area: Area,
    deltas: Mapping[str, Mapping[str, float]],
    *,
    before: Standing,
    after: Standing,
) -> Iterator[VendorMeasured]:
    """Tell what a worker added, and every weight that is news to it."""
    channel, country = area
    for vendor, it in after.items():
        added = deltas.get(vendor, {})
        if added or vendor not in before or before[vendor].weight != it.weight:
            yield VendorMeasured(
                provider=vendor,
                channel=channel,
                country=country,
                weight=it.weight,
                judged=round(added.get("judged", 0)),
                delivered=round(added.get("delivered", 0)),
                tries=round(added.get("tries", 0)),
                converted=round(added.get("converted", 0)),
            )
