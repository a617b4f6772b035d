# SPDX-License-Identifier: GPL-2.0-or-later
"""The lab: namespaces, programs and conditions for tests, demo and benchmarks

Everything happens inside a frame (enter_frame): its own network, mount and
process namespaces with an empty /run and /tmp, so that nothing is left when
its first process ends, however it ends, and two labs never meet.

    lab = Lab()
    lab.namespace("a"); lab.veth("a", "eth0", "b", "eth0")
    lab.start("name", "a", ["program", ...])       by the keeper
    lab.wait_for("what is awaited", check, limit_s)  never a sleep
    lab.close()

Limits are multiplied by a factor measured once (a slow machine waits longer);
expectations never are.
"""
import ctypes
import hashlib
import json
import os
import shutil
import socket
import statistics
import struct
import subprocess
import sys
import tempfile
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(os.path.dirname(HERE))
FRAME = "EDGED_LAB_FRAME"
MARK = "/run/edged-lab-frame"    # seen only inside a furnished frame
REPORTS = "/tmp/reports"         # of sanitizers, in the frame's own /tmp
MS_BIND = 0x1000
MS_REC = 0x4000
MS_PRIVATE = 0x40000
TAIL_LINES = 25
POLL_S = 0.5 if os.environ.get("ED_VM") else 0.05
VM_FACTOR = 12.0
NOMINAL_S = 0.10         # what the fixed work of limits_factor() takes
PYTHON = "/usr/bin/python3"

libc = ctypes.CDLL(None, use_errno=True)


class LabError(Exception):
    """The lab itself could not do something."""


class NotInTime(AssertionError):
    """A condition did not come true within its limit."""


# --- the frame --------------------------------------------------------------

def frame_command(argv):
    """The command that runs argv as first process of a new frame."""
    return ["setpriv", "--pdeathsig", "KILL", "unshare", "--net", "--mount", "--pid",
            "--fork", "--kill-child", "--mount-proc"] + argv


def is_first():
    """Is this process the first one of a frame, still unfurnished?"""
    return os.environ.get(FRAME) == "1" and os.getpid() == 1


def in_frame():
    return os.path.exists(MARK)


def enter_frame_env():
    """The environment for a process that is about to be first in a frame."""
    env = dict(os.environ)
    env[FRAME] = "1"
    return env


def mount(source, target, kind, flags=0, data=""):
    args = [s.encode() for s in (source, target, kind)]
    if libc.mount(args[0], args[1], args[2], flags, data.encode() or None) != 0:
        raise LabError(f"mount {target}: {os.strerror(ctypes.get_errno())}")


def cover(path, keep):
    """An empty tmpfs over path; the folders in keep that lie in it stay seen."""
    inside = [k for k in keep if os.path.commonpath([k, path]) == path]
    held = [(k, os.open(k, os.O_PATH | os.O_DIRECTORY)) for k in inside]
    mount("tmpfs", path, "tmpfs")
    os.chmod(path, 0o1777 if path == "/tmp" else 0o755)
    for k, fd in held:
        os.makedirs(k, exist_ok=True)
        mount(f"/proc/self/fd/{fd}", k, "none", MS_BIND | MS_REC)
        os.close(fd)


def add_accounts():
    """The product's users and groups, seen in this frame only."""
    with open("/etc/passwd", encoding="utf-8") as f:
        passwd = f.read()
    with open("/etc/group", encoding="utf-8") as f:
        group = f.read()
    taken = {int(line.split(":")[2]) for line in (passwd + group).splitlines()
             if line.count(":") >= 2 and line.split(":")[2].isdigit()}
    free = (n for n in range(60900, 61000) if n not in taken)
    for name in ("edged", "edge-esp", "edged-web", "edged-admin"):
        number = next(free)
        if f"\n{name}:" not in "\n" + passwd and name != "edged-admin":
            passwd += f"{name}:x:{number}:{number}::/nonexistent:/usr/sbin/nologin\n"
        if f"\n{name}:" not in "\n" + group:
            group += f"{name}:x:{number}:\n"
    os.makedirs("/tmp/etc", exist_ok=True)
    for name, text in (("passwd", passwd), ("group", group)):
        with open("/tmp/etc/" + name, "w", encoding="utf-8") as f:
            f.write(text)
        mount("/tmp/etc/" + name, "/etc/" + name, "none", MS_BIND)


def collect_reports():
    """Programs of a build with sanitizers report where every user may write."""
    os.mkdir(REPORTS)
    os.chmod(REPORTS, 0o1777)
    options = f"halt_on_error=1:print_stacktrace=1:log_path={REPORTS}/report"
    os.environ["ASAN_OPTIONS"] = options + ":detect_leaks=1"
    os.environ["UBSAN_OPTIONS"] = options


