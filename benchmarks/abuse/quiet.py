"""A day on which nobody attacks: whom the rules meet all the same."""

from benchmarks.abuse.customers import LOGINS_A_DAY
from benchmarks.abuse.town import Honest, fared, open_town
from benchmarks.simulation.world import DAY


def quiet_day(*, seed: int, scale: float) -> Honest:
    """Let a day of honest logins pass with every rule on."""
    logins = max(100, round(LOGINS_A_DAY * scale))
    with open_town("ours", seed=seed, logins_a_day=logins, between=(0.0, DAY)) as town:
        town.agenda.run()
        return fared(town.logins, since=0.0)
