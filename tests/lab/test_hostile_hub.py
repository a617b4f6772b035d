# SPDX-License-Identifier: GPL-2.0-or-later
"""What a hub may not tell us

    the topology of topology.py; the hub's bgpd announces the branch's LAN, its
    uplink prefixes, the hub's outer address, inside ranges and 0/0
"""
import re

from topology import bring_up

HOSTILE = ["10.42.0.0/24", "10.42.0.0/25", "192.168.1.0/24", "198.51.100.0/24",
           "192.0.2.0/25", "198.18.0.10/32", "198.18.0.0/24", "100.96.0.0/16",
           "169.254.45.40/30", "0.0.0.0/0"]
HOSTILE6 = ["fd42:0:0:42::/64", "2001:db8:2::/64", "2001:db8:10::10/128", "fd42:96::/64",
            "::/0"]
HARMLESS = "10.99.0.0/16"


def tables(lab):
    """The branch's routes but for the one that proves that BGP works."""
    text = ""
    for family in ("-4", "-6"):
        text += lab.out("branch", "ip", family, "route", "show", "table", "all")
    text = re.sub(r"\bnhid \d+|\bexpires \d+sec", "", text)
    return sorted({" ".join(line.split()) for line in text.splitlines()
                   if "10.99.0.0" not in line})


def test_a_hostile_hub_changes_nothing(lab):
    _, sites = bring_up(lab)
    hub = sites.frr["hub"]
    before = lab.wait_still("the branch's routes", lambda: tables(lab), 30)
    asn = "65000"
    lab.stop("hub-edge-zebra")          # it would mend what is changed below
    commands = ["configure terminal", f"router bgp {asn}", "no bgp network import-check",
                "address-family ipv4 unicast"]
    commands += [f"network {p}" for p in HOSTILE + [HARMLESS]]
    commands += ["exit-address-family", "address-family ipv6 unicast"]
    commands += [f"network {p}" for p in HOSTILE6]
    hub.vtysh(*commands)
    # the hub's own "only announce leaves" must not save us: it is hostile
    for family in ("4", "6"):
        hub.vtysh("configure terminal", f"route-map EDGED-OUT{family} permit 5")
    lab.wait_for("the harmless prefix at the branch", lambda: HARMLESS in lab.out(
        "branch", "ip", "route", "show", "table", "main"), 20)
    unchanged(lab, before)
    # also across a restart of our bgpd
    lab.kill("branch-bgpd")
    lab.wait_for("sessions again", sites.bgp_up, 60)
    lab.wait_for("the harmless prefix again", lambda: HARMLESS in lab.out(
        "branch", "ip", "route", "show", "table", "main"), 40)
    lab.wait_for("everything as before", lambda: (tables(lab) == before, diff(lab, before)),
                 30)


def diff(lab, before):
    now = tables(lab)
    return {"gone": sorted(set(before) - set(now)), "new": sorted(set(now) - set(before))}


def unchanged(lab, before):
    assert tables(lab) == before, diff(lab, before)
