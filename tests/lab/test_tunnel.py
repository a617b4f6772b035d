# SPDX-License-Identifier: GPL-2.0-or-later
"""Tunnels between two edged: first ping, restart, uplinks that come and go

    branch ==isp1 (NAT)==\\
           ==isp2========= internet -- hub
           ==lte==========/

No FRR and no classes: static `networks`, main's routes.
"""
import pytest

from daemons import Edged
from flows import Flows
from lab import program
from topology import BRANCH_HOST, HUB_HOST, HUB_HOST6, HUB_OUTSIDE, World
from wan import DOWN, UP

TUNNELS = ["hub/isp1", "hub/isp2", "hub/lte"]

BRANCH = """
name: branch
lan: [10.42.0.0/24, "fd42:0:0:42::/64"]
uplinks:
  isp1: {{interface: isp1}}
  isp2: {{interface: isp2, cost: 20}}
  lte: {{interface: lte, cost: 100}}
peers:
  hub: {{address: {hub}, networks: [10.1.0.0/16, "fd42:0:0:1::/64"]}}
dataplane: user
"""

HUB = """
name: hub
inside: [100.96.0.0/16, "fd42:96::/64"]
lan: [10.1.0.0/24, "fd42:0:0:1::/64"]
uplinks:
  wan: {interface: wan}
peers:
  branch: {networks: [10.42.0.0/16, "fd42:0:0:42::/64"]}
dataplane: user
"""

SECRET = 'the one of the two for tests'


class Sites:
    def __init__(self, lab):
        self.lab = lab
        self.world = World(lab)
        self.hub = Edged(lab, "hub", HUB, f'branch: "{SECRET}"\n')
        self.branch = Edged(lab, "branch", BRANCH.format(hub=HUB_OUTSIDE),
                            f'hub: "{SECRET}"\n')

    def start(self):
        self.hub.start(restart_s=1)
        self.branch.start(restart_s=1)

    def up(self, names=None):
        return self.branch.tunnels_up(names or TUNNELS)

    def spis(self):
        """{tunnel: SPI of its IKE SA}: what a tunnel that was never lost keeps."""
        return {t["name"]: t["spi_i"] for t in self.branch.json("ike")["tunnels"]}

    def ping(self, address, *argv, space="branch-lan", count=1):
        done = self.lab.run(space, ["ping", "-n", "-q", "-c", str(count), "-i", "0.05",
                                    "-W", "2", *argv, address], check=False)
        return (done.returncode == 0, done.stdout)

    def inside(self):
        """{tunnel: (ifname, our inside address, the peer's)} at the branch."""
        return {p["name"]: p for p in self.branch.json("paths")["paths"]}


@pytest.fixture
def sites(lab):
    made = Sites(lab)
    made.start()
    lab.wait_for("three tunnels up", made.up, 30)
    return made


def kernel(lab, space):
    """What edged owns in a namespace's kernel, in an order that does not change."""
    rules = lab.out(space, "ip", "rule") + lab.out(space, "ip", "-6", "rule")
    routes = (lab.out(space, "ip", "route", "show", "table", "all", "proto", "171")
              + lab.out(space, "ip", "-6", "route", "show", "table", "all", "proto", "171"))
    links = [(x["ifname"], x.get("ifalias"), x["mtu"],
              sorted(a["local"] for a in x["addr_info"]))
             for x in lab.links(space) if x["ifname"].startswith("ed")]
    return {"rules": rules, "routes": sorted(routes.splitlines()), "links": links}


def test_lan_reaches_lan_through_tunnels_of_our_own_engine(lab, sites):
    for address in (HUB_HOST, HUB_HOST6):
        lab.wait_for(f"{address} answers", lambda a=address: sites.ping(a), 10)
    lab.wait_for("the branch answers the hub's LAN",
                 lambda: sites.ping(BRANCH_HOST, space="hub-lan"), 10)
    names = sorted(sites.hub.paths())
    assert names == ["branch/isp1", "branch/isp2", "branch/lte"]


