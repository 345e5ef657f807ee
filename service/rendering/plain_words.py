"""Figures in words, for people who have never heard of RMSSD. Pure functions; the wording claims no more than the evidence."""

from math import expm1
from typing import Final

from ...analysis.figures import ResponseClass, ResponseFigures, SessionReport
from ...analysis.hrv.engine_parity import Parity
from ...analysis.polar.polar_signals import PolarReport
from ...analysis.response.thresholds import PULSE_ONLY
from ...analysis.session_pain import SessionPain

CAVEAT: Final = "Rest alone can do this. It does not measure pain, health or treatment success."
DISCLAIMER: Final = (
    "This is relaxation feedback for wellness, not a medical device: it makes no diagnosis and gives no treatment advice."
)
NONE: Final = "—"
MOST_PAINS: Final = 3
"""Most pain scores during a session that are listed one by one."""

_PHASES: Final = {"settle": "Settling", "baseline": "Baseline", "massage": "Massage", "recovery": "Recovery", "ended": "Ended"}
_CLASSES: Final[dict[ResponseClass, str]] = {
    "clear": "Clear rise",
    "slight": "A hint of a rise",
    "none": "No change we could tell",
    "opposite": "Lower",
    "insufficient": "Not enough steady data",
}
_STATES: Final = {"running": "Running", "ended": "Ended", "interrupted": "Interrupted"}


def phase_word(phase: str, kind: str = "massage") -> str:
    """Return the name of a phase; in a rest-only session the massage phase is called rest."""
    if phase == "massage" and kind == "rest":
        return "Rest"
    return _PHASES.get(phase, phase.capitalize())


def class_word(class_: ResponseClass) -> str:
    """Return the class of a response in words."""
    return _CLASSES[class_]


def state_word(state: str) -> str:
    """Return the state of a session in words."""
    return _STATES.get(state, state.capitalize())


def number(value: float | None, digits: int = 0) -> str:
    """Return a figure with a true minus and narrow spaces between thousands; a dash for None."""
    if value is None:
        return NONE
    text = f"{value:,.{digits}f}".replace(",", "\u202f").replace("-", "−")
    return "0" if text == "−0" else text


def signed(value: float) -> str:
    """Return a value rounded to a whole number, with its sign."""
    rounded = round(value)
    return "0" if rounded == 0 else f"{rounded:+d}".replace("-", "−")


def interval_pct(response: ResponseFigures, interval: tuple[float, float] | None) -> tuple[float, float] | None:
    """Return the 95 % interval of a response in percent; None where there is none.

    `interval` is that of ln RMSSD; where it is None, it is derived from the response's `half_width`.
    """
    if interval is None and response.delta_ln_rmssd is not None and response.half_width is not None:
        interval = (response.delta_ln_rmssd - response.half_width, response.delta_ln_rmssd + response.half_width)
    return None if interval is None else (100 * expm1(interval[0]), 100 * expm1(interval[1]))


def percent_with_interval(percent: float | None, interval: tuple[float, float] | None) -> str:
    """Return a change with its interval: "+22 % (+3 to +45)"; a dash for None."""
    if percent is None:
        return NONE
    within = f" ({signed(interval[0])} to {signed(interval[1])})" if interval else ""
    return f"{signed(percent)} %{within}"


def pain_words(pain: SessionPain) -> str:
    """Return the pain of a session: "6 → 3, 4 during"; empty where there is no score."""
    asked = pain.before is not None or pain.after is not None
    parts = [f"{number(pain.before)} → {number(pain.after)}"] if asked else []
    during = pain_during(pain)
    return ", ".join([*parts, during] if during else parts)


def pain_during(pain: SessionPain) -> str:
    """Return the scores noted during a session, their range where they are many: "4 during"; empty where there are none."""
    scores = [score for _, score in pain.during]
    if len(scores) > MOST_PAINS:
        return f"{min(scores)} to {max(scores)} during"
    return f"{', '.join(map(str, scores))} during" if scores else ""


def response_sentence(response: ResponseFigures, interval: tuple[float, float] | None, kind: str = "massage") -> str:
    """Return one plain sentence on the change in a phase; `interval` in percent."""
    during = {"massage": "during the rest" if kind == "rest" else "during the massage", "recovery": "in the recovery"}
    when = during.get(response.phase, f"in {response.phase}")
    against = "Compared with the quiet minutes before, heart rhythm variability"
    between = f" It lies between {signed(interval[0])} and {signed(interval[1])} %." if interval else ""
    match response.class_:
        case "clear":
            return f"{against} {when} was higher than today’s drift explains."
        case "slight":
            return f"{against} {when} was a little higher: a hint, within what rest can do."
        case "opposite":
            return f"{against} {when} was lower than today’s drift explains."
        case "none" if interval and (interval[0] > 0 or interval[1] < 0):
            return f"{against} {when} differed, but the change is small or breathing and heart rate may explain it.{between}"
        case "none":
            return f"{against} {when} showed no change we could tell.{between}"
        case _ if response.why == PULSE_ONLY:
            return response.why
        case _:
            return f"There was not enough steady data to tell whether heart rhythm variability changed {when}."


