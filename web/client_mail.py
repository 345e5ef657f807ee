"""Mails to clients: the link and who sends it, nothing of health."""

from .client_texts import translator
from .consent import Language

Written = tuple[str, str]
"""Subject and text."""


def link_mail(language: Language, address: str, practice: str | None) -> Written:
    """The link itself."""
    _ = translator(language)
    private = _("Whoever has this link can open the page: keep it to yourself.")
    return _("Your link"), _letter(
        _("Good day,"), _("this is the link to your own page:"), address, private, practice or _("Your practice")
    )


def reminder_mail(language: Language, address: str, practice: str | None) -> Written:
    """A follow-up is due."""
    _ = translator(language)
    asked = _("a few short questions wait for you. They take a minute:")
    private = _("Whoever has this link can open the page: keep it to yourself.")
    no_more = _("If you would rather get no reminders, choose so at the end of that page.")
    return _("A few short questions"), _letter(
        _("Good day,"), asked, address, f"{private} {no_more}", practice or _("Your practice")
    )


def try_mail(practice: str | None) -> Written:
    """For an admin who tries the settings."""
    return "Test mail from restbeat", _letter("Mail from restbeat arrives: the settings are right.", practice or "restbeat")


def _letter(*parts: str) -> str:
    return "\n\n".join(parts) + "\n"
