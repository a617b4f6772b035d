# SPDX-License-Identifier: GPL-2.0-or-later
"""Who may what: passwords, cookies, tokens, roles, and what is never told"""
import json
import os
import subprocess
import threading
import time

import pytest

from box import ADDRESS, COOKIE, PASSWORDS, PORT, Stream, UnixConnection, uid

FREE_TRIES = 5
WAIT_S = 1          # the first wait, after the free ones


def who(box, **more):
    return box.ask("/api/v1/session", **more).json()


def test_nobody_sees_anything_without_a_login(box):
    for path in ("status", "uplinks", "peers", "paths", "classes", "routes", "ike", "events",
                 "history?path=hub/isp1", "why?address=10.1.0.1", "stream"):
        answer = box.ask("/api/v1/" + path)
        assert (answer.status, answer.code()) == (401, "login"), path
    assert box.ask("/metrics").status == 401
    for path in ("uplinks/isp1", "peers/hub/restart", "peers/hub/rekey"):
        assert box.ask("/api/v1/" + path, "POST", {"state": "down"}).status == 401
    assert who(box) == {"user": None, "role": None, "via": None, "expires": None}


def test_a_login_makes_a_strict_cookie(box):
    answer = box.login("alice", source=box.client())
    assert answer.status == 200
    assert answer.json()["user"] == "alice" and answer.json()["role"] == "operator"
    attributes = answer.headers["set-cookie"].split("; ")
    assert attributes[0].startswith(COOKIE + "=")
    assert len(answer.cookie()) == 32
    assert set(attributes[1:]) == {"Path=/", "Secure", "HttpOnly", "SameSite=Strict",
                                   "Max-Age=43200"}
    session = who(box, cookie=answer.cookie())
    assert (session["user"], session["via"]) == ("alice", "session")
    assert abs(session["expires"] - time.time() - 12 * 3600) < 60
    assert box.ask("/api/v1/status", cookie=answer.cookie()).status == 200
    assert box.session("alice") != box.session("alice")


def test_wrong_names_and_passwords_are_refused(box):
    for user, word in (("alice", "wrong password"), ("nobody", PASSWORDS["alice"]),
                       ("alice", ""), ("", PASSWORDS["alice"]), ("alice\0", "x" * 10),
                       ("scrape", box.tokens["scrape"]), ("alice", "x" * 400),
                       ("alice", PASSWORDS["victor"]), ("alice", PASSWORDS["alice"] + " "),
                       ("Alice", PASSWORDS["alice"]), ("alice:operator", "x" * 10)):
        answer = box.login(user, word or " ", source=box.client())
        assert answer.status in (400, 401) and "set-cookie" not in answer.headers, user


def test_forged_and_old_cookies_are_nobody(box):
    cookie = box.session("alice")
    flipped = cookie[:-1] + ("0" if cookie[-1] != "0" else "1")
    for forged in (flipped, cookie[:-1], cookie + "0", "0" * 32, "a", "x" * 200,
                   cookie.upper(), "../" + cookie, cookie + "%00"):
        assert who(box, cookie=forged)["user"] is None, forged
    two = {"Cookie": f"{COOKIE}={cookie}; {COOKIE}={cookie}"}
    assert who(box, headers=two)["user"] is None
    assert who(box, headers={"Cookie": f"edged={cookie}"})["user"] is None
    assert who(box, headers={"Cookie": f"x=1; {COOKIE}={cookie}; y"})["user"] == "alice"
    assert box.ask("/api/v1/logout", "POST", cookie=cookie).status == 200
    assert who(box, cookie=cookie)["user"] is None
    assert box.ask("/api/v1/status", cookie=cookie).status == 401


def test_a_session_is_its_users_own(box):
    alice = box.session("alice")
    victor = box.session("victor")
    assert box.ask("/api/v1/logout", "POST", cookie=victor).status == 200
    assert who(box, cookie=alice)["user"] == "alice"
    answer = box.ask("/api/v1/uplinks/isp1", "POST", {"state": "up"}, cookie=alice)
    assert answer.status == 200
    # a name in the body does not make somebody else of one
    answer = box.ask("/api/v1/uplinks/isp1", "POST", {"state": "up", "by": "victor"},
                     cookie=alice)
    assert answer.status == 400


