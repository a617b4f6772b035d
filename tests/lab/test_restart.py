# SPDX-License-Identifier: GPL-2.0-or-later
"""Each program may die and come back without taking the traffic along

    the topology of topology.py; a flow over each of the five tunnels, the
    programs of branch and hub killed one after the other, restarted after 1 s

One world serves all tests of this file: each leaves it as it was, or it is made
anew for the next.
"""
import os
import re
import sqlite3
import time

import pytest
from flows import Flows
from kernelview import kernel
from lab import Lab, Witness
from topology import (BRANCH_HOST, CLASSES, HUB_HOST, HUB_HOST6, HUB_TUNNELS, TUNNELS,
                      VPC_HOST, bring_up)
from wan import DOWN, UP, Wan

SPARE = CLASSES + """  spare:
    dscp: CS4
    prefer: [lte, isp2]
"""
EF, AF11, CS4 = 46, 10, 32
FLOWS = [("voice", HUB_HOST, EF, 50, 200), ("voice6", HUB_HOST6, EF, 50, 260),
         ("bulk", HUB_HOST, AF11, 50, 320), ("spare", HUB_HOST, CS4, 50, 440)]
FLOWS += [(f"cloud{i}", VPC_HOST, EF, 25, 500 + 40 * i) for i in range(4)]
FIRST = {"voice": "isp1", "business": "isp1", "bulk": "isp2", "spare": "lte"}
SITES = ["branch", "hub"]
MINUTE_S = 60
FLUSH_S = 3             # a minute is in the database so long after its end

# What edgectl --json says of this moment, not of what is so.
MOMENT = {"since", "state_since", "uptime_s", "down_bps", "up_bps", "delay_ms",
          "delay_p95_ms", "jitter_ms", "loss_pct", "mos", "lost", "sent", "lost_out",
          "lost_back", "reason", "last", "heard", "rekey_in_s", "rekeys", "retransmits",
          "spi_i", "spi_r", "spi_in", "spi_out", "rx_packets", "rx_bytes", "tx_packets",
          "tx_bytes", "rx_replay", "rx_auth", "rx_bad", "tx_dropped", "last_failure",
          "failures", "retry_in_s", "penalty", "broken", "id", "healed",
          "child", "prefixes_received", "prefixes_sent", "started", "store",
          "sentence", "attention", "attention_left_out", "window_sent", "window_lost",
          "judged", "measured", "moved", "failed_at", "failures_total", "rekeys_total",
          "repaired"}


def lasting(value):
    """A JSON value without what changes by itself; lists in a fixed order."""
    if isinstance(value, dict):
        hidden = set(MOMENT)
        if "tunnel" in value and "asn" in value:    # a session, as it was lately
            hidden |= {"state"}
        if "agrees" in value:                       # one prefix of several, any
            hidden |= {"prefix"}
        if value.get("ike") == "down":              # where the other end was last
            hidden |= {"remote", "encap"}
        return {k: lasting(v) for k, v in value.items() if k not in hidden}
    if isinstance(value, list):
        return sorted((lasting(v) for v in value), key=str)
    return value


def differences(before, now, where=""):
    """Where two JSON values differ, a line each."""
    if isinstance(before, dict) and isinstance(now, dict):
        return [d for k in sorted(before.keys() | now.keys())
                for d in differences(before.get(k), now.get(k), f"{where}.{k}")]
    rows = [v for v in (before, now) if isinstance(v, list) and v
            and all(isinstance(r, dict) and "name" in r for r in v)]
    if len(rows) == 2:
        return differences(*({r["name"]: r for r in v} for v in rows), where)
    if isinstance(before, list) and isinstance(now, list):
        return [f"{where} gone: {v}" for v in before if v not in now] + \
               [f"{where} new: {v}" for v in now if v not in before]
    return [] if before == now else [f"{where}: {before} -> {now}"]


