# SPDX-License-Identifier: GPL-2.0-or-later
"""What page and metrics read of a daemon with a tunnel, and who may order what

    branch ==isp1 (NAT)==\\
           ==isp2========= internet -- hub
           ==lte==========/

Two classes, so that there is something to move; edge-zebra is not there and is
missed. Numbers are compared with what happened to the WAN, or with one another.
"""
import statistics
import time

import pytest
from daemons import Edged
from rpc import Rpc, RpcError
from test_tunnel import HUB, SECRET, TUNNELS, Sites
from topology import HUB_OUTSIDE, World

BRANCH = """
name: branch
lan: 10.42.0.0/24
uplinks:
  isp1: {{interface: isp1}}
  isp2: {{interface: isp2, cost: 20}}
  lte: {{interface: lte, cost: 100}}
peers:
  hub: {{address: {hub}, networks: 10.1.0.0/16}}
classes:
  voice: {{dscp: EF, max-delay: 150ms, max-loss: 1%, prefer: [isp1, isp2]}}
dataplane: user
"""
COLUMNS = ["t", "p50_ms", "p95_ms", "min_ms", "max_ms", "jitter_ms", "jitter_max_ms", "lost",
           "sent", "up"]


@pytest.fixture
def sites(lab):
    made = Sites.__new__(Sites)
    made.lab = lab
    made.world = World(lab)
    made.hub = Edged(lab, "hub", HUB, f'branch: "{SECRET}"\n')
    made.branch = Edged(lab, "branch", BRANCH.format(hub=HUB_OUTSIDE), f'hub: "{SECRET}"\n')
    made.start()
    lab.wait_for("three tunnels up", made.up, 30)
    return made


@pytest.fixture
def rpc(sites):
    made = Rpc(sites.branch.run_dir)
    yield made
    made.close()


def test_an_order_names_who_gave_it(sites, rpc):
    web = Rpc(sites.branch.run_dir, "edged-web")
    admin = Rpc(sites.branch.run_dir, "nobody", "edged-admin")
    viewer = Rpc(sites.branch.run_dir, "nobody", "edged")
    names = []
    for who, params, name in ((web, {"by": "alice"}, "alice"), (rpc, {"by": "bob"}, "bob"),
                              (rpc, {}, "root"), (admin, {}, "nobody")):
        for up in (False, True):
            assert who.call("uplink.set", name="lte", up=up, **params)["changed"]
            names.append(name)
    who = [e for e in rpc.call("events.list", kind="uplink")["events"] if "by" in e["numbers"]]
    assert [e["numbers"]["by"] for e in who] == names
    assert who[0]["reason"] == "taken down by alice"
    assert who[1]["reason"] == "brought back by alice"
    web.call("peer.restart", name="hub", by="alice")
    assert "restarted by alice" in [
        e["reason"] for e in rpc.call("events.list", kind="peer")["events"]]
    for asks, method, params, code in (
            (admin, "uplink.set", {"name": "lte", "by": "eve"}, -32001),
            (viewer, "uplink.set", {"name": "lte"}, -32001),
            (viewer, "uplink.set", {"name": "lte", "by": "eve"}, -32001),
            (web, "uplink.set", {"name": "lte"}, -32602),
            (web, "uplink.set", {"name": "lte", "by": ""}, -32602),
            (web, "uplink.set", {"name": "lte", "by": "a\nb"}, -32602),
            (web, "uplink.set", {"name": "lte", "by": "a" * 64}, -32602),
            (web, "uplink.set", {"name": "lte", "by": 7}, -32602),
            (web, "config.apply", {}, -32001),
            (web, "zebra.subscribe", {}, -32001),
            (viewer, "peer.rekey", {"name": "hub"}, -32001)):
        with pytest.raises(RpcError) as err:
            asks.call(method, **params)
        assert err.value.code == code, (method, params)
    assert web.call("status.get")["name"] == "branch"


