# SPDX-License-Identifier: GPL-2.0-or-later
"""Whole tunnels over the kernel's IPsec, in the guest: IKE, states, ping

    branch 192.0.2.2, 2001:db8::2 --- net (a bridge) --- x  192.0.2.11     xfrm interface
                                                     \\-- v  192.0.2.12     VTI
                                                      \\- s  2001:db8::13   IPv6 outside
"""
import json

import pytest

from daemons import Edged

SECRET = "the one of the guest"
HUBS = {"x": ("192.0.2.11", "2001:db8::11"), "v": ("192.0.2.12", "2001:db8::12"),
        "s": ("192.0.2.13", "2001:db8::13")}
LAN = {"x": "10.11.0", "v": "10.12.0", "s": "10.13.0", "branch": "10.42.0"}

BRANCH = """
name: branch
lan: 10.42.0.0/24
uplinks:
  wan: {interface: wan}
peers:
  x: {address: 192.0.2.11, networks: 10.11.0.0/16}
  v: {address: 192.0.2.12, networks: 10.12.0.0/16, dataplane: vti}
  s: {address: "2001:db8::13", networks: 10.13.0.0/16}
dataplane: xfrm
"""

HUB = """
name: {name}
inside: 100.{number}.0.0/24
lan: 10.{number}.0.0/24
uplinks:
  wan: {{interface: wan}}
peers:
  branch: {{networks: 10.42.0.0/16{more}}}
dataplane: xfrm
"""


class Sites:
    def __init__(self, lab):
        self.lab = lab
        lab.namespace("net", "branch", *HUBS, forward=True)
        lab.ip("net", "link add br0 type bridge", "link set dev br0 up",
               "addr add 192.0.2.1/24 dev br0", "addr add 2001:db8::1/64 dev br0 nodad")
        for name, (v4, v6) in {"branch": ("192.0.2.2", "2001:db8::2"), **HUBS}.items():
            lab.veth(name, "wan", "net", "to-" + name)
            lab.ip("net", f"link set to-{name} master br0")
            lab.ip(name, f"addr add {v4}/24 dev wan", f"addr add {v6}/64 dev wan nodad",
                   "route add default via 192.0.2.1", "route add default via 2001:db8::1",
                   "link add lan type dummy", "link set lan up",
                   f"addr add {LAN[name]}.1/24 dev lan")
        self.hubs = [Edged(lab, name, HUB.format(
            name=name, number=LAN[name].split(".")[1],
            more=", dataplane: vti" if name == "v" else ""), f'branch: "{SECRET}"\n',
            dataplane="xfrm") for name in HUBS]
        self.branch = Edged(lab, "branch", BRANCH,
                            "".join(f'{n}: "{SECRET}"\n' for n in HUBS), dataplane="xfrm")

    def start(self):
        for edged in (*self.hubs, self.branch):
            edged.start(restart_s=1)

    def up(self):
        return self.branch.tunnels_up([f"{n}/wan" for n in HUBS])

    def ping(self, hub, count=3):
        done = self.lab.run("branch", ["ping", "-n", "-q", "-c", str(count), "-i", "0.2", "-W",
                                       "2", "-I", "10.42.0.1", LAN[hub] + ".1"], check=False)
        return (done.returncode == 0 and " 0% packet loss" in done.stdout, done.stdout)


@pytest.fixture(name="sites")
def make_sites(lab):
    made = Sites(lab)
    made.start()
    lab.wait_for("three tunnels up", made.up, 30)
    return made


def test_xfrm_vti_and_ipv6_outside_carry_traffic(lab, sites):
    for hub in HUBS:
        lab.wait_for(f"{hub}'s LAN answers", lambda h=hub: sites.ping(h), 10)
    links = {x["ifalias"]: x for x in lab.links("branch") if x.get("ifalias")}
    kinds = {n: links[n + "/wan"]["linkinfo"]["info_kind"] for n in HUBS}
    assert kinds == {"x": "xfrm", "v": "vti", "s": "xfrm"}
    states = lab.out("branch", "ip", "xfrm", "state")
    assert states.count("proto esp") >= 6
    assert "src 2001:db8::2 dst 2001:db8::13" in states
    assert "replay_window 4096" in states
    processes = lab.run("branch", ["pgrep", "-x", "edge-esp"], check=False).stdout
    assert processes == ""


def test_kill_9_of_edged_and_a_rekey_lose_nothing(lab, sites):
    for hub in HUBS:
        lab.wait_for(f"{hub}'s LAN answers", lambda h=hub: sites.ping(h), 10)
    lab.kill("branch-edged")
    for hub in HUBS:
        good, text = sites.ping(hub)
        assert good, text
    lab.wait_for("edged is back", lambda: lab.service("branch-edged")["ready"], 20)
    lab.wait_for("three tunnels up", sites.up, 30)
    for hub in HUBS:
        sites.branch.ctl("peer", hub, "rekey")
        good, text = sites.ping(hub, 10)
        assert good, text


def test_flushed_states_are_replaced(lab, sites):
    lab.wait_for("x's LAN answers", lambda: sites.ping("x"), 10)
    lab.run("branch", ["ip", "xfrm", "state", "flush"])
    lab.wait_for("x's LAN answers again", lambda: sites.ping("x"), 10)


def test_down_leaves_nothing(lab, sites):
    sites.branch.ctl("status")
    lab.stop("branch-edged")
    from lab import program
    argv = [program("edged"), "--config", sites.branch.config, "--run", sites.branch.run_dir,
            "--state", sites.branch.state_dir, "--down"]
    lab.run("branch", argv)
    assert lab.out("branch", "ip", "xfrm", "state") == ""
    assert lab.out("branch", "ip", "xfrm", "policy") == ""
    assert not [x for x in json.loads(lab.out("branch", "ip", "-j", "link"))
                if x["ifname"].startswith("ed")]
