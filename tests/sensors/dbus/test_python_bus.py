"""The D-Bus in Python, by itself."""

import asyncio
import io
import os
import socket

from dbus_fast import Message, MessageType
from dbus_fast._private.unmarshaller import Unmarshaller
from dbus_fast.aio import MessageBus
import pytest

from restbeat.sensors.dbus.blocking_writes import be_patient
from restbeat.sensors.dbus.message_encoding import to_wire
from restbeat.sensors.dbus.python_bus import MiniBus

BUS, PATH = "org.freedesktop.DBus", "/org/freedesktop/DBus"


def ask(member, *body):
    return Message(BUS, PATH, BUS, member, signature="s" * len(body), body=list(body))


async def client(bus):
    connected = await MessageBus(bus_address=bus.address, negotiate_unix_fd=True).connect()
    be_patient(connected)
    return connected


async def hang_up(*clients):
    for one in clients:
        one.disconnect()
        await one.wait_for_disconnect()


@pytest.fixture
def bus(tmp_path):
    return tmp_path / "bus"


def slow_reader(path):
    """A connected program that has asked for every signal, and does not read."""
    reader = socket.socket(socket.AF_UNIX)
    reader.connect(str(path))
    reader.settimeout(5)
    reader.sendall(b"\0AUTH EXTERNAL 30\r\n")
    assert reader.recv(64).startswith(b"OK ")
    reader.sendall(b"BEGIN\r\n")
    for serial, message in enumerate((ask("Hello"), ask("AddMatch", "type='signal'")), 1):
        message.serial = serial
        reader.sendall(to_wire(message))
    return reader


def read_all(reader, signals):
    data = b""
    while data.count(b"Spoken") < signals:
        data += reader.recv(1 << 16)
    stream, read = io.BytesIO(data), []
    while stream.tell() < len(data):
        read.append(Unmarshaller(stream).unmarshall())
    return read


async def test_a_program_that_reads_slowly_gets_everything_and_holds_nobody_up(bus):
    with MiniBus(bus) as mini:
        reader = await asyncio.to_thread(slow_reader, bus)
        speaker = await client(mini)
        text, count = "x" * 1000, 2000
        for number in range(count):
            speaker.send(Message.new_signal("/a", "a.b", "Spoken", "us", [number, text]))
        assert (await asyncio.wait_for(speaker.call(ask("NameHasOwner", "org.bluez")), 5)).body == [False]
        heard = [m for m in await asyncio.to_thread(read_all, reader, count) if m.member == "Spoken"]
        assert [m.body for m in heard] == [[number, text] for number in range(count)]
        assert {m.sender for m in heard} == {speaker.unique_name}
        reader.close()
        await hang_up(speaker)


async def test_calls_reach_the_owner_of_a_name_and_replies_come_back(bus):
    with MiniBus(bus) as mini:
        server, caller = await client(mini), await client(mini)
        server.add_message_handler(
            lambda m: Message.new_method_return(m, "s", [m.body[0].upper()]) if m.member == "Shout" else None
        )
        await server.request_name("org.example")
        reply = await caller.call(Message("org.example", "/", "org.example", "Shout", signature="s", body=["hey"]))
        assert (reply.body, reply.sender) == (["HEY"], server.unique_name)
        missing = await caller.call(Message("org.nobody", "/", "org.nobody", "Shout", signature="s", body=["hey"]))
        assert missing.error_name.endswith("ServiceUnknown")
        unknown = await caller.call(ask("Levitate"))
        assert (unknown.message_type, unknown.error_name.endswith("UnknownMethod")) == (MessageType.ERROR, True)
        await hang_up(server, caller)


async def test_a_descriptor_is_handed_from_one_program_to_another(bus):
    with MiniBus(bus) as mini:
        server, caller = await client(mini), await client(mini)
        reading, writing = os.pipe()
        server.add_message_handler(lambda m: Message.new_method_return(m, "h", [0], [reading]) if m.member == "Pipe" else None)
        await server.request_name("org.example")
        reply = await caller.call(Message("org.example", "/", "org.example", "Pipe"))
        os.close(reading)
        os.write(writing, b"through")
        assert os.read(reply.unix_fds[reply.body[0]], 16) == b"through"
        for fd in (writing, *reply.unix_fds):
            os.close(fd)
        await hang_up(server, caller)


def notes_paths(heard):
    return lambda message: heard.add(message.path) if message.interface == "a.b" else None


async def test_a_match_rule_lets_through_what_it_names(bus):
    rules = {
        "type='signal',path_namespace='/org/bluez'": {"/org/bluez/hci0"},
        "type=signal,member=Other": set(),
        "type=signal,arg0path=/org/bluez/": {"/org/bluez/hci0", "/else"},
        "arg0='/org/bluez/hci0'": {"/org/bluez/hci0"},
        "path='/else',interface='a.b'": {"/else"},
        "type='method_call'": set(),
    }
    for rule, wanted in rules.items():
        with MiniBus(bus) as mini:
            speaker, listener = await client(mini), await client(mini)
            heard = set()
            listener.add_message_handler(notes_paths(heard))
            await listener.call(ask("AddMatch", rule))
            await speaker.send(Message.new_signal("/org/bluez/hci0", "a.b", "Spoken", "s", ["/org/bluez/hci0"]))
            await speaker.send(Message.new_signal("/else", "a.b", "Spoken", "s", ["/org/bluez/x"]))
            await speaker.call(ask("NameHasOwner", "a.b"))
            await listener.call(ask("NameHasOwner", "a.b"))
            assert heard == wanted, rule
            await hang_up(speaker, listener)


async def test_who_leaves_is_told_to_those_who_asked(bus):
    with MiniBus(bus) as mini:
        leaver, stayer = await client(mini), await client(mini)
        left = asyncio.Event()
        stayer.add_message_handler(lambda m: left.set() if m.body[::2] == ["org.example", ""] else None)
        await leaver.request_name("org.example")
        await stayer.call(ask("AddMatch", "member='NameOwnerChanged',arg2=''"))
        await hang_up(leaver)
        await asyncio.wait_for(left.wait(), 5)
        assert (await stayer.call(ask("NameHasOwner", "org.example"))).body == [False]
        await hang_up(stayer)
