# SPDX-License-Identifier: GPL-2.0-or-later
"""The demo behind tests/lab/demo: the play, a live table, a verdict

The outer process starts a frame with this file again inside it, passes signals
on and sees to it that --json prints exactly one object whatever happens. When
it ends, however it ends, the frame goes with it.
"""
import argparse
import json
import os
import signal
import subprocess
import sys
import time
import traceback

import lab as lab_module
from judge import WAYS
from lab import LabError, NotInTime
from play import NATURAL_S, UPLINKS, Play
from topology import EdgedSites, StrongswanSites, World
from wan import DOWN, UP

RESULT_FD = "EDGED_DEMO_RESULT_FD"
ENTER_FD = "EDGED_DEMO_ENTER_FD"
ACTS = {
    "start": "tunnels come up, prefixes are learned, traffic flows",
    "degrade": "isp1 goes bad: +100 ms and 5 % loss each way",
    "cut": "isp2 is cut silently while isp1 is bad",
    "heal": "both are well again",
    "one_way": "one direction of isp2 is cut, then healed",
    "block": "IKE and ESP blocked on all uplinks, the internet is open",
}
REDRAW_S = 0.5
PLAIN_S = 5


class Interrupted(Exception):
    """Ctrl-C or SIGTERM."""


def arguments():
    parser = argparse.ArgumentParser(prog="tests/lab/demo", description=__doc__)
    parser.add_argument("--seconds", type=float, default=NATURAL_S)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--without", choices=["steering", "bgp", "leak-guard"])
    parser.add_argument("--dataplane", choices=["user", "xfrm", "vti"], default="user")
    parser.add_argument("--keep", action="store_true")
    parser.add_argument("--vm", action="store_true",
                        help="an emulated machine: order and counts, no times")
    parser.add_argument("--reference", action="store_true",
                        help="strongSwan and FRR over one tunnel in edged's place")
    return parser.parse_args()


# --- the table -----------------------------------------------------------------

class Table:
    """What one sees: redrawn in a terminal, a line now and then elsewhere."""

    def __init__(self, out):
        self.out = out
        self.live = out.isatty()
        self.began = time.monotonic()
        self.next = 0
        self.phase = None

    def show(self, play):
        now = time.monotonic()
        changed = play.phase != self.phase
        if now < self.next and not changed:
            return
        self.phase = play.phase
        self.next = now + (REDRAW_S if self.live else PLAIN_S)
        if self.live:
            text = "\x1b[H\x1b[2J" + "\n".join(self.lines(play)) + "\n"
        else:
            text = self.line(play)
        self.out.write(text)
        self.out.flush()

    def line(self, play):
        now = play.now()
        where = []
        for name in play.known:
            links = {"+".join(sorted(play.tracker.now_on(name, w, now))) or "-"
                     for w in (UP, DOWN)}
            where.append(f"{name} {'/'.join(sorted(links))}")
        return (f"{time.monotonic() - self.began:5.0f} s  {play.phase:8} "
                + ", ".join(where) + "\n")

    def lines(self, play):
        yield (f"edged demo   {time.monotonic() - self.began:4.0f} s   "
               f"{ACTS[play.phase]}")
        yield ""
        yield "uplink   requests' way          replies' way"
        for link in UPLINKS:
            ways = play.wan.settings.get(link, {})
            yield f"{link:8} " + "  ".join(f"{self.setting(ways.get(w, {})):22}"
                                           for w in ("up", "down"))
        yield ""
        yield "flow          requests  replies   lost      round trip   homes on"
        for name, flow in play.known.items():
            lost, trip = self.recent(play, name)
            now = play.now()
            links = ["+".join(sorted(play.tracker.now_on(name, w, now))) or "-"
                     for w in (UP, DOWN)]
            yield (f"{name:13} {links[0]:9} {links[1]:9} {lost:>6}   {trip:>10}   "
                   f"{flow.home}")
        yield ""
        yield f"in clear on an uplink: {play.judge.figures.get('leaks', 0)} packets"
        for reason in play.judge.reasons:
            yield f"FAIL {reason}"

    @staticmethod
    def setting(s):
        if s.get("cut"):
            return "CUT"
        if s.get("block") == "ike":
            return "IKE and ESP blocked"
        return f"{s.get('delay', 0)} ms, {s.get('loss', 0)} % loss"

    @staticmethod
    def recent(play, name):
        """Loss of the round trips of the last two settled seconds, last trip."""
        n = play.flows.numbers[name]
        now = play.now()
        first = len(n.sent)
        while first and n.sent[first - 1] > now - 3 * 10**9:
            first -= 1
        window = [s for s in range(first, len(n.sent)) if n.sent[s] < now - 10**9]
        if not window:
            return "-", "-"
        lost = sum(s not in n.back for s in window)
        back = [s for s in window if s in n.back]
        trip = f"{(n.back[back[-1]] - n.sent[back[-1]]) / 1e6:.1f} ms" if back else "-"
        return f"{100 * lost / len(window):.1f} %", trip


