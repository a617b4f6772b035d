# SPDX-License-Identifier: GPL-2.0-or-later
"""strongSwan 5.9 as the other end: called by edged, and calling it

    near-host -- near ==== nat ==== [wan: wanem] ==== far -- far-host
    10.42.0.10   192.168.1.2  198.18.1.1         198.18.1.10  10.200.0.10

near calls, through a NAT; far is called. Each test runs with edged at either
end and strongSwan (kernel-libipsec: its own ESP, in UDP) at the other.
"""
import os
import re

import pytest
from daemons import Charon, Edged
from flows import Flows
from lab import PYTHON
from topology import NAT, write_file
from wan import DOWN, UP, Wan

NEAR, FAR = "192.168.1.2", "198.18.1.10"
NEAR_HOST, FAR_HOST = "10.42.0.10", "10.200.0.10"

NEAR_YAML = """
name: box
lan: 10.42.0.0/24
uplinks:
  wan: {{interface: wan, gateway: 192.168.1.1}}
peers:
  gw:
    address: 198.18.1.10
    id: {remote_id}
    networks: 10.200.0.0/16
    inside: 169.254.45.42/30
    probe: {probe}
    dpd: 4s
"""

FAR_YAML = """
name: hub
inside: 100.96.0.0/16
lan: 10.200.0.0/24
uplinks:
  wan: {{interface: wan, gateway: 198.18.1.1}}
peers:
  gw:
    id: "{remote_id}"
    networks: 10.42.0.0/24
    probe: {probe}
    dpd: 4s
"""

CONNECTION = """
 t {{
  version = 2
  local_addrs = {local}
  remote_addrs = {remote}
  proposals = aes256gcm16-prfsha256-x25519
  encap = yes
  mobike = no
  dpd_delay = 4s
  {vips}
  local {{ auth = psk
   id = {local_id} }}
  remote {{ auth = psk
   id = {remote_id} }}
  children {{ t {{
   local_ts = 0.0.0.0/0
   remote_ts = 0.0.0.0/0
   dpd_action = {dpd_action}
   start_action = {start_action}
   esp_proposals = {esp} }} }} }}
"""

TCP_ECHO = """
import socket
s = socket.create_server(("", 7001))
while True:
    c, _ = s.accept()
    while True:
        d = c.recv(4096)
        if not d:
            break
        c.sendall(d)
"""

TCP_TALK = """
import socket, sys, time
s = socket.create_connection((sys.argv[1], 7001), timeout=10)
n = 0
while True:
    line = b"%08d" % n * 100
    s.sendall(line)
    got = b""
    while len(got) < len(line):
        part = s.recv(4096)
        assert part, "closed"
        got += part
    assert got == line
    n += 1
    print(n, flush=True)
    time.sleep(0.05)
"""


FLOOD = """
import os, socket, struct, sys

COOKIE = 16390

def payload(next_type, body):
    return struct.pack("!BBH", next_type, 0, 4 + len(body)) + body

def first_message():
    transforms = (struct.pack("!BxHBxHHH", 3, 12, 1, 20, 0x800e, 256)
                  + struct.pack("!BxHBxH", 3, 8, 2, 5)
                  + struct.pack("!BxHBxH", 0, 8, 4, 31))
    proposal = struct.pack("!BxHBBBB", 0, 8 + len(transforms), 1, 1, 0, 3) + transforms
    body = (payload(34, proposal) + payload(40, struct.pack("!HH", 31, 0) + os.urandom(32))
            + payload(0, os.urandom(32)))
    return os.urandom(8) + struct.pack("!QBBBBII", 0, 33, 0x20, 34, 8, 0,
                                       28 + len(body)) + body

sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
sock.settimeout(5)
for n in range(1, 101):
    sock.sendto(first_message(), (sys.argv[1], 500))
    answer = sock.recv(4096)
    if answer[16] == 41 and struct.unpack("!H", answer[34:36])[0] == COOKIE:
        print("asked for a cookie after", n)
        sys.exit(0)
sys.exit("never asked for a cookie")
"""


