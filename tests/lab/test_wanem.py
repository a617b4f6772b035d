# SPDX-License-Identifier: GPL-2.0-or-later
"""The emulator's self-test: what it does is what it says

    a (eth0 10.9.0.1) ---- in [wan: wanem] out ---- (eth0 10.9.0.2) b
"""
import os

import pytest
from flows import Flows
from lab import Witness
from wan import CUT, DOWN, LOST, SENT, UP, Wan


@pytest.fixture
def link(lab):
    lab.namespace("a", "b", "wan")
    lab.veth("a", "eth0", "wan", "in")
    lab.veth("b", "eth0", "wan", "out")
    lab.ip("a", "addr add 10.9.0.1/24 dev eth0")
    lab.ip("b", "addr add 10.9.0.2/24 dev eth0")
    return Wan(lab, "wan", {"wire": ("in", "out")}, seed=7)


def run_flow(lab, wan, seconds, pps=100):
    """A flow from a to b; (its events, the emulator's packets of it)."""
    flows = Flows(lab, ("a", "10.9.0.1"), [("b", "10.9.0.2")])
    flows.start([("probe", "10.9.0.2", 0, pps, 200)])
    lab.wait_for("enough requests", lambda: flows.sent("probe") >= seconds * pps,
                 seconds + 10)
    flows.stop()
    lab.wait_for("nothing under way", lambda: quiet(wan), 10)
    return flows, [p for p in wan.history if p.bytes == 200 and p.proto == 17]


def quiet(wan):
    """True once a poll brings nothing new; keeps all of it."""
    new = wan.packets()
    wan.history = getattr(wan, "history", []) + new
    return not new


