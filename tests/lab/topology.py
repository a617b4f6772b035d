# SPDX-License-Identifier: GPL-2.0-or-later
"""The one topology of demo, tests and benchmarks (delays one way)

 branch-lan -- branch ==isp1 10 ms (NAT)==\\             /-- hub -- hub-lan
                      ==isp2 17 ms=======  internet ----
                      ==lte  30 ms=======/             \\-- cloud-a, cloud-b -- vpc

Namespaces are named as in the picture. The emulator (namespace wan) sits in the
three uplinks of the branch and in the hub's uplink ("hub", no delay: its leak
counter). isp1 translates addresses; isp2 and lte have IPv6 too.

    branch   isp1 192.168.1.2/24    (seen outside as 203.0.113.10)
             isp2 198.51.100.2/24, 2001:db8:2::2/64
             lte  192.0.2.2/24, 2001:db8:3::2/64
             lan  10.42.0.1/24, fd42:0:0:42::1/64
    hub      wan  198.18.0.10/24, 2001:db8:10::10/64
             lan  10.1.0.1/24, fd42:0:0:1::1/64
    cloud-a  wan  198.18.1.10/24    inside 169.254.45.41/30
    cloud-b  wan  198.18.2.10/24    inside 169.254.44.41/30
    vpc      10.200.0.10
"""
import os

from daemons import KERNEL_IF_ID, Charon, Edged, Frr, write
from wan import Wan

UPLINKS = {"isp1": 10, "isp2": 17, "lte": 30}
BRANCH_HOST, BRANCH_HOST6 = "10.42.0.10", "fd42:0:0:42::10"
HUB_HOST, HUB_HOST6 = "10.1.0.10", "fd42:0:0:1::10"
VPC_HOST = "10.200.0.10"
HUB_OUTSIDE, HUB_OUTSIDE6 = "198.18.0.10", "2001:db8:10::10"
CLOUDS = {"a": ("198.18.1.10", "169.254.45.41", "169.254.45.42", "198.18.1.1"),
          "b": ("198.18.2.10", "169.254.44.41", "169.254.44.42", "198.18.2.1")}
TUNNELS = ["hub/isp1", "hub/isp2", "hub/lte", "aws/a/isp1", "aws/b/isp1"]
HUB_TUNNELS = ["branch/isp1", "branch/isp2", "branch/lte"]      # the hub's names
# Inside addresses and everything that is routed into tunnels.
SECRET_PREFIXES = ["10.42.0.0/16", "10.1.0.0/16", "10.200.0.0/16", "fd42::/16",
                   "100.96.0.0/16", "169.254.0.0/16"]
HOLD_S, RESTART_S = 9, 10
BRANCH_AS, HUB_AS, CLOUD_AS = 65042, 65000, 64512

NAT = """
table ip nat {
	chain postrouting {
		type nat hook postrouting priority 100
		oifname "net" masquerade
	}
}
"""

ZEBRA = """
hostname %s
zebra nexthop proto only
zebra nexthop-group keep 1
"""

CLOUD_BGP = """
hostname {name}
router bgp {asn}
 bgp router-id {outside}
 no bgp ebgp-requires-policy
 no bgp network import-check
 bgp graceful-restart
 bgp graceful-restart restart-time {restart}
 timers bgp 3 {hold}
 neighbor {peer} remote-as {peer_asn}
 neighbor {peer} update-source {inside}
 neighbor {peer} timers connect 2
 neighbor {other} remote-as {asn}
 neighbor {other} timers connect 2
 address-family ipv4 unicast
  network 10.200.0.0/16
  neighbor {other} next-hop-self
"""

