"""The radio of a practice: this computer's Bluetooth adapter, and Bluetooth proxies where there are any."""

from base64 import b64decode
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Protocol

import msgspec

from ...sensors.bluetooth.scanner import StrapSource, StrapWatch
from ...sensors.proxies.address import ProxyAddress, ProxyError
from ...sensors.source import Source

_KEY_BYTES = 32


class StrapSeen(msgspec.Struct, frozen=True):
    """A strap that was heard advertising."""

    address: str
    name: str | None
    rssi_dbm: int | None
    room: Annotated[str | None, msgspec.Meta(description="Identifier of the room that holds it; None where none does.")]
    near: Annotated[
        str | None, msgspec.Meta(description="Room of the Bluetooth proxy with the strongest signal; None without proxies.")
    ] = None
    room_name: Annotated[str | None, msgspec.Meta(description="Name of the room that holds it; None where none does.")] = None
    strap: Annotated[
        bool,
        msgspec.Meta(
            description="False: it neither says nor has a name that tells that it measures heart rate. It may all the same."
        ),
    ] = True


class AdapterState(msgspec.Struct, frozen=True):
    """Whether Bluetooth is ready, and if not, what to do."""

    ready: bool
    text: Annotated[
        str,
        msgspec.Meta(
            description=(
                '"Bluetooth ready", or "No Bluetooth adapter. Plug one in or switch Bluetooth on; restbeat keeps looking.".'
            )
        ),
    ]


class Radio(Protocol):
    """Source of the adapter's state and of the straps in range."""

    def adapter(self) -> AdapterState:
        """Return the state of the Bluetooth adapter."""
        ...

    def straps(self) -> Sequence[StrapSeen]:
        """Return the devices heard recently, straps first, then by strength; `room` is None, `Rooms` fills it in."""
        ...


class Air:
    """Real adapter and real straps; `near` names the proxy's room that hears an address loudest, None where none does."""

    def __init__(self, watch: StrapWatch, near: Callable[[str], str | None] = lambda _: None) -> None:
        self._watch = watch
        self._near = near

    def adapter(self) -> AdapterState:
        """Return the state of the Bluetooth adapter."""
        state = self._watch.state
        return AdapterState(ready=state.ready, text=state.text)

    def straps(self) -> Sequence[StrapSeen]:
        """Return the devices heard recently, straps first, then by strength; `room` is None, `Rooms` fills it in."""
        straps = self._watch.straps
        return [
            StrapSeen(advert.address, advert.name, advert.rssi_dbm, None, self._near(advert.address), strap=number < len(straps))
            for number, advert in enumerate([*straps, *self._watch.others])
        ]


@dataclass(frozen=True, slots=True)
class ProxyOptions:
    """Addresses of the Bluetooth proxies, and their Noise keys (base64) by host, or under "" for all."""

    addresses: tuple[ProxyAddress, ...] = ()
    keys: Mapping[str, str] = field(default_factory=dict)


def read_options(proxies: Sequence[str], key_file: Path | None, key: str | None) -> ProxyOptions:
    """Parse proxies as written on the command line, and read their keys from `key_file` or the text `key`.

    Raises `ProxyError` where an address or a key is malformed, a proxy is named twice, or the key file cannot be read.
    """
    addresses = tuple(ProxyAddress.parse(text) for text in proxies)
    endpoints = [(address.host.lower(), address.port) for address in addresses]
    for address, endpoint in zip(addresses, endpoints, strict=True):
        if endpoints.count(endpoint) > 1:
            raise ProxyError(f"The proxy {address.host}:{address.port} is named twice. Name each of them once.")
    keys = {"": _key(key.strip(), "The key in RESTBEAT_PROXY_KEY")} if key else {}
    if key_file is not None:
        keys |= _read_keys(key_file)
    return ProxyOptions(addresses, keys)


def _read_keys(path: Path) -> dict[str, str]:
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ProxyError(f"The key file {path.name} cannot be read: {error.__class__.__name__}.") from error
    keys = {}
    for number, line in enumerate(lines, 1):
        match line.split():
            case []:
                continue
            case [key]:
                keys[""] = _key(key, f"Line {number} of {path.name}")
            case [host, key]:
                keys[host] = _key(key, f"Line {number} of {path.name}")
            case _:
                raise ProxyError(f"Line {number} of {path.name} is neither a key nor a host and its key.")
    if not keys:
        raise ProxyError(f"There is no key in {path.name}.")
    return keys


def _key(text: str, where: str) -> str:
    """Check a key's form now, as a wrong one would later look like a proxy that does not answer; messages never hold the key."""
    try:
        valid = len(b64decode(text, validate=True)) == _KEY_BYTES
    except ValueError:
        valid = False
    if not valid:
        raise ProxyError(f"{where} is no encryption key: 32 bytes in base64 are wanted, as `api: encryption: key` has them.")
    return text


@asynccontextmanager
async def open_radio(adapter: str | None, options: ProxyOptions) -> AsyncGenerator[tuple[Air, Callable[[str], Source]]]:
    """Listen within the block; yield the radio, and a function that returns the source for an address.

    Raises `ProxyError` where proxies are given but their libraries are not installed.
    """
    async with AsyncExitStack() as stack:
        if not options.addresses:
            watch = await stack.enter_async_context(StrapWatch(adapter=adapter))
            yield Air(watch), lambda address: StrapSource(address, adapter=adapter)
            return
        try:
            from ...sensors.proxies.proxies import Proxies
            from ...sensors.proxies.scanner import ProxiedWatch
            from ...sensors.proxies.strap import ProxiedSource
        except ModuleNotFoundError as error:
            text = "Bluetooth proxies need more than is installed. Install it with: pip install 'restbeat[proxy]'"
            raise ProxyError(text) from error
        proxies = await stack.enter_async_context(Proxies(options.addresses, keys=options.keys))
        proxied_watch = await stack.enter_async_context(ProxiedWatch(proxies, adapter=adapter))
        yield Air(proxied_watch, proxied_watch.near), lambda address: ProxiedSource(address, proxies, adapter=adapter)
