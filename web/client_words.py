"""A session in words for the client: plain ones first, nothing claimed that was not measured. Pure functions.

The wording follows the evidence: what a change is called depends on its class alone, and rest alone can do all of it.
"""

from collections.abc import Iterator
from math import expm1
from typing import Final

from ..analysis.figures import PhaseFigures, ResponseFigures, SessionReport
from ..analysis.pain import RISE, SEVERE
from .client_session import FEWEST_DAYS, ClientSession
from .speech import Speech
from .words import interval_pct

LEAST_USED_PCT: Final = 95.0
"""Of the beats of a phase, for a verdict."""
STEADY_SEGMENTS: Final = 24
"""Of 10 s in a phase, for a verdict: four minutes."""
FEWEST_RESTS: Final = 3
TELLING: Final = frozenset({"clear", "slight", "none", "opposite"})


def headline(report: SessionReport) -> ResponseFigures | None:
    """The response that the page speaks of first: the massage's, or where that says nothing, the one after it."""
    responses = report.figures.responses
    return next((found for found in responses if found.class_ in TELLING), responses[0] if responses else None)


def phase_name(speech: Speech, phase: str, kind: str) -> str:
    """What a phase is called."""
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
    """The same, for a picture."""
    match phase:
        case "baseline":
            return speech.say("quiet")
        case "massage":
            return speech.say("rest") if kind == "rest" else speech.say("massage")
        case "recovery":
            return speech.say("after")
        case _:
            return phase_name(speech, phase, kind)


def pains(session: ClientSession) -> tuple[int | None, int | None]:
    """Pain before and after a session."""
    return pains_of(session.report, session.visit.pain_before, session.visit.pain_after)


def pains_of(report: SessionReport, before: int | None, after: int | None) -> tuple[int | None, int | None]:
    """Pain as it was asked before and after, else as it was said in the session before and after the massage."""
    massage = next((figures for figures in report.figures.phases if figures.phase == "massage"), None)
    if massage is not None and before is None:
        before = next((score for at_s, score in report.pain if at_s < massage.start_s), None)
    if massage is not None and after is None:
        after = next((score for at_s, score in reversed(report.pain) if at_s >= massage.end_s), None)
    return before, after


def first_of_all(speech: Speech, session: ClientSession) -> tuple[str, str] | None:
    """What outranks everything else: a stop for pain, or pain that rose or was severe; a title and a sentence."""
    before, after = pains(session)
    massage = next((figures.start_s for figures in session.report.figures.phases if figures.phase == "massage"), 0.0)
    during = [score for at_s, score in session.report.pain if at_s >= massage]
    worst = max([*during, *([] if after is None else [after])], default=0)
    if session.stopped:
        title = speech.say("The massage was stopped because your pain went up.")
    elif before is not None and worst >= before + RISE:
        title = speech.say(
            "Your pain went up from {before} to {score}.", before=speech.number(before), score=speech.number(worst)
        )
    elif worst >= SEVERE:
        title = speech.say("Your pain was {score} of 10.", score=speech.number(worst))
    else:
        return None
    return title, speech.say(
        "That comes before anything that the heart shows. Tell us how you are today and tomorrow; "
        "ask a doctor where the pain worries you. Your next visit begins with this."
    )


def lead(speech: Speech, session: ClientSession) -> str:
    """The plain sentence that stands first."""
    report = session.report
    if not report.figures.phases:
        return speech.say("Nothing was measured in this session. What you said and what was done stands below.")
    if not report.hrv:
        return speech.say(
            "Your sensor told your heart rate only. What happens from one beat to the next it cannot tell, "
            "so this page keeps to your heart rate and to what was done."
        )
    response = headline(report)
    phases = {figures.phase for figures in report.figures.phases}
    if response is None or not {"baseline", response.phase} <= phases:
        return speech.say("There is nothing to compare in this session: it takes quiet minutes before, and minutes to compare.")
    return _of_response(speech, response, _interval(report, response), session.row.kind)


def caveat(speech: Speech, session: ClientSession) -> str:
    """What stands on every page."""
    response = headline(session.report)
    if session.report.hrv and response is not None and response.class_ in TELLING:
        return speech.say("Rest alone can do this. It does not measure pain, health or treatment success.")
    return speech.say(
        "Rest alone can change heart rate and heart rhythm too. They do not measure pain, health or treatment success."
    )


