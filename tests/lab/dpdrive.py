# SPDX-License-Identifier: GPL-2.0-or-later
"""Two ends of a tunnel with fixed keys: tests/vm/dpdrive and edge-esp, no IKE

    a = End(lab, "a", "192.0.2.1"); b = End(lab, "b", "192.0.2.2")
    join(a, b, slot=7)              interface and SAs at both ends, addresses
"""
import os
import queue
import re
import subprocess
import threading
import time

from lab import LabError, limits_factor, program

ANSWER_S = 10


class End:
    """A namespace's data plane, driven by commands."""

    def __init__(self, lab, space, address, carrier="user", port=4500):
        self.lab = lab
        self.space = space
        self.address = address
        self.port = port
        self.carrier = carrier
        self.events = []
        self.dir = os.path.join(lab.dir, "dp-" + space)
        os.makedirs(self.dir)
        os.chmod(self.dir, 0o777)
        self.process = None
        if carrier == "user":
            self.start_esp()
        lab.on_close.append(self.stop)
        self.start()

    def start_esp(self, restart_s=0.2):
        self.lab.start("esp-" + self.space, self.space,
                       [program("edge-esp"), "--run", self.dir, "--debug"], user="edge-esp",
                       restart_s=restart_s, listen_user="edge-esp",
                       listen={"esp.sock": os.path.join(self.dir, "esp.sock")})
        self.lab.wait_ready("esp-" + self.space)

    def start(self):
        """A new dpdrive: what a restarted edged is."""
        self.answers = queue.Queue()
        self.bound = False
        log = open(os.path.join(self.lab.dir, f"dpdrive-{self.space}.log"), "a",
                   encoding="utf-8")
        self.process = subprocess.Popen(
            ["nsenter", f"--net=/run/netns/{self.space}", program("tests/vm/dpdrive"),
             "--carrier", self.carrier, "--run", self.dir], text=True, bufsize=1,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log)
        log.close()
        self.reader = threading.Thread(target=self.read, args=(self.process, self.answers),
                                       daemon=True)
        self.reader.start()
        first = self.answer()
        if first != [f"ok {self.carrier}"]:
            raise LabError(f"dpdrive {self.space}: {first}")

    def read(self, process, answers):
        for line in process.stdout:
            line = line.rstrip("\n")
            if line.startswith("event "):
                self.events.append(line[6:])
            else:
                answers.put(line)

    def answer(self):
        lines = []
        end = time.monotonic() + ANSWER_S * limits_factor()
        while True:
            try:
                lines.append(self.answers.get(timeout=max(0.1, end - time.monotonic())))
            except queue.Empty:
                raise LabError(f"dpdrive {self.space} does not answer: {lines}") from None
            if lines[-1].split()[0] in ("ok", "error"):
                return lines

    def ask(self, command):
        """A command's answer: its lines, the last one "ok ..." or "error ..."."""
        self.process.stdin.write(command + "\n")
        self.process.stdin.flush()
        return self.answer()

    def do(self, command):
        """A command that must succeed."""
        lines = self.ask(command)
        if not lines[-1].startswith("ok"):
            raise LabError(f"dpdrive {self.space}: {command}: {lines[-1]}")
        return lines

    def bind(self):
        """Hands over socket 1, once in a process's life."""
        if not self.bound:
            self.do(f"socket 1 {self.address} {self.port}")
            self.bound = True

    def stop(self):
        """Ends as a killed edged does: nothing is taken down."""
        if self.process and self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    def saw(self, text):
        return [e for e in self.events if e.startswith(text)]

    def wait_event(self, text, limit=5):
        self.lab.wait_for(f"{self.space}: event {text}",
                          lambda: (bool(self.saw(text)), str(self.events)), limit)

    def wait_ready(self):
        if self.carrier == "user":
            self.wait_event("ready up")

    def counters(self, slot):
        words = self.do(f"counters {slot}")[-1].split()[1:]
        named = dict(zip(words[4::2], map(int, words[5::2])))
        names = ("rx_packets", "rx_bytes", "tx_packets", "tx_bytes")
        return {**dict(zip(names, map(int, words))), **named}

    def sas(self):
        return [line for line in self.do("dump") if line.startswith("sa ")]


def spis(slot, generation):
    """(towards a, towards b) of a pair of SAs."""
    return 0x1000 + slot * 256 + generation * 2, 0x1001 + slot * 256 + generation * 2


def keys(a, b, slot, generation=0, encap="encap", cipher=256, only="in out", mark="0 0"):
    """Install a pair of SAs at both ends: inbound first, as IKE would."""
    to_a, to_b = spis(slot, generation)
    for direction in only.split():
        for here, there, spi in ((a, b, to_a), (b, a, to_b)):
            number = spi if direction == "in" else (to_b if here is a else to_a)
            here.do(f"sa {slot} {direction} {number} {cipher} {number} 1 {here.address} "
                    f"{here.port} {there.address} {there.port} {encap} {mark}")


def inside(slot, end):
    """Inner addresses of a tunnel: IPv4, IPv6."""
    return f"10.9.{slot}.{end}", f"fd00:9:{slot}::{end}"


def interface(lab, end, slot, mine):
    """The two /32 and /128 of a tunnel interface, as core sets them."""
    v4, v6 = inside(slot, mine)
    peer4, peer6 = inside(slot, 3 - mine)
    name = f"ed{slot:04}"
    lab.ip(end.space, f"addr replace {v4}/32 dev {name}", f"addr replace {v6}/128 dev {name} nodad",
           f"route replace {peer4} dev {name} src {v4}",
           f"route replace {peer6} dev {name} src {v6}")


def tunnel(a, b, slot, kind="auto", mtu=1400):
    """The tunnel's interface at both ends, with its addresses."""
    for here, there, mine in ((a, b, 1), (b, a, 2)):
        here.do(f"tunnel {slot} {there.space}/w{slot} {kind} {mtu} {here.address} "
                f"{there.address}")
        interface(here.lab, here, slot, mine)


def wait_carries(a, slot):
    """edge-esp is asked for SAs, not waited for."""
    a.lab.wait_for(f"tunnel {slot} carries packets",
                   lambda: ping(a.lab, a.space, inside(slot, 2)[0], 1), 10)


def join(a, b, slot, kind="auto", mtu=1400, encap="encap", **kw):
    """A whole tunnel."""
    for end in (a, b):
        if encap == "encap" or end.carrier == "user":
            end.bind()
    tunnel(a, b, slot, kind, mtu)
    keys(a, b, slot, encap=encap, **kw)
    wait_carries(a, slot)


def ping(lab, space, address, count=3, interval=0.05, size=56, tos=0, none=False, more=()):
    """How many of count pings were answered; none: no answer is expected.

    With a deadline ping waits for what is late: without one it ends two round trips
    after its last request, and a machine that stands still then looks like loss. It
    may send some more meanwhile, which do not count.
    """
    done = lab.run(space, ["ping", "-n", "-c", str(count), "-i", str(interval),
                           *(("-W", "2") if none else ("-w", "5")), "-s", str(size), "-Q",
                           str(tos), *more, address], check=False)
    if " received" not in done.stdout:
        raise LabError(done.stdout + done.stderr)
    seen = {int(n) for n in re.findall(r"bytes from .* icmp_seq=(\d+) ", done.stdout)}
    return len([n for n in seen if n <= count])
