# SPDX-License-Identifier: GPL-2.0-or-later
"""What a disk can do to the store, on a small tmpfs: history suffers, nothing else

    storedrive (the daemon's store, driven by lines) -- /tmp/store (tmpfs, 3 MiB)

Each fault is one event when it begins and one when it ends, however long it
lasts, and queueing a row never waits for the disk.
"""
import os
import signal
import sqlite3
import subprocess
import time

import pytest
from lab import Witness, program

LIMIT_S = 60 * float(os.environ.get("ED_TIME_FACTOR", "1"))
QUEUE_LIMIT_US = 200000         # a thousand rows into memory, beside stalls of the machine


class Drive:
    """One life of the store."""

    def __init__(self, folder, *args):
        self.path = os.path.join(folder, "edged.db")
        self.p = subprocess.Popen(
            [program("tests/lab/storedrive"), self.path, *args], text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=1)
        self.notices = []
        self.events = []
        self.error = None
        self.slowest_us = 0

    def say(self, line):
        self.p.stdin.write(line + "\n")
        self.p.stdin.flush()

    def read(self, word):
        """Lines up to one that begins with word; what is told on the way is kept."""
        for line in self.p.stdout:
            line = line.rstrip("\n")
            first, _, rest = line.partition(" ")
            if first == "notice":
                self.notices.append(rest)
            elif first == "event":
                self.events.append(rest)
            elif first == "queued":
                self.slowest_us = max(self.slowest_us, int(rest))
            elif first == "error":
                self.error = int(rest)
            if first == word or (word == "end" and first == "error"):
                return rest
        raise AssertionError(f"the store ended; notices {self.notices}")

    def list(self):
        self.events = []
        self.error = None
        self.say("list")
        self.read("end")
        return self.events

    def counters(self):
        self.say("count")
        words = self.read("count").split()
        return dict(zip(words[::2], map(int, words[1::2])))

    def until(self, what, true):
        end = time.monotonic() + LIMIT_S
        while not true():
            assert time.monotonic() < end, f"{what}: {self.counters()} {self.notices}"
            time.sleep(0.05)

    def written(self, n):
        self.until(f"{n} rows written", lambda: self.counters()["written"] >= n)

    def close(self):
        self.p.stdin.close()
        for line in self.p.stdout:
            if line.startswith("notice "):
                self.notices.append(line[7:].rstrip("\n"))
        assert self.p.wait(LIMIT_S) == 0


@pytest.fixture
def folder(tmp_path):
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=3m,mode=0755", "store", str(tmp_path)],
                   check=True)
    yield str(tmp_path)
    subprocess.run(["umount", "-l", str(tmp_path)], check=True)


def test_kill_nine_loses_no_committed_event_and_no_file(folder):
    for life in range(5):
        d = Drive(folder)
        d.say("events 50")
        d.written(50)
        d.say("event the last word")        # may or may not have been committed
        d.p.send_signal(signal.SIGKILL)
        d.p.wait(LIMIT_S)
        d = Drive(folder)
        events = d.list()
        assert [e for e in events if e.startswith("n ")] == [
            f"n {i}" for _ in range(life + 1) for i in range(50)]
        assert d.notices == []
        d.close()


def test_a_full_disk_costs_history_and_two_events(lab, folder):
    witness = Witness(lab)
    d = Drive(folder)
    d.say("events 20")
    d.written(20)
    with open(os.path.join(folder, "ballast"), "wb", buffering=0) as f:
        try:
            while True:
                f.write(bytes(4096))
        except OSError:
            pass
    for _ in range(30):
        d.say("events 100")
    d.until("the trouble to be told", lambda: d.counters() and d.notices)
    assert len(d.notices) == 1 and d.notices[0].startswith("ok failing"), d.notices
    assert "full" in d.notices[0]
    before = d.counters()
    assert before["queued"] > 0
    assert len(d.list()) >= 20              # what was written can still be read
    os.unlink(os.path.join(folder, "ballast"))
    d.until("the queue to drain", lambda: d.counters()["queued"] == 0)
    d.until("the end to be told", lambda: d.counters() and len(d.notices) == 2)
    assert d.notices[1].startswith("failing ok"), d.notices
    assert d.counters()["left_out"] == 0
    assert len(d.list()) == 3020
    assert d.slowest_us < QUEUE_LIMIT_US + 2e6 * witness.worst_s()
    d.close()


def test_a_folder_that_cannot_be_written_is_said_once_and_healed(folder):
    subprocess.run(["mount", "-o", "remount,ro", folder], check=True)
    d = Drive(folder)
    d.say("events 10")
    d.until("the trouble to be told", lambda: d.counters() and d.notices)
    assert "Read-only" in d.notices[0], d.notices
    assert d.list() == [] and d.error is not None
    d.say("events 5000")                    # more than the queue holds
    assert d.counters()["queued"] == 4096
    subprocess.run(["mount", "-o", "remount,rw", folder], check=True)
    d.until("the end to be told", lambda: d.counters() and len(d.notices) == 2)
    assert "914 rows were left out" in d.notices[1], d.notices
    assert len(d.list()) == 4096
    d.close()


def test_a_damaged_page_and_a_cut_log_begin_anew_once(folder):
    d = Drive(folder)
    d.say("events 3000")
    d.written(3000)
    d.close()
    with open(d.path, "r+b") as f:
        size = f.seek(0, 2)
        f.seek(size // 2 // 4096 * 4096)
        f.write(b"\x5a" * 4096)
    d = Drive(folder)
    d.say("event new")
    d.written(1)
    assert d.list() == ["new"]
    assert len(d.notices) == 1 and "damaged" in d.notices[0], d.notices
    assert os.path.exists(d.path + ".damaged")
    # A log cut anywhere is no damage: what was whole in it stays.
    d.say("events 100")
    d.written(101)
    d.p.send_signal(signal.SIGKILL)
    d.p.wait(LIMIT_S)
    with open(d.path + "-wal", "r+b") as f:
        f.truncate(f.seek(0, 2) - 1000)
    d = Drive(folder)
    assert d.list()[:1] == ["new"]
    assert d.notices == []
    d.close()


def test_a_reader_that_never_closes_bounds_the_log(lab, folder):
    witness = Witness(lab)
    bound = 128 * 1024
    d = Drive(folder, str(bound))
    d.say("event first")
    d.written(1)
    reader = sqlite3.connect(f"file:{d.path}?mode=ro", uri=True, isolation_level=None)
    reader.execute("BEGIN")
    reader.execute("SELECT count(*) FROM event").fetchone()
    for _ in range(60):
        d.say("minutes 20")
        d.say("events 20")
        time.sleep(0.02)
    d.until("the reader to be told of", lambda: d.counters() and d.notices)
    assert "another program reads" in d.notices[0], d.notices
    time.sleep(1)
    assert os.path.getsize(d.path + "-wal") < 4 * bound + 512 * 1024
    n = len(d.notices)
    assert n <= 2, d.notices
    reader.close()
    d.until("the queue to drain", lambda: d.counters()["queued"] == 0)
    d.say("event after")
    d.until("events to be whole", lambda: "after" in d.list())
    assert len(d.list()) == 1 + 60 * 20 + 1     # no event was lost
    d.until("the log to be short", lambda: d.counters() and os.path.getsize(
        d.path + "-wal") <= 2 * bound)
    assert d.slowest_us < QUEUE_LIMIT_US + 2e6 * witness.worst_s()
    d.close()
    assert len(d.notices) <= 2 * n, d.notices
