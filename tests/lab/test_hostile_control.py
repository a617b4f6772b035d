# SPDX-License-Identifier: GPL-2.0-or-later
"""Hostile clients of the control socket, against a daemon

    control.sock <- root (asks for the status, must be answered)
                 <- a viewer, many times over, who means harm

Whatever they do: root is answered in time, memory stays within bounds, and the
process is the same one at the end. Nobody is called, nothing is probed: the daemon
has two uplinks without interfaces and two classes.
"""
import json
import os
import re
import stat
import time

import pytest
from daemons import Edged
from lab import TOP, Witness
from rpc import Rpc, RpcError, connect

CONFIG = """
name: branch
lan: 10.42.0.0/24
uplinks:
  isp1: {interface: isp1}
  lte: {interface: lte, cost: 100}
peers:
  hub: {address: 198.18.0.10, networks: 10.1.0.0/16}
classes:
  voice: {dscp: EF, max-delay: 150ms, prefer: [isp1]}
dataplane: user
"""
SECRETS = 'hub: "a secret of the tests"\n'
STATUS_S = 1.0                  # root's answer, beside stalls of the machine
# Of resident memory, whatever happens: 16 MiB that wait for all, 5 of half read lines,
# 4 of the answer being made, and as much again that the allocator keeps in pieces.
GROWTH = 50 << 20
VIEWER, OPERATOR, HELPER, WEB = "nobody/edged", "nobody/edged-admin", "frr/frr", "edged-web/edged-web"
READ = {VIEWER, OPERATOR, WEB}
# Every method: who may, and params that are right.
METHODS = {
    "status.get": (READ, {}),
    "status.watch": (READ, {}),
    "uplinks.list": (READ, {}),
    "peers.list": (READ, {}),
    "paths.list": (READ, {}),
    "paths.history": (READ, {"path": "hub/isp1", "since": 1, "until": 2, "points": 5}),
    "classes.list": (READ, {}),
    "routes.list": (READ, {}),
    "ike.list": (READ, {}),
    "events.list": (READ, {"since": 1, "until": 2, "after": 3, "limit": 4, "kind": "path",
                           "subject": "hub/isp1"}),
    "events.follow": (READ, {}),
    "metrics.get": (READ, {}),
    "why": (READ, {"address": "10.1.0.1", "dscp": "EF"}),
    "config.apply": ({OPERATOR}, {}),
    "uplink.set": ({OPERATOR, WEB}, {"name": "lte", "up": True, "by": "alice"}),
    "peer.restart": ({OPERATOR, WEB}, {"name": "nobody", "by": "alice"}),
    "peer.rekey": ({OPERATOR, WEB}, {"name": "nobody", "by": "alice"}),
    "zebra.subscribe": ({HELPER}, {}),
    "zebra.state": ({HELPER}, {}),
}
WRONG = [True, 7, -1, 1.5, 2 ** 62, -2 ** 62, 1e300, "", "x" * 70000, "\u0001\u202e", "\ud7ff",
         [], [[1]], {}, {"a": {"b": 1}}]


class Watch:
    """The daemon as the kernel sees it, and root who asks all the time."""

    def __init__(self, lab, edged):
        self.lab = lab
        self.edged = edged
        self.run_dir = edged.run_dir
        self.pid = lab.service("box-edged")["pid"]
        self.root = Rpc(self.run_dir)
        self.witness = Witness(lab)
        self.root.call("status.get")
        self.rss = self.resident()
        self.most = self.rss
        self.cpu = self.cpu_s()
        self.begun = time.monotonic()

    def resident(self):
        with open(f"/proc/{self.pid}/statm", encoding="ascii") as f:
            return int(f.read().split()[1]) * os.sysconf("SC_PAGESIZE")

    def cpu_s(self):
        with open(f"/proc/{self.pid}/stat", encoding="ascii") as f:
            fields = f.read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.pid}/fd"))

    def ask(self):
        """root's question; its answer comes in time."""
        begun = time.monotonic_ns()
        assert self.root.call("status.get")["name"] == "branch"
        took_s = (time.monotonic_ns() - begun) / 1e9
        stall = self.witness.worst_s(begun) if took_s > STATUS_S else 0
        assert took_s <= STATUS_S + 2 * stall, f"{took_s:.2f} s, stall {stall:.2f} s"
        self.most = max(self.most, self.resident())
        assert self.most - self.rss < GROWTH, f"{(self.most - self.rss) >> 20} MiB more"

    def all_is_well(self):
        service = self.lab.service("box-edged")
        assert service["pid"] == self.pid and service["starts"] == 1
        self.ask()


