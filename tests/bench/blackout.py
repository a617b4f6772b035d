# SPDX-License-Identifier: GPL-2.0-or-later
"""Silent cut to traffic on another path: edged, and FRR with BFD 3 x 300 ms

The topology of topology.py, and beside it the rival: two more sites on uplinks
of the same delays, VXLAN in place of IPsec, bgpd + bfdd. isp2 is cut, the rival's
with ours, while traffic that could use lte is on it; both directions are measured.
Then it heals and traffic returns (our hold time is short, or each repetition would
take a minute). A path that falls again and again is no longer taken back, and
should not be: after a few cuts everything is built anew. Stalls of the machine
void a cut, which is repeated.

With --readers every other round has edge-webui at the branch with so many readers of
live events, a fifth of which never read, and a tenth of which vanishes.
"""
import argparse
import json
import os
import shutil
import statistics
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(
    os.path.abspath(__file__))), "lab"))
from daemons import Frr                                             # noqa: E402
from flows import Flows                                             # noqa: E402
from judge import VOID_S, Flow, Tracker                             # noqa: E402
from lab import PYTHON, Lab, Witness, data_dir, program              # noqa: E402
from topology import (BRANCH_HOST, HUB_HOST, UPLINKS, ZEBRA,        # noqa: E402
                      bring_up)
from wan import DOWN, UP, Wan                                       # noqa: E402

LIMIT_S = 1.0
LIMIT_RATIO = 1.2
WEB_PORT = 8080
WEB = f'web: {{listen: "127.0.0.1:{WEB_PORT}"}}\n'
CROWD = os.path.join(os.path.dirname(os.path.abspath(__file__)), "crowd.py")
CUTS_A_ROUND = 4
PPS = 100
ALTERNATE = """
classes:
  bulk:
    dscp: AF11
    prefer: [isp2, lte]
    last-resort: isp1
"""
QUICK = "steering: {hold: 1s, hold-max: 1s}\n"
RIVAL_BGP = """
router bgp {asn}
 bgp router-id {router_id}
 no bgp ebgp-requires-policy
 timers bgp 3 9
 neighbor 169.254.2.{peer} remote-as {peer_asn}
 neighbor 169.254.2.{peer} bfd 3 300 300
 neighbor 169.254.2.{peer} timers connect 1
 neighbor 169.254.3.{peer} remote-as {peer_asn}
 neighbor 169.254.3.{peer} bfd 3 300 300
 neighbor 169.254.3.{peer} timers connect 1
 address-family ipv4 unicast
  network 10.{site}.1.0/24
  network 10.{site}.2.0/24
  neighbor 169.254.2.{peer} route-map ISP2 in
  neighbor 169.254.3.{peer} route-map LTE in
 exit-address-family
exit
ip prefix-list ONE seq 5 permit 10.{far}.1.0/24
ip prefix-list TWO seq 5 permit 10.{far}.2.0/24
route-map ISP2 permit 10
 match ip address prefix-list ONE
 set weight 200
route-map ISP2 permit 20
 set weight 100
route-map LTE permit 10
 match ip address prefix-list TWO
 set weight 200
route-map LTE permit 20
 set weight 100
"""


