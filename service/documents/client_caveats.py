"""Limits of a client's summary in sentences: its certainty, and what was not measured and why. Pure functions."""

from collections.abc import Iterator
from math import expm1, log1p
from typing import Final

from ...analysis.course.course_figures import FEWEST_SESSIONS
from ...analysis.figures import LEAST_COMPARED_S, PhaseFigures, SessionReport
from ...analysis.response.thresholds import AS_ASLEEP, FEWEST_RESTS, FEWEST_SEGMENTS, LEAST_USED_PCT
from ..rendering.translations import Speech
from ..sessions.client_session import FEWEST_DAYS, ClientSession
from .client_sentences import CONCLUSIVE, headline, interval_of, phase_name

_SURE_IN_HALF_WIDTHS: Final = 2.33 / 1.96
"""Change that is told with 99 % from none, in half-widths of a 95 % interval."""


def certainty(speech: Speech, session: ClientSession) -> Iterator[str]:
    """Yield sentences on certainty: beats used, day-to-day range, effect of rest alone, and that one session says little."""
    integrity = session.report.figures.integrity
    if session.report.hrv and integrity.beats:
        share = 100 * (1 - integrity.rejected_beats / integrity.beats)
        yield speech.say("{share} of your heartbeats could be used.", share=speech.share(share))
    if session.report.hrv:
        yield _day_to_day_range(speech, session)
        yield from _least_told(speech, session.report)
        yield from _asleep(speech, session.report)
        yield _beyond_usual_rest(speech, session)
    if session.earlier + 1 < FEWEST_SESSIONS:
        yield speech.say("One session says little; after four sessions the picture becomes clearer.")
    else:
        yield speech.say("One session says little; your course over all of them says more.")


def not_measured(speech: Speech, session: ClientSession) -> Iterator[str]:
    """Yield sentences on what is missing, with the reasons."""
    report, kind = session.report, session.row.kind
    phases = {figures.phase: figures for figures in report.figures.phases}
    if phases and not report.hrv:
        yield speech.say("How the rhythm varies: the sensor sends the heart rate, not the single beats.")
    names_of_reason: dict[str, list[str]] = {}
    for phase in ("baseline", "massage", "recovery") if phases and report.hrv else ():
        figures = phases.get(phase)
        if figures is None:
            yield speech.say("{phase}: there were none.", phase=phase_name(speech, phase, kind))
        elif reason := _phase_reason(speech, figures, report):
            names_of_reason.setdefault(reason, []).append(phase_name(speech, phase, kind))
    for reason, names in names_of_reason.items():
        yield f"{speech.listed(names)}: {reason}"
    if phases and report.figures.integrity.gaps:
        lost = speech.length(report.figures.integrity.lost_s)
        yield speech.say("For {time} no beat arrived; the line in the picture is open there.", time=lost)
    if any(context.flagged for context in report.context.values()):
        yield speech.say(
            "Your breathing was slow, changed, or could not be read. That alone moves the rhythm, so the word is careful."
        )
    pain = session.visit.pain
    match pain.before is None, pain.after is None:
        case True, True:
            yield speech.say("Pain: not asked.")
        case True, False:
            yield speech.say("Pain before: not asked.")
        case False, True:
            yield speech.say("Pain after: not asked.")
        case _:
            pass
    yield speech.say("Stress, muscle tension and health: heartbeats do not tell them.")


def _least_told(speech: Speech, report: SessionReport) -> Iterator[str]:
    """Yield how great a rise had to be to be told from rest, given the minutes of the session, and how often rest is mistaken."""
    response, interval = headline(report), interval_of(report)
    if response is None or response.class_ not in CONCLUSIVE or interval is None:
        return
    half_width = (log1p(interval[1] / 100) - log1p(interval[0] / 100)) / 2
    yield speech.say(
        "In this time it took a rise of about {needed} to tell it from lying still; with nothing done, "
        "about one session in a hundred is called changed.",
        needed=speech.percent(100 * expm1(_SURE_IN_HALF_WIDTHS * half_width)),
    )


def _asleep(speech: Speech, report: SessionReport) -> Iterator[str]:
    response = headline(report)
    rates = {figures.phase: figures.mean_hr_bpm for figures in report.figures.phases}
    if response is None or response.class_ not in {"clear", "slight"}:
        return
    before, after = rates.get("baseline"), rates.get(response.phase)
    if before and after and before >= AS_ASLEEP * after:
        yield speech.say("Your heart slowed as in falling asleep, which does this too.")


