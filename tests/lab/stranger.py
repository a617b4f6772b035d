# SPDX-License-Identifier: GPL-2.0-or-later
"""A stranger on the internet: hostile datagrams for ports 500 and 4500

    stranger.py SECONDS SEED ADDRESS...     all kinds to each address, in turn
"""
import random
import socket
import struct
import sys
import time

BURST = 64


def header(spi_i, spi_r, first, exchange, flags, msg_id, body):
    return spi_i + spi_r + struct.pack(">BBBBII", first, 0x20, exchange, flags, msg_id,
                                       28 + len(body)) + body


def payload(following, body, flags=0):
    return struct.pack(">BBH", following, flags, 4 + len(body)) + body


def transform(more, kind, ident, attributes=b""):
    return struct.pack(">BBHBBH", 3 if more else 0, 0, 8 + len(attributes), kind, 0,
                       ident) + attributes


def init_body(rng, group=31, size=32):
    suite = (transform(True, 1, 20, struct.pack(">HH", 0x800e, 256))
             + transform(True, 2, 5) + transform(False, 4, group))
    proposal = struct.pack(">BBHBBBB", 0, 0, 8 + len(suite), 1, 1, 0, 3) + suite
    return (payload(34, proposal)
            + payload(40, struct.pack(">HH", group, 0) + rng.randbytes(size))
            + payload(0, rng.randbytes(32)))


def notify(kind, data=b"", protocol=0, spi=b""):
    return struct.pack(">BBH", protocol, len(spi), kind) + spi + data


def messages(rng):
    """One of each kind of hostile datagram, endlessly: (port, bytes)."""
    real = rng.randbytes(8)
    while True:
        spi, other = rng.randbytes(8), rng.randbytes(8)
        zero = bytes(8)
        init = header(spi, zero, 33, 34, 0x08, 0, init_body(rng))
        sealed = rng.randbytes(rng.choice([0, 1, 8, 24, 25, 200, 1300]))
        yield 500, init
        yield 4500, bytes(4) + init
        yield 500, header(real, zero, 33, 34, 0x08, 0, init_body(rng))
        yield 500, header(spi, zero, 33, 34, 0x08, 0, init_body(rng, 14, 256))
        yield 500, header(spi, zero, 33, 34, 0x08, 0, init_body(rng, 19, 64))
        yield 500, header(spi, zero, 33, 34, 0x08, 0, init_body(rng, 31, 31))
        yield 500, header(spi, zero, 33, 34, 0x08, 1, init_body(rng))
        yield 500, header(spi, zero, 41, 34, 0x08, 0,
                          payload(33, notify(16390, rng.randbytes(64)))
                          + init_body(rng))
        for exchange in (34, 35, 36, 37, 43, 44, 240):
            for flags in (0x00, 0x08, 0x20, 0x28):
                yield 500, header(spi, other, 46, exchange, flags, rng.choice(
                    [0, 1, 2, 0xffffffff]), payload(33, sealed))
        # fragments (RFC 7383): in disorder, twice, none of none, too many
        for number, total in ((2, 2), (1, 2), (1, 2), (0, 0), (3, 2), (1, 65535),
                              (65535, 65535)):
            yield 500, header(spi, other, 53, 35, 0x08, 1, payload(
                35, struct.pack(">HH", number, total) + sealed))
        # nobody proved these
        for kind in (4, 5, 7, 9, 11, 14, 16388, 16390, 16400):
            yield 500, header(spi, other, 41, 37, 0x08, 2, payload(0, notify(
                kind, rng.randbytes(4), 3, rng.randbytes(4))))
        yield 500, header(spi, other, 42, 37, 0x08, 2, payload(0, struct.pack(
            ">BBH", 1, 0, 0)))
        yield 500, header(spi, other, 42, 37, 0x08, 2, payload(0, struct.pack(
            ">BBH", 3, 4, 1) + rng.randbytes(4)))
        yield 500, b"\x00" * 65507
        yield 4500, b"\x00" * 65507
        yield 4500, bytes(4) + header(spi, zero, 33, 34, 0x08, 0, rng.randbytes(65000))
        yield 4500, rng.randbytes(65507)
        for n in (0, 1, 2, 3, 4, 5, 7, 8, 12, 16, 31, 32, 33):
            yield 4500, rng.randbytes(n)
            yield 4500, bytes(n)
            yield 4500, b"\xff" * n
        for spi32 in (0, 1, 255, 256, 0xffffffff, rng.getrandbits(32)):
            yield 4500, struct.pack(">II", spi32, rng.getrandbits(32)) + rng.randbytes(80)


def main(seconds, seed, *targets):
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 20)
    end = time.monotonic() + float(seconds)
    for n, (port, data) in enumerate(messages(random.Random(int(seed)))):
        for target in targets:
            try:
                sock.sendto(data, (target, port))
            except OSError:
                pass            # a refusal of an earlier one, a full queue
        if n % BURST == 0:
            time.sleep(0.01)
            if time.monotonic() > end:
                return


if __name__ == "__main__":
    main(*sys.argv[1:])
