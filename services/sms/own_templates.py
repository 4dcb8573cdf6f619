"""The operator's own texts, and which message gets which of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from services.sms.locales import chain
from services.sms.provider import Dlt
from services.sms.words import NOTICE


class TemplateError(ValueError):
    """Texts cannot be sent as they are configured; ``problems`` names all of it."""

    def __init__(self, *problems: str) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems


@dataclass(frozen=True, slots=True)
class OwnTemplate:
    """A text, and what it is for: None stands for all.

    ``place`` is the one in the file, from 1. ``fixed`` fills the placeholders that are
    the same in every message.
    """

    place: int
    text: str
    vendor: str | None = None
    country: str | None = None
    locale: str | None = None
    purpose: str | None = None
    client: str | None = None
    dlt: Dlt | None = None
    fixed: Mapping[str, str] = field(default_factory=dict)

    @property
    def scope(self) -> tuple[str | None, ...]:
        """What it is for, in one piece."""
        # In one spelling: case means nothing in a language tag (RFC 5646 2.1.1).
        locale = self.locale and next(chain(self.locale))
        return (self.vendor, self.country, locale, self.purpose, self.client)

    @property
    def generality(self) -> tuple[bool | int, ...]:
        """Rank it: of two that suit a message, the lower one is meant."""
        subtags = len(self.locale.split("-")) if self.locale else 0
        return (
            self.vendor is None,
            self.country is None,
            -subtags,
            self.purpose is None,
            self.client is None,
        )

    def fill(self, code: str, minutes: int) -> str:
        """Write the text."""
        return self.text.format(code=code, minutes=minutes, **self.fixed)

    def fill_notice(self, ending: str) -> str:
        """Write a notice; ``ending`` are the new number's last digits."""
        return self.text.format(ending=ending, **self.fixed)


class OwnTemplates:
    """The operator's texts.

    A template that names the vendor comes before one that does not, whatever else they
    name; then the country counts, the language (``pt-BR`` before ``pt``), the purpose
    and the client. What is for all purposes is for all codes, and for no notice.
    """

    def __init__(self, templates: Sequence[OwnTemplate] = ()) -> None:
        self.templates = sorted(templates, key=lambda it: it.generality)
        self.locales = frozenset(
            it.locale for it in templates if it.locale and it.purpose != NOTICE
        )

    def find(
        self, *, vendor: str, region: str, locale: str, purpose: str, client: str
    ) -> OwnTemplate | None:
        """Return the text for a message, if there is one."""
        if not self.templates:
            return None
        tags = tuple(chain(locale))
        purposes = {purpose} if purpose == NOTICE else {None, purpose}
        for it in self.templates:
            if (
                it.vendor in {None, vendor}
                and it.country in {None, region}
                and (it.locale is None or it.locale.lower() in tags)
                and it.purpose in purposes
                and it.client in {None, client}
            ):
                return it
        return None