def reports():
    """What sanitizers reported since the last call, as text."""
    text = ""
    for name in sorted(os.listdir(REPORTS)) if os.path.isdir(REPORTS) else []:
        path = os.path.join(REPORTS, name)
        with open(path, encoding="utf-8", errors="replace") as f:
            text += f"--- {name}\n{f.read()}"
        os.unlink(path)
    return text


def furnish_frame():
    """First thing inside a frame: mounts and accounts."""
    keep = {TOP, build_dir()}
    if os.environ.get("EDGED_LAB_LOGS"):
        keep.add(os.path.abspath(os.environ["EDGED_LAB_LOGS"]))
    mount("none", "/", "none", MS_REC | MS_PRIVATE)
    for path in ("/tmp", "/run"):
        cover(os.path.realpath(path), keep)
    os.makedirs("/run/netns")
    with open(MARK, "w", encoding="utf-8"):
        pass
    add_accounts()
    if os.environ.get("ED_SANITIZERS"):
        collect_reports()
    tempfile.tempdir = "/tmp"
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)


def build_dir():
    """Where the programs were built: $ED_TOP_BUILDDIR, in place, or build/."""
    given = os.environ.get("ED_TOP_BUILDDIR")
    if given:
        return os.path.abspath(given)
    if os.path.exists(os.path.join(TOP, "config.status")):
        return TOP
    return os.path.join(TOP, "build")


def program(name):
    """A program that the build made, where every user may run it.

    A clone often lies in /root, which only root may enter: inside a frame the
    programs are run from copies in its own /tmp.
    """
    for folder in ("", "edged", "edged/esp", "edged/ctl", "routing/zebra"):
        path = os.path.join(build_dir(), folder, name)
        if os.path.isfile(path):
            return public_copy(path, "/tmp/programs/" + os.path.basename(name), 0o755)
    raise LabError(f"no {name} in {build_dir()}: build first (make)")


def public_copy(path, target, mode):
    """A copy that every user may read; made once."""
    if not in_frame():
        return path
    if not os.path.exists(target):
        os.makedirs(os.path.dirname(target), mode=0o755, exist_ok=True)
        shutil.copyfile(path, target + ".new")
        os.chmod(target + ".new", mode)
        os.rename(target + ".new", target)
    return target


def data_dir():
    """The presets, where every user may read them."""
    presets = os.path.join(TOP, "conf", "presets")
    for name in os.listdir(presets):
        public_copy(os.path.join(presets, name), "/tmp/data/presets/" + name, 0o644)
    return "/tmp/data" if in_frame() else os.path.join(TOP, "conf")


_FACTOR = []


def limits_factor():
    """How much longer than on a quiet machine to wait; measured once."""
    if not _FACTOR and os.environ.get("ED_VM"):
        _FACTOR.append(VM_FACTOR)    # its clock knows no slow machine
    if not _FACTOR:
        began = time.monotonic()
        block = b"x" * (1 << 20)
        digest = hashlib.sha256()
        for _ in range(64):
            digest.update(block)
        took = time.monotonic() - began
        factor = max(1.0, took / NOMINAL_S)
        if os.environ.get("ED_SANITIZERS"):
            factor = max(factor, 3.0)
        _FACTOR.append(factor)
    return _FACTOR[0]


def tail(path, lines=TAIL_LINES):
    try:
        with open(path, encoding="utf-8", errors="replace") as f:
            return "".join(f.readlines()[-lines:])
    except OSError as err:
        return f"({err})\n"


# --- the lab -------------------------------------------------------------------

class Keeper:
    """Client of tests/lab/keeper."""

    def __init__(self, directory):
        self.dir = directory
        self.log = open(os.path.join(directory, "keeper.log"), "w", encoding="utf-8")
        self.process = subprocess.Popen([PYTHON, os.path.join(HERE, "keeper"), directory],
                                        stdin=subprocess.DEVNULL, stdout=self.log,
                                        stderr=self.log)
        self.path = os.path.join(directory, "keeper.sock")
        end = time.monotonic() + 20
        while True:
            self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            try:
                self.sock.connect(self.path)
                return
            except OSError:
                self.sock.close()
                if time.monotonic() > end or self.process.poll() is not None:
                    raise LabError("the keeper does not start:\n"
                                   + tail(self.log.name)) from None
                time.sleep(0.02)

    def ask(self, do, **request):
        request["do"] = do
        self.sock.send(json.dumps(request).encode())
        data = self.sock.recv(1 << 20)
        answer = json.loads(data) if data else {"error": "the keeper is gone"}
        if "error" in answer:
            raise LabError(f"keeper: {do} {request.get('name', '')}: {answer['error']}")
        return answer

    def close(self):
        try:
            self.ask("quit")
            self.process.wait(10)
        except (LabError, OSError, subprocess.TimeoutExpired):
            self.process.kill()
            self.process.wait()
        self.sock.close()
        self.log.close()


