# SPDX-License-Identifier: GPL-2.0-or-later
"""edge-zebra against real zebra and bgpd, orders from a fake edged

    site  ed0000 100.96.0.1 ======= 100.96.0.0 t0  hub -- lan 10.1.0.0/24
          ed0001 100.96.0.3 ======= 100.96.0.2 t1

Cables stand for tunnels: the local inside address is a /32, the peer's /32 a
route that edged would have written. The hub announces what it should, and a
lot that it should not.
"""
import copy
import json
import os
import shutil
import subprocess

import pytest

from daemons import Frr
from fakecontrol import FakeControl
from lab import Witness, program

HUB_BGPD = """
router bgp 65000
 bgp router-id 10.1.0.1
 no bgp ebgp-requires-policy
 no bgp network import-check
 bgp graceful-restart
 bgp graceful-restart restart-time 20
 neighbor 100.96.0.1 remote-as 65042
 neighbor 100.96.0.1 timers 3 9
 neighbor 100.96.0.1 timers connect 1
 neighbor 100.96.0.1 disable-connected-check
 neighbor 100.96.0.1 update-source 100.96.0.0
 neighbor 100.96.0.3 remote-as 65042
 neighbor 100.96.0.3 timers 3 9
 neighbor 100.96.0.3 timers connect 1
 neighbor 100.96.0.3 disable-connected-check
 neighbor 100.96.0.3 update-source 100.96.0.2
 neighbor fd96::1 remote-as 65042
 neighbor fd96::1 timers 3 9
 neighbor fd96::1 timers connect 1
 neighbor fd96::1 disable-connected-check
 neighbor fd96::1 update-source fd96::
 address-family ipv4 unicast
  network 10.1.0.0/24
  network 10.42.0.0/24
  network 10.42.0.128/25
  network 0.0.0.0/0
  network 100.96.0.0/16
  network 203.0.113.1/32
  network 192.168.77.0/24
  network 8.8.8.0/24
  no neighbor fd96::1 activate
  maximum-paths 8
 exit-address-family
 address-family ipv6 unicast
  network fd01::/48
  network fd42::/48
  network ::/0
  neighbor fd96::1 activate
 exit-address-family
exit
"""

CLASSES = [{"name": "voice", "table": 1001}, {"name": "default", "table": 1002}]


def tunnel(n):
    return {"name": f"hub/isp{n + 1}", "ifname": f"ed000{n}",
            "local": f"100.96.0.{2 * n + 1}", "peer": f"100.96.0.{2 * n}",
            "local6": f"fd96::{2 * n + 1:x}", "peer6": f"fd96::{2 * n:x}"}


def members(*numbers, weight=1):
    return [{"tunnel": f"hub/isp{n + 1}", "weight": weight} for n in numbers]


def hub(voice=(0,), default=(0, 1), networks=()):
    return {"name": "hub", "networks": list(networks),
            "tunnels": [tunnel(0), tunnel(1)],
            "classes": [{"name": "voice", "members": members(*voice)},
                        {"name": "default", "members": members(*default)}]}


