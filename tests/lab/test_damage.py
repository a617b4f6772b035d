# SPDX-License-Identifier: GPL-2.0-or-later
"""What a start makes of state that is damaged: one clear line each, and it runs

    branch === hub, both edged; the branch is killed, its files are spoiled
"""
import os
import shutil
import sqlite3
import statistics
import time

import pytest

from lab import NotInTime, limits_factor
from test_tunnel import Sites


def truncated(path):
    os.truncate(path, os.path.getsize(path) // 2)


def emptied(path):
    os.truncate(path, 0)


def zeroed(path):
    size = max(os.path.getsize(path), 4096)
    with open(path, "wb") as f:
        f.write(bytes(size))


def random_bytes(path):
    size = max(os.path.getsize(path), 65536)
    with open(path, "wb") as f:
        f.write(os.urandom(size))


def long_junk(path):
    with open(path, "wb") as f:
        f.write(b"junk\n" * 200000)


def unreadable(path):
    os.chown(path, 0, 0)
    os.chmod(path, 0o600)


def folder(path):
    os.unlink(path)
    os.mkdir(path)
    with open(os.path.join(path, "x"), "w", encoding="utf-8") as f:
        f.write("x")


def link(path):
    os.unlink(path)
    os.symlink("/etc/passwd", path)


def fifo(path):
    os.unlink(path)
    os.mkfifo(path)


def gone(path):
    os.unlink(path)


DAMAGES = [truncated, emptied, zeroed, random_bytes, long_junk, unreadable, folder, link,
           fifo, gone]


NAMES = ["slots", "overrides", "inside", "applied.yaml", "edged.db"]
# Read when edged.yaml is bad, and written anew at each start.
QUIET = ["applied.yaml"]
# Lines of one start, however much of a file is bad.
LINES_MAX = 5
ANSWER_S = 0.2


class Branch:
    def __init__(self, lab):
        self.lab = lab
        self.sites = Sites(lab)
        self.edged = self.sites.branch
        self.sites.hub.start(restart_s=1)
        # by hand: only then is a file spoiled before the next life reads it
        self.edged.start(restart_s=600)
        lab.wait_for("three tunnels up", self.sites.up, 30)
        self.edged.ctl("uplink", "lte", "down")

    def files(self):
        state, ike = self.edged.state_dir, os.path.join(self.edged.run_dir, "ike")
        return ([os.path.join(state, n) for n in NAMES]
                + [os.path.join(ike, n) for n in os.listdir(ike) if len(n) == 16])

    def restart(self, spoil, told=lambda lines: True):
        """kill -9, spoil, and what the next life says until all is told that is due."""
        lab, name = self.lab, "branch-edged"
        service = lab.service(name)
        at = os.path.getsize(service["log"])
        lab.kill(name)
        lab.wait_for("edged is dead",
                     lambda: not lab.service(name)["pid"], 5)
        spoil()
        self.edged.start_edged()
        lab.wait_ready(name, limit=20)
        assert lab.service(name)["starts"] == service["starts"] + 1
        lab.wait_for("two paths are up",
                     lambda: self.sites.up(["hub/isp1", "hub/isp2"]), 30)
        self.edged.json("status")

        def lines():
            with open(service["log"], "rb") as f:
                f.seek(at)
                said = f.read().decode("utf-8", "replace").splitlines()
            return (told(said), said)

        # the database speaks from a thread of its own
        try:
            return lab.wait_for("what is to be told", lines, 5)[1]
        except NotInTime:
            return lines()[1]


@pytest.fixture(name="branch")
def make_branch(lab):
    return Branch(lab)


def remove(path):
    if os.path.isdir(path) and not os.path.islink(path):
        shutil.rmtree(path)
    elif os.path.lexists(path):
        os.unlink(path)


def about(path, lines):
    """The lines that name a file."""
    name = os.path.basename(path)
    mark = name if "." in name or len(name) == 16 else "/" + name
    return [x for x in lines if mark in x]


def test_each_damage_is_told_and_survived(branch):
    bad = []
    for damage in DAMAGES:
        damaged = []

        # Once it is dead: before, it may remove a file of its own.
        def spoil(paths=damaged, how=damage):
            paths += [p for p in branch.files() if os.path.isfile(p)]
            for path in paths:
                how(path)

        def silent(lines, paths=damaged, how=damage):
            return [p for p in paths if not about(p, lines) and how is not gone
                    and os.path.basename(p) not in QUIET]

        lines = branch.restart(spoil, lambda lines, f=silent: not f(lines))
        bad += [f"{damage.__name__}: nothing about {p}" for p in silent(lines)]
        bad += [f"{damage.__name__}: {len(about(p, lines))} lines about {p}"
                for p in damaged if len(about(p, lines)) > LINES_MAX]
        for path in branch.files():
            if os.path.islink(path) or not os.path.isfile(path):
                remove(path)
        if not os.path.exists(os.path.join(branch.edged.state_dir, "overrides")):
            branch.edged.ctl("uplink", "lte", "up", check=False)
            branch.edged.ctl("uplink", "lte", "down", check=False)
    assert not bad, "\n".join(bad)


def read_only(branch):
    os.chown(branch.edged.state_dir, 0, 0)
    os.chmod(branch.edged.state_dir, 0o755)


def newer_schema(branch):
    db = sqlite3.connect(os.path.join(branch.edged.state_dir, "edged.db"))
    db.execute("PRAGMA user_version = 9999")
    db.close()


def no_folder(branch):
    shutil.rmtree(branch.edged.state_dir)


FOLDER_FAULTS = [
    (newer_schema, "written by a newer edged"),
    (read_only, "applied.yaml: Permission denied"),
    (no_folder, "runs without a state folder"),
]


def test_a_start_does_not_need_its_state_folder(branch):
    for fault, sentence in FOLDER_FAULTS:
        lines = branch.restart(lambda f=fault: f(branch),
                               lambda lines, s=sentence: any(s in x for x in lines))
        assert [x for x in lines if sentence in x], "\n".join(lines)
        assert len([x for x in lines if "warning: " in x or "error: " in x]) < 10, lines


def test_a_helper_that_stands_still_stalls_nobody(branch, lab):
    lab.kill("branch-edge-esp", "SIGSTOP")
    took = []
    for _ in range(21):
        began = time.monotonic()
        branch.edged.json("status")
        took.append(time.monotonic() - began)
    assert statistics.median(took) < ANSWER_S * limits_factor(), took
    branch.edged.ctl("peer", "hub", "rekey")
    lab.kill("branch-edge-esp", "SIGCONT")
    lab.wait_for("two paths are up", lambda: branch.sites.up(["hub/isp1", "hub/isp2"]), 30)