def test_outer_packets_of_a_tunnel_leave_by_its_own_uplink(lab, sites):
    """Also when a default route leads into a tunnel."""
    ifname = sites.inside()["hub/isp2"]["interface"]
    lab.ip("branch", f"route add 0.0.0.0/1 dev {ifname}",
           f"route add 128.0.0.0/1 dev {ifname}")
    sites.branch.ctl("peer", "hub", "restart")
    lab.wait_for("all tunnels up again", sites.up, 30)
    lab.wait_for("the hub's LAN answers", lambda: sites.ping(HUB_HOST), 10)


def test_kill_9_of_edged_loses_nothing_and_is_mended_by_a_restart(lab, sites):
    lab.wait_for("the hub's LAN answers", lambda: sites.ping(HUB_HOST), 10)
    before = lab.wait_still("the branch's kernel", lambda: kernel(lab, "branch"), 20)
    starts = lab.service("branch-edged")["starts"]
    flows = Flows(lab, ("branch-lan", BRANCH_HOST), [("hub-lan", HUB_HOST)])
    flows.start([("all", HUB_HOST, 0, 100, 84)])
    lab.wait_for("requests", lambda: flows.sent("all") > 20, 10)
    lab.kill("branch-edged")
    lab.wait_for("edged is started again",
                 lambda: lab.service("branch-edged")["starts"] > starts
                 and lab.service("branch-edged")["ready"], 20)
    lab.wait_for("the paths are up", sites.up, 20)
    lab.wait_for("six seconds of requests", lambda: flows.sent("all") > 600, 30)
    flows.stop()
    assert not flows.lost("all", UP) and not flows.lost("all", DOWN)
    lab.wait_for("the branch's kernel as before", lambda: (
        kernel(lab, "branch") == before, (before, kernel(lab, "branch"))), 10)


