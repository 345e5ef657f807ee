"""The door to segno: an address as a QR code."""

from markupsafe import Markup


def qr_svg(address: str) -> Markup:
    """The code as SVG to put into a page, black on white with its quiet zone; its size is left to the page."""
    import segno

    code = segno.make_qr(address, error="m")
    return Markup(code.svg_inline(border=4, dark="#000", light="#fff", omitsize=True, svgclass="qr", lineclass=None))  # noqa: S704 - drawn here
