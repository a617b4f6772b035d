# SPDX-License-Identifier: GPL-2.0-or-later
"""A branch box with one uplink: edged and edge-webui as their own users, and clients

    clients (10.42.9.0/24) -- [10.42.0.1:8443 HTTPS] edge-webui -- edged -- isp1
                              [127.0.0.1:8080 HTTP, unix socket]

All of it, the tests' own sockets too, is in one network namespace.
"""
import crypt
import ctypes
import hashlib
import http.client
import json
import os
import pwd
import secrets
import shutil
import socket
import ssl
import time

from daemons import Edged, write
from lab import Witness, build_dir, program, public_copy

CLONE_NEWNET = 0x40000000
ADDRESS = "10.42.0.1"
PORT = 8443
LOCAL_PORT = 8080
NAME = "edge.example.net"
PASSWORDS = {"alice": "correct horse battery", "victor": "another long word"}
ROLES = {"alice": "operator", "victor": "viewer"}
COOKIE = "__Host-edged"

CONFIG = f"""
name: branch
lan: 10.42.0.0/24
uplinks:
  isp1: {{interface: isp1, monthly-limit: 10gb}}
peers:
  hub: {{address: 192.0.2.1, networks: 10.1.0.0/16}}
dataplane: user
web:
  listen: ["{ADDRESS}:{PORT}", "127.0.0.1:{LOCAL_PORT}"]
  hosts: {NAME}
"""

libc = ctypes.CDLL(None, use_errno=True)


def enter(path):
    """Be in the network namespace of this file from now on."""
    with open(path, "rb") as f:
        if libc.setns(f.fileno(), CLONE_NEWNET) != 0:
            raise OSError(ctypes.get_errno(), path)


class Answer:
    """Status, headers (names in lower case) and body."""

    def __init__(self, response):
        self.status = response.status
        self.all = [(k.lower(), v) for k, v in response.getheaders()]
        self.headers = dict(self.all)
        self.body = response.read()

    def json(self):
        return json.loads(self.body)

    def code(self):
        """The word of an error."""
        return self.json()["error"]["code"]

    def cookie(self):
        """The value of our cookie."""
        text = self.headers.get("set-cookie", "")
        return text.split(";")[0].split("=", 1)[1] if "=" in text else None


class UnixConnection(http.client.HTTPConnection):
    """HTTP over a unix socket."""

    def __init__(self, path):
        super().__init__("localhost", timeout=20)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(20)
        self.sock.connect(self.path)