CLOUD_CONNECTION = """
 branch {{
  version = 2
  local_addrs = {outside}
  remote_addrs = %any
  proposals = aes256gcm16-prfsha256-ecp256-x25519,aes256gcm16-prfsha256-x25519,aes128gcm16-prfsha256-modp2048
  encap = yes
  mobike = no
  dpd_delay = 10s
  {kernel}
  local {{ auth = psk
   id = {outside} }}
  remote {{ auth = psk
   id = %any }}
  children {{ t {{
   local_ts = 0.0.0.0/0
   remote_ts = 0.0.0.0/0
   dpd_action = clear
   esp_proposals = aes256gcm16-ecp256-x25519,aes256gcm16-modp2048,aes256gcm16,aes128gcm16-modp2048,aes128gcm16 }} }} }}
"""

CLASSES = """
classes:
  voice:
    dscp: EF
    max-delay: 150ms
    max-jitter: 30ms
    max-loss: 1%
    prefer: [isp1, isp2, lte]
  business:
    dscp: [AF31, AF32, AF33]
    max-delay: 300ms
    max-loss: 2%
    prefer: [isp1, isp2]
    last-resort: lte
  bulk:
    dscp: [AF11, AF12, AF13]
    prefer: [isp2, lte]
    last-resort: isp1
"""

BOTH_YAML = """
  hold-time: {hold}s
  keepalive: 3s
  restart-time: {restart}s
frr: {{socket-dir: {frr}}}
{more}
"""

BRANCH_YAML = """
name: branch
lan: [10.42.0.0/24, "fd42:0:0:42::/64"]
uplinks:
  isp1: {{interface: isp1, up: 20mbit, down: 100mbit}}
  isp2: {{interface: isp2, up: 20mbit, down: 20mbit, cost: 20}}
  lte: {{interface: lte, cost: 100}}
peers:
  hub:
    address: {hub}
    asn: {hub_as}
  aws:
    preset: aws
    via: isp1
    asn: {cloud_as}
    tunnels:
      a: {{address: {a[0]}, inside: {a[2]}/30, bgp-peer: {a[1]}}}
      b: {{address: {b[0]}, inside: {b[2]}/30, bgp-peer: {b[1]}}}
{peers}
{classes}
bgp:
  asn: {branch_as}
  announce: lan
  accept: [10.0.0.0/8, "fc00::/7"]
"""

BRANCH_SECRETS = """
hub: "the hub's secret for tests"
aws/a: "secret of cloud a"
aws/b: "secret of cloud b"
"""

HUB_YAML = """
name: hub
inside: [100.96.0.0/16, "fd42:96::/64"]
lan: [10.1.0.0/24, "fd42:0:0:1::/64"]
uplinks:
  wan: {{interface: wan}}
peers:
  branch:
    asn: {branch_as}
    uplinks:
      isp1: {{cost: 10}}
      isp2: {{cost: 20}}
      lte: {{cost: 100}}
{classes}
bgp:
  asn: {hub_as}
  announce: lan
  accept: [10.42.0.0/16, "fd42:0:0:42::/64"]
"""

HUB_SECRETS = """
branch: "the hub's secret for tests"
"""