class Lab:
    """Namespaces and programs of one test, and what to wait for."""

    def __init__(self):
        if not in_frame():
            raise LabError("not inside a frame")
        self.dir = tempfile.mkdtemp(prefix="lab-", dir="/tmp")
        os.chmod(self.dir, 0o755)
        self.spaces = []
        self.keeper = Keeper(self.dir)
        self.on_close = []

    def close(self):
        for action in reversed(self.on_close):
            action()
        self.save_logs()
        self.keeper.close()
        for name in self.spaces:
            subprocess.run(["ip", "netns", "del", name], check=False)
        shutil.rmtree(self.dir, ignore_errors=True)
        text = reports()
        assert not text, "sanitizers report:\n" + text

    def save_logs(self):
        where = os.environ.get("EDGED_LAB_LOGS")
        if not where:
            return
        os.makedirs(where, exist_ok=True)
        for name in os.listdir(self.dir):
            if name.endswith(".log"):
                shutil.copy(os.path.join(self.dir, name), where)

    # namespaces and links

    def namespace(self, *names, forward=False):
        """New namespaces, loopback up, quiet, forwarding when asked."""
        for name in names:
            subprocess.run(["ip", "netns", "add", name], check=True)
            self.spaces.append(name)
            settings = {
                "net/ipv4/conf/all/rp_filter": 0,
                "net/ipv4/conf/default/rp_filter": 0,
                "net/ipv4/conf/all/send_redirects": 0,
                "net/ipv4/conf/default/send_redirects": 0,
                "net/ipv4/ip_forward": int(forward),
                "net/ipv4/icmp_ratelimit": 0,
                "net/ipv4/icmp_msgs_per_sec": 100000,
                "net/ipv6/conf/all/forwarding": int(forward),
                "net/ipv6/conf/default/accept_dad": 0,
                "net/ipv6/conf/all/accept_dad": 0,
                "net/ipv6/conf/default/accept_ra": 0,
                "net/ipv6/conf/default/router_solicitations": 0,
            }
            script = "".join(f"echo {v} >/proc/sys/{k};" for k, v in settings.items())
            self.run(name, ["sh", "-c", script], check=False)
            self.run(name, ["ip", "link", "set", "lo", "up"])

    def veth(self, space_a, if_a, space_b, if_b):
        """A cable. Offloads off, up at both ends."""
        subprocess.run(["ip", "link", "add", if_a, "netns", space_a, "type", "veth",
                        "peer", "name", if_b, "netns", space_b], check=True)
        for space, ifname in ((space_a, if_a), (space_b, if_b)):
            self.run(space, [program("tests/lab/wanem"), "--offloads-off", ifname])
            self.run(space, ["ip", "link", "set", ifname, "up"])

    def ip(self, space, *lines):
        """Lines for "ip" in a namespace, e.g. "addr add 10.0.0.1/24 dev eth0"."""
        text = "".join(line + "\n" for line in lines)
        done = subprocess.run(["ip", "-n", space, "-batch", "-"], input=text, text=True,
                              capture_output=True, check=False)
        if done.returncode:
            raise LabError(f"ip -n {space}:\n{text}{done.stderr}")
        return done.stdout

    def run(self, space, argv, check=True, **kw):
        """A command in a namespace; its output as text."""
        kw.setdefault("stdout", subprocess.PIPE)
        kw.setdefault("stderr", subprocess.PIPE)
        command = ["nsenter", f"--net=/run/netns/{space}"] + argv
        done = subprocess.run(command, text=True, check=False, **kw)
        if check and done.returncode:
            raise LabError(f"{space}: {' '.join(argv)}: status {done.returncode}\n"
                           f"{done.stdout or ''}{done.stderr or ''}")
        return done

    def out(self, space, *argv):
        return self.run(space, list(argv)).stdout

    def links(self, space):
        return json.loads(self.out(space, "ip", "-j", "-d", "addr"))

    # programs

    def start(self, name, space, argv, **request):
        """A program under the keeper; see there for the keys."""
        return self.keeper.ask("start", name=name, netns=space, argv=argv, **request)

    def stop(self, name, **request):
        return self.keeper.ask("stop", name=name, **request)

    def kill(self, name, signame="SIGKILL"):
        return self.keeper.ask("kill", name=name, signal=signame)

    def service(self, name):
        return self.keeper.ask("status", name=name)

    @staticmethod
    def runs(pid, program_name):
        """Has this process become the program yet?"""
        try:
            with open(f"/proc/{pid}/comm", encoding="utf-8") as f:
                return f.read().strip() == program_name
        except OSError:
            return False

    def logs(self, lines=TAIL_LINES):
        """The end of every program's log: what a failure prints."""
        text = ""
        for service in self.keeper.ask("status")["services"]:
            text += (f"--- {service['name']} (pid {service['pid']}, starts "
                     f"{service['starts']}, last exit {service['last_exit']})\n")
            text += tail(service["log"], lines)
        return text

    def wait_for(self, what, check, limit, witness=None):
        """Polls check until it is true; its last answer is in the complaint.

        check returns something true, or something false; a tuple (False, text)
        tells the state. Its LabError counts as "not yet", as does what is not there
        yet. A look may take long: the last one begins when the limit has passed. With
        a witness the limit is longer by what the machine stood still.
        """
        began = time.monotonic_ns()
        end = began + limit * limits_factor() * 1e9
        while True:
            late = time.monotonic_ns() > end
            if late and witness:
                late = time.monotonic_ns() > end + 2e9 * witness.worst_s(began)
            try:
                state = check()
            except (LabError, ValueError, LookupError, TypeError, OSError) as err:
                state = (False, f"{type(err).__name__}: {err}")
            good = state[0] if isinstance(state, tuple) else state
            if good:
                return state
            if late:
                raise NotInTime(f"not within {limit} s: {what}\nlast seen: {state}\n"
                                + self.logs())
            time.sleep(POLL_S)

    def wait_still(self, what, see, limit, still_s=2):
        """What see() gives once it has not changed for still_s: what to compare with.

        Sessions that are up are no proof that all they bring has arrived.
        """
        last, since = None, time.monotonic()

        def still():
            nonlocal last, since
            now = see()
            if now != last:
                last, since = now, time.monotonic()
            return (time.monotonic() - since >= still_s, last)

        self.wait_for(f"{what} stays as it is", still, limit)
        return last

    def wait_ready(self, *names, limit=30):
        for name in names:
            self.wait_for(f"{name} says READY=1",
                          lambda n=name: self.service(n)["ready"], limit)


