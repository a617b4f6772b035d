# SPDX-License-Identifier: GPL-2.0-or-later
"""Uplinks of every kind, names as people give them, and ESP that dies alone

    branch ==isp1 (NAT)==\\
           ==isp2========= internet -- hub
           ==lte==========/

No FRR and no classes: static `networks`, main's routes.
"""
import os
import re

import pytest

from daemons import Edged
from topology import HUB_HOST, HUB_OUTSIDE, HUB_OUTSIDE6, World

SECRET = "the one of the two for tests"

HUB = """
name: hub
inside: [100.96.0.0/16, "fd42:96::/64"]
lan: [10.1.0.0/24, "fd42:0:0:1::/64"]
uplinks:
  wan: {interface: wan}
peers:
  branch: {networks: [10.42.0.0/16, "fd42:0:0:42::/64"]}
dataplane: user
"""

BRANCH = """
name: branch
lan: [10.42.0.0/24, "fd42:0:0:42::/64"]
uplinks:
%s
peers:
  hub: {address: %s, networks: [10.1.0.0/16, "fd42:0:0:1::/64"]}
dataplane: user
"""

DROP_ESP = """
table inet drop_esp {
	chain in {
		type filter hook prerouting priority -400
		iifname "wan" udp dport 4500 @th,64,32 != 0 drop
	}
}
"""


class Sites:
    """Hub and branch; the branch's file is the test's."""

    def __init__(self, lab):
        self.lab = lab
        self.world = World(lab)
        self.hub = Edged(lab, "hub", HUB, f'branch: "{SECRET}"\n')
        self.branch = None

    def start(self, uplinks, address, tunnels, limit=30):
        lines = "".join(f"  {name}: {{interface: {device}}}\n" for name, device in uplinks)
        self.branch = Edged(self.lab, "branch", BRANCH % (lines, address),
                            f'hub: "{SECRET}"\n')
        self.hub.start(restart_s=1)
        self.branch.start(restart_s=1)
        self.lab.wait_for("the tunnels are up", lambda: self.branch.tunnels_up(tunnels),
                          limit)

    def ping(self, address=HUB_HOST):
        done = self.lab.run("branch-lan", ["ping", "-n", "-q", "-c", "1", "-W", "2",
                                           address], check=False)
        return (done.returncode == 0, done.stdout)

    def uplink(self, name):
        return {u["name"]: u for u in self.branch.json("uplinks")["uplinks"]}[name]

    def ike(self, name):
        return {t["name"]: t for t in self.branch.json("ike")["tunnels"]}[name]

    def says(self, text):
        """Is this in the reason why hub/isp2 is not up?"""
        row = self.ike("hub/isp2")
        return (text in (row["last_failure"] or ""), row)


@pytest.fixture
def sites(lab):
    return Sites(lab)


def test_names_with_dots_colons_and_equal_beginnings(lab, sites):
    sites.start([("isp", "isp1"), ("isp.1", "isp2"), ("isp:1", "lte")], HUB_OUTSIDE,
                ["hub/isp", "hub/isp.1", "hub/isp:1"])
    assert sorted(sites.hub.paths()) == ["branch/isp", "branch/isp.1", "branch/isp:1"]
    lab.wait_for("the hub's LAN answers", sites.ping, 10)
    devices = {p["interface"] for p in sites.branch.paths().values()}
    assert len(devices) == 3 and all(len(d) < 16 for d in devices)


def test_a_peer_reached_over_ipv6(lab, sites):
    sites.start([("isp2", "isp2"), ("lte", "lte")], f'"{HUB_OUTSIDE6}"',
                ["hub/isp2", "hub/lte"])
    lab.wait_for("the hub's LAN answers", sites.ping, 10)
    assert "2001:db8:2::2" in sites.ike("hub/isp2")["local"]


def test_the_next_address_is_tried_when_one_does_not_answer(lab, sites):
    sites.start([("isp2", "isp2")], f"[198.18.0.99, {HUB_OUTSIDE}]", ["hub/isp2"], 60)
    assert HUB_OUTSIDE in sites.ike("hub/isp2")["remote"]
    assert "198.18.0.99" in sites.ike("hub/isp2")["last_failure"]


def name_the_hub(lab, *addresses):
    """hub.example.net is these, by the branch's /etc/hosts."""
    path = os.path.join(lab.dir, "hosts")
    known = os.path.exists(path)
    with open(path, "w", encoding="utf-8") as f:
        f.write("127.0.0.1 localhost\n")
        f.writelines(f"{a} hub.example.net\n" for a in addresses)
    if not known:
        lab.run("branch", ["mount", "--bind", path, "/etc/hosts"])
        lab.on_close.append(lambda: lab.run("branch", ["umount", "/etc/hosts"]))


