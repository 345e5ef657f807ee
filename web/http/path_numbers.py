"""Whole numbers in addresses and forms."""

_MAX_DIGITS = 15


def whole_number(text: str) -> int | None:
    """Return the number written in `text`, which must be 1 to 15 ASCII digits; None where it is anything else."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= _MAX_DIGITS else None
