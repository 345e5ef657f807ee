"""Texts of the mails to clients: the link and the sender's name, nothing about health."""

from ..rendering.translations import choose, speech_of

MailText = tuple[str, str]
"""Subject and text."""


def link_mail(language: str, address: str, practice: str | None) -> MailText:
    """Return the mail with a link."""
    say = speech_of(choose(language)).say
    private = say("Whoever has this link can open the page: keep it to yourself.")
    return say("Your link"), _letter(
        say("Good day,"), say("this is the link to your own page:"), address, private, practice or say("Your practice")
    )


def reminder_mail(language: str, address: str, practice: str | None) -> MailText:
    """Return the reminder of a due follow-up."""
    say = speech_of(choose(language)).say
    questions = say("a few short questions wait for you. They take a minute:")
    private = say("Whoever has this link can open the page: keep it to yourself.")
    no_more = say("If you would rather get no reminders, choose so at the end of that page.")
    return say("A few short questions"), _letter(
        say("Good day,"), questions, address, f"{private} {no_more}", practice or say("Your practice")
    )


def settings_test_mail(practice: str | None) -> MailText:
    """Return the mail that an admin sends to test the settings."""
    return "Test mail from restbeat", _letter("Mail from restbeat arrives: the settings are right.", practice or "restbeat")


def _letter(*parts: str) -> str:
    return "\n\n".join(parts) + "\n"
