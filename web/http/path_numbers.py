"""Whole numbers in addresses and forms."""

_MOST_DIGITS = 15


def whole_number(text: str) -> int | None:
    """Return the number that a text of ASCII digits stands for; None where it is none, or longer than any number of ours."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= _MOST_DIGITS else None
