"""The method calls that org.bluez answers."""

import asyncio
import socket
from typing import Any

from dbus_fast import Message

from ..dbus.service_connection import Interfaces
from .bluez import VirtualBlueZ
from .bluez_objects import ADAPTER, RefusedError, StrapObjects

_PROPERTIES = "org.freedesktop.DBus.Properties"
_UNKNOWN_OBJECT = "org.freedesktop.DBus.Error.UnknownObject"
_MTU = 247

Reply = tuple[str, list[Any]]
"""Signature and body of a method's reply."""
_DONE: Reply = "", []


def answer(bluez: VirtualBlueZ, call: Message) -> Message | None:
    """The reply to a call; None where it comes later."""
    try:
        reply = _answer(bluez, call)
    except RefusedError as refused:
        return Message.new_error(call, refused.name, str(refused))
    return None if reply is None else Message.new_method_return(call, reply[0], reply[1])


def _answer(bluez: VirtualBlueZ, call: Message) -> Reply | None:
    path, member = call.path or "", call.member or ""
    if member == "GetManagedObjects":
        return "a{oa{sa{sv}}}", [_shown(bluez)]
    if call.interface == _PROPERTIES:
        return _of_properties(bluez, path, member, call.body)
    if path in bluez.adapters:
        return _of_adapter(bluez, path, member, call.sender or "")
    if path in bluez.straps and bluez.straps[path].known:
        return _of_device(bluez, bluez.straps[path], member, call)
    objects = bluez.straps.get(path.rsplit("/", 2)[0])
    if objects and path in objects.values and objects.resolved:
        return _of_characteristic(bluez, objects, path, call)
    raise _unknown(path, member)


def _shown(bluez: VirtualBlueZ) -> dict[str, Interfaces]:
    return bluez.adapters | {path: shown for objects in bluez.straps.values() for path, shown in objects.interfaces}


def _of_properties(bluez: VirtualBlueZ, path: str, member: str, body: list[Any]) -> Reply:
    properties = _shown(bluez).get(path, {}).get(body[0], {})
    match member:
        case "GetAll":
            return "a{sv}", [properties]
        case "Get" if body[1] in properties:
            return "v", [properties[body[1]]]
        case "Set" if body[1] == "Powered" and path in bluez.adapters:
            bluez.power(path.rsplit("/", 1)[1], on=bool(body[2].value))
            return _DONE
        case "Set":
            return _DONE
    raise _unknown(path, member)


def _of_adapter(bluez: VirtualBlueZ, path: str, member: str, sender: str) -> Reply:
    discovering = bluez.discovering[path]
    match member:
        case "StartDiscovery" if not bluez.adapters[path][ADAPTER]["Powered"].value:
            raise RefusedError("NotReady", "Resource Not Ready")
        case "StartDiscovery" if sender in discovering:
            raise RefusedError("InProgress", "Operation already in progress")
        case "StartDiscovery":
            discovering.add(sender)
        case "StopDiscovery" if sender not in discovering:
            raise RefusedError("Failed", "No discovery started")
        case "StopDiscovery":
            discovering.discard(sender)
        case "SetDiscoveryFilter" | "RemoveDevice":
            pass
        case _:
            raise _unknown(path, member)
    return _DONE


def _of_device(bluez: VirtualBlueZ, objects: StrapObjects, member: str, call: Message) -> Reply | None:
    match member:
        case "Connect" if bluez.is_connecting(objects):
            raise RefusedError("InProgress", "Operation already in progress")
        case "Connect" if not objects.connected:
            bluez.connect(objects, call)
            return None
        case "Disconnect":
            bluez.disconnect(objects)
        case "Connect" | "Pair" | "CancelPairing":
            pass
        case _:
            raise _unknown(objects.path, member)
    return _DONE


def _of_characteristic(bluez: VirtualBlueZ, objects: StrapObjects, path: str, call: Message) -> Reply | None:
    flags, sender = objects.flags(path), call.sender or ""
    # the reply goes out before the first notification may
    soon = asyncio.get_running_loop().call_soon
    match call.member:
        case "ReadValue" if objects.strap.reads_hang:
            return None
        case "ReadValue" if "read" in flags:
            return "ay", [objects.values[path]]
        case "ReadValue":
            raise RefusedError("NotPermitted", "Read not permitted")
        case "WriteValue" if "write" in flags:
            uuid, strap = objects.uuid(path), objects.strap
            try:
                indication = strap.answer(uuid, bytes(call.body[0]))
            except PermissionError as forbidden:
                raise RefusedError("NotPermitted", str(forbidden)) from forbidden
            if indication is not None:
                soon(bluez.indicate, strap, uuid, indication)
        case "WriteValue":
            raise RefusedError("NotPermitted", "Write not permitted")
        case "StartNotify" | "AcquireNotify" if not flags & {"notify", "indicate"}:
            raise RefusedError("NotSupported", "Operation is not supported")
        case "StartNotify":
            objects.subscribers.setdefault(path, set()).add(sender)
            soon(objects.note_listeners)
        case "StopNotify":
            objects.subscribers.get(path, set()).discard(sender)
            objects.note_listeners()
        case "AcquireNotify":
            mine, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            mine.setblocking(False)
            if old := objects.pipes.pop(path, None):
                old.close()
            objects.pipes[path] = mine
            reply = Message.new_method_return(call, "hq", [0, _MTU], unix_fds=[theirs.fileno()])
            bluez.seat.send(reply, then=theirs.close)
            soon(objects.note_listeners)
            return None
        case _:
            raise _unknown(path, call.member or "")
    return _DONE


def _unknown(path: str, member: str) -> RefusedError:
    return RefusedError(_UNKNOWN_OBJECT, f"{member} at {path} is not known")
