# SPDX-License-Identifier: GPL-2.0-or-later
"""The control socket and edgectl, against a daemon with a tunnel

    branch ==isp1 (NAT)==\\
           ==isp2========= internet -- hub
           ==lte==========/

Who may do what, what is pushed and how soon, what survives a kill, and that a
command which cannot succeed says so in time.
"""
import json
import os
import socket
import subprocess
import time

import pytest
from lab import Witness, program
from test_tunnel import TUNNELS, Sites

PUSH_LIMIT_S = 1.0          # a change is seen by who watches
WAIT_S = 2


@pytest.fixture
def sites(lab):
    made = Sites(lab)
    made.start()
    lab.wait_for("three tunnels up", made.up, 30)
    return made


def ctl_as(sites, user, group, *argv):
    """edgectl of a user who is a member of group only."""
    b = sites.branch
    return sites.lab.run(b.space, ["setpriv", "--reuid", user, "--regid", group, "--clear-groups",
                                   "--", program("edgectl"), "--run", b.run_dir, *argv], check=False)


def follow(sites, *argv):
    """edgectl that goes on; its answers are read line by line."""
    b = sites.branch
    return subprocess.Popen(
        ["ip", "netns", "exec", b.space, program("edgectl"), "--run", b.run_dir, "-j", *argv],
        text=True, stdout=subprocess.PIPE)


def test_roles_reach_as_far_as_they_should(sites):
    done = ctl_as(sites, "nobody", "nogroup", "paths")
    assert done.returncode == 1 and "not permitted" in done.stderr, done
    assert ctl_as(sites, "nobody", "edged", "paths").returncode == 0
    done = ctl_as(sites, "nobody", "edged", "uplink", "lte", "down")
    assert done.returncode == 1 and "not permitted" in done.stderr, done
    done = ctl_as(sites, "nobody", "edged-admin", "uplink", "lte", "down")
    assert done.returncode == 0, done
    assert ctl_as(sites, "nobody", "edged-admin", "uplink", "lte", "up").returncode == 0
    done = ctl_as(sites, "frr", "frr", "paths")
    assert done.returncode == 1 and "not permitted" in done.stderr, done


def test_answers_hold_the_documented_names(sites):
    path = sites.branch.paths()["hub/isp1"]
    assert set(path) >= {"name", "peer", "uplink", "state", "delay_ms", "delay_p95_ms", "jitter_ms",
                         "loss_pct", "lost", "sent", "classes"}
    assert path["peer"] == "hub" and path["uplink"] == "isp1"
    answer = sites.branch.json("events")
    assert answer["schema"] == 1
    for e in answer["events"]:
        assert set(e) >= {"time", "time_text", "kind", "subject", "from", "to", "reason", "numbers"}
        stamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(e["time"]))
        assert e["time_text"].startswith(stamp) and e["time_text"].endswith("Z")
    assert [e["time"] for e in answer["events"]] == sorted({e["time"] for e in answer["events"]})


def test_why_is_a_sentence_and_a_line_a_path(sites):
    def why():
        lines = sites.branch.ctl("why", "10.1.0.9", "--dscp", "EF").stdout.splitlines()
        return (lines[1].split()[1] == "chosen", lines)

    text = sites.lab.wait_for("isp1 to be chosen", why, 30)[1]
    assert text[0].startswith("10.1.0.9 marked EF is class voice and goes to peer hub (10.1.0.0/16")
    assert [line.split()[0] for line in text[1:]] == TUNNELS
    sites.branch.ctl("uplink", "lte", "down")
    sites.lab.wait_for("why to say that lte was taken down", lambda: (
        "stopped" in sites.branch.ctl("why", "10.1.0.9").stdout
        or "down" in sites.branch.ctl("why", "10.1.0.9").stdout.splitlines()[-1],
        sites.branch.ctl("why", "10.1.0.9").stdout), 10)