class World:
    """Everything but the sites' own daemons."""

    def __init__(self, lab, seed=1, kernel_esp=False):
        self.lab = lab
        self.kernel_esp = kernel_esp
        lab.namespace("branch-lan", "hub-lan", "vpc", "wan")
        lab.namespace("branch", "hub", "cloud-a", "cloud-b", "isp1", "internet",
                      forward=True)
        self.cable_uplinks()
        self.cable_lans()
        self.cable_clouds()
        self.wan = Wan(lab, "wan", {"isp1": ("isp1c", "isp1n"), "isp2": ("isp2c", "isp2n"),
                                    "lte": ("ltec", "lten"), "hub": ("hubc", "hubn")},
                       seed)
        self.wan.watch(*SECRET_PREFIXES)
        self.heal()
        self.clouds = {}
        self.cloud_frr = {}

    def cable_uplinks(self):
        lab = self.lab
        for name in ("isp1", "isp2", "lte"):
            lab.veth("branch", name, "wan", name + "c")
        lab.veth("wan", "isp1n", "isp1", "cust")
        lab.veth("isp1", "net", "internet", "isp1")
        lab.veth("wan", "isp2n", "internet", "isp2")
        lab.veth("wan", "lten", "internet", "lte")
        lab.veth("hub", "wan", "wan", "hubc")
        lab.veth("wan", "hubn", "internet", "hub")
        lab.ip("branch", "addr add 192.168.1.2/24 dev isp1",
               "addr add 198.51.100.2/24 dev isp2", "addr add 192.0.2.2/24 dev lte",
               "addr add 2001:db8:2::2/64 dev isp2 nodad",
               "addr add 2001:db8:3::2/64 dev lte nodad",
               "route add default via 192.168.1.1 dev isp1 metric 101",
               "route add default via 198.51.100.1 dev isp2 metric 102",
               "route add default via 192.0.2.1 dev lte metric 103",
               "route add default via 2001:db8:2::1 dev isp2 metric 102",
               "route add default via 2001:db8:3::1 dev lte metric 103")
        lab.ip("isp1", "addr add 192.168.1.1/24 dev cust",
               "addr add 203.0.113.10/24 dev net", "route add default via 203.0.113.1")
        lab.run("isp1", ["nft", "-f", "-"], input=NAT)
        lab.ip("internet", "addr add 203.0.113.1/24 dev isp1",
               "addr add 198.51.100.1/24 dev isp2", "addr add 192.0.2.1/24 dev lte",
               "addr add 198.18.0.1/24 dev hub",
               "addr add 2001:db8:2::1/64 dev isp2 nodad",
               "addr add 2001:db8:3::1/64 dev lte nodad",
               "addr add 2001:db8:10::1/64 dev hub nodad")
        lab.ip("hub", f"addr add {HUB_OUTSIDE}/24 dev wan",
               f"addr add {HUB_OUTSIDE6}/64 dev wan nodad",
               "route add default via 198.18.0.1",
               "route add default via 2001:db8:10::1")
        # traffic that leaks must be able to get far: the internet knows a way
        lab.ip("internet", "addr add 198.18.99.1/32 dev lo")

    def cable_lans(self):
        lab = self.lab
        for site, net, net6 in (("branch", "10.42.0", "fd42:0:0:42"),
                                ("hub", "10.1.0", "fd42:0:0:1")):
            lab.veth(site, "lan", site + "-lan", "eth0")
            lab.ip(site, f"addr add {net}.1/24 dev lan",
                   f"addr add {net6}::1/64 dev lan nodad")
            lab.ip(site + "-lan", f"addr add {net}.10/24 dev eth0",
                   f"addr add {net6}::10/64 dev eth0 nodad",
                   f"route add default via {net}.1", f"route add default via {net6}::1")

    def cable_clouds(self):
        lab = self.lab
        for i, (name, (outside, _, _, gateway)) in enumerate(CLOUDS.items(), 1):
            space = "cloud-" + name
            lab.veth(space, "wan", "internet", space)
            lab.veth(space, "vpc", "vpc", space)
            lab.ip("internet", f"addr add {gateway}/24 dev {space}")
            lab.ip(space, f"addr add {outside}/24 dev wan",
                   f"route add default via {gateway}",
                   f"addr add 10.200.{i}.1/30 dev vpc",
                   f"route add 10.200.0.0/24 via 10.200.{i}.2",
                   "route add unreachable 10.0.0.0/8 metric 4294967295")
            lab.ip("vpc", f"addr add 10.200.{i}.2/30 dev {space}")
        lab.veth("cloud-a", "pair", "cloud-b", "pair")
        lab.ip("cloud-a", "addr add 10.200.3.1/30 dev pair")
        lab.ip("cloud-b", "addr add 10.200.3.2/30 dev pair")
        lab.ip("vpc", f"addr add {VPC_HOST}/32 dev lo",
               "route add 10.42.0.0/16 nexthop via 10.200.1.1 nexthop via 10.200.2.1")

    def start_clouds(self, secrets=None):
        """The pair of gateways: strongSwan waits to be called, FRR for its peer."""
        secrets = secrets or {name: f"secret of cloud {name}" for name in CLOUDS}
        for name, (outside, inside, peer, _) in CLOUDS.items():
            space = "cloud-" + name
            secret = f'ike {{ secret = "{secrets[name]}" }}'
            if_id = f"if_id_in = {KERNEL_IF_ID}\n  if_id_out = {KERNEL_IF_ID}"
            charon = Charon(self.lab, space + "-charon", space,
                            CLOUD_CONNECTION.format(
                                outside=outside, kernel=if_id if self.kernel_esp else ""),
                            secret, kernel="wan" if self.kernel_esp else None)
            charon.start()
            self.lab.ip(space, f"addr add {inside}/30 dev ipsec0")
            frr = Frr(self.lab, space, ZEBRA % space, CLOUD_BGP.format(
                name=space, asn=CLOUD_AS, outside=outside, peer=peer, inside=inside,
                peer_asn=BRANCH_AS, restart=RESTART_S, hold=HOLD_S,
                other="10.200.3.2" if name == "a" else "10.200.3.1"))
            frr.start()
            self.clouds[name] = charon
            self.cloud_frr[name] = frr

    # what happens to the WAN

    def heal(self):
        """Every link as the picture says; the time from which it holds."""
        ns = 0
        for link, delay in UPLINKS.items():
            ns = self.wan.set(link, delay=delay, jitter=0, loss=0, cut=0, block="none")
        self.wan.set("hub", delay=0, jitter=0, loss=0, cut=0, block="none")
        return ns

    def degrade(self, link, extra_ms=100, loss=5):
        """Both directions at once, as far as two commands can."""
        return self.wan.set(link, delay=UPLINKS[link] + extra_ms, loss=loss)

    def cut(self, link, way="both"):
        return self.wan.set(link, way, cut=1)

    def uncut(self, link):
        return self.wan.set(link, cut=0)

    def block_ike(self, on=True):
        ns = 0
        for link in UPLINKS:
            ns = self.wan.set(link, block="ike" if on else "none")
        return ns


