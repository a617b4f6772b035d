# SPDX-License-Identifier: GPL-2.0-or-later
"""How long edged takes to say READY with many tunnels: at a first start, then at restarts

    restart.py EDGED [--tunnels N] [--restarts N]     as root; no peer answers

In name spaces of its own, with user-space ESP, so that each tunnel has a descriptor
that the service manager (here: this program) keeps. Beside READY: how long edged then
needs to follow SIGTERM, which is what its loop was busy with right after the start.
"""
import argparse
import ctypes
import os
import resource
import shutil
import signal
import socket
import subprocess
import tempfile
import time

CLONE_NEWNS, CLONE_NEWNET = 0x20000, 0x40000000
FIRST_FD = 3
READY_S = 120


def prepare(folder, tunnels):
    """An uplink, and a file with that many peers behind it."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(CLONE_NEWNS | CLONE_NEWNET):
        raise OSError(ctypes.get_errno(), "unshare")
    for line in ("link set lo up", "link add up0 type veth peer name up1",
                 "link set up1 up", "addr add 10.255.0.1/16 dev up0", "link set up0 up",
                 "route add default via 10.255.0.2"):
        subprocess.run(["ip", *line.split()], check=True)
    with open(os.path.join(folder, "edged.yaml"), "w", encoding="utf-8") as f:
        f.write("name: hub\ndataplane: user\nlan: [10.1.0.0/16]\nuplinks:\n"
                "  isp1: {interface: up0, up: 1gbit, down: 1gbit}\n"
                "bgp: {asn: 65000, announce: lan, accept: [10.0.0.0/8]}\npeers:\n")
        for i in range(tunnels):
            inside = f"10.{100 + (i >> 14)}.{i >> 6 & 255}.{(i & 63) * 4}"
            mine, theirs = (f"{inside.rsplit('.', 1)[0]}.{(i & 63) * 4 + n}" for n in (1, 2))
            f.write(f"  p{i}: {{id: p{i}, asn: 65001, tunnels: {{a: {{"
                    f"address: 10.255.{1 + i // 250}.{1 + i % 250}, inside: {mine}/30, "
                    f"bgp-peer: {theirs}}}}}}}\n")
    with open(os.path.join(folder, "secrets.yaml"), "w", encoding="utf-8",
              opener=lambda path, flags: os.open(path, flags, 0o600)) as f:
        for i in range(tunnels):
            f.write(f'p{i}/a: "one-of-many-long-secrets-{i:05d}"\n')


def become(edged, folder, sock, kept):
    """In the child: the descriptors from 3 on, then edged."""
    high = resource.getrlimit(resource.RLIMIT_NOFILE)[0] // 2
    for i, fd in enumerate(kept.values()):
        os.dup2(fd, high + i)
    for i in range(len(kept)):
        os.dup2(high + i, FIRST_FD + i)
    os.closerange(FIRST_FD + len(kept), 2 * high)
    env = dict(os.environ, NOTIFY_SOCKET=sock, LISTEN_PID=str(os.getpid()),
               LISTEN_FDS=str(len(kept)), LISTEN_FDNAMES=":".join(kept))
    log = os.open(os.path.join(folder, "log"), os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(log, 1)
    os.dup2(log, 2)
    os.execve(edged, [edged, "--config", folder + "/edged.yaml", "--run", folder + "/run",
                      "--state", folder + "/state"], env)


def one_start(edged, folder, kept):
    """Seconds to READY, and from SIGTERM to its end."""
    path = os.path.join(folder, "notify")
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    sock.bind(path)
    sock.settimeout(READY_S)
    handed = dict(kept)
    began = time.monotonic()
    pid = os.fork()
    if not pid:
        try:
            become(edged, folder, path, handed)
        finally:
            os._exit(127)
    text = ""
    while text != "READY=1":
        data, fds, _, _ = socket.recv_fds(sock, 4096, 4)
        text = data.decode()
        fields = dict(line.split("=", 1) for line in text.splitlines())
        if "FDSTORE" in fields and fields["FDNAME"] not in kept:
            kept[fields["FDNAME"]] = fds.pop()
        for fd in fds:
            os.close(fd)
    ready = time.monotonic() - began
    os.kill(pid, signal.SIGTERM)
    began = time.monotonic()
    sock.close()
    os.unlink(path)
    os.waitpid(pid, 0)
    return ready, time.monotonic() - began


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("edged")
    parser.add_argument("--tunnels", type=int, default=3000)
    parser.add_argument("--restarts", type=int, default=2)
    options = parser.parse_args()
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    folder = tempfile.mkdtemp(prefix="restart-")
    try:
        for name in ("run", "state"):
            os.mkdir(os.path.join(folder, name))
        prepare(folder, options.tunnels)
        kept = {}
        for n in range(1 + options.restarts):
            ready, end = one_start(os.path.abspath(options.edged), folder, kept)
            print(f"{'restart' if n else 'start'}: READY after {ready:.2f} s, "
                  f"ended {end:.2f} s after SIGTERM, {len(kept)} descriptors kept",
                  flush=True)
    finally:
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