def test_a_planted_cookie_is_worth_nothing(box):
    planted = "a" * 32
    answer = box.login("alice", source=box.client(), cookie=planted)
    assert answer.status == 200 and answer.cookie() != planted
    assert who(box, cookie=planted)["user"] is None
    # and a login ends the session it replaces
    again = box.login("alice", source=box.client(), cookie=answer.cookie())
    assert who(box, cookie=answer.cookie())["user"] is None
    assert who(box, cookie=again.cookie())["user"] == "alice"


def test_a_viewer_changes_nothing(box):
    cookie = box.session("victor")
    for path, body in (("uplinks/isp1", {"state": "down"}), ("peers/hub/restart", {}),
                       ("peers/hub/rekey", {})):
        for how in ({"cookie": cookie}, {"token": box.tokens["scrape"]}):
            answer = box.ask("/api/v1/" + path, "POST", body, **how)
            assert (answer.status, answer.code()) == (403, "role"), path
    uplinks = box.ask("/api/v1/uplinks", cookie=cookie).json()["uplinks"]
    assert [u["stopped"] for u in uplinks] == [False]


def test_an_operators_order_says_who_gave_it(box):
    cookie = box.session("alice")
    since = int(time.time()) - 1
    for state in ("down", "up"):
        answer = box.ask("/api/v1/uplinks/isp1", "POST", {"state": state}, cookie=cookie)
        assert answer.status == 200, answer.body
        rows = box.ask("/api/v1/uplinks", cookie=cookie).json()["uplinks"]
        assert rows[0]["stopped"] == (state == "down")

    def told():
        events = box.ask(f"/api/v1/events?since={since}&kind=uplink",
                         cookie=cookie).json()["events"]
        return (len([e for e in events if "alice" in e["reason"]]) >= 2, events)

    box.lab.wait_for("both events name alice", told, 20)
    assert box.ask("/api/v1/peers/hub/restart", "POST", token=box.tokens["robot"]).status \
        in (200, 409, 500)


def test_tokens_are_checked(box):
    good = box.tokens["scrape"]
    assert who(box, token=good) == {"user": "scrape", "role": "viewer", "via": "token",
                                    "expires": None}
    cookie = box.session("alice")
    for bad in (good[:-1], good + "0", good.upper(), "edw_" + "0" * 64, "x", "a b",
                box.lines["scrape"].split("=")[1]):
        # a wrong token is no login, whatever cookie comes along
        answer = box.ask("/api/v1/status", token=bad, cookie=cookie)
        assert (answer.status, answer.code()) == (401, "token"), bad
    for header in ("Basic YWxpY2U6eA==", "Bearer", "", f"Token {good}"):
        answer = box.ask("/api/v1/status", headers={"Authorization": header})
        assert answer.status == 401, header


def test_a_changed_users_file_ends_sessions_and_tokens(box):
    kept = box.session("alice")
    gone = box.session("victor")
    stream = Stream(box, cookie=gone)
    stream.wait("the stream runs", lambda s: s.events("status"))
    by_token = Stream(box, token=box.tokens["scrape"])
    by_token.wait("the stream runs", lambda s: s.events("status"))
    box.write_users(without=("victor", "scrape"))
    try:
        box.lab.wait_for("victor is nobody",
                         lambda: who(box, cookie=gone)["user"] is None, 5)
        box.lab.wait_for("the token is none", lambda: box.ask(
            "/api/v1/status", token=box.tokens["scrape"]).status == 401, 5)
        assert who(box, cookie=kept)["user"] == "alice"
        for s in (stream, by_token):
            s.wait("the stream ends", lambda s: s.ended, 15)
        # another password: the old sessions end
        box.write_users(without=("victor",),
                        alice=box.lines["victor"].replace("victor:viewer", "alice:operator"))
        box.lab.wait_for("alice has to log in again",
                         lambda: who(box, cookie=kept)["user"] is None, 5)
        # a file that others may read is not used
        os.chmod(box.users, 0o644)
        box.lab.wait_for("nobody may", lambda: box.login(
            "alice", PASSWORDS["victor"], source=box.client()).status == 401, 10)
        assert "chmod 600" in box.log()
    finally:
        box.write_users()
        box.lab.wait_for("the users are back", lambda: box.ask(
            "/api/v1/status", token=box.tokens["scrape"]).status == 200, 10)


