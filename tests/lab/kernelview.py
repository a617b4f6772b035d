# SPDX-License-Identifier: GPL-2.0-or-later
"""What a site's kernel holds, as lines that a restart must not change"""
import json
import re


def groups(lab, site):
    """Next-hop groups by gateway, device and weight: zebra renumbers."""
    hops = json.loads(lab.out(site, "ip", "-j", "nexthop"))
    by_id = {h["id"]: f"{h.get('gateway')} {h.get('dev')}" for h in hops}
    return {"group " + ", ".join(sorted(
        f"{by_id.get(m['id'])} weight {m.get('weight', 1)}" for m in h["group"]))
        for h in hops if "group" in h}


def kernel(lab, site):
    """Rules, routes, groups, nft, links and addresses, without what changes by itself."""
    text = lab.out(site, "ip", "rule") + lab.out(site, "ip", "-6", "rule")
    for family in ("-4", "-6"):
        text += lab.out(site, "ip", family, "-o", "route", "show", "table", "all")
    text += lab.out(site, "nft", "-s", "list", "ruleset")
    text += lab.out(site, "ip", "-o", "-d", "link")
    text += lab.out(site, "ip", "-o", "addr")
    text = re.sub(r"\bnhid \d+|\bexpires \d+sec", "", text)
    text = re.sub(r"valid_lft \S+|preferred_lft \S+|# handle \d+", "", text)
    lines = {" ".join(line.split()) for line in text.splitlines()}
    return sorted(lines) + sorted(groups(lab, site))


def states(lab, site):
    """The kernel's SAs by their addresses and SPIs."""
    text = lab.out(site, "ip", "xfrm", "state", "list", "nokeys")
    lines = [" ".join(line.split()) for line in text.splitlines()]
    return sorted(f"{a} {b.split(' reqid')[0]}" for a, b in zip(lines, lines[1:])
                  if a.startswith("src ") and b.startswith("proto esp"))
