"""Processor time of the live engine per second of stream, in the fifth minute and the fifth hour, and its memory."""

import gc
import sys
import time
import types

from restbeat.analysis.live.live_session import LiveSession
from restbeat.analysis.simulation.scenarios import simulate
from restbeat.sensors.model import Contact, Phase
from restbeat.sensors.recordings.recording import HEART_RATE, Packet, PhaseStart

from .table import RUNS, row

WARM_S, TIMED_S = 400, 600


def rows(speed):
    """Measure filter, both windows and time domain with each packet, LF/HF and breathing every 5 s."""
    steady, noisy = hour("none"), hour("noisy")
    grown = [cost_us(steady, 4) / cost_us(steady, 0) for _ in range(RUNS)]
    us, slower = zip(*(speed.around(cost_us, steady) for _ in range(RUNS)), strict=True)
    noisy_us, noisy_slower = zip(*(speed.around(cost_us, noisy) for _ in range(RUNS)), strict=True)
    return [
        row("live", "a second of a stream", us, "µs", slower=slower, at_most=60, digits=1),
        row("live", "with 1.5 % artifacts", noisy_us, "µs", slower=noisy_slower, digits=1),
        row("live", "hour 5 against minute 5", grown, "×", at_most=1.2, digits=2),
        row("live", "state of a stream at 110 bpm", [held_kb(steady, 110)], "kB", at_most=32, digits=1),
    ]


def hour(scenario):
    """Return the packets of a simulated hour."""
    _, events = simulate(scenario, seed=2, minutes=(10, 40, 10))
    return [event for event in events if isinstance(event, Packet) and event.char == HEART_RATE]


def cost_us(packets, hours=0):
    """Return processor µs per second of stream, after some minutes or hours."""
    live = LiveSession()
    live.push(PhaseStart(0.0, Phase.BASELINE))
    for n in range(hours):
        for packet in packets:
            live.push(Packet(3600.0 * n + packet.t, packet.char, packet.payload))
    later = [Packet(3600.0 * hours + packet.t, packet.char, packet.payload) for packet in packets]
    for packet in later[:WARM_S]:
        live.push(packet)
        live.figures(packet.t)
    live.push(PhaseStart(later[WARM_S].t, Phase.MASSAGE))
    timed = later[WARM_S : WARM_S + TIMED_S]
    start = time.process_time()
    for packet in timed:
        live.push(packet)
        live.figures(packet.t)
    return 1e6 * (time.process_time() - start) / (timed[-1].t - timed[0].t)


def held_kb(packets, bpm):
    """Return the memory of a stream at that heart rate: the simulated client's time runs faster."""
    live, beats = LiveSession(), 0
    faster = bpm / 60 / (sum((len(packet.payload) - 2) // 2 for packet in packets) / packets[-1].t)
    for packet in packets:
        t = packet.t / faster
        rr = [round(int.from_bytes(packet.payload[n : n + 2], "little") / faster) for n in range(2, len(packet.payload), 2)]
        payload = packet.payload[:2] + b"".join(x.to_bytes(2, "little") for x in rr)
        live.push(Packet(t, packet.char, payload))
        live.figures(t)
        beats += len(rr)
    return size_of(live) / 1000


def size_of(thing):
    """Return the bytes of an object and of everything that only it refers to."""
    seen, waiting, total = set(), [thing], 0
    while waiting:
        one = waiting.pop()
        if id(one) in seen or isinstance(one, type | types.ModuleType | types.FunctionType | Contact | Phase):
            continue
        seen.add(id(one))
        total += sys.getsizeof(one)
        waiting += gc.get_referents(one)
    return total
