# SPDX-License-Identifier: GPL-2.0-or-later
"""edged's figures against the emulator's log, never against the setting

    the topology of topology.py, idle; judged is aws/a/isp1, which is probed by
    ICMP from our end only: its probes are known by far end and wire length
"""
import statistics
import time

from lab import Lateness
from topology import CLOUDS, bring_up
from wan import DOWN, UP

PATH = "aws/a/isp1"
FAR = CLOUDS["a"][0]
WINDOW_S = 30
ANSWER_NS = 80_000_000   # what the WAN let through has its answer by then
MACHINE_LATE_MS = 0.2    # a quiet one: 0.14, with three busy loops 0.24
# Without a promise nothing is measured with a DSCP of its own.
PLAIN = """
classes:
  bulk:
    dscp: AF11
    prefer: [isp2, lte]
    last-resort: isp1
"""


def probes(wan):
    """All of the path's probes so far, requests and answers."""
    wan.history = getattr(wan, "history", []) + [
        p for p in wan.packets()
        if p.link == "isp1" and p.is_esp and FAR in (p.src, p.dst)]
    lengths = [p.bytes for p in wan.history]
    usual = max(set(lengths), key=lengths.count)
    return [p for p in wan.history if p.bytes == usual]


def trips(packets):
    """Round trips as (request, answer or None); lost is what has none."""
    answers = sorted((p for p in packets if p.dir == DOWN), key=lambda p: p.in_ns)
    found = []
    for request in sorted((p for p in packets if p.dir == UP), key=lambda p: p.in_ns):
        answer = None
        while request.out_ns and answers and answers[0].in_ns < request.out_ns:
            answers.pop(0)
        if request.out_ns and answers and answers[0].in_ns - request.out_ns < ANSWER_NS:
            answer = answers.pop(0)
        found.append((request, answer if answer and answer.out_ns else None))
    return found


def test_lost_and_sent_equal_the_log(lab):
    world, sites = bring_up(lab, classes=PLAIN)
    branch = sites.edged["branch"]
    world.wan.set("isp1", loss=4)
    lab.wait_for("enough lost", lambda: (
        sum(a is None for _, a in trips(probes(world.wan))) >= 12,
        len(world.wan.history)), 90)
    world.wan.set("isp1", loss=0)
    healed = probes(world.wan)[-1].in_ns
    # what is under way is answered or given up before both are read
    lab.wait_for("three quiet seconds",
                 lambda: probes(world.wan)[-1].in_ns > healed + 3 * 10**9, 20)
    earlier = len(trips(probes(world.wan)))
    path = branch.paths()[PATH]
    seen = trips(probes(world.wan))
    assert earlier - 1 <= path["sent"] <= len(seen) + 1, (path, earlier, len(seen))
    lost = sum(answer is None for _, answer in seen[:-1])
    assert abs(path["lost"] - lost) <= 1, (path, lost)


def a_window(lab, wan, branch):
    """A window that begins now: the path as edged has it, the round trips that the
    emulator made of it, and how late this machine was meanwhile."""
    since = time.monotonic_ns()
    lateness = Lateness()
    lateness.start()
    lab.wait_for("a window of it", lambda: (
        probes(wan)[-1].in_ns > since + (WINDOW_S + 4) * 10**9,
        len(wan.history)), WINDOW_S + 30)
    path = branch.paths()[PATH]
    late_ms = lateness.stop()
    seen = [t for t in trips(probes(wan)) if t[1]]
    recent = seen[-1][0].in_ns - WINDOW_S * 10**9
    return path, [(a.out_ns - r.in_ns) / 1e6 for r, a in seen if r.in_ns > recent], late_ms


def test_delay_and_jitter_equal_the_log(lab):
    world, sites = bring_up(lab, classes=PLAIN)
    world.wan.set("isp1", jitter=6)
    for _ in range(3):
        path, delays, late_ms = a_window(lab, world.wan, sites.edged["branch"])
        off_ms = path["delay_ms"] - statistics.median(delays)
        print(f"delay off by {off_ms:.3f} ms, wakes late by {late_ms:.3f} ms")
        if late_ms <= MACHINE_LATE_MS:
            break    # else void: other work delays every packet of this machine
    assert len(delays) > 200
    assert abs(off_ms) <= 0.5, (path, late_ms)
    own = statistics.mean(abs(a - b) for a, b in zip(delays, delays[1:]))
    assert own >= 3
    assert abs(path["jitter_ms"] - own) <= 0.15 * own, (path, own)