def afterwards(speech: Speech, session: ClientSession) -> str:
    """What the quiet minutes after it showed, where the page speaks of something else first."""
    report, first = session.report, headline(session.report)
    response = next((found for found in report.figures.responses if found.phase == "recovery"), None)
    took_place = any(figures.phase == "recovery" for figures in report.figures.phases)
    if not report.hrv or response is None or not took_place or first is None or first.phase == "recovery":
        return ""
    interval = _interval(report, response)
    if response.class_ not in TELLING or interval is None:
        return speech.say("For the quiet minutes after, there was too little clean data to tell.")
    low, high = (speech.change(value) for value in interval)
    return speech.say(
        "In the quiet minutes after, it stood at {change} (between {low} and {high}).",
        change=speech.change(response.percent),
        low=low,
        high=high,
    )


def how_sure(speech: Speech, session: ClientSession) -> Iterator[str]:
    """Share of the beats, the usual days, what rest usually does, and that one session says little."""
    integrity = session.report.figures.integrity
    if session.report.hrv and integrity.beats:
        share = 100 * (1 - integrity.rejected_beats / integrity.beats)
        yield speech.say("{share} of your heartbeats could be used.", share=speech.percent(share))
    if session.report.hrv:
        yield _usual_days(speech, session)
        yield _usual_rest(speech, session)
    yield speech.say("One session says little; after four sessions the picture becomes clearer.")


def not_measured(speech: Speech, session: ClientSession) -> Iterator[str]:
    """What is missing, and why."""
    report, kind = session.report, session.row.kind
    phases = {figures.phase: figures for figures in report.figures.phases}
    if phases and not report.hrv:
        yield speech.say("How the rhythm varies: the sensor sends the heart rate, not the single beats.")
    whys: dict[str, list[str]] = {}
    for phase in ("baseline", "massage", "recovery") if phases and report.hrv else ():
        figures = phases.get(phase)
        if figures is None:
            yield speech.say("{phase}: there were none.", phase=phase_name(speech, phase, kind))
        elif why := _phase_why(speech, figures, report):
            whys.setdefault(why, []).append(phase_name(speech, phase, kind))
    for why, names in whys.items():
        yield f"{speech.listed(names)}: {why}"
    if phases and report.figures.integrity.gaps:
        lost = speech.length(report.figures.integrity.lost_s)
        yield speech.say("For {time} no beat arrived; the line in the picture is open there.", time=lost)
    if any(context.flagged for context in report.context.values()):
        yield speech.say(
            "Your breathing was slow, changed, or could not be read. That alone moves the rhythm, so the word is careful."
        )
    before, after = pains(session)
    match before is None, after is None:
        case True, True:
            yield speech.say("Pain: not asked.")
        case True, False:
            yield speech.say("Pain before: not asked.")
        case False, True:
            yield speech.say("Pain after: not asked.")
        case _:
            pass
    yield speech.say("Stress, muscle tension and health: heartbeats do not tell them.")


def interval_of(report: SessionReport) -> tuple[float, float] | None:
    """The 95 % interval of the headline's change, in percent."""
    response = headline(report)
    return None if response is None else _interval(report, response)


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


def _usual_days(speech: Speech, session: ClientSession) -> str:
    usual = session.usual
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


def _usual_rest(speech: Speech, session: ClientSession) -> str:
    """Answer the second question: whether it is more than rest alone usually does."""
    response = headline(session.report)
    context = session.report.context.get(response.phase) if response else None
    if context is None or session.row.kind == "rest" or not session.usual.compared:
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


def _phase_why(speech: Speech, figures: PhaseFigures, report: SessionReport) -> str:
    if figures.accepted_pct is None:
        return speech.say("no heartbeat arrived.")
    if figures.accepted_pct < LEAST_USED_PCT:
        return speech.say(
            "only {share} of the beats could be used; a comparison takes {needed}.",
            share=speech.percent(figures.accepted_pct),
            needed=speech.percent(LEAST_USED_PCT),
        )
    if figures.clean_segments < STEADY_SEGMENTS:
        return speech.say(
            "only {time} of steady data; a comparison takes {needed}.",
            time=speech.length(10 * figures.clean_segments),
            needed=speech.length(10 * STEADY_SEGMENTS),
        )
    response = next((found for found in report.figures.responses if found.phase == figures.phase), None)
    if response is not None and response.class_ == "insufficient" and response.percent is not None:
        return speech.say("the rhythm wandered too much to tell a change from it.")
    return ""