class Box:
    """edged and edge-webui, and ways to ask."""

    def __init__(self, lab, config=CONFIG):
        self.lab = lab
        self.home = os.open("/proc/self/ns/net", os.O_RDONLY)
        lab.namespace("box", "isp")
        lab.veth("box", "isp1", "isp", "eth0")
        lab.veth("box", "lan0", "isp", "lan0")
        lab.ip("box", "addr add 203.0.113.10/24 dev isp1",
               "route add default via 203.0.113.1",
               f"addr add {ADDRESS}/24 dev lan0",
               "route add local 10.42.9.0/24 dev lo")
        self.edged = Edged(lab, "box", config, 'hub: "a secret of the tests"\n')
        self.state = os.path.join(lab.dir, "web-state")
        self.socket = os.path.join(lab.dir, "web-run", "webui.sock")
        for path, mode in ((self.state, 0o700), (os.path.dirname(self.socket), 0o755)):
            os.mkdir(path)
            shutil.chown(path, "edged-web", "edged-web")
            os.chmod(path, mode)
        self.users = os.path.join(self.state, "users")
        self.tokens = {"scrape": "edw_" + secrets.token_hex(32),
                       "robot": "edw_" + secrets.token_hex(32)}
        self.lines = {}
        for name, word in PASSWORDS.items():
            self.lines[name] = (f"{name}:{ROLES[name]}:"
                                + crypt.crypt(word, "$y$j9T$" + secrets.token_hex(10) + "0."))
        for name, role in (("scrape", "viewer"), ("robot", "operator")):
            digest = hashlib.sha256(self.tokens[name].encode()).hexdigest()
            self.lines[name] = f"{name}:{role}:sha256={digest}"
        self.write_users()
        self.next_client = 1
        self.witness = None

    def write_users(self, without=(), **changed):
        """The users file, some lines left out or changed."""
        lines = {**self.lines, **changed}
        text = "".join(line + "\n" for name, line in lines.items() if name not in without)
        write(self.users + ".new", text, "edged-web", 0o600)
        os.rename(self.users + ".new", self.users)

    # programs

    def start(self):
        self.witness = Witness(self.lab)
        self.edged.start()
        enter("/run/netns/box")
        self.start_webui()

    def start_webui(self):
        data = os.path.join(build_dir(), "webui", "data")
        for name in os.listdir(data):
            public_copy(os.path.join(data, name), "/tmp/webdata/" + name, 0o644)
        self.lab.start("edge-webui", "box",
                       [program("edge-webui"), "--config", self.edged.config,
                        "--run", self.edged.run_dir, "--state", self.state,
                        "--socket", self.socket, "--data", "/tmp/webdata"],
                       user="edged-web", groups=["edged-web", "edged"])
        self.lab.wait_ready("edge-webui")
        self.wait_link()

    def close(self):
        enter(f"/proc/self/fd/{self.home}")
        os.close(self.home)

    def pid(self, name="edge-webui"):
        return self.lab.service(name)["pid"]

    def log(self):
        with open(self.lab.service("edge-webui")["log"], encoding="utf-8") as f:
            return f.read()

    def cpu_s(self, name="edge-webui"):
        """Processor time of a program, all its threads."""
        with open(f"/proc/{self.pid(name)}/stat", encoding="ascii") as f:
            fields = f.read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def rss_kb(self, name="edge-webui"):
        with open(f"/proc/{self.pid(name)}/status", encoding="ascii") as f:
            return next(int(line.split()[1]) for line in f if line.startswith("VmRSS"))

    def since(self, began_ns):
        """Seconds since then, less twice the longest that the machine stood still."""
        took = (time.monotonic_ns() - began_ns) / 1e9
        return took - 2 * self.witness.worst_s(began_ns)

    # asking

    def client(self):
        """A source address that nobody used before."""
        self.next_client += 1
        return f"10.42.9.{self.next_client}"

    def tls(self):
        context = ssl.create_default_context(cafile=os.path.join(self.state, "tls.crt"))
        context.check_hostname = False
        return context

    def connect(self, source=None, tls=True, timeout=20, window=0):
        """A connection of bytes, to the HTTPS address or the loopback one."""
        sock = socket.socket()
        if window:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, window)
        sock.settimeout(20)
        sock.bind((source or ("10.42.9.1" if tls else "127.0.0.1"), 0))
        sock.connect((ADDRESS, PORT) if tls else ("127.0.0.1", LOCAL_PORT))
        if tls:
            sock = self.tls().wrap_socket(sock)
        sock.settimeout(timeout)
        return sock

    def raw(self, data, tls=True, source=None):
        """Send bytes, give back all that comes until the end."""
        with self.connect(source, tls) as sock:
            try:
                sock.sendall(data)
                got = b""
                while True:
                    more = sock.recv(65536)
                    if not more:
                        return got
                    got += more
            except (ConnectionError, ssl.SSLError):
                return got

    def ask(self, path, method="GET", body=None, headers=None, cookie=None, token=None,
            tls=True, source=None, unix=False, host=None):
        """A request as a browser (POSTs with our Origin) or a script makes it."""
        if unix:
            conn = UnixConnection(self.socket)
        elif tls:
            conn = http.client.HTTPSConnection(
                ADDRESS, PORT, timeout=20, context=self.tls(),
                source_address=(source or "10.42.9.1", 0))
        else:
            conn = http.client.HTTPConnection("127.0.0.1", LOCAL_PORT, timeout=20)
        sent = {"Host": host or (f"{ADDRESS}:{PORT}" if tls and not unix
                                 else f"127.0.0.1:{LOCAL_PORT}")}
        if cookie:
            sent["Cookie"] = f"{COOKIE}={cookie}"
        if token:
            sent["Authorization"] = f"Bearer {token}"
        if method == "POST":
            sent["Content-Type"] = "application/json"
            if not token and not unix:
                sent["Origin"] = ("https://" if tls else "http://") + sent["Host"]
            body = json.dumps({} if body is None else body)
        for name, value in (headers or {}).items():
            if value is None:
                sent.pop(name, None)
            else:
                sent[name] = value
        try:
            conn.request(method, path, body=body, headers=sent)
            return Answer(conn.getresponse())
        finally:
            conn.close()

    def login(self, user, word=None, source=None, **more):
        return self.ask("/api/v1/login", "POST",
                        {"user": user, "password": word or PASSWORDS.get(user, "none such")},
                        source=source, **more)

    def session(self, user):
        """The cookie of a new session."""
        answer = self.login(user, source=self.client())
        assert answer.status == 200, answer.body
        return answer.cookie()

    def wait_link(self, up=True):
        """Until edge-webui knows that edged is there (or away)."""
        want = 200 if up else 503
        self.lab.wait_for("edge-webui and edged", lambda: (
            self.ask("/api/v1/uplinks", unix=True).status == want, want), 20)


