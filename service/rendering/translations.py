"""Translations for clients: messages from a catalogue, numbers and dates in the language's format.

English is the language of the messages in the code. Every other language is one file, `locale/<language>.po` (gettext), compiled
when it is first used: a checkout, an editable install and a wheel are alike. Babel writes numbers, dates and lists.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta, tzinfo
from functools import cache
from gettext import GNUTranslations, NullTranslations
from io import BytesIO
from math import floor
from pathlib import Path
from typing import Final

from babel import Locale
from babel.dates import format_date, format_skeleton, format_time
from babel.lists import format_list
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.numbers import format_decimal
from babel.units import format_unit

from ..settings import time_zone

SOURCE: Final = "en"
LOCALE_FOLDER: Final = Path(__file__).parent / "locale"
NONE: Final = "–"
_LOCALES: Final = {SOURCE: "en_GB"}
"""English dates are written day first; for other languages the locale is the language."""


def marked(message: str) -> str:
    """Return a text unchanged; marks it for the catalogues where it is translated elsewhere."""
    return message


@dataclass(frozen=True, slots=True)
class Speech:
    """Texts, numbers and dates in one language. `zone` is the practice's time zone; None for that of this computer."""

    language: str
    locale: Locale
    zone: tzinfo | None = None
    catalogue: NullTranslations = field(default_factory=NullTranslations, repr=False)

    def in_zone(self, name: str | None) -> "Speech":
        """Return the same speech in the time zone of an IANA name; None: as it is."""
        zone = time_zone(name) if name else None
        return replace(self, zone=zone) if zone else self

    def say(self, message: str, **values: str) -> str:
        """Return a translated message with its values filled in."""
        text = self.catalogue.gettext(message)
        return text.format(**values) if values else text

    def say_count(self, one: str, many: str, count: int, **values: str) -> str:
        """Return a translated message in singular or plural; `{count}` is the number."""
        return self.catalogue.ngettext(one, many, count).format(count=self.number(count), **values)

    def known(self, word: str) -> str:
        """Return a word of the practice, such as a technique, translated where the catalogue has it."""
        word = word[:1].upper() + word[1:]
        return self.catalogue.gettext(word) if word else word

    def number(self, value: float | None, digits: int = 0) -> str:
        """Return a figure with `digits` decimals; a dash for None."""
        if value is None:
            return NONE
        decimals = f".{'0' * digits}" if digits else ""
        return _typographic(format_decimal(round(value, digits) + 0.0, f"#,##0{decimals}", locale=self.locale))

    def percent(self, value: float | None, digits: int = 0) -> str:
        """Return a percentage with `digits` decimals; a dash for None."""
        return NONE if value is None else self._percent(value, "", digits)

    def share(self, value: float | None) -> str:
        """Return a share in percent, rounded down, so that it never reads as complete or sufficient when it is not."""
        return NONE if value is None else self._percent(floor(value + 1e-9), "", 0)

    def change(self, value: float | None, digits: int = 0) -> str:
        """Return a change in percent with its sign; a dash for None."""
        return NONE if value is None else self._percent(value, "+", digits)

    def points(self, value: float, digits: int = 1) -> str:
        """Return a change in points with its sign; whole numbers without decimals."""
        rounded = round(value, digits) + 0.0
        return ("+" if rounded > 0 else "") + self.number(rounded, 0 if rounded == int(rounded) else digits)

    def day(self, utc: str) -> str:
        """Return a date: 23 November 2026."""
        return format_date(self.moment(utc), "long", locale=self.locale)

    def short_day(self, day: date, *, year: bool = False) -> str:
        """Return a short date: 23 Nov, or with `year` 23 Nov 2026."""
        return _non_breaking(format_skeleton("yMMMd" if year else "MMMd", day, locale=self.locale))

    def weekday(self, day: date) -> str:
        """Return a date with its weekday: Monday 23 November."""
        return format_skeleton("MMMMEEEEd", day, locale=self.locale)

    def time(self, utc: str, after_s: float = 0.0) -> str:
        """Return the time of day, 10:41, `after_s` seconds after `utc`."""
        return format_time(self.moment(utc, after_s), "short", locale=self.locale)

    def length(self, seconds: float, *, short: bool = False) -> str:
        """Return a length of time: 40 seconds, 45 minutes, 1 hour, 5 minutes; with `short` 45 mins."""
        if seconds < 60:
            return self._unit(round(seconds), "duration-second", short)
        hours, minutes = divmod(round(seconds / 60), 60)
        parts = [self._unit(hours, "duration-hour", short)] if hours else []
        return ", ".join([*parts, self._unit(minutes, "duration-minute", short)] if minutes or not parts else parts)

    def listed(self, parts: Sequence[str]) -> str:
        """Return a list in words: one, two and three."""
        return format_list(list(parts), "standard", locale=self.locale)

    def moment(self, utc: str, after_s: float = 0.0) -> datetime:
        """Return the moment `after_s` seconds after an ISO 8601 time stamp, in the practice's zone.

        The seconds are added in UTC: the clock may change within a session.
        """
        return (datetime.fromisoformat(utc).astimezone(UTC) + timedelta(seconds=after_s)).astimezone(self.zone)

    def _percent(self, value: float, sign: str, digits: int) -> str:
        rounded = round(value, digits) + 0.0
        pattern = self.locale.percent_formats[None].pattern.replace("0", f"0.{'0' * digits}" if digits else "0")
        written = _typographic(format_decimal(rounded / 100, pattern, locale=self.locale))
        return (sign if rounded > 0 else "") + written

    def _unit(self, value: int, unit: str, short: bool) -> str:
        return _non_breaking(format_unit(value, unit, "short" if short else "long", locale=self.locale))


