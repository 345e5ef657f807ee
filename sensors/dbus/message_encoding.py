"""A D-Bus message as bytes, its sender included: dbus-fast's own writer leaves the sender to the bus, and here we are the bus."""

from dbus_fast import Message, Variant
from dbus_fast._private.marshaller import Marshaller

_LITTLE_ENDIAN, _PROTOCOL = ord("l"), 1
_HEADER = "yyyyuua(yv)"
_FIELDS = (
    (1, "o", "path"),
    (2, "s", "interface"),
    (3, "s", "member"),
    (4, "s", "error_name"),
    (5, "u", "reply_serial"),
    (6, "s", "destination"),
    (7, "s", "sender"),
    (8, "g", "signature"),
)
"""Header fields by their code, D-Bus specification 0.43, "Message Format"."""
_UNIX_FDS = 9


def to_wire(message: Message) -> bytes:
    """The message as it goes over the socket; `unix_fds` travel beside it."""
    body = bytes(Marshaller(message.signature, message.body).marshall())
    fields = [[code, Variant(kind, value)] for code, kind, name in _FIELDS if (value := getattr(message, name))]
    if message.unix_fds:
        fields.append([_UNIX_FDS, Variant("u", len(message.unix_fds))])
    head = [
        _LITTLE_ENDIAN,
        message.message_type.value,
        message.flags.value,
        _PROTOCOL,
        len(body),
        message.serial,
        fields,
    ]
    header = bytes(Marshaller(_HEADER, head).marshall())
    return header + bytes(-len(header) % 8) + body