def test_log_out_ends_the_streams_of_the_session(box):
    cookie = box.session("alice")
    other = box.session("alice")
    mine = [Stream(box, cookie=cookie) for _ in range(3)]
    theirs = Stream(box, cookie=other)
    for s in mine + [theirs]:
        s.wait("the stream runs", lambda s: s.events("status"))
    assert box.ask("/api/v1/logout", "POST", cookie=cookie).status == 200
    for s in mine:
        s.wait("the stream says bye and ends", lambda s: s.ended, 5)
    theirs.wait("the other one goes on",
                lambda s, n=len(theirs.events()): len(s.events()) > n)
    assert not theirs.ended
    theirs.close()
    assert Stream(box, cookie=cookie).wait("refused", lambda s: s.status() == 401)


def test_failed_logins_make_an_address_wait(box):
    for _ in range(5):
        source = box.client()
        for _ in range(FREE_TRIES):
            began = time.monotonic()
            assert box.login("alice", "wrong password", source=source).status == 401
        answer = box.login("alice", source=source)
        if time.monotonic() - began < WAIT_S:
            break           # else the wait may have been over by then: void
    assert (answer.status, answer.code()) == (429, "wait")
    assert int(answer.headers["retry-after"]) >= 1
    # others may, and after the wait this one too
    assert box.login("alice", source=box.client()).status == 200
    box.lab.wait_for("the wait is over",
                     lambda: box.login("alice", source=source).status == 200, 5)


def test_a_flood_of_logins_costs_little(box):
    """60 addresses at once: one after the other, a bounded part of a core, nobody waits."""
    answers = []

    def attack(source):
        answers.append(box.login("alice", "wrong password", source=source).status)

    box.session("victor")
    began, cpu = time.monotonic(), box.cpu_s()
    threads = [threading.Thread(target=attack, args=(box.client(),)) for _ in range(60)]
    for t in threads:
        t.start()
    worst = 0
    while any(t.is_alive() for t in threads):
        start = time.monotonic_ns()
        assert box.ask("/api/v1/session", token=box.tokens["scrape"]).status == 200
        worst = max(worst, box.since(start))
    for t in threads:
        t.join()
    took, used = time.monotonic() - began, box.cpu_s() - cpu
    # no more were hashed than the burst, the queue and the rate let through
    hashed = answers.count(401)
    assert set(answers) <= {401, 503}
    assert hashed <= 8 + 16 + 1 + took * 4, (hashed, took)
    assert worst < 2 and used < 0.9 * took + 2, (worst, used, took)


def test_one_address_has_one_login_in_work(box):
    """Tries sent at once are no more tries than those sent one after the other."""
    source = box.client()
    body = json.dumps({"user": "alice", "password": "wrong password"})
    socks = [box.connect(source) for _ in range(24)]
    began = time.monotonic()
    for sock in socks:
        sock.sendall((f"POST /api/v1/login HTTP/1.1\r\nHost: {ADDRESS}:{PORT}\r\n"
                      f"Origin: https://{ADDRESS}:{PORT}\r\nContent-Type: application/json\r\n"
                      f"Connection: close\r\nContent-Length: {len(body)}\r\n\r\n{body}").encode())
    answers = [int(sock.recv(65536).split(b" ", 2)[1]) for sock in socks]
    took = time.monotonic() - began
    for sock in socks:
        sock.close()
    assert set(answers) <= {401, 429, 503}
    # after the free ones a wait of a second and more each
    assert answers.count(401) <= FREE_TRIES + took, (answers, took)


def test_on_loopback_everybody_of_the_box_may_look(box):
    assert who(box, tls=False) == {"user": None, "role": "viewer", "via": "local",
                                   "expires": None}
    assert box.ask("/api/v1/status", tls=False).status == 200
    assert box.ask("/metrics", tls=False).status == 200
    answer = box.ask("/api/v1/uplinks/isp1", "POST", {"state": "down"}, tls=False)
    assert (answer.status, answer.code()) == (403, "role")
    # a proxy on the box speaks for others
    for header in ("X-Forwarded-For", "Forwarded", "Via", "X-Real-IP", "X-Forwarded-Host"):
        answer = box.ask("/api/v1/status", tls=False, headers={header: "203.0.113.77"})
        assert answer.status == 401, header


