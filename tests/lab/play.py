# SPDX-License-Identifier: GPL-2.0-or-later
"""The play: what happens to the WAN, and what must become of each class

  1 start      five tunnels and BGP over all of them; traffic from the start
  2 degrade    isp1: +100 ms and 5 % loss each way
               voice leaves within 3 s, business within 45 s, default stays
  3 cut        isp2, silently, while isp1 is bad: at most 1 s is lost
  4 heal       both; each class is back once within 60 s
  5 one way    one direction of isp2 cut, healed: at most 1.3 s is lost
  6 block      IKE and ESP on all uplinks, the internet stays open, until bgpd
               has dropped what it learned, and 5 s more: nothing leaves in clear

A measurement during which the machine stood still is void and is repeated, at
most twice; the judge counts it.
"""
import time

from flows import Flows
from judge import UPLINKS, Flow, Judge, Tracker
from lab import LabError, NotInTime, Witness
from topology import (BRANCH_HOST, HUB_HOST, HUB_HOST6, HUB_TUNNELS, TUNNELS,
                      VPC_HOST)
from wan import DOWN, UP

EF, AF31, AF11 = 46, 26, 10
NATURAL_S = 180
REPEATS = 2
# An emulated machine: longer waits, less traffic, and we look less often.
SLOW_FACTOR, SLOW_PPS, SLOW_LOOK_S = 12, 10, 1.0
LOOK_S = 0.1
TUNNELS_S, BGP_S, HOME_S = 60, 30, 30
VOICE_S, BUSINESS_S, BACK_S = 3, 45, 60
CUT_S, ONE_WAY_S, CLOUD_S = 1.0, 1.3, 1.0

FLOWS = [
    Flow("voice", "voice", "hub", HUB_HOST, EF, 50, 200, "isp1"),
    Flow("business", "business", "hub", HUB_HOST, AF31, 50, 320, "isp1"),
    Flow("bulk", "bulk", "hub", HUB_HOST, AF11, 50, 440, "isp2"),
    Flow("default", "default", "hub", HUB_HOST, 0, 50, 560, "isp1"),
    Flow("voice-ipv6", "voice", "hub", HUB_HOST6, EF, 25, 680, "isp1"),
    Flow("cloud", "default", "vpc", VPC_HOST, 0, 25, 800, "isp1"),
    Flow("cloud-voice", "voice", "vpc", VPC_HOST, EF, 25, 920, "isp1"),
]
MOVING = ("voice", "business", "voice-ipv6")
CLOUD = ("cloud", "cloud-voice")


class Over(Exception):
    """The verdict stands; the rest of the play need not be seen."""


