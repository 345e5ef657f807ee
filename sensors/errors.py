"""Every error a sensor can raise, one tree.

SensorError
├── PayloadError          a notification that is no heart rate measurement
├── RecordingError        a recording of which nothing can be read
├── FaultError            a fault that cannot be put in as it is written
└── RadioError
    ├── NoAdapterError    no Bluetooth adapter, or it is switched off
    ├── StrapNotFoundError
    ├── ConnectError      found, but the connection failed
    ├── ProxyError        a Bluetooth proxy that cannot be used as it is
    └── VirtualBusError   the private D-Bus of the virtual straps could not be started
"""


class SensorError(Exception):
    """Root of all errors of the sensor layer; its text is a sentence for a person."""


class PayloadError(SensorError):
    """A notification whose bytes are no heart rate measurement."""


class RecordingError(SensorError):
    """A recording of which nothing can be read: empty, no header, another version."""


class FaultError(SensorError):
    """A fault that is not in the grammar, or does not fit the recording."""


class RadioError(SensorError):
    """The radio, or the way to it, failed."""


class NoAdapterError(RadioError):
    """There is no Bluetooth adapter, or it is switched off."""


class StrapNotFoundError(RadioError):
    """The strap was not heard."""


class ConnectError(RadioError):
    """The strap was heard, but connecting or subscribing failed."""


class VirtualBusError(RadioError):
    """The private D-Bus of the virtual straps could not be started."""