@pytest.fixture
def watch(lab):
    lab.namespace("box")
    edged = Edged(lab, "box", CONFIG, SECRETS)
    edged.start()
    return Watch(lab, edged)


def as_(who, run_dir):
    user, group = who.split("/")
    return Rpc(run_dir, user, group)


def viewer(watch, user="nobody"):
    return connect(os.path.join(watch.run_dir, "control.sock"), user, "edged")


def answers(s, limit=1 << 20):
    """What comes back until the other end is silent or closes."""
    s.settimeout(20)
    data = b""
    try:
        while len(data) < limit:
            piece = s.recv(65536)
            if not piece:
                break
            data += piece
            if data.endswith(b"\n"):
                s.settimeout(0.2)
    except OSError:
        pass
    return [json.loads(line) for line in data.split(b"\n")[:-1]]


def test_the_table_here_is_the_daemons_own():
    with open(os.path.join(TOP, "edged/control.c"), encoding="utf-8") as f:
        table = f.read().split("static const struct rpc_method methods", 1)[1]
    assert set(re.findall(r'{ "([a-z.]+)",', table)) == set(METHODS)


def test_roles_are_those_of_the_table(watch):
    run = watch.run_dir
    for who in (VIEWER, OPERATOR, HELPER, WEB):
        client = as_(who, run)
        for method, (may, params) in METHODS.items():
            if who == OPERATOR:
                params = {k: v for k, v in params.items() if k != "by"}
            try:
                client.call(method, **params)
                code = 0
            except RpcError as err:
                code = err.code
            assert (code == -32001) == (who not in may), (who, method, code)
        client.close()
    s = connect(os.path.join(run, "control.sock"), "daemon")
    assert answers(s)[0]["error"]["code"] == -32001
    s.close()
    watch.all_is_well()


def test_what_is_no_request_is_answered_and_costs_nothing(watch):
    good = b'{"jsonrpc":"2.0","id":1,"method":"status.get","params":{}}'
    junk = {
        "nothing": (b"\n", -32700),
        "not JSON": (b"hello\n", -32700),
        "cut off": (good[:-3] + b"\n", -32700),
        "zero bytes": (b"\0" * 100 + b"\n", -32700),
        "not UTF-8": (b'{"jsonrpc":"2.0","id":1,"method":"\xff\xfe"}\n', -32700),
        "a key twice": (b'{"jsonrpc":"2.0","jsonrpc":"2.0","id":1,"method":"status.get"}\n', -32700),
        "deep arrays": (b"[" * 5000 + b"]" * 5000 + b"\n", -32700),
        "deep objects": (b'{"a":' * 5000 + b"1" + b"}" * 5000 + b"\n", -32700),
        "deep params": (b'{"jsonrpc":"2.0","id":1,"method":"why","params":{"address":'
                        + b"[" * 100 + b"]" * 100 + b"}}\n", -32700),
        "too long": (b"x" * 400000, -32700),
        "a batch": (b"[" + good + b"]\n", -32600),
        "a number": (b"5\n", -32700),
        "no version": (b'{"id":1,"method":"status.get"}\n', -32600),
        "a list as id": (b'{"jsonrpc":"2.0","id":[],"method":"status.get"}\n', -32600),
        "no method": (b'{"jsonrpc":"2.0","id":1}\n', -32600),
        "a method of numbers": (b'{"jsonrpc":"2.0","id":1,"method":5}\n', -32600),
        "an unknown method": (b'{"jsonrpc":"2.0","id":1,"method":"status.set"}\n', -32601),
        "params as a list": (good.replace(b"{}", b"[1]") + b"\n", -32602),
        "a huge number": (b'{"jsonrpc":"2.0","id":' + b"9" * 400 + b',"method":"why"}\n', -32700),
    }
    for what, (line, code) in junk.items():
        s = viewer(watch)
        try:
            s.sendall(line)
        except OSError:
            pass                # it was closed while it still sent
        got = answers(s)
        assert got and got[0]["error"]["code"] == code, (what, got)
        # The connection lives on, unless the line had no end.
        if line.endswith(b"\n"):
            s.sendall(good + b"\n")
            assert answers(s)[0]["result"]["name"] == "branch", what
        s.close()
        watch.ask()
    for cut in range(1, len(good), 7):
        s = viewer(watch)
        s.sendall(good[:cut])
        s.close()
    watch.all_is_well()


