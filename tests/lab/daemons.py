# SPDX-License-Identifier: GPL-2.0-or-later
"""The daemons of a site: FRR, strongSwan, and edged with its helpers

Each runs in a namespace of the lab under the keeper, with a folder of its own,
so that several live on one machine. Ready means: it says so.
"""
import json
import os
import pwd
import shutil
import socket

from lab import LabError, data_dir, program

FRR_DIR = "/usr/lib/frr"
VTY_END = b"\0\0\0"        # behind an answer, and then its status
VTY_LIMIT_S = 60
CONFIG_MODE = 0o640
# What charon needs for a PSK tunnel with AES-GCM and its own ESP. Loading all
# that is installed takes eight times as long on a busy machine.
CHARON_PLUGINS = ["random", "nonce", "aes", "gcm", "sha1", "sha2", "hmac", "kdf",
                  "curve25519", "openssl", "pem", "pkcs1", "x509", "pubkey",
                  "constraints", "kernel-libipsec", "kernel-netlink",
                  "socket-default", "vici", "updown"]
KERNEL_IF_ID = 42        # of a charon's xfrm interface, one in a namespace


def write(path, text, owner=None, mode=0o644):
    """A file with its owner and mode right from the start."""
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
    with os.fdopen(fd, "w", encoding="utf-8") as f:
        f.write(text)
    os.chmod(path, mode)
    if owner:
        entry = pwd.getpwnam(owner)
        os.chown(path, entry.pw_uid, entry.pw_gid)


class Frr:
    """zebra and bgpd (and bfdd when asked) of one namespace."""

    def __init__(self, lab, space, zebra="", bgpd="", bfdd=None, extra_zebra=()):
        self.lab = lab
        self.space = space
        self.dir = os.path.join(lab.dir, "frr-" + space)
        os.makedirs(self.dir, mode=0o750)
        shutil.chown(self.dir, "frr", "frrvty")
        os.chmod(self.dir, 0o770)
        write(self.path("zebra.conf"), zebra, "frr", CONFIG_MODE)
        write(self.path("bgpd.conf"), bgpd, "frr", CONFIG_MODE)
        self.daemons = ["zebra", "bgpd"]
        self.argv = {
            "zebra": ["-K", "60", "-s", "90000000", *extra_zebra],
            "bgpd": [],
        }
        if bfdd is not None:
            write(self.path("bfdd.conf"), bfdd, "frr", CONFIG_MODE)
            self.daemons.append("bfdd")
            self.argv["bfdd"] = ["--bfdctl", self.path("bfdd.sock")]

    def path(self, name):
        return os.path.join(self.dir, name)

    def start(self, restart_s=None):
        for daemon in self.daemons:
            argv = [os.path.join(FRR_DIR, daemon), "--vty_socket", self.dir,
                    "-z", self.path("zserv.api"), "-i", self.path(daemon + ".pid"),
                    "-f", self.path(daemon + ".conf"), "-P", "0", "--log", "stdout"]
            self.lab.start(f"{self.space}-{daemon}", self.space,
                           argv + self.argv[daemon], restart_s=restart_s)
            self.lab.wait_for(f"{daemon} in {self.space} answers",
                              lambda d=daemon: self.answers(d), 20)

    def answers(self, daemon):
        return (True, self.ask(daemon, "show version"))

    def ask(self, daemon, command):
        """One show command, over the daemon's own socket: vtysh takes long to start."""
        try:
            return self.ask_socket(daemon, command)
        except OSError as err:
            raise LabError(f"{self.space}: {daemon}: {err}") from None

    def ask_socket(self, daemon, command):
        with socket.socket(socket.AF_UNIX) as sock:
            sock.settimeout(VTY_LIMIT_S)
            sock.connect(self.path(daemon + ".vty"))
            for line in ("enable", command):
                sock.sendall(line.encode() + b"\0")
                text, end = b"", -1
                while end < 0 or len(text) <= end + len(VTY_END):
                    more = sock.recv(1 << 16)
                    if not more:
                        raise LabError(f"{self.space}: {daemon} went while it was asked")
                    text += more
                    end = text.find(VTY_END)
        status = text[end + len(VTY_END)]
        if status:
            raise LabError(f"{self.space}: {daemon}: {command}: status {status}")
        return text[:end].decode()

    def vtysh(self, *commands):
        argv = ["vtysh", "--vty_socket", self.dir]
        for command in commands:
            argv += ["-c", command]
        return self.lab.run(self.space, argv).stdout

    def json(self, command):
        """What bgpd says to a show command."""
        return json.loads(self.ask("bgpd", command + " json") or "{}")

    def sessions(self, family="ipv4Unicast"):
        """{neighbour: (state, prefixes received)} of one family."""
        peers = self.json("show bgp summary").get(family, {}).get("peers", {})
        return {peer: (row["state"], row.get("pfxRcd", 0))
                for peer, row in peers.items()}

    def all_up(self, ipv4, ipv6=0, prefixes=1):
        """True once so many sessions of each family are up, each with its prefixes."""
        seen = {family: self.sessions(family + "Unicast") for family in ("ipv4", "ipv6")}
        good = {family: [n for state, n in rows.values()
                         if state == "Established" and n >= prefixes]
                for family, rows in seen.items()}
        return (len(good["ipv4"]) >= ipv4 and len(good["ipv6"]) >= ipv6, seen)


