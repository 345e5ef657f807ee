from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

from hypothesis import given, strategies as st
import pytest

from restbeat.service.backups.backup_catalogue import BackupEntry
from restbeat.service.backups.backup_schedule import BackupSchedule, Standing, is_due, last_backup, notice, outlived

BERLIN = ZoneInfo("Europe/Berlin")
NIGHT = datetime(2026, 11, 30, 2, 0, 20, tzinfo=BERLIN).astimezone(UTC)
DAY = timedelta(days=1)
HOUR = timedelta(hours=1)


def entry(made, *, scheduled=True):
    return BackupEntry(f"/drive/{made:%Y%m%d-%H%M%S}.db", made, made + 400 * DAY, scheduled=scheduled)


def nights(count, until=NIGHT):
    return [entry(until - n * DAY) for n in range(count)]


def live(days, *, jumps=None):
    """Live for some days of an hour each step with a schedule at 2; `jumps`: by hour, what the clock is set by. Return all."""
    kept, now, made = [], NIGHT, 0
    for hour in range(24 * days):
        now += HOUR + (jumps or {}).get(hour, timedelta(0))
        if is_due(kept, now, 2, BERLIN):
            kept.append(entry(now))
            made += 1
            gone = outlived(kept, now, BERLIN)
            kept = [one for one in kept if one not in gone]
    return kept, made, now


def test_seven_days_four_weeks_and_twelve_months_are_kept():
    kept, made, now = live(800)
    assert made == pytest.approx(800, abs=2)
    ages = sorted((now - one.made_utc) // DAY for one in kept)
    assert ages[:7] == list(range(7))
    assert 7 + 3 + 10 <= len(kept) <= 7 + 4 + 12
    assert 300 < ages[-1] < 366 + 31


def test_one_is_due_once_a_night_at_the_practices_hour():
    assert not is_due(nights(3), NIGHT + 23 * HOUR, 2, BERLIN)
    assert is_due(nights(3), NIGHT + 24 * HOUR, 2, BERLIN)
    assert is_due([], NIGHT + 5 * HOUR, 2, BERLIN), "the first one at once"
    assert is_due([entry(NIGHT, scheduled=False)], NIGHT + HOUR, 2, BERLIN), "one made by hand is none of the schedule's"


@pytest.mark.parametrize(
    ("change", "hour"), [(datetime(2026, 3, 29, 2, 30, tzinfo=BERLIN), 2), (datetime(2026, 10, 25, 2, 30, tzinfo=BERLIN), 2)]
)
def test_a_night_of_daylight_saving_has_one_backup(change, hour):
    made, start = [], change.astimezone(UTC) - 30 * HOUR
    for step in range(4 * 60):
        now = start + step * HOUR / 4
        if is_due(made, now, hour, BERLIN):
            made.append(entry(now))
    assert len(made) == 4, "at once, and in each of three nights"
    assert all(20 * HOUR < after.made_utc - before.made_utc < 26 * HOUR for before, after in pairwise(made[1:]))


@pytest.mark.parametrize("jump", [HOUR, DAY, 365 * DAY, -HOUR, -DAY, -365 * DAY])
def test_a_clock_that_is_set_and_later_set_right_neither_deletes_all_nor_stalls(jump):
    _, made, _ = live(60)
    wrong, more, now = live(60 + 20, jumps={24 * 60 + 5: jump, 24 * 70 + 5: -jump})
    assert more >= made + 17, "a backup each night, wrong clock or not"
    assert len(wrong) >= 10
    last = last_backup(wrong, now)
    assert last is not None
    assert now - last.made_utc < 25 * HOUR


@given(
    st.lists(st.integers(-900 * 24, 900 * 24), unique=True, max_size=80),
    st.integers(-900 * 24, 900 * 24),
)
def test_whatever_the_clock_says_the_newest_of_seven_days_stay(hours, now_h):
    backups, now = [entry(NIGHT + hour * HOUR) for hour in hours], NIGHT + now_h * HOUR
    left = [one for one in backups if one not in outlived(backups, now, UTC)]
    past = [one for one in backups if one.made_utc <= now + HOUR]
    assert [one for one in backups if one.made_utc > now + HOUR] == [one for one in left if one.made_utc > now + HOUR]
    assert len({one.made_utc.date() for one in left if one in past}) >= min(7, len({one.made_utc.date() for one in past}))
    assert (last_backup(left, now) is None) == (not past)


def test_backups_made_by_hand_are_left_alone():
    mixed = [entry(NIGHT - n * HOUR, scheduled=n % 2 == 0) for n in range(100)]
    assert all(one.scheduled for one in outlived(mixed, NIGHT, BERLIN))


def standing(**known):
    return Standing(schedule=BackupSchedule(folder="/drive"), **known)


@pytest.mark.parametrize(
    ("known", "says"),
    [
        (Standing(schedule=BackupSchedule()), "No automatic backups are set up"),
        (Standing(schedule=BackupSchedule(quiet_until_utc=NIGHT + DAY)), None),
        (Standing(schedule=BackupSchedule(quiet_until_utc=NIGHT - DAY)), "No automatic backups"),
        (Standing(schedule=BackupSchedule(quiet_until_utc=NIGHT + 365 * DAY)), "No automatic backups"),
        (standing(), "first automatic backup is made"),
        (standing(last_utc=NIGHT - DAY), None),
        (standing(last_utc=NIGHT - 3 * DAY), "The backup is overdue. The last one is 3 days old."),
        (standing(last_utc=NIGHT, drive_missing=True), "/drive, is not there. The last one is less than a day old."),
        (standing(last_utc=NIGHT - DAY, failed="The disk is full."), "failed. The disk is full. The last one is a day old."),
    ],
)
def test_the_start_page_tells_what_is_amiss(known, says):
    told = notice(known, NIGHT)
    assert (told is None) if says is None else (says in told)
