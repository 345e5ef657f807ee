"""Every error of the sensor layer, in one tree.

SensorError
├── PayloadError          a notification that cannot be decoded
├── RecordingError        a recording that cannot be read at all
├── FaultError            a fault that cannot be injected as written
└── RadioError
    ├── NoAdapterError    no Bluetooth adapter, or it is switched off
    ├── StrapNotFoundError
    ├── ConnectError      found, but the connection failed
    ├── ProxyError        a Bluetooth proxy that cannot be used (in `proxies.address`)
    └── VirtualBusError   the D-Bus of the virtual straps could not be started or joined
"""


class SensorError(Exception):
    """The root of all errors of the sensor layer; the text is a sentence for a person."""


class PayloadError(SensorError):
    """A notification, or a reply of a strap, that cannot be decoded, or a value that cannot be encoded."""


class RecordingError(SensorError):
    """A recording that cannot be read at all: empty, without a header, or of another version."""


class FaultError(SensorError):
    """A fault that is not in the grammar, or changes nothing in the recording."""


class RadioError(SensorError):
    """The radio, or the connection over it, failed."""


class NoAdapterError(RadioError):
    """No Bluetooth adapter, or it is switched off."""


class StrapNotFoundError(RadioError):
    """A strap that was not heard."""


class ConnectError(RadioError):
    """A strap that was heard, but connecting or subscribing failed."""


class VirtualBusError(RadioError):
    """The D-Bus of the virtual straps could not be started or joined."""
