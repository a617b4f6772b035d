# SPDX-License-Identifier: GPL-2.0-or-later
"""The nftables table with real packets: marks, clamping, what uplinks may reach

    lan 10.42.0.10 -- box ==ed0000, ed0001== far 10.1.0.10
                          --isp1, wwan0-- net 203.0.113.1

The table is the golden one of the unit test (tests/golden/nft/table.json):
class 0 is DSCP EF and AF41, class 1 UDP ports 5000 to 6000 from the LAN, TCP 443
and fd10::/16, class 7 the rest; 10.0.0.0/8 and fc00::/7 are guarded. The rules
are those that edged would write.
"""
import json
import os
import subprocess

import pytest

from lab import PYTHON, TOP

SERVE = """
import socket, sys
kind = socket.SOCK_STREAM if sys.argv[1] == "tcp" else socket.SOCK_DGRAM
s = socket.socket(socket.AF_INET, kind)
s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
s.bind(("0.0.0.0", int(sys.argv[2])))
if sys.argv[1] == "tcp":
    s.listen(8)
print("ready", flush=True)
while True:
    if sys.argv[1] == "tcp":
        c, peer = s.accept()
        c.sendall(b"%d %s\\n" % (c.getsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG),
                                peer[0].encode()))
        c.close()
    else:
        data, peer = s.recvfrom(2000)
        s.sendto(data, peer)
"""

ASK = """
import socket, sys
kind = socket.SOCK_STREAM if sys.argv[1] == "tcp" else socket.SOCK_DGRAM
s = socket.socket(socket.AF_INET, kind)
s.settimeout(float(sys.argv[4]) if len(sys.argv) > 4 else 5)
try:
    s.connect((sys.argv[2], int(sys.argv[3])))
    if sys.argv[1] == "udp":
        s.send(b"hello")
    print(s.recv(2000).decode().strip())
except OSError as err:
    print("no answer:", err)
"""

# One UDP flow that changes its DSCP: EF first, then none.
FLOW = """
import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(("10.42.0.10", 7000))
for tos in (184, 0, 0, 0, 0):
    s.setsockopt(socket.IPPROTO_IP, socket.IP_TOS, tos)
    s.sendto(b"x", ("10.1.0.10", 7000))
"""


@pytest.fixture
def box(lab):
    lab.namespace("box", "far", "net", "lan", forward=True)
    for a, b in (("ed0000", "t0"), ("ed0001", "t1")):
        lab.veth("box", a, "far", b)
    for a, b in (("isp1", "i1"), ("wwan0", "i2")):
        lab.veth("box", a, "net", b)
    lab.veth("box", "lan0", "lan", "eth0")
    lab.ip("box", "addr add 10.42.0.1/24 dev lan0", "addr add 100.96.0.1/32 dev ed0000",
           "addr add 100.96.0.3/32 dev ed0001", "addr add 192.0.2.2/24 dev isp1",
           "addr add 198.51.100.2/24 dev wwan0", "link set ed0000 mtu 1400",
           "link set ed0001 mtu 1400",
           "route add 100.96.0.0/32 dev ed0000", "route add 100.96.0.2/32 dev ed0001",
           "route add default via 192.0.2.1",
           "route add 10.1.0.0/24 via 100.96.0.0 dev ed0000 onlink",
           "route add 10.1.0.0/24 via 100.96.0.2 dev ed0001 onlink table 1001",
           "route add 10.1.0.0/24 via 100.96.0.2 dev ed0001 onlink table 1002",
           "route add default via 192.0.2.1 table 500",
           "route add default via 198.51.100.1 table 504",
           "rule add priority 500 fwmark 0x01000000/0xff000000 lookup 500",
           "rule add priority 500 fwmark 0x05000000/0xff000000 lookup 504",
           "rule add priority 1000 fwmark 0x00010000/0x00ff0000 lookup 1001",
           "rule add priority 1000 fwmark 0x00020000/0x00ff0000 lookup 1002")
    lab.ip("far", "addr add 100.96.0.0/32 dev t0", "addr add 100.96.0.2/32 dev t1",
           "addr add 10.1.0.10/32 dev lo", "route add 100.96.0.1/32 dev t0",
           "route add 100.96.0.3/32 dev t1",
           "route add 10.42.0.0/24 via 100.96.0.1 dev t0 onlink src 10.1.0.10")
    lab.ip("net", "addr add 192.0.2.1/24 dev i1", "addr add 198.51.100.1/24 dev i2",
           "addr add 203.0.113.1/32 dev lo", "addr add 10.66.0.1/32 dev lo",
           "route add 10.42.0.0/24 via 192.0.2.2")
    lab.ip("lan", "addr add 10.42.0.10/24 dev eth0", "route add default via 10.42.0.1")
    with open(os.path.join(TOP, "tests/golden/nft/table.json"), encoding="utf-8") as f:
        lab.run("box", ["nft", "-j", "-f", "-"], stdin=f)
    return Box(lab)


