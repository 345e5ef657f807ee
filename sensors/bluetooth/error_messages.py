"""Sentences for a person from errors of Bleak and D-Bus, recognised by their names so that Bleak need not be imported."""

from ..protocols.known_devices import busy_hint

_NO_ADAPTER = "No Bluetooth adapter was found. Plug one in or switch Bluetooth on."
_SWITCHED_OFF = "Bluetooth is switched off. Switch it on."
_NO_SERVICE = (
    "No Bluetooth adapter can be used: the Bluetooth service is not running. Start it, on Linux with: systemctl start bluetooth"
)
NOT_ALLOWED = "This user may not use Bluetooth. Allow it in the system's settings, on Linux add the user to the group bluetooth."
_FULL = "The system takes no more D-Bus connections (256 a user by default). Close a room, or raise the limit."
_CUT_OFF = f"The D-Bus system bus closed the connection. {_FULL}"
NO_HEART_RATE = (
    "The device sends no heart rate: it is no heart-rate strap, or heart rate is switched off in it. Choose another strap."
)
_BUSY = "Another scan holds the Bluetooth adapter. It is tried again."

_PAIRING = ("not paired", "notpaired", "authentication", "insufficient encryption", "encryption is insufficient", "0x05", "0x0f")
_NOT_PAIRED = (
    "This strap must be paired with this computer first: pair it in the system's Bluetooth settings, on Linux with "
    "`bluetoothctl pair` and its address; then it connects by itself."
)

_MESSAGE_OF_REASON = {
    "NO_BLUETOOTH": _NO_ADAPTER,
    "NO_BLE_CENTRAL_ROLE": "The Bluetooth adapter cannot do Bluetooth Low Energy. Plug another in.",
    "POWERED_OFF": _SWITCHED_OFF,
    "DENIED_BY_USER": NOT_ALLOWED,
    "DENIED_BY_SYSTEM": NOT_ALLOWED,
    "DENIED_BY_UNKNOWN": NOT_ALLOWED,
}
_MESSAGE_OF_DBUS_ERROR = {
    "ServiceUnknown": _NO_SERVICE,
    "NameHasNoOwner": _NO_SERVICE,
    "Spawn": _NO_SERVICE,
    "NoReply": "The Bluetooth service does not answer. Start it anew, on Linux with: systemctl restart bluetooth",
    "NotReady": _SWITCHED_OFF,
    "InProgress": _BUSY,
    "AccessDenied": NOT_ALLOWED,
    "NotAuthorized": NOT_ALLOWED,
    "LimitsExceeded": _FULL,
}


def scan_error_text(error: BaseException) -> str:
    """Return a sentence that says why scanning failed."""
    if known := _known_message(error):
        return known
    if isinstance(error, TimeoutError):
        return _MESSAGE_OF_DBUS_ERROR["NoReply"]
    if isinstance(error, OSError):
        return "No Bluetooth adapter can be used: this computer has no D-Bus system bus. On Linux install and start BlueZ."
    if "adapter" in str(error) and "not found" in str(error):
        return f"There is no Bluetooth {str(error).removesuffix(' not found')}. Plug it in, or name another."
    return f"Bluetooth failed: {_error_text(error)}."


def connect_error_text(error: BaseException, name: str | None = None) -> str:
    """Return a sentence that says why a strap that was heard could not be connected; `name` adds what is known of it."""
    said = f"{getattr(error, 'dbus_error', '')} {error}".lower()
    if any(word in said for word in _PAIRING):
        return _NOT_PAIRED
    if "inprogress" in said or "in progress" in said:
        return f"Another program on this computer is connecting to this strap. {_busy_text(name)} It is tried again."
    if known := _known_message(error):
        return known
    if isinstance(error, EOFError):
        return _CUT_OFF  # dbus-daemon gives no reason: over its limit it closes the connection
    if isinstance(error, TimeoutError):
        return f"The strap does not answer. {_busy_text(name)} Keep the strap near."
    if type(error).__name__ == "BleakCharacteristicNotFoundError":
        return NO_HEART_RATE
    if type(error).__name__ == "BleakDeviceNotFoundError":
        return "The strap went off the air before it was connected. Check that it is worn and near."
    return f"The strap could not be connected ({_error_text(error)}). {_busy_text(name)} Keep the strap near."


def _busy_text(name: str | None) -> str:
    known = busy_hint(name)
    return f"Is it busy in another app or watch? {known}" if known else "Is it busy in another app or watch? Close that."


def _known_message(error: BaseException) -> str | None:
    reason = getattr(getattr(error, "reason", None), "name", "")
    dbus = str(getattr(error, "dbus_error", None) or getattr(error, "type", None) or "")
    return _MESSAGE_OF_REASON.get(reason) or _MESSAGE_OF_DBUS_ERROR.get(
        next((part for part in dbus.split(".") if part in _MESSAGE_OF_DBUS_ERROR), "")
    )


def _error_text(error: BaseException) -> str:
    return (str(error) or type(error).__name__).rstrip(".")