LIBIPSEC = """    kernel-libipsec { load = 100
      allow_peer_ts = yes }
    kernel-netlink { load = yes
      fwmark = !0x42 }
    socket-default { load = yes
      fwmark = 0x42 }
"""
KERNEL_ESP = """    kernel-netlink { load = yes }
    socket-default { load = yes }
"""


class Charon:
    """strongSwan's charon, its own ESP behind the TUN ipsec0: one peer.

    With kernel the kernel's ESP, behind an xfrm interface of the same name.
    kernel-libipsec writes a route per policy whatever install_routes says; its
    table is looked up after main (routing_table_prio), so that the lab's own
    routes decide what goes into the TUN.
    """

    def __init__(self, lab, name, space, connections, secrets, settings="", kernel=None):
        self.lab = lab
        self.name = name
        self.space = space
        self.dir = os.path.join(lab.dir, name)
        for sub in ("conf.d", "x509", "x509ca", "private", "pubkey", "ecdsa", "rsa",
                    "pkcs8", "pkcs12", "x509aa", "x509ac", "x509crl", "x509ocsp",
                    "bliss"):
            os.makedirs(os.path.join(self.dir, "swanctl", sub))
        self.kernel = kernel     # the interface below, None: its own ESP
        plugins = "\n".join(f"    {p} {{ load = yes }}" for p in CHARON_PLUGINS
                            if p not in ("kernel-libipsec", "kernel-netlink",
                                         "socket-default"))
        esp = LIBIPSEC if not kernel else KERNEL_ESP
        write(os.path.join(self.dir, "strongswan.conf"), f"""
charon {{
  load_modular = yes
  routing_table_prio = 40000
  install_routes = {"no" if kernel else "yes"}
  retransmit_timeout = 1.0
  retransmit_base = 1.4
  retransmit_tries = 6
  threads = 16
  {settings}
  plugins {{
{plugins}
{esp}  }}
  filelog {{ stderr {{ default = 1
    ike = 2
    flush_line = yes }} }}
  journal {{ default = -1 }}
}}
swanctl {{
  load = random nonce pem pkcs1 x509 pubkey openssl
}}
""")
        self.configure(connections, secrets)

    def configure(self, connections, secrets):
        write(os.path.join(self.dir, "swanctl", "swanctl.conf"),
              f"connections {{\n{connections}\n}}\nsecrets {{\n{secrets}\n}}\n", mode=0o600)

    def start(self, restart_s=None):
        if self.kernel:
            self.lab.ip(self.space, f"link add ipsec0 type xfrm dev {self.kernel} "
                        f"if_id {KERNEL_IF_ID}", "link set ipsec0 up")
        script = (f"mount -t tmpfs tmpfs /run && mount --bind {self.dir}/strongswan.conf "
                  f"/etc/strongswan.conf && mount --bind {self.dir}/swanctl /etc/swanctl "
                  "&& exec charon-systemd")
        self.lab.start(self.name, self.space,
                       ["unshare", "--mount", "sh", "-c", script], restart_s=restart_s)
        self.lab.wait_for(f"{self.name} answers on vici",
                          lambda: self.swanctl("--stats"), 60)
        self.swanctl("--load-all")

    def swanctl(self, *argv, check=True):
        pid = self.lab.service(self.name)["pid"]
        if not pid:
            raise LabError(f"{self.name} does not run")
        # before, its settings are not mounted: the machine's would load every plugin
        if not self.lab.runs(pid, "charon-systemd"):
            raise LabError(f"{self.name} is being started")
        # --root: in a chroot the mount name space's own root is somebody else's
        return self.lab.run(self.space, ["nsenter", "-t", str(pid), "--mount", "--root",
                                         "swanctl", *argv], check=check).stdout

    def established(self):
        """The connections with an installed child SA."""
        text = self.swanctl("--list-sas")
        return ("INSTALLED" in text, text)