def test_sigterm_keeps_traffic_and_down_removes_all_that_is_ours(lab, sites):
    lab.wait_for("the hub's LAN answers", lambda: sites.ping(HUB_HOST), 10)
    lab.stop("branch-edged", signal="SIGTERM")
    assert sites.ping(HUB_HOST, count=20)[0]
    lab.ip("branch", "route add 10.99.0.0/24 dev lan")
    done = lab.run("branch", [program("edged"), "--config", sites.branch.config, "--run",
                              sites.branch.run_dir, "--state", sites.branch.state_dir,
                              "--down"], check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    left = kernel(lab, "branch")
    assert left["routes"] == [] and left["links"] == []
    assert "fwmark" not in left["rules"]
    assert "10.99.0.0/24" in lab.out("branch", "ip", "route")
    assert "edged" not in lab.out("branch", "nft", "list", "tables")


def test_an_uplink_without_a_default_route_says_what_is_missing(lab, sites):
    lab.ip("branch", "route del default via 192.0.2.1 dev lte metric 103",
           "route del default via 2001:db8:3::1 dev lte metric 103")

    def state():
        return {u["name"]: u for u in sites.branch.json("uplinks")["uplinks"]}["lte"]

    lab.wait_for("lte has no route", lambda: (state()["state"] == "no-route", state()), 5)
    log = lab.service("branch-edged")["log"]

    def said():
        with open(log, encoding="utf-8") as f:
            return "nobody told the kernel where to send" in f.read()

    lab.wait_for("the reason in the log", said, 5)
    lab.ip("branch", "route add default via 192.0.2.1 dev lte metric 103")
    lab.wait_for("lte is up", lambda: (state()["state"] == "up", state()), 5)
    lab.wait_for("its tunnel is up", lambda: sites.up(["hub/lte"]), 20)


def test_an_address_that_changes_in_place_moves_the_tunnel(lab, sites):
    lab.ip("branch", "addr del 198.51.100.2/24 dev isp2",
           "addr add 198.51.100.77/24 dev isp2",
           "route add default via 198.51.100.1 dev isp2 metric 102")

    def local():
        rows = {t["name"]: t for t in sites.branch.json("ike")["tunnels"]}
        row = rows["hub/isp2"]
        return ("198.51.100.77" in str(row.get("local")), row)

    lab.wait_for("hub/isp2 leaves from the new address", local, 30)
    lab.wait_for("it is up", lambda: sites.up(["hub/isp2"]), 30)


def test_a_link_set_down_and_up_keeps_its_sas(lab, sites):
    before = {t["name"]: t for t in sites.branch.json("ike")["tunnels"]}["hub/isp2"]
    lab.ip("branch", "link set isp2 down")

    def down():
        rows = {u["name"]: u["state"] for u in sites.branch.json("uplinks")["uplinks"]}
        return (rows["isp2"] == "no-carrier", rows)

    lab.wait_for("isp2 has no carrier", down, 5)
    lab.ip("branch", "link set isp2 up", "addr replace 2001:db8:2::2/64 dev isp2 nodad",
           "route replace default via 198.51.100.1 dev isp2 metric 102")
    lab.wait_for("hub/isp2 is up", lambda: sites.up(["hub/isp2"]), 20)
    after = {t["name"]: t for t in sites.branch.json("ike")["tunnels"]}["hub/isp2"]
    assert after["spi_i"] == before["spi_i"]


def test_the_operator_takes_an_uplink_down_and_brings_it_back(lab, sites):
    sites.branch.ctl("uplink", "isp2", "down")

    def stopped():
        paths = sites.branch.paths()
        return (paths["hub/isp2"]["state"] != "up" and paths["hub/isp1"]["state"] == "up",
                paths)

    lab.wait_for("isp2 carries nothing", stopped, 10)
    starts = lab.service("branch-edged")["starts"]
    lab.kill("branch-edged")
    lab.wait_for("edged is back", lambda: lab.service("branch-edged")["starts"] > starts
                 and lab.service("branch-edged")["ready"], 20)
    rows = {u["name"]: u["state"] for u in sites.branch.json("uplinks")["uplinks"]}
    assert rows["isp2"] == "stopped"
    sites.branch.ctl("uplink", "isp2", "up")
    lab.wait_for("isp2 carries again", sites.up, 30)


def test_mains_routes_follow_liveness_where_no_class_moves(lab, sites):
    """lte carries no class: its death and its return change nothing but main."""
    row = {t["name"]: t for t in sites.branch.json("ike")["tunnels"]}["hub/lte"]
    lte, peer = row["interface"], row["inside_peer"]

    def over(yes):
        network = lab.out("branch", "ip", "route", "show", "10.1.0.0/16")
        host = lab.out("branch", "ip", "route", "show", peer)
        return ((f"dev {lte} " in network) == (f"dev {lte} " in host) == yes,
                (network, host))

    lab.wait_for("the network over lte too", lambda: over(True), 10)
    sites.world.cut("lte")
    lab.wait_for("neither network nor peer over lte", lambda: over(False), 3)
    sites.world.uncut("lte")
    lab.wait_for("both over lte again", lambda: over(True), 30)


def test_apply_changes_only_what_changed(lab, sites):
    lab.wait_for("the hub's LAN answers", lambda: sites.ping(HUB_HOST), 10)
    before = sites.spis()
    text = BRANCH.format(hub=HUB_OUTSIDE)
    sites.branch.configure("uplinks: {")
    assert sites.branch.ctl("apply", check=False).returncode == 4
    sites.branch.configure("")
    assert sites.branch.ctl("apply", check=False).returncode == 4
    assert sites.spis() == before
    sites.branch.configure(text.replace("  lte: {interface: lte, cost: 100}\n", ""))
    sites.branch.ctl("apply")
    lab.wait_for("hub/lte is gone", lambda: "hub/lte" not in sites.branch.paths(), 10)
    after = sites.spis()
    assert after == {n: s for n, s in before.items() if n != "hub/lte"}
    sites.branch.configure(text)
    sites.branch.ctl("apply")
    lab.wait_for("three tunnels again", sites.up, 30)
