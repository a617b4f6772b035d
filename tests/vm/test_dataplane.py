# SPDX-License-Identifier: GPL-2.0-or-later
"""The kernel's IPsec under our data plane, in the guest: fixed keys, no IKE

    a  192.0.2.1 --- w --- 192.0.2.2  b        dpdrive at both ends
       2001:db8::1         2001:db8::2         tunnel N: 10.9.N.1, 10.9.N.2, fd00:9:N::
"""
import os
import sys

import pytest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lab"))

from dpdrive import (End, inside, interface, join, keys, ping, spis,     # noqa: E402
                     tunnel, wait_carries)

SLOT = 7


@pytest.fixture(name="ends")
def make_ends(lab):
    lab.namespace("a", "b")
    lab.veth("a", "w", "b", "w")
    for space, n in (("a", 1), ("b", 2)):
        lab.ip(space, f"addr add 192.0.2.{n}/24 dev w", f"addr add 2001:db8::{n}/64 dev w nodad")
    return (End(lab, "a", "192.0.2.1", "kernel"), End(lab, "b", "192.0.2.2", "kernel"))


def states(lab, space):
    return lab.out(space, "ip", "-s", "xfrm", "state")


@pytest.mark.parametrize("family", ["v4", "v6"])
@pytest.mark.parametrize("encap", ["plain", "encap"])
@pytest.mark.parametrize("kind", ["xfrm", "vti"])
def test_packets_pass(lab, ends, kind, encap, family):
    a, b = ends
    if family == "v6":
        a.address, b.address = "2001:db8::1", "2001:db8::2"
    join(a, b, SLOT, kind, encap=encap)
    for address in inside(SLOT, 2):
        assert ping(lab, "a", address, 3, 0.2, size=1200) == 3
    link = [x for x in lab.links("a") if x["ifname"] == "ed0007"][0]
    assert link["linkinfo"]["info_kind"] == {"xfrm": "xfrm", "vti": "vti" if family == "v4"
                                             else "vti6"}[kind]
    assert link["ifalias"] == "b/w7"
    text = states(lab, "a")
    assert text.count("proto esp") == 2 and "anti-replay esn" in text
    assert ("type espinudp" in text) == (encap == "encap")
    assert "replay-window 4096" in text or "replay_window 4096" in text, text
    count = a.counters(SLOT)
    assert count["rx_packets"] >= 6 and count["tx_packets"] >= 6
    assert len(a.sas()) == 2
    a.do(f"remove {SLOT}")
    assert lab.out("a", "ip", "xfrm", "state") == ""
    assert lab.out("a", "ip", "xfrm", "policy") == ""


# In a: what ping sends to b, once more as it was and once with a bit turned over.
AGAIN = """
import socket, struct, subprocess, sys
spi, inner = struct.pack(">I", int(sys.argv[1])), sys.argv[2]
tap = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(3))
tap.bind(("w", 3))
tap.settimeout(10)
subprocess.run(["ping", "-nqc3", "-i0.1", inner], check=True)
out = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
seen = 0
while seen < 3:
    packet = tap.recv(2048)
    if packet[9] != 17 or packet[28:32] != spi:
        continue
    seen += 1
    forged = bytearray(packet[28:])
    forged[5] ^= 1
    out.sendto(packet[28:], ("192.0.2.2", 4500))
    out.sendto(forged, ("192.0.2.2", 4500))
"""


@pytest.mark.parametrize("kind", ["xfrm", "vti"])
def test_drops_are_counted_and_outlive_their_sa(lab, ends, kind):
    a, b = ends
    join(a, b, SLOT, kind)
    to_a, to_b = spis(SLOT, 0)

    def again(spi):
        lab.run("a", ["/usr/bin/python3", "-c", AGAIN, str(spi), inside(SLOT, 2)[0]])

    def wait_drops(n):
        lab.wait_for("drops are counted", lambda: (
            (c := b.counters(SLOT))["replay"] == n and c["auth"] == n, c), 5)

    wait_drops(0)
    again(to_b)
    wait_drops(3)
    # A state made anew with other addresses counts from nothing, the tunnel does not.
    b.do(f"update {SLOT} in {to_b} 1 192.0.2.2 4500 192.0.2.1 61000")
    wait_drops(3)
    b.do(f"update {SLOT} in {to_b} 1 192.0.2.2 4500 192.0.2.1 4500")
    keys(a, b, SLOT, 1)
    again(spis(SLOT, 1)[1])
    wait_drops(6)
    b.do(f"del {SLOT} in {to_b}")
    wait_drops(6)
    # Taken away by somebody else, it is not there to be asked.
    lab.run("b", ["ip", "xfrm", "state", "flush"])
    wait_drops(6)


