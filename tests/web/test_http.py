# SPDX-License-Identifier: GPL-2.0-or-later
"""Hostile HTTP: parser, sizes, slow clients, Host and Origin, paths, TLS versions"""
import gzip
import os
import socket
import ssl
import time

import pytest

from box import ADDRESS, LOCAL_PORT, NAME, PORT
from lab import build_dir

CSP = ("default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
       "connect-src 'self'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'; "
       "require-trusted-types-for 'script'; trusted-types default")
SLOW_S = 10         # how long a request may take
HOST = f"Host: {ADDRESS}:{PORT}\r\n".encode()


def alive(box):
    """It answers, at once, to somebody who behaves."""
    began = time.monotonic_ns()
    assert box.ask("/", source=box.client()).status == 200
    assert box.since(began) < 2


def status_of(data):
    return int(data.split(b" ", 2)[1]) if data.startswith(b"HTTP/1.1 ") else 0


def test_every_answer_carries_the_strict_headers(box):
    for path, method in (("/", "GET"), ("/app.js", "GET"), ("/none", "GET"),
                         ("/api/v1/session", "GET"), ("/api/v1/status", "GET"),
                         ("/api/v1/nothing", "GET"), ("/metrics", "GET"),
                         ("/api/v1/login", "GET"), ("/", "DELETE")):
        answer = box.ask(path, method)
        names = [k for k, _ in answer.all]
        assert names.count("content-security-policy") == 1
        assert answer.headers["content-security-policy"] == CSP
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert answer.headers["cross-origin-opener-policy"] == "same-origin"
        assert answer.headers["cross-origin-resource-policy"] == "same-origin"
        assert answer.headers["cache-control"] in ("no-store", "no-cache")
        assert "server" not in names and "strict-transport-security" not in names


def test_files_come_from_the_table(box):
    page = box.ask("/")
    assert page.status == 200 and page.headers["content-type"].startswith("text/html")
    script = box.ask("/dygraph.min.js")
    assert script.status == 200
    assert script.headers["content-type"].startswith("text/javascript")
    again = box.ask("/dygraph.min.js", headers={"If-None-Match": script.headers["etag"]})
    assert again.status == 304 and not again.body
    other = box.ask("/dygraph.min.js", headers={"If-None-Match": '"other"'})
    assert other.status == 200 and other.body == script.body
    head = box.ask("/dygraph.min.js", "HEAD")
    assert head.status == 200 and not head.body
    assert int(head.headers["content-length"]) == len(script.body)
    assert box.ask("/", "POST").status == 405


def test_the_page_travels_packed(box):
    whole = packed = 0
    for name in os.listdir(os.path.join(build_dir(), "webui", "data")):
        plain = box.ask("/" + name)
        small = box.ask("/" + name, headers={"Accept-Encoding": "gzip, deflate, br"})
        assert plain.status == small.status == 200 and "content-encoding" not in plain.headers
        assert small.headers["content-encoding"] == "gzip"
        assert gzip.decompress(small.body) == plain.body, name
        assert plain.headers["vary"] == small.headers["vary"] == "Accept-Encoding"
        assert small.headers["etag"] != plain.headers["etag"]
        again = box.ask("/" + name, headers={"Accept-Encoding": "gzip",
                                             "If-None-Match": small.headers["etag"]})
        assert again.status == 304 and not again.body
        whole += len(plain.body)
        packed += len(small.body)
    print(f"the page has {whole} bytes, {packed} of them travel")
    assert packed < whole / 2


@pytest.mark.parametrize("target", [
    "/../../../../etc/passwd", "/..%2f..%2f..%2fetc%2fpasswd", "//etc/passwd",
    "/%2e%2e/%2e%2e/etc/passwd", "/..\\..\\etc\\passwd", "/index.html%00.png",
    "/index.html/", "/./index.html", "/static/index.html", "/index.html.gz", "/.htaccess",
    "/users", "/tls.key", "/../web-state/tls.key", "/%2fetc%2fpasswd", "/index.html%0d%0a",
    "/api/v1/../../etc/passwd", "/api/v1/%73tatus", "/api//v1/status", "/api/v1/status/",
    "/api/v1/peers/../restart", "/api/v1/peers/%2e%2e%2f/restart", "*", "/%", "/%zz"])
def test_no_path_reaches_the_file_system(box, target):
    data = box.raw(f"GET {target} HTTP/1.1\r\n".encode() + HOST + b"Connection: close\r\n\r\n")
    assert status_of(data) in (0, 400, 401, 404, 405)
    assert b"root:" not in data and b"PRIVATE" not in data


