# SPDX-License-Identifier: GPL-2.0-or-later
"""edge-esp with fixed keys, driven through the data plane's interface

    a  192.0.2.1 --- w --- 192.0.2.2  b        edge-esp and dpdrive at both ends
       2001:db8::1         2001:db8::2         tunnel 7: 10.9.7.1, 10.9.7.2, fd00:9:7::
"""
import json
import os
import struct
import subprocess

import pytest

from dpdrive import End, inside, interface, join, keys, ping, spis, tunnel, wait_carries
from flows import Flows
from lab import LabError
from wan import DOWN, UP

SLOT = 7
IFNAME = "ed0007"
KEEPALIVE_TO = "192.0.2.2/4500"
KEEPALIVE_BYTES = 20 + 8 + 1


@pytest.fixture(name="ends")
def make_ends(lab):
    lab.namespace("a", "b")
    lab.veth("a", "w", "b", "w")
    for space, n in (("a", 1), ("b", 2)):
        lab.ip(space, f"addr add 192.0.2.{n}/24 dev w",
               f"addr add 2001:db8::{n}/64 dev w nodad")
    a, b = End(lab, "a", "192.0.2.1"), End(lab, "b", "192.0.2.2")
    a.wait_ready()
    b.wait_ready()
    return a, b


class Capture:
    """ESP packets on the wire at one end: (SPI, sequence, TOS, DF, length)."""

    def __init__(self, lab, space):
        self.lab = lab
        self.path = os.path.join(lab.dir, f"{space}.pcap")
        self.process = subprocess.Popen(
            ["nsenter", f"--net=/run/netns/{space}", "tcpdump", "-U", "--immediate-mode", "-Z", "root", "-i", "w",
             "-w", self.path, "udp", "port", "4500"], stderr=subprocess.PIPE, text=True)
        for line in self.process.stderr:
            if "listening on" in line:
                break

    def frames(self):
        """The IP packets that tcpdump has written."""
        with open(self.path, "rb") as f:
            data = f.read()
        at, out = 24, []
        while at + 16 <= len(data):
            n = struct.unpack_from("<I", data, at + 8)[0]
            out.append(data[at + 16 + 14:at + 16 + n])
            at += 16 + n
        return out

    def packets(self):
        # What tcpdump has not read is lost with it: all before this keep-alive it has.
        self.lab.run("a", ["bash", "-c", f"printf '\\xff' >/dev/udp/{KEEPALIVE_TO}"])
        self.lab.wait_for("the end of the capture", lambda: any(
            len(ip) == KEEPALIVE_BYTES for ip in self.frames()), 10)
        self.process.terminate()
        self.process.wait()
        out = []
        for ip in self.frames():
            if ip[0] >> 4 != 4 or len(ip) == KEEPALIVE_BYTES:
                continue
            udp = ip[(ip[0] & 15) * 4:]
            spi, seq = struct.unpack_from(">II", udp, 8)
            out.append((spi, seq, ip[1], ip[6] & 0x40, len(ip)))
        return out


def transfer(lab, address, extra):
    done = lab.run("a", ["iperf3", "-c", address, "-n", "30M", "-J", *extra])
    return json.loads(done.stdout)["end"]["sum_received"]["bytes"]


def test_an_interface_that_is_set_up_is_only_looked_at(lab, ends):
    """Each message about an interface that is up costs a walk over all IPv6 routes."""
    a, _ = ends
    order = f"tunnel {SLOT} b/w{SLOT} auto 1400 192.0.2.1 192.0.2.2"
    path = os.path.join(lab.dir, "links")
    marks = iter(range(101, 200))
    with open(path, "wb") as out:
        monitor = subprocess.Popen(["nsenter", "--net=/run/netns/a", "ip", "-o", "monitor",
                                    "link"], stdout=out)
    lab.on_close.append(monitor.wait)
    lab.on_close.append(monitor.kill)

    def lines():
        with open(path, encoding="utf-8") as f:
            return f.readlines()

    def told():
        """How often the interface was told about, up to now: a change of another's group."""
        mark = next(marks)
        lab.ip("a", f"link set w group {mark}")
        lab.wait_for(f"group {mark}", lambda: any(f"group {mark} " in n for n in lines()), 5)
        return sum(IFNAME in n for n in lines())

    lab.wait_for("the monitor", lambda: lab.ip("a", f"link set w group {next(marks)}") or
                 lines(), 5)
    a.do(order)
    before = told()
    assert before
    a.do(order)
    assert told() == before
    for other in ("alias other", "mtu 1300", "group 7", "down", "addrgenmode eui64"):
        lab.ip("a", f"link set {IFNAME} {other}")
        before = told()
        a.do(order)
        assert told() > before, other
        before = told()
        a.do(order)
        assert told() == before, other