class Site:
    def __init__(self, lab):
        self.lab = lab
        lab.namespace("site", "hub", "lan", "hub-lan", forward=True)
        for n in (0, 1):
            lab.veth("site", f"ed000{n}", "hub", f"t{n}")
            lab.ip("hub", f"addr add 100.96.0.{2 * n}/32 dev t{n}",
                   f"addr add fd96::{2 * n:x}/128 dev t{n}",
                   f"route add 100.96.0.{2 * n + 1}/32 dev t{n}",
                   f"route add fd96::{2 * n + 1:x}/128 dev t{n}")
            lab.ip("site", f"addr add 100.96.0.{2 * n + 1}/32 dev ed000{n}",
                   f"addr add fd96::{2 * n + 1:x}/128 dev ed000{n}")
        self.inside_routes()
        lab.veth("site", "lan", "lan", "eth0")
        lab.veth("hub", "lan", "hub-lan", "eth0")
        lab.ip("site", "addr add 10.42.0.1/24 dev lan", "addr add 10.43.0.1/24 dev lan")
        lab.ip("hub", "addr add 10.1.0.1/24 dev lan")
        lab.ip("lan", "addr add 10.42.0.10/24 dev eth0", "route add default via 10.42.0.1")
        lab.ip("hub-lan", "addr add 10.1.0.10/24 dev eth0", "route add default via 10.1.0.1")
        lab.run("site", ["sh", "-c", "echo 0 >/proc/sys/net/ipv4/nexthop_compat_mode"])
        self.frr = Frr(lab, "site")
        self.hub_frr = Frr(lab, "hub", bgpd=HUB_BGPD)
        self.run_dir = os.path.join(lab.dir, "run-edge")
        os.mkdir(self.run_dir, 0o755)
        shutil.chown(self.run_dir, "frr", "frr")
        self.control = FakeControl(self.run_dir, self.intent())

    def inside_routes(self):
        """What edged keeps in main."""
        for n in (0, 1):
            for prefix in (f"100.96.0.{2 * n}/32", f"fd96::{2 * n:x}/128"):
                self.lab.run("site", ["ip", "route", "replace", prefix, "dev",
                                      f"ed000{n}", "proto", "171", "metric", "1000"])

    def intent(self, **bgp):
        neighbors = [{"tunnel": "hub/isp1", "peer": "100.96.0.0", "local": "100.96.0.1",
                      "asn": 65000},
                     {"tunnel": "hub/isp2", "peer": "100.96.0.2", "local": "100.96.0.3",
                      "asn": 65000},
                     {"tunnel": "hub/isp1", "peer": "fd96::", "local": "fd96::1",
                      "asn": 65000}]
        return {"wait": False,
                "frr": {"socket_dir": self.frr.dir, "stale_s": 60, "hold_s": 120},
                "classes": CLASSES, "peers": [hub()],
                "bgp": {"asn": 65042, "router_id": "10.42.0.1",
                        "announce": ["10.42.0.0/24", "10.43.0.0/24", "fd42::/48"],
                        "accept": ["10.0.0.0/8", "192.168.0.0/16", "fc00::/7"],
                        "refuse": ["10.42.0.0/24", "fd42::/48", "100.96.0.0/16",
                                   "fd96::/64", "203.0.113.1/32"],
                        "hold_s": 9, "connect_s": 1, "restart_s": 20, "max_paths": 8,
                        "neighbors": neighbors, **bgp}}

    def start(self):
        self.control.open()
        self.frr.start(restart_s=1)
        self.hub_frr.start(restart_s=1)
        self.start_helper()
        self.lab.wait_for("three sessions", self.up, 40)
        self.lab.wait_for("prefixes in the tables", self.whole, 20)

    def start_helper(self):
        self.lab.start("edge-zebra", "site",
                       [program("edge-zebra"), "--run", self.run_dir, "--debug"],
                       user="frr", groups=["frr", "frrvty"], restart_s=1)

    def up(self):
        """Two IPv4 sessions and one of IPv6, each with prefixes."""
        found = {**self.frr.sessions(), **self.frr.sessions("ipv6Unicast")}
        good = [p for p, (state, n) in found.items() if state == "Established" and n]
        return (len(good) == 3, found)

    # what the kernel has

    def objects(self):
        rows = json.loads(self.lab.out("site", "ip", "-j", "nexthop", "show") or "[]")
        return {row["id"]: row for row in rows}

    def group(self, number, objects):
        """A group as (gateway, device, weight), whatever its numbers are."""
        row = objects.get(number)
        if row is None:
            return ("missing",)
        found = row.get("group") or [{"id": number}]
        return tuple(sorted((objects[m["id"]].get("gateway"), objects[m["id"]].get("dev"),
                             m.get("weight", 1)) for m in found))

    def table(self, number, family="-4"):
        """{prefix: group by content} of our routes in a table."""
        rows = json.loads(self.lab.out("site", "ip", "-j", "-d", family, "route", "show",
                                       "table", str(number)) or "[]")
        objects = self.objects()
        return {row["dst"]: self.group(row.get("nhid"), objects) for row in rows
                if row.get("protocol") in ("sharp", "194")}

    def learned(self):
        """The prefixes of BGP in main."""
        return {row["dst"] for row in json.loads(self.lab.out("site", "ip", "-j", "route"))
                if row.get("protocol") == "bgp"}

    def heard(self, family):
        """The prefixes that the hub has from us."""
        routes = self.hub_frr.json(f"show bgp {family} unicast").get("routes", {})
        return {prefix for prefix, paths in routes.items()
                if any(path.get("peerId", "(unspec)") != "(unspec)" for path in paths)}

    def groups(self):
        """Every group of ours that the kernel has, by content."""
        objects = self.objects()
        return sorted(self.group(n, objects) for n in objects if n > 100000000)

    def want(self, voice, default, prefixes=("10.1.0.0/24", "192.168.77.0/24")):
        def hops(numbers):
            return tuple(sorted((f"100.96.0.{2 * n}", f"ed000{n}", 1) for n in numbers))
        return [{p: hops(c) for p in prefixes if c} for c in (voice, default)]

    def whole(self, voice=(0,), default=(0, 1), **kw):
        now = [self.table(1001), self.table(1002)]
        return (now == self.want(voice, default, **kw), now)

    def empty(self):
        now = [self.table(1001), self.table(1002)]
        return (now == [{}, {}], now)

    def as_in(self, before):
        """Is it the picture of before?"""
        now = self.picture()
        return (now == before, now)

    def still(self):
        """The picture to compare with."""
        return self.lab.wait_still("the picture", self.picture, 20)

    def picture(self):
        return [self.table(1001), self.table(1002), self.table(1001, "-6"),
                self.table(1002, "-6"), self.groups()]

    def reported(self):
        state = self.control.state
        return (state["zebra"] == "up" and state["error"] == ""
                and {p["name"]: p["prefixes"] for p in state["peers"]} == {"hub": 3}
                and [n["state"] for n in state["neighbors"]] == ["Established"] * 3,
                state)

    # traffic

    def pings(self, mark, count, interval=0.01):
        argv = ["nsenter", "--net=/run/netns/site", "ping", "-n", "-q", "-m", str(mark),
                "-I", "10.43.0.1", "-i", str(interval), "-c", str(count), "10.1.0.10"]
        return Pings(argv)


