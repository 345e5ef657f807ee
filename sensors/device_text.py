"""Text that a device says of itself, cleaned of what no name holds."""

_LONGEST_NAME, _LONGEST_READ = 40, 512
"""Characters of a name that are kept, and that are looked at."""


def clean_text(text: str | None) -> str | None:
    """Return what a device says of itself without control characters, cut to the length of a name; None where nothing is left."""
    shown = "".join(letter if letter.isprintable() else " " for letter in (text or "")[:_LONGEST_READ])
    return " ".join(shown.split())[:_LONGEST_NAME].strip() or None