def test_ping_and_tcp_both_families(lab, ends):
    a, b = ends
    join(a, b, SLOT)
    for address in inside(SLOT, 2):
        assert ping(lab, "a", address, 5) == 5
    lab.start("iperf", "b", ["iperf3", "-s"])
    for address in inside(SLOT, 2):
        for extra in ([], ["-R"]):
            lab.wait_for("30 MB by TCP", lambda ad=address, ex=tuple(extra): transfer(
                lab, ad, ex) >= 25 << 20, 20)
    for end in ends:
        count = end.counters(SLOT)
        assert count["auth"] == count["bad"] == count["replay"] == 0
        assert count["rx_bytes"] > 50 << 20
    link = json.loads(lab.out("a", "ip", "-j", "-d", "link", "show", IFNAME))[0]
    assert link["ifalias"] == "b/w7" and link["mtu"] == 1400
    assert a.do(f"kind {SLOT}") == ["ok user"]


def test_rekey_under_load_loses_nothing(lab, ends):
    a, b = ends
    join(a, b, SLOT)
    flows = Flows(lab, ("a", inside(SLOT, 1)[0]), [("b", inside(SLOT, 2)[0])])
    flows.start([("load", inside(SLOT, 2)[0], 0, 200, 84)])
    lab.wait_for("requests", lambda: flows.sent("load") > 20, 10)
    for generation in range(1, 6):
        keys(a, b, SLOT, generation)
        # Datagrams stay in order: behind these nothing of the old SAs is on its way.
        marks = [(end, end.counters(SLOT)["rx_packets"] + 20) for end in ends]
        lab.wait_for("traffic on the new SAs", lambda m=marks: all(
            end.counters(SLOT)["rx_packets"] > mark for end, mark in m), 5)
        to_a, to_b = spis(SLOT, generation - 1)
        for end, mine, other in ((a, to_a, to_b), (b, to_b, to_a)):
            end.do(f"del {SLOT} out {other}")
        for end, mine in ((a, to_a), (b, to_b)):
            end.do(f"del {SLOT} in {mine}")
    flows.stop()
    assert flows.sent("load") > 100
    assert not flows.lost("load", UP) and not flows.lost("load", DOWN)
    assert len(a.sas()) == 2


def test_dscp_is_copied_and_df_set(lab, ends):
    a, b = ends
    join(a, b, SLOT)
    capture = Capture(lab, "b")
    peer = inside(SLOT, 2)[0]
    for tos in (0xb8, 0x28, 0x02):
        assert ping(lab, "a", peer, 2, tos=tos) == 2
    packets = capture.packets()
    assert {p[2] for p in packets} == {0xb8, 0x28, 0x02}
    assert all(p[3] for p in packets)


def test_congestion_marks_come_through(lab, ends):
    a, b = ends
    join(a, b, SLOT)
    lab.run("b", ["nft", "add table ip m; add chain ip m pre { type filter hook prerouting "
                  "priority 0; }; add rule ip m pre iifname w ip ecn set ce"])
    # Not ECN-capable inside: a mark outside means the packet is dropped.
    assert ping(lab, "a", inside(SLOT, 2)[0], 2, tos=0, none=True) == 0
    assert b.counters(SLOT)["bad"] == 2
    assert ping(lab, "a", inside(SLOT, 2)[0], 2, tos=2) == 2


def test_ike_and_keepalives_share_the_port(lab, ends):
    a, b = ends
    join(a, b, SLOT)
    for n in range(5):
        a.do(f"ike 1 192.0.2.2 4500 c0ffee{n:02x}")
    b.wait_event("ike 1 192.0.2.1:4500 c0ffee04")
    assert len(b.saw("ike")) == 5
    lab.run("a", [*"/usr/bin/python3 -c".split(),
                  "import socket; s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\n"
                  "for m in (b'\\xff', b'', b'\\0\\0\\0\\0', b'\\0\\0\\0', b'x' * 40):\n"
                  "    s.sendto(m, ('192.0.2.2', 4500))"])
    assert ping(lab, "a", inside(SLOT, 2)[0]) == 3
    assert len(b.saw("ike")) == 5
    count = b.counters(SLOT)
    assert count["bad"] == count["auth"] == 0


def test_an_ike_message_may_ride_at_the_end_of_a_train(lab, ends):
    a, b = ends
    join(a, b, SLOT)
    # Over loopback a UDP_SEGMENT send arrives as one datagram of three pieces.
    lab.run("b", ["/usr/bin/python3", "-c",
                  "import socket, struct\n"
                  "s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\n"
                  "s.setsockopt(socket.IPPROTO_UDP, 103, 60)\n"
                  "s.sendto(b'\\1' * 120 + b'\\0\\0\\0\\0tail', ('192.0.2.2', 4500))"])
    b.wait_event("ike 1 192.0.2.2:")
    assert b.saw("ike")[0].endswith(" " + b"tail".hex())