class Pair:
    """Both ends; edged is the near one ("calls") or the far one ("is called")."""

    def __init__(self, lab, role, secret="right one", remote_id=None,
                 esp="aes256gcm16-x25519", probe="icmp", settings=""):
        self.lab = lab
        self.probe = probe
        self.role = role
        self.settings = settings     # more of charon's
        lab.namespace("near-host", "far-host", "wan")
        lab.namespace("near", "nat", "far", forward=True)
        lab.veth("near-host", "eth0", "near", "lan")
        lab.veth("far-host", "eth0", "far", "lan")
        lab.veth("near", "wan", "wan", "in")
        lab.veth("nat", "cust", "wan", "out")
        lab.veth("nat", "net", "far", "wan")
        lab.ip("near-host", f"addr add {NEAR_HOST}/24 dev eth0",
               "route add default via 10.42.0.1")
        lab.ip("near", "addr add 10.42.0.1/24 dev lan", f"addr add {NEAR}/24 dev wan",
               "route add default via 192.168.1.1")
        lab.ip("nat", "addr add 192.168.1.1/24 dev cust",
               "addr add 198.18.1.1/24 dev net")
        lab.run("nat", ["nft", "-f", "-"], input=NAT)
        lab.ip("far", f"addr add {FAR}/24 dev wan", "addr add 10.200.0.1/24 dev lan",
               "route add default via 198.18.1.1")
        lab.ip("far-host", f"addr add {FAR_HOST}/24 dev eth0",
               "route add default via 10.200.0.1")
        self.wan = Wan(lab, "wan", {"wire": ("in", "out")})
        self.wan.set("wire", delay=5)
        self.wan.watch("10.42.0.0/16", "10.200.0.0/16")
        if role == "calls":
            self.edged_is_near(secret, remote_id or "gw.example.net", esp)
        else:
            self.edged_is_far(secret, remote_id or "*.gw", esp)

    def edged_is_near(self, secret, remote_id, esp):
        self.ours, self.theirs = "near", "far"
        self.charon = Charon(self.lab, "charon", "far", CONNECTION.format(
            local=FAR, remote="%any", local_id="gw.example.net", remote_id="wan.box",
            vips="", dpd_action="clear", start_action="none", esp=esp),
            'ike { secret = "right one" }', self.settings)
        self.charon.start()
        self.lab.ip("far", "addr add 169.254.45.41/30 dev ipsec0",
                    "route add 10.42.0.0/24 dev ipsec0")
        self.edged = Edged(self.lab, "near", NEAR_YAML.format(remote_id=remote_id,
                                                              probe=self.probe),
                           f'gw: "{secret}"\n')
        self.edged.start(restart_s=1)

    def edged_is_far(self, secret, remote_id, esp):
        self.ours, self.theirs = "far", "near"
        self.edged = Edged(self.lab, "far", FAR_YAML.format(remote_id=remote_id,
                                                            probe=self.probe),
                           f'gw: "{secret}"\n')
        self.edged.start(restart_s=1)
        self.charon = Charon(self.lab, "charon", "near", CONNECTION.format(
            local=NEAR, remote=FAR, local_id="wan.gw", remote_id="wan.hub",
            vips="vips = 0.0.0.0", dpd_action="restart", start_action="none", esp=esp),
            'ike { secret = "right one" }', self.settings)
        self.charon.start()
        self.lab.ip("near", "route add 10.200.0.0/24 dev ipsec0",
                    "route add 100.96.0.0/16 dev ipsec0")
        self.call()

    def call(self):
        self.charon.swanctl("--initiate", "--child", "t", "--timeout", "8", check=False)

    def tunnel(self):
        rows = self.edged.json("ike")["tunnels"]
        return rows[0] if rows else {"state": "none", "child": None}

    def wait_up(self, limit=30):
        self.lab.wait_for("the tunnel", lambda: (self.tunnel().get("child") is not None,
                                                 self.tunnel()), limit)
        self.lab.wait_for("a ping through it", self.ping, limit)

    def ping(self):
        done = self.lab.run("near-host", ["ping", "-c", "1", "-W", "1", FAR_HOST],
                            check=False)
        return (done.returncode == 0, done.stdout)

    def charon_log(self):
        with open(self.lab.service("charon")["log"], encoding="utf-8",
                  errors="replace") as f:
            return f.read()


