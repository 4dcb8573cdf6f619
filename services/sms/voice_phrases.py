"""What a call says around the code, by language, and the voice that says it."""

from collections.abc import Mapping
from dataclasses import dataclass

from services.sms.languages import nearest


@dataclass(frozen=True, slots=True)
class Phrases:
    """One language's words.

    ``language`` and ``voice`` are a pair that Twilio has
    (https://www.twilio.com/docs/voice/twiml/say/text-speech#available-voices-and-languages):
    without a voice it would use the account's, which may not speak the language.
    ``intro`` has a place for the ``{brand}``.
    """

    language: str
    voice: str
    intro: str
    again: str
    goodbye: str


PHRASES: Mapping[str, Phrases] = {
    "en": Phrases(
        language="en-US",
        voice="Polly.Joanna",
        intro="Hello, this is {brand}. Your code is:",
        again="Once more, your code is:",
        goodbye="Never tell this code to anyone. Goodbye.",
    ),
    "hi": Phrases(
        language="hi-IN",
        voice="Polly.Aditi",
        intro="नमस्ते, यह {brand} की ओर से कॉल है। आपका कोड है:",
        again="एक बार फिर, आपका कोड है:",
        goodbye="यह कोड किसी को न बताएँ। धन्यवाद।",
    ),
    "es": Phrases(
        language="es-US",
        voice="Polly.Lupe",
        intro="Hola, le llama {brand}. Su clave es:",
        again="Se la repito, su clave es:",
        goodbye="No comparta esta clave con nadie. Adiós.",
    ),
    "fr": Phrases(
        language="fr-FR",
        voice="Polly.Lea",
        intro="Bonjour, ici {brand}. Votre code est :",
        again="Je répète, votre code est :",
        goodbye="Ne communiquez ce code à personne. Au revoir.",
    ),
    "pt": Phrases(
        language="pt-BR",
        voice="Polly.Camila",
        intro="Olá, aqui é {brand}. O seu código é:",
        again="Repetindo, o seu código é:",
        goodbye="Não informe este código a ninguém. Até logo.",
    ),
    "ar": Phrases(
        language="arb",
        voice="Polly.Zeina",
        intro="مرحبا، معك {brand}. الرمز الخاص بك هو:",
        again="مرة أخرى، الرمز الخاص بك هو:",
        goodbye="لا تخبر أحدا بهذا الرمز. مع السلامة.",
    ),
    "de": Phrases(
        language="de-DE",
        voice="Polly.Vicki",
        intro="Hallo, hier ist {brand}. Ihr Code lautet:",
        again="Noch einmal, Ihr Code lautet:",
        goodbye="Geben Sie diesen Code an niemanden weiter. Auf Wiederhören.",
    ),
    "id": Phrases(
        language="id-ID",
        voice="Google.id-ID-Standard-A",
        intro="Halo, ini dari {brand}. Kode Anda adalah:",
        again="Sekali lagi, kode Anda adalah:",
        goodbye="Jangan beri tahu kode ini kepada siapa pun. Sampai jumpa.",
    ),
}


def phrases_for(locale: str) -> Phrases:
    """Return the words for a locale (BCP 47); English where we have none."""
    return PHRASES[nearest(locale, PHRASES) or "en"]
