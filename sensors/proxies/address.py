"""The network address of a Bluetooth proxy, and the name of the room that it stands in."""

from dataclasses import dataclass
from typing import Self

from ..errors import RadioError

_PORT = 6053
_FORM = "A proxy is written HOST, HOST:PORT or HOST=ROOM NAME, such as 192.168.1.40=Blue room"


class ProxyError(RadioError):
    """A Bluetooth proxy that cannot be used: a malformed address, a missing installation, or a device without a scanner."""


@dataclass(frozen=True, slots=True)
class ProxyAddress:
    """An ESPHome Bluetooth proxy on the network, and the room that it stands in."""

    host: str
    port: int
    room: str

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `HOST[:PORT][=ROOM NAME]`; without a name, the room is named after the host.

        Raises `ProxyError` where the host is missing or the port is not one.
        """
        place, _, room = (part.strip() for part in text.partition("="))
        host, port = _split(place)
        if not host or any(letter.isspace() for letter in host):
            raise ProxyError(f"{text!r} names no host. {_FORM}.")
        if port and not (port.isascii() and port.isdecimal() and 0 < int(port) < 65536):
            raise ProxyError(f"{port!r} in {text!r} is no port: a number from 1 to 65535 is wanted. {_FORM}.")
        return cls(host, int(port or _PORT), room or host)


def _split(place: str) -> tuple[str, str]:
    """Split host and port; an IPv6 address needs brackets before a port, and may have them without one."""
    if place.startswith("["):
        host, _, rest = place[1:].partition("]")
        return host, rest.removeprefix(":")
    if place.count(":") > 1:
        return place, ""
    host, _, port = place.partition(":")
    return host, port
