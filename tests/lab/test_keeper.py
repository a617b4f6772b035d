# SPDX-License-Identifier: GPL-2.0-or-later
"""The keeper does what systemd does, and what the kernel does with descriptors

    a (eth0 10.9.0.1) ------- (eth0 10.9.0.2) b       and one TUN in a
"""
import os

import pytest
from lab import PYTHON, LabError
from topology import write_file

NOTIFY = """
import array, fcntl, os, socket, struct, sys, time
def notify(text, fds=()):
    s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    s.connect(os.environ["NOTIFY_SOCKET"])
    socket.send_fds(s, [text.encode()], list(fds))
def handed():
    names = os.environ.get("LISTEN_FDNAMES", "").split(":")
    n = int(os.environ.get("LISTEN_FDS", 0))
    assert not n or int(os.environ["LISTEN_PID"]) == os.getpid()
    return [(names[i], 3 + i) for i in range(n)]
def tun(name):
    fd = os.open("/dev/net/tun", os.O_RDWR)
    fcntl.ioctl(fd, 0x400454ca, struct.pack("16sH22x", name.encode(), 0x1001))
    return fd
"""

STORER = NOTIFY + """
mine = dict(handed())
print("handed", sorted(mine), flush=True)
if not mine:
    r, w = os.pipe()
    os.write(w, b"kept")
    notify("FDSTORE=1\\nFDNAME=pipe", [r])
    notify("FDSTORE=1\\nFDNAME=pipe-w\\nFDPOLL=0", [w])
    notify("FDSTORE=1\\nFDNAME=again", [r])          # the same: dropped
    a, b = socket.socketpair()
    notify("FDSTORE=1\\nFDNAME=gone", [a.fileno()])
    a.close(); b.close()                             # hangs up: dropped
    notify("FDSTORE=1\\nFDNAME=removed", [os.open("/dev/null", os.O_RDONLY)])
    notify("FDSTOREREMOVE=1\\nFDNAME=removed")
else:
    print("read", os.read(mine["pipe"], 4), flush=True)
notify("READY=1\\nSTATUS=storing")
time.sleep(1000)
"""


def script(lab, name, text):
    return [PYTHON, write_file(lab, name + ".py", text)]


def log_of(lab, name):
    with open(lab.service(name)["log"], encoding="utf-8") as f:
        return f.read()


def test_descriptors_survive_kill_nine(lab):
    lab.start("storer", None, script(lab, "storer", STORER), restart_s=0.2,
              fdstore_max=8, user="nobody")
    lab.wait_ready("storer", limit=10)
    lab.wait_for("what hung up to be dropped",
                 lambda: lab.service("storer")["fds"] == ["pipe", "pipe-w"], 5)
    lab.kill("storer")
    lab.wait_for("a second start",
                 lambda: lab.service("storer")["starts"] == 2, 5)
    lab.wait_ready("storer", limit=10)
    assert "read b'kept'" in log_of(lab, "storer")
    assert lab.service("storer")["status"] == "storing"
    lab.stop("storer")
    assert lab.service("storer")["fds"] == []


def test_the_store_has_a_limit(lab):
    lab.start("storer", None, script(lab, "storer", STORER), fdstore_max=1)
    lab.wait_ready("storer", limit=10)
    assert lab.service("storer")["fds"] == ["pipe"]
    assert "the fd store is full" in log_of(lab, "storer")


def test_a_program_stays_dead_when_not_to_be_restarted(lab):
    lab.start("short", None, ["sh", "-c", "exit 3"])
    lab.wait_for("its end", lambda: lab.service("short")["last_exit"] == "status 3", 5)
    with pytest.raises(LabError, match="does not run"):
        lab.kill("short")


def test_a_missed_watchdog_aborts(lab):
    lab.start("stuck", None, script(lab, "stuck", NOTIFY + """
assert os.environ["WATCHDOG_USEC"] == "300000"
notify("READY=1")
for _ in range(5):
    time.sleep(0.1); notify("WATCHDOG=1")
time.sleep(1000)
"""), watchdog_s=0.3)
    lab.wait_for("SIGABRT", lambda: lab.service("stuck")["last_exit"] == "signal 6", 10)


def test_user_and_capabilities_are_as_asked(lab):
    lab.namespace("a")
    lab.start("who", "a", ["sh", "-c", "id; grep -E '^Cap(Eff|Amb|Bnd)' "
                                       "/proc/self/status; readlink /proc/self/ns/net"],
              user="edged", groups=["edged-admin"], caps=["net_admin", "net_raw"])
    lab.wait_for("its end", lambda: lab.service("who")["last_exit"], 5)
    text = log_of(lab, "who")
    assert "(edged)" in text
    assert "(edged-admin)" in text
    assert text.count("0000000000003000") == 3