class Edged:
    """edged with edge-esp and edge-zebra of one namespace."""

    CAPS = ["net_admin", "net_raw", "net_bind_service"]

    def __init__(self, lab, space, config, secrets, frr=None, dataplane="user", args=()):
        self.lab = lab
        self.space = space
        self.frr = frr
        self.dataplane = dataplane
        self.args = list(args)
        self.dir = os.path.join(lab.dir, "edged-" + space)
        self.run_dir = os.path.join(self.dir, "run")
        self.state_dir = os.path.join(self.dir, "state")
        self.config = os.path.join(self.dir, "edged.yaml")
        self.secrets = os.path.join(self.dir, "secrets.yaml")
        os.makedirs(self.dir)
        for path, mode in ((self.run_dir, 0o755), (self.state_dir, 0o750)):
            os.mkdir(path)
            shutil.chown(path, "edged", "edged")
            os.chmod(path, mode)
        self.configure(config, secrets)

    def configure(self, config, secrets=None):
        write(self.config, config, "edged", CONFIG_MODE)
        if secrets is not None:
            write(self.secrets, secrets, "edged", CONFIG_MODE)

    def name(self, daemon):
        return f"{self.space}-{daemon}"

    def start(self, restart_s=None):
        common = {"restart_s": restart_s, "env": {"EDGED_DATADIR": data_dir()}}
        if self.dataplane == "user":
            self.lab.start(self.name("edge-esp"), self.space,
                           [program("edge-esp"), "--run", self.run_dir], user="edge-esp",
                           listen={"esp.sock": os.path.join(self.run_dir, "esp.sock")},
                           listen_user="edged", fdstore_max=0, **common)
        self.common = common
        self.start_edged()
        if self.frr:
            self.lab.start(self.name("edge-zebra"), self.space,
                           [program("edge-zebra"), "--run", self.run_dir], user="frr",
                           groups=["frr", "frrvty"], **common)
        self.lab.wait_ready(self.name("edged"))

    def start_edged(self):
        """edged alone: at the start, or after it was stopped."""
        self.lab.start(self.name("edged"), self.space,
                       [program("edged"), "--config", self.config, "--run", self.run_dir,
                        "--state", self.state_dir] + self.args,
                       user="edged", groups=["edged", "edged-admin"], caps=self.CAPS,
                       fdstore_max=200, watchdog_s=30, **self.common)

    def ctl(self, *argv, check=True):
        """edgectl as text."""
        return self.lab.run(self.space, [program("edgectl"), "--run", self.run_dir,
                                         "--config", self.config, *argv],
                            check=check)

    def json(self, *argv):
        """What edgectl --json prints."""
        return json.loads(self.ctl("--json", *argv).stdout)

    def paths(self):
        return {p["name"]: p for p in self.json("paths")["paths"]}

    def tunnels_up(self, names):
        """True once each of these paths is up."""
        paths = self.paths()
        states = {n: paths[n]["state"] if n in paths else "absent" for n in names}
        return (all(s == "up" for s in states.values()), states)
