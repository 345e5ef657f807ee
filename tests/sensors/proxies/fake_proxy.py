"""Fake ESPHome Bluetooth proxies that speak the real native API in plaintext, and straps that they hear."""

import asyncio
from contextlib import asynccontextmanager, suppress
import uuid

from aioesphomeapi import BluetoothProxyFeature as Feature, api_pb2 as api
from aioesphomeapi.core import MESSAGE_TYPE_TO_PROTO

NUMBER_OF = {message: number for number, message in MESSAGE_TYPE_TO_PROTO.items()}
FEATURES = int(Feature.PASSIVE_SCAN | Feature.ACTIVE_CONNECTIONS | Feature.REMOTE_CACHING | Feature.RAW_ADVERTISEMENTS)
SUPERVISION_TIMEOUT = 8
HEART_RATE_HANDLE, BATTERY_HANDLE, MODEL_HANDLE = 18, 34, 50


def varint(number):
    out = b""
    while number > 127:
        out += bytes([number & 127 | 128])
        number >>= 7
    return out + bytes([number])


async def read_varint(reader):
    number = shift = 0
    while True:
        byte = (await reader.readexactly(1))[0]
        number |= (byte & 127) << shift
        shift += 7
        if byte < 128:
            return number


def whole(short):
    number = uuid.UUID(f"0000{short:04x}-0000-1000-8000-00805f9b34fb").int
    return [number >> 64, number & (1 << 64) - 1]


def characteristic(short, handle, properties, *, notifies=False):
    told = [api.BluetoothGATTDescriptor(uuid=whole(0x2902), handle=handle + 1)] if notifies else []
    return api.BluetoothGATTCharacteristic(uuid=whole(short), handle=handle, properties=properties, descriptors=told)


class FakeStrap:
    """A strap that advertises to every proxy in range, unless one of them is connected to it."""

    def __init__(self, address="C0:FF:EE:00:00:01", name="Polar H10 00000001"):
        self.address = int(address.replace(":", ""), 16)
        self.advert = b"\x02\x01\x06\x03\x03\x0d\x18" + bytes([len(name) + 1, 9]) + name.encode()
        self.holder = None
        self.subscribed = asyncio.Event()

    def send(self, payload):
        self.holder.send(api.BluetoothGATTNotifyDataResponse(address=self.address, handle=HEART_RATE_HANDLE, data=payload))

    def let_go(self):
        self.holder = None
        self.subscribed.clear()


