# SPDX-License-Identifier: GPL-2.0-or-later
"""
What the tests of edgectl share: a daemon that says what tests/golden/ctl/answers.json
holds, a folder of one test, golden files, and a main() that speaks TAP. No real
daemon, no root. ED_GOLDEN=write writes the golden files anew.
"""
import json
import os
import pty
import re
import signal
import socket
import subprocess
import tempfile
import threading

TOP = os.environ.get("ED_TOP_SRCDIR") or os.path.abspath(__file__).rsplit("/tests/", 1)[0]
BUILD = os.environ.get("ED_TOP_BUILDDIR", ".")
GOLDEN = os.path.join(TOP, "tests/golden/ctl")
EDGECTL = os.path.join(BUILD, "edgectl")
LIMIT = 60

with open(os.path.join(GOLDEN, "answers.json"), encoding="utf-8") as f:
    ANSWERS = json.load(f)


class Daemon:
    """Answers each request from the table; errors and pushes on demand."""

    def __init__(self, run):
        self.errors = {}
        self.pushes = {}
        self.silent = False
        self.asked = []
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.bind(os.path.join(run, "control.sock"))
        self.sock.listen(8)
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            conn, _ = self.sock.accept()
            threading.Thread(target=self.client, args=(conn,), daemon=True).start()

    def client(self, conn):
        try:
            self.talk(conn)
        except OSError:
            pass

    def talk(self, conn):
        for line in conn.makefile("rb"):
            msg = json.loads(line)
            self.asked.append((msg["method"], msg.get("params")))
            if self.silent:
                continue
            out = {"jsonrpc": "2.0", "id": msg["id"]}
            if msg["method"] in self.errors:
                out["error"] = self.errors[msg["method"]]
            else:
                out["result"] = ANSWERS.get(msg["method"], {})
            conn.sendall(json.dumps(out).encode() + b"\n")
            for push in self.pushes.get(msg["method"], []):
                conn.sendall(json.dumps(push).encode() + b"\n")
            if msg["method"] in self.pushes:
                conn.shutdown(socket.SHUT_RDWR)
                return


def run(argv):
    """A program that needs no daemon."""
    env = dict(os.environ, TZ="UTC", LC_ALL="C.UTF-8", TERM="xterm")
    return subprocess.run(argv, env=env, timeout=LIMIT, text=True, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)


class Bench:
    def __init__(self):
        self.dir = tempfile.TemporaryDirectory(prefix="edgectl-")
        self.run = self.dir.name
        self.daemon = Daemon(self.run)

    def ctl(self, *args, **kw):
        env = dict(os.environ, TZ="UTC", LC_ALL="C.UTF-8", TERM="xterm")
        env.update(kw.pop("env", {}))
        return subprocess.run([EDGECTL, "--run", self.run, *args], env=env, timeout=LIMIT,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **kw)


def same(name, text, folder=GOLDEN):
    path = os.path.join(folder, name + ".ok")
    if os.environ.get("ED_GOLDEN"):
        with open(path, "w", encoding="utf-8") as f:
            f.write(text)
        return
    with open(path, encoding="utf-8") as f:
        want = f.read()
    assert text == want, f"differs from {path}; now it is:\n{text}"


def expect(p, status, out=None, err=None):
    assert p.returncode == status, (p.returncode, p.stdout, p.stderr)
    if out is not None:
        assert out in p.stdout, p.stdout
    if err is not None:
        assert err in p.stderr, p.stderr
        assert p.stdout == "", p.stdout
        assert p.stderr.count("\n") == 1, p.stderr


ENDED = re.compile(rb"\0ended (-?\d+)\0")


def lead_session(argv):
    """The leader of a terminal's session: runs argv in it, tells how it ended, stays.

    The end of a leader hangs the terminal up, and what was not yet read is lost.
    """
    pid = os.fork()
    if pid == 0:
        try:
            os.execv(argv[0], argv)
        finally:
            os._exit(127)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _, status = os.waitpid(pid, 0)
    os.write(1, b"\0ended %d\0" % os.waitstatus_to_exitcode(status))
    while True:
        signal.pause()


def in_terminal(b, args, keys, env=None):
    """Run on a terminal of 80 x 24; send keys once hub/isp1 was shown, or pairs of
    (what is shown, keys) in their order."""
    steps = [(b"hub/isp1", keys)] if isinstance(keys, bytes) else list(keys)
    pid, fd = pty.fork()
    if pid == 0:
        os.environ.update({"TERM": "xterm", "TZ": "UTC", "LC_ALL": "C.UTF-8"}, **(env or {}))
        try:
            lead_session([EDGECTL, "--run", b.run, *args])
        finally:
            os._exit(127)
    seen = b""
    done = 0
    ended = None
    signal.alarm(LIMIT)
    while not ended:
        seen += os.read(fd, 65536)
        ended = ENDED.search(seen)
        if steps and steps[0][0] in seen[done:]:
            done += seen[done:].index(steps[0][0]) + len(steps[0][0])
            os.write(fd, steps.pop(0)[1])
    signal.alarm(0)
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    os.close(fd)
    return int(ended[1]), seen[:ended.start()].decode()


def main(names):
    """Run the functions test_* of a module's names, each with a Bench of its own."""
    tests = [(n, f) for n, f in names.items() if n.startswith("test_")]
    print(f"1..{len(tests)}", flush=True)
    failed = 0
    for i, (name, test) in enumerate(tests, 1):
        bench = Bench()
        try:
            test(bench)
            print(f"ok {i} - {name}", flush=True)
        except Exception as e:  # pylint: disable=broad-except
            failed = 1
            print("# " + f"{type(e).__name__}: {e}".replace("\n", "\n# "))
            print(f"not ok {i} - {name}", flush=True)
        bench.dir.cleanup()
    return failed