def test_events_have_numbers_that_grow_over_a_restart(sites, rpc):
    ids = sites.lab.wait_still("the list of events", lambda: [
        e["id"] for e in rpc.call("events.list")["events"]], 60)
    assert ids == sorted(set(ids)) and all(isinstance(i, int) for i in ids)
    newest = rpc.call("events.list", after=ids[-3])["events"]
    assert [e["id"] for e in newest] == ids[-2:]
    starts = sites.lab.service("branch-edged")["starts"]
    sites.lab.kill("branch-edged")
    sites.lab.wait_for("edged is back", lambda: sites.lab.service("branch-edged")["starts"] > starts
                       and sites.lab.service("branch-edged")["ready"], 20)
    again = Rpc(sites.branch.run_dir)
    again.call("events.follow")
    again.call("uplink.set", name="lte", up=False)
    live = [m["params"] for m in again.told if m["params"]["subject"] == "lte"
            and m["params"]["to"] == "stopped"]
    assert live and live[0]["kind"] == "uplink"
    sites.lab.wait_for("the event to be stored", lambda: (
        [e for e in again.call("events.list", after=ids[-1])["events"]
         if e["id"] == live[0]["id"]], ""), 5)
    after = [e["id"] for e in again.call("events.list")["events"]]
    assert after == sorted(set(after)) and after[:len(ids)] == ids and live[0]["id"] > ids[-1]


def test_a_degraded_path_shows_everywhere_with_its_numbers(sites, rpc):
    def by_isp1():
        first = rpc.call("classes.list")["classes"][0]["peers"][0]["paths"][0]
        return ((first["path"], first["verdict"]) == ("hub/isp1", "chosen"), first)

    def calm():
        now = rpc.call("status.get")
        path = {p["name"]: p for p in now["paths"]}["hub/isp1"]
        # No FRR here, and the classes want it.
        return ([(a["kind"], a["subject"]) for a in now["attention"]]
                == [("helper", "edge-zebra")]
                and path["measured"] and path["window_sent"] > 10, now)

    sites.lab.wait_for("voice by isp1", by_isp1, 60)
    status = sites.lab.wait_for("measured paths and one thing to tell", calm, 30)[1]
    assert status["sentence"].startswith("3 of 3 uplinks are up. To hub "), status["sentence"]
    assert [(h["name"], h["up"]) for h in status["helpers"]] == [
        ("edge-zebra", False), ("edge-esp", True)]
    assert status["store"]["writable"] is True and status["store"]["trouble"] is None
    assert status["kernel"]["rules"] > 0 and status["kernel"]["failing"] == 0
    assert abs(status["started"] + status["uptime_s"] - time.time()) < 5
    path = {p["name"]: p for p in status["paths"]}["hub/isp1"]
    assert path["window_s"] == 30 and path["window_lost"] <= 10
    up = {u["name"]: u for u in status["uplinks"]}
    assert up["isp1"]["nat"] is True and up["isp2"]["nat"] is False
    assert up["isp1"]["reason"] is None

    sites.lab.wait_for("some calm seconds in the chart", lambda: (
        len([r for r in rpc.call("paths.history", path="hub/isp1",
                                 since=int(time.time()) - 60)["rows"]
             if r[1] is not None]) > 4, ""), 20)
    began = time.time()
    sites.world.degrade("isp1", extra_ms=200, loss=0)
    sites.lab.wait_for("voice by isp2", lambda: (
        [p["path"] for p in rpc.call("classes.list")["classes"][0]["peers"][0]["paths"]
         if p["member"]] == ["hub/isp2"], ""), 20)
    status = rpc.call("status.get")
    entry = [a for a in status["attention"] if a["kind"] == "class"]
    assert len(entry) == 1 and entry[0]["subject"] == "hub/voice", status["attention"]
    assert entry[0]["severity"] == "warning" and entry[0]["path"] == "hub/isp1"
    assert "is over 150 ms" in entry[0]["text"] and entry[0]["did"] == "voice goes by isp2"
    assert entry[0]["evidence"]["limit_ms"] == 150 < entry[0]["evidence"]["value_ms"]
    assert began - 1 <= entry[0]["since"] <= time.time()
    moved = rpc.call("classes.list")["classes"][0]["peers"][0]["moved"]
    assert moved["id"] == entry[0]["event"]
    assert (moved["from"], moved["to"]) == ("hub/isp1", "hub/isp2")

    # The chart's mark stands at the event's second, and the chart shows why.
    def chart():
        return rpc.call("paths.history", path="hub/isp1", since=int(began) - 30)

    sites.lab.wait_for("the slow second in the chart", lambda: (
        [r for r in chart()["rows"] if r[0] >= int(moved["time"]) and r[1] is not None], ""), 10)
    answer = chart()
    assert answer["columns"] == COLUMNS and answer["step_s"] == 1 == answer["tier_s"]
    move = [m for m in answer["moves"] if m["id"] == moved["id"]][0]
    assert (move["class"], move["peer"], move["why"]) == ("voice", "hub", "sla")
    assert move["time"] == moved["time"] and move["reason"] == moved["reason"]
    assert answer["limits"]["voice"] == {"uses": False, "max_delay_ms": 150.0,
                                         "max_jitter_ms": None, "max_loss_pct": 1.0}
    rows = {r[0]: dict(zip(COLUMNS, r)) for r in answer["rows"]}
    early = [r for t, r in rows.items() if t < began - 1 and r["p50_ms"] is not None]
    late = [r for t, r in rows.items() if t >= int(move["time"]) and r["p50_ms"] is not None]
    # A machine that stands still for a moment may spoil a second, not most of them.
    assert early and all(r["min_ms"] > 15 for r in early), early
    assert statistics.median(r["p50_ms"] for r in early) < 60, early
    assert late and all(r["max_ms"] > 200 for r in late[:1]), late
    assert all(r["min_ms"] <= r["p50_ms"] <= r["p95_ms"] <= r["max_ms"]
               for r in rows.values() if r["p50_ms"] is not None)
    with pytest.raises(RpcError):
        rpc.call("paths.history", path="hub/isp1", since=10, until=5)
    assert rpc.call("paths.history", path="no/such")["rows"] == []


