# SPDX-License-Identifier: GPL-2.0-or-later
"""The look-up order on the bare kernel: what edged's rules and tables rest on

    box  isp1 192.0.2.9    isp2 198.51.100.9    lan 10.42.0.1/24
         ed0000, ed0001: cables that stand for tunnels

Nothing of edged runs here. If one of these fails, the kernel does not do what
the design takes for granted.
"""
import pytest

from lab import LabError


@pytest.fixture
def box(lab):
    lab.namespace("box", "far", forward=True)
    for name in ("isp1", "isp2", "lan", "ed0000", "ed0001"):
        lab.veth("box", name, "far", "x" + name)
    lab.ip("box", "addr add 192.0.2.9/24 dev isp1", "addr add 198.51.100.9/24 dev isp2",
           "addr add 10.42.0.1/24 dev lan", "route add default via 192.0.2.1",
           # what edged writes
           "route add default via 198.51.100.1 dev isp2 table 502 metric 100",
           "route add unreachable default table 502 metric 4294967295",
           "route add unreachable 10.0.0.0/8 metric 4294967295",
           "route add throw 10.0.0.0/8 table 1001 metric 4294967295",
           "route add throw 10.42.0.0/24 table 1001 metric 1",
           "rule add priority 500 fwmark 0x03000000/0xff000000 lookup 502",
           "rule add priority 510 from 198.51.100.9 lookup 502",
           "rule add priority 1000 fwmark 0x00010000/0x00ff0000 lookup 1001")
    return Box(lab)


class Box:
    def __init__(self, lab):
        self.lab = lab
        self.ip = lambda *lines: lab.ip("box", *lines)

    def way(self, args):
        """The device of the look-up, or "unreachable"."""
        done = self.lab.run("box", ["ip", "route", "get", *args.split()], check=False)
        if done.returncode:
            assert "No route to host" in done.stderr, done.stderr
            return "unreachable"
        words = done.stdout.split()
        return words[words.index("dev") + 1]

    def route(self, line):
        self.ip("route " + line)


def test_the_mark_stands_above_main(box):
    """Outer packets leave by their uplink, whatever main and others' bits say."""
    assert box.way("8.8.8.8") == "isp1"
    assert box.way("8.8.8.8 mark 0x03000000") == "isp2"
    assert box.way("8.8.8.8 mark 0x030100ff") == "isp2"
    assert box.way("192.0.2.77 mark 0x03000000") == "isp2"
    for half in ("0.0.0.0/1", "128.0.0.0/1"):
        box.route(f"add {half} dev ed0000 metric 1000")
    assert box.way("8.8.8.8") == "ed0000"
    assert box.way("8.8.8.8 mark 0x03000000") == "isp2"
    assert box.way("8.8.8.8 from 198.51.100.9") == "isp2"
    assert box.way("192.0.2.1") == "isp1"


def test_a_table_that_ends_unreachable_lends_nothing(box):
    box.route("del default table 502 metric 100")
    assert box.way("8.8.8.8 mark 0x03000000") == "unreachable"
    assert box.way("8.8.8.8 from 198.51.100.9") == "unreachable"


def test_a_class_refines_main_and_falls_back_to_it(box):
    mark = " mark 0x00010000"
    assert box.way("10.1.0.7" + mark) == "unreachable"        # the guard of main
    box.route("add 10.1.0.0/16 dev ed0001 metric 1000")
    assert box.way("10.1.0.7" + mark) == "ed0001"             # by throw, then main
    box.route("add 10.1.0.0/16 dev ed0000 table 1001 metric 20")
    assert box.way("10.1.0.7" + mark) == "ed0000"
    assert box.way("10.1.0.7") == "ed0001"
    box.route("del 10.1.0.0/16 dev ed0001 metric 1000")
    box.route("del 10.1.0.0/16 table 1001 metric 20")
    assert box.way("10.1.0.7" + mark) == "unreachable"


def test_unreachable_in_a_class_table_would_hide_main(box):
    """Why class tables hold throws: the other would end the look-up."""
    box.route("add 10.1.0.0/16 dev ed0001 metric 1000")
    box.route("add unreachable 10.1.0.0/16 table 1001 metric 4294967295")
    assert box.way("10.1.0.7 mark 0x00010000") == "unreachable"


def test_a_class_with_a_default_spares_lan_and_guard(box):
    mark = " mark 0x00010000"
    box.route("add default dev ed0000 table 1001 metric 20")
    assert box.way("8.8.8.8" + mark) == "ed0000"
    assert box.way("10.42.0.7" + mark) == "lan"
    assert box.way("10.9.9.9" + mark) == "unreachable"
    box.route("add 10.0.0.0/8 dev ed0001 table 1001 metric 20")
    assert box.way("10.9.9.9" + mark) == "ed0001"             # 20 beats the throw
    assert box.way("10.42.0.7" + mark) == "lan"


def test_the_guard_loses_to_everything_and_is_there_when_it_goes(box):
    assert box.way("10.42.0.7") == "lan"
    box.route("add 10.0.0.0/8 dev ed0000 metric 1000")
    assert box.way("10.9.9.9") == "ed0000"
    box.ip("link set ed0000 down")                            # the kernel drops it
    assert box.way("10.9.9.9") == "unreachable"


def test_next_hops_go_with_their_interface(box):
    """Groups lose members, and routes with the last one: why there is an audit."""
    try:
        box.ip("nexthop add id 21 via 100.96.0.0 dev ed0000 onlink",
               "nexthop add id 22 via 100.96.0.2 dev ed0001 onlink",
               "nexthop add id 50 group 21/22",
               "route add 10.1.0.0/16 nhid 50 table 1001")
    except LabError as err:
        pytest.fail(f"no next-hop objects in this kernel: {err}")
    box.ip("link set ed0000 down")
    assert box.way("10.1.0.7 mark 0x00010000") == "ed0001"
    box.ip("link set ed0001 down")
    assert box.way("10.1.0.7 mark 0x00010000") == "unreachable"
    box.ip("link set ed0001 up")
    assert box.way("10.1.0.7 mark 0x00010000") == "unreachable"
    assert "id 50" not in box.lab.out("box", "ip", "nexthop")