class EdgedSites:
    """edged and FRR at branch and hub."""

    kind = "edged"

    def __init__(self, world, dataplane="user", without=None, classes=CLASSES,
                 branch_more="", hub_more="", branch_peers="", branch_secrets=""):
        self.world = world
        lab = self.lab = world.lab
        self.dataplane = dataplane
        args = ["--without", without] if without in ("steering", "leak-guard") else []
        self.frr = {}
        self.edged = {}
        values = {"hub": HUB_OUTSIDE, "hub_as": HUB_AS, "branch_as": BRANCH_AS,
                  "cloud_as": CLOUD_AS, "hold": HOLD_S, "restart": RESTART_S,
                  "classes": classes, "peers": branch_peers, **CLOUDS}
        for site, yaml, secrets, more in (("hub", HUB_YAML, HUB_SECRETS, hub_more),
                                          ("branch", BRANCH_YAML,
                                           BRANCH_SECRETS + branch_secrets, branch_more)):
            frr = Frr(lab, site, ZEBRA % site, f"hostname {site}\n")
            more += f"\ndataplane: {dataplane}\n"
            text = (yaml + BOTH_YAML).format(frr=frr.dir, more=more, **values)
            if without == "bgp":
                frr.daemons.remove("bgpd")
            self.frr[site] = frr
            self.edged[site] = Edged(lab, site, text, secrets, frr, dataplane, args)

    def start(self, restart_s=1):
        for site in ("hub", "branch"):
            self.frr[site].start(restart_s)
            self.edged[site].start(restart_s)

    def tunnels_up(self):
        return self.edged["branch"].tunnels_up(TUNNELS)

    def bgp_up(self):
        """Every session of branch and hub: the clouds have IPv4 only."""
        ends = [self.frr["branch"].all_up(len(TUNNELS), len(HUB_TUNNELS)),
                self.frr["hub"].all_up(len(HUB_TUNNELS), len(HUB_TUNNELS))]
        return (all(up for up, _ in ends), ends)