def _day_to_day_range(speech: Speech, session: ClientSession) -> str:
    usual = session.baseline_range
    if not usual.compared:
        return speech.say("Other days are not looked at: you have not agreed to have your sessions compared.")
    if usual.low_ms is None or usual.high_ms is None:
        if not usual.days:
            return speech.say(
                "How much your quiet minutes vary from day to day is not known yet: it takes {needed} earlier days.",
                needed=speech.number(FEWEST_DAYS),
            )
        return speech.say_count(
            "How much your quiet minutes vary from day to day is not known yet: "
            "it takes {needed} earlier days, and there is one.",
            "How much your quiet minutes vary from day to day is not known yet: "
            "it takes {needed} earlier days, and there are {count}.",
            usual.days,
            needed=speech.number(FEWEST_DAYS),
        )
    return speech.say(
        "Your quiet minutes vary from day to day without any massage: on about two of three days they lie between {low} and "
        "{high} ms.",
        low=speech.number(usual.low_ms),
        high=speech.number(usual.high_ms),
    )


def _beyond_usual_rest(speech: Speech, session: ClientSession) -> str:
    """Return the answer to the second question, whether the change exceeds that of rest alone; empty where it is not asked."""
    response = headline(session.report)
    context = session.report.context.get(response.phase) if response else None
    if context is None or session.row.kind == "rest" or not session.baseline_range.compared:
        return ""
    mean, reach = context.usual_ln_rmssd, context.usual_half_width
    if mean is None or reach is None:
        if not context.usual_rests:
            return speech.say(
                "Whether it is more than rest alone usually does for you is not known: "
                "it takes {needed} quiet sessions without massage.",
                needed=speech.number(FEWEST_RESTS),
            )
        return speech.say_count(
            "Whether it is more than rest alone usually does for you is not known: "
            "it takes {needed} quiet sessions without massage, and there is one.",
            "Whether it is more than rest alone usually does for you is not known: "
            "it takes {needed} quiet sessions without massage, and there are {count}.",
            context.usual_rests,
            needed=speech.number(FEWEST_RESTS),
        )
    low, high = (speech.change(100 * expm1(value)) for value in (mean - reach, mean + reach))
    match context.usual_class:
        case "more":
            return speech.say("It is more than rest alone usually does for you ({low} to {high}).", low=low, high=high)
        case "less":
            return speech.say("It is less than rest alone usually does for you ({low} to {high}).", low=low, high=high)
        case "usual":
            return speech.say("It lies within what rest alone usually does for you ({low} to {high}).", low=low, high=high)
        case _:
            return speech.say(
                "Rest alone usually does between {low} and {high} for you; today’s data were not fit to compare with it.",
                low=low,
                high=high,
            )


def _phase_reason(speech: Speech, figures: PhaseFigures, report: SessionReport) -> str:
    if figures.accepted_pct is None:
        return speech.say("no heartbeat arrived.")
    if figures.accepted_pct < LEAST_USED_PCT:
        return speech.say(
            "only {share} of the beats could be used; a comparison takes {needed}.",
            share=speech.share(figures.accepted_pct),
            needed=speech.percent(LEAST_USED_PCT),
        )
    if figures.end_s - figures.start_s < LEAST_COMPARED_S:
        return speech.say(
            "it lasted {time}; a comparison takes {needed}.",
            time=_at_least(speech, int(figures.end_s - figures.start_s)),
            needed=speech.length(LEAST_COMPARED_S),
        )
    if figures.clean_segments < FEWEST_SEGMENTS:
        return speech.say(
            "only {time} of steady data; a comparison takes {needed}.",
            time=_at_least(speech, 10 * figures.clean_segments),
            needed=speech.length(10 * FEWEST_SEGMENTS),
        )
    response = next((found for found in report.figures.responses if found.phase == figures.phase), None)
    if response is not None and response.class_ == "insufficient" and response.percent is not None:
        return speech.say("the rhythm wandered too much to tell a change from it.")
    return ""


def _at_least(speech: Speech, seconds: int) -> str:
    """Return a length of time rounded down to minutes, so that too short a time never reads as long enough."""
    return speech.length(seconds if seconds < 60 else seconds - seconds % 60)