class Box:
    def __init__(self, lab):
        self.lab = lab

    def sent(self, ifname):
        link = json.loads(self.lab.out("box", "ip", "-j", "-s", "link", "show", ifname))[0]
        return link["stats64"]["tx"]["packets"]

    def moved(self, action):
        """How many packets an action sent into each tunnel."""
        before = [self.sent("ed0000"), self.sent("ed0001")]
        action()
        return [self.sent("ed0000") - before[0], self.sent("ed0001") - before[1]]

    def ping(self, space, *argv):
        # at once, and with an interval that the last answer may take
        return self.lab.run(space, ["ping", "-n", "-q", "-c", "5", "-l", "5", "-i", "1", "-W", "1",
                                    *argv], check=False).stdout

    def serve(self, space, kind, port):
        server = subprocess.Popen(["nsenter", f"--net=/run/netns/{space}", PYTHON, "-c",
                                   SERVE, kind, str(port)], stdout=subprocess.PIPE)
        self.lab.on_close.append(server.kill)
        assert server.stdout.readline() == b"ready\n"

    def ask(self, space, kind, address, port, *more):
        return self.lab.out(space, PYTHON, "-c", ASK, kind, address, str(port),
                            *more).strip()

    def dropped(self, chain):
        """The sum of a chain's counters."""
        table = json.loads(self.lab.out("box", "nft", "-j", "list", "chain", "inet",
                                        "edged", chain))
        return sum(e["counter"]["packets"] for item in table["nftables"]
                   for e in item.get("rule", {}).get("expr", []) if "counter" in e)


def many(pair, index):
    """All five packets one way, at most a stray one (neighbours) the other."""
    return pair[index] >= 5 and pair[1 - index] <= 3


def test_dscp_chooses_the_class(lab, box):
    assert many(box.moved(lambda: box.ping("lan", "10.1.0.10")), 0)
    assert many(box.moved(lambda: box.ping("lan", "-Q", "184", "10.1.0.10")), 1)
    assert many(box.moved(lambda: box.ping("lan", "-Q", "136", "10.1.0.10")), 1)
    # the box's own packets, too
    assert many(box.moved(lambda: box.ping("box", "-I", "10.42.0.1", "-Q", "184",
                                           "10.1.0.10")), 1)
    assert "5 received" in box.ping("lan", "-Q", "184", "10.1.0.10")


def test_a_flow_keeps_its_class(lab, box):
    """Also when its packets lose their mark on the way; others' bits stay."""
    assert many(box.moved(lambda: lab.out("lan", PYTHON, "-c", FLOW)), 1)
    lab.run("box", ["nft", "-f", "-"], input="""
table inet other {
	chain pre { type filter hook prerouting priority -160; meta mark set 0x55; }
	chain look {
		type filter hook postrouting priority 0
		oifname "ed0001" meta mark & 0xffff == 0x55 meta mark & 0xff0000 == 0x10000 counter
	}
}
""")
    assert many(box.moved(lambda: box.ping("lan", "-Q", "184", "10.1.0.10")), 1)
    assert "packets 0 " not in lab.out("box", "nft", "list", "chain", "inet", "other", "look")