class Pings:
    def __init__(self, argv):
        self.process = subprocess.Popen(argv, stdout=subprocess.PIPE, text=True)

    def lost(self):
        out = self.process.communicate()[0]
        words = out.split("\n")[-3].split() if "transmitted" in out else []
        assert words, out
        return int(words[0]) - int(words[3])


@pytest.fixture
def site(lab):
    made = Site(lab)
    lab.on_close.append(made.control.close)
    made.start()
    lab.ip("site", "rule add priority 1000 fwmark 0x10000/0xff0000 lookup 1001",
           "rule add priority 1000 fwmark 0x20000/0xff0000 lookup 1002")
    return made


def filled(lab, where, see, want):
    """Waits for these prefixes; one that is not wanted is wrong at any moment."""
    def check():
        seen = see()
        assert seen <= want, (where, seen)
        return seen == want, seen

    lab.wait_for(f"what belongs into {where}", check, 20)


def test_prefixes_are_mirrored_and_filtered(lab, site):
    """Also with a bgpd that has just been restarted: nothing slips in early."""
    v6 = {"fd01::/48": (("fd96::", "ed0000", 1),)}
    for round_number in (1, 2):
        lab.wait_for("IPv6 in the voice table",
                     lambda: (site.table(1001, "-6") == v6, site.table(1001, "-6")), 20)
        filled(lab, "main", site.learned, {"10.1.0.0/24", "192.168.77.0/24"})
        # Only what is announced arrives at the hub, in both families.
        filled(lab, "the hub, IPv4", lambda: site.heard("ipv4"), {"10.42.0.0/24", "10.43.0.0/24"})
        filled(lab, "the hub, IPv6", lambda: site.heard("ipv6"), {"fd42::/48"})
        if round_number == 1:
            lab.kill("site-bgpd")
            lab.wait_for("bgpd is back", lambda: lab.service("site-bgpd")["starts"] > 1,
                         10)
            lab.wait_for("sessions are back", site.up, 40)
    lab.wait_for("all of it is reported", site.reported, 10)


def test_a_plan_changes_groups_only(lab, site):
    site.still()
    before = site.objects()
    site.control.set_peer(hub(voice=(1,), default=(0, 1)))
    lab.wait_for("voice over isp2", lambda: site.whole(voice=(1,)), 5)
    peer = hub(voice=(1,))
    peer["classes"][1]["members"] = members(0, weight=200) + members(1, weight=40)
    site.control.set_peer(peer)
    want = (("100.96.0.0", "ed0000", 200), ("100.96.0.2", "ed0001", 40))
    lab.wait_for("weights", lambda: (site.table(1002).get("10.1.0.0/24") == want,
                                     site.table(1002)), 5)
    kept = {n for n in before if n > 100000000}
    assert kept <= set(site.objects())
    # A class without members falls through to main.
    site.control.set_peer(hub(voice=()))
    lab.wait_for("voice falls through", lambda: site.whole(voice=()), 5)
    site.control.set_peer(hub())
    lab.wait_for("and is back", site.whole, 5)