def test_hosts_that_are_not_ours_are_refused(box):
    for host in ("evil.example", "127.0.0.1", "10.42.0.2:8443", "edge.example.net.evil",
                 "localhost", "[::1]", "0.0.0.0"):
        for path in ("/", "/api/v1/session", "/metrics"):
            answer = box.ask(path, host=host)
            assert answer.status == 403 and answer.code() == "host"
    for host in ("", "a b", "edge.example.net:99999", "[::1", "x:y:z", "edge@evil",
                 "edge.example.net/x"):
        assert box.ask("/", headers={"Host": host}).status == 400
    for host in (NAME, NAME.upper() + ":1", NAME + ".", f"{ADDRESS}:{PORT}", ADDRESS, "branch"):
        assert box.ask("/", host=host).status == 200
    assert box.ask("/", tls=False, host=f"localhost:{LOCAL_PORT}").status == 200
    assert box.ask("/", tls=False, host="rebound.example").status == 403


def test_a_request_without_one_clear_host_is_refused(box):
    get = b"GET /api/v1/session HTTP/1.1\r\n"
    end = b"Connection: close\r\n\r\n"
    assert status_of(box.raw(get + end)) == 400
    assert status_of(box.raw(get + HOST + b"Host: evil.example\r\n" + end)) == 400
    assert status_of(box.raw(get + b"Host: evil.example\r\n" + HOST + end)) == 400
    assert status_of(box.raw(b"GET / HTTP/1.0\r\n\r\n")) == 400


def test_posts_of_other_pages_are_refused(box):
    cookie = box.session("alice")

    def post(**headers):
        return box.ask("/api/v1/uplinks/isp1", "POST", {"state": "up"}, cookie=cookie,
                       headers={k.replace("_", "-"): v for k, v in headers.items()})

    for origin in (None, "null", "https://evil.example", f"http://{ADDRESS}:{PORT}",
                   f"https://{ADDRESS}", f"https://{ADDRESS}:{PORT}.evil.example", "",
                   f"https://{ADDRESS}:{PORT}/"):
        answer = post(Origin=origin)
        assert (answer.status, answer.code()) == (403, "origin"), origin
    for kind in (None, "text/plain", "application/x-www-form-urlencoded",
                 "multipart/form-data; boundary=x", "application/json; charset=utf-7",
                 "text/plain; application/json", "application/jsonx"):
        answer = post(Content_Type=kind)
        assert (answer.status, answer.code()) == (415, "type"), kind
    for site in ("cross-site", "same-site", "other"):
        assert post(Sec_Fetch_Site=site).code() == "origin"
        assert box.ask("/api/v1/status", cookie=cookie,
                       headers={"Sec-Fetch-Site": site}).status == 403
    assert post(Sec_Fetch_Site="same-origin").status == 200
    assert post().status == 200


def test_a_login_by_another_page_is_refused(box):
    for headers in ({"Origin": "https://evil.example"}, {"Origin": None},
                    {"Sec-Fetch-Site": "cross-site"}, {"Content-Type": "text/plain"}):
        answer = box.login("alice", source=box.client(), headers=headers)
        assert answer.status in (403, 415) and "set-cookie" not in answer.headers


POST = b"POST /api/v1/login HTTP/1.1\r\n" + HOST
# what is sent, and how it may be answered; 0 is closed without a word
GARBAGE = {
    "bytes": (bytes(range(256)) * 4, (0, 400)),
    "zeros": (b"\0" * 4000, (0, 400)),
    "no version": (b"GET /\r\n\r\n", (0, 400, 505)),
    "a version of its own": (b"GET / HTTP/9.9\r\n" + HOST + b"\r\n", (0, 400, 505)),
    "long line": (b"GET /" + b"a" * 40000 + b" HTTP/1.1\r\n" + HOST + b"\r\n",
                  (0, 413, 414, 431)),
    "long header": (b"GET / HTTP/1.1\r\n" + HOST + b"X: " + b"a" * 20000 + b"\r\n\r\n",
                    (0, 413, 431)),
    "many headers": (b"GET / HTTP/1.1\r\n" + HOST + b"X: y\r\n" * 9000 + b"\r\n",
                     (0, 413, 431)),
    "big body": (POST + b"Content-Length: 8193\r\n\r\n" + b"x" * 8193, (413,)),
    "huge length": (POST + b"Content-Length: 99999999999999999999\r\n\r\n",
                    (0, 400, 413)),
    "negative length": (POST + b"Content-Length: -1\r\n\r\n", (0, 400)),
    "two lengths": (POST + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}x",
                    (0, 400)),
    "chunked": (POST + b"Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n", (411,)),
    "both": (POST + b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
             (0, 400, 411)),
}