def is_of_type(value, like):
    """True when JSON has one type for both; a whole number is not a real one."""
    return type(value) is type(like)


def test_no_value_of_any_parameter_does_harm(watch):
    run = watch.run_dir
    for method, (may, params) in METHODS.items():
        who = sorted(may)[-1]
        client = as_(who, run)
        for name in list(params) + ["no-such-param"]:
            for value in WRONG:
                given = dict(params, **{name: value})
                if who == OPERATOR and name != "by":
                    given.pop("by", None)
                code = 0
                try:
                    client.call(method, **given)
                except RpcError as err:
                    code = err.code
                    assert code in (-32602, -32003, -32005, -32001), (method, given, err)
                if name in params and not is_of_type(value, params[name]):
                    assert code in (-32602, -32001), (method, given)
        client.close()
        watch.ask()
    watch.all_is_well()


def test_only_the_page_says_for_whom_it_asks(watch):
    operator, web = as_(OPERATOR, watch.run_dir), as_(WEB, watch.run_dir)
    with pytest.raises(RpcError) as told:
        operator.call("uplink.set", name="lte", up=False, by="alice")
    assert told.value.code == -32001
    for by in (None, "", "a b", "x" * 64, "a\nb", 7):
        with pytest.raises(RpcError) as told:
            web.call("uplink.set", name="lte", up=False, by=by)
        assert told.value.code == -32602, by
    rows = {u["name"]: u["stopped"] for u in watch.root.call("uplinks.list")["uplinks"]}
    assert rows == {"isp1": False, "lte": False}
    operator.close()
    web.close()
    watch.all_is_well()


def files_below(path):
    for folder, _, names in os.walk(path):
        for name in names:
            path = os.path.join(folder, name)
            if stat.S_ISREG(os.stat(path).st_mode):
                with open(path, "rb") as f:
                    yield path, f.read()


def test_no_secret_is_told_or_left_behind(watch):
    """Answers, logs, command lines, environments, files, and a core file's place."""
    services = ("box-edged", "box-edge-esp")
    told = {}
    for method, (may, params) in METHODS.items():
        if VIEWER in may:
            told[method] = json.dumps(watch.root.call(method, **params))
    # one that stands where no secret may stand is told by its place only
    for i, line in enumerate(('hub: "a second secret" x', 'hub: [a second secret]',
                              "a second secret", 'hub: "a second secret', "a second secret: hub")):
        watch.edged.configure(CONFIG, line + "\n")
        with pytest.raises(RpcError) as refused:
            watch.root.call("config.apply")
        assert refused.value.code == -32004, line
        told[f"refusal {i}"] = str(refused.value) + json.dumps(refused.value.data)
    watch.edged.configure(CONFIG, SECRETS.replace("a secret", "a second secret"))
    told["applied"] = json.dumps(watch.root.call("config.apply"))
    for name in services:
        service = watch.lab.service(name)
        with open(service["log"], encoding="utf-8") as f:
            told[name] = f.read()
        for what in ("cmdline", "environ"):
            with open(f"/proc/{service['pid']}/{what}", "rb") as f:
                told[name + " " + what] = f.read().decode(errors="replace")
        with open(f"/proc/{service['pid']}/status", encoding="ascii") as f:
            assert "NoNewPrivs:\t1" in f.read()
        if not os.environ.get("ED_SANITIZERS"):
            # not dumpable: its memory is root's, and the kernel writes no core file
            assert os.stat(f"/proc/{service['pid']}/mem").st_uid == 0, name
    for folder in (watch.edged.run_dir, watch.edged.state_dir):
        told.update((path, data.decode("latin1")) for path, data in files_below(folder))
    assert len(told) > 20
    for what, text in told.items():
        assert "secret of the tests" not in text and "a second secret" not in text, what
    watch.all_is_well()


