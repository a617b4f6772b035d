# SPDX-License-Identifier: GPL-2.0-or-later
"""The judge can say fail: what works but does not steer does not pass

    the topology of topology.py; strongSwan and FRR over one tunnel (isp1)
    in edged's place at branch and hub
"""
import json
import os
import subprocess

import pytest
from lab import HERE
from play import Play
from topology import StrongswanSites, World

REFERENCE = ("voice", "business", "default")


def test_the_reference_is_told_from_a_product_that_steers(lab):
    world = World(lab)
    sites = StrongswanSites(world)
    sites.start()
    play = Play(world, sites, stop_early=True, tunnels=1, names=REFERENCE)
    play.run()
    figures = play.judge.figures
    assert figures["start"]["tunnels"] == 1, figures
    assert figures["start"]["bgp"] == 1, figures
    assert figures["leaks"] == 0
    assert play.judge.result == "fail"
    assert play.judge.reasons == [
        f"voice: {way} did not leave isp1 within 3 s of its degradation"
        for way in ("requests", "replies")]


def test_traffic_in_clear_is_the_reason(lab):
    """Nobody guards, no tunnel comes up: the first packet ends the play."""
    world = World(lab)
    play = Play(world, None, stop_early=True, tunnels=1, names=REFERENCE)
    play.run()
    assert len(play.judge.reasons) == 1
    assert play.judge.reasons[0].startswith("packets of inside addresses went out in "
                                            "clear, the first on isp1: 10.42.0.10")


@pytest.mark.parametrize("signame", ["TERM", "KILL"])
def test_a_demo_that_is_ended_leaves_nothing(lab, signame):
    """Processes of the frame end with the demo; --json still prints one object."""
    argv = [os.path.join(HERE, "demo"), "--no-install", "--reference", "--json"]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          text=True) as demo:
        lab.wait_for("an emulator of the demo", lambda: processes("wanem"), 30)
        subprocess.run(["kill", "-" + signame, str(demo.pid)], check=True)
        out, _ = demo.communicate(timeout=30)
    lab.wait_for("everything gone",
                 lambda: (not processes("wanem", "keeper"), processes("wanem")), 10)
    if signame == "TERM":
        assert json.loads(out)["reasons"] == ["interrupted"]
        assert demo.returncode == 1


def processes(*names):
    """Processes with such a program that are not the test's own keeper."""
    found = []
    for pid in os.listdir("/proc"):
        if not pid.isdigit() or pid == str(os.getpid()):
            continue
        try:
            with open(f"/proc/{pid}/cmdline", encoding="utf-8") as f:
                words = f.read().split("\0")
            with open(f"/proc/{pid}/status", encoding="utf-8") as f:
                nested = [line for line in f if line.startswith("NSpid:")]
        except OSError:
            continue
        programs = [os.path.basename(w) for w in words[:2]]
        if any(n in programs for n in names) and len(nested[0].split()) > 2:
            found.append(pid)
    return found