@pytest.mark.parametrize("name", GARBAGE)
def test_garbage_is_refused_and_costs_nothing(box, name):
    sent, allowed = GARBAGE[name]
    with box.connect() as sock:
        try:
            sock.sendall(sent)
        except (ConnectionError, ssl.SSLError):
            pass
        try:
            sock.settimeout(SLOW_S * 2)
            data = sock.recv(65536)
        except (ConnectionError, ssl.SSLError):
            data = b""
    assert status_of(data) in allowed, data[:200]
    assert b"Set-Cookie" not in data
    alive(box)


SESSION = b"GET /api/v1/session HTTP/1.1\r\n" + HOST
# header lines that programs read differently: none may pass
UNCLEAR = {
    "a blank before the colon": b"Transfer-Encoding : chunked\r\n",
    "a tab before the colon": b"Content-Length\t: 5\r\n",
    "a blank in a name": b"X Y: z\r\n",
    "bytes in a name": b"X\xe9: z\r\n",
    "a bracket in a name": b"X(y): z\r\n",
    "a lone CR": b"X: y\rHost: evil.example\r\n",
    "a folded line": b"X: y\r\n Transfer-Encoding: chunked\r\n",
    "an escape": b"X: \x1b[2J\r\n",
    "no colon": b"Xyz\r\n",
    "a zero byte in a name": b"X\0Y: z\r\n",
}


@pytest.mark.parametrize("name", UNCLEAR)
def test_unclear_headers_are_refused(box, name):
    data = box.raw(SESSION + UNCLEAR[name] + b"Connection: close\r\n\r\n")
    assert status_of(data) == 400 and data.count(b"HTTP/1.1 ") == 1, data[:300]
    assert b'"user"' not in data


def test_what_follows_a_refused_body_is_no_request(box):
    token = f"Authorization: Bearer {box.tokens['robot']}\r\n".encode()
    post = (b"POST /api/v1/uplinks/isp1 HTTP/1.1\r\n" + HOST + token
            + b"Content-Type: application/json\r\n")
    for framing in (b"Content-Length: 9000\r\n", b"Transfer-Encoding: chunked\r\n",
                    b"Content-Length: 2\r\nContent-Length: 2\r\n",
                    b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n",
                    b"Content-Length: 2, 2\r\n", b"Content-Length: +2\r\n"):
        data = box.raw(post + framing + b"\r\n{}" + SESSION + token + b"\r\n")
        assert status_of(data) in (400, 411, 413) and b'"robot"' not in data, framing


def test_requests_sent_at_once_are_answered_at_once(box):
    n = 300
    began = time.monotonic()
    data = box.raw(SESSION + (b"\r\n" + SESSION) * (n - 1) + b"Connection: close\r\n\r\n")
    assert data.count(b"HTTP/1.1 200 ") == n
    assert time.monotonic() - began < n * 0.05


def test_bodies_that_are_no_objects_are_refused(box):
    token = box.tokens["robot"]
    for body in ("", "[]", "null", "7", '"x"', "{", '{"state":"up"} x', '{"state":1}',
                 '{"state":"sideways"}', '{"state":"up","more":1}', "{}",
                 '{"state":"up","state":"down"}', '{"state":"up\\u0000"}',
                 "[" * 4000, '{"state":' * 900, b'{"state":"\xff"}'):
        text = body if isinstance(body, bytes) else body.encode()
        data = box.raw(b"POST /api/v1/uplinks/isp1 HTTP/1.1\r\n" + HOST
                       + b"Authorization: Bearer " + token.encode()
                       + b"\r\nContent-Type: application/json\r\nConnection: close\r\n"
                       + f"Content-Length: {len(text)}\r\n\r\n".encode() + text)
        assert status_of(data) == 400, (body, data[-200:])
    assert box.ask("/api/v1/uplinks/isp1", "POST", {"state": "up"}, token=token).status == 200
    assert box.ask("/api/v1/uplinks/nowhere", "POST", {"state": "up"},
                   token=token).code() == "not_found"


def test_queries_are_checked(box):
    token = box.tokens["scrape"]
    for query in ("?x=1", "?limit=-1", "?limit=1e3", "?limit=", "?limit=1&limit=2",
                  "?kind=%zz", "?kind=%00", "?kind=%ff", "?limit", "?=1", "?kind=%0a",
                  "?since=99999999999999999999", "?" + "a=1&" * 40,
                  "?kind=" + "a" * 4000):
        answer = box.ask("/api/v1/events" + query, token=token)
        assert answer.status == 400 and answer.code() == "params", query
    answer = box.ask("/api/v1/events?limit=3&kind=daemon", token=token)
    assert answer.status == 200 and answer.json()["events"]