def test_delay_is_as_set_each_way(lab, link):
    link.set("wire", "up", delay=20)
    link.set("wire", "down", delay=35)
    flows, packets = run_flow(lab, link, 2)
    for way, ms in ((UP, 20), (DOWN, 35)):
        seen = sorted(p.delay_ms for p in packets if p.dir == way)
        assert len(seen) > 150
        assert abs(seen[len(seen) // 2] - ms) < 0.5
        assert seen[0] > ms - 0.1
        assert seen[int(len(seen) * 0.9)] < ms + 1
    there = sorted(flows.delays_ms("probe", UP))
    back = sorted(flows.delays_ms("probe", DOWN))
    assert abs(there[len(there) // 2] - 20) < 1
    assert abs(back[len(back) // 2] - 35) < 1


def test_loss_is_as_set_and_as_logged(lab, link):
    link.set("wire", "up", loss=10)
    flows, packets = run_flow(lab, link, 5, pps=200)
    up = [p for p in packets if p.dir == UP]
    lost = sum(p.verdict == LOST for p in up)
    assert lost == len(flows.lost("probe", UP))
    assert 0.06 < lost / len(up) < 0.14
    assert not flows.lost("probe", DOWN)
    assert all(p.verdict == SENT for p in packets if p.dir == DOWN)


def test_same_seed_same_fate(lab, link):
    fates = []
    for name in ("first", "second"):
        lab.namespace(name + "-a", name + "-wan", name + "-b")
        lab.veth(name + "-a", "eth0", name + "-wan", "in")
        lab.veth(name + "-b", "eth0", name + "-wan", "out")
        lab.ip(name + "-a", "addr add 10.9.0.1/24 dev eth0")
        lab.ip(name + "-b", "addr add 10.9.0.2/24 dev eth0")
        wan = Wan(lab, name + "-wan", {"wire": ("in", "out")}, seed=3, name=name)
        wan.set("wire", "up", loss=20)
        flows = Flows(lab, (name + "-a", "10.9.0.1"), [(name + "-b", "10.9.0.2")],
                      name=name)
        flows.start([("probe", "10.9.0.2", 0, 100, 200)])
        lab.wait_for("requests", lambda f=flows: f.sent("probe") > 120, 10)
        flows.stop()
        packets = [p for p in wan.packets() if p.dir == UP and p.bytes == 200]
        fates.append([p.verdict for p in packets][:100])
    assert fates[0] == fates[1]
    assert LOST in fates[0]


def test_jitter_keeps_order_and_spreads(lab, link):
    link.set("wire", "up", delay=20, jitter=5)
    witness = Witness(lab)
    flows, packets = run_flow(lab, link, 3)
    up = [p for p in packets if p.dir == UP]
    delays = [p.delay_ms for p in up]
    assert 14 < min(delays) < 17
    assert 23 < max(delays) < 27 + 2000 * witness.worst_s(up[0].in_ns)
    assert [p.in_ns for p in up] == sorted(p.in_ns for p in up)
    assert not flows.lost("probe", UP)


def test_a_cut_is_silent_and_one_way(lab, link):
    link.set("wire", "down", cut=1)
    flows, packets = run_flow(lab, link, 1)
    assert len(flows.lost("probe", DOWN)) > 90
    assert not flows.lost("probe", UP)
    assert {p.verdict for p in packets if p.dir == DOWN} == {CUT}
    carrier = open("/dev/null", encoding="ascii")
    carrier.close()
    assert "LOWER_UP" in lab.out("a", "ip", "link", "show", "eth0")


def test_rate_limits_and_the_queue_overflows(lab, link):
    link.set("wire", "up", rate=0.2, queue=5000)
    witness = Witness(lab)
    flows, packets = run_flow(lab, link, 3, pps=250)   # 250 x 200 B = 0.4 Mbit/s
    up = [p for p in packets if p.dir == UP]
    sent = [p for p in up if p.verdict == SENT]
    span = (sent[-1].out_ns - sent[0].out_ns) / 1e9
    rate = sum(p.bytes + 14 for p in sent) * 8 / span / 1e6
    assert 0.17 < rate < 0.23
    stall_ms = 1000 * witness.worst_s(up[0].in_ns)
    assert 150 < max(p.delay_ms for p in sent) < 260 + 2 * stall_ms
    assert len(flows.lost("probe", UP)) == sum(p.verdict != SENT for p in up)


def test_carrier_goes_and_comes(lab, link):
    for state, word in (("down", "NO-CARRIER"), ("up", "LOWER_UP")):
        link.carrier("wire", "in", state)
        lab.wait_for(f"carrier {state}",
                     lambda w=word: w in lab.out("a", "ip", "link", "show", "eth0"), 5)


def test_blocking_ike_and_esp_leaves_the_rest(lab, link):
    link.set("wire", "both", block="ike")
    flows, _ = run_flow(lab, link, 1)
    assert not flows.lost("probe", UP)
    lab.run("a", ["bash", "-c", "for i in 1 2 3; do echo > /dev/udp/10.9.0.2/4500; "
                                "echo > /dev/udp/10.9.0.2/500; done"])
    lab.wait_for("six blocked",
                 lambda: link.stats()["links"]["wire"]["up"]["blocked"] == 6, 5)


def test_leaks_are_counted(lab, link):
    link.watch("10.9.0.2/32", "fd00::/8")
    assert not link.leaks()
    lab.run("a", ["ping", "-c", "2", "-i", "0.2", "10.9.0.2"])
    found = link.leaks()
    assert found["wire", "up"][0] == 2
    assert found["wire", "down"][0] == 2
    assert "10.9.0.1" in found["wire", "up"][1]


def test_wrong_commands_change_nothing(lab, link):
    for words in (("set", "wire", "up", "delay=x"), ("set", "wire", "up", "delya=3"),
                  ("set", "nowhere", "up", "delay=3"), ("watch", "10.0.0.0/40"),
                  ("fly",)):
        with pytest.raises(Exception, match="error"):
            link.ask(*words)
    lab.run("a", ["ping", "-c", "1", "-W", "1", "10.9.0.2"])


def test_super_packets_do_not_cross(lab, link):
    """Offloads are off: TCP arrives in packets of the WAN's size."""
    size = 1 << 20
    target = os.path.join(lab.dir, "got")
    lab.start("sink", "b", ["socat", "-u", "TCP-LISTEN:99", "CREATE:" + target])
    lab.wait_for("a listener", lambda: ":99" in lab.out("b", "ss", "-Hltn"), 5)
    lab.run("a", ["sh", "-c", f"head -c {size} /dev/zero | socat -u - TCP:10.9.0.2:99"])
    lab.wait_for("all of it", lambda: os.path.getsize(target) == size, 10)
    quiet(link)
    assert max(p.bytes for p in link.history) == 1500
