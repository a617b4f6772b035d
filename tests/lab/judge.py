# SPDX-License-Identifier: GPL-2.0-or-later
"""The judge: what became of each class, from outside

It knows three things only: which number of a flow was sent, seen there and
seen back (flows.py), what the emulator did to each packet on each uplink
(wan.py), and how long the machine itself stood still (Witness). Never what the
tested product says about itself.

A flow is known on an uplink, although it is encrypted, by its wire length:
every flow's packets have a size of their own.
"""
import bisect

from flows import wire_bytes
from wan import DOWN, UP

WAYS = {UP: "requests", DOWN: "replies"}
UPLINKS = ("isp1", "isp2", "lte")
COUNT_FACTOR = 3         # where counts stand for times: so many times the limit's packets
VOID_S = 0.3             # a longer stall of the machine voids a measurement
RECENT_PACKETS = 25      # what a class does "now": so many packets' time
RUN = 5                  # packets in a row make a stay on an uplink


class Flow:
    """A flow of the play: its class, its size and where it belongs."""

    def __init__(self, name, kind, dest, address, dscp, pps, size, home):
        self.name = name         # also the class, but for a second flow of it
        self.kind = kind
        self.dest = dest
        self.address = address
        self.dscp = dscp
        self.pps = pps
        self.size = size
        self.home = home         # the uplink it prefers

    def spec(self):
        return (self.name, self.address, self.dscp, self.pps, self.size)

    def lengths(self):
        return {wire_bytes(self.size, encap, outer)
                for encap in (True, False) for outer in (20, 40)}


class Tracker:
    """Which uplink carried which flow, when, by the emulator's log."""

    def __init__(self, wan, flows):
        self.wan = wan
        self.flows = flows
        self.by_length = {n: f.name for f in flows for n in f.lengths()}
        if len(self.by_length) != sum(len(f.lengths()) for f in flows):
            raise ValueError("two flows would have one length on the wire")
        self.pps = {f.name: f.pps for f in flows}
        self.times = {}          # (flow, way) -> [ns]
        self.links = {}          # (flow, way) -> [link]
        self.dropped = {}        # (flow, way) -> n
        self.pairs = {}          # (link, far end) -> [packets up, packets down]
        self.esp_seen = {}       # (src, spi, seq) -> times seen
        for flow in flows:
            for way in (UP, DOWN):
                self.times[flow.name, way] = []
                self.links[flow.name, way] = []
                self.dropped[flow.name, way] = 0

    def read(self):
        for p in self.wan.packets(UPLINKS):
            if not p.is_esp:
                continue
            far = p._dst if p.dir == UP else p._src
            self.pairs.setdefault((p.link, far), [0, 0])[p.dir] += 1
            name = self.by_length.get(p.bytes)
            if name:
                key = (name, p.dir)
                # the log is in order of leaving: a delayed packet comes late
                at = bisect.bisect_right(self.times[key], p.in_ns)
                self.times[key].insert(at, p.in_ns)
                self.links[key].insert(at, p.link)
                self.dropped[key] += not p.out_ns

    def window(self, flow, way, since_ns, until_ns=1 << 62):
        times = self.times[flow, way]
        a, b = bisect.bisect_left(times, since_ns), bisect.bisect_left(times, until_ns)
        return list(zip(times[a:b], self.links[flow, way][a:b]))

    def now_on(self, flow, way, now_ns):
        """{link: packets} of the last packets' time."""
        counts = {}
        recent_ns = RECENT_PACKETS * 10**9 // self.pps[flow]
        for _, link in self.window(flow, way, now_ns - recent_ns):
            counts[link] = counts.get(link, 0) + 1
        return counts

    def only_on(self, flow, way, links, now_ns):
        counts = self.now_on(flow, way, now_ns)
        return bool(counts) and set(counts) <= set(links)

    def last_on(self, flow, way, link, since_ns, until_ns=1 << 62):
        """When the last packet of a flow went by a link; None if none did."""
        times = [ns for ns, seen in self.window(flow, way, since_ns, until_ns)
                 if seen == link]
        return times[-1] if times else None

    def stays(self, flow, way, since_ns, until_ns=1 << 62):
        """The links of a window one after the other, without single packets."""
        stays = []
        run_link, run = None, 0
        for _, link in self.window(flow, way, since_ns, until_ns):
            run_link, run = (link, run + 1) if link == run_link else (link, 1)
            if run == RUN and (not stays or stays[-1] != link):
                stays.append(link)
        return stays

    def tunnels(self):
        """How many (uplink, far end) pairs carry ESP both ways."""
        return sum(1 for up, down in self.pairs.values() if up and down)


