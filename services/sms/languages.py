"""Which of the languages that a vendor has comes nearest to a person's."""

from collections.abc import Iterable

from services.sms.locales import chain


def nearest(wanted: str, offered: Iterable[str]) -> str | None:
    """Return the offered tag for ``wanted`` (BCP 47), or None when there is none.

    A shorter tag does for a longer one, and another country's for none: of ``pt-PT``
    and ``pt``, ``pt-AO`` gets ``pt``; of ``pt-BR`` alone, that. Case does not count,
    nor whether a tag has hyphens or, as Meta writes them, underscores.
    """
    tags = {next(chain(tag)): tag for tag in offered}
    *_, language = chain(wanted)
    for shorter in chain(wanted):
        if shorter in tags:
            return tags[shorter]
    prefix = f"{language}-"
    return next((tags[plain] for plain in tags if plain.startswith(prefix)), None)
