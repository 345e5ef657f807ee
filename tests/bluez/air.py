"""A heart-rate strap on a virtual radio, made with Bumble; the kernel's Bluetooth adapter (vhci) hangs on the same radio.

Each line on standard input is an order, answered with the numbers of all notifications that went out, as JSON: `sent` at
once, `still` in the pause after one, `lose` when the connection has been broken then, as by a strap that goes out of range.
"""

import asyncio
import json
import struct
import sys
import time

from bumble.controller import Controller
from bumble.core import UUID, AdvertisingData
from bumble.device import Device
from bumble.gatt import Characteristic, Service
from bumble.hci import HCI_CONNECTION_TIMEOUT_ERROR, Address, LeFeatureMask
from bumble.host import Host
from bumble.link import LocalLink
from bumble.transport import open_transport
from bumble.transport.common import AsyncPipeSink

NAME, ADDRESS, ADAPTER_ADDRESS = "Bumble HR", "F0:F1:F2:F3:F4:F5", "F6:F7:F8:F9:FA:FB"
HEART_RATE_SERVICE, HEART_RATE = UUID.from_16_bits(0x180D), UUID.from_16_bits(0x2A37)
PERIOD_S = 0.5
ADVERTISE_MS = 100.0


class Radio(LocalLink):
    """Data carries the address that its sender has in the connection: Bumble's own link always takes the random one."""

    def send_acl_data(self, sender_controller, destination_address, transport, data):
        receiver = self.find_le_controller(destination_address)
        connection = sender_controller.le_connections.get(destination_address)
        if receiver is not None and connection is not None:
            asyncio.get_running_loop().call_soon(receiver.on_link_acl_data, connection.self_address, transport, data)


class Strap:
    """Notifies twice a second whoever subscribed: 120 bpm, one RR of 0.5 s, and its own running number as energy."""

    def __init__(self, radio):
        controller = Controller("strap", link=radio)
        self.device = Device(name=NAME, address=Address(ADDRESS), host=Host(controller, AsyncPipeSink(controller)))
        self.heart_rate = Characteristic(HEART_RATE, Characteristic.Properties.NOTIFY, Characteristic.Permissions(0), b"")
        self.sent = []
        self.idle = asyncio.Event()

    async def advertise(self):
        device = self.device
        device.add_service(Service(HEART_RATE_SERVICE, [self.heart_rate]))
        device.add_service(Service(UUID.from_16_bits(0x180F), [readable(0x2A19, b"\x5a")]))
        device.add_service(Service(UUID.from_16_bits(0x180A), [readable(0x2A29, b"Bumble"), readable(0x2A24, b"virtual")]))
        device.advertising_data = bytes(
            AdvertisingData(
                [
                    (AdvertisingData.FLAGS, b"\x06"),
                    (AdvertisingData.COMPLETE_LOCAL_NAME, NAME.encode()),
                    (AdvertisingData.COMPLETE_LIST_OF_16_BIT_SERVICE_CLASS_UUIDS, bytes(HEART_RATE_SERVICE)),
                ]
            )
        )
        device.on(Device.EVENT_CONNECTION, self.note_connection)
        await device.power_on()
        await device.start_advertising(
            auto_restart=True, advertising_interval_min=ADVERTISE_MS, advertising_interval_max=ADVERTISE_MS
        )

    @staticmethod
    def note_connection(connection):
        """Write into the machine's console when a connection comes and goes."""
        sys.stderr.write(f"{time.monotonic():8.2f} strap: connected\n")
        connection.on(
            connection.EVENT_DISCONNECTION,
            lambda why: sys.stderr.write(f"{time.monotonic():8.2f} strap: connection ended, {why}\n"),
        )

    async def beat(self):
        """Send for ever; `idle` is set in the middle of each pause."""
        number = 0
        while True:
            if self.subscribed():
                await self.device.notify_subscribers(self.heart_rate, struct.pack("<BBHH", 0x18, 120, number, 512))
                self.sent.append(number)
                number += 1
            await asyncio.sleep(PERIOD_S * 0.5)
            self.idle.set()
            await asyncio.sleep(PERIOD_S * 0.5)

    def subscribed(self):
        return any(cccds.get(self.heart_rate.handle, b"\0")[0] & 1 for cccds in self.device.gatt_server.subscribers.values())

    async def still(self):
        """Wait until nothing is on its way, for a quarter of a second at least."""
        self.idle.clear()
        await self.idle.wait()

    async def lose(self):
        """Break every connection."""
        for connection in list(self.device.connections.values()):
            await connection.disconnect(HCI_CONNECTION_TIMEOUT_ERROR)


def readable(uuid, value):
    return Characteristic(UUID.from_16_bits(uuid), Characteristic.Properties.READ, Characteristic.READABLE, value)


def answer(value):
    sys.stdout.write(json.dumps(value) + "\n")
    sys.stdout.flush()


async def main():
    radio = Radio()
    transport = await open_transport("vhci")
    adapter = Controller(
        "adapter", host_source=transport.source, host_sink=transport.sink, link=radio, public_address=ADAPTER_ADDRESS
    )
    # as an adapter of Bluetooth 4: for one with these the kernel awaits an event at each connection that Bumble does not send
    adapter.le_features &= ~(LeFeatureMask.LL_PRIVACY | LeFeatureMask.LE_EXTENDED_ADVERTISING)
    strap = Strap(radio)
    await strap.advertise()
    beating = asyncio.create_task(strap.beat())
    orders = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(orders), sys.stdin)
    answer({"address": ADDRESS, "adapter": str(adapter.public_address)})
    while order := (await orders.readline()).decode().strip():
        if order in {"still", "lose"}:
            await strap.still()
        if order == "lose":
            await strap.lose()
        answer(strap.sent)
    beating.cancel()


if __name__ == "__main__":
    asyncio.run(main())