@cache
def languages() -> Mapping[str, str]:
    """Return every language that has a catalogue, English first, by code with its own name."""
    found = [SOURCE, *sorted(path.stem for path in LOCALE_FOLDER.glob("*.po"))]
    return {language: _own_name(language) for language in found}


def speech_of(language: str, zone: tzinfo | None = None) -> Speech:
    """Return the `Speech` of a language. Raises `KeyError` where there is no catalogue."""
    if language not in languages():
        raise KeyError(language)
    return Speech(language, Locale.parse(_LOCALES.get(language, language)), zone, _catalogue(language))


def choose(*preferences: str | None, accept: str = "") -> str:
    """Return the first preference that has a catalogue, else the best of an Accept-Language header, else English."""
    for preference in [*preferences, *_accepted(accept)]:
        for language in (preference or "", (preference or "").replace("-", "_").partition("_")[0].lower()):
            if language in languages():
                return language
    return SOURCE


def _accepted(header: str) -> list[str]:
    """Return the languages of an Accept-Language header, best first (RFC 9110, 12.5.4)."""
    ranked: list[tuple[float, int, str]] = []
    for n, part in enumerate(header[:400].split(",")):
        name, _, quality = part.partition(";")
        try:
            weight = float(quality.strip().removeprefix("q=") or 1.0)
        except ValueError:
            continue
        if weight > 0:
            ranked.append((-weight, n, name.strip()))
    return [name for _, _, name in sorted(ranked)]


@cache
def _catalogue(language: str) -> NullTranslations:
    if language == SOURCE:
        return NullTranslations()
    with (LOCALE_FOLDER / f"{language}.po").open("rb") as file:
        catalogue = read_po(file, locale=language)
    compiled = BytesIO()
    write_mo(compiled, catalogue)
    compiled.seek(0)
    return GNUTranslations(compiled)


def _own_name(language: str) -> str:
    name = Locale.parse(language).get_display_name() or language
    return name[:1].upper() + name[1:]


def _non_breaking(text: str) -> str:
    """Return a text with non-breaking spaces."""
    return text.replace(" ", "\u00a0")


def _typographic(text: str) -> str:
    return text.replace("-", "−")
