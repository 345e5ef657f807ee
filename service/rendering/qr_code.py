"""Addresses as QR codes; the only module that imports segno."""

from markupsafe import Markup


def qr_svg(address: str) -> Markup:
    """Return an address as a QR code in inline SVG, black on white with its quiet zone; the page sets its size."""
    import segno

    code = segno.make_qr(address, error="m")
    return Markup(code.svg_inline(border=4, dark="#000", light="#fff", omitsize=True, svgclass="qr", lineclass=None))  # noqa: S704 - drawn here