@pytest.fixture(params=["calls", "is called"])
def role(request):
    return request.param


def start_traffic(lab):
    """A flow of 50 packets a second and a TCP connection, near to far."""
    flows = Flows(lab, ("near-host", NEAR_HOST), [("far-host", FAR_HOST)])
    flows.start([("ping", FAR_HOST, 0, 50, 200)])
    lab.start("tcp-echo", "far-host", [PYTHON, write_file(lab, "echo.py", TCP_ECHO)])
    lab.wait_for("a TCP listener", lambda: ":7001" in lab.out("far-host", "ss", "-Hltn"), 10)
    lab.start("tcp-talk", "near-host", [PYTHON, write_file(lab, "talk.py", TCP_TALK),
                                        FAR_HOST])
    return flows


def talked(lab):
    with open(lab.service("tcp-talk")["log"], encoding="utf-8") as f:
        words = f.read().split()
    return int(words[-1]) if words and words[-1].isdigit() else 0


def goes_on(lab, flows):
    """Half a second more of both kinds of traffic."""
    sent, said = flows.sent("ping"), talked(lab)
    lab.wait_for("traffic in both kinds",
                 lambda: (flows.sent("ping") > sent + 25 and talked(lab) > said + 5,
                          talked(lab)), 10)


def test_rekeys_from_either_side_lose_nothing(lab, role):
    pair = Pair(lab, role)
    pair.wait_up()
    assert pair.tunnel()["encap"]
    flows = start_traffic(lab)
    goes_on(lab, flows)
    before = pair.tunnel()

    def child_is_new(old=before):
        row = pair.tunnel()
        return (row["child"] and row["child"]["spi_in"] != old["child"]["spi_in"], row)

    pair.charon.swanctl("--rekey", "--child", "t")
    lab.wait_for("a new child SA by strongSwan", child_is_new, 10)
    goes_on(lab, flows)

    second = pair.tunnel()
    pair.edged.ctl("peer", "gw", "rekey")
    lab.wait_for("new IKE and child SAs by edged", lambda: (
        child_is_new(second)[0] and pair.tunnel()["spi_i"] != second["spi_i"],
        pair.tunnel()), 10)
    goes_on(lab, flows)

    third = pair.tunnel()
    pair.charon.swanctl("--rekey", "--ike", "t")
    lab.wait_for("a new IKE SA by strongSwan",
                 lambda: (pair.tunnel()["spi_i"] != third["spi_i"], pair.tunnel()), 10)
    goes_on(lab, flows)
    flows.stop()
    assert not flows.lost("ping", UP)
    assert not flows.lost("ping", DOWN)
    assert not pair.wan.leaks()
    assert lab.service("tcp-talk")["pid"], "the TCP connection broke"


def test_a_child_without_pfs_is_rekeyed(lab, role):
    pair = Pair(lab, role, esp="aes256gcm16")
    pair.wait_up()
    before = pair.tunnel()
    pair.charon.swanctl("--rekey", "--child", "t")
    lab.wait_for("a new child SA", lambda: (
        pair.tunnel()["child"]["spi_in"] != before["child"]["spi_in"], pair.tunnel()), 10)
    assert pair.ping()[0]