def ended(sock):
    """True once the other end has closed."""
    try:
        sock.settimeout(0)
        return sock.recv(4096) == b""
    except (BlockingIOError, ssl.SSLWantReadError):
        return False
    except OSError:
        return True


def test_slow_clients_are_cut_and_hinder_nobody(box):
    source = box.client()
    slow = []
    for begin in (b"", b"GET / HT", b"GET / HTTP/1.1\r\n" + HOST + b"X-Slow: ",
                  b"POST /api/v1/login HTTP/1.1\r\n" + HOST
                  + b"Content-Length: 4000\r\n\r\n{"):
        for _ in range(12):
            sock = box.connect(source)
            sock.sendall(begin)
            slow.append(sock)
    for _ in range(12):        # no TLS at all
        slow.append(socket.create_connection((ADDRESS, PORT), source_address=(source, 0)))
    began = time.monotonic()

    def trickle():
        for sock in slow:
            try:
                sock.settimeout(1)
                if isinstance(sock, ssl.SSLSocket):
                    sock.send(b"a")
            except OSError:
                pass
        alive(box)
        left = [s for s in slow if not ended(s)]
        return (not left, len(left))

    box.lab.wait_for("the slow ones are cut", trickle, SLOW_S + 5)
    assert time.monotonic() - began > SLOW_S / 2
    for sock in slow:
        sock.close()


def test_a_handshake_that_waits_costs_nothing(box):
    """As each one does while its packets travel; these never end."""
    held = []
    for _ in range(5):
        sock = socket.create_connection((ADDRESS, PORT), source_address=(box.client(), 0))
        sock.send(b"\x16\x03\x01")
        held.append(sock)
    began, cpu = time.monotonic(), box.cpu_s()
    while time.monotonic() - began < 4:
        time.sleep(0.2)
    used, took = box.cpu_s() - cpu, time.monotonic() - began
    assert used < 0.05 * took, (used, took)
    for sock in held:
        sock.close()


def test_one_address_cannot_take_all_connections(box):
    source = box.client()
    held = []
    for _ in range(400):
        try:
            held.append(socket.create_connection((ADDRESS, PORT), timeout=5,
                                                 source_address=(source, 0)))
        except OSError:
            break
    refused = 'edged_web_cut_total{reason="refused"} '

    def count():
        text = box.ask("/metrics", token=box.tokens["scrape"]).body.decode()
        n = int(text.split(refused)[1].split("\n")[0])
        return (n == len(held) - 128, n)

    box.lab.wait_for("those over the limit are closed", count, 8)
    alive(box)
    for sock in held:
        sock.close()


def test_unknown_connections_make_room_for_new_ones(box):
    cookie = box.session("victor")
    kept = box.connect(box.client())

    def still():
        """The connection of somebody who is logged in works on."""
        kept.sendall(b"GET /api/v1/session HTTP/1.1\r\n" + HOST
                     + f"Cookie: __Host-edged={cookie}\r\n\r\n".encode())
        data = b""
        while b"}" not in data:
            more = kept.recv(65536)
            assert more, "closed"
            data += more
        assert b'"victor"' in data

    still()
    held = []
    for _ in range(6):
        source = box.client()
        for _ in range(100):
            held.append(socket.create_connection((ADDRESS, PORT), timeout=5,
                                                 source_address=(source, 0)))
        alive(box)
    still()
    for sock in held:
        sock.close()


def test_only_new_tls_is_spoken(box):
    def handshake(low, high):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        context.set_ciphers("ALL:@SECLEVEL=0")
        context.minimum_version = low
        context.maximum_version = high
        with socket.create_connection((ADDRESS, PORT), timeout=10) as sock:
            with context.wrap_socket(sock) as tls:
                return tls.version()

    versions = ssl.TLSVersion
    for old in (versions.TLSv1, versions.TLSv1_1):
        with pytest.raises((ssl.SSLError, ConnectionError)):
            handshake(old, old)
    assert handshake(versions.TLSv1_2, versions.TLSv1_2) == "TLSv1.2"
    assert handshake(versions.TLSv1_2, versions.TLSv1_3) == "TLSv1.3"


def test_plain_http_is_no_way_in(box):
    data = b""
    with socket.create_connection((ADDRESS, PORT), timeout=15) as sock:
        sock.sendall(b"GET /api/v1/status HTTP/1.1\r\n" + HOST + b"\r\n")
        try:
            data = sock.recv(4096)
        except ConnectionError:
            pass
    assert b"HTTP/1.1 200" not in data
    alive(box)