def test_static_networks_need_no_bgp(lab, site):
    intent = copy.deepcopy(site.control.intent)
    intent["peers"] = [hub(networks=["10.99.0.0/16", "fd99::/48"])]
    site.control.set_intent(intent)
    prefixes = ("10.1.0.0/24", "10.99.0.0/16", "192.168.77.0/24")
    lab.wait_for("the network is there", lambda: site.whole(prefixes=prefixes), 5)
    lab.wait_for("that of IPv6, too", lambda: ("fd99::/48" in site.table(1001, "-6"),
                                               site.table(1001, "-6")), 5)
    intent = copy.deepcopy(intent)
    intent["peers"] = [hub()]
    site.control.set_intent(intent)
    lab.wait_for("and gone again", site.whole, 5)


def test_links_that_flap(lab, site):
    before = site.still()
    witness = Witness(lab)
    for _ in range(10):
        lab.ip("site", "link set ed0001 down", "link set ed0001 up")
        site.inside_routes()
    lab.wait_for("whole after ten flaps", lambda: site.as_in(before), 1, witness)
    for n in (0, 1):
        lab.ip("site", f"link set ed000{n} down")
    for n in (0, 1):
        lab.ip("site", f"link set ed000{n} up",
               f"addr replace fd96::{2 * n + 1:x}/128 dev ed000{n}")
    site.inside_routes()
    lab.wait_for("whole after all were down", lambda: site.as_in(before), 1, witness)


def test_nobody_takes_the_class_tables_along(lab, site):
    """0 lost by class while each of them is killed and comes back after 1 s."""
    before = site.still()
    assert site.pings(0x10000, 50).lost() == 0
    for victim in ("site-bgpd", "edge-zebra", "edged", "site-bgpd", "site-zebra"):
        pings = site.pings(0x10000, 500)
        if victim == "edged":
            site.control.close()
        else:
            starts = lab.service(victim)["starts"]
            lab.kill(victim)
            lab.wait_for(f"{victim} is back",
                         lambda v=victim, n=starts: lab.service(v)["starts"] > n, 10)
        assert (victim, pings.lost()) == (victim, 0)
        if victim == "edged":
            site.control.open()
        lab.wait_for(f"the same as before {victim} died",
                     lambda: site.as_in(before), 30)


def test_edged_down_leaves_the_administrators_lines(lab, site):
    site.frr.vtysh("configure terminal", "router bgp 65042",
                   "neighbor 10.42.0.99 remote-as 65099")
    site.control.set_intent({"withdraw": True})
    lab.wait_for("withdrawn", lambda: (site.control.state.get("withdrawn"),
                                       site.control.state), 15)
    lab.wait_for("no route is left", site.empty, 5)
    lab.wait_for("no group is left", lambda: (not site.groups(), site.groups()), 5)
    lines = site.frr.vtysh("show running-config")
    assert "EDGED" not in lines and "100.96.0" not in lines
    assert "neighbor 10.42.0.99 remote-as 65099" in lines


def test_down_takes_out_what_a_life_before_told(lab, site):
    site.frr.vtysh("configure terminal", "router bgp 65042",
                   "neighbor 10.42.0.99 remote-as 65099")
    assert site.table(1001)
    lab.stop("edge-zebra")
    assert site.table(1001), "FRR keeps what it was told"
    lab.run("site", [program("edge-zebra"), "--down", "--frr", site.frr.dir])
    lab.wait_for("no route is left", site.empty, 5)
    lab.wait_for("no group is left", lambda: (not site.groups(), site.groups()), 5)
    lines = site.frr.vtysh("show running-config")
    assert "EDGED" not in lines and "100.96.0" not in lines
    assert "neighbor 10.42.0.99 remote-as 65099" in lines


def test_another_as_is_refused_with_a_sentence(lab, site):
    site.control.set_intent({"withdraw": True})
    lab.wait_for("withdrawn", lambda: site.control.state.get("withdrawn"), 15)
    site.frr.vtysh("configure terminal", "router bgp 65010",
                   "neighbor 10.42.0.99 remote-as 65099")
    before = site.frr.vtysh("show running-config")
    site.control.set_intent(site.intent())
    lab.wait_for("the sentence", lambda: ("65010" in site.control.state.get("error", ""),
                                          site.control.state), 15)
    assert "set bgp.asn to 65010" in site.control.state["error"]
    assert site.frr.vtysh("show running-config") == before
