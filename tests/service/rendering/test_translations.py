from datetime import UTC, date
from zoneinfo import ZoneInfo

import pytest

from restbeat.service.rendering import translations as module
from restbeat.service.rendering.translations import NONE, choose, languages, speech_of

AT = "2026-11-23T09:41:00Z"


def test_numbers_and_dates_are_written_as_the_language_writes_them():
    english, german = speech_of("en", UTC), speech_of("de", UTC)
    assert [one.number(1944.55, 1) for one in (english, german)] == ["1,944.5", "1.944,5"]
    assert [one.change(22.4) for one in (english, german)] == ["+22%", "+22\u00a0%"]
    assert [one.percent(98.2) for one in (english, german)] == ["98%", "98\u00a0%"]
    assert [one.day(AT) for one in (english, german)] == ["23 November 2026", "23. November 2026"]
    assert [one.short_day(date(2026, 11, 3)) for one in (english, german)] == ["3\u00a0Nov", "3.\u00a0Nov."]
    assert [one.length(2700, short=True) for one in (english, german)] == ["45\u00a0mins", "45\u00a0Min."]
    assert [one.listed(["a", "b", "c"]) for one in (english, german)] == ["a, b and c", "a, b und c"]


def test_no_change_has_no_sign_and_no_figure_is_a_dash():
    english = speech_of("en", UTC)
    assert [english.change(value) for value in (-0.4, 0.0, 0.4, -3.2, None)] == ["0%", "0%", "0%", "−3%", NONE]
    assert [english.points(value) for value in (-1.84, 2.0, 0.04)] == ["−1.8", "+2", "0"]


def test_a_share_is_rounded_down_and_a_change_a_week_has_a_decimal():
    english, german = speech_of("en", UTC), speech_of("de", UTC)
    assert [english.share(value) for value in (94.96, 99.7, 100.0, 97.9999999999, None)] == ["94%", "99%", "100%", "98%", NONE]
    assert [one.change(0.44, 1) for one in (english, german)] == ["+0.4%", "+0,4\u00a0%"]


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(40, "40 seconds"), (60, "1 minute"), (2700, "45 minutes"), (3600, "1 hour"), (3900, "1 hour, 5 minutes")],
)
def test_a_length_of_time_is_written_in_words(seconds, said):
    assert speech_of("en", UTC).length(seconds).replace("\u00a0", " ") == said


def test_times_are_the_practices_own():
    assert speech_of("de", ZoneInfo("Europe/Berlin")).time(AT, 1500) == "11:06"
    assert speech_of("en", UTC).time(AT) == "09:41"


@pytest.mark.parametrize(
    ("wishes", "accept", "chosen"),
    [
        (("de", "en"), "en", "de"),
        ((None, "de"), "en", "de"),
        ((None, None), "de-CH,de;q=0.9,en;q=0.8", "de"),
        ((None, None), "fr;q=0.9, en;q=0.5, de;q=0.7", "de"),
        ((None, None), "de;q=0, en;q=0.1", "en"),
        (("xx", None), "fr", "en"),
        (("de_AT", None), "", "de"),
        (("../../etc/passwd", None), ";;q=x,,", "en"),
    ],
)
def test_the_page_is_in_the_first_language_that_there_is(wishes, accept, chosen):
    assert choose(*wishes, accept=accept) == chosen


def test_a_language_without_a_catalogue_is_refused():
    with pytest.raises(KeyError):
        speech_of("tlh")


def test_another_language_is_one_file(tmp_path, monkeypatch):
    (tmp_path / "fr.po").write_text(
        'msgid ""\nmsgstr "Content-Type: text/plain; charset=utf-8\\n"\n\nmsgid "Print"\nmsgstr "Imprimer"\n'
    )
    monkeypatch.setattr(module, "LOCALE_FOLDER", tmp_path)
    languages.cache_clear()
    try:
        assert dict(languages()) == {"en": "English", "fr": "Français"}
        assert speech_of("fr", UTC).say("Print") == "Imprimer"
        assert speech_of("fr", UTC).say("Heat") == "Heat"
        assert speech_of("fr", UTC).day(AT) == "23 novembre 2026"
    finally:
        languages.cache_clear()
