"""How a client is spoken to: messages from a catalogue, numbers and dates as the language writes them.

English is the language of the messages in the code. Every other language is one file, `locale/<language>.po` (gettext), compiled
when it is first used: a checkout, an editable install and a wheel are alike. Babel writes numbers, dates and lists.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta, tzinfo
from functools import cache
from gettext import GNUTranslations, NullTranslations
from io import BytesIO
from math import floor
from pathlib import Path
from typing import Final

from babel import Locale
from babel.dates import format_date, format_datetime, format_skeleton, format_time
from babel.lists import format_list
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.numbers import format_decimal
from babel.units import format_unit

SOURCE: Final = "en"
LOCALE_FOLDER: Final = Path(__file__).parent / "locale"
NONE: Final = "–"
_LOCALES: Final = {SOURCE: "en_GB"}
"""English dates are written day first; other languages are their own locale."""


def marked(message: str) -> str:
    """Mark a text for the catalogues that is said elsewhere."""
    return message


@dataclass(frozen=True, slots=True)
class Speech:
    """One language. `zone` is that of the practice; None: that of this computer."""

    language: str
    locale: Locale
    zone: tzinfo | None = None
    catalogue: NullTranslations = field(default_factory=NullTranslations, repr=False)

    def say(self, message: str, **values: str) -> str:
        """A message of the catalogue, with what it has to name."""
        text = self.catalogue.gettext(message)
        return text.format(**values) if values else text

    def say_count(self, one: str, many: str, count: int, **values: str) -> str:
        """A message that counts; `{count}` is the number."""
        return self.catalogue.ngettext(one, many, count).format(count=self.number(count), **values)

    def known(self, word: str) -> str:
        """A word of the practice's own, such as a technique: in the client's language where the catalogue has it."""
        word = word[:1].upper() + word[1:]
        return self.catalogue.gettext(word) if word else word

    def number(self, value: float | None, digits: int = 0) -> str:
        """A figure with so many decimals; a dash where there is none."""
        if value is None:
            return NONE
        decimals = f".{'0' * digits}" if digits else ""
        return _typographic(format_decimal(round(value, digits) + 0.0, f"#,##0{decimals}", locale=self.locale))

    def percent(self, value: float | None, digits: int = 0) -> str:
        """So many per cent, with so many decimals."""
        return NONE if value is None else self._percent(value, "", digits)

    def share(self, value: float | None) -> str:
        """A share of so many per cent, rounded down: what is not the whole is never called so, nor what is too little enough."""
        return NONE if value is None else self._percent(floor(value + 1e-9), "", 0)

    def change(self, value: float | None, digits: int = 0) -> str:
        """A change by so many per cent, with its sign."""
        return NONE if value is None else self._percent(value, "+", digits)

    def points(self, value: float, digits: int = 1) -> str:
        """A change by so many points, with its sign."""
        rounded = round(value, digits) + 0.0
        return ("+" if rounded > 0 else "") + self.number(rounded, 0 if rounded == int(rounded) else digits)

    def day(self, utc: str) -> str:
        """23 November 2026."""
        return format_date(self.moment(utc), "long", locale=self.locale)

    def short_day(self, day: date, *, year: bool = False) -> str:
        """23 Nov, or 23 Nov 2026."""
        return _whole(format_skeleton("yMMMd" if year else "MMMd", day, locale=self.locale))

    def weekday(self, day: date) -> str:
        """Monday 23 November."""
        return format_skeleton("MMMMEEEEd", day, locale=self.locale)

    def time(self, utc: str, after_s: float = 0.0) -> str:
        """10:41; `after_s`: so many seconds later."""
        return format_time(self.moment(utc) + timedelta(seconds=after_s), "short", locale=self.locale)

    def long_time(self, utc: str) -> str:
        """23 Nov 2026, 10:41."""
        return format_datetime(self.moment(utc), "medium", locale=self.locale).rsplit(":", 1)[0]

    def length(self, seconds: float, *, short: bool = False) -> str:
        """A length of time: 40 seconds, 45 minutes, 1 hour, 5 minutes; or short: 45 mins."""
        if seconds < 60:
            return self._unit(round(seconds), "duration-second", short)
        hours, minutes = divmod(round(seconds / 60), 60)
        parts = [self._unit(hours, "duration-hour", short)] if hours else []
        return ", ".join([*parts, self._unit(minutes, "duration-minute", short)] if minutes or not parts else parts)

    def listed(self, parts: Sequence[str]) -> str:
        """One, two and three."""
        return format_list(list(parts), "standard", locale=self.locale)

    def moment(self, utc: str) -> datetime:
        """A stamp in the practice's own time."""
        return datetime.fromisoformat(utc).astimezone(self.zone)

    def _percent(self, value: float, sign: str, digits: int) -> str:
        rounded = round(value, digits) + 0.0
        pattern = self.locale.percent_formats[None].pattern.replace("0", f"0.{'0' * digits}" if digits else "0")
        written = _typographic(format_decimal(rounded / 100, pattern, locale=self.locale))
        return (sign if rounded > 0 else "") + written

    def _unit(self, value: int, unit: str, short: bool) -> str:
        return _whole(format_unit(value, unit, "short" if short else "long", locale=self.locale))


@cache
def languages() -> Mapping[str, str]:
    """Every language there is a catalogue for, English first, with what it calls itself."""
    found = [SOURCE, *sorted(path.stem for path in LOCALE_FOLDER.glob("*.po"))]
    return {language: _own_name(language) for language in found}


def speech_of(language: str, zone: tzinfo | None = None) -> Speech:
    """How to speak a language. Raises `KeyError` where there is no catalogue."""
    if language not in languages():
        raise KeyError(language)
    return Speech(language, Locale.parse(_LOCALES.get(language, language)), zone, _catalogue(language))


def choose(*wishes: str | None, accept: str = "") -> str:
    """The first wish that there is a catalogue for, else the best of an Accept-Language header, else English."""
    for wish in [*wishes, *_accepted(accept)]:
        for language in (wish or "", (wish or "").replace("-", "_").partition("_")[0].lower()):
            if language in languages():
                return language
    return SOURCE


def _accepted(header: str) -> list[str]:
    """Languages of an Accept-Language header, best first (RFC 9110, 12.5.4)."""
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


def _whole(text: str) -> str:
    """No line ends within it."""
    return text.replace(" ", "\u00a0")


def _typographic(text: str) -> str:
    return text.replace("-", "−")
