"""What clients read on their own page and in mails, in their language: English is the key, German beside it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from .consent import Language

Translate = Callable[[str], str]


def translator(language: Language) -> Translate:
    """Give a text in a language; one that is not there stays English."""
    return (lambda text: _GERMAN.get(text, text)) if language == "de" else (lambda text: text)


@dataclass(frozen=True, slots=True)
class FollowUpTexts:
    """Words for what is asked after a session, by the names under which it is kept."""

    slot: dict[int, str]
    how: dict[int, str]
    sleep: dict[str, str]
    relief: dict[str, str]
    done: dict[str, str]
    trouble: dict[str, str]
    disclaimer: str


def follow_up_texts(language: Language) -> FollowUpTexts:
    """All of them in a language."""
    say = translator(language)
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


_GERMAN: Final[dict[str, str]] = {
    # the page
    "Your page": "Ihre Seite",
    "Skip to the page": "Zum Inhalt",
    "Extra dim": "Ganz dunkel",
    "Print": "Drucken",
    "Nothing is shown at the moment": "Zurzeit ist nichts zu sehen",
    "Choose below what this page shows.": "Wählen Sie unten, was diese Seite zeigt.",
    "After your next session it will be here.": "Nach Ihrer nächsten Sitzung steht sie hier.",
    "A few short questions wait for you.": "Ein paar kurze Fragen warten auf Sie.",
    "Answer them": "Beantworten",
    "Your session on": "Ihre Sitzung vom",
    "Session on": "Sitzung vom",
    "Your sessions": "Ihre Sitzungen",
    "Heart rhythm variability": "Variabilität des Herzrhythmus",
    "no comparison": "kein Vergleich",
    "Heart rate": "Herzfrequenz",
    "beats a minute": "Schläge in der Minute",
    "Pain, 0 to 10": "Schmerz, 0 bis 10",
    "as you said": "wie Sie es sagten",
    "Your heart rhythm variability from the quiet minutes before to those after": (
        "Die Variabilität Ihres Herzrhythmus von den ruhigen Minuten davor bis zu denen danach"
    ),
    "How it goes on": "Wie es weitergeht",
    "Please tell how you are a day after and two days after: open your page with the camera of your phone. It takes a minute.": (
        "Bitte sagen Sie nach einem und nach zwei Tagen, wie es Ihnen geht: öffnen Sie Ihre Seite mit der Kamera Ihres Telefons. "
        "Es dauert eine Minute."
    ),
    "A day after:": "Nach einem Tag:",
    "Two days after:": "Nach zwei Tagen:",
    "to be answered from": "zu beantworten von",
    "to be answered until": "zu beantworten bis",
    "to": "bis",
    "open now": "jetzt offen",
    "until": "bis",
    "you said: pain": "Sie sagten: Schmerz",
    "closed since": "geschlossen seit",
    "Put both into my calendar": "Beides in meinen Kalender",
    "If pain rises or something feels new, call your practice, and ask a doctor where it worries you.": (
        "Wenn Schmerzen zunehmen oder sich etwas neu anfühlt, rufen Sie Ihre Praxis an; wenn es Sie beunruhigt, "
        "fragen Sie eine Ärztin oder einen Arzt."
    ),
    "What this page shows": "Was diese Seite zeigt",
    "Remind me by e-mail": "Per E-Mail erinnern",
    "Keep this choice": "Auswahl behalten",
    "Sessions to come are shown here too.": "Auch kommende Sitzungen stehen hier.",
    "Whoever has the link to this page can open it, until": "Wer den Link zu dieser Seite hat, kann sie öffnen, bis zum",
    "Your practice can end it sooner: ask. Every use of it is noted.": (
        "Ihre Praxis kann ihn früher sperren: fragen Sie. Jede Nutzung wird vermerkt."
    ),
    "Your data belong to you: ask to have them exported or erased at any time.": (
        "Ihre Daten gehören Ihnen: Sie können jederzeit um Ausgabe oder Löschung bitten."
    ),
    "This is relaxation feedback for wellness, not a medical device: it makes no diagnosis and gives no treatment advice.": (
        "Dies ist eine Rückmeldung zur Entspannung, kein Medizinprodukt: es stellt keine Diagnose und gibt keinen Rat "
        "zur Behandlung."
    ),
    # what is asked
    "How are you, a day after?": "Wie geht es Ihnen nach einem Tag?",
    "How are you, two days after?": "Wie geht es Ihnen nach zwei Tagen?",
    "Thank you. Your answers are kept.": "Danke. Ihre Antworten sind angekommen.",
    "Your therapist sees them before your next visit.": "Sie werden vor Ihrem nächsten Besuch gelesen.",
    "Correct them within ten minutes": "Innerhalb von zehn Minuten ändern",
    "Pain now": "Schmerz jetzt",
    "0 none": "0 keiner",
    "10 worst imaginable": "10 schlimmster vorstellbarer",
    "Sleep last night": "Schlaf letzte Nacht",
    "worse than usual": "schlechter als sonst",
    "as usual": "wie sonst",
    "better than usual": "besser als sonst",
    "How long did the relief last?": "Wie lange hielt die Erleichterung an?",
    "there was none": "es gab keine",
    "some hours": "einige Stunden",
    "half a day": "einen halben Tag",
    "a day": "einen Tag",
    "it lasts still": "sie hält noch an",
    "What else did you do since?": "Was haben Sie seither noch getan?",
    "Heat": "Wärme",
    "Cold": "Kälte",
    "Exercise": "Bewegung",
    "Tai chi or yoga": "Tai-Chi oder Yoga",
    "Mindfulness": "Achtsamkeit",
    "Medication changed": "Medikamente geändert",
    "Anything else? (as you like)": "Noch etwas? (wenn Sie mögen)",
    "Send my answers": "Antworten senden",
    "Send the correction": "Änderung senden",
    "Please choose a number for the pain, then send it again.": (
        "Bitte wählen Sie eine Zahl für den Schmerz und senden Sie noch einmal."
    ),
    "These questions are answered already. If something is different now, tell your therapist.": (
        "Diese Fragen sind schon beantwortet. Wenn jetzt etwas anders ist, sagen Sie es in Ihrer Praxis."
    ),
    "The time for these questions is over. Tell your therapist at the next visit how you were.": (
        "Die Zeit für diese Fragen ist vorbei. Erzählen Sie beim nächsten Besuch, wie es Ihnen ging."
    ),
    "These questions are not open yet. Below you see when they will be.": (
        "Diese Fragen sind noch nicht offen. Unten steht, wann sie es sind."
    ),
    # what a link does not open
    "This link opens nothing": "Dieser Link öffnet nichts",
    "It may be over, or not be whole: links end by themselves after a while, and can be ended sooner. Nothing is lost.": (
        "Vielleicht ist er abgelaufen oder nicht vollständig: Links enden nach einer Weile von selbst und können früher gesperrt "
        "werden. Nichts ist verloren."
    ),
    "Open it once more from where you got it. If that does not help, ask your practice for a new one.": (
        "Öffnen Sie ihn noch einmal von dort, wo Sie ihn bekommen haben. Hilft das nicht, bitten Sie Ihre Praxis um einen neuen."
    ),
    "A moment, please": "Einen Augenblick, bitte",
    "There were many tries from here. Please wait some minutes, then open your link again.": (
        "Von hier kamen viele Versuche. Bitte warten Sie einige Minuten und öffnen Sie dann Ihren Link noch einmal."
    ),
    "That did not work": "Das hat nicht geklappt",
    "Your page cannot be shown at the moment. Nothing is lost: please try again in some minutes.": (
        "Ihre Seite ist zurzeit nicht zu sehen. Nichts ist verloren: bitte versuchen Sie es in einigen Minuten noch einmal."
    ),
    # mails, calendar
    "Good day,": "Guten Tag,",
    "this is the link to your own page:": "dies ist der Link zu Ihrer eigenen Seite:",
    "Whoever has this link can open the page: keep it to yourself.": (
        "Wer diesen Link hat, kann die Seite öffnen: behalten Sie ihn für sich."
    ),
    "Your practice": "Ihre Praxis",
    "Your link": "Ihr Link",
    "a few short questions wait for you. They take a minute:": "ein paar kurze Fragen warten auf Sie. Sie dauern eine Minute:",
    "If you would rather get no reminders, choose so at the end of that page.": (
        "Wenn Sie keine Erinnerungen möchten, wählen Sie das am Ende dieser Seite ab."
    ),
    "A few short questions": "Ein paar kurze Fragen",
}
