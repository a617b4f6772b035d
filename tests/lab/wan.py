# SPDX-License-Identifier: GPL-2.0-or-later
"""Client of the WAN emulator (wanem.c) and reader of its log"""
import ipaddress
import json
import os
import socket
import struct

from lab import LabError, program

RECORD = struct.Struct("<qqIIHHHBBBBBBB3x16s16s")
HEADER = struct.Struct("<8sII")
NAME_LEN = 16
LINK = 7                 # place of the link's number in a record
UP, DOWN = 0, 1
SENT, LOST, CUT, BLOCKED, OVERFLOW, FAILED = range(1, 7)
LEAK, ESP, IKE, SUPER = 1, 2, 4, 8


class Packet:
    """One record of the log."""

    __slots__ = ("in_ns", "out_ns", "spi", "seq", "bytes", "sport", "dport", "link",
                 "dir", "verdict", "family", "proto", "tos", "flags", "_src", "_dst")

    def __init__(self, fields, names):
        (self.in_ns, self.out_ns, self.spi, self.seq, self.bytes, self.sport,
         self.dport, link, self.dir, self.verdict, self.family, self.proto, self.tos,
         self.flags, self._src, self._dst) = fields
        self.link = names[link]

    @property
    def src(self):
        return self.address(self._src)

    @property
    def dst(self):
        return self.address(self._dst)

    def address(self, raw):
        if self.family == 4:
            return str(ipaddress.IPv4Address(raw[:4]))
        return str(ipaddress.IPv6Address(raw))

    @property
    def delay_ms(self):
        return (self.out_ns - self.in_ns) / 1e6

    @property
    def dscp(self):
        return self.tos >> 2

    @property
    def is_esp(self):
        return bool(self.flags & ESP)


class Wan:
    """The emulator of one lab, in its own namespace."""

    def __init__(self, lab, space, links, seed=1, name="wanem"):
        """links: {link: (inside interface, outside interface)}, both in space."""
        self.lab = lab
        self.path = os.path.join(lab.dir, name + ".log.bin")
        self.control = os.path.join(lab.dir, name + ".sock")
        self.offset = 0
        self.names = []
        self.settings = {}       # {link: {way: what was set}}
        argv = [program("tests/lab/wanem"), "--control", self.control,
                "--log", self.path, "--seed", str(seed)]
        for link, (inside, outside) in links.items():
            argv += ["--link", f"{link}={inside}:{outside}"]
        lab.start(name, space, argv)
        self.sock = None
        lab.wait_for("the emulator's control socket", self.connect, 10)

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        try:
            self.sock.connect(self.control)
        except OSError:
            self.sock.close()
            return False
        return True

    def ask(self, *words):
        """Sends a command; (its time in ns, the rest of the answer)."""
        self.sock.send(" ".join(str(w) for w in words).encode())
        answer = self.sock.recv(1 << 17).decode()
        if not answer.startswith("ok "):
            raise LabError(f"wanem: {' '.join(map(str, words))}: {answer}")
        ns, _, rest = answer[3:].partition(" ")
        return int(ns), rest

    def set(self, link, way="both", **settings):
        """Changes a link; the time from which it holds, in ns."""
        for each in ("up", "down") if way == "both" else (way,):
            self.settings.setdefault(link, {}).setdefault(each, {}).update(settings)
        words = [f"{k}={v}" for k, v in settings.items()]
        return self.ask("set", link, way, *words)[0]

    def watch(self, *prefixes):
        return self.ask("watch", *prefixes)[0]

    def carrier(self, link, side, state):
        return self.ask("carrier", link, side, state)[0]

    def stats(self):
        return json.loads(self.ask("stats")[1])

    def leaks(self):
        """{(link, way): (count, first one)} of what must never be seen."""
        found = {}
        for link, ways in self.stats()["links"].items():
            for way, n in ways.items():
                if n["leaks"]:
                    found[link, way] = (n["leaks"], n["first_leak"])
        return found

    def packets(self, links=None):
        """What was logged since the last call, in order of leaving; of these links."""
        self.ask("sync")
        with open(self.path, "rb") as f:
            if not self.names:
                magic, size, nlinks = HEADER.unpack(f.read(HEADER.size))
                if magic != b"WANEM001" or size != RECORD.size:
                    raise LabError("the emulator's log has another format")
                self.names = [f.read(NAME_LEN).rstrip(b"\0").decode()
                              for _ in range(nlinks)]
                self.offset = f.tell()
            f.seek(self.offset)
            data = f.read()
        data = data[:len(data) - len(data) % RECORD.size]
        self.offset += len(data)
        wanted = {i for i, name in enumerate(self.names) if not links or name in links}
        return [Packet(fields, self.names) for fields in RECORD.iter_unpack(data)
                if fields[LINK] in wanted]