class Play:
    """Runs the play on a world with sites in it."""

    def __init__(self, world, sites, seconds=NATURAL_S, stop_early=False, show=None,
                 tunnels=len(TUNNELS), names=None, slow=False):
        self.world = world
        self.lab = world.lab
        self.wan = world.wan
        self.sites = sites
        self.stretch = max(1.0, seconds / NATURAL_S)
        self.stop_early = stop_early
        self.show = show
        self.phase = "start"
        self.witness = Witness(self.lab)
        self.flows = Flows(self.lab, ("branch-lan", BRANCH_HOST),
                           [("hub-lan", HUB_HOST), ("hub-lan", HUB_HOST6),
                            ("vpc", VPC_HOST)])
        self.tunnels = tunnels
        self.slow = SLOW_FACTOR if slow else 1
        self.look_s = SLOW_LOOK_S if slow else LOOK_S
        self.known = {f.name: f for f in FLOWS if not names or f.name in names}
        if slow:
            for flow in self.known.values():
                flow.pps = SLOW_PPS
        self.tracker = Tracker(self.wan, list(self.known.values()))
        self.judge = Judge(self.tracker, self.flows, self.witness, times=not slow)
        self.repeats = 0
        self.acts = [self.start, self.degrade, self.cut, self.heal, self.one_way, self.block]
        self.since_ns = self.degrade_ns = self.heal_ns = 0

    # how it is followed

    def now(self):
        return time.monotonic_ns()

    def look(self):
        """Takes in what happened; draws; ends early when that is wanted."""
        self.flows.read()
        self.tracker.read()
        if self.show:
            self.show(self)
        if self.judge.leaks(self.wan):
            self.enough()

    def enough(self):
        if self.stop_early and self.judge.reasons:
            raise Over

    def until(self, what, check, limit):
        """Waits for a condition of the play; False when it did not come.

        The limit is the one of the promise: it is not stretched by a slow
        machine's factor but by what the machine stood still meanwhile.
        """
        began = self.now()
        while True:
            self.look()
            try:
                state = check()
            except (LabError, ValueError, KeyError) as err:
                state = (False, str(err))
            if state[0] if isinstance(state, tuple) else state:
                return True
            late_s = (self.now() - began) / 1e9 - limit * self.slow
            if late_s > 0 and late_s > 2 * self.witness.worst_s(began):
                self.judge.note("not seen", **{what: str(state)[:300]})
                return False
            time.sleep(self.look_s)

    def hold(self, seconds):
        """Time in which nothing changes."""
        end = self.now() + seconds * self.stretch * 1e9
        while self.now() < end:
            self.look()
            time.sleep(min(2.5 * self.look_s, max(0.0, (end - self.now()) / 1e9)))

    def on(self, names, links):
        """True while the flows use these links only, in both directions."""
        now = self.now()
        where = {n: {w: self.tracker.now_on(n, w, now) for w in (UP, DOWN)}
                 for n in names}
        good = all(self.tracker.only_on(n, w, links, now)
                   for n in names for w in (UP, DOWN))
        return (good, where)

    def those(self, *names):
        """Of these flows the ones that this play has."""
        return [n for n in names if n in self.known]

    def at_home(self, names):
        states = [self.on([n], [self.known[n].home]) for n in names]
        return (all(s[0] for s in states), [s[1] for s in states])

    def measured(self, attempt, undo):
        """One measurement, again when the machine voided it; how often again.

        Each time a path comes and goes it has to prove itself for longer, so a
        repeated cut makes the way back longer, too.
        """
        for again in range(REPEATS + 1):
            before = list(self.judge.reasons)
            since, until = attempt()
            if again == REPEATS or not self.judge.void(since, until):
                return again
            self.judge.reasons = before
            undo(2 ** again * BACK_S)
        return REPEATS

    def back_s(self):
        """The time to be back: longer after cuts that had to be repeated."""
        return BACK_S * 2 ** self.repeats

    # the acts

    def run(self):
        """The whole play; the judge has the verdict afterwards."""
        try:
            for act in self.acts:
                self.phase = act.__name__
                act()
                self.enough()
        except Over:
            pass
        self.finish()

    def start(self):
        self.flows.start([f.spec() for f in self.known.values()])
        self.lab.wait_for("the flows leave",
                          lambda: self.flows.sent(next(iter(self.known))) > 0, 10)
        began = self.now()
        up = self.until("all tunnels carry ESP both ways",
                        lambda: (self.tracker.tunnels() >= self.tunnels,
                                 self.tracker.pairs.keys()), TUNNELS_S)
        self.judge.note("start", tunnels=self.tracker.tunnels(),
                        tunnels_s=round((self.now() - began) / 1e9, 2))
        if not up:
            self.judge.fail(f"{self.tracker.tunnels()} of {self.tunnels} tunnels carry "
                            f"ESP both ways after {TUNNELS_S} s")
            self.enough()
        learned = self.until("prefixes by BGP over all tunnels", self.bgp_up, BGP_S)
        sessions = self.sessions()
        good = sum(1 for state, n in sessions.values() if state == "Established" and n)
        self.judge.note("start", bgp=good, bgp_s=round((self.now() - began) / 1e9, 2))
        if not learned:
            self.judge.fail(f"prefixes learned by BGP over {good} of {self.tunnels} "
                            "tunnels")
            self.enough()
        home = self.until("each class on its uplink",
                          lambda: self.at_home(self.known), HOME_S)
        if not home:
            for name, flow in self.known.items():
                if not self.at_home([name])[0]:
                    self.judge.fail(f"{name} does not use {flow.home}, which is good")
            self.enough()
        if getattr(self.sites, "dataplane", "user") != "user":
            self.in_kernel()
        self.since_ns = self.now()
        self.judge.note("start", all_s=round((self.since_ns - began) / 1e9, 2))
        self.hold(20)

    def in_kernel(self):
        """The kernel's own word on tunnels and SAs; nobody else makes ESP."""
        kind = self.sites.dataplane
        for site, tunnels in (("branch", self.tunnels), ("hub", len(HUB_TUNNELS))):
            seen = []
            for link in self.lab.links(site):
                info = link.get("linkinfo", {})
                if link.get("ifalias") and info.get("info_kind") == kind:
                    seen.append(f"{link['ifname']} {link['ifalias']} {kind} "
                                f"{info.get('info_data')}")
            states = self.lab.out(site, "ip", "xfrm", "state", "list", "nokeys")
            count = states.count("proto esp")
            self.judge.note("kernel", **{site: seen, f"{site} ESP states": count})
            if len(seen) != tunnels or count < 2 * tunnels:
                self.judge.fail(f"{site}: {len(seen)} {kind} interfaces and {count} ESP "
                                f"states for {tunnels} tunnels")
        esp = self.lab.run("branch", ["pgrep", "-l", "edge-esp"], check=False).stdout
        if esp:
            self.judge.fail(f"user-space ESP runs: {esp.split()}")

    def sessions(self):
        try:
            return self.sites.frr["branch"].sessions()
        except (LabError, ValueError):
            return {}

    def bgp_up(self):
        sessions = self.sessions()
        good = [p for p, (state, n) in sessions.items() if state == "Established" and n]
        return (len(good) >= self.tunnels, sessions)

    def degrade(self):
        voices = self.those("voice", "voice-ipv6")

        def attempt():
            self.degrade_ns = self.world.degrade("isp1")
            self.until("voice left isp1",
                       lambda: self.on(voices, ("isp2", "lte")),
                       VOICE_S + 1)
            until = self.now()
            for name in voices:
                self.judge.left(name, "isp1", self.degrade_ns, VOICE_S, until)
            return self.degrade_ns, self.degrade_ns + VOICE_S * 10**9

        def undo(limit):
            self.world.heal()
            self.until("all home again", lambda: self.at_home(self.known), limit)

        self.repeats += self.measured(attempt, undo)
        self.enough()
        self.until("business left isp1", lambda: self.on(("business",), ("isp2", "lte")),
                   BUSINESS_S + 1)
        self.judge.left("business", "isp1", self.degrade_ns, BUSINESS_S, self.now())
        self.enough()
        self.hold(12)

    def cut(self):
        names = self.those(*MOVING, "bulk")

        def attempt():
            cut_ns = self.world.cut("isp2")
            if not self.until("all left isp2", lambda: self.on(names, ("lte", "isp1")),
                              5):
                self.judge.fail(f"isp2 was cut and not all of {names} left it")
            self.hold(4)
            until = self.now() - 10**9       # what is under way is not lost
            for name in names:
                self.judge.gap(name, "isp2 cut", CUT_S, cut_ns - 10**9, until)
                self.judge.lost_about(name, "isp2 cut", CUT_S, cut_ns - 10**9, until)
            return cut_ns, cut_ns + 2 * 10**9

        def undo(limit):
            self.world.uncut("isp2")
            self.until("all on isp2 again", lambda: self.on(names, ("isp2",)), limit)

        self.repeats += self.measured(attempt, undo)
        self.enough()
        self.hold(10)

    def heal(self):
        self.heal_ns = self.world.heal()
        names = self.those(*MOVING, "bulk")
        self.until("all home again", lambda: self.at_home(names), self.back_s() + 1)
        self.hold(12)
        self.tracker.read()
        for name in names:
            self.judge.back(name, self.known[name].home, "healing", self.heal_ns,
                            self.now(), self.back_s())
        for name in self.those("default", *CLOUD):
            self.judge.stayed(name, "isp1", self.since_ns, self.now())
        for name in self.those(*CLOUD):
            self.judge.gap(name, "isp1 bad", CLOUD_S, self.since_ns,
                           self.now() - 10**9)
            self.judge.no_more_lost_than(name, self.since_ns, self.now() - 10**9)

    def one_way(self):
        def attempt():
            cut_ns = self.world.cut("isp2", "down")
            if not self.until("bulk left isp2",
                              lambda: self.on(("bulk",), ("lte", "isp1")), 5):
                self.judge.fail("one way of isp2 was cut and bulk did not leave it")
            self.hold(3)
            until = self.now() - 10**9
            self.judge.gap("bulk", "one way of isp2 cut", ONE_WAY_S, cut_ns - 10**9, until)
            self.judge.lost_about("bulk", "one way of isp2 cut", ONE_WAY_S,
                                  cut_ns - 10**9, until)
            return cut_ns, cut_ns + 2 * 10**9

        def undo(limit):
            self.world.uncut("isp2")
            self.until("bulk on isp2 again", lambda: self.on(("bulk",), ("isp2",)),
                       limit)

        self.repeats += self.measured(attempt, undo)
        self.enough()
        healed = self.world.uncut("isp2")
        self.until("bulk on isp2 again", lambda: self.on(("bulk",), ("isp2",)),
                   self.back_s() + 1)
        self.hold(10)
        self.tracker.read()
        self.judge.back("bulk", "isp2", "healing one way", healed, self.now(),
                        self.back_s())
        for name in self.those(*MOVING, "default", *CLOUD):
            self.judge.stayed(name, "isp1", healed, self.now())

    def block(self):
        self.world.block_ike()
        gone = self.until("bgpd dropped what it learned",
                          lambda: not self.learned_in_main(), 45)
        if not gone:
            self.judge.fail("45 s after all tunnels were blocked main still has "
                            "prefixes learned by BGP")
        self.hold(5)
        self.judge.leaks(self.wan)

    def learned_in_main(self):
        """Routes of FRR's in the kernel's main table of the branch."""
        text = self.lab.out("branch", "ip", "route", "show", "table", "main", "proto",
                            "bgp")
        text += self.lab.out("branch", "ip", "-6", "route", "show", "table", "main",
                             "proto", "bgp")
        return text

    def finish(self):
        judge = self.judge
        try:
            self.flows.read()
            judge.leaks(self.wan)
            stats = self.wan.stats()
        except (LabError, OSError, NotInTime) as err:
            judge.fail(f"the lab failed: {err}")
            return
        worst = self.witness.worst_s(self.since_ns)
        judge.note("machine", worst_stall_s=worst, void_measurements=judge.voids,
                   emulator_worst_late_ms=stats["worst_late_us"] / 1000)
        for name in self.known:
            n = self.flows.numbers[name]
            judge.note("flows", **{name: {"sent": len(n.sent), "seen": len(n.seen),
                                          "back": len(n.back)}})
        judge.note("uplinks", **{link: {way: c["packets"] for way, c in ways.items()}
                                 for link, ways in stats["links"].items()
                                 if link in UPLINKS})
