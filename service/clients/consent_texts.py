"""The consent texts, worded once.

Raise `WORDING` with every change of a text: a stored consent names the version that was agreed to.
"""

from typing import Final, Literal, get_args

import msgspec

Purpose = Literal["record", "share", "trends", "research"]
Language = Literal["en", "de"]

WORDING: Final = "1"
IMPORTED: Final = "imported"
"""Stands for the version where a session was recorded elsewhere or simulated, and imported."""
PURPOSES: Final[tuple[Purpose, ...]] = get_args(Purpose)


class Text(msgspec.Struct, frozen=True):
    """A consent text in one language."""

    title: str
    text: str


class Consent(msgspec.Struct, frozen=True, kw_only=True):
    """One purpose that a client is asked to agree to."""

    purpose: Purpose
    wording: str = WORDING
    en: Text
    de: Text


TEXTS: Final = (
    Consent(
        purpose="record",
        en=Text(
            "To be recorded",
            "My heartbeats, what is done and the pain I tell of are recorded in my sessions and kept in this practice under a "
            "pseudonym. I can take this back at any time: a running session then ends, and what was recorded before stays until "
            "I ask to have it erased.",
        ),
        de=Text(
            "Aufzeichnung",
            "Mein Herzschlag, was getan wird und die Schmerzen, die ich nenne, werden in meinen Sitzungen aufgezeichnet und in "
            "dieser Praxis unter einem Pseudonym aufbewahrt. Ich kann das jederzeit widerrufen: eine laufende Sitzung endet "
            "dann, und was zuvor aufgezeichnet wurde, bleibt, bis ich um Löschung bitte.",
        ),
    ),
    Consent(
        purpose="share",
        en=Text(
            "To get a link to my results",
            "A summary of my sessions is put on a private page for me. Whoever has its link can open it, until it expires or I "
            "have it revoked.",
        ),
        de=Text(
            "Link zu meinen Ergebnissen",
            "Eine Zusammenfassung meiner Sitzungen liegt für mich auf einer privaten Seite. Wer den Link hat, kann sie öffnen, "
            "bis er abläuft oder ich ihn sperren lasse.",
        ),
    ),
    Consent(
        purpose="trends",
        en=Text(
            "To have my sessions compared over time",
            "My sessions are kept and compared with one another, so that the course over the weeks can be seen.",
        ),
        de=Text(
            "Vergleich über die Zeit",
            "Meine Sitzungen werden aufbewahrt und miteinander verglichen, damit der Verlauf über die Wochen zu sehen ist.",
        ),
    ),
    Consent(
        purpose="research",
        en=Text(
            "To have recordings passed on without my name",
            "Recordings of my sessions may be given to research or testing, without name, contact, strap address, notes "
            "or dates.",
        ),
        de=Text(
            "Weitergabe ohne meinen Namen",
            "Aufzeichnungen meiner Sitzungen dürfen für Forschung oder Tests weitergegeben werden, ohne Namen, Kontaktdaten, "
            "Adresse des Gurts, Notizen oder Datum.",
        ),
    ),
)