def test_edged_may_die_and_come_back(lab, ends):
    a, b = ends
    join(a, b, SLOT)
    peer = inside(SLOT, 2)[0]
    before = a.sas()
    a.stop()
    # Nobody but edge-esp holds the TUN now; it carries on.
    assert ping(lab, "a", peer, 5) == 5
    b.do("ike 1 192.0.2.1 4500 0badcafe")
    a.events.clear()
    a.start()
    a.do(f"tunnel {SLOT} b/w7 auto 1400 192.0.2.1 192.0.2.2")
    a.wait_ready()
    assert a.sas() == before
    assert not a.saw("lost")
    assert ping(lab, "a", peer, 5) == 5
    # The TUN came back: with edge-esp gone it keeps its carrier by edged alone.
    assert any(line.startswith("fd dp-tun-7 ") for line in a.do("fds"))
    keys(a, b, SLOT, 1)
    wait_carries(a, SLOT)
    assert ping(lab, "a", peer, 5) == 5


def test_a_waiting_ike_message_is_kept_for_the_next_edged(lab, ends):
    a, b = ends
    join(a, b, SLOT)
    a.stop()
    b.do("ike 1 192.0.2.1 4500 0badcafe")
    assert ping(lab, "a", inside(SLOT, 2)[0], 1) == 1
    a.events.clear()
    a.start()
    # The port is still bound by edge-esp's duplicate: no fd store in this test.
    assert a.ask("socket 1 192.0.2.1 4500")[-1].startswith("error")
    a.wait_ready()


def test_edge_esp_dies_and_no_number_is_used_twice(lab, ends):
    a, b = ends
    join(a, b, SLOT)
    peer = inside(SLOT, 2)[0]
    capture = Capture(lab, "b")
    assert ping(lab, "a", peer, 5) == 5
    a.events.clear()
    # The keeper holds the socket: without its name nobody comes back before we say so.
    sock = os.path.join(a.dir, "esp.sock")
    os.rename(sock, sock + ".away")
    lab.kill("esp-a")
    a.wait_event("ready down")
    # Installed while it is away: it never existed.
    to_b = spis(SLOT, 8)[1]
    a.do(f"sa {SLOT} out {to_b} 256 {to_b} 1 192.0.2.1 4500 192.0.2.2 4500 encap")
    os.rename(sock + ".away", sock)
    a.wait_event("ready up")
    lost = sorted(int(e.split()[3]) for e in a.saw("lost"))
    assert lost == sorted([*spis(SLOT, 0), to_b])
    assert a.sas() == []
    assert ping(lab, "a", peer, 1, none=True) == 0
    keys(a, b, SLOT, 1)
    wait_carries(a, SLOT)
    assert ping(lab, "a", peer, 5) == 5
    link = json.loads(lab.out("a", "ip", "-j", "link", "show", IFNAME))[0]
    assert "LOWER_UP" in link["flags"]
    seen = [p[:2] for p in capture.packets() if p[0]]
    assert len(seen) > 15 and len(seen) == len(set(seen))


def test_a_new_source_is_reported_and_followed_on_order(lab, ends):
    a, b = ends
    join(a, b, SLOT)
    peer = inside(SLOT, 1)[0]
    assert ping(lab, "b", peer) == 3
    # A NAT gives a another port.
    lab.run("a", ["nft", "add table ip n; add chain ip n post { type nat hook postrouting "
                  "priority 100; }; add rule ip n post oifname w udp sport 4500 snat to "
                  "192.0.2.1:61000"])
    lab.run("a", ["sh", "-c", "conntrack -F 2>/dev/null; true"])
    to_a, to_b = spis(SLOT, 0)
    ping(lab, "a", inside(SLOT, 2)[0], 2)
    b.wait_event(f"mapping {SLOT} {to_b} 192.0.2.1:61000")
    for direction, spi in (("in", to_b), ("out", to_a)):
        b.do(f"update {SLOT} {direction} {spi} 1 192.0.2.2 4500 192.0.2.1 61000")
    assert ping(lab, "b", peer) == 3
    assert len(b.saw("mapping")) == 1


