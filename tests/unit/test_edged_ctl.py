#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""
edgectl against a daemon of canned answers: its text (golden files), its exit status,
and which stream gets what.
"""
import json
import os
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
from ctlbench import (ANSWERS, EDGECTL, LIMIT, Daemon, expect, in_terminal,  # noqa: E402
                      main, same)

TEXTS = {
    "status": ["status"],
    "uplinks": ["uplinks"],
    "uplink_isp1": ["uplinks", "isp1"],
    "peers": ["peers"],
    "paths": ["paths"],
    "classes": ["classes"],
    "routes": ["routes"],
    "ike": ["ike"],
    "events": ["events"],
    "why": ["why", "10.20.3.4", "--dscp", "EF"],
    "apply": ["apply"],
    "help": ["help"],
}


def test_text_for_people_is_as_in_the_golden_files(b):
    for name, args in TEXTS.items():
        p = b.ctl(*args)
        assert p.returncode == 0, (name, p.stderr)
        assert p.stderr == "", p.stderr
        assert "\033" not in p.stdout and "\a" not in p.stdout, name
        same(name, p.stdout)
    assert b.ctl().stdout == b.ctl("status").stdout


def test_json_is_what_the_daemon_sent(b):
    for args, method in ((["status"], "status.get"), (["paths"], "paths.list"),
                         (["ike"], "ike.list"), (["events"], "events.list"),
                         (["why", "10.20.3.4"], "why"), (["apply"], "config.apply"),
                         (["classes"], "classes.list"), (["routes"], "routes.list")):
        p = b.ctl("-j", *args)
        expect(p, 0)
        assert json.loads(p.stdout) == ANSWERS[method], p.stdout
        assert json.loads(p.stdout)["schema"] == 1


def test_a_name_keeps_the_rows_it_means(b):
    rows = json.loads(b.ctl("paths", "hub/isp1", "--json").stdout)["paths"]
    assert [r["name"] for r in rows] == ["hub/isp1"]
    rows = json.loads(b.ctl("paths", "hub", "--json").stdout)["paths"]
    assert len(rows) == 2
    expect(b.ctl("paths", "nowhere"), 1, err="nothing called 'nowhere'")


def test_usage_mistakes_end_with_2(b):
    for args in (["nonsense"], ["why"], ["paths", "a", "b"], ["uplink", "isp1", "sideways"],
                 ["peer", "hub", "polish"], ["uplink", "isp1"], ["events", "--since", "yore"],
                 ["events", "--limit", "0"], ["paths", "--dscp", "EF"], ["--wait", "x"],
                 ["--color", "often"]):
        expect(b.ctl(*args), 2, err="edgectl: ")
    assert b.ctl("--nonsense").returncode == 2
    assert b.daemon.asked == []


def test_errors_are_one_line_on_stderr_with_their_status(b):
    for code, status in ((-32602, 2), (-32001, 1), (-32003, 1), (-32005, 1), (-32004, 4)):
        b.daemon.errors["paths.list"] = {"code": code, "message": "no\x1b[31m way"}
        expect(b.ctl("paths"), status, err="edgectl: no\\x1b[31m way")
    b.daemon.errors["config.apply"] = {"code": -32004, "message": "refused",
                                       "data": {"text": "a:1:1: error: x\n  y\n"}}
    p = b.ctl("apply")
    assert p.returncode == 4 and p.stdout == ""
    assert p.stderr == "a:1:1: error: x\n  y\nedgectl: refused\n", p.stderr


def test_without_a_daemon_it_ends_with_3_at_once_or_waits(b):
    with tempfile.TemporaryDirectory() as empty:
        p = subprocess.run([EDGECTL, "--run", empty], timeout=LIMIT, text=True,
                           stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        expect(p, 3, err="does not run")
        p = subprocess.Popen([EDGECTL, "--run", empty, "--wait", "50", "paths", "-j"], text=True,
                             stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        # It tries again: here the daemon comes after a refused try was seen.
        late = Daemon(empty)
        out, _ = p.communicate(timeout=LIMIT)
        assert p.returncode == 0 and json.loads(out)["paths"], out
        late.sock.close()


def test_a_silent_daemon_ends_with_3_within_wait(b):
    b.daemon.silent = True
    expect(b.ctl("--wait", "1", "paths"), 3, err="does not answer")


def test_a_daemon_that_dies_ends_with_3(b):
    b.daemon.silent = True
    b.daemon.pushes["paths.list"] = []
    b.daemon.silent = False
    b.daemon.pushes = {"events.follow": [], "status.watch": []}
    p = b.ctl("watch", "-j")
    assert p.returncode == 3, p
    assert "ended the connection" in p.stderr


def test_a_closed_pipe_is_fine(b):
    p = subprocess.Popen([EDGECTL, "--run", b.run, "-j", "status"], stdout=subprocess.PIPE,
                         stderr=subprocess.PIPE, text=True)
    p.stdout.close()
    err = p.stderr.read()
    assert p.wait(timeout=LIMIT) == 0 and err == "", err


def test_a_full_disk_is_not(b):
    with open("/dev/full", "w", encoding="utf-8") as full:
        p = subprocess.run([EDGECTL, "--run", b.run, "status"], stdout=full, text=True,
                           stderr=subprocess.PIPE, timeout=LIMIT)
    assert p.returncode == 1 and "No space" in p.stderr, p


def test_commands_ask_what_they_should(b):
    expect(b.ctl("uplink", "isp1", "down"), 0, out="carries nothing")
    expect(b.ctl("uplink", "isp1", "up"), 0, out="used again")
    expect(b.ctl("peer", "hub", "rekey"), 0, out="New keys")
    expect(b.ctl("events", "--since", "1764000000", "--kind", "path"), 0)
    assert b.daemon.asked == [
        ("uplink.set", {"name": "isp1", "up": False}),
        ("uplink.set", {"name": "isp1", "up": True}),
        ("peer.rekey", {"name": "hub"}),
        ("events.list", {"since": 1764000000, "limit": 10000, "kind": "path"}),
    ], b.daemon.asked


def test_restart_says_what_it_waits_for_and_ends_in_time(b):
    p = b.ctl("peer", "hub", "restart", "--wait", "1")
    assert p.returncode == 1, p
    assert "waiting for the tunnels to hub, at most 1 s" in p.stderr
    assert "no tunnel is up after 1 s; last failure: hub refused our secret" in p.stderr


def event(t, **kw):
    return {"jsonrpc": "2.0", "method": "event",
            "params": dict({"time": t, "kind": "path", "subject": "x", "from": None, "to": "up",
                            "reason": "new", "numbers": {}}, **kw)}


def test_follow_tells_history_and_news_once(b):
    # The first push repeats the newest of history, the others are news.
    ANSWERS["events.follow"] = {"schema": 1}
    b.daemon.pushes["events.list"] = [event(1764079340.5), event(1764079400.0),
                                      event(1764079401.0, kind="ike")]
    p = b.ctl("events", "--follow", "-j")
    assert p.returncode == 3, p
    times = [json.loads(line)["time"] for line in p.stdout.splitlines()]
    assert times == [1764079331.0, 1764079332.25, 1764079340.5, 1764079400.0, 1764079401.0], times
    p = b.ctl("events", "--follow", "--kind", "ike", "-j")
    assert [json.loads(x)["time"] for x in p.stdout.splitlines()][-1] == 1764079401.0


def test_watch_prints_an_object_a_line(b):
    ANSWERS["status.watch"] = ANSWERS["status.get"]
    b.daemon.pushes["status.watch"] = [{"jsonrpc": "2.0", "method": "status.changed",
                                        "params": dict(ANSWERS["status.get"], state="ok")}]
    p = b.ctl("watch", "-j")
    lines = [json.loads(x) for x in p.stdout.splitlines()]
    assert [x["state"] for x in lines] == ["degraded", "ok"], lines


def test_watch_on_a_terminal_leaves_it_as_it_was(b):
    ANSWERS["status.watch"] = ANSWERS["status.get"]
    status, seen = in_terminal(b, ["watch"], b"q")
    assert status == 0, seen
    assert seen.startswith("\033[?1049h"), seen
    assert seen.endswith("\033[?7h\033[?25h\033[?1049l"), seen


def test_colour_only_where_it_is_wanted(b):
    _, seen = in_terminal(b, ["paths"], b"")
    assert "\033[32mup" in seen, seen
    for args, env in ((["paths"], {"NO_COLOR": "1"}), (["paths"], {"TERM": "dumb"}),
                      (["--color", "never", "paths"], {})):
        _, seen = in_terminal(b, args, b"", env)
        assert "\033" not in seen, seen
    assert "\033[32mup" in b.ctl("--color", "always", "paths").stdout


def test_check_needs_no_daemon_and_shows_every_mistake(b):
    path = os.path.join(b.run, "bad.yaml")
    with open(path, "w", encoding="utf-8") as f:
        f.write("lan: 10.0.0.0/33\nfoo: 1\nuplinks: {isp1: {interface: eth0}}\n"
                "peers: {hub: {address: 192.0.2.1}}\n")
    p = b.ctl("check", path)
    assert p.returncode == 4 and p.stderr == "", p
    assert f"{path}:1:6: error: " in p.stdout and f"{path}:2:1: error: " in p.stdout
    said = json.loads(b.ctl("check", path, "-j").stdout)
    assert not said["ok"] and said["messages"][0]["severity"] == "error"
    assert {"file", "line", "column", "text"} <= set(said["messages"][0])
    assert b.ctl("check", os.path.join(b.run, "none.yaml")).returncode == 4
    assert b.daemon.asked == []


def test_apply_asks_nft_before_the_daemon(b):
    path = os.path.join(b.run, "edged.yaml")
    with open(path, "w", encoding="utf-8") as f:
        f.write("uplinks: {isp1: {interface: eth0}}\n"
                "peers: {hub: {address: 192.0.2.1, networks: 10.0.0.0/8}}\n")
    with open(os.path.join(b.run, "secrets.yaml"), "w", encoding="utf-8") as f:
        f.write("hub: x\n")
    os.chmod(f.name, 0o600)
    nft = os.path.join(b.run, "nft")
    env = {"PATH": b.run + ":" + os.environ["PATH"]}
    for code, asked in ((1, []), (0, [("config.apply", None)])):
        with open(nft, "w", encoding="utf-8") as f:
            f.write(f"#!/bin/sh\necho 'Error: no such thing'\nexit {code}\n")
        os.chmod(nft, 0o755)
        p = b.ctl("--config", path, "apply", env=env)
        assert p.returncode == (4 if code else 0), p
        assert ("nft refuses" in p.stdout) == bool(code), p.stdout
        assert [m for m, _ in b.daemon.asked] == [m for m, _ in asked], b.daemon.asked


if __name__ == "__main__":
    sys.exit(main(globals()))
