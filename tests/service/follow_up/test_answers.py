"""What clients tell a day and two days after a session: once a slot, corrected for ten minutes, flagged where pain has risen."""
# ruff: noqa: F811 what fixtures are is imported

from datetime import timedelta

import pytest

from restbeat.service.follow_up.models import Answers, LateError, LinkRefusedError

from ..own_pages import DAY, NOW, practice, token_of  # noqa: F401 fixtures

HERE = "127.0.0.1"
TWO_DAYS = 2 * DAY


async def asked(practice, *, pain_before=6, ago=DAY, client="M-014"):
    session = await practice.session(client, ended_ago=ago, pain_before=pain_before)
    return session, token_of(await practice.link(client, session))


async def flags(practice):
    return await practice.sql("SELECT reason, rule FROM flag WHERE cleared_utc IS NULL ORDER BY id")


async def told(practice, session, slot):
    links = await practice.links.of_client("M-014", by="Ada")
    shown = next(one for one in links.sessions if one.session == session)
    return next(one for one in shown.follow_ups if one.slot == slot)


async def test_answers_are_stored_as_entered(practice):
    session, token = await asked(practice)
    answers = Answers(pain=3, sleep="better", relief="half_day", done=["heat", "medication"], note="felt light ♥")
    await practice.links.answer(token, session, 24, answers, peer=HERE)
    follow_up = await told(practice, session, 24)
    assert (follow_up.answers, follow_up.relief_h, follow_up.state) == (answers, 12.0, "correctable")
    row = await practice.sql(
        "SELECT session, slot, pain, sleep, relief_h, relief_lasts, done, note, corrected_utc FROM follow_up"
    )
    assert row == [(session, 24, 3, "better", 12.0, 0, '["heat","medication"]', "felt light ♥", None)]
    assert (await told(practice, session, 48)).state == "later"
    assert await practice.sql("SELECT action, session, detail FROM audit WHERE action LIKE 'follow-up%'") == [
        ("follow-up answered", session, "after 24 h")
    ]


async def test_relief_that_still_lasts_is_stored_as_a_lower_bound(practice):
    session, token = await asked(practice, ago=timedelta(hours=27, minutes=30))
    await practice.links.answer(token, session, 24, Answers(pain=3, relief="lasts"), peer=HERE)
    follow_up = await told(practice, session, 24)
    assert (follow_up.answers.relief, follow_up.relief_h) == ("lasts", 27.5)
    session, token = await asked(practice)
    await practice.links.answer(token, session, 24, Answers(pain=3), peer=HERE)
    assert (await told(practice, session, 24)).relief_h is None  # not said is not "none"


async def test_a_follow_up_is_answered_once_and_can_be_corrected_for_ten_minutes(practice):
    session, token = await asked(practice)
    await practice.links.answer(token, session, 24, Answers(pain=3), peer=HERE)
    practice.now = NOW + timedelta(minutes=9)
    await practice.links.answer(token, session, 24, Answers(pain=4), peer=HERE)
    practice.now = NOW + timedelta(minutes=10)  # counted from the first answer: corrections do not put it off
    with pytest.raises(LateError) as late:
        await practice.links.answer(token, session, 24, Answers(pain=9), peer=HERE)
    assert late.value.state == "answered"
    assert await practice.sql("SELECT pain, answered_utc, corrected_utc FROM follow_up") == [
        (4, "2026-11-23T10:00:00.000Z", "2026-11-23T10:09:00.000Z")
    ]
    assert await flags(practice) == []


@pytest.mark.parametrize(
    ("slot", "hours", "state"),
    [(24, 19.9, "later"), (24, 36, "missed"), (48, 24, "later"), (48, 39.9, "later"), (48, 72, "missed")],
)
async def test_a_follow_up_that_is_not_open_takes_no_answer(practice, slot, hours, state):
    session, token = await asked(practice, ago=timedelta(hours=hours))
    with pytest.raises(LateError) as late:
        await practice.links.answer(token, session, slot, Answers(pain=3), peer=HERE)
    assert late.value.state == state
    assert await practice.sql("SELECT count(*) FROM follow_up") == [(0,)]