def steady_on(row, uplink):
    """A class stays where it is with a peer: on this uplink, with nothing in doubt."""
    verdicts = {p["path"].rsplit("/", 1)[1]: p["verdict"] for p in row["paths"]}
    return (row["state"] == "good" and verdicts.get(uplink) == "chosen"
            and "holding" not in verdicts.values())


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
        self.edged = self.sites.edged
        self.since_s = time.time()
        self.absent = []        # (path at the hub, from, until): without history
        self.tunnels = list(TUNNELS)
        self.wait_quiet()

    def wait_quiet(self):
        self.lab.wait_for("tunnels and BGP", self.settled, 60)
        self.lab.wait_for("every flow gets answers", self.all_flow, 30)
        self.lab.wait_for("every class is steady", self.steady, 70)

    def steady(self):
        """Every class is good on its first choice and holds nothing off, at both ends."""
        unsteady = []
        for site in SITES:
            for c in self.edged[site].json("classes")["classes"]:
                first = FIRST.get(c["name"], "isp1")
                if first == "lte" and "hub/lte" not in self.tunnels:
                    first = "isp2"
                unsteady += [(site, c["name"], row["state"]) for row in c["peers"]
                             if row["peer"] in ("hub", "branch")
                             and not steady_on(row, first)]
        return (not unsteady, unsteady)

    def all_flow(self):
        self.flows.read()
        sent = {n: len(self.flows.numbers[n].sent) for n, *_ in FLOWS}
        back = {n: self.last_back(n) for n, *_ in FLOWS}
        return (all(sent[n] > 25 and sent[n] - back[n] < 15 for n in sent), (sent, back))

    def last_back(self, name):
        return max(self.flows.numbers[name].back, default=-1)

    def told(self, site):
        """What edgectl tells that is to stay, and the files of orders and numbers."""
        edged = self.edged[site]
        said = {c: lasting(edged.json(c))
                for c in ("status", "uplinks", "peers", "paths", "classes", "routes", "ike")}
        for name in ("overrides", "inside", "slots", "applied.yaml"):
            path = os.path.join(edged.state_dir, name)
            if os.path.exists(path):
                with open(path, encoding="utf-8") as f:
                    said[name] = sorted(f.read().splitlines())
        return said

    def holds(self, site):
        # FRR numbers the entries of a list by the order in which they came.
        frr = re.sub(r" seq \d+", "", self.sites.frr[site].vtysh("show running-config"))
        return {"kernel": kernel(self.lab, site), "told": self.told(site),
                "frr": sorted(frr.splitlines())}

    def held(self, site):
        """What it holds, once that no longer changes."""
        return self.lab.wait_still(f"what {site} holds", lambda: self.holds(site), 30)

    def wait_same(self, site, before, limit=70):
        def same():
            diff = differences(before, self.holds(site))
            return (not diff, "\n".join(diff[:20]))

        self.lab.wait_for(f"{site} holds what it held", same, limit)

    def stored(self, site):
        """{table: rows} of the database; "history" is (path, minute)."""
        path = os.path.join(self.edged[site].state_dir, "edged.db")
        db = sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=30)
        try:
            rows = {t: set(db.execute(f"SELECT * FROM {t}"))
                    for t in ("event", "decision", "path", "second", "minute")}
            rows["history"] = set(db.execute(
                "SELECT path.name, minute.id & 4294967295 FROM minute"
                " JOIN second ON second.id = minute.id JOIN path"
                " ON path.id = minute.id >> 32"))
            return rows
        finally:
            db.close()

    def history_due(self, site, killed_s):
        """The (path, minute) that must be kept: all but the last minute."""
        names = TUNNELS if site == "branch" else HUB_TUNNELS
        first = int(self.since_s // MINUTE_S)
        last = int((killed_s - FLUSH_S) // MINUTE_S) - 1
        return {(n, m) for n in names for m in range(first, last + 1)
                if not any(n == name and since // MINUTE_S <= m <= until // MINUTE_S
                           for name, since, until in self.absent)}

    def worst(self, since, until):
        """The longest outage of any flow in a window, and of which."""
        self.flows.read()
        gaps = {(n, w): self.flows.gap_s(n, w, since, until)
                for n, *_ in FLOWS for w in (UP, DOWN)}
        key = max(gaps, key=gaps.get)
        return gaps[key], key

    def kill(self, site, daemon):
        name = self.edged[site].name(daemon)
        starts = self.lab.service(name)["starts"]
        killed = self.lab.kill(name)["ns"]
        self.lab.wait_for(f"{daemon} started again",
                          lambda: self.lab.service(name)["starts"] > starts
                          and self.lab.service(name)["pid"], 10)
        return killed

    def settled(self):
        """The tunnels are up, BGP too, at both ends."""
        to_hub = len([t for t in self.tunnels if t.startswith("hub/")])
        up = self.edged["branch"].tunnels_up(self.tunnels)
        bgp = self.sites.frr["branch"].all_up(len(self.tunnels), to_hub)
        hub = self.sites.frr["hub"].all_up(to_hub, to_hub)
        return (up[0] and bgp[0] and hub[0], (up, bgp, hub))

    def wait_sent_until(self, ns, limit):
        """Until requests were sent, and answered or not, after a moment."""
        def passed():
            self.flows.read()
            return self.flows.numbers["voice"].sent[-1] > ns + 10**9

        self.lab.wait_for("the window to pass", passed, limit)

    def close(self):
        self.lab.close()


class Shared:
    """The one world, for as long as nothing has failed in it."""

    busy = None

    @classmethod
    def close(cls):
        if cls.busy:
            cls.busy.close()
        cls.busy = None


@pytest.fixture(scope="module")
def world_ends():
    yield
    Shared.close()


@pytest.fixture
def busy(request, world_ends):
    failed = request.session.testsfailed
    if not Shared.busy:
        made = Lab()
        try:
            Shared.busy = Busy(made)
        except BaseException:
            made.close()
            raise
    yield Shared.busy
    if request.session.testsfailed > failed:
        Shared.close()


@pytest.fixture
def lab(busy):
    """For the logs of a failed test."""
    return busy.lab


def run_kill(busy, site, daemon, watch_s):
    """Kills, waits until all is as before; the window to look at."""
    busy.wait_quiet()
    before = busy.held(site)
    since = busy.kill(site, daemon)
    busy.lab.wait_for("tunnels and BGP", busy.settled, 60)
    busy.wait_same(site, before)
    until = since + int(watch_s * 1e9)
    busy.wait_sent_until(until, watch_s + 10)
    return since, until


def lost_at_most(busy, limit, since, until):
    stall = busy.witness.worst_s(since, until)
    gap, where = busy.worst(since, until)
    assert gap <= limit + 2 * stall, (gap, where, stall)


@pytest.mark.parametrize("site", SITES)
@pytest.mark.parametrize("daemon", ["edge-zebra", "zebra"])
def test_killed_without_any_loss(busy, lab, site, daemon):
    since, until = run_kill(busy, site, daemon, 8)
    lost_at_most(busy, 0.0, since, until)


@pytest.mark.parametrize("site", SITES)
def test_bgpd_killed_class_tables_lose_nothing(busy, lab, site):
    since, until = run_kill(busy, site, "bgpd", 15)
    lost_at_most(busy, 0.0, since, until)


@pytest.mark.parametrize("site", SITES)
def test_edge_esp_killed_each_tunnel_is_replaced(busy, lab, site):
    """New SAs within 5 s, and no (SPI, sequence number) on the wire twice."""
    edged = busy.edged[site]

    def spis():
        return {r["name"]: (r.get("child") or {}).get("spi_out")
                for r in edged.json("ike")["tunnels"]}

    held = busy.held(site)
    before = spis()
    since = busy.kill(site, "edge-esp")

    def replaced():
        now = spis()
        return (all(now[n] and now[n] != before[n] for n in before), now)

    lab.wait_for("every tunnel has new SAs", replaced, 10)
    until = since + 9 * 10**9
    busy.wait_sent_until(until, 20)
    lost_at_most(busy, 5.0, since, until)
    busy.wait_quiet()
    busy.wait_same(site, held)
    again = Wan.__new__(Wan)
    again.__dict__.update(busy.world.wan.__dict__, offset=0, names=[])
    seen = set()
    for p in again.packets():
        if p.is_esp:
            # the hub's uplink sees again what passed one of the branch's
            key = (p.link == "hub", p.dir, p.spi, p.seq)
            assert key not in seen, f"sent twice: {key} on {p.link}"
            seen.add(key)
    assert len(seen) > 1000
    assert {spi for _, _, spi, _ in seen} >= {int(s, 16) for s in before.values()}


def take_lte_down(busy):
    """The order of an operator that a restart must not forget."""
    busy.edged["branch"].ctl("uplink", "lte", "down")
    busy.tunnels.remove("hub/lte")
    busy.world.wan.packets()
    busy.lab.wait_for("spare without lte", lambda: "lte" not in spare_links(busy), 10)
    busy.lab.wait_for("four tunnels and their sessions", busy.settled, 30)


def edged_killed(busy, site):
    """0 lost while it is dead, at most 0.5 s when it re-establishes; what it wrote
    stays: events, decisions, the history but its last minute."""
    edged = busy.edged[site]
    told = edged.json("events", "--limit", "10000")["events"]
    rows = busy.stored(site)
    killed_s = time.time()
    since, until = run_kill(busy, site, "edged", 12)
    start = since + 10**9       # the keeper waits a second
    lost_at_most(busy, 0.0, since, start)
    lost_at_most(busy, 0.5, start, until)
    now = edged.json("events", "--limit", "10000")["events"]
    assert told and not [e for e in told if e not in now]
    after = busy.stored(site)
    assert rows["decision"] and rows["history"]
    assert {t: rows[t] - after[t] for t in rows if rows[t] - after[t]} == {}
    assert busy.history_due(site, killed_s) - after["history"] == set()


@pytest.mark.parametrize("site", SITES)
def test_edged_killed(busy, lab, site):
    due_s = (int(busy.since_s // MINUTE_S) + 1) * MINUTE_S + FLUSH_S
    lab.wait_for("a minute of history", lambda: time.time() > due_s and
                 busy.stored(site)["history"], MINUTE_S + 10)
    if site == "hub":
        edged_killed(busy, site)
        return
    down_s = time.time()
    take_lte_down(busy)
    try:
        edged_killed(busy, site)
        uplinks = {u["name"]: u for u in busy.edged[site].json("uplinks")["uplinks"]}
        assert uplinks["lte"]["state"] == "stopped", uplinks
    finally:
        busy.edged[site].ctl("uplink", "lte", "up")
        busy.tunnels = list(TUNNELS)
    busy.wait_quiet()
    busy.absent.append(("branch/lte", down_s, time.time()))


def spare_links(busy):
    return {p.link for p in busy.world.wan.packets()
            if p.is_esp and p.bytes in (504, 496)}
