# SPDX-License-Identifier: GPL-2.0-or-later
"""Live events: resumed by number, edged away and back, readers that do not read"""
import os
import re
import socket
import subprocess
import time

from box import ADDRESS, PORT, Stream

STALL_S = 20        # how long a reader may take nothing
CUT = 'edged_web_cut_total{reason="reader"}'


def reader(box, **more):
    return Stream(box, token=box.tokens["scrape"], **more)


def order(box, state):
    answer = box.ask("/api/v1/uplinks/isp1", "POST", {"state": state},
                     token=box.tokens["robot"])
    assert answer.status == 200, answer.body


def test_a_stream_begins_with_link_and_status(box):
    s = reader(box)
    s.wait("link, then status", lambda s: len(s.events("status")) >= 1)
    assert s.status() == 200
    assert b"text/event-stream" in s.data and b"no-store" in s.data
    assert s.text().startswith("retry: 3000\n\n")
    # an event may happen at any time
    kinds = [e[0] for e in s.events() if e[0] != "event"]
    assert kinds[:2] == ["link", "status"]
    assert s.events("link")[0][2]["edged"] is True
    told = s.events("status")[0][2]
    asked = box.ask("/api/v1/status", token=box.tokens["scrape"]).json()
    assert set(told) == set(asked)
    # at most once a second
    s.wait("three more", lambda s: len(s.events("status")) >= 4)
    began, n = time.monotonic(), len(s.events("status"))
    while time.monotonic() - began < 3:
        s.read()
    assert len(s.events("status")) - n <= 4 + 3 * 1 / 0.3
    s.close()


def test_events_come_at_once_and_resume_by_number(box):
    s = reader(box)
    s.wait("the stream runs", lambda s: s.events("status"))
    began = time.monotonic_ns()
    order(box, "down")
    s.wait("the event", lambda s: [e for e in s.events("event")
                                   if e[2]["kind"] == "uplink"], 5)
    assert box.since(began) < 2
    last = s.events("event")[-1]
    assert int(last[1]) == last[2]["id"]
    s.close()
    order(box, "up")        # nobody listens
    again = reader(box, last=last[1])
    again.wait("what was missed", lambda s: [e for e in s.events("event")
                                             if e[2]["kind"] == "uplink"])
    ids = [int(e[1]) for e in again.events("event")]
    assert ids == sorted(ids) and ids[0] > int(last[1])
    again.close()
    by_query = reader(box, path=f"/api/v1/stream?after={last[1]}")
    by_query.wait("the same by query", lambda s: len(s.events("event")) >= len(ids))
    assert [int(e[1]) for e in by_query.events("event")][:len(ids)] == ids
    by_query.close()
    # too much to send: the page is told to read its lists again
    for bad in ("x", "-1", "9" * 30):
        odd = reader(box, last=bad)
        # what was would have come before the second one
        odd.wait("it runs without", lambda s: len(s.events("status")) >= 2)
        # none of what was; another may have happened since
        assert all(int(e[1]) > ids[-1] for e in odd.events("event"))
        odd.close()


def test_edged_away_and_back_is_told(box):
    s = reader(box)
    s.wait("the stream runs", lambda s: s.events("status"))
    box.lab.stop("box-edged", signal="SIGKILL")
    s.wait("edged is away", lambda s: s.events("link")[-1][2]["edged"] is False, 3)
    assert "does not answer" in s.events("link")[-1][2]["text"]
    for path in ("status", "events", "history?path=hub/isp1"):
        answer = box.ask("/api/v1/" + path, token=box.tokens["scrape"])
        assert (answer.status, answer.code()) == (503, "edged_away")
        assert "edged does not answer on" in answer.json()["error"]["message"]
    assert box.ask("/").status == 200
    metrics = box.ask("/metrics", token=box.tokens["scrape"])
    assert metrics.status == 200 and b"\nedged_up 0\n" in metrics.body
    late = reader(box)
    late.wait("who comes now is told", lambda s: s.events("link"))
    assert late.events("link")[0][2]["edged"] is False and not late.events("status")
    n = len(s.events("status"))
    box.edged.start_edged()
    for one in (s, late):
        one.wait("edged is back", lambda s: s.events("link")[-1][2]["edged"], 15)
    s.wait("its status comes", lambda s: len(s.events("status")) > n)
    late.wait("here too", lambda s: s.events("status"))
    # what happened before edge-webui heard edged again comes too
    s.wait("edged's start", lambda s: [e for e in s.events("event")
                                       if e[2]["kind"] == "daemon"], 10)
    box.wait_link()
    for one in (s, late):
        one.close()


