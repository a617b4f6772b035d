# SPDX-License-Identifier: GPL-2.0-or-later
"""edged's control socket as edge-zebra sees it, without edged

Answers zebra.subscribe with an intent, pushes changes, and keeps what
edge-zebra reports. One thread; the socket's file is where the test says.
"""
import json
import os
import socket
import threading


class FakeControl:
    def __init__(self, run_dir, intent):
        self.path = os.path.join(run_dir, "control.sock")
        self.intent = intent
        self.state = {}
        self.lock = threading.Lock()
        self.clients = []
        self.server = None

    def open(self):
        if os.path.exists(self.path):
            os.unlink(self.path)
        self.server = socket.socket(socket.AF_UNIX)
        self.server.bind(self.path)
        os.chmod(self.path, 0o666)
        self.server.listen(4)
        threading.Thread(target=self.accept, args=(self.server,), daemon=True).start()

    def close(self):
        """As if edged had died."""
        with self.lock:
            for c in self.clients:
                c.shutdown(socket.SHUT_RDWR)
                c.close()
            self.clients = []
            if self.server:
                self.server.shutdown(socket.SHUT_RDWR)
                self.server.close()
            self.server = None
            self.state = {}

    def accept(self, server):
        while True:
            try:
                conn, _ = server.accept()
            except OSError:
                return
            with self.lock:
                self.clients.append(conn)
            threading.Thread(target=self.serve, args=(conn,), daemon=True).start()

    def serve(self, conn):
        try:
            for line in conn.makefile("r", encoding="utf-8"):
                self.answer(conn, json.loads(line))
        except (OSError, ValueError):
            pass

    def answer(self, conn, request):
        result = {}
        if request["method"] == "zebra.subscribe":
            result = self.intent
        elif request["method"] == "zebra.state":
            self.state = request["params"]
        self.send(conn, {"jsonrpc": "2.0", "id": request["id"], "result": result})

    def send(self, conn, message):
        conn.sendall((json.dumps(message) + "\n").encode())

    def push(self, method, params):
        with self.lock:
            for conn in self.clients:
                self.send(conn, {"jsonrpc": "2.0", "method": method, "params": params})

    def set_intent(self, intent):
        self.intent = intent
        self.push("zebra.intent", intent)

    def set_peer(self, peer):
        peers = self.intent["peers"]
        for i, old in enumerate(peers):
            if old["name"] == peer["name"]:
                peers[i] = peer
        self.push("zebra.peer", peer)
