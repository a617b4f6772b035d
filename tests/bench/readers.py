# SPDX-License-Identifier: GPL-2.0-or-later
"""100 readers of live events: memory while they are there, processor time afterwards

The box of tests/web: edged with one uplink, edge-webui over TLS. Memory is resident
memory; the highest value seen while the crowd is there counts, after one reader was
there before (so that what the first one of any kind needs is not counted twice).
"""
import argparse
import json
import os
import re
import sys
import time

TESTS = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
for room in ("lab", "web"):
    sys.path.insert(0, os.path.join(TESTS, room))
from box import ADDRESS, PORT, Box, Stream                          # noqa: E402
from lab import PYTHON, Lab, tail                                   # noqa: E402

CROWD = os.path.join(TESTS, "bench", "crowd.py")
EDGED_KB = 2048
WEBUI_KB = 20480
SECONDS = 60        # the deaf ones are cut within it
CPU_PERCENT = 5     # of a core, with one status a second to each
QUIET_S = 3


def metric(box, name):
    text = box.ask("/metrics", token=box.tokens["scrape"]).body.decode()
    found = re.search(f"^{re.escape(name)} ([0-9.]+)$", text, re.M)
    return float(found.group(1)) if found else 0.0


def measure(box, out):
    """The figures of one run."""
    names = {"edged": "box-edged", "edge-webui": "edge-webui"}
    first = Stream(box, token=box.tokens["scrape"])
    first.wait("a first reader", lambda s: len(s.events("status")) >= 3)
    before = {n: box.rss_kb(p) for n, p in names.items()}
    first.close()
    cpu = {n: box.cpu_s(p) for n, p in names.items()}
    began = time.monotonic()
    box.lab.start("crowd", "box", [PYTHON, CROWD, ADDRESS, str(PORT), box.tokens["scrape"]])
    box.lab.wait_for("100 readers", lambda: (
        metric(box, "edged_web_readers") >= 100, metric(box, "edged_web_readers")), 30)
    most = dict(before)
    while time.monotonic() - began < SECONDS:
        for n, p in names.items():
            most[n] = max(most[n], box.rss_kb(p))
        time.sleep(0.5)
    took = time.monotonic() - began
    figures = {f"{n} more KB": most[n] - before[n] for n in names}
    for n, p in names.items():
        figures[f"{n} cpu percent"] = round((box.cpu_s(p) - cpu[n]) / took * 100, 2)
    log = tail(box.lab.service("crowd")["log"], 1)
    figures["reading"], figures["messages"] = (int(n) for n in re.findall(r"\d+", log))
    figures["left"] = metric(box, "edged_web_readers")
    box.lab.stop("crowd")
    box.lab.wait_for("all are gone", lambda: metric(box, "edged_web_readers") == 0, 60)
    figures["cpu afterwards"] = quiet(box, names)
    for name, value in figures.items():
        out.write(f"{name}: {value}\n")
    return figures


def quiet(box, names):
    """Processor time in QUIET_S, at most a little after the last one left."""
    end = time.monotonic() + 20
    while True:
        cpu = {n: box.cpu_s(p) for n, p in names.items()}
        time.sleep(QUIET_S)
        used = round(box.cpu_s("edge-webui") - cpu["edge-webui"], 3)
        if used == 0 or time.monotonic() > end:
            return used


def main():
    parser = argparse.ArgumentParser(prog="tests/bench/readers")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    out = sys.stderr if options.json else sys.stdout
    lab = Lab()
    box = Box(lab)
    try:
        box.start()
        figures = measure(box, out)
    finally:
        box.close()
        lab.close()
    good = (figures["edged more KB"] <= EDGED_KB and figures["edge-webui more KB"] <= WEBUI_KB
            and figures["cpu afterwards"] == 0 and figures["reading"] == 70
            and figures["left"] == 70 and figures["edge-webui cpu percent"] <= CPU_PERCENT)
    out.write("pass\n" if good else "fail\n")
    if options.json:
        print(json.dumps({"result": "pass" if good else "fail", "figures": figures}))
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
