# SPDX-License-Identifier: GPL-2.0-or-later
"""From the file that AWS gives to two running tunnels, by one command

    branch ==isp1 (NAT)== internet -- cloud-a, cloud-b -- vpc

The clouds are strongSwan and FRR, as everywhere in the lab. The files are those of
tests/golden/aws with the lab's addresses.
"""
import json
import os

import pytest
from daemons import Edged, Frr
from lab import TOP, data_dir, program
from topology import CLOUDS, VPC_HOST, ZEBRA, World, write_file

KEYS = {"a": "Kx3.vTq_81mZaPw0RbnE7cLs92dYhUfG", "b": "Qm9_bW2.rJ6nXe4TzAkVu83oHsCyDp1F"}
OUTSIDE = {"a": "198.51.100.12", "b": "198.51.100.71"}
TUNNELS = ["aws/a/isp1", "aws/b/isp1"]

BRANCH = """\
# the branch before there was a cloud
name: branch
lan: 10.42.0.0/24
uplinks:
  isp1: {{interface: isp1}}      # behind the provider's NAT
  isp2: {{interface: isp2, cost: 20}}
peers:
  other: {{address: 198.18.99.9, networks: 10.99.0.0/16}}  # does not answer
frr: {{socket-dir: {frr}}}
dataplane: user
"""
SECRETS = "# kept by hand\nother: nobody knows\n"


class Branch:
    def __init__(self, lab):
        self.lab = lab
        self.world = World(lab)
        self.world.start_clouds(KEYS)
        self.frr = Frr(lab, "branch", ZEBRA % "branch", "hostname branch\n")
        self.frr.start()
        self.edged = Edged(lab, "branch", BRANCH.format(frr=self.frr.dir), SECRETS, self.frr)
        self.edged.start()

    def file(self, name):
        """A file of AWS that describes the clouds of the lab."""
        with open(os.path.join(TOP, "tests/golden/aws", name), encoding="utf-8") as f:
            text = f.read()
        for cloud, address in OUTSIDE.items():
            assert address in text
            text = text.replace(address, CLOUDS[cloud][0])
        return write_file(self.lab, name, text)

    def imported(self, name, *args):
        e = self.edged
        return self.lab.run("branch", [program("edgectl"), "--run", e.run_dir, "--config", e.config,
                                       "import", "aws", self.file(name), *args], check=False,
                            env=dict(os.environ, EDGED_DATADIR=data_dir()))

    def reaches_vpc(self):
        done = self.lab.run("branch-lan", ["ping", "-n", "-q", "-c", "1", "-W", "1", VPC_HOST],
                            check=False)
        return (done.returncode == 0, done.stdout)


@pytest.fixture
def branch(lab):
    return Branch(lab)


def read(path):
    with open(path, encoding="utf-8") as f:
        return f.read()


def test_one_command_makes_two_running_tunnels_of_the_xml(lab, branch):
    e = branch.edged
    done = branch.imported("bgp.xml", "--apply")
    assert done.returncode == 2 and "203.0.113.10" in done.stderr, done
    done = branch.imported("bgp.xml", "--via", "isp1", "--apply", "--wait", "60")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "aws: 2 of 2 tunnels are up" in done.stdout, done.stdout
    assert not any(k in done.stdout + done.stderr for k in KEYS.values())
    lab.wait_for("both paths are up", lambda: e.tunnels_up(TUNNELS), 30)
    lab.wait_for("BGP over both", lambda: branch.frr.all_up(2), 60)
    lab.wait_for("the cloud's network answers", branch.reaches_vpc, 30)
    text = read(e.config)
    assert all(line in text for line in BRANCH.format(frr=branch.frr.dir).splitlines())
    assert read(e.secrets).startswith(SECRETS)
    st = os.stat(e.secrets)
    assert st.st_mode & 0o7777 == 0o640 and st.st_uid == os.stat(e.config).st_uid != 0
    # What else edgectl tells of it comes from the same daemon.
    def health():
        done = e.ctl("health", check=False)
        return (done.returncode == 1 and "'aws/a/isp1 delay'=" in done.stdout, done)

    lab.wait_for("a warning about the other peer, with figures", health, 20)
    metrics = e.ctl("metrics").stdout
    assert 'edged_path_up{' in metrics and 'tunnel="aws/b/isp1"' in metrics, metrics
    checked = lab.run("branch", ["promtool", "check", "metrics"], input=metrics, check=False)
    assert checked.returncode == 0, checked
    past = json.loads(e.ctl("-j", "history", "aws/a/isp1", "--since", "15m").stdout)
    assert past["path"] == "aws/a/isp1" and past["columns"][0] == "t", past
    assert e.ctl("history", "aws/a/isp1").stdout.startswith("aws/a/isp1 from "), past
    names = lab.run("branch", [program("edgectl"), "complete", "--", "--run", e.run_dir, "history",
                               "aws/"]).stdout
    assert names.split() == TUNNELS


def test_one_command_makes_two_running_tunnels_of_json_without_bgp(lab, branch):
    for cloud in ("cloud-a", "cloud-b"):
        lab.ip(cloud, "route add 10.42.0.0/16 dev ipsec0")
    done = branch.imported("static.json", "--via", "isp1", "--networks", "10.200.0.0/16", "--apply",
                           "--wait", "60")
    assert done.returncode == 0 and "2 of 2 tunnels are up" in done.stdout, done
    lab.wait_for("both paths are up", lambda: branch.edged.tunnels_up(TUNNELS), 30)
    lab.wait_for("the cloud's network answers", branch.reaches_vpc, 30)
    assert "bgp:" not in read(branch.edged.config)