class Stream:
    """A reader of events."""

    def __init__(self, box, path="/api/v1/stream", cookie=None, token=None, last=None):
        self.sock = box.connect(timeout=0.2)
        head = [f"GET {path} HTTP/1.1", f"Host: {ADDRESS}:{PORT}"]
        if cookie:
            head.append(f"Cookie: {COOKIE}={cookie}")
        if token:
            head.append(f"Authorization: Bearer {token}")
        if last:
            head.append(f"Last-Event-ID: {last}")
        self.sock.sendall(("\r\n".join(head) + "\r\n\r\n").encode())
        self.data = b""
        self.ended = False
        self.box = box

    def read(self):
        """Take what is there."""
        try:
            more = self.sock.recv(65536)
            self.ended = self.ended or not more
            self.data += more
        except TimeoutError:
            pass
        except (ConnectionError, ssl.SSLError):
            self.ended = True

    def status(self):
        return int(self.data.split(b" ", 2)[1]) if b"\r\n" in self.data else 0

    def text(self):
        """The body, its chunks put together."""
        _, _, rest = self.data.partition(b"\r\n\r\n")
        body = b""
        while b"\r\n" in rest:
            size, _, rest = rest.partition(b"\r\n")
            n = int(size or b"0", 16)
            if n == 0 or len(rest) < n:
                body += rest if n else b""
                break
            body += rest[:n]
            rest = rest[n + 2:]
        return body.decode(errors="replace")

    def events(self, kind=None):
        """[(name, id, data)] so far."""
        found = []
        for block in self.text().split("\n\n"):
            lines = dict(line.split(": ", 1) for line in block.split("\n") if ": " in line)
            if "event" not in lines or "data" not in lines:
                continue
            try:
                data = json.loads(lines["data"])
            except ValueError:
                continue
            if kind in (None, lines["event"]):
                found.append((lines["event"], lines.get("id"), data))
        return found

    def wait(self, what, check, limit=10):
        """Read on until check(self) is true."""
        def look():
            self.read()
            return (check(self), [e[:2] for e in self.events()][-6:])
        return self.box.lab.wait_for(what, look, limit, self.box.witness)

    def close(self):
        self.sock.close()


def uid(name):
    return pwd.getpwnam(name).pw_uid
