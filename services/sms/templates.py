"""The text of a message, and the proof at start-up that it fits into one SMS.

A text of two segments costs twice, and one curly apostrophe is enough to make it two.
"""

import itertools
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from services.sms import dlt
from services.sms.locales import DEFAULT, chain, choose_locale, usual_language
from services.sms.own_templates import OwnTemplates, TemplateError
from services.sms.provider import Dlt, in_minutes
from services.sms.segments import excess
from services.sms.words import NOTICE, WORDINGS, WORDS, Words

# https://wicg.github.io/sms-one-time-codes/: the last line, "@" host, one space, "#"
# code, and nothing else; an explanatory text stands above it.
_FOR_BROWSERS = "\n\n@{host} #{code}"
# https://developers.google.com/identity/sms-retriever/verify: the app's hash, at the
# end. One SMS keeps to its 140 bytes.
_FOR_ANDROID = "\n\n{app_hash}"

# iOS offers a code bound to a domain in the apps of that domain, too.
_BROWSERS = frozenset({None, "web", "ios"})

# A space that the default alphabet lacks, so that the text goes out in UCS-2: texts to
# China do better in it, as Signal's registration service has found.
_WIDENER = "\u2008"
_WIDENED = frozenset({"CN"})

# What a code usually has, and what it has while many are guessed.
_DIGITS, _MORE_DIGITS = 6, 8

# Language, wording, ending, widened; and the form of each such text.
_Text = tuple[str, str, str, bool]
_Forms = Mapping[_Text, str]

_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_HOST = re.compile(rf"{_LABEL}(?:\.{_LABEL})*")


@dataclass(frozen=True, slots=True)
class Text:
    """What to send, the language it is in, and what India's registry knows it by."""

    text: str = field(repr=False)
    locale: str
    dlt: Dlt | None = None


class Templates:
    """The texts of the service, and before them the operator's own.

    ``autofill_host`` is the storefront's host, from its settings and never from a
    request: browsers offer the code on that host only. ``app_hash`` is how Android
    finds the app that a text is for. Where a text in full does not fit one SMS with
    such a line, a shorter form of it is used, which is settled here.

    Raises:
        TemplateError: no form of a text fits, or a part of it is malformed.
    """

    def __init__(
        self,
        *,
        brand: str,
        ttl_seconds: int,
        autofill_host: str | None = None,
        app_hash: str | None = None,
        own: OwnTemplates | None = None,
    ) -> None:
        if not brand.isprintable() or not brand.strip():
            raise TemplateError("the brand must be printable, and not empty")
        if autofill_host is not None and not _HOST.fullmatch(autofill_host):
            raise TemplateError("the autofill host must be a bare lower-case host name")
        self._fixed = {
            "brand": brand,
            "host": autofill_host or "",
            "app_hash": app_hash or "",
        }
        self._ttl_seconds = ttl_seconds
        self._own = own or OwnTemplates()
        self._locales = tuple(
            {**dict.fromkeys(WORDS), **dict.fromkeys(self._own.locales)}
        )
        self._forms, worst = self._settle("0" * _DIGITS)
        if worst:
            raise TemplateError(
                f"together {worst} characters too long: not even the shortest text fits"
                " one SMS, which in some languages is of 70 characters"
            )
        # These are rare: where they do not fit, the shortest text costs twice for once.
        self._longer_forms, _ = self._settle("0" * _MORE_DIGITS)

    def choose_locale(
        self, requested: str | None, accept_language: str | None, region: str
    ) -> str:
        """Return the language of a message: one that there are words or a text for.

        The request counts before the browser, and that before the country.
        """
        return choose_locale(
            self._locales,
            requested=requested,
            accept_language=accept_language,
            region=region,
        )

    def render(
        self,
        code: str,
        *,
        vendor: str,
        region: str,
        locale: str,
        purpose: str,
        client: str | None,
        ttl_seconds: int,
    ) -> Text:
        """Write the text that ``vendor`` is to send.

        ``ttl_seconds`` is what is left of the code's life, which a resend does not
        lengthen.
        """
        minutes = in_minutes(min(ttl_seconds, self._ttl_seconds))
        own = self._own.find(
            vendor=vendor,
            region=region,
            locale=locale,
            purpose=purpose,
            client=client or "web",
        )
        if own:
            return Text(own.fill(code, minutes), own.locale or locale, own.dlt)
        language = next((it for it in chain(locale) if it in WORDS), DEFAULT)
        forms = self._longer_forms if len(code) > _DIGITS else self._forms
        form = forms[language, purpose, self._ending(client), region in _WIDENED]
        time = WORDS[language].time(minutes)
        return Text(form.format(code=code, time=time, **self._fixed), language)

    def render_notice(self, ending: str, *, vendor: str, region: str) -> Text | None:
        """Write that an account's number now ends in ``ending``, for its old phone.

        In the country's usual language: what the request says may be a thief's choice.
        None where the vendor needs a text that India's registry knows, and has none.
        Not even the shortest form must fit one SMS: to say nothing would be worse.
        """
        locale = usual_language(region)
        own = self._own.find(
            vendor=vendor, region=region, locale=locale, purpose=NOTICE, client=""
        )
        if region == dlt.REGION and vendor in dlt.VENDORS and not (own and own.dlt):
            return None
        if own:
            return Text(own.fill_notice(ending), own.locale or locale, own.dlt)
        language = next((it for it in chain(locale) if it in WORDS), DEFAULT)
        texts = [
            it.format(ending=ending, brand=self._fixed["brand"])
            for it in WORDS[language].notices
        ]
        return Text(next((it for it in texts if not excess(it)), texts[-1]), language)

    def _ending(self, client: str | None) -> str:
        if client == "android" and self._fixed["app_hash"]:
            return _FOR_ANDROID
        if client in _BROWSERS and self._fixed["host"]:
            return _FOR_BROWSERS
        return ""

    def _settle(self, code: str) -> tuple[_Forms, int]:
        """Choose the fullest form that fits, for each text there can be.

        Where none fits it is the shortest. Also return by how much the worst is over.
        """
        endings = {self._ending(it) for it in (None, "android", "other")}
        forms: dict[_Text, str] = {}
        worst = 0
        for key in itertools.product(WORDS, WORDINGS, endings, (False, True)):
            language, wording, ending, widened = key
            tail = (_WIDENER if widened else "") + ending
            over = 0
            for words in WORDS[language].forms(wording):
                forms[key] = words + tail
                over = self._excess(forms[key], WORDS[language], code)
                if not over:
                    break
            worst = max(worst, over)
        return forms, worst

    def _excess(self, form: str, words: Words, code: str) -> int:
        most = in_minutes(self._ttl_seconds)
        times = {words.time(minutes) for minutes in range(1, most + 1)}
        texts = (form.format(code=code, time=time, **self._fixed) for time in times)
        return max(map(excess, texts))