def test_each_asks_whether_the_other_lives(lab, role):
    """strongSwan dies and comes back; edged notices and the tunnel returns."""
    pair = Pair(lab, role, probe="off")     # idle: else nobody needs to ask
    pair.wait_up()
    lab.wait_for("a DPD request of strongSwan's",
                 lambda: "sending DPD request" in pair.charon_log(), 20)
    lab.wait_for("its answer", lambda: re.search(
        r"parsed INFORMATIONAL response", pair.charon_log()), 10)
    first = pair.tunnel()["spi_i"]
    lab.kill("charon")
    lab.wait_for("its death", lambda: not lab.service("charon")["pid"], 5)
    pair.charon.start()
    if role == "calls":
        lab.ip("far", "addr add 169.254.45.41/30 dev ipsec0",
               "route replace 10.42.0.0/24 dev ipsec0")
    else:
        lab.ip("near", "route replace 10.200.0.0/24 dev ipsec0",
               "route replace 100.96.0.0/16 dev ipsec0")
        pair.call()
    lab.wait_for("another IKE SA", lambda: (
        pair.tunnel().get("child") and pair.tunnel()["spi_i"] != first, pair.tunnel()), 60)
    lab.wait_for("a ping through it", pair.ping, 30)


def test_under_a_flood_a_cookie_is_asked_for_and_given(lab, role):
    """Whoever is called has many half-open callers already."""
    pair = Pair(lab, role, settings="cookie_threshold = 3\n  block_threshold = 0")
    pair.wait_up()
    with_cookie = r"IKE_SA_INIT request 0 \[ N\(COOKIE\)"
    assert not re.search(with_cookie, pair.charon_log())
    first = pair.tunnel()["spi_i"]
    lab.run("nat", [PYTHON, write_file(lab, "flood.py", FLOOD), FAR])
    if role == "calls":
        pair.edged.ctl("peer", "gw", "restart")
    else:
        pair.charon.swanctl("--terminate", "--ike", "t")
        pair.call()
        # went with the address that charon had got
        lab.ip("near", "route replace 10.200.0.0/24 dev ipsec0",
               "route replace 100.96.0.0/16 dev ipsec0")
    lab.wait_for("the first message with a cookie",
                 lambda: (re.search(with_cookie, pair.charon_log()), pair.tunnel()), 20)
    lab.wait_for("another IKE SA", lambda: (
        pair.tunnel().get("child") and pair.tunnel()["spi_i"] != first, pair.tunnel()), 20)
    lab.wait_for("a ping through it", pair.ping, 30)


def said_by_both(lab, pair, ours, theirs):
    """edged's one sentence and strongSwan's log name the cause."""
    def check():
        if pair.role == "is called":
            pair.call()
        row = pair.edged.ctl("ike").stdout + pair.edged.ctl("events").stdout
        log = pair.charon_log()
        return (re.search(ours, row, re.I) and re.search(theirs, log), (row, log[-1500:]))

    lab.wait_for("both say why", check, 30)
    assert pair.tunnel().get("child") is None
    assert not pair.ping()[0]


def test_a_wrong_secret_is_named_by_both(lab, role):
    pair = Pair(lab, role, secret="wrong one")
    said_by_both(lab, pair, r"secret|authentication failed",
                 r"MAC mismatched|AUTHENTICATION_FAILED|AUTH_FAILED")


def test_a_wrong_identity_is_named_by_both(lab, role):
    pair = Pair(lab, role, remote_id="someone.else" if role == "calls" else "*.else")
    said_by_both(lab, pair, r"wan\.box|gw\.example\.net|wan\.gw",
                 r"AUTHENTICATION_FAILED|AUTH_FAILED|no matching peer config")


def test_captures_hold_no_sequence_number_twice(lab, role):
    pair = Pair(lab, role)
    pair.wait_up()
    flows = start_traffic(lab)
    goes_on(lab, flows)
    pair.edged.ctl("peer", "gw", "rekey")
    goes_on(lab, flows)
    flows.stop()
    with open(pair.wan.path, "rb") as f:
        assert os.fstat(f.fileno()).st_size > 1000
    again = Wan.__new__(Wan)
    again.__dict__.update(pair.wan.__dict__, offset=0, names=[])
    seen = [(p.dir, p.spi, p.seq) for p in again.packets() if p.is_esp]
    assert len(seen) > 50
    assert len(seen) == len(set(seen))