def test_clients_that_never_read_cost_bounded_memory_and_no_time(watch):
    line = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "events.list",
                       "params": {"limit": 10000}}).encode() + b"\n"
    follow = json.dumps({"jsonrpc": "2.0", "id": 2, "method": "status.watch"}).encode() + b"\n"
    metrics = json.dumps({"jsonrpc": "2.0", "id": 3, "method": "metrics.get"}).encode() + b"\n"
    # Something to tell: a few thousand events.
    for _ in range(600):
        watch.root.call("uplink.set", name="lte", up=False)
        watch.root.call("uplink.set", name="lte", up=True)
    mute = [viewer(watch) for _ in range(20)]
    for s in mute:
        s.setblocking(False)
    end = time.monotonic() + 6
    while time.monotonic() < end:
        for s in mute:
            for data in (follow, line * 16, metrics * 16):
                try:
                    s.send(data)
                except OSError:
                    pass
        watch.ask()
    print(f"{(watch.most - watch.rss) >> 10} KiB more at most")
    watch.lab.wait_for("all of them to be dropped", lambda: (
        watch.ask() or watch.descriptors() < 60, watch.descriptors()), 30)
    for s in mute:
        s.close()
    watch.all_is_well()


def test_a_stream_of_tiny_lines_is_read_as_fast_as_it_is_run(watch):
    s = viewer(watch)
    s.setblocking(False)
    cpu, begun = watch.cpu_s(), time.monotonic()
    sent = 0
    while time.monotonic() < begun + 4:
        try:
            sent += s.send(b"{}\n" * 20000)
        except BlockingIOError:
            pass
        try:
            while s.recv(1 << 20):
                pass
        except BlockingIOError:
            pass
        if int((time.monotonic() - begun) * 10) % 5 == 0:
            watch.ask()
    assert sent > 100000
    # Half of the time at most is spent on requests; the rest is the socket's own.
    assert watch.cpu_s() - cpu < 0.9 * (time.monotonic() - begun)
    s.close()
    watch.all_is_well()


def test_a_thousand_connections_leave_room_for_root(watch):
    before = watch.lab.wait_still("the daemon's descriptors", watch.descriptors, 20)
    many = []

    def fill(users, most):
        for i in range(500):
            try:
                many.append(viewer(watch, users[i % len(users)]))
            except OSError:
                time.sleep(0.01)    # the listen queue is full for a moment
            if i % 100 == 0:
                watch.ask()
        watch.lab.wait_for(f"{most} of them are served", lambda: (
            watch.ask() or watch.descriptors() - before == most,
            watch.descriptors() - before), 10)

    # of one user 24; of all but root 56 with root's first one
    fill(["nobody"], 24)
    fill(["daemon", "bin", "sys", "games"], 55)
    for _ in range(5):
        more = Rpc(watch.run_dir)
        assert more.call("status.get")["name"] == "branch"
        many.append(more)
    for s in many:
        s.close()
    watch.lab.wait_for("their descriptors to be closed", lambda: (
        watch.descriptors() <= before, watch.descriptors()), 10)
    assert watch.most - watch.rss < 8 << 20
    watch.all_is_well()