def test_listening_sockets_are_there_before_the_program(lab):
    path = os.path.join(lab.dir, "early.sock")
    lab.start("late", None, script(lab, "late", NOTIFY + """
[(name, fd)] = handed()
assert name == "early"
s = socket.socket(fileno=fd)
c, _ = s.accept()
print("got", c.recv(10), flush=True)
"""), listen={"early": path})
    lab.run_here = __import__("socket").socket(1, 5)
    lab.run_here.connect(path)
    lab.run_here.send(b"hello")
    lab.wait_for("the message", lambda: "got b'hello'" in log_of(lab, "late"), 10)
    lab.run_here.close()


TUN_HOLDER = NOTIFY + """
mine = dict(handed())
fd = mine.get("tun") or tun("tunx")
if "--store" in sys.argv and "tun" not in mine:
    notify("FDSTORE=1\\nFDNAME=tun\\nFDPOLL=0", [fd])
notify("READY=1")
time.sleep(1000)
"""


@pytest.mark.parametrize("stored", [True, False])
def test_when_the_holder_of_a_tun_dies(lab, stored):
    """With a duplicate kept, carrier and routes stay; without, all go."""
    lab.namespace("a")
    argv = script(lab, "holder", TUN_HOLDER) + (["--store"] if stored else [])
    lab.ip("a", "tuntap add dev tunx mode tun")          # persistent
    lab.start("holder", "a", argv, restart_s=None if not stored else 60, fdstore_max=4)
    lab.wait_ready("holder", limit=10)
    lab.ip("a", "addr add 10.8.0.1/32 dev tunx", "link set tunx up",
           "route add 10.8.0.2/32 dev tunx",
           "nexthop add id 7 via 10.8.0.2 dev tunx onlink",
           "nexthop add id 8 group 7", "route add 10.7.0.0/16 nhid 8")
    assert "LOWER_UP" in lab.out("a", "ip", "link", "show", "tunx")
    lab.kill("holder")
    lab.wait_for("its death", lambda: not lab.service("holder")["pid"], 5)

    def kept():
        return ["LOWER_UP" in lab.out("a", "ip", "link", "show", "tunx"),
                "10.7.0.0/16" in lab.out("a", "ip", "route"),
                "id 8 group 7" in lab.out("a", "ip", "nexthop")]

    if stored:
        assert lab.wait_still("what is kept", kept, 10) == [True] * 3
    else:
        # the kernel tells of a carrier that went at most once a second
        lab.wait_for("all to go", lambda: (not any(kept()), kept()), 5)


UDP_HOLDER = NOTIFY + """
mine = dict(handed())
if "udp" in mine:
    s = socket.socket(fileno=mine["udp"])
else:
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.bind(("10.9.0.1", 4500))
    notify("FDSTORE=1\\nFDNAME=udp", [s.fileno()])
if "--reader" in sys.argv:
    for _ in range(20):
        print("read", s.recv(100), flush=True)
notify("READY=1")
time.sleep(1000)
"""


def test_when_the_holder_of_an_encapsulation_socket_dies(lab):
    """The kept duplicate queues what comes meanwhile, and nobody else can bind."""
    lab.namespace("a", "b")
    lab.veth("a", "eth0", "b", "eth0")
    lab.ip("a", "addr add 10.9.0.1/24 dev eth0")
    lab.ip("b", "addr add 10.9.0.2/24 dev eth0")
    lab.start("udp", "a", script(lab, "udp", UDP_HOLDER), restart_s=60, fdstore_max=4)
    lab.wait_ready("udp", limit=10)
    lab.kill("udp")
    lab.wait_for("its death", lambda: not lab.service("udp")["pid"], 5)
    lab.run("b", ["bash", "-c", "for i in $(seq 20); do echo $i >/dev/udp/10.9.0.1/4500; "
                                "done"])
    busy = lab.run("a", ["socat", "-u", "UDP-RECV:4500,bind=10.9.0.1", "-"], check=False)
    assert "in use" in busy.stderr
    service = lab.service("udp")
    assert service["fds"] == ["udp"]
    lab.keeper.ask("start", name="udp", netns="a", restart_s=None, fdstore_max=4,
                   argv=script(lab, "udp", UDP_HOLDER) + ["--reader"])
    lab.wait_ready("udp", limit=10)
    assert log_of(lab, "udp").count("read ") == 20