def test_rekey_loses_nothing_and_ike_comes_through(lab, ends):
    a, b = ends
    join(a, b, SLOT)
    a.do("ike 1 192.0.2.2 4500 c0ffee")
    b.wait_event("ike 1 192.0.2.1:4500 c0ffee")
    for generation in range(1, 4):
        keys(a, b, SLOT, generation)
        assert ping(lab, "a", inside(SLOT, 2)[0], 5, 0.1) == 5
        to_a, to_b = spis(SLOT, generation - 1)
        for end, mine, other in ((a, to_a, to_b), (b, to_b, to_a)):
            end.do(f"del {SLOT} out {other}")
            end.do(f"del {SLOT} in {mine}")
        assert ping(lab, "a", inside(SLOT, 2)[0], 5, 0.1) == 5
    assert not a.saw("lost") and not b.saw("lost")
    assert len(a.sas()) == 2


def test_a_flushed_sa_is_reported_and_policies_come_back(lab, ends):
    a, b = ends
    join(a, b, SLOT)
    lab.run("a", ["ip", "xfrm", "policy", "flush"])
    lab.wait_for("policies are back", lambda: lab.out("a", "ip", "xfrm", "policy").count(
        "dir ") >= 6, 5)
    assert ping(lab, "a", inside(SLOT, 2)[0], 2, 0.2) == 2
    lab.run("a", ["ip", "xfrm", "state", "flush"])
    lab.wait_for("both SAs are reported", lambda: len(a.saw("lost")) == 2, 5)
    assert a.sas() == []
    assert lab.out("a", "ip", "xfrm", "state").count("proto esp") == 0
    keys(a, b, SLOT, 1)
    wait_carries(a, SLOT)


def test_a_restart_finds_its_sas_and_a_sweep_removes_strangers(lab, ends):
    a, b = ends
    join(a, b, SLOT)
    tunnel(a, b, 8)
    keys(a, b, 8)
    before = a.sas()
    a.stop()
    a.start()
    a.bind()
    a.do(f"tunnel {SLOT} b/w7 auto 1400 192.0.2.1 192.0.2.2")
    assert sorted(a.sas()) == sorted(before)
    a.do("sweep")
    assert len(a.sas()) == 2
    names = {link["ifname"] for link in lab.links("a")}
    assert "ed0007" in names and "ed0008" not in names
    assert ping(lab, "a", inside(SLOT, 2)[0], 2, 0.2) == 2


def test_a_vanished_interface_is_made_again(lab, ends):
    a, b = ends
    join(a, b, SLOT)
    lab.ip("a", "link del ed0007")
    a.wait_event(f"restored {SLOT}")
    interface(lab, a, SLOT, 1)
    wait_carries(a, SLOT)


def test_addresses_change_without_using_a_number_twice(lab, ends):
    a, b = ends
    join(a, b, SLOT)
    assert ping(lab, "a", inside(SLOT, 2)[0], 3, 0.1) == 3
    lab.ip("a", "addr add 192.0.2.11/24 dev w")
    to_a, to_b = spis(SLOT, 0)
    a.do("socket 1 192.0.2.11 4500")
    a.do(f"update {SLOT} in {to_a} 1 192.0.2.11 4500 192.0.2.2 4500")
    a.do(f"update {SLOT} out {to_b} 1 192.0.2.11 4500 192.0.2.2 4500")
    b.do(f"update {SLOT} in {to_b} 1 192.0.2.2 4500 192.0.2.11 4500")
    b.do(f"update {SLOT} out {to_a} 1 192.0.2.2 4500 192.0.2.11 4500")
    assert ping(lab, "a", inside(SLOT, 2)[0], 3, 0.1) == 3
    assert not a.saw("lost") and not b.saw("lost")
    text = states(lab, "a")
    assert "192.0.2.1 " not in text and "0x001000" in text, text


def test_outer_packets_carry_the_uplinks_mark(lab, ends):
    a, b = ends
    lab.run("a", ["nft", "add table ip m; add chain ip m out { type filter hook output "
                  "priority 0; }; add rule ip m out meta mark and 0xff000000 == 0x05000000 "
                  "udp dport 4500 counter"])
    for kind, slot in (("xfrm", SLOT), ("vti", 8)):
        join(a, b, slot, kind, mark="0x05000000 0xff000000")
        assert ping(lab, "a", inside(slot, 2)[0], 2, 0.1) == 2
    text = lab.out("a", "nft", "list", "ruleset")
    assert int(text.split("packets ")[1].split()[0]) >= 6, text


def test_another_kind_leaves_nothing_of_the_first(lab, ends):
    a, b = ends
    join(a, b, SLOT, "vti")
    a.stop()
    a.start()
    a.bind()
    a.do(f"tunnel {SLOT} b/w7 xfrm 1400 192.0.2.1 192.0.2.2")
    assert a.sas() == []
    assert lab.out("a", "ip", "xfrm", "state") == ""
    assert lab.out("a", "ip", "xfrm", "policy") == ""