def test_apply_says_what_changed(sites):
    with open(sites.branch.config, encoding="utf-8") as f:
        text = f.read()
    sites.branch.configure(text.replace("cost: 20", "cost: 40"))
    answer = sites.branch.json("apply")
    assert [(c["setting"], c["from"], c["to"]) for c in answer["changes"]] == [
        ("uplinks.isp2.cost", "20", "40")], answer
    assert sites.branch.json("apply")["changes"] == []
    costs = {u["name"]: u["cost"] for u in sites.branch.json("uplinks")["uplinks"]}
    assert costs["isp2"] == 40
    sites.branch.configure(text + "nonsense: 1\n")
    done = sites.branch.ctl("apply", check=False)
    assert done.returncode == 4 and done.stdout == "", done
    assert "nonsense" in done.stderr and "nothing has changed" in done.stderr, done


def test_a_change_is_pushed_within_a_second(sites):
    watch = follow(sites, "watch")
    json.loads(watch.stdout.readline())
    witness = Witness(sites.lab)
    begun = time.monotonic_ns()
    sites.branch.ctl("uplink", "isp2", "down")
    asked = time.monotonic_ns()
    while True:
        status = json.loads(watch.stdout.readline())
        if {u["name"]: u["state"] for u in status["uplinks"]}["isp2"] == "stopped":
            break
    seen = time.monotonic_ns()
    watch.kill()
    watch.wait()
    assert (seen - asked) / 1e9 <= PUSH_LIMIT_S + 2 * witness.worst_s(begun, seen)


def test_events_survive_a_kill_and_are_followed(sites):
    before = sites.branch.json("events", "--since", "1h")["events"]
    news = follow(sites, "events", "--follow", "--kind", "uplink")
    sites.branch.ctl("uplink", "lte", "down")
    sites.branch.ctl("uplink", "lte", "up")
    told = []
    while not any(e["to"] == "stopped" for e in told):
        told.append(json.loads(news.stdout.readline()))
    assert all(e["kind"] == "uplink" for e in told)
    sites.lab.wait_for("the event to be stored", lambda: (
        told[-1] in sites.branch.json("events", "--since", "1h")["events"], told[-1]), 5)
    starts = sites.lab.service("branch-edged")["starts"]
    sites.lab.kill("branch-edged")
    assert news.wait(30) == 3
    sites.lab.wait_for("edged is back", lambda: sites.lab.service("branch-edged")["starts"] > starts
                       and sites.lab.service("branch-edged")["ready"], 20)
    after = sites.branch.json("events", "--since", "1h")["events"]
    assert [e for e in before + told[-1:] if e not in after] == []


def test_a_restart_that_cannot_succeed_says_so_in_time(sites):
    sites.lab.stop("hub-edged")
    begun = time.monotonic()
    done = sites.branch.ctl("peer", "hub", "restart", "--wait", str(WAIT_S), check=False)
    assert done.returncode == 1, done
    assert "waiting for the tunnels to hub" in done.stderr
    assert "no tunnel is up" in done.stderr
    assert time.monotonic() - begun < 15
    assert sites.branch.ctl("status").returncode == 0


def test_hostile_clients_are_dropped_and_nothing_else(sites):
    before = sites.spis()
    path = os.path.join(sites.branch.run_dir, "control.sock")
    # Opened within the branch's namespaces: the socket is a file, all see it.
    deep = b'{"jsonrpc":"2.0","id":1,"method":"paths.list","params":{"a":' + b"[" * 5000
    for junk in (b"\x00" * 65536, b"x" * 400000, deep + b"\n", b"[]\n" * 1000,
                 b'{"jsonrpc":"2.0","id":1,"method":"why","params":{"address":5}}\n'):
        with socket.socket(socket.AF_UNIX) as s:
            s.settimeout(10)
            s.connect(path)
            try:
                s.sendall(junk)
                s.recv(65536)
            except OSError:
                pass
    mute = []
    for _ in range(70):
        s = socket.socket(socket.AF_UNIX)
        s.connect(path)
        mute.append(s)
    done = sites.branch.ctl("paths", check=False)
    assert done.returncode == 1 and "too many clients" in done.stderr, done
    for s in mute:
        s.close()
    sites.lab.wait_for("room again", lambda: (
        sites.branch.ctl("paths", check=False).returncode == 0, ""), 5)
    sites.lab.wait_for("three tunnels up", sites.up, 5)
    assert sites.spis() == before
