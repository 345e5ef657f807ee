"""Texts about follow-ups on the client's own page."""

from dataclasses import dataclass

from ...service.rendering.translations import choose, speech_of


@dataclass(frozen=True, slots=True)
class FollowUpTexts:
    """Texts of the questions after a session, by the values under which answers are stored.

    `slot` and `how` go by hours after the session, `trouble` by the reason why answers were not accepted.
    """

    slot: dict[int, str]
    how: dict[int, str]
    sleep: dict[str, str]
    relief: dict[str, str]
    done: dict[str, str]
    trouble: dict[str, str]
    disclaimer: str


def follow_up_texts(language: str) -> FollowUpTexts:
    """Return the texts in a language; in English where there is no such translation."""
    say = speech_of(choose(language)).say
    return FollowUpTexts(
        slot={24: say("A day after:"), 48: say("Two days after:")},
        how={24: say("How are you, a day after?"), 48: say("How are you, two days after?")},
        sleep={"worse": say("worse than usual"), "usual": say("as usual"), "better": say("better than usual")},
        relief={
            "none": say("there was none"),
            "hours": say("some hours"),
            "half_day": say("half a day"),
            "day": say("a day"),
            "lasts": say("it lasts still"),
        },
        done={
            "heat": say("Heat"),
            "cold": say("Cold"),
            "exercise": say("Exercise"),
            "tai-chi-yoga": say("Tai chi or yoga"),
            "mindfulness": say("Mindfulness"),
            "medication": say("Medication changed"),
        },
        trouble={
            "unreadable": say("Please choose a number for the pain, then send it again."),
            "answered": say("These questions are answered already. If something is different now, tell your therapist."),
            "missed": say("The time for these questions is over. Tell your therapist at the next visit how you were."),
            "later": say("These questions are not open yet. Below you see when they will be."),
        },
        disclaimer=say(
            "This is relaxation feedback for wellness, not a medical device: it makes no diagnosis and gives no treatment advice."
        ),
    )
