# SPDX-License-Identifier: GPL-2.0-or-later
"""scan.py ADDRESS SOURCE: all TCP and UDP ports of an address, as JSON

TCP by bare SYN packets, UDP by a datagram each: what answers is what listens
and is let through. {"tcp": [accepting ports], "udp": [answering ports]}
"""
import json
import os
import select
import socket
import struct
import sys
import time

SYN, SYN_ACK = 0x02, 0x12
FROM_PORT = 40404
PORTS = 65535
BURST = 200
LAST_WAIT_S = 1.5


def checksum(data):
    if len(data) % 2:
        data += b"\0"
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


def segment(family, source, target, port):
    """A TCP SYN with its checksum."""
    head = struct.pack("!HHIIBBHHH", FROM_PORT, port, port << 8, 0, 5 << 4, SYN, 1024, 0, 0)
    pseudo = source + target + (struct.pack("!BBH", 0, 6, len(head))
                                if family == socket.AF_INET
                                else struct.pack("!II", len(head), 6))
    return head[:16] + struct.pack("!H", checksum(pseudo + head)) + head[18:]


def drain(sock, take):
    while True:
        try:
            take(*sock.recvfrom(65536))
        except BlockingIOError:
            return
        except OSError:
            continue          # an ICMP error: closed, as it should be


def tcp(family, source, target):
    raw = socket.socket(family, socket.SOCK_RAW, socket.IPPROTO_TCP)
    raw.setblocking(False)
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8 << 20)
    us, them = (socket.inet_pton(family, a) for a in (source, target))
    accepting = set()

    def take(data, peer):
        if family == socket.AF_INET:
            data = data[(data[0] & 15) * 4:]
        if len(data) < 14 or peer[0] != target:
            return
        sport, dport = struct.unpack("!HH", data[:4])
        if dport == FROM_PORT and data[13] & SYN_ACK == SYN_ACK:
            accepting.add(sport)

    # twice: a burst may be too much for what lies between
    for n in range(2 * PORTS):
        raw.sendto(segment(family, us, them, n % PORTS + 1), (target, 0))
        if n % BURST == 0:
            drain(raw, take)
            time.sleep(0.005)
    end = time.monotonic() + LAST_WAIT_S
    while time.monotonic() < end:
        select.select([raw], [], [], 0.1)
        drain(raw, take)
    return sorted(accepting)


def udp(family, source, target):
    sock = socket.socket(family, socket.SOCK_DGRAM)
    sock.bind((source, FROM_PORT))
    sock.setblocking(False)
    answering = set()

    def take(_, peer):
        if peer[0] == target:
            answering.add(peer[1])

    for port in range(1, PORTS + 1):
        for payload in (os.urandom(44), bytes(44)):
            try:
                sock.sendto(payload, (target, port))
            except OSError:
                pass          # the ICMP error of an earlier one
        if port % BURST == 0:
            drain(sock, take)
            time.sleep(0.005)
    end = time.monotonic() + LAST_WAIT_S
    while time.monotonic() < end:
        select.select([sock], [], [], 0.1)
        drain(sock, take)
    return sorted(answering)


def main():
    target, source = sys.argv[1:]
    family = socket.AF_INET6 if ":" in target else socket.AF_INET
    print(json.dumps({"tcp": tcp(family, source, target),
                      "udp": udp(family, source, target)}))


if __name__ == "__main__":
    main()
