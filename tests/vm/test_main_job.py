# SPDX-License-Identifier: GPL-2.0-or-later
"""The main job over the kernel's ESP: tests/lab's play, and programs that die

    the topology of tests/lab/topology.py, xfrm interfaces at branch, hub and
    clouds; the play of tests/lab/play.py, before whose last act each program of
    the branch is killed in turn and restarted after 1 s

Order and counts: who moved, where to, how often, what was lost. How long things
take is proven in tests/lab.
"""
import json
import os

import pytest

from demo import Table
from kernelview import kernel, states
from play import Play
from topology import TUNNELS, EdgedSites, World
from wan import DOWN, UP

# What an emulated machine is asked for: every packet costs it a millisecond of this
# one's time, so there are fewer probes and a flow less than on the host.
PROBES = "probe: {interval: 250ms}\n"
NAMES = ("voice", "business", "bulk", "default", "voice-ipv6", "cloud")
AFTER_S = 3              # watched after all is as before
# edged alone has to find its tunnels again: half a second of a flow's packets.
MAY_LOSE = {"edge-zebra": 0, "zebra": 0, "bgpd": 0, "edged": 5}


class Kills:
    """One act of the play: the programs of the branch die one after the other."""

    __name__ = "kills"

    def __init__(self, play, sites):
        self.play = play
        self.sites = sites
        self.lab = play.lab

    def __call__(self):
        for daemon, may_lose in MAY_LOSE.items():
            before = self.lab.wait_still("what the branch's kernel holds", self.seen, 40)
            since = self.kill("branch-" + daemon)
            self.lab.wait_for(f"tunnels and BGP after {daemon}", self.settled, 60)
            self.lab.wait_for(f"all as it was before {daemon} died",
                              lambda b=before, d=daemon: self.same(b, d), 40)
            self.play.hold(AFTER_S + 1)
            self.count(daemon, may_lose, since, self.play.now() - 10**9)

    def kill(self, name):
        starts = self.lab.service(name)["starts"]
        since = self.lab.kill(name)["ns"]
        self.lab.wait_for(f"{name} started again",
                          lambda: self.lab.service(name)["starts"] > starts
                          and self.lab.service(name)["pid"], 10)
        return since

    def settled(self):
        up, bgp = self.sites.tunnels_up(), self.sites.bgp_up()
        return (up[0] and bgp[0], (up, bgp))

    def seen(self):
        return {"kernel": kernel(self.lab, "branch"), "SAs": states(self.lab, "branch")}

    def same(self, before, daemon):
        now = self.seen()
        if daemon == "edged":    # may replace SAs when it finds its tunnels again
            now["SAs"] = before["SAs"]
        return (now == before,
                {k: (sorted(set(v) - set(now[k]))[:8], sorted(set(now[k]) - set(v))[:8])
                 for k, v in before.items() if v != now[k]})

    def count(self, daemon, may_lose, since, until):
        """since to until: what was sent has arrived; until leaves time to arrive."""
        judge = self.play.judge
        for name in self.play.known:
            for way, word in ((UP, "requests"), (DOWN, "replies")):
                lost = len(self.play.flows.lost(name, way, since, until))
                judge.note(f"{daemon} killed", **{f"{name} {word} lost": lost})
                if lost > may_lose:
                    judge.fail(f"{daemon} was killed: {lost} {word} of {name} were lost, "
                               f"allowed are {may_lose}")


@pytest.fixture(name="sites")
def make_sites(lab):
    world = World(lab, kernel_esp=True)
    world.start_clouds()
    sites = EdgedSites(world, "xfrm", branch_more=PROBES, hub_more=PROBES)
    sites.start()
    return sites


def test_main_job_over_the_kernels_esp(lab, sites):
    where = os.environ.get("EDGED_MAIN_JOB", os.path.join(lab.dir, "main-job"))
    with open(where + ".log", "w", encoding="utf-8") as log:
        play = Play(sites.world, sites, show=Table(log).show, names=NAMES, slow=True)
        play.acts.insert(-1, Kills(play, sites))
        play.run()
    figures = play.judge.figures
    with open(where + ".json", "w", encoding="utf-8") as f:
        json.dump({"reasons": play.judge.reasons, "figures": figures}, f, indent=1)
    assert play.judge.reasons == [], figures
    assert figures["start"]["tunnels"] == len(TUNNELS)
    assert figures["start"]["bgp"] == len(TUNNELS)
    assert figures["leaks"] == 0