def usual_sentence(report: SessionReport, phase: str) -> str:
    """Return how a phase's change compares with that of rest alone; where unknown, only for the first phase."""
    context = report.context.get(phase)
    if context is None or (context.usual_class == "unknown" and phase != next(iter(report.context))):
        return ""
    return context.usual_why


def polar(report: PolarReport | None, kind: str) -> str:
    """Return sentences on the use of a strap's ECG and acceleration; empty where it sent neither."""
    if report is None:
        return ""
    parts: list[str] = []
    if report.rr_source == "ppi":
        parts.append(
            "These figures come from the pulse, by light: less exact than a chest strap’s, and none while the arm moves."
        )
    if report.ecg_beats:
        used = f"{counted(report.ecg_beats, 'beat', 'beats')}, {number(report.ecg_accepted_pct, 1)} % used"
        filled = f"{number(report.ecg_covers_pct)} % of the time"
        if report.rr_source == "ecg":
            parts.append(f"These figures come from the strap’s ECG: {used}, {filled}.")
        else:
            parts.append(f"The strap’s ECG ({used}, {filled}) was not whole enough: these figures come from its RR intervals.")
    parts += [
        f"{phase_word(line.phase, kind)}: {number(line.breaths_per_min, 1)} breaths a minute by its movement."
        for line in report.motion
        if line.breaths_per_min is not None
    ]
    if report.unreadable_frames:
        parts.append(f"{counted(report.unreadable_frames, 'frame', 'frames')} of it could not be read.")
    return " ".join(parts)


def checked(parity: Parity) -> str:
    """Return whether the live figures agree with NeuroKit2's, as a sentence; empty where nothing was compared."""
    if not parity.compared and not parity.differences:
        return ""
    if not parity.differences:
        return f"Checked against NeuroKit2: all {parity.compared} figures agree."
    first = parity.differences[0]
    return (
        f"Checked against NeuroKit2: {counted(len(parity.differences), 'figure differs', 'figures differ')}, "
        f"first {first.figure} in {phase_word(first.phase).lower()}: live {first.ours}, NeuroKit2 {first.neurokit2}."
    )


def second_look(report: SessionReport) -> str:
    """Return how the filter after the session compares with the live one; empty where it did not run or is not comparable."""
    look = report.second_look
    if look is None or look.changed_pct is None or not report.hrv:
        return ""
    if not look.changed_pct:
        return "A second look, which also knows what came after each beat, agrees on every beat."
    live = {figures.phase: figures.rmssd_ms for figures in report.figures.phases}
    both = [(phase_word(one.phase, report.kind), live.get(one.phase), one.rmssd_ms) for one in look.phases]
    by_phase = [
        f"{phase} {number(ours, 1)} and {number(other, 1)} ms" if number(ours, 1) != number(other, 1) else f"{phase} the same"
        for phase, ours, other in both
    ]
    share = f"{number(look.changed_pct, 1)} %" if look.changed_pct >= 0.05 else "less than 0.1 %"
    return (
        f"A second look, which also knows what came after each beat, differs on {share} of the beats; "
        f"RMSSD as used here, and by it: {', '.join(by_phase)}."
    )


def duration(seconds: float) -> str:
    """Return a length of time: "40 s", "45 min", "1 h 5 min"."""
    if seconds < 60:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    hours, rest = divmod(minutes, 60)
    if not hours:
        return f"{minutes} min"
    return f"{hours} h {rest} min" if rest else f"{hours} h"


def clock(seconds: float) -> str:
    """Return a time within the session: "4:05", "1:02:05"."""
    minutes, second = divmod(int(max(seconds, 0)), 60)
    hours, minute = divmod(minutes, 60)
    return f"{hours}:{minute:02d}:{second:02d}" if hours else f"{minute}:{second:02d}"


def counted(count: int, one: str, many: str) -> str:
    """Return a count with its noun: "1 gap", "no gaps", "3 gaps"."""
    return f"{'no' if count == 0 else number(count)} {one if count == 1 else many}"
