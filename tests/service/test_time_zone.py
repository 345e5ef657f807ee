"""Times of day are those of the practice, whatever the computer, the browser and the change of the clock make of them."""

from zoneinfo import ZoneInfo

import pytest

from restbeat.service.courses.models import local_day
from restbeat.service.rendering.translations import speech_of
from restbeat.service.settings import Settings, computer_zone, time_zone


@pytest.mark.parametrize(
    ("zone", "began", "after_s", "said"),
    [
        ("Europe/Berlin", "2026-11-23T09:41:00Z", 0.0, "10:41"),
        ("Europe/Berlin", "2026-10-25T00:30:00Z", 3600.0, "02:30"),  # the hour from 2 to 3 comes twice that night
        ("Europe/Berlin", "2026-10-25T00:30:00Z", 7200.0, "03:30"),
        ("Europe/Berlin", "2026-03-29T00:30:00Z", 3600.0, "03:30"),  # and is left out this one
        ("Pacific/Auckland", "2026-11-23T18:08:00Z", 0.0, "07:08"),
    ],
)
def test_seconds_are_added_before_the_clock_is_read(zone, began, after_s, said):
    assert speech_of("en").in_zone(zone).time(began, after_s) == said


def test_a_day_is_that_of_the_practice():
    assert str(local_day("2026-11-23T23:30:00Z", "Europe/Berlin")) == "2026-11-24"
    assert str(local_day("2026-11-23T23:30:00Z", "America/New_York")) == "2026-11-23"


def test_the_practices_zone_is_the_computers_unless_it_is_set(monkeypatch, tmp_path):
    zones = tmp_path / "zoneinfo" / "Asia"
    zones.mkdir(parents=True)
    (zones / "Tokyo").touch()
    (tmp_path / "localtime").symlink_to(zones / "Tokyo")
    monkeypatch.delenv("TZ", raising=False)
    assert computer_zone(tmp_path / "localtime") == "Asia/Tokyo"
    assert computer_zone(tmp_path / "nothing") is None
    monkeypatch.setenv("TZ", "America/New_York")
    assert computer_zone(tmp_path / "localtime") == "America/New_York"
    assert (Settings().zone, Settings(time_zone="Europe/Berlin").zone) == ("America/New_York", "Europe/Berlin")


@pytest.mark.parametrize("name", ["", "Europe", "Mars/Olympus", "../etc/passwd", "/etc/localtime"])
def test_what_is_no_time_zone_is_none(name):
    assert time_zone(name) is None
    assert time_zone("Europe/Berlin") == ZoneInfo("Europe/Berlin")
