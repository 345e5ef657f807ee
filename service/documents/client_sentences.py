"""Sentences about a session for the client: the plain ones first, no claim beyond what was measured. Pure functions.

The wording follows the evidence: it depends only on the class of a change, and says that rest alone can cause all of it.
"""

from collections.abc import Sequence
from typing import Final

from ...analysis.figures import LEAST_COMPARED_S, ResponseFigures, SessionReport
from ...analysis.pain_rules import headline_of
from ..rendering.plain_words import MOST_PAINS, interval_pct
from ..rendering.translations import Speech
from ..sessions.client_session import ClientSession

CONCLUSIVE: Final = frozenset({"clear", "slight", "none", "opposite"})


def headline(report: SessionReport) -> ResponseFigures | None:
    """Return the response that the page states first: the first conclusive one, else the massage's; None where there is none."""
    responses = report.figures.responses
    return next((found for found in responses if found.class_ in CONCLUSIVE), responses[0] if responses else None)


def phase_name(speech: Speech, phase: str, kind: str) -> str:
    """Return the name of a phase."""
    match phase:
        case "settle":
            return speech.say("Settling")
        case "baseline":
            return speech.say("Quiet minutes before")
        case "massage":
            return speech.say("Rest") if kind == "rest" else speech.say("Massage")
        case "recovery":
            return speech.say("Quiet minutes after")
        case _:
            return phase.capitalize()


def phase_short(speech: Speech, phase: str, kind: str) -> str:
    """Return the short name of a phase, for charts."""
    match phase:
        case "baseline":
            return speech.say("quiet")
        case "massage":
            return speech.say("rest") if kind == "rest" else speech.say("massage")
        case "recovery":
            return speech.say("after")
        case _:
            return phase_name(speech, phase, kind)


def pain_during(speech: Speech, scores: Sequence[int]) -> str:
    """Return the scores noted during a session; empty where there are none, their range where they are many."""
    if not scores:
        return ""
    if len(scores) <= MOST_PAINS:
        return speech.say("{scores} during", scores=", ".join(speech.number(score) for score in scores))
    low, high = min(scores), max(scores)
    return speech.say("{low} to {high} during", low=speech.number(low), high=speech.number(high))


def pain_warning(speech: Speech, session: ClientSession) -> tuple[str, str] | None:
    """Return title and text of the warning that takes precedence over everything else: a stop for pain, or risen or severe pain.

    None where there is neither.
    """
    pain = session.visit.pain
    match headline_of(pain, stopped=session.visit.stopped):
        case None:
            return None
        case "stopped", _:
            title = speech.say("The massage was stopped because your pain went up.")
        case "risen", worst:
            title = speech.say(
                "Your pain went up from {before} to {score}.", before=speech.number(pain.before), score=speech.number(worst)
            )
        case _, worst:
            title = speech.say("Your pain was {score} of 10.", score=speech.number(worst))
    return title, speech.say(
        "That comes before anything that the heart shows. Tell us how you are today and tomorrow; "
        "ask a doctor where the pain worries you. Your next visit begins with this."
    )


def lead(speech: Speech, session: ClientSession) -> str:
    """Return the leading sentence."""
    report = session.report
    if not report.figures.phases:
        return speech.say("Nothing was measured in this session. What you said and what was done stands below.")
    if not report.hrv and all(figures.mean_hr_bpm is None for figures in report.figures.phases):
        return speech.say(
            "Your strap heard no heartbeat in this session, so this page keeps to what you said and to what was done."
        )
    if not report.hrv:
        return speech.say(
            "Your sensor told your heart rate only. What happens from one beat to the next it cannot tell, "
            "so this page keeps to your heart rate and to what was done."
        )
    response = headline(report)
    phases = {figures.phase for figures in report.figures.phases}
    if response is None or not {"baseline", response.phase} <= phases:
        return speech.say("There is nothing to compare in this session: it takes quiet minutes before, and minutes to compare.")
    if short := _too_short(speech, response, report, session.row.kind):
        return short
    return _of_response(speech, response, _interval(report, response), session.row.kind)