STATIC_CONNECTION = """
 t {{
  version = 2
  local_addrs = {local}
  remote_addrs = {remote}
  proposals = aes256gcm16-prfsha256-x25519
  encap = yes
  mobike = no
  local {{ auth = psk
   id = {local_id} }}
  remote {{ auth = psk
   id = {remote_id} }}
  children {{ t {{
   local_ts = 0.0.0.0/0
   remote_ts = 0.0.0.0/0
   esp_proposals = aes256gcm16-x25519 }} }} }}
"""

REFERENCE_BGP = """
hostname {name}
router bgp {asn}
 bgp router-id {router_id}
 no bgp ebgp-requires-policy
 timers bgp 3 {hold}
 neighbor {peer} remote-as {peer_asn}
 neighbor {peer} timers connect 2
 address-family ipv4 unicast
  network {network}
"""


class StrongswanSites:
    """The reference: strongSwan and FRR over one tunnel in edged's place.

    What every product does: it works, and it does not see a bad uplink.
    """

    kind = "strongswan"

    def __init__(self, world):
        self.world = world
        self.lab = world.lab
        ends = {
            "hub": (HUB_OUTSIDE, "%any", "hub", "%any", "169.254.99.1", HUB_AS,
                    "169.254.99.2", BRANCH_AS, "10.1.0.0/24"),
            "branch": ("192.168.1.2", HUB_OUTSIDE, "branch", "hub", "169.254.99.2",
                       BRANCH_AS, "169.254.99.1", HUB_AS, "10.42.0.0/24"),
        }
        self.charon = {}
        self.frr = {}
        self.inside = {}
        for site, (local, remote, us, them, inside, asn, peer, peer_asn,
                   network) in ends.items():
            self.charon[site] = Charon(
                self.lab, site + "-charon", site,
                STATIC_CONNECTION.format(local=local, remote=remote, local_id=us,
                                         remote_id=them),
                'ike { secret = "reference" }')
            self.frr[site] = Frr(self.lab, site, ZEBRA % site, REFERENCE_BGP.format(
                name=site, asn=asn, router_id=local, hold=HOLD_S, peer=peer,
                peer_asn=peer_asn, network=network))
            self.inside[site] = inside

    def start(self, restart_s=None):
        for site in ("hub", "branch"):
            # as a careful administrator would
            self.lab.ip(site, "route add unreachable 10.0.0.0/8 metric 4294967295")
            self.charon[site].start()
            self.lab.ip(site, f"addr add {self.inside[site]}/30 dev ipsec0")
        self.charon["branch"].swanctl("--initiate", "--child", "t", "--timeout", "10")
        for site in ("hub", "branch"):
            self.frr[site].start(restart_s)

    def tunnels_up(self):
        return self.charon["branch"].established()

    def bgp_up(self):
        return self.frr["branch"].all_up(1)


def write_file(lab, name, text):
    """A file in the lab's folder; its path."""
    path = os.path.join(lab.dir, name)
    write(path, text)
    return path


def bring_up(lab, seed=1, **options):
    """World, clouds and edged sites with all tunnels up and BGP over them."""
    world = World(lab, seed, options.get("dataplane", "user") != "user")
    world.start_clouds()
    sites = EdgedSites(world, **options)
    sites.start()
    lab.wait_for("five tunnels", sites.tunnels_up, 60)
    lab.wait_for("BGP over all of them", sites.bgp_up, 60)
    return world, sites
