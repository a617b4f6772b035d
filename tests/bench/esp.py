# SPDX-License-Identifier: GPL-2.0-or-later
"""TCP through edge-esp beside strongSwan's kernel-libipsec, same run, same machine

    a  192.0.2.1 ====== 192.0.2.2  b       edge-esp, fixed keys
    c  192.0.2.3 ====== 192.0.2.4  d       charon with kernel-libipsec, PSK
    plain: a to b without a tunnel, for scale

AES-256-GCM in UDP with both. The cables keep their offloads, as network cards
have them. Rounds alternate, so that other work on the machine meets both.
"""
import argparse
import json
import os
import statistics
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(
    os.path.abspath(__file__))), "lab"))
from daemons import Charon                                          # noqa: E402
from dpdrive import End, inside, join                               # noqa: E402
from lab import Lab                                                 # noqa: E402
from topology import STATIC_CONNECTION                              # noqa: E402

SLOT = 1
SECRET = ' ike-t { secret = "only a benchmark" }'


def cable(lab, left, right, left_address, right_address):
    lab.namespace(left, right)
    subprocess.run(["ip", "link", "add", "w", "netns", left, "type", "veth", "peer", "name",
                    "w", "netns", right], check=True)
    for space, address in ((left, left_address), (right, right_address)):
        lab.ip(space, f"addr add {address}/24 dev w", "link set w up")


def cpu_s(pids):
    """User and system time of processes, all their threads."""
    ticks = 0
    for pid in pids:
        with open(f"/proc/{pid}/stat", encoding="ascii") as f:
            fields = f.read().rsplit(")", 1)[1].split()
        ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


class EdgeEsp:
    name = "edge-esp"

    def __init__(self, lab):
        self.lab, self.client, self.server = lab, "a", "b"
        cable(lab, "a", "b", "192.0.2.1", "192.0.2.2")
        ends = [End(lab, "a", "192.0.2.1"), End(lab, "b", "192.0.2.2")]
        for end in ends:
            end.wait_ready()
        join(*ends, SLOT, mtu=1438)
        self.target = inside(SLOT, 2)[0]

    def pids(self):
        return [self.lab.service(f"esp-{s}")["pid"] for s in ("a", "b")]


class Libipsec:
    name = "strongSwan kernel-libipsec"

    def __init__(self, lab):
        self.lab, self.client, self.server = lab, "c", "d"
        outside = {"c": "192.0.2.3", "d": "192.0.2.4"}
        within = {"c": "10.8.0.1", "d": "10.8.0.2"}
        cable(lab, "c", "d", outside["c"], outside["d"])
        self.target = within["d"]
        self.charons = []
        for space, other in (("d", "c"), ("c", "d")):
            charon = Charon(lab, f"charon-{space}", space,
                            STATIC_CONNECTION.format(
                                local=outside[space], remote=outside[other],
                                local_id=outside[space], remote_id=outside[other]),
                            SECRET)
            charon.start()
            lab.wait_for("ipsec0", lambda s=space: "ipsec0" in lab.out(s, "ip", "link"), 20)
            lab.ip(space, f"addr add {within[space]}/30 dev ipsec0", "link set ipsec0 up")
            self.charons.append(charon)
        self.charons[1].swanctl("--initiate", "--child", "t", "--timeout", "20")
        lab.wait_for("a ping through strongSwan", lambda: lab.run(
            "c", ["ping", "-c", "1", "-W", "1", self.target]), 20)

    def pids(self):
        return [self.lab.service(c.name)["pid"] for c in self.charons]


class Plain:
    """The same cable as edge-esp's, without a tunnel."""

    name = "no tunnel"

    def __init__(self, lab):
        self.lab, self.client, self.server, self.target = lab, "a", "b", "192.0.2.2"

    def pids(self):
        return []


def transfer(lab, contender, seconds):
    """iperf3's figures of what was received; KeyError: its server is not ready."""
    done = lab.run(contender.client, ["iperf3", "-c", contender.target, "-t", str(seconds),
                                      "-J"])
    return json.loads(done.stdout)["end"]["sum_received"]


def measure(lab, contender, seconds):
    """One TCP stream: (Gbit/s, daemons' CPU-seconds per GB)."""
    while True:
        before = cpu_s(contender.pids())
        try:
            received = transfer(lab, contender, seconds)
            break
        except KeyError:
            # The server has not begun, or has not done with the last client.
            lab.wait_for("iperf3 answers", lambda: transfer(lab, contender, 1), 20)
    used = cpu_s(contender.pids()) - before
    return received["bits_per_second"] / 1e9, used / (received["bytes"] / 1e9)


def main():
    parser = argparse.ArgumentParser(prog="tests/bench/esp")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=4)
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    lab = Lab()
    try:
        contenders = [EdgeEsp(lab), Libipsec(lab), Plain(lab)]
        for space in ("b", "d"):
            lab.start("iperf-" + space, space, ["iperf3", "-s"])
        runs = {c.name: [] for c in contenders}
        for number in range(args.rounds):
            for c in contenders:
                runs[c.name].append(measure(lab, c, args.seconds))
                print(f"round {number + 1}: {c.name:27} {runs[c.name][-1][0]:6.2f} Gbit/s "
                      f"{runs[c.name][-1][1]:6.2f} CPU-s/GB", file=sys.stderr)
    finally:
        lab.close()

    def row(name):
        gbit, cpu = zip(*runs[name])
        return {"name": name, "gbit_s": round(statistics.median(gbit), 3),
                "gbit_s_min": round(min(gbit), 3), "gbit_s_max": round(max(gbit), 3),
                "cpu_s_per_gb": round(statistics.median(cpu), 3)}

    rows = [row(c.name) for c in contenders]
    ours, theirs, plain = rows
    result = {
        "rounds": args.rounds, "seconds": args.seconds, "cipher": "AES-256-GCM-16",
        "streams": 1, "rows": rows,
        "throughput_ratio": round(ours["gbit_s"] / theirs["gbit_s"], 2),
        "cpu_ratio": round(theirs["cpu_s_per_gb"] / ours["cpu_s_per_gb"], 2),
        "of_plain": round(ours["gbit_s"] / plain["gbit_s"], 3),
    }
    if args.json:
        print(json.dumps(result))
        return
    print(f"{'':27} {'Gbit/s':>8} {'min':>7} {'max':>7} {'CPU-s/GB':>9}")
    for r in rows:
        print(f"{r['name']:27} {r['gbit_s']:8.2f} {r['gbit_s_min']:7.2f} "
              f"{r['gbit_s_max']:7.2f} {r['cpu_s_per_gb']:9.2f}")
    print(f"edge-esp: {result['throughput_ratio']} x strongSwan's throughput, "
          f"{result['cpu_ratio']} x less CPU, {result['of_plain']} of no tunnel")


if __name__ == "__main__":
    main()