def test_an_edged_that_says_nothing_counts_as_away(box):
    s = reader(box)
    s.wait("the stream runs", lambda s: s.events("status"))
    box.lab.kill("box-edged", "SIGSTOP")
    try:
        s.wait("it is told", lambda s: s.events("link")[-1][2]["edged"] is False, 20)
        assert "said nothing" in s.events("link")[-1][2]["text"]
    finally:
        box.lab.kill("box-edged", "SIGCONT")
    s.wait("and that it speaks again", lambda s: s.events("link")[-1][2]["edged"], 10)
    s.close()


def test_who_does_not_read_is_cut_and_others_go_on(box):
    """Ten that never read over TLS, five over the unix socket, five that vanish."""
    request = ("GET /api/v1/stream HTTP/1.1\r\n"
               f"Host: {ADDRESS}:{PORT}\r\n"
               f"Authorization: Bearer {box.tokens['scrape']}\r\n\r\n").encode()
    deaf = [box.connect(window=2048) for _ in range(10)]
    for _ in range(5):
        sock = socket.socket(socket.AF_UNIX)
        sock.connect(box.socket)
        deaf.append(sock)
    for sock in deaf:
        sock.sendall(request)
    vanishing = [reader(box) for _ in range(5)]
    good = reader(box)
    for s in vanishing + [good]:
        s.wait("the stream runs", lambda s: s.events("status"))
    for s in vanishing:
        s.close()

    def cut():
        good.read()
        text = box.ask("/metrics", token=box.tokens["scrape"]).body.decode()
        found = {name: int(re.search(f"^{re.escape(name)} ([0-9]+)$", text, re.M).group(1))
                 for name in ("edged_web_readers", CUT)}
        return (found == {"edged_web_readers": 1, CUT: 5}, found)

    # once its buffers are full (tens of status messages) and it then takes nothing:
    # the kernel ends those of TCP, we those of the unix socket
    box.lab.wait_for("the deaf ones are cut", cut, 6 * STALL_S)
    n = len(good.events("status"))
    good.wait("the good one goes on", lambda s: len(s.events("status")) > n)
    assert not good.ended
    good.close()
    for sock in deaf:
        sock.close()


def test_nobody_looking_costs_nothing(box):
    s = reader(box)
    s.wait("the stream runs", lambda s: s.events("status"))
    s.close()
    box.lab.wait_for("the reader is gone", lambda: b"\nedged_web_readers 0\n" in box.ask(
        "/metrics", token=box.tokens["scrape"]).body, 40)

    def idle():
        began = box.cpu_s()
        time.sleep(1)
        used = box.cpu_s() - began
        return (used == 0, used)

    box.lab.wait_for("a second without work", idle, 15)


def test_metrics_are_prometheus_text(box):
    answer = box.ask("/metrics", token=box.tokens["scrape"])
    assert answer.status == 200
    assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    done = subprocess.run(["promtool", "check", "metrics"], input=answer.body,
                          capture_output=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    text = answer.body.decode()
    for name in ("edged_up 1", "edged_web_readers", "edged_path_up{", "edged_web_logins_total{"):
        assert "\n" + name in text, name
    names = [line.split()[2] for line in text.split("\n") if line.startswith("# TYPE")]
    assert len(names) == len(set(names))


def test_hup_reads_users_names_and_certificate_again(box):
    with open(box.edged.config, encoding="utf-8") as f:
        before = f.read()
    box.edged.configure(before + "  loopback: login\n")
    box.lab.kill("edge-webui", "SIGHUP")
    try:
        box.lab.wait_for("loopback speaks TLS", lambda: b"HTTP" not in box.raw(
            b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n", tls=False), 15)
        # a mistake changes nothing, and its place is logged
        box.edged.configure(before + "  loopback: sometimes\n")
        box.lab.kill("edge-webui", "SIGHUP")
        box.lab.wait_for("the mistake is logged",
                         lambda: "settings stay as they were" in box.log(), 10)
        assert "'sometimes' is not known" in box.log()
        assert box.ask("/").status == 200
        # edged takes a file: edge-webui hears of it, and shows another certificate
        pem = os.path.join(box.state, "other")
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                        "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=other", "-keyout",
                        pem + ".key", "-out", pem + ".crt"], check=True, capture_output=True)
        for name in (".key", ".crt"):
            os.chmod(pem + name, 0o640)
            os.chown(pem + name, *(os.stat(box.state).st_uid, os.stat(box.state).st_gid))
        box.edged.configure(before + f"  certificate: {pem}.crt\n  key: {pem}.key\n")
        box.edged.ctl("apply")

        def other():
            text = subprocess.run(["openssl", "s_client", "-connect", f"{ADDRESS}:{PORT}"],
                                  input="", text=True, capture_output=True, check=False,
                                  timeout=20).stdout
            return "CN = other" in text

        box.lab.wait_for("the new certificate is shown", other, 15)
    finally:
        box.edged.configure(before)
        box.lab.kill("edge-webui", "SIGHUP")
        box.lab.wait_for("as before", lambda: box.ask(
            "/api/v1/session", tls=False).status == 200, 15)
