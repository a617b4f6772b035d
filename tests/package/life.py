#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The packages' life on a box with systemd, in a virtual machine

    life.py OUT DEBS NEXT INSTALLED

DEBS and NEXT are folders with the packages and their next release, INSTALLED what
`make install` wrote.

    lan 10.42.0.10 -- box ==isp1 203.0.113.2== net -- hub 198.51.100.10 -- hub-lan 10.11.0.10
                          ==isp2 203.0.114.2==
    near-lan -- near ==one== / ==two== -- far -- far-lan      FRR with BFD 3 x 300 ms

The box is the guest's own network, run by systemd with Debian's FRR; all else
are name spaces under tests/lab/keeper. Traffic and an ssh session go over both
tunnels while the packages are installed anew, and a path of the other pair
is cut without a word: the yardstick. What was seen goes to OUT/life.json, a
step each; test_life.py judges it.
"""
import json
import os
import re
import subprocess
import sys
import threading
import time
import traceback

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(
    os.path.abspath(__file__))), "lab"))
import lab as lab_module                                            # noqa: E402
from daemons import Edged, Frr                                      # noqa: E402
from flows import Flows                                             # noqa: E402
from lab import Lab, Witness                                        # noqa: E402
from wan import DOWN, UP                                            # noqa: E402

SECRET = "only for this guest"
PPS = 20
BYTES = 200
CUTS = 2
QUIET_S = 3              # traffic before and after what is measured
PATHS = {"hub/isp1": "one", "hub/isp2": "two"}
PROGRAMS = ("edged", "edge-esp", "edge-zebra", "edge-webui")
USERS = ("edged", "edge-esp", "edged-web")

CLASSES = """
classes:
  one: {dscp: EF, prefer: [isp1, isp2]}
  two: {dscp: AF11, prefer: [isp2, isp1]}
  default: {prefer: [isp1, isp2]}
"""
INIT = ["edgectl", "init", "--name", "box", "--uplinks", "isp1=isp1,isp2=isp2", "--lan",
        "10.42.0.0/24", "--peer", "hub=198.51.100.10", "--networks", "10.11.0.0/16"]
HUB = """
name: hub
inside: 100.96.0.0/16
lan: 10.11.0.0/24
uplinks:
  wan: {interface: wan}
peers:
  box:
    networks: 10.42.0.0/16
    uplinks:
      isp1: {cost: 10}
      isp2: {cost: 20}
dataplane: xfrm
""" + CLASSES
BGP = """
router bgp {asn}
 bgp router-id 198.19.0.{own}
 no bgp ebgp-requires-policy
 timers bgp 3 9
 neighbor 198.19.1.{peer} remote-as {peer_asn}
 neighbor 198.19.1.{peer} bfd 3 300 300
 neighbor 198.19.1.{peer} timers connect 1
 neighbor 198.19.2.{peer} remote-as {peer_asn}
 neighbor 198.19.2.{peer} bfd 3 300 300
 neighbor 198.19.2.{peer} timers connect 1
 address-family ipv4 unicast
  network 10.{net}.1.0/24
  neighbor 198.19.1.{peer} weight 200
  neighbor 198.19.2.{peer} weight 100
 exit-address-family
