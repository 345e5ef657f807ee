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
    """Return the reply to a call; None where it is sent later or never."""
    try:
        reply = _answer_object(bluez, call)
    except RefusedError as error:
        return Message.new_error(call, error.name, str(error))
    return None if reply is None else Message.new_method_return(call, reply[0], reply[1])


def _answer_object(bluez: VirtualBlueZ, call: Message) -> Reply | None:
    path, member = call.path or "", call.member or ""
    if member == "GetManagedObjects":
        return "a{oa{sa{sv}}}", [_visible_objects(bluez)]
    if call.interface == _PROPERTIES:
        return _answer_properties(bluez, path, member, call.body)
    if path in bluez.adapters:
        return _answer_adapter(bluez, path, member, call)
    if path in bluez.straps and bluez.straps[path].known:
        return _answer_device(bluez, bluez.straps[path], member, call)
    objects = bluez.straps.get(path.rsplit("/", 2)[0])
    if objects and path in objects.values and objects.resolved:
        return _answer_characteristic(bluez, objects, path, call)
    raise _unknown_method(path, member)


def _visible_objects(bluez: VirtualBlueZ) -> dict[str, Interfaces]:
    return bluez.adapters | {path: interfaces for objects in bluez.straps.values() for path, interfaces in objects.interfaces}


def _answer_properties(bluez: VirtualBlueZ, path: str, member: str, body: list[Any]) -> Reply:
    properties = _visible_objects(bluez).get(path, {}).get(body[0], {})
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
    raise _unknown_method(path, member)


def _answer_adapter(bluez: VirtualBlueZ, path: str, member: str, call: Message) -> Reply:
    discovering, sender = bluez.discovering[path], call.sender or ""
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
        case "SetDiscoveryFilter":
            wanted = call.body[0].get("UUIDs")
            bluez.wanted_services[path] = set(wanted.value) if wanted else set()
        case "RemoveDevice":
            pass
        case _:
            raise _unknown_method(path, member)
    return _DONE


def _answer_device(bluez: VirtualBlueZ, objects: StrapObjects, member: str, call: Message) -> Reply | None:
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
            raise _unknown_method(objects.path, member)
    return _DONE


def _answer_characteristic(bluez: VirtualBlueZ, objects: StrapObjects, path: str, call: Message) -> Reply | None:
    flags, sender = objects.flags(path), call.sender or ""
    # the reply must go out before the first notification
    call_soon = asyncio.get_running_loop().call_soon
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
                call_soon(bluez.indicate, strap, uuid, indication)
        case "WriteValue":
            raise RefusedError("NotPermitted", "Write not permitted")
        case "StartNotify" | "AcquireNotify" if not flags & {"notify", "indicate"}:
            raise RefusedError("NotSupported", "Operation is not supported")
        case "StartNotify":
            objects.subscribers.setdefault(path, set()).add(sender)
            call_soon(objects.update_listening)
        case "StopNotify":
            objects.subscribers.get(path, set()).discard(sender)
            objects.update_listening()
        case "AcquireNotify":
            our_end, client_end = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            our_end.setblocking(False)
            if previous := objects.notify_sockets.pop(path, None):
                previous.close()
            objects.notify_sockets[path] = our_end
            reply = Message.new_method_return(call, "hq", [0, _MTU], unix_fds=[client_end.fileno()])
            bluez.service.send(reply, then=client_end.close)
            call_soon(objects.update_listening)
            return None
        case _:
            raise _unknown_method(path, call.member or "")
    return _DONE


def _unknown_method(path: str, member: str) -> RefusedError:
    return RefusedError(_UNKNOWN_OBJECT, f"{member} at {path} is not known")