def test_the_unix_socket_asks_the_kernel(box):
    assert who(box, unix=True) == {"user": "root", "role": "operator", "via": "unix",
                                   "expires": None}
    answer = box.ask("/api/v1/uplinks/isp1", "POST", {"state": "up"}, unix=True)
    assert answer.status == 200
    # somebody who may not use edged's control socket may not look here either
    child = os.fork()
    if child == 0:
        os.setgroups([])
        os.setgid(65534)
        os.setuid(65534)
        conn = UnixConnection(box.socket)
        conn.request("GET", "/api/v1/status")
        os._exit(0 if conn.getresponse().status == 401 else 1)
    assert os.waitpid(child, 0)[1] == 0


def test_it_has_no_rights_and_leaves_no_core(box):
    pid = box.pid()
    with open(f"/proc/{pid}/status", encoding="ascii") as f:
        status = dict(line.rstrip("\n").split(":\t", 1) for line in f if ":\t" in line)
    assert status["Uid"].split() == [str(uid("edged-web"))] * 4
    assert int(status["CapPrm"], 16) == int(status["CapEff"], 16) == 0
    assert status["NoNewPrivs"] == "1"
    with open(f"/proc/{pid}/limits", encoding="ascii") as f:
        core = next(line for line in f if line.startswith("Max core file size"))
    assert core.split()[4:6] == ["0", "0"]
    if not os.environ.get("ED_SANITIZERS"):
        assert os.stat(f"/proc/{pid}/mem").st_uid == 0         # not dumpable


def test_no_secret_is_told(box):
    cookie = box.session("alice")
    box.ask("/api/v1/status", token=box.tokens["scrape"])
    box.login("alice", "a wrong one 12345", source=box.client())
    box.ask("/api/v1/session", cookie="f" * 32)
    told = box.log()
    with open(f"/proc/{box.pid()}/cmdline", "rb") as f:
        told += f.read().decode()
    with open(f"/proc/{box.pid()}/environ", "rb") as f:
        told += f.read().decode(errors="replace")
    for name in ("status", "peers", "ike", "events", "uplinks", "classes", "session"):
        told += box.ask("/api/v1/" + name, cookie=cookie).body.decode()
    told += box.ask("/metrics", cookie=cookie).body.decode()
    for secret in (*PASSWORDS.values(), *box.tokens.values(), cookie, "a wrong one 12345",
                   "a secret of the tests", "f" * 32,
                   *(line.split(":", 2)[2] for line in box.lines.values())):
        assert secret not in told, secret
    for name in ("tls.key", "users", "web.json"):
        assert os.stat(os.path.join(box.state, name)).st_mode & 0o077 == 0, name


def test_the_certificate_is_the_one_edgectl_tells(box):
    text = subprocess.run(
        ["openssl", "s_client", "-connect", f"{ADDRESS}:8443"], input="", text=True,
        capture_output=True, check=False, timeout=20).stdout
    shown = subprocess.run(["openssl", "x509", "-noout", "-fingerprint", "-sha256", "-text"],
                           input=text, text=True, capture_output=True, check=True).stdout
    with open(os.path.join(box.state, "web.json"), encoding="utf-8") as f:
        report = json.load(f)
    assert report["certificate"]["sha256"] in shown.split("\n")[0]
    assert report["certificate"]["own"] is True
    for part in ("NIST CURVE: P-256", f"IP Address:{ADDRESS}", "DNS:edge.example.net",
                 "DNS:branch", "CA:FALSE", "TLS Web Server Authentication"):
        assert part in shown, part
    assert f"https://{ADDRESS}:8443" in report["listen"]


@pytest.mark.parametrize("path", ["status", "uplinks", "peers", "paths", "classes", "routes",
                                  "ike", "events", "why?address=10.1.0.1&dscp=EF"])
def test_the_api_answers_as_the_control_socket(box, path):
    answer = box.ask("/api/v1/" + path, token=box.tokens["scrape"])
    assert answer.status == 200, answer.body
    assert answer.headers["content-type"] == "application/json"
    assert answer.json()["schema"] == 1
    assert box.ask("/api/v1/" + path, "POST", token=box.tokens["robot"]).status == 405
