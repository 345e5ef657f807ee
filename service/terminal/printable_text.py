"""Text that a device, a file or a person made up, as a terminal may show it."""

_REPLACEMENT = "\N{REPLACEMENT CHARACTER}"


def printable(text: str) -> str:
    """Return a text in which what steers a terminal or turns the direction of writing is replaced; line ends and tabs stay."""
    if text.isprintable():
        return text
    return "".join(one if one.isprintable() or one in "\n\t" else _REPLACEMENT for one in text)