class Rival:
    """FRR with BFD: prefix 1 prefers isp2, prefix 2 prefers lte."""

    def __init__(self, lab):
        self.lab = lab
        lab.namespace("r-wan", "r-near-lan", "r-far-lan")
        lab.namespace("r-near", "r-far", forward=True)
        links = {}
        for i, link in ((2, "isp2"), (3, "lte")):
            lab.veth("r-near", link, "r-wan", link + "c")
            lab.veth("r-far", link, "r-wan", link + "n")
            links[link] = (link + "c", link + "n")
            for site, own, other in (("r-near", 1, 2), ("r-far", 2, 1)):
                lab.ip(site, f"addr add 198.19.{i}.{own}/24 dev {link}",
                       f"link add t{link} type vxlan id {i} local 198.19.{i}.{own} "
                       f"remote 198.19.{i}.{other} dstport 4790 dev {link}",
                       f"addr add 169.254.{i}.{own}/30 dev t{link}",
                       f"link set t{link} mtu 1400 up")
        for site, net, far in (("r-near", 8, 9), ("r-far", 9, 8)):
            for i in (1, 2):
                lab.veth(site, f"lan{i}", site + "-lan", f"eth{i}")
                lab.ip(site, f"addr add 10.{net}.{i}.1/24 dev lan{i}")
                lab.ip(site + "-lan", f"addr add 10.{net}.{i}.10/24 dev eth{i}",
                       f"route add 10.{far}.{i}.0/24 via 10.{net}.{i}.1")
        self.wan = Wan(lab, "r-wan", links, name="rival-wanem")
        self.frr = []
        for site, own, asn, peer_asn, net, far in (
                ("r-near", 1, 65101, 65102, 8, 9), ("r-far", 2, 65102, 65101, 9, 8)):
            text = RIVAL_BGP.format(asn=asn, peer_asn=peer_asn, peer=3 - own, site=net,
                                    far=far, router_id=f"198.19.0.{own}")
            frr = Frr(lab, site, ZEBRA % site, text, bfdd="")
            frr.start()
            self.frr.append(frr)

    def ready(self):
        """Both sessions up at both ends, and BFD too."""
        for frr in self.frr:
            up, state = frr.all_up(2, prefixes=2)
            peers = json.loads(frr.vtysh("show bfd peers json") or "[]")
            good = [p for p in peers if p["status"] == "up"]
            if not up or len(good) < 2:
                return (False, (state, peers))
        return (True, None)


