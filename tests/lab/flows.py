# SPDX-License-Identifier: GPL-2.0-or-later
"""Request and reply flows (flow.c) and what became of each number"""
import os

from lab import EVENT, LabError, program
from wan import UP

REQUEST_SENT, REQUEST_SEEN, REPLY_SEEN, SEND_FAILED = 1, 2, 3, 4
PORT = 7000
SETTLE_NS = 1_000_000_000       # an answer that takes longer is lost


def wire_bytes(inner, encap=True, outer=20):
    """The IP length outside of an inner packet: AES-GCM-16 ESP, in UDP or not."""
    return outer + (8 if encap else 0) + 8 + 8 + (inner + 2 + 3) // 4 * 4 + 16


def listens(lab, space, address):
    """Has the far end with this address bound its port?"""
    text = lab.out(space, "ss", "-Hlun")
    return f" {address}:{PORT} " in text or f" [{address}]:{PORT} " in text


class Numbers:
    """One flow: when each number was sent, seen there, seen back."""

    def __init__(self, name):
        self.name = name
        self.sent = []           # ns by number
        self.seen = {}           # number -> ns, at the far end
        self.back = {}           # number -> ns, at the near end
        self.failed = 0


class Flows:
    """Flows from one host to one or several, all in one sender process."""

    def __init__(self, lab, source, targets, name="flows"):
        self.lab = lab
        self.source = source
        self.name = name
        self.offset = {}
        self.numbers = {}
        self.order = []
        self.logs = []
        for i, (space, address) in enumerate(targets):
            log = os.path.join(lab.dir, f"{name}-serve{i}.events")
            self.logs.append(log)
            lab.start(f"{name}-serve{i}", space, [program("tests/lab/flow"), "serve",
                                                  log, address, str(PORT)])
            lab.wait_for("the far end of the flows",
                         lambda s=space, a=address: listens(lab, s, a), 10)

    def start(self, flows):
        """flows: (name, address, dscp, pps, inner bytes[, source port])."""
        log = os.path.join(self.lab.dir, self.name + "-send.events")
        self.logs.append(log)
        argv = [program("tests/lab/flow"), "send", log]
        for flow in flows:
            name, address, dscp, pps, size = flow[:5]
            words = [name, address, PORT, dscp, pps, size] + list(flow[5:])
            argv.append(",".join(str(w) for w in words))
            self.numbers[name] = Numbers(name)
            self.order.append(name)
        self.lab.start(self.name + "-send", self.source[0], argv)

    def stop(self):
        """No more requests; what is under way still arrives."""
        self.lab.stop(self.name + "-send")

    def read(self):
        """Takes in what was logged since."""
        for path in self.logs:
            if not os.path.exists(path):
                continue
            with open(path, "rb") as f:
                f.seek(self.offset.get(path, 0))
                data = f.read()
            data = data[:len(data) - len(data) % EVENT.size]
            self.offset[path] = self.offset.get(path, 0) + len(data)
            for ns, seq, flow, kind, _ in EVENT.iter_unpack(data):
                if flow >= len(self.order):
                    raise LabError(f"{path}: flow {flow}?")
                self.take(self.numbers[self.order[flow]], ns, seq, kind)

    @staticmethod
    def take(n, ns, seq, kind):
        if kind == REQUEST_SENT:
            n.sent.append(ns)
        elif kind == REQUEST_SEEN:
            n.seen.setdefault(seq, ns)
        elif kind == REPLY_SEEN:
            n.back.setdefault(seq, ns)
        elif kind == SEND_FAILED:
            n.failed += 1

    def sent(self, name):
        self.read()
        return len(self.numbers[name].sent)

    def fate(self, name, way, since_ns=0, until_ns=1 << 62):
        """[(ns of sending, arrived?)] of a window, for one direction.

        Down counts only numbers that the far end saw and therefore answered.
        """
        n = self.numbers[name]
        if way == UP:
            pairs = ((ns, seq in n.seen) for seq, ns in enumerate(n.sent))
        else:
            pairs = ((n.seen[seq], seq in n.back) for seq in range(len(n.sent))
                     if seq in n.seen)
        return [(ns, ok) for ns, ok in pairs if since_ns <= ns < until_ns]

    def lost(self, name, way, since_ns=0, until_ns=1 << 62):
        self.read()
        return [ns for ns, ok in self.fate(name, way, since_ns, until_ns) if not ok]

    def delays_ms(self, name, way):
        self.read()
        n = self.numbers[name]
        if way == UP:
            return [(n.seen[s] - n.sent[s]) / 1e6 for s in n.seen if s < len(n.sent)]
        return [(n.back[s] - n.seen[s]) / 1e6 for s in n.back if s in n.seen]

    def gap_s(self, name, way, since_ns, until_ns):
        """The longest outage: from the first lost to the next that arrived.

        A request lost on the way there leaves no reply to lose, so for the way
        back an outage is a run of answered numbers that did not come back.
        """
        longest = 0
        began = None
        last = since_ns
        for ns, ok in self.fate(name, way, since_ns, until_ns):
            if not ok and began is None:
                began = ns
            elif ok and began is not None:
                longest = max(longest, ns - began)
                began = None
            last = ns
        if began is not None:
            longest = max(longest, last - began)
        return longest / 1e9
