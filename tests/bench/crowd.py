# SPDX-License-Identifier: GPL-2.0-or-later
"""A crowd of readers of live events, as one program

    crowd.py HOST PORT [TOKEN] [--readers N] [--deaf N] [--vanish N] [--seconds S]

readers read all; deaf ones ask and never read; those that vanish read for five
seconds and are then gone without a word to the other end. With a token it speaks
TLS. Each second a line: how many are open, how many status messages came.
"""
import argparse
import selectors
import socket
import ssl
import sys
import time

VANISH_S = 5
TCP_REPAIR = 19


class Reader:
    """One connection."""

    def __init__(self, options, kind):
        self.kind = kind
        self.messages = 0
        sock = socket.socket()
        if kind == "deaf":
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
        sock.settimeout(30)
        sock.connect((options.host, options.port))
        self.plain = sock
        if options.token:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
            sock = context.wrap_socket(sock)
        head = f"GET /api/v1/stream HTTP/1.1\r\nHost: {options.host}:{options.port}\r\n"
        if options.token:
            head += f"Authorization: Bearer {options.token}\r\n"
        sock.sendall((head + "\r\n").encode())
        sock.setblocking(False)
        self.sock = sock
        self.open = True

    def read(self):
        """Take what is there."""
        while True:
            try:
                data = self.sock.recv(65536)
            except (BlockingIOError, ssl.SSLWantReadError):
                return
            except OSError:
                data = b""
            if not data:
                self.open = False
                return
            self.messages += data.count(b"event: status")

    def vanish(self):
        """Gone without a FIN: as when a cable is pulled."""
        fd = self.sock.detach()
        raw = socket.socket(fileno=fd)
        try:
            raw.setsockopt(socket.IPPROTO_TCP, TCP_REPAIR, 1)
        except OSError:
            pass
        raw.close()
        self.open = False


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("host")
    parser.add_argument("port", type=int)
    parser.add_argument("token", nargs="?")
    parser.add_argument("--readers", type=int, default=70)
    parser.add_argument("--deaf", type=int, default=20)
    parser.add_argument("--vanish", type=int, default=10)
    parser.add_argument("--seconds", type=float, default=1e9)
    options = parser.parse_args()
    crowd = [Reader(options, kind) for kind, n in (
        ("reads", options.readers), ("deaf", options.deaf), ("vanishes", options.vanish))
        for _ in range(n)]
    began = told = time.monotonic()
    selector = selectors.DefaultSelector()
    for r in crowd:
        if r.kind != "deaf":
            selector.register(r.sock, selectors.EVENT_READ, r)
    gone = False
    while time.monotonic() - began < options.seconds:
        for key, _ in selector.select(0.2):
            key.data.read()
            if not key.data.open:
                selector.unregister(key.fileobj)
        now = time.monotonic()
        if not gone and now - began > VANISH_S:
            gone = True
            for r in crowd:
                if r.kind == "vanishes" and r.open:
                    selector.unregister(r.sock)
                    r.vanish()
        if now - told >= 1:
            told = now
            reading = [r for r in crowd if r.kind == "reads"]
            sys.stdout.write(f"open {sum(r.open for r in reading)} "
                             f"messages {sum(r.messages for r in reading)}\n")
            sys.stdout.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main())