async def test_only_the_links_own_sessions_and_slots_take_an_answer(practice):
    session, token = await asked(practice)
    other = await practice.session(ended_ago=DAY)
    for where in ((session, 36), (other, 24), (-1, 24)):
        with pytest.raises(LinkRefusedError):
            await practice.links.answer(token, *where, Answers(pain=3), peer=HERE)
    assert await practice.sql("SELECT count(*) FROM follow_up") == [(0,)]


@pytest.mark.parametrize(
    ("before", "slot", "pain", "reason"),
    [
        (4, 24, 5, None),
        (4, 24, 6, "Pain 6 after 24 h, 4 before the session."),
        (4, 48, 4, None),
        (4, 48, 5, "Pain 5 after 48 h, 4 before the session."),
        (None, 24, 6, None),
        (None, 24, 7, "Pain 7 after 24 h."),
    ],
)
async def test_risen_pain_flags_the_next_visit(practice, before, slot, pain, reason):
    session, token = await asked(practice, pain_before=before, ago=timedelta(hours=slot))
    await practice.links.answer(token, session, slot, Answers(pain=pain), peer=HERE)
    assert await flags(practice) == ([(reason, f"after {slot} h")] if reason else [])
    full = await practice.records.client("M-014", by="Ada")
    assert [flag.reason for flag in full.flags] == ([reason] if reason else [])


async def test_a_correction_removes_its_own_flag_and_leaves_the_others(practice):
    session, token = await asked(practice, pain_before=2, ago=DAY)
    await practice.sql("INSERT INTO flag (session, reason, raised_utc, rule) VALUES (?, 'Left hip', 'x', 'note')", session)
    await practice.links.answer(token, session, 24, Answers(pain=8), peer=HERE)
    await practice.links.answer(token, session, 24, Answers(pain=3), peer=HERE)
    assert await flags(practice) == [("Left hip", "note")]
    practice.now += DAY
    await practice.links.answer(token, session, 48, Answers(pain=3), peer=HERE)
    assert await flags(practice) == [("Left hip", "note"), ("Pain 3 after 48 h, 2 before the session.", "after 48 h")]


async def test_unanswered_follow_ups_are_counted_where_a_link_allowed_an_answer(practice):
    for name in ("M-015", "M-016", "M-017"):
        await practice.client(name)
    await asked(practice, ago=timedelta(hours=25), client="M-014")  # one is open
    await asked(practice, ago=timedelta(hours=50), client="M-015")  # 24 h: no link yet when it closed; 48 h is open
    session, token = await asked(practice, ago=timedelta(hours=25), client="M-016")
    await practice.links.answer(token, session, 24, Answers(pain=1), peer=HERE)
    await practice.session("M-017", ended_ago=timedelta(hours=25))  # nobody asked
    assert [(row.client, row.open, row.missed) for row in await practice.links.unanswered()] == [("M-014", 1, 0), ("M-015", 1, 0)]
    practice.now += timedelta(days=4)
    assert [(row.client, row.open, row.missed) for row in await practice.links.unanswered()] == [
        ("M-014", 0, 2),
        ("M-015", 0, 1),
        ("M-016", 0, 1),
    ]
    practice.now += timedelta(days=14)
    assert await practice.links.unanswered() == []


async def test_hidden_or_revoked_follow_ups_are_not_counted(practice):
    session, _ = await asked(practice, ago=timedelta(hours=21))
    (link,) = (await practice.links.of_client("M-014", by="Ada")).links
    await practice.links.choose(link.link, [session], coming=False, remind=True, by="Ada")
    assert len(await practice.links.unanswered()) == 1
    await practice.links.revoke(link.link, by="Ada")
    assert await practice.links.unanswered() == []
    practice.now += timedelta(hours=16)  # it was open while the link was
    assert [(row.open, row.missed) for row in await practice.links.unanswered()] == [(0, 1)]