class Judge:
    """Collects reasons to fail and the figures behind everything.

    Without times (a virtual machine that is emulated) it judges order and
    counts only: who moved, where to, how often, what was lost elsewhere.
    """

    def __init__(self, tracker, flows, witness, times=True):
        self.times = times
        self.tracker = tracker
        self.flows = flows
        self.witness = witness
        self.reasons = []
        self.figures = {}
        self.voids = 0

    @property
    def result(self):
        return "fail" if self.reasons else "pass"

    def fail(self, reason):
        if reason not in self.reasons:
            self.reasons.append(reason)

    def note(self, group, **figures):
        self.figures.setdefault(group, {}).update(figures)

    def stall(self, since_ns, until_ns):
        return self.witness.worst_s(since_ns, until_ns)

    def within(self, what, seconds, limit, since_ns, until_ns):
        """The rule of time: at most the limit and twice the machine's stall."""
        allowed = limit + 2 * self.stall(since_ns, until_ns)
        if not self.times:
            return True
        if seconds > allowed:
            self.fail(f"{what}: {seconds:.2f} s, allowed are {limit:g} s")
            return False
        return True

    def void(self, since_ns, until_ns):
        """Did the machine stand still for so long that nothing was measured?"""
        worst = self.stall(since_ns, until_ns)
        if worst <= VOID_S or not self.times:
            return False
        self.voids += 1
        return True

    def left(self, flow, link, event_ns, limit, until_ns):
        """Both directions of a flow have left a link within the limit."""
        for way, word in WAYS.items():
            last = self.tracker.last_on(flow, way, link, event_ns, until_ns)
            after = self.tracker.stays(flow, way, last or event_ns, until_ns)
            took = ((last or event_ns) - event_ns) / 1e9
            self.note(f"{flow} left {link}", **{word + "_s": round(took, 3)})
            if not after or after[-1] == link:
                self.fail(f"{flow}: {word} did not leave {link} within {limit:g} s "
                          "of its degradation")
            else:
                self.within(f"{flow}: {word} left {link}", took, limit, event_ns,
                            event_ns + int(limit * 1e9))

    def gap(self, flow, event, limit, since_ns, until_ns, ways=(UP, DOWN)):
        """The longest outage of a flow around an event."""
        self.flows.read()
        for way in ways:
            seconds = self.flows.gap_s(flow, way, since_ns, until_ns)
            self.note(f"{event}, {flow}", **{WAYS[way] + "_gap_s": round(seconds, 3)})
            self.within(f"{event}: {WAYS[way]} of {flow} were lost for", seconds, limit,
                        since_ns, until_ns)

    def lost_about(self, flow, event, limit, since_ns, until_ns):
        """Without times: no more lost than some limits' worth of packets."""
        for way, word in WAYS.items():
            lost = len(self.flows.lost(flow, way, since_ns, until_ns))
            allowed = int(COUNT_FACTOR * limit * self.tracker.pps[flow])
            self.note(f"{event}, {flow}", **{word + "_lost": lost})
            if not self.times and lost > allowed:
                self.fail(f"{event}: {lost} {word} of {flow} were lost, allowed are "
                          f"{allowed}")

    def back(self, flow, home, event, heal_ns, until_ns, limit=60):
        """Home again within the limit, and once."""
        for way, word in WAYS.items():
            stays = self.tracker.stays(flow, way, heal_ns, until_ns)
            away = [self.tracker.last_on(flow, way, link, heal_ns, until_ns)
                    for link in UPLINKS if link != home]
            took = (max([a for a in away if a] or [heal_ns]) - heal_ns) / 1e9
            self.note(f"{event}, {flow}", **{word + "_back_s": round(took, 3),
                                             word + "_stays": stays})
            if not stays or stays[-1] != home:
                self.fail(f"{flow}: {word} are not back on {home} within {limit} s "
                          f"of {event}")
                continue
            if stays.count(home) > 1:
                self.fail(f"{flow}: {word} came back to {home} {stays.count(home)} "
                          f"times after {event}")
            self.within(f"{flow}: {word} back on {home} after {event}", took, limit,
                        heal_ns, until_ns)

    def stayed(self, flow, home, since_ns, until_ns):
        for way, word in WAYS.items():
            stays = self.tracker.stays(flow, way, since_ns, until_ns)
            if stays != [home]:
                self.fail(f"{flow}: {word} were to stay on {home}, went {stays}")

    def no_more_lost_than(self, flow, since_ns, until_ns, slack=3):
        """What the WAN did not drop has arrived."""
        self.flows.read()
        for way, word in WAYS.items():
            lost = len(self.flows.lost(flow, way, since_ns, until_ns))
            dropped = self.tracker.dropped[flow, way]
            self.note("lost", **{f"{flow} {word}": lost, f"{flow} {word} by WAN": dropped})
            if lost > dropped + slack:
                self.fail(f"{flow}: {lost} {word} lost, of which the WAN dropped "
                          f"{dropped}")

    def leaks(self, wan):
        found = wan.leaks()
        count = sum(n for n, _ in found.values())
        self.figures["leaks"] = count
        if found:
            link, way = next(iter(found))
            self.fail("packets of inside addresses went out in clear, the first on "
                      f"{link}: {found[link, way][1]}")
        return count