def report(play, out):
    """What each class did, and the verdict."""
    figures = play.judge.figures
    out.write("\nWhat happened (by the flows and the emulator's log):\n")
    for group, values in figures.items():
        if isinstance(values, dict):
            text = ", ".join(f"{k} {v}" for k, v in values.items())
        else:
            text = str(values)
        out.write(f"  {group}: {text}\n")
    out.write("\nWhere each flow went:\n")
    for name in play.known:
        for way, word in WAYS.items():
            stays = play.tracker.stays(name, way, play.since_ns or 0)
            out.write(f"  {name:12} {word:9} {' -> '.join(stays) or 'nowhere'}\n")
    for reason in play.judge.reasons:
        out.write(f"\nFAIL: {reason}\n")
    out.write(f"\nresult: {play.judge.result}\n")
    out.flush()


# --- inside the frame -------------------------------------------------------------

def look_around(lab, sites, out):
    with os.fdopen(int(os.environ[ENTER_FD])) as f:
        enter = f.read()
    out.write("\nKept. From another terminal:\n")
    out.write(f"  {enter} nsenter --net=/run/netns/branch bash\n")
    for site, edged in getattr(sites, "edged", {}).items():
        out.write(f"  {enter} nsenter --net=/run/netns/{site} "
                  f"{lab_module.program('edgectl')} --run {edged.run_dir} status\n")
    out.write(f"  {enter} ls {lab.dir}      (logs)\nCtrl-C ends it.\n")
    out.flush()
    while True:
        time.sleep(3600)


def play_it(options, out):
    """Builds the world and plays; the result as an object."""
    result = {"result": "fail", "reasons": [], "figures": {}}
    lab = lab_module.Lab()
    try:
        world = World(lab, kernel_esp=options.dataplane != "user")
        if options.reference:
            sites = StrongswanSites(world)
            sites.start()
            more = {"tunnels": 1, "names": ("voice", "business", "default")}
        else:
            world.start_clouds()
            sites = EdgedSites(world, options.dataplane, options.without)
            sites.start()
            more = {"slow": options.vm}
        play = Play(world, sites, options.seconds, bool(options.without or
                                                        options.reference),
                    Table(out).show, **more)
        play.run()
        report(play, out)
        result = {"result": play.judge.result, "reasons": play.judge.reasons,
                  "figures": play.judge.figures}
        if play.judge.reasons and not options.without and not options.reference:
            out.write(lab.logs())
        if options.keep:
            look_around(lab, sites, out)
    except (LabError, NotInTime, OSError) as err:
        result["reasons"].append(str(err).splitlines()[0])
        out.write(f"demo: {err}\n")
        if not isinstance(err, NotInTime):
            out.write(traceback.format_exc() + lab.logs())
    except Interrupted:
        result["result"] = "fail"
        result["reasons"].append("interrupted")
    except Exception as err:     # the demo's own mistake is no pass either
        result["reasons"].append(f"the demo failed: {type(err).__name__}: {err}")
        out.write(traceback.format_exc())
    finally:
        lab.close()
    return result


def inside(options):
    lab_module.furnish_frame()

    def interrupt(*_):
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
        raise Interrupted

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, interrupt)
    try:
        result = play_it(options, sys.stderr if options.json else sys.stdout)
    except Interrupted:
        result = {"result": "fail", "reasons": ["interrupted"], "figures": {}}
    os.write(int(os.environ[RESULT_FD]), json.dumps(result).encode())
    return 0 if result["result"] == "pass" else 1


# --- outside ------------------------------------------------------------------------

def first_child(pid):
    """The first process of the frame as the machine knows it."""
    for _ in range(100):
        try:
            with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as f:
                words = f.read().split()
            if words:
                return int(words[0])
        except OSError:
            return 0
        time.sleep(0.05)
    return 0


def outside(options):
    read_fd, write_fd = os.pipe()
    enter_fd, tell_fd = os.pipe()
    env = lab_module.enter_frame_env()
    env[RESULT_FD] = str(write_fd)
    env[ENTER_FD] = str(enter_fd)
    command = lab_module.frame_command([lab_module.PYTHON, os.path.abspath(__file__)]
                                       + sys.argv[1:])
    # a session of its own: Ctrl-C comes through us, once
    frame = subprocess.Popen(command, env=env, pass_fds=[write_fd, enter_fd],
                             start_new_session=True)
    os.close(write_fd)
    os.close(enter_fd)
    inner = first_child(frame.pid)
    enter = f"nsenter --target {inner} --mount --root --pid"
    with os.fdopen(tell_fd, "w") as f:
        f.write(enter)

    def pass_on(number, _):
        if inner:
            try:
                os.kill(inner, number)
            except ProcessLookupError:
                pass

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, pass_on)
    if options.keep and inner:
        print("To look around meanwhile:\n"
              f"  {enter} nsenter --net=/run/netns/branch bash", file=sys.stderr)
    status = frame.wait()
    with os.fdopen(read_fd, "rb") as f:
        text = f.read().decode()
    try:
        result = json.loads(text)
    except ValueError:
        result = {"result": "fail", "reasons": [f"the demo ended with status {status}"],
                  "figures": {}}
    if options.json:
        print(json.dumps(result))
    return 0 if result["result"] == "pass" and status == 0 else 1


def main():
    options = arguments()
    return inside(options) if lab_module.is_first() else outside(options)


if __name__ == "__main__":
    sys.exit(main())