class Bench:
    """Cuts in turn; gaps of both."""

    def __init__(self, lab, out, gaps, readers=0):
        self.lab = lab
        self.out = out
        self.world, self.sites = bring_up(lab, classes=ALTERNATE, branch_more=QUICK + WEB,
                                          hub_more=QUICK)
        if readers:
            self.start_readers(readers)
        self.rival = Rival(lab)
        for link in ("isp2", "lte"):
            self.rival.wan.set(link, delay=UPLINKS[link])
        lab.wait_for("the rival's sessions", self.rival.ready, 60)
        self.witness = Witness(lab)
        self.flow = Flow("bulk", "bulk", "hub", HUB_HOST, 10, PPS, 440, "isp2")
        self.flows = Flows(lab, ("branch-lan", BRANCH_HOST), [("hub-lan", HUB_HOST)])
        self.flows.start([self.flow.spec()])
        self.theirs = Flows(lab, ("r-near-lan", ""), [("r-far-lan", "10.9.1.10")],
                            name="rival")
        self.theirs.start([("bulk", "10.9.1.10", 10, PPS, 440)])
        self.tracker = Tracker(self.world.wan, [self.flow])
        self.gaps = gaps
        self.voids = 0

    def start_readers(self, n):
        """edge-webui at the branch, and its readers."""
        edged = self.sites.edged["branch"]
        state = os.path.join(self.lab.dir, "web")
        os.mkdir(state)
        shutil.chown(state, "edged-web", "edged-web")
        self.lab.start("edge-webui", "branch",
                       [program("edge-webui"), "--config", edged.config, "--run",
                        edged.run_dir, "--state", state, "--socket", state + "/webui.sock",
                        "--data", data_dir()],
                       user="edged-web", groups=["edged-web", "edged"])
        self.lab.wait_ready("edge-webui")
        self.lab.start("crowd", "branch",
                       [PYTHON, CROWD, "127.0.0.1", str(WEB_PORT), "--readers",
                        str(n - n // 5 - n // 10), "--deaf", str(n // 5), "--vanish",
                        str(n // 10)])
        self.lab.wait_for("the readers read", lambda: b"messages" in open(
            self.lab.service("crowd")["log"], "rb").read(), 30)

    def on(self, link):
        self.tracker.read()
        return all(self.tracker.only_on("bulk", w, (link,), self.now())
                   for w in (UP, DOWN))

    def healthy(self):
        """All paths up at both ends, the rival's sessions too."""
        for site in ("branch", "hub"):
            states = {n: p["state"] for n, p in self.sites.edged[site].paths().items()}
            if not states or any(s != "up" for s in states.values()):
                return (False, (site, states))
        return self.rival.ready()

    def answered(self, since):
        """Both flows have answers to requests sent after a moment."""
        late = []
        for f in (self.flows, self.theirs):
            f.read()
            n = f.numbers["bulk"]
            if not n.back or n.sent[max(n.back)] < since:
                late.append(f.name)
        return (not late, late)

    def now(self):
        return time.monotonic_ns()

    def cut(self):
        """One cut; False when the machine voided it."""
        self.lab.wait_for("all well, traffic on isp2",
                          lambda: self.healthy() if self.on("isp2") else (False, "away"),
                          90)
        start = self.now()
        self.lab.wait_for("answers", lambda: self.answered(start), 30)
        self.rival.wan.set("isp2", cut=1)
        since = self.world.wan.set("isp2", cut=1)
        self.lab.wait_for("traffic on lte", lambda: self.on("lte"), 15)
        # one second of answers: a gap that begins again would be seen
        self.lab.wait_for("answers by lte", lambda: self.answered(since), 20)
        end = self.now()
        self.lab.wait_for("more of them", lambda: self.answered(end), 20)
        until = min(f.numbers["bulk"].sent[max(f.numbers["bulk"].back)]
                    for f in (self.flows, self.theirs))
        stall = self.witness.worst_s(since, until)
        gaps = [(who, way, f.gap_s("bulk", way, since - 10**9, until))
                for who, f in (("edged", self.flows), ("bfd", self.theirs))
                for way in (UP, DOWN)]
        self.rival.wan.set("isp2", cut=0)
        self.world.wan.set("isp2", cut=0)
        if stall > VOID_S:
            self.voids += 1
            return False
        for who, way, gap in gaps:
            self.gaps[who][way].append(gap)
        self.out.write(", ".join(
            f"{who} {'requests' if way == UP else 'replies'} {gap:.2f} s"
            for who, way, gap in gaps) + "\n")
        self.out.flush()
        return True

    def run(self, cuts):
        """So many cuts, void or not."""
        for _ in range(cuts):
            self.cut()


def figures_of(gaps, voids):
    """Median, 95th percentile and maximum of each."""
    result = {}
    for who, ways in gaps.items():
        for way, word in ((UP, "requests"), (DOWN, "replies")):
            row = sorted(ways[way])
            result[f"{who} {word}"] = {
                "n": len(row), "median_s": round(statistics.median(row), 3),
                "p95_s": round(row[max(0, -(-95 * len(row) // 100) - 1)], 3),
                "max_s": round(row[-1], 3)}
    result["void"] = voids
    return result


def main():
    parser = argparse.ArgumentParser(prog="tests/bench/blackout")
    parser.add_argument("--cuts", type=int, default=50)
    parser.add_argument("--readers", type=int, default=0)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    out = sys.stderr if options.json else sys.stdout
    crowds = (0, options.readers) if options.readers else (0,)
    gaps = {n: {"edged": {UP: [], DOWN: []}, "bfd": {UP: [], DOWN: []}} for n in crowds}
    voids = dict.fromkeys(crowds, 0)
    while True:
        # those with the fewest cuts come next: rounds take turns
        n = min(crowds, key=lambda c: len(gaps[c]["edged"][UP]))
        left = options.cuts - len(gaps[n]["edged"][UP])
        if left <= 0 or voids[n] >= options.cuts:
            break
        lab = Lab()
        try:
            bench = Bench(lab, out, gaps[n], n)
            bench.run(min(CUTS_A_ROUND, left))
            voids[n] += bench.voids
        finally:
            lab.close()
    figures = {n: figures_of(gaps[n], voids[n]) for n in crowds}
    good = all(figures[n][f"edged {w}"]["p95_s"] <= LIMIT_S for n in crowds
               for w in ("requests", "replies"))
    for n in crowds:
        for name, row in figures[n].items():
            out.write(f"{f'{n} readers, ' if n else ''}{name}: {row}\n")
    result = {"limit_p95_s": LIMIT_S, "figures": figures[0]}
    if options.readers:
        ratio = ratio_of(gaps, crowds)
        good = good and ratio <= LIMIT_RATIO
        out.write(f"median with {options.readers} readers to median without: {ratio}\n")
        result.update(readers=options.readers, ratio=ratio,
                      figures_with_readers=figures[options.readers])
    if options.json:
        print(json.dumps({"result": "pass" if good else "fail", **result}))
    return 0 if good else 1


def ratio_of(gaps, crowds):
    """Median of edged's gaps, both directions, with readers to without."""
    without, with_ = (statistics.median(gaps[n]["edged"][UP] + gaps[n]["edged"][DOWN])
                      for n in crowds)
    return round(with_ / without, 3)


if __name__ == "__main__":
    sys.exit(main())
