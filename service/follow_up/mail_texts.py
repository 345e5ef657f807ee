"""Mails to clients: the link and who sends it, nothing of health."""

from ..rendering.translations import choose, speech_of

Written = tuple[str, str]
"""Subject and text."""


def link_mail(language: str, address: str, practice: str | None) -> Written:
    """The link itself."""
    say = speech_of(choose(language)).say
    private = say("Whoever has this link can open the page: keep it to yourself.")
    return say("Your link"), _letter(
        say("Good day,"), say("this is the link to your own page:"), address, private, practice or say("Your practice")
    )


def reminder_mail(language: str, address: str, practice: str | None) -> Written:
    """A follow-up is due."""
    say = speech_of(choose(language)).say
    asked = say("a few short questions wait for you. They take a minute:")
    private = say("Whoever has this link can open the page: keep it to yourself.")
    no_more = say("If you would rather get no reminders, choose so at the end of that page.")
    return say("A few short questions"), _letter(
        say("Good day,"), asked, address, f"{private} {no_more}", practice or say("Your practice")
    )


def try_mail(practice: str | None) -> Written:
    """For an admin who tries the settings."""
    return "Test mail from restbeat", _letter("Mail from restbeat arrives: the settings are right.", practice or "restbeat")


def _letter(*parts: str) -> str:
    return "\n\n".join(parts) + "\n"