def test_a_name_that_leads_to_no_other_host_is_not_called(lab, sites):
    name_the_hub(lab, "127.0.0.2", "255.255.255.255")
    with pytest.raises(AssertionError):
        sites.start([("isp2", "isp2")], "hub.example.net", ["hub/isp2"], 5)
    lab.wait_for("what is wrong with it is said", lambda: sites.says("no host's address"), 10)
    own = sites.uplink("isp2")["address"]
    name_the_hub(lab, own)
    lab.wait_for("its own address is named",
                 lambda: sites.says(f"{own}, which is this box's own"), 20)
    name_the_hub(lab, own, HUB_OUTSIDE)
    lab.wait_for("it is up", lambda: sites.branch.tunnels_up(["hub/isp2"]), 40)


def test_a_peer_by_name(lab, sites):
    name_the_hub(lab, HUB_OUTSIDE, HUB_OUTSIDE6)
    sites.start([("isp1", "isp1"), ("isp2", "isp2")], "hub.example.net",
                ["hub/isp1", "hub/isp2"])
    lab.wait_for("the hub's LAN answers", sites.ping, 10)


def test_a_caller_has_sixteen_tunnels_and_no_more(lab, sites):
    """It names them as it likes; those that are down make room, the oldest first."""
    sites.start([("n0", "isp2")], HUB_OUTSIDE, ["hub/n0"])
    for n in range(1, 18):
        sites.branch.configure(BRANCH % (f"  n{n}: {{interface: isp2}}\n", HUB_OUTSIDE))
        sites.branch.ctl("apply")
        lab.wait_for(f"n{n} is up", lambda n=n: sites.branch.tunnels_up([f"hub/n{n}"]), 20)
    assert sorted(sites.hub.paths()) == sorted(f"branch/n{n}" for n in range(2, 18))
    links = re.findall(r"^\d+: (ed\d+)", lab.out("hub", "ip", "-o", "link"), re.M)
    assert len(links) == 16, links
    gone = [e["subject"] for e in sites.hub.json("events")["events"] if e["to"] == "removed"]
    assert sorted(gone) == ["branch/n0", "branch/n1"]
    lab.wait_for("the hub's LAN answers", sites.ping, 10)


def test_point_to_point_without_gateway(lab, sites):
    """As PPPoE gives it: an address with a peer, a default route by the device."""
    lab.run("internet", ["sysctl", "-qw", "net.ipv4.conf.isp2.proxy_arp=1"])
    lab.ip("branch", "addr flush dev isp2", "addr add 198.51.100.2 peer 198.51.100.1 dev isp2",
           "route add default dev isp2 metric 102")
    sites.start([("isp2", "isp2")], HUB_OUTSIDE, ["hub/isp2"])
    assert sites.uplink("isp2")["gateway"] is None
    lab.wait_for("the hub's LAN answers", sites.ping, 10)


def test_an_interface_that_appears_later_is_used(lab, sites):
    lab.ip("branch", "link set lte name away")
    sites.start([("isp2", "isp2"), ("lte", "lte")], HUB_OUTSIDE, ["hub/isp2"])
    assert sites.uplink("lte")["state"] == "absent"
    lab.ip("branch", "link set away down", "link set away name lte", "link set lte up",
           "route replace default via 192.0.2.1 dev lte metric 103")
    lab.wait_for("hub/lte is up", lambda: sites.branch.tunnels_up(["hub/lte"]), 30)


def test_esp_dead_while_ike_lives_is_seen_said_and_mended(lab, sites):
    sites.start([("isp2", "isp2")], HUB_OUTSIDE, ["hub/isp2"])
    first = sites.ike("hub/isp2")
    lab.run("hub", ["nft", "-f", "-"], input=DROP_ESP)

    def said():
        events = sites.branch.json("events")["events"]
        found = [e for e in events if e["to"] == "esp-dead"]
        return (len(found) >= 2, events[-5:])

    lab.wait_for("child and IKE SA were made anew", said, 40)
    lab.run("hub", ["nft", "delete", "table", "inet", "drop_esp"])
    lab.wait_for("the path is back", lambda: sites.branch.tunnels_up(["hub/isp2"]), 30)
    assert sites.ike("hub/isp2")["spi_i"] != first["spi_i"]
    lab.wait_for("the hub's LAN answers", sites.ping, 10)


def test_a_wrong_secret_is_one_sentence_and_no_storm(lab, sites):
    sites.hub.configure(HUB, 'branch: "another one"\n')
    with pytest.raises(AssertionError):
        sites.start([("isp2", "isp2")], HUB_OUTSIDE, ["hub/isp2"], 5)
    row = lab.wait_for("a reason why it is not up", lambda: (
        sites.ike("hub/isp2")["last_failure"], sites.ike("hub/isp2")), 10)[1]
    assert row["state"] in ("waiting", "connecting")
    assert row["failures"] <= 4
    sites.hub.configure(HUB, f'branch: "{SECRET}"\n')
    sites.hub.ctl("apply")
    sites.branch.ctl("peer", "hub", "restart")
    lab.wait_for("it is up", lambda: sites.branch.tunnels_up(["hub/isp2"]), 30)
