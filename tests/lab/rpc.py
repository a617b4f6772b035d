# SPDX-License-Identifier: GPL-2.0-or-later
"""edged's control socket spoken to directly, as any user of the machine"""
import grp
import json
import os
import pwd
import socket


class RpcError(Exception):
    """The daemon answered with an error."""

    def __init__(self, error):
        super().__init__(f"{error['code']}: {error['message']}")
        self.code = error["code"]
        self.data = error.get("data")


def connect(path, user=None, group=None):
    """A connection as the kernel will tell it: its user is who connects."""
    s = socket.socket(socket.AF_UNIX)
    s.settimeout(30)
    if user is None:
        s.connect(path)
        return s
    account = pwd.getpwnam(user)
    gid = grp.getgrnam(group).gr_gid if group else account.pw_gid
    groups = os.getgroups()
    os.setgroups([gid])
    os.setegid(gid)
    os.seteuid(account.pw_uid)
    try:
        s.connect(path)
    finally:
        os.seteuid(0)
        os.setegid(0)
        os.setgroups(groups)
    return s


class Rpc:
    """A client that asks and waits."""

    def __init__(self, run_dir, user=None, group=None):
        self.sock = connect(os.path.join(run_dir, "control.sock"), user, group)
        self.file = self.sock.makefile("rb")
        self.next = 0
        self.told = []          # notifications that came on the way

    def call(self, method, **params):
        self.next += 1
        line = {"jsonrpc": "2.0", "id": self.next, "method": method, "params": params}
        self.sock.sendall(json.dumps(line).encode() + b"\n")
        while True:
            answer = json.loads(self.file.readline() or b'{"id": null}')
            if "method" in answer:
                self.told.append(answer)
                continue
            if "error" in answer:
                raise RpcError(answer["error"])
            assert answer["id"] == self.next, answer
            return answer["result"]

    def close(self):
        self.file.close()
        self.sock.close()