# --- stalls of the machine ---------------------------------------------------------

EVENT = struct.Struct("<qIHBB")
BEAT_NS = 10_000_000


def read_events(path):
    """The log of tests/lab/flow: (ns, seq, flow, kind, tos)."""
    with open(path, "rb") as f:
        data = f.read()
    return list(EVENT.iter_unpack(data[:len(data) - len(data) % EVENT.size]))


class Witness:
    """A 10 ms heartbeat on each CPU beside what is tested."""

    def __init__(self, lab):
        self.lab = lab
        self.path = os.path.join(lab.dir, "witness.events")
        lab.start("witness", None, [program("tests/lab/flow"), "witness", self.path])
        lab.wait_for("the witness", lambda: os.path.exists(self.path), 10)

    def worst_s(self, since_ns=0, until_ns=1 << 62):
        """The longest time the machine stood still in a window."""
        worst = 0
        now = time.monotonic_ns()
        # A beat that is late is told when it comes: wait for the window's last one.
        time.sleep(max(0, min(now, until_ns) + 2 * BEAT_NS - now) / 1e9)
        for ns, late_us, _, _, _ in read_events(self.path):
            if ns <= until_ns and ns + late_us * 1000 >= since_ns:
                worst = max(worst, late_us)
        return worst / 1e6


class Lateness(threading.Thread):
    """How late a process usually is waked here, which delays every packet that a
    program handles; the Witness sees only what is long."""

    def __init__(self):
        super().__init__(daemon=True)
        self.seen_ms = []
        self.over = threading.Event()

    def run(self):
        while not self.over.is_set():
            due = time.monotonic() + 0.01
            time.sleep(0.01)
            self.seen_ms.append((time.monotonic() - due) * 1e3)

    def stop(self):
        """Its mean in milliseconds."""
        self.over.set()
        self.join()
        return statistics.mean(self.seen_ms)


def main():
    """lab.py COMMAND...: runs it as first process of a furnished frame."""
    if not is_first():
        command = frame_command([PYTHON, os.path.abspath(__file__)] + sys.argv[1:])
        os.execvpe(command[0], command, enter_frame_env())
    furnish_frame()
    if len(sys.argv) > 1:
        os.execvp(sys.argv[1], sys.argv[1:])


if __name__ == "__main__":
    main()