exit
"""


def shell(command, check=True):
    done = subprocess.run(["sh", "-c", command], text=True, check=False,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if check and done.returncode:
        raise lab_module.LabError(f"{command}: status {done.returncode}\n{done.stdout}")
    return done.stdout


class Box:
    """systemd and what runs below it."""

    def __init__(self):
        for unit in ("ssh.service", "apt-daily.timer", "apt-daily-upgrade.timer",
                     "dpkg-db-backup.timer", "logrotate.timer", "fstrim.timer",
                     "e2scrub_all.timer", "systemd-timesyncd.service"):
            path = "/etc/systemd/system/" + unit
            if not os.path.lexists(path):
                os.symlink("/dev/null", path)
        # as README says
        shell("sed -i 's/^bgpd=no/bgpd=yes/; s/^zebra_options=\"/&-K 60 /' /etc/frr/daemons")
        self.unshare = subprocess.Popen(
            ["unshare", "-f", "-p", "-m", "-C", "--mount-proc", "--kill-child", "sh", "-c",
             "mount -t tmpfs run /run; mount -t cgroup2 cgroup /sys/fs/cgroup; "
             "export container=vmrun; exec /lib/systemd/systemd"],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.pid = None

    def run(self, *argv, check=True, said=""):
        """A command beside systemd: its processes, its /run. said is its input."""
        env = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        done = subprocess.run(["nsenter", "-t", self.pid, "-m", "-p", *argv], text=True,
                              check=False, env=env, input=said,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        if check and done.returncode:
            raise lab_module.LabError(f"{' '.join(argv)}: status {done.returncode}\n"
                                      f"{done.stdout}")
        return done.stdout

    def booted(self):
        if not self.pid:
            self.pid = shell(f"pgrep -P {self.unshare.pid}", check=False).strip() or None
            return (False, "no process")
        state = self.run("systemctl", "is-system-running", check=False).strip()
        return (state in ("running", "degraded"), state)

    def apt(self, verb, *what):
        return self.run("apt-get", "-q", "-y", "--no-install-recommends",
                        "--allow-downgrades", "-o", "APT::Sandbox::User=root", verb, *what)

    def show(self, unit, *names):
        """Properties of a unit."""
        text = self.run("systemctl", "show", unit, "-p", ",".join(names))
        return dict(line.split("=", 1) for line in text.splitlines() if "=" in line)

    def ctl(self, *argv):
        return json.loads(self.run("edgectl", "--json", *argv))

    def paths_up(self):
        paths = {p["name"]: p["state"] for p in self.ctl("paths")["paths"]}
        return (all(paths.get(n) == "up" for n in PATHS), paths)

    def programs(self):
        """What of ours runs: {name: pid}."""
        rows = self.run("ps", "-eo", "pid=,comm=").split("\n")
        return {row.split()[1]: row.split()[0] for row in rows
                if len(row.split()) == 2 and row.split()[1] in PROGRAMS}

    def journal(self, *units):
        argv = ["journalctl", "-q", "--no-pager", "-o", "short-precise"]
        for unit in units:
            argv += ["-u", unit]
        return self.run(*argv, check=False)


def kernel():
    """Everything in the box's kernel that a router program may have put there."""
    links = json.loads(shell("ip -j link"))
    found = {
        "links": sorted(x["ifname"] for x in links),
        "rules": sorted(shell("ip rule; ip -6 rule").splitlines()),
        "routes": sorted(r for r in shell(
            "ip -d route show table all; ip -6 -d route show table all").splitlines()
            if " fe80" not in r and not r.startswith(("unicast fe80", "multicast", "local ",
                                                      "anycast", "broadcast"))),
        "nexthops": sorted(shell("ip nexthop show").splitlines()),
        "tables": sorted(shell("nft list tables").splitlines()),
        "states": sorted(re.findall("spi (0x[0-9a-f]+)", shell("ip xfrm state"))),
        "policies": shell("ip xfrm policy").count("src "),
    }
    return found


def by_zebra():
    """Routes that edge-zebra had zebra write."""
    return [r for r in shell("ip route show table all").splitlines()
            if re.search(r"proto (sharp|194)\b", r)]


