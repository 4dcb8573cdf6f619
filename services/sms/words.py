"""What a text says, in every language that comes with the service.

The code stands first, where the notification's preview shows it, then whose it is, how
long it lives, and that it is nobody else's. A text of two segments costs twice, so the
words keep to the alphabet of 160 characters wherever a language can be written in it:
that is why Spanish has a "clave" and Portuguese a "PIN" rather than the "ó" of their
words for a code.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, get_args

# Of a code: to log in, or only to show that the phone is theirs.
Wording = Literal["login", "verify"]
Client = Literal["web", "android", "ios", "other"]

# What a text of the operator's own may be for beside a code: to tell a phone that its
# account has another number now.
NOTICE = "notice"

WORDINGS: tuple[Wording, ...] = get_args(Wording)
CLIENTS: tuple[Client, ...] = get_args(Client)


@dataclass(frozen=True, slots=True)
class Words:
    """One language's sentences.

    ``minutes`` has the words for one minute, and so on up to those for any more.
    ``notices`` are the ways to tell a phone that its account has another number now,
    the fullest first.
    """

    opening: Mapping[Wording, str]
    expires: str
    warning: str
    minutes: tuple[str, ...]
    notices: tuple[str, ...]

    def time(self, minutes: int) -> str:
        """Say how long the code lives."""
        return self.minutes[min(minutes, len(self.minutes)) - 1].format(n=minutes)

    def forms(self, wording: Wording) -> tuple[str, ...]:
        """Return the text in full, and then ever shorter.

        The last one is for the longest of names in the widest of alphabets: it keeps
        what a person and a phone need to tell whose code it is.
        """
        opening = self.opening[wording]
        return (
            f"{opening} {self.expires} {self.warning}",
            f"{opening} {self.warning}",
            opening,
            "{code} {brand}",
        )


WORDS: Mapping[str, Words] = {
    "en": Words(
        opening={
            "login": "{code} is your {brand} code.",
            "verify": "{code} is your {brand} verification code.",
        },
        expires="It expires in {time}.",
        warning="Don't share it with anyone.",
        minutes=("1 minute", "{n} minutes"),
        notices=(
            (
                "{brand}: the phone number of your account was changed to one"
                " ending in {ending}. If this was not you, contact us."
            ),
            "{brand}: your phone number now ends in {ending}. Not you? Contact us.",
        ),
    ),
    "hi": Words(
        opening={
            "login": "{code} आपका {brand} कोड है।",
            "verify": "{code} आपका {brand} सत्यापन कोड है।",
        },
        expires="{time} तक मान्य।",
        warning="इसे किसी को न बताएँ।",
        minutes=("{n} मिनट",),
        notices=(
            "{brand}: खाते का फ़ोन नंबर बदला, अंत में {ending}। आपने नहीं? हमें बताएँ।",
            "{brand}: नया नंबर ..{ending}। हमें बताएँ।",
        ),
    ),
    "es": Words(
        opening={
            "login": "{code} es su clave de {brand}.",
            "verify": "{code} es su clave de {brand} para verificar el teléfono.",
        },
        expires="Vence en {time}.",
        warning="No la comparta con nadie.",
        minutes=("1 minuto", "{n} minutos"),
        notices=(
            (
                "{brand}: el teléfono de su cuenta es ahora otro, que termina en"
                " {ending}. Si no fue usted, hable con nosotros."
            ),
            "{brand}: su teléfono termina ahora en {ending}. ¿No fue usted? Escriba.",
        ),
    ),
    "fr": Words(
        opening={
            "login": "{code} est votre code {brand}.",
            "verify": "{code} est votre code de vérification {brand}.",
        },
        expires="Il expire dans {time}.",
        warning="Ne le partagez avec personne.",
        minutes=("1 minute", "{n} minutes"),
        notices=(
            (
                "{brand} : le numéro de téléphone de votre compte a changé, il"
                " finit par {ending}. Si ce n'est pas vous, contactez-nous."
            ),
            "{brand} : votre numéro finit par {ending}. Une erreur ? Contactez-nous.",
        ),
    ),
    "pt": Words(
        opening={
            "login": "{code} é o seu PIN {brand}.",
            "verify": "{code} é o seu PIN {brand} para verificar o telefone.",
        },
        expires="Expira em {time}.",
        warning="Nunca o compartilhe.",
        minutes=("1 minuto", "{n} minutos"),
        notices=(
            (
                "{brand}: o telefone da sua conta foi trocado por um que termina em"
                " {ending}. Se desconhece a troca, fale conosco."
            ),
            (
                "{brand}: seu telefone agora termina em {ending}. Algo errado? Fale"
                " conosco."
            ),
        ),
    ),
    "ar": Words(
        opening={
            "login": "{code} رمز الدخول إلى {brand}.",
            "verify": "{code} رمز التحقق الخاص بك في {brand}.",
        },
        expires="صالح لمدة {time}.",
        warning="لا تشاركه مع أحد.",
        # Good for up to ten, which is as long as a code may live.
        minutes=("دقيقة واحدة", "دقيقتين", "{n} دقائق"),
        notices=(
            "{brand}: رقم هاتف حسابك ينتهي الآن بـ {ending}. لست أنت؟ اتصل بنا.",
            "{brand}: رقمك ينتهي بـ {ending}. اتصل بنا.",
        ),
    ),
    "de": Words(
        opening={
            "login": "{code} ist Ihr Code für {brand}.",
            "verify": "{code} ist Ihr Bestätigungscode für {brand}.",
        },
        expires="Er gilt noch {time}.",
        warning="Geben Sie ihn nicht weiter.",
        minutes=("1 Minute", "{n} Minuten"),
        notices=(
            (
                "{brand}: Die Telefonnummer Ihres Kontos wurde geändert und endet"
                " jetzt auf {ending}. Waren Sie das nicht? Dann melden Sie sich bei"
                " uns."
            ),
            "{brand}: Ihre Nummer endet jetzt auf {ending}. Falsch? Melden Sie sich.",
        ),
    ),
    "id": Words(
        opening={
            "login": "{code} adalah kode {brand} Anda.",
            "verify": "{code} adalah kode verifikasi {brand} Anda.",
        },
        expires="Berlaku selama {time}.",
        warning="Jangan berikan kepada siapa pun.",
        minutes=("{n} menit",),
        notices=(
            (
                "{brand}: nomor telepon akun Anda diganti ke nomor yang berakhir"
                " {ending}. Jika bukan Anda, hubungi kami."
            ),
            "{brand}: nomor Anda kini berakhir {ending}. Bukan Anda? Hubungi kami.",
        ),
    ),
}