def test_patterns_choose_the_class(lab, box):
    box.serve("far", "udp", 5500)
    box.serve("far", "udp", 6500)
    box.serve("far", "tcp", 443)
    for index, kind, port in ((1, "udp", 5500), (0, "udp", 6500), (1, "tcp", 443)):
        pair = box.moved(lambda k=kind, p=port: [box.ask("lan", k, "10.1.0.10", p)
                                                 for _ in range(8)])
        assert pair[index] >= 8 and pair[1 - index] <= 4, (kind, port, pair)


def test_segments_are_clamped(lab, box):
    box.serve("far", "tcp", 8080)
    box.serve("lan", "tcp", 8080)
    assert int(box.ask("lan", "tcp", "10.1.0.10", 8080).split()[0]) <= 1360
    # from the far end, whose own gateway clamps nothing: its SYN and its answers
    assert int(box.ask("far", "tcp", "10.42.0.10", 8080).split()[0]) <= 1360


def test_uplinks_reach_none_of_our_ports(lab, box):
    box.serve("box", "tcp", 179)
    box.serve("box", "tcp", 8443)
    box.serve("box", "tcp", 22)
    for port in (862, 500, 4500):
        box.serve("box", "udp", port)
    for address in ("192.0.2.2", "198.51.100.2"):
        assert box.ask("net", "tcp", address, 179, "0.5").startswith("no answer")
        assert box.ask("net", "tcp", address, 8443, "0.5").startswith("no answer")
        assert box.ask("net", "udp", address, 862, "0.5").startswith("no answer")
        assert box.ask("net", "udp", address, 500) == "hello"
        assert box.ask("net", "udp", address, 4500) == "hello"
    # the administrator's port is his own matter
    assert not box.ask("net", "tcp", "192.0.2.2", 22).startswith("no answer")
    # an inside address is no way round
    lab.ip("net", "route add 100.96.0.1/32 via 192.0.2.2")
    assert box.ask("net", "tcp", "100.96.0.1", 179, "0.5").startswith("no answer")
    assert box.dropped("input") > 0
    # from inside all of it works
    assert not box.ask("far", "tcp", "100.96.0.1", 179).startswith("no answer")
    assert not box.ask("lan", "tcp", "10.42.0.1", 8443).startswith("no answer")


def test_guarded_prefixes_never_leave_by_an_uplink(lab, box):
    """Even when main is wrong: the belt to the routes' braces."""
    lab.ip("box", "route add 10.66.0.0/16 via 192.0.2.1")
    assert "0 received" in box.ping("lan", "10.66.0.1")
    assert box.dropped("guard") == 5
    assert "0 received" in box.ping("box", "10.66.0.1")
    assert box.dropped("guard-own") == 5
    # outer packets of a tunnel may: the peer's address is where it is
    assert "5 received" in box.ping("box", "-m", str(0x01000000), "10.66.0.1")
    # and what nobody guards, too
    assert "5 received" in box.ping("box", "203.0.113.1")


def test_what_came_by_an_uplink_goes_back_by_it(lab, box):
    """A port that the administrator forwards into the LAN, on the second uplink."""
    lab.run("box", ["nft", "-f", "-"], input="""
table ip admin {
	chain pre {
		type nat hook prerouting priority -100
		iifname "wwan0" tcp dport 8080 dnat to 10.42.0.10
	}
}
""")
    box.serve("lan", "tcp", 8080)
    lab.ip("net", "route del 10.42.0.0/24")
    answer = box.ask("net", "tcp", "198.51.100.2", 8080)
    assert answer.split()[1] == "198.51.100.1"
