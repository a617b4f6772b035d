# SPDX-License-Identifier: GPL-2.0-or-later
"""Each program may die and come back without taking the traffic along

    the topology of topology.py; a flow over each of the five tunnels, the
    branch's programs killed one after the other, restarted after 1 s
"""
import json
import re

import pytest
from flows import Flows
from lab import Witness
from topology import (BRANCH_HOST, CLASSES, HUB_HOST, HUB_HOST6, TUNNELS, VPC_HOST,
                      bring_up)
from wan import DOWN, UP, Wan

SPARE = CLASSES + """  spare:
    dscp: CS4
    prefer: [lte, isp2]
"""
EF, AF11, CS4 = 46, 10, 32
FLOWS = [("voice", HUB_HOST, EF, 50, 200), ("voice6", HUB_HOST6, EF, 50, 260),
         ("bulk", HUB_HOST, AF11, 50, 320), ("spare", HUB_HOST, CS4, 50, 440)]
FLOWS += [(f"cloud{i}", VPC_HOST, EF, 25, 500 + 40 * i) for i in range(4)]


class Busy:
    """A running world with traffic on all tunnels."""

    def __init__(self, lab):
        self.lab = lab
        self.world, self.sites = bring_up(lab, classes=SPARE)
        self.witness = Witness(lab)
        self.flows = Flows(lab, ("branch-lan", BRANCH_HOST),
                           [("hub-lan", HUB_HOST), ("hub-lan", HUB_HOST6),
                            ("vpc", VPC_HOST)])
        self.flows.start(FLOWS)
        self.branch = self.sites.edged["branch"]
        self.tunnels = list(TUNNELS)
        self.forgotten = []
        lab.wait_for("every flow gets answers", self.all_flow, 30)

    def all_flow(self):
        self.flows.read()
        sent = {n: len(self.flows.numbers[n].sent) for n, *_ in FLOWS}
        back = {n: self.last_back(n) for n, *_ in FLOWS}
        return (all(sent[n] > 25 and sent[n] - back[n] < 15 for n in sent), (sent, back))

    def last_back(self, name):
        return max(self.flows.numbers[name].back, default=-1)

    def kernel(self):
        """What edged owns in the kernel, without what changes by itself."""
        lab = self.lab
        text = lab.out("branch", "ip", "rule") + lab.out("branch", "ip", "-6", "rule")
        for family in ("-4", "-6"):
            text += lab.out("branch", "ip", family, "route", "show", "table", "all")
        text += lab.out("branch", "nft", "-s", "list", "ruleset")
        text += lab.out("branch", "ip", "-o", "addr")
        text = re.sub(r"\bnhid \d+|\bexpires \d+sec|\bpref medium", "", text)
        text = re.sub(r"valid_lft \S+|preferred_lft \S+", "", text)
        text = re.sub(r"# handle \d+", "", text)
        lines = [" ".join(line.split()) for line in text.splitlines()
                 if "dev lo" not in line and "ff00::/8" not in line
                 and not any(f" {a} " in line for a in self.forgotten)]
        return sorted(set(lines)) + sorted(self.groups())

    def groups(self):
        """Next-hop groups by gateway, device and weight: zebra renumbers."""
        hops = json.loads(self.lab.out("branch", "ip", "-j", "nexthop"))
        by_id = {h["id"]: f"{h.get('gateway')} {h.get('dev')}" for h in hops}
        return {"group " + ", ".join(sorted(
            f"{by_id.get(m['id'])} weight {m.get('weight', 1)}" for m in h["group"]))
            for h in hops if "group" in h}

    def worst(self, since, until, names=None):
        """The longest outage of any flow in a window, and of which."""
        self.flows.read()
        gaps = {(n, w): self.flows.gap_s(n, w, since, until)
                for n, *_ in FLOWS if not names or n in names for w in (UP, DOWN)}
        key = max(gaps, key=gaps.get)
        return gaps[key], key

    def kill(self, daemon):
        name = self.branch.name(daemon)
        starts = self.lab.service(name)["starts"]
        killed = self.lab.kill(name)["ns"]
        self.lab.wait_for(f"{daemon} started again",
                          lambda: self.lab.service(name)["starts"] > starts
                          and self.lab.service(name)["pid"], 10)
        return killed

    def settled(self):
        """The tunnels are up, BGP too."""
        up = self.branch.tunnels_up(self.tunnels)
        bgp = self.sites.frr["branch"].all_up(len(self.tunnels))
        return (up[0] and bgp[0], (up, bgp))

    def wait_sent_until(self, ns, limit):
        """Until requests were sent, and answered or not, after a moment."""
        def passed():
            self.flows.read()
            return self.flows.numbers["voice"].sent[-1] > ns + 10**9

        self.lab.wait_for("the window to pass", passed, limit)