class Session:
    """An ssh session that says a number every 200 ms and hears it back."""

    def __init__(self, lab):
        self.lab = lab
        folder = os.path.join(lab.dir, "ssh")
        os.makedirs(folder, 0o700)
        key = os.path.join(folder, "key")
        shell(f"ssh-keygen -q -t ed25519 -N '' -f {key}; ssh-keygen -q -t ed25519 -N '' "
              f"-f {folder}/host; cp {key}.pub {folder}/authorized; chown -R root {folder}; "
              "mkdir -p /run/sshd")
        lab.start("sshd", "hub-lan", [
            "/usr/sbin/sshd", "-D", "-e", "-f", "/dev/null", "-h", folder + "/host", "-o",
            f"AuthorizedKeysFile={folder}/authorized", "-o", "StrictModes=no", "-o",
            "UsePAM=no", "-o", "PermitRootLogin=yes", "-o", "UseDNS=no"])
        lab.wait_for("sshd listens", lambda: ":22 " in lab.out("hub-lan", "ss", "-Hltn"), 10)
        self.client = subprocess.Popen(
            ["nsenter", "--net=/run/netns/lan", "ssh", "-T", "-i", key, "-o",
             "StrictHostKeyChecking=no", "-o", f"UserKnownHostsFile={folder}/known", "-o",
             "LogLevel=ERROR", "root@10.11.0.10", "while read n; do echo $n; done"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1)
        self.said = 0
        self.heard = []          # (number, monotonic)
        self.running = True
        threading.Thread(target=self.listen, daemon=True).start()
        threading.Thread(target=self.speak, daemon=True).start()
        lab.wait_for("the session speaks", lambda: len(self.heard) > 2, 10)

    def speak(self):
        while self.running:
            try:
                self.client.stdin.write(f"{self.said}\n")
            except OSError:
                return
            self.said += 1
            time.sleep(0.2)      # its rhythm, nothing is waited for

    def listen(self):
        for line in self.client.stdout:
            self.heard.append((int(line), time.monotonic()))

    def figures(self):
        numbers = [n for n, _ in self.heard]
        times = [t for _, t in self.heard]
        return {"alive": self.client.poll() is None, "said": self.said,
                "heard": len(numbers), "in_order": numbers == list(range(len(numbers))),
                "longest_silence_s": round(max(
                    (b - a for a, b in zip(times, times[1:])), default=0), 2)}


class Yardstick:
    """FRR with BFD 3 x 300 ms over two cables; one is cut without a word."""

    def __init__(self, lab):
        self.lab = lab
        lab.namespace("near-lan", "far-lan")
        lab.namespace("near", "far", forward=True)
        for i, cable in ((1, "one"), (2, "two")):
            lab.veth("near", cable, "far", cable)
            lab.ip("near", f"addr add 198.19.{i}.1/24 dev {cable}")
            lab.ip("far", f"addr add 198.19.{i}.2/24 dev {cable}")
        for site, net, far in (("near", 8, 9), ("far", 9, 8)):
            lab.veth(site, "lan", site + "-lan", "eth0")
            lab.ip(site, f"addr add 10.{net}.1.1/24 dev lan")
            lab.ip(site + "-lan", f"addr add 10.{net}.1.10/24 dev eth0",
                   f"route add 10.{far}.1.0/24 via 10.{net}.1.1")
        self.frr = []
        for site, own, asn, net in (("near", 1, 65101, 8), ("far", 2, 65102, 9)):
            frr = Frr(lab, site, f"hostname {site}\n", BGP.format(
                asn=asn, peer_asn=130203 - asn, own=own, peer=3 - own, net=net), bfdd="")
            frr.start()
            self.frr.append(frr)
        self.flows = Flows(lab, ("near-lan", ""), [("far-lan", "10.9.1.10")], name="bfd")

    def ready(self):
        for frr in self.frr:
            up, state = frr.all_up(2)
            bfd = [p["status"] for p in json.loads(frr.vtysh("show bfd peers json") or "[]")]
            if not up or bfd.count("up") < 2:
                return (False, (state, bfd))
        return (True, None)

    def on_one(self):
        """Traffic is where it belongs, both ways."""
        ways = [self.lab.out(site, "ip", "route", "get", to) for site, to in
                (("near", "10.9.1.10"), ("far", "10.8.1.10"))]
        return (all(" dev one " in w for w in ways), ways)

    def silent(self, yes):
        for site in ("near", "far"):
            self.lab.run(site, ["nft", "add table netdev cut; add chain netdev cut in "
                                "{ type filter hook ingress device one priority 0; "
                                "policy drop; }" if yes else "delete table netdev cut"])

    def failovers(self):
        """The gaps of CUTS cuts, the worse direction of each."""
        self.lab.wait_for("sessions and BFD", self.ready, 60)
        self.flows.start([("bfd", "10.9.1.10", 10, PPS, BYTES)])
        self.lab.wait_for("answers", lambda: answered(self.flows, 0), 10)
        gaps = []
        for _ in range(CUTS):
            print("yardstick:", self.ready(), self.on_one(), gaps, flush=True)
            self.lab.wait_for("sessions and BFD", self.ready, 30)
            self.lab.wait_for("traffic on the first cable", self.on_one, 10)
            since = time.monotonic_ns()
            self.silent(True)
            self.lab.wait_for("answers by the other cable", lambda: answered(
                self.flows, time.monotonic_ns() - 10 ** 9), 10)
            self.lab.wait_for("some more", lambda s=since: answered(
                self.flows, s + QUIET_S * 10 ** 9), 10)
            until = time.monotonic_ns() - 10 ** 9
            gaps.append(round(max(self.flows.gap_s("bfd", way, since - 10 ** 9, until)
                                  for way in (UP, DOWN)), 3))
            self.silent(False)
        self.flows.stop()
        return gaps

    def stop(self):
        for site in ("near", "far"):
            for daemon in ("bfdd", "bgpd", "zebra"):
                self.lab.stop(f"{site}-{daemon}")


def answered(flows, since):
    """Each flow has an answer to a request sent after since."""
    flows.read()
    late = [n for n in flows.order if not flows.numbers[n].back
            or flows.numbers[n].sent[max(flows.numbers[n].back)] < since]
    return (not late, late)


class Life:
    def __init__(self, out, debs, following, installed):
        self.out = out
        self.installed = installed
        self.debs = debs
        self.following = following
        self.seen = {}
        self.began = time.monotonic()
        self.box = Box()
        self.lab = self.hub = self.flows = self.session = self.yardstick = None

    def step(self, name, function):
        """Runs a step and writes down what it saw, also when it fails."""
        began = time.monotonic()
        try:
            self.seen[name] = function() or {}
        except BaseException as err:
            text = traceback.format_exc()
            self.seen[name] = {"error": f"{type(err).__name__}: {err}"[:6000],
                               "trace": text[-3000:]}
            raise
        finally:
            self.seen[name]["took_s"] = round(time.monotonic() - began, 1)
            print(f"{time.monotonic() - self.began:6.1f} s {name}: "
                  f"{json.dumps(self.seen[name])[:2000]}", flush=True)
            with open(os.path.join(self.out, "life.json"), "w", encoding="utf-8") as f:
                json.dump(self.seen, f, indent=1)

    # steps

    def boot(self):
        os.makedirs("/run/netns", exist_ok=True)
        with open(lab_module.MARK, "w", encoding="utf-8"):
            pass
        while not self.box.pid:
            self.box.booted()
            time.sleep(0.2)
        end = time.monotonic() + 150
        while not self.box.booted()[0] and time.monotonic() < end:
            time.sleep(0.5)
        self.lab = lab = Lab()
        shell(f"ip netns attach box {os.getpid()}")
        lab.namespace("lan", "hub-lan")
        lab.namespace("net", "hub", forward=True)
        for n, uplink in ((113, "isp1"), (114, "isp2")):
            lab.veth("box", uplink, "net", uplink)
            lab.ip("net", f"addr add 203.0.{n}.1/24 dev {uplink}")
            lab.ip("box", f"addr add 203.0.{n}.2/24 dev {uplink}",
                   f"route add default via 203.0.{n}.1 dev {uplink} metric {n}")
        lab.veth("hub", "wan", "net", "hub")
        lab.ip("net", "addr add 198.51.100.1/24 dev hub")
        lab.ip("hub", "addr add 198.51.100.10/24 dev wan",
               "route add default via 198.51.100.1")
        lab.veth("box", "lan0", "lan", "eth0")
        lab.veth("hub", "lan", "hub-lan", "eth0")
        lab.ip("box", "addr add 10.42.0.1/24 dev lan0")
        lab.ip("hub", "addr add 10.11.0.1/24 dev lan")
        lab.ip("lan", "addr add 10.42.0.10/24 dev eth0", "route add default via 10.42.0.1")
        lab.ip("hub-lan", "addr add 10.11.0.10/24 dev eth0",
               "route add default via 10.11.0.1")
        lab.wait_for("FRR", lambda: "zebra" in self.box.run("ps", "-eo", "comm"), 10)
        return {"state": self.box.booted()[1], "kernel": kernel(),
                "failed": self.box.run("systemctl", "--failed", "--plain", "--no-legend")}

    def install(self):
        text = self.box.apt("install", *self.debs)
        units = {u: self.box.show(u, "ActiveState", "UnitFileState", "SubState")
                 for u in ("edged.service", "edge-esp.socket", "edge-zebra.service",
                           "edge-webui.service")}
        return {"apt": text[-1500:], "units": units, "programs": self.box.programs(),
                "users": self.users(), "modes": shell(
                    "stat -c '%n %a %U %G' /etc/edged; cat /proc/sys/net/ipv4/ip_forward"),
                "modules": [m for m in ("xfrm_interface", "esp4", "tun")
                            if os.path.exists("/sys/module/" + m)]}

    @staticmethod
    def users():
        return [u for u in USERS if shell(f"getent passwd {u}", check=False)]

    def configure(self):
        text = self.box.run(*INIT, said=SECRET + "\n")
        with open("/etc/edged/edged.yaml", "a", encoding="utf-8") as f:
            f.write("dataplane: xfrm\n" + CLASSES)
        return {"init": text, "check": self.box.run("edgectl", "check"), "modes": shell(
            "cd /etc/edged; stat -c '%n %a %U:%G' edged.yaml secrets.yaml").split("\n")[:2]}

    def up(self):
        self.hub = Edged(self.lab, "hub", HUB, f'box: "{SECRET}"\n', dataplane="xfrm")
        self.hub.start(restart_s=1)
        self.box.run("systemctl", "start", "edged", "edge-webui")
        self.lab.wait_for("both tunnels", self.box.paths_up, 20)
        self.lab.wait_for("edge-zebra", lambda: self.box.ctl()["helper_connected"], 10)
        self.lab.wait_for("routes by zebra", lambda: (by_zebra() != [], by_zebra()), 10)
        links = json.loads(shell("ip -j -d link"))
        return {"tunnels": {x["ifalias"]: x["linkinfo"]["info_kind"] for x in links
                            if x.get("ifalias") in PATHS},
                "units": {u: self.box.show(u, "ActiveState", "NFileDescriptorStore",
                                           "StatusText", "NRestarts")
                          for u in ("edged", "edge-zebra", "edge-webui")},
                "states": len(kernel()["states"]), "programs": self.box.programs(),
                "viewer_reads_secrets": self.viewer_reads_secrets()}

    def viewer_reads_secrets(self):
        """Can a member of group edged, or edge-webui's user?"""
        readers = {"viewer": "nobody", "web": "edged-web"}
        return [name for name, user in readers.items() if "cannot" not in self.box.run(
            "setpriv", "--reuid", user, "--regid", "edged", "--groups", "edged", "sh", "-c",
            "cat /etc/edged/secrets.yaml >/dev/null 2>&1 || echo cannot", check=False)]

    def traffic(self):
        self.flows = Flows(self.lab, ("lan", "10.42.0.10"), [("hub-lan", "10.11.0.10")])
        self.flows.start([("one", "10.11.0.10", 46, PPS, BYTES),
                          ("two", "10.11.0.10", 10, PPS, BYTES)])
        self.lab.wait_for("answers", lambda: answered(self.flows, 0), 10)
        self.session = Session(self.lab)
        # each flow is on the tunnel of its own, by the kernel's counters
        before, began = self.packets(), time.monotonic()
        self.more(QUIET_S)
        after, took = self.packets(), time.monotonic() - began
        return {"ssh": self.session.figures(),
                "per_s": {n: round((after[n] - before[n]) / took) for n in after}}

    @staticmethod
    def packets():
        return {x["ifalias"]: x["stats64"]["tx"]["packets"]
                for x in json.loads(shell("ip -j -s link")) if x.get("ifalias") in PATHS}

    def more(self, seconds):
        """Answers to what is sent so long from now."""
        since = time.monotonic_ns() + int(seconds * 1e9)
        self.lab.wait_for("traffic goes on", lambda: answered(self.flows, since), 10 + seconds)

    def failover(self):
        self.yardstick = Yardstick(self.lab)
        gaps = self.yardstick.failovers()
        self.yardstick.stop()
        return {"gaps_s": gaps}

    def change(self, verb):
        """What the traffic sees of a change of the packages."""
        self.more(QUIET_S)
        before = kernel()["states"]
        was = self.box.show("edged", "MainPID")["MainPID"]
        since = time.monotonic_ns()
        text = self.box.apt(*verb)
        self.lab.wait_for("both paths", self.box.paths_up, 20)
        self.lab.wait_for("edge-zebra", lambda: self.box.ctl()["helper_connected"], 10)
        self.more(QUIET_S)
        until = time.monotonic_ns() - 10 ** 9
        gaps = {f"{name} {way}": round(self.flows.gap_s(flow, code, since, until), 3)
                for name, flow in PATHS.items()
                for way, code in (("there", UP), ("back", DOWN))}
        lost = {f"{name} {way}": len(self.flows.lost(flow, code, since, until))
                for name, flow in PATHS.items()
                for way, code in (("there", UP), ("back", DOWN))}
        return {"apt": text[-1000:], "gaps_s": gaps, "lost": lost,
                "seconds": round((until - since) / 1e9, 1),
                "states_kept": before == kernel()["states"],
                "restarted": was != self.box.show("edged", "MainPID")["MainPID"],
                "versions": self.box.run("dpkg-query", "-W", "-f", "${Version}\n", "edged"),
                "units": {u: self.box.show(u, "ActiveState", "NRestarts", "NFileDescriptorStore")
                          for u in ("edged", "edge-zebra", "edge-webui")},
                "stall_s": self.witness.worst_s(since, until),
                "ssh": self.session.figures()}

    def upgrade(self):
        self.witness = Witness(self.lab)
        return self.change(("install", *self.following))

    def reinstall(self):
        return self.change(("install", "--reinstall", *self.following))

    def end_traffic(self):
        figures = self.session.figures()
        self.session.running = False
        self.session.client.kill()
        self.flows.stop()
        return {"ssh": figures}

    def remove(self):
        text = self.box.apt("remove", "edged", "edged-webui", "edged-zebra")
        self.lab.wait_for("zebra is done", lambda: (by_zebra() == [], by_zebra()), 5)
        return {"apt": text[-3000:], "kernel": kernel(), "programs": self.box.programs(),
                "left": shell("ls -d /run/edged /etc/edged/edged.yaml /var/lib/edged/edged.db "
                              "2>/dev/null", check=False).split(),
                "bgp": self.box.run("vtysh", "-c", "show running-config")}

    def purge(self):
        text = self.box.apt("purge", "edged", "edged-webui", "edged-zebra")
        return {"apt": text[-1500:], "users": self.users(),
                "left": shell("ls -d /etc/edged /var/lib/edged /var/lib/edged-web "
                              "/etc/systemd/system/*/edge* 2>/dev/null", check=False).split(),
                "groups": shell("getent group edged edged-admin", check=False).split()}

    def from_source(self):
        """README's lines for `make install`, and its way back."""
        shell(f"cp -a {self.installed}/. /; chown -R root: /usr/sbin/edge* /usr/bin/edgectl "
              "/usr/lib/systemd/system/edge* /usr/share/edged")
        self.box.run("sh", "-ec", "systemd-sysusers; systemd-tmpfiles --create; "
                     "systemctl daemon-reload; systemctl restart systemd-modules-load")
        self.configure()
        self.box.run("systemctl", "enable", "--now", "edge-esp.socket", "edged",
                     "edge-webui")
        self.lab.wait_for("both tunnels", self.box.paths_up, 20)
        seen = {"tunnels_up": True, "programs": self.box.programs()}
        self.box.run("sh", "-ec", "systemctl disable --now edge-webui edged edge-esp.socket "
                     "edge-esp; edged --down")
        seen["after"] = {"kernel": kernel(), "programs": self.box.programs()}
        return seen

    def run(self):
        steps = ("boot", "install", "configure", "up", "traffic", "upgrade", "reinstall",
                 "end_traffic", "remove", "purge", "failover", "from_source")
        try:
            for name in steps:
                self.step(name, getattr(self, name))
        except Exception:    # is written down
            return 1
        finally:
            with open(os.path.join(self.out, "journal.log"), "w", encoding="utf-8") as f:
                f.write(self.box.run("journalctl", "-q", "--no-pager", "-o",
                                     "short-monotonic", check=False))
            if self.lab:
                with open(os.path.join(self.out, "lab.log"), "w", encoding="utf-8") as f:
                    f.write(self.lab.logs(200))
        return 0


def debs_in(folder):
    return sorted(os.path.join(folder, n) for n in os.listdir(folder) if n.endswith(".deb"))


def main():
    out, debs, following, installed = sys.argv[1:]
    return Life(out, debs_in(debs), debs_in(following), installed).run()


if __name__ == "__main__":
    sys.exit(main())