def caveat(speech: Speech, session: ClientSession) -> str:
    """Return the caveat that stands on every page."""
    response = headline(session.report)
    if session.report.hrv and response is not None and response.class_ in CONCLUSIVE:
        return speech.say("Rest alone can do this. It does not measure pain, health or treatment success.")
    return speech.say(
        "Rest alone can change heart rate and heart rhythm too. They do not measure pain, health or treatment success."
    )


def recovery_sentence(speech: Speech, session: ClientSession) -> str:
    """Return a sentence on the change in recovery; empty where the headline states it, or there is none."""
    report, first = session.report, headline(session.report)
    response = next((found for found in report.figures.responses if found.phase == "recovery"), None)
    took_place = any(figures.phase == "recovery" for figures in report.figures.phases)
    if not report.hrv or response is None or not took_place or first is None or first.phase == "recovery":
        return ""
    interval = _interval(report, response)
    if response.class_ not in CONCLUSIVE or interval is None:
        return speech.say("For the quiet minutes after, there was too little clean data to tell.")
    low, high = (speech.change(value) for value in interval)
    return speech.say(
        "In the quiet minutes after, it stood at {change} (between {low} and {high}).",
        change=speech.change(response.percent),
        low=low,
        high=high,
    )


def interval_of(report: SessionReport) -> tuple[float, float] | None:
    """Return the 95 % interval of the headline's change in percent; None where there is none."""
    response = headline(report)
    return None if response is None else _interval(report, response)


def _too_short(speech: Speech, response: ResponseFigures, report: SessionReport, kind: str) -> str:
    """Return that a phase was too short to compare, whatever the strap did; empty where none was."""
    if response.class_ in CONCLUSIVE:
        return ""
    for figures in report.figures.phases:
        length_s = figures.end_s - figures.start_s
        if figures.phase in {"baseline", response.phase} and length_s < LEAST_COMPARED_S:
            return speech.say(
                "{phase}: {time}. That is too short to tell whether your heart rhythm changed: before and during, a comparison "
                "takes {needed} each. It says nothing about you.",
                phase=phase_name(speech, figures.phase, kind),
                time=speech.length(length_s - length_s % 60 if length_s >= 60 else length_s),
                needed=speech.length(LEAST_COMPARED_S),
            )
    return ""


def _interval(report: SessionReport, response: ResponseFigures) -> tuple[float, float] | None:
    return interval_pct(response, report.intervals.get(response.phase))


def _of_response(speech: Speech, response: ResponseFigures, interval: tuple[float, float] | None, kind: str) -> str:
    if response.phase == "recovery":
        when = speech.say("in the quiet minutes after")
    else:
        when = speech.say("during the rest") if kind == "rest" else speech.say("during the massage")
    low, high = (speech.change(value) for value in interval or (None, None))
    match response.class_:
        case "clear":
            return speech.say(
                "Compared with your own quiet minutes today, your heart rhythm varied more {when}, "
                "by more than today’s drift explains. That is often seen when people relax.",
                when=when,
            )
        case "slight":
            return speech.say(
                "Compared with your own quiet minutes today, your heart rhythm varied a little more {when}: "
                "a hint, within what rest can do.",
                when=when,
            )
        case "opposite":
            return speech.say(
                "Compared with your own quiet minutes today, your heart rhythm varied less {when}, "
                "by more than today’s drift explains. That happens; it is no verdict on you or on the massage.",
                when=when,
            )
        case "none" if interval and (interval[0] > 0 or interval[1] < 0):
            return speech.say(
                "Compared with your own quiet minutes today, your heart rhythm differed {when}, but the change is small, "
                "or breathing and heart rate may explain it. It lies between {low} and {high}.",
                when=when,
                low=low,
                high=high,
            )
        case "none":
            return speech.say(
                "Compared with your own quiet minutes today, your heart rhythm showed no change that we could tell {when}. "
                "It lies between {low} and {high}.",
                when=when,
                low=low,
                high=high,
            )
        case _:
            return speech.say(
                "There was too little clean data to say whether your heart rhythm changed {when}. "
                "That happens easily, by a dry strap or a movement, and says nothing about you.",
                when=when,
            )