@pytest.fixture
def busy(lab):
    return Busy(lab)


def wait_same(busy, before, limit=40):
    def same():
        now = busy.kernel()
        return (now == before, {"gone": sorted(set(before) - set(now))[:12],
                                "new": sorted(set(now) - set(before))[:12]})

    busy.lab.wait_for("the kernel holds what it held", same, limit)


def run_kill(busy, daemon, watch_s):
    """Kills, waits until all is as before, looks at what the flows lost."""
    before = busy.kernel()
    since = busy.kill(daemon)
    busy.lab.wait_for("tunnels and BGP", busy.settled, 60)
    wait_same(busy, before)
    until = since + int(watch_s * 1e9)
    busy.wait_sent_until(until, watch_s + 10)
    return since, until


def lost_at_most(busy, limit, since, until, names=None):
    stall = busy.witness.worst_s(since, until)
    gap, where = busy.worst(since, until, names)
    assert gap <= limit + 2 * stall, (gap, where, stall)


@pytest.mark.parametrize("daemon", ["edge-zebra", "zebra"])
def test_killed_without_any_loss(busy, daemon):
    since, until = run_kill(busy, daemon, 8)
    lost_at_most(busy, 0.0, since, until)


def test_bgpd_killed_class_tables_lose_nothing(busy):
    since, until = run_kill(busy, "bgpd", 15)
    lost_at_most(busy, 0.0, since, until)


def test_edged_killed(busy):
    """0 lost while it is dead, at most 0.5 s when it re-establishes."""
    busy.branch.ctl("uplink", "lte", "down")
    busy.tunnels.remove("hub/lte")
    # its inside addresses, guarded so far, are known to the old process only
    row = [r for r in busy.branch.json("ike")["tunnels"] if r["name"] == "hub/lte"][0]
    busy.forgotten = [row["inside_peer"], row["inside_peer6"]]
    busy.lab.wait_for("spare without lte", lambda: "lte" not in spare_links(busy), 10)
    busy.lab.wait_for("four tunnels and their sessions", busy.settled, 30)
    events = busy.branch.json("events")["events"]
    # what an event says is kept by the store a moment later
    since, until = run_kill(busy, "edged", 12)
    start = since + 10**9       # the keeper waits a second
    lost_at_most(busy, 0.0, since, start)
    lost_at_most(busy, 0.5, start, until)
    now = busy.branch.json("events")["events"]
    kept = [(e["time"], e["kind"], e["subject"]) for e in now]
    assert all((e["time"], e["kind"], e["subject"]) in kept for e in events)
    uplinks = {u["name"]: u for u in busy.branch.json("uplinks")["uplinks"]}
    assert uplinks["lte"]["state"] == "stopped", uplinks


def spare_links(busy):
    return {p.link for p in busy.world.wan.packets()
            if p.is_esp and p.bytes in (504, 496)}


def test_edge_esp_killed_each_tunnel_is_replaced(busy):
    """New SAs within 5 s, and no (SPI, sequence number) on the wire twice."""
    before = {r["name"]: r["child"]["spi_out"] for r in busy.branch.json("ike")["tunnels"]}
    since = busy.kill("edge-esp")

    def replaced():
        rows = {r["name"]: (r.get("child") or {}).get("spi_out")
                for r in busy.branch.json("ike")["tunnels"]}
        return (all(rows[n] and rows[n] != before[n] for n in TUNNELS), rows)

    busy.lab.wait_for("every tunnel has new SAs", replaced, 10)
    until = since + 9 * 10**9
    busy.wait_sent_until(until, 20)
    lost_at_most(busy, 5.0, since, until)
    again = Wan.__new__(Wan)
    again.__dict__.update(busy.world.wan.__dict__, offset=0, names=[])
    seen = set()
    for p in again.packets():
        if p.is_esp and p.link != "hub":
            key = (p.dir, p.spi, p.seq, p.link)
            assert key not in seen, f"sent twice: {key}"
            seen.add(key)
    assert len(seen) > 1000