class FakeProxy:
    """A fake ESP32; `levels` maps each strap to its signal level in dBm."""

    def __init__(self, name, mac, host, slots=3):
        self.name, self.mac, self.host, self.slots = name, mac, host, slots
        self.port = 0
        self.refuses = False
        """Whether connecting fails, as at the edge of the proxy's range."""
        self.levels = {}
        self.hangs = False
        self.sessions = 0
        self._server = self._writer = None
        self._tasks = set()

    @property
    def held(self):
        return [strap for strap in self.levels if strap.holder is self]

    async def power_on(self):
        self._server = await asyncio.start_server(self._serve, self.host, self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def power_off(self):
        """Stop: accept no more connections and break the present one."""
        self._server.close()
        for strap in self.held:
            strap.let_go()
        if self._writer is not None:
            self._writer.transport.abort()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._server.wait_closed()

    def hang(self):
        """Stop sending and answering, with the connection up."""
        self.hangs = True

    def lose(self, strap):
        """Lose the connection to a strap."""
        strap.let_go()
        self.send(api.BluetoothDeviceConnectionResponse(address=strap.address, connected=False, error=SUPERVISION_TIMEOUT))
        self._tell_slots()

    def send(self, message):
        if self.hangs or self._writer is None or self._writer.is_closing():
            return
        data = message.SerializeToString()
        self._writer.write(b"\0" + varint(len(data)) + varint(NUMBER_OF[type(message)]) + data)

    async def _serve(self, reader, writer):
        self._writer = writer
        self.sessions += 1
        task = asyncio.current_task()
        self._tasks.add(task)
        advertising = None
        try:
            with suppress(asyncio.IncompleteReadError, ConnectionError):
                while await reader.readexactly(1) == b"\0":
                    length, number = await read_varint(reader), await read_varint(reader)
                    message = MESSAGE_TYPE_TO_PROTO[number]()
                    message.ParseFromString(await reader.readexactly(length))
                    if isinstance(message, api.SubscribeBluetoothLEAdvertisementsRequest):
                        advertising = asyncio.create_task(self._advertise())
                    elif isinstance(message, api.DisconnectRequest):
                        self.send(api.DisconnectResponse())
                        break
                    else:
                        self._answer(message)
        finally:
            if advertising is not None:
                advertising.cancel()
            for strap in self.held:
                strap.let_go()
            writer.close()
            self._tasks.discard(task)

    def _answer(self, message):
        if self.hangs:
            return
        match message:
            case api.HelloRequest():
                self.send(api.HelloResponse(api_version_major=1, api_version_minor=12, server_info="fake", name=self.name))
            case api.AuthenticationRequest():
                self.send(api.AuthenticationResponse())
            case api.PingRequest():
                self.send(api.PingResponse())
            case api.DeviceInfoRequest():
                about = {"name": self.name, "mac_address": self.mac, "bluetooth_mac_address": self.mac}
                about |= {"esphome_version": "2026.1.0", "bluetooth_proxy_feature_flags": FEATURES}
                self.send(api.DeviceInfoResponse(**about))
            case api.SubscribeBluetoothConnectionsFreeRequest():
                self._tell_slots()
            case api.BluetoothDeviceRequest():
                self._connect(message)
            case api.BluetoothGATTGetServicesRequest():
                self._services(message.address)
            case api.BluetoothGATTReadRequest():
                data = {BATTERY_HANDLE: b"\x5a", MODEL_HANDLE: b"H10"}[message.handle]
                self.send(api.BluetoothGATTReadResponse(address=message.address, handle=message.handle, data=data))
            case api.BluetoothGATTNotifyRequest():
                self.send(api.BluetoothGATTNotifyResponse(address=message.address, handle=message.handle))
            case api.BluetoothGATTWriteDescriptorRequest():
                self.send(api.BluetoothGATTWriteResponse(address=message.address, handle=message.handle))
                if message.handle == HEART_RATE_HANDLE + 1:
                    self._strap(message.address).subscribed.set()

    def _strap(self, address):
        return next(strap for strap in self.levels if strap.address == address)

    def _connect(self, message):
        strap = self._strap(message.address)
        if message.request_type == api.BLUETOOTH_DEVICE_REQUEST_TYPE_DISCONNECT:
            if strap.holder is self:
                strap.let_go()
            self.send(api.BluetoothDeviceConnectionResponse(address=message.address, connected=False))
        elif strap.holder is None and not self.refuses:
            strap.holder = self
            self.send(api.BluetoothDeviceConnectionResponse(address=message.address, connected=True, mtu=247))
        else:
            self.send(api.BluetoothDeviceConnectionResponse(address=message.address, connected=False, error=0x3E))
        self._tell_slots()

    def _services(self, address):
        parts = [
            (0x180D, 16, characteristic(0x2A37, HEART_RATE_HANDLE, 0x10, notifies=True)),
            (0x180F, 32, characteristic(0x2A19, BATTERY_HANDLE, 0x12, notifies=True)),
            (0x180A, 48, characteristic(0x2A24, MODEL_HANDLE, 0x02)),
        ]
        services = [api.BluetoothGATTService(uuid=whole(u), handle=h, characteristics=[part]) for u, h, part in parts]
        self.send(api.BluetoothGATTGetServicesResponse(address=address, services=services))
        self.send(api.BluetoothGATTGetServicesDoneResponse(address=address))

    def _tell_slots(self):
        held = [strap.address for strap in self.held]
        self.send(api.BluetoothConnectionsFreeResponse(free=self.slots - len(held), limit=self.slots, allocated=held))

    async def _advertise(self):
        while True:
            heard = [
                api.BluetoothLERawAdvertisement(address=strap.address, rssi=level, address_type=1, data=strap.advert)
                for strap, level in self.levels.items()
                if strap.holder is None
            ]
            if heard:
                self.send(api.BluetoothLERawAdvertisementsResponse(advertisements=heard))
            await asyncio.sleep(0.05)


@asynccontextmanager
async def two_proxies():
    """Run two fake proxies, one in each of two rooms, without connections."""
    pair = FakeProxy("proxy-one", "AA:BB:CC:00:00:01", "127.0.0.1"), FakeProxy("proxy-two", "AA:BB:CC:00:00:02", "127.0.0.2")
    for proxy in pair:
        await proxy.power_on()
    try:
        yield pair
    finally:
        for proxy in pair:
            await proxy.power_off()