def test_the_ipsec_side_tells_intent_and_truth(sites, rpc):
    rows = {t["name"]: t for t in rpc.call("ike.list")["tunnels"]}
    assert set(rows) == set(TUNNELS)
    for row in rows.values():
        assert row["kernel"] == {"sa_in": 1, "sa_out": 1, "wanted_in": 1, "wanted_out": 1}
        assert row["child"]["age_s"] >= 0 and row["failures_total"] == 0
        assert row["failed_at"] is None and row["last_failure"] is None
    rpc.call("peer.rekey", name="hub")
    sites.lab.wait_for("rekeys to be counted", lambda: (
        min(t["rekeys_total"] for t in rpc.call("ike.list")["tunnels"]) >= 2, ""), 20)
    sites.branch.configure(BRANCH.format(hub=HUB_OUTSIDE), 'hub: "another secret"\n')
    sites.branch.ctl("apply")
    rpc.call("peer.restart", name="hub")
    sites.lab.wait_for("a wrong secret to be told", lambda: (
        all(t["failures_total"] >= 1 and t["failed_at"] and t["last_failure"]
            for t in rpc.call("ike.list")["tunnels"]), rpc.call("ike.list")), 30)

    def entries_of_all():
        found = [a for a in rpc.call("status.get")["attention"] if a["kind"] == "tunnel"]
        return ({a["subject"] for a in found} == set(TUNNELS), found)

    entries = sites.lab.wait_for("attention for each tunnel", entries_of_all, 10)[1]
    assert all(a["severity"] == "error" and "attempt" in a["did"] for a in entries), entries
