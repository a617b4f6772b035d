# SPDX-License-Identifier: GPL-2.0-or-later
"""Spreading by bandwidth, groups that heal, IPv6 by BGP in a class

    the topology of topology.py; isp1 100 Mbit/s, isp2 20 Mbit/s
"""
import json

from flows import Flows, wire_bytes
from judge import UPLINKS
from lab import Witness
from topology import BRANCH_HOST, HUB_HOST, HUB_HOST6, bring_up
from wan import UP

SHARED = """
classes:
  spread:
    dscp: AF21
    share: [isp1, isp2]
    last-resort: lte
  voice:
    dscp: EF
    prefer: [isp1, isp2, lte]
"""
AF21, EF = 18, 46
RATES = "isp1: {interface: isp1, up: 100mbit, down: 100mbit}"


def raise_rates(sites):
    """isp1 100 and isp2 20 Mbit/s in our sending direction."""
    edged = sites.edged["branch"]
    with open(edged.config, encoding="utf-8") as f:
        text = f.read()
    text = text.replace("isp1: {interface: isp1, up: 20mbit, down: 100mbit}", RATES)
    edged.configure(text)
    edged.ctl("apply")


def test_four_hundred_flows_split_by_weight(lab):
    world, sites = bring_up(lab, classes=SHARED)
    raise_rates(sites)
    lab.wait_for("a group with two weights", lambda: weights(lab), 20)
    flows = Flows(lab, ("branch-lan", BRANCH_HOST), [("hub-lan", HUB_HOST)])
    size = 200
    flows.start([(f"f{i}", HUB_HOST, AF21, 4, size, 20000 + i) for i in range(400)])
    lab.wait_for("some of each", lambda: flows.sent("f399") > 8, 30)
    world.wan.packets()
    before = flows.sent("f0")
    lab.wait_for("two rounds more", lambda: flows.sent("f0") >= before + 4, 10)
    flows.stop()
    length = {wire_bytes(size), wire_bytes(size, False)}
    counts = {link: 0 for link in UPLINKS}
    for p in world.wan.packets():
        if p.link in counts and p.is_esp and p.dir == UP and p.bytes in length:
            counts[p.link] += 1
    total = sum(counts.values())
    assert total > 1000, counts
    assert counts["lte"] == 0, counts
    share = 100 * counts["isp1"] / total
    assert abs(share - 100 * 100 / 120) <= 7, counts


def weights(lab):
    """The weights of groups with two members."""
    hops = json.loads(lab.out("branch", "ip", "-j", "nexthop"))
    found = [[m.get("weight", 1) for m in h["group"]] for h in hops
             if len(h.get("group", [])) == 2]
    return (any(len(set(w)) == 2 for w in found), found)


def complete(lab):
    """The prefixes of hub and cloud are in every class table."""
    rows = class_routes(lab)
    missing = [(table, prefix) for table in ("1001", "1002", "1003")
               for prefix in ("10.1.0.0/24", "10.200.0.0/16", "fd42:0:0:1::/64")
               if not [r for r in rows if r[:2] == (table, prefix)]]
    return (not missing, (missing, rows))


def class_routes(lab):
    """Groups by content and the class tables' routes, as edged wants them."""
    hops = json.loads(lab.out("branch", "ip", "-j", "nexthop"))
    by_id = {h["id"]: (h.get("gateway"), h.get("dev")) for h in hops}
    groups = {h["id"]: sorted((by_id.get(m["id"]), m.get("weight", 1))
                              for m in h["group"]) for h in hops if "group" in h}
    rows = []
    for table in ("1001", "1002", "1003"):
        for family in ("-4", "-6"):
            text = lab.run("branch", ["ip", "-j", family, "route", "show", "table", table],
                           check=False).stdout or "[]"
            for r in json.loads(text or "[]"):
                members = groups.get(r.get("nhid"), by_id.get(r.get("nhid")))
                rows.append((table, r["dst"], r.get("type", "unicast"), str(members)))
    return sorted(rows)


def tunnel_devices(sites):
    return {r["name"]: r["interface"] for r in sites.edged["branch"].json("ike")["tunnels"]}


def test_flapped_tunnel_interfaces_are_whole_again(lab):
    """Ten times one interface, then all of a peer's at once."""
    _, sites = bring_up(lab, classes=SHARED)
    lab.wait_for("two members", lambda: weights(lab)[1], 20)
    lab.wait_for("all prefixes in all class tables", lambda: complete(lab), 20)
    devices = tunnel_devices(sites)
    witness = Witness(lab)
    settled = lab.wait_still("the class tables", lambda: class_routes(lab), 20)

    def whole():
        now = class_routes(lab)
        return (now == settled, {"gone": sorted(set(settled) - set(now))[:6],
                                 "new": sorted(set(now) - set(settled))[:6]})

    for _ in range(10):
        lab.ip("branch", f"link set {devices['hub/isp1']} down")
        lab.ip("branch", f"link set {devices['hub/isp1']} up")
        lab.wait_for("groups and routes whole", whole, 1, witness)
    hub = [dev for name, dev in devices.items() if name.startswith("hub/")]
    lab.ip("branch", *[f"link set {dev} down" for dev in hub])
    lab.ip("branch", *[f"link set {dev} up" for dev in hub])
    lab.wait_for("groups and routes whole", whole, 1, witness)


def test_a_class_carries_ipv6_learned_by_bgp(lab):
    bring_up(lab, classes=SHARED)
    lab.wait_for("the hub's IPv6 prefix in a class table",
                 lambda: ("fd42:0:0:1::/64" in str(class_routes(lab)), class_routes(lab)),
                 20)
    flows = Flows(lab, ("branch-lan", BRANCH_HOST), [("hub-lan", HUB_HOST6)])
    flows.start([("v6", HUB_HOST6, EF, 50, 300)])
    lab.wait_for("answers", lambda: flows.sent("v6") > 50
                 and len(flows.numbers["v6"].back) > 40, 10)