def test_replayed_and_forged_packets_are_counted_and_dropped(lab, ends):
    a, b = ends
    join(a, b, SLOT)
    capture = Capture(lab, "b")
    assert ping(lab, "a", inside(SLOT, 2)[0], 3) == 3
    sent = [p for p in capture.packets() if p[0] == spis(SLOT, 0)[1]]
    before = b.counters(SLOT)
    replay = ("import socket, struct\n"
              f"data = open({capture.path!r}, 'rb').read(); at = 24\n"
              "s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\n"
              "while at < len(data):\n"
              "    n = struct.unpack_from('<I', data, at + 8)[0]\n"
              "    p = data[at + 16 + 42:at + 16 + n]; at += 16 + n\n"
              "    if len(p) < 8: continue\n"
              f"    if struct.unpack_from('>I', p)[0] != {spis(SLOT, 0)[1]}: continue\n"
              "    s.sendto(p, ('192.0.2.2', 4500))\n"
              "    q = bytearray(p); q[5] ^= 1; s.sendto(bytes(q), ('192.0.2.2', 4500))\n")
    lab.run("a", ["/usr/bin/python3", "-c", replay])

    def refused():
        count = b.counters(SLOT)
        return (count["replay"] == count["auth"] == len(sent) >= 3, count)

    after = lab.wait_for("replays and forgeries are counted", refused, 5)[1]
    assert after["rx_packets"] == before["rx_packets"]
    assert not b.saw("mapping")


def test_a_vanished_interface_is_made_again(lab, ends):
    a, b = ends
    join(a, b, SLOT)
    lab.ip("a", f"link del {IFNAME}")
    a.wait_event(f"restored {SLOT}")
    interface(lab, a, SLOT, 1)
    assert ping(lab, "a", inside(SLOT, 2)[0]) == 3


def test_what_is_ours_goes_and_nothing_else(lab, ends):
    a, b = ends
    join(a, b, SLOT)
    tunnel(a, b, 8)
    lab.ip("a", "link add ed9999 type veth peer name other")
    with pytest.raises(LabError):
        a.do("tunnel 9999 x auto 1400 192.0.2.1 192.0.2.2")
    a.do(f"remove {SLOT}")
    names = {link["ifname"] for link in lab.links("a")}
    assert IFNAME not in names and {"ed0008", "ed9999", "w"} <= names
    assert a.sas() == []
    # A new edged without that tunnel in its file.
    a.stop()
    a.events.clear()
    a.start()
    a.wait_ready()
    a.do("sweep")
    names = {link["ifname"] for link in lab.links("a")}
    assert "ed0008" not in names and {"ed9999", "w"} <= names


def test_ipv6_outside(lab, ends):
    a, b = ends
    a.address, b.address = "2001:db8::1", "2001:db8::2"
    join(a, b, SLOT, mtu=1418)
    for address in inside(SLOT, 2):
        assert ping(lab, "a", address, size=1300) == 3


def test_largest_inner_packet_fits_the_wire(lab, ends):
    a, b = ends
    join(a, b, SLOT, mtu=1438, cipher=128)
    capture = Capture(lab, "b")
    assert ping(lab, "a", inside(SLOT, 2)[0], 2, 0.1, size=1410, more=("-M", "do")) == 2
    assert max(p[4] for p in capture.packets()) == 1500


def test_a_hostile_client_is_dropped_and_changes_nothing(lab, ends):
    a, b = ends
    join(a, b, SLOT)
    before = a.sas()
    script = """
import os, socket, struct, sys
path = sys.argv[1]
def talk(*messages):
    s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    s.connect(path)
    for m in messages:
        try: s.send(m)
        except OSError: break
    s.settimeout(5)
    try:
        while s.recv(65536): pass
    except OSError: pass
    s.close()
def msg(kind, body, length=None, version=1):
    n = 16 + len(body)
    return struct.pack("<IHHII", n if length is None else length, kind, version, 1, 0) + body
for m in (b"x", b"", os.urandom(200), os.urandom(60000), msg(8, b"", 99), msg(8, b"", None, 9),
          msg(77, b""), msg(5, bytes(8)), msg(64, bytes(8)), msg(1, bytes(24)) * 2):
    talk(m)
# Well-formed and wrong: answered, not obeyed.
s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
s.connect(path)
s.recv(65536)
for kind, body in ((1, bytes(24)), (3, bytes(8)), (3, b"\\xff" * 8), (5, os.urandom(92)),
                   (7, os.urandom(92)), (4, b"\\xff" * 8)):
    s.send(msg(kind, body))
    answer = s.recv(65536)
    assert struct.unpack("<IHHIIiI", answer)[5] < 0, (kind, answer)
"""
    a.stop()
    esp = os.path.join(a.dir, "esp.sock")
    done = lab.run("a", ["/usr/bin/python3", "-c", script, esp], check=False)
    assert done.returncode == 0, done.stderr
    # edged connects again and finds everything as it was.
    a.events.clear()
    a.start()
    a.wait_ready()
    assert a.sas() == before
    assert lab.service("esp-a")["starts"] == 1
    assert ping(lab, "a", inside(SLOT, 2)[0]) == 3
    # Nobody else may connect.
    other = lab.run("a", ["setpriv", "--reuid", "60990", "--regid", "60990", "--clear-groups",
                          "/usr/bin/python3", "-c", script, esp], check=False)
    assert other.returncode != 0
