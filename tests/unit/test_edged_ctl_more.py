#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""
edgectl beyond asking: the first configuration, health for monitoring systems, history as
sparklines, metrics, users of the dashboard, the schema for editors, completion in bash.
"""
import copy
import glob
import hashlib
import json
import os
import re
import resource
import stat
import subprocess
import sys
import time

import jsonschema
import yaml

sys.dont_write_bytecode = True
from ctlbench import (ANSWERS, BUILD, EDGECTL, LIMIT, TOP, expect, in_terminal,  # noqa: E402
                      main, run, same)

COMPLETION = os.path.join(TOP, "packaging/completion/edgectl")


def path_in(b, *names):
    return os.path.join(b.run, *names)


def read(path):
    with open(path, encoding="utf-8") as f:
        return f.read()


# init


def init(b, *args, **kw):
    kw.setdefault("stdin", subprocess.DEVNULL)
    return b.ctl("--config", path_in(b, "new/edged.yaml"), "init", *args, **kw)


FLAGS = ["--name", "branch-042", "--uplinks", "isp1=eth0,lte=wwan0", "--lan", "10.42.0.0/24",
         "--peer", "hub=198.51.100.1", "--networks", "10.0.0.0/8"]


def feed(b, text, *args):
    source = path_in(b, "answers")
    with open(source, "w", encoding="utf-8") as f:
        f.write(text)
    with open(source, encoding="utf-8") as f:
        return init(b, *args, stdin=f)


def test_init_writes_the_smallest_configuration_from_options(b):
    p = init(b, *FLAGS)
    expect(p, 0, out="are written")
    text = read(path_in(b, "new/edged.yaml"))
    same("init", text)
    expect(b.ctl("check", path_in(b, "new/edged.yaml")), 0)
    secret = yaml.safe_load(read(path_in(b, "new/secrets.yaml")))["hub"]
    assert re.fullmatch(r"[A-Za-z0-9]{32}", secret) and secret not in p.stdout + p.stderr
    assert stat.S_IMODE(os.stat(path_in(b, "new/secrets.yaml")).st_mode) == 0o600
    assert stat.S_IMODE(os.stat(path_in(b, "new")).st_mode) & 0o027 == 0
    assert sorted(os.listdir(path_in(b, "new"))) == ["edged.yaml", "secrets.yaml"]


def test_init_asks_for_what_no_option_says(b):
    p = feed(b, "site-1\nisp1=eth9\n10.9.0.0/24, fd09::/64\nhub=hub.example.net\n\na \"secret\\\n")
    expect(p, 0)
    made = yaml.safe_load(read(path_in(b, "new/edged.yaml")))
    assert made == {"name": "site-1", "lan": ["10.9.0.0/24", "fd09::/64"],
                    "uplinks": {"isp1": {"interface": "eth9"}},
                    "peers": {"hub": {"address": "hub.example.net",
                                      "networks": ["10.0.0.0/8"]}}}, made
    assert yaml.safe_load(read(path_in(b, "new/secrets.yaml"))) == {"hub": 'a "secret\\'}


def test_init_makes_a_hub_of_a_peer_without_a_host(b):
    p = feed(b, "s3cret-of-both\n", "--name", "hub", "--uplinks", "wan=eth0", "--lan", "10.0.0.0/8",
             "--peer", "branch-042", "--networks", "10.42.0.0/24", "--inside", "100.96.0.0/16")
    expect(p, 0)
    expect(b.ctl("check", path_in(b, "new/edged.yaml")), 0)
    made = yaml.safe_load(read(path_in(b, "new/edged.yaml")))
    assert made["inside"] == ["100.96.0.0/16"] and "address" not in made["peers"]["branch-042"]


def test_init_never_overwrites_and_writes_nothing_wrong(b):
    expect(init(b, *FLAGS), 0)
    for name in ("edged.yaml", "secrets.yaml"):
        before = read(path_in(b, "new", name))
        expect(init(b, *FLAGS), 1, err="is there already")
        assert read(path_in(b, "new", name)) == before
        os.unlink(path_in(b, "new/edged.yaml"))
        with open(path_in(b, "new/edged.yaml"), "w", encoding="utf-8") as f:
            f.write("mine\n")
        expect(init(b, *FLAGS), 1, err="is there already")
        assert read(path_in(b, "new/edged.yaml")) == "mine\n"
    os.unlink(path_in(b, "new/edged.yaml"))
    os.unlink(path_in(b, "new/secrets.yaml"))
    for option, value, why in (("--lan", "10.42.0.1", "is not a prefix"),
                               ("--uplinks", "eth0", "NAME=INTERFACE"),
                               ("--peer", "hub=a b", "NAME=HOST"),
                               ("--name", "a/b", "cannot be a name")):
        flags = list(FLAGS)
        flags[flags.index(option) + 1] = value
        expect(init(b, *flags), 2, err=why)
    flags = list(FLAGS)
    flags[flags.index("--peer") + 1] = "hub=198.51.100.512"
    p = init(b, *flags)
    assert p.returncode == 4 and "nothing was written" in p.stderr, p
    assert os.listdir(path_in(b, "new")) == []
    assert not os.path.exists(path_in(b, "none"))


def test_init_on_a_terminal_asks_again_and_shows_no_secret(b):
    answers = [(b"Name of this site", b"br\x7f\x7fbranch\n"),
               (b"connections", b"nonsense\n"), (b"connections", b"isp1=eth0\n"),
               (b"behind this box", b"\n"), (b"The other end", b"hub=192.0.2.1\n"),
               (b"behind the other end", b"\n"), (b"make one): ", b"kept-to-myself\n")]
    status, seen = in_terminal(b, ["--config", path_in(b, "new/edged.yaml"), "init"], answers)
    assert status == 0, seen
    assert "NAME=INTERFACE" in seen and "kept-to-myself" not in seen, seen
    assert "kept-to-myself" in read(path_in(b, "new/secrets.yaml"))


# health


def test_health_is_one_line_and_a_status_of_plugins(b):
    answer = copy.deepcopy(ANSWERS["status.get"])
    try:
        for change, status, word in (({}, 1, "WARNING"),
                                     ({"state": "ok", "helper_connected": True}, 0, "OK"),
                                     ({"state": "ok", "helper_connected": False}, 1, "WARNING"),
                                     ({"state": "ok", "helper_connected": True, "attention":
                                       [{"text": "loss | 2 %\nover"}]}, 1, "WARNING"),
                                     ({"state": "down"}, 2, "CRITICAL")):
            ANSWERS["status.get"] = dict(answer, **change)
            p = b.ctl("health")
            assert p.returncode == status and p.stderr == "", p
            assert p.stdout.startswith(f"EDGED {word} - ") and p.stdout.count("\n") == 1, p
            assert p.stdout.count("|") == 1, p.stdout
            said = json.loads(b.ctl("health", "-j").stdout)
            assert said["code"] == status and said["status"] == word
    finally:
        ANSWERS["status.get"] = answer
    same("health", b.ctl("health").stdout)
    for figure in b.ctl("health").stdout.split("|")[1].strip().split("' "):
        assert re.search(r"=[0-9.]+(ms|%|;;;0;\d+)?$", figure.split(" '")[0]), figure


def test_health_without_a_daemon_is_critical(b):
    p = run([EDGECTL, "--run", path_in(b, "nowhere"), "health"])
    assert p.returncode == 2 and p.stderr == "", p
    assert p.stdout.startswith("EDGED CRITICAL - ") and p.stdout.count("\n") == 1, p
    b.daemon.silent = True
    assert b.ctl("health", "--wait", "1").returncode == 2


def test_health_that_could_not_be_asked_is_unknown(b):
    b.daemon.errors["status.get"] = {"code": -32003, "message": "not permitted"}
    p = b.ctl("health")
    assert p.returncode == 3 and p.stderr == "", p
    assert p.stdout == "EDGED UNKNOWN - not permitted\n", p


# history


HISTORY = {
    "schema": 1, "path": "hub/isp1", "since": 1764000000, "until": 1764006000, "step_s": 100,
    "tier_s": 60,
    "columns": ["t", "p50_ms", "p95_ms", "min_ms", "max_ms", "jitter_ms", "jitter_max_ms", "lost",
                "sent", "up"],
    "rows": [[1764000000 + 100 * i, 20 + i, 22 + 2 * i, 19, 99, 1, 2, i // 30, 1000, 1.0]
             for i in range(60) if not 20 <= i < 30],
    "limits": {}, "moves": [{"id": 1, "time": 1764003000.5, "peer": "hub", "class": "voice",
                             "from": "hub/isp2", "to": "hub/isp1",
                             "reason": "voice moves from isp2 to isp1: loss 2.4 % of 1 %"}],
    "moves_left_out": 0}
HISTORY["rows"][-1][1] = HISTORY["rows"][-1][2] = None


def test_history_is_drawn_with_its_gaps(b):
    ANSWERS["paths.history"] = HISTORY
    p = b.ctl("history", "hub/isp1", "--utc")
    expect(p, 0)
    same("history", p.stdout)
    lines = p.stdout.splitlines()
    assert lines[1][:4] == "p50 " and " " * 10 in lines[1][30:] and "\u2588" in lines[2]
    assert json.loads(b.ctl("history", "hub/isp1", "-j").stdout) == HISTORY
    method, params = b.daemon.asked[0]
    assert method == "paths.history" and params["path"] == "hub/isp1" and params["points"] == 60
    assert params["until"] - params["since"] == 86400
    p = b.ctl("history", "hub/isp1", "--since", "7d")
    assert b.daemon.asked[-1][1]["until"] - b.daemon.asked[-1][1]["since"] == 7 * 86400
    p = b.ctl("history", "hub/isp1", "--utc", env={"LC_ALL": "C"})
    assert p.stdout.isascii(), p.stdout


def test_history_of_nothing_and_nonsense(b):
    ANSWERS["paths.history"] = dict(HISTORY, rows=[], moves=[])
    p = b.ctl("history", "hub/isp1")
    assert p.returncode == 0 and p.stdout.count("not measured") == 3, p.stdout
    for odd in ({"step_s": 0}, {"since": None}, {"columns": []}, {"until": 1e300}):
        ANSWERS["paths.history"] = dict(HISTORY, **odd)
        expect(b.ctl("history", "hub/isp1"), 1, err="not understood")
    expect(b.ctl("history", "hub/isp1", "--since", "yore"), 2, err="--since")
    expect(b.ctl("history"), 2, err="usage")


# metrics


def test_metrics_are_what_prometheus_reads(b):
    ANSWERS["metrics.get"] = {"schema": 1, "families": [
        {"name": "edged_path_up", "type": "gauge", "help": "Whether it carries.",
         "samples": [{"labels": {"tunnel": "hub/isp1"}, "value": 1}]}]}
    expect(b.ctl("metrics"), 0)
    assert b.ctl("metrics").stdout == ("# HELP edged_path_up Whether it carries.\n"
                                       "# TYPE edged_path_up gauge\n"
                                       "edged_path_up{tunnel=\"hub/isp1\"} 1\n")
    assert json.loads(b.ctl("metrics", "-j").stdout) == ANSWERS["metrics.get"]
    ANSWERS["metrics.get"] = {"families": [{"name": "a b"}]}
    expect(b.ctl("metrics"), 1, err="not understood")


# web


def web(b, *args, text=None):
    return b.ctl("--state", path_in(b, "web"), "web", *args, **({"input": text} if text else
                                                               {"stdin": subprocess.DEVNULL}))


def test_passwords_come_from_standard_input_and_are_hashed(b):
    os.mkdir(path_in(b, "web"), 0o700)
    expect(web(b, "password", "alice", text="correct horse\n"), 0, out="alice may log in")
    expect(web(b, "password", "bob", "--role", "viewer", text="battery staple\n"), 0)
    users = read(path_in(b, "web/users"))
    assert "alice:operator:$y$" in users and "bob:viewer:$y$" in users, users
    assert "correct horse" not in users
    assert stat.S_IMODE(os.stat(path_in(b, "web/users")).st_mode) == 0o600
    assert json.loads(web(b, "user", "list", "-j").stdout)["users"] == [
        {"name": "alice", "role": "operator"}, {"name": "bob", "role": "viewer"}]
    assert "bob    viewer" in web(b, "user", "list").stdout
    old = users
    expect(web(b, "password", "alice", text="another one\n"), 0, out="has a new password")
    assert old.splitlines() != read(path_in(b, "web/users")).splitlines()
    expect(web(b, "user", "remove", "bob"), 0)
    expect(web(b, "user", "remove", "bob"), 1, err="no user 'bob'")
    for text, why in (("short\n", ""), ("x" * 300 + "\n", "")):
        p = web(b, "password", "alice", text=text)
        assert p.returncode == 2 and p.stderr.count("\n") == 1, (p, why)
    expect(web(b, "password", "alice"), 2, err="no password")
    p = b.ctl("--state", path_in(b, "no-web"), "web", "password", "alice", input="long enough\n")
    expect(p, 1, err="edge-webui makes it when it first starts")
    expect(web(b, "password", "a b", text="long enough\n"), 2, err="cannot be a user")
    expect(web(b, "password", "alice", "--role", "king", text="long enough\n"), 2, err="--role")


def test_a_token_is_shown_once_and_kept_as_a_hash(b):
    os.mkdir(path_in(b, "web"), 0o700)
    p = web(b, "token", "add", "grafana")
    assert p.returncode == 0 and p.stdout.count("\n") == 1 and "shown once" in p.stderr, p
    token = p.stdout.strip()
    users = read(path_in(b, "web/users"))
    assert token not in users and "grafana:viewer:" in users
    assert hashlib.sha256(token.encode()).hexdigest() in users, users
    expect(web(b, "token", "add", "grafana"), 1)
    expect(web(b, "user", "remove", "grafana"), 1, err="no user 'grafana'")
    assert "grafana" in web(b, "token", "list").stdout
    expect(web(b, "token", "remove", "grafana"), 0)
    assert web(b, "token", "list").stdout == ""
    expect(web(b, "token", "add"), 2, err="usage")
    expect(web(b, "token", "list", "--role", "viewer"), 2, err="usage")


def test_no_core_file_holds_a_password(b):
    os.mkdir(path_in(b, "web"), 0o700)
    hard = resource.getrlimit(resource.RLIMIT_CORE)[1]
    p = subprocess.Popen([EDGECTL, "--state", path_in(b, "web"), "web", "password", "alice"],
                         stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                         preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_CORE, (hard, hard)))
    end = time.monotonic() + LIMIT
    while resource.prlimit(p.pid, resource.RLIMIT_CORE) != (0, 0):
        assert p.poll() is None and time.monotonic() < end
        time.sleep(0.01)
    out, _ = p.communicate(b"correct horse\n", timeout=LIMIT)
    assert p.returncode == 0 and b"alice" in out


def test_a_password_typed_on_a_terminal_is_not_shown(b):
    os.mkdir(path_in(b, "web"), 0o700)
    args = ["--state", path_in(b, "web"), "web", "password", "carol"]
    status, seen = in_terminal(b, args, [(b"New password: ", b"not to be seen\n"),
                                         (b"same again: ", b"not to be seen\n")])
    assert status == 0 and "not to be seen" not in seen, seen
    status, seen = in_terminal(b, args, [(b"New password: ", b"not to be seen\n"),
                                         (b"same again: ", b"nor this one\n")])
    assert status == 2 and "differ" in seen, seen
    status, seen = in_terminal(b, args, [(b"New password: ", b"\x03")])
    assert status == 2, seen


def test_web_tells_addresses_and_fingerprint(b):
    os.mkdir(path_in(b, "web"), 0o700)
    expect(web(b), 1, err="not been started")
    said = {"schema": 1, "pid": 1, "started": 1764000000, "listen": ["https://10.42.0.1:8443"],
            "certificate": {"own": True, "path": "/x", "sha256": "AA:BB", "names": [],
                            "not_after": 1864000000}}
    with open(path_in(b, "web/web.json"), "w", encoding="utf-8") as f:
        json.dump(said, f)
    p = web(b)
    expect(p, 0, out="https://10.42.0.1:8443\n")
    assert "SHA-256 AA:BB" in p.stdout and "2029-01-25" in p.stdout, p.stdout
    assert json.loads(web(b, "-j").stdout) == said


# schema


def installed_schema():
    return json.loads(read(os.path.join(TOP, "conf/edged.schema.json")))


def test_the_schema_file_is_what_the_program_says(b):
    now = b.ctl("schema").stdout
    if os.environ.get("ED_GOLDEN"):
        with open(os.path.join(TOP, "conf/edged.schema.json"), "w", encoding="utf-8") as f:
            f.write(now)
    assert read(os.path.join(TOP, "conf/edged.schema.json")) == now, \
        "conf/edged.schema.json: ED_GOLDEN=write rewrites it"
    jsonschema.Draft202012Validator.check_schema(json.loads(now))


def good_files(b):
    """Every configuration of the tree that edgectl check takes."""
    texts = [read(os.path.join(TOP, "conf/edged.yaml.example"))]
    for page in ("README.md", "edged/edged.yaml.5"):
        text = read(os.path.join(TOP, page))
        texts += re.findall(r"```yaml\n(.*?)```|\.Bd -literal -offset indent\n(.*?)\.Ed", text, re.S)
    names = [n for n in glob.glob(os.path.join(TOP, "tests/golden/config/*.in"))
             if re.search(r"/(sample|names_good|type)_?[a-z]*\.in$", n)]
    texts += [read(n).split("\n=== ")[0] + "\n" for n in names]
    good = []
    for text in ("".join(t) for t in texts):
        path = path_in(b, "edged.yaml")
        with open(path, "w", encoding="utf-8") as f:
            f.write(text)
        said = json.loads(b.ctl("check", path, "-j").stdout)
        wrong = [m for m in said["messages"] if m["severity"] == "error" and
                 "secret" not in m["text"] and "nft" not in m["text"]]
        if not wrong:
            good.append(text)
    return good


def test_what_edgectl_takes_is_valid_by_the_schema(b):
    check = jsonschema.Draft202012Validator(installed_schema())
    good = good_files(b)
    assert len(good) >= 6, len(good)
    for text in good:
        for loader in (yaml.SafeLoader, yaml.BaseLoader):
            wrong = [(list(e.path), e.message) for e in
                     check.iter_errors(yaml.load(text, Loader=loader))]
            assert not wrong, (wrong, text)


def test_mistakes_are_invalid_by_the_schema(_):
    check = jsonschema.Draft202012Validator(installed_schema())
    base = {"uplinks": {"isp1": {"interface": "eth0"}}, "peers": {"hub": {"address": "192.0.2.1"}}}
    assert check.is_valid(base)
    for wrong in ({"foo": 1}, {"uplinks": {"isp1": {"intreface": "eth0"}}},
                  {"uplinks": {"isp1": {"interface": "eth0", "up": "100mb"}}},
                  {"uplinks": {"isp1": {"interface": "eth0", "cost": 0}}},
                  {"uplinks": {"a/b": {"interface": "eth0"}}}, {"uplinks": {"isp1": {}}},
                  {"peers": {"hub": {"address": "192.0.2.1", "mtu": 100}}}, {"lan": "10.0.0.0"},
                  {"classes": {"voice": {"max-loss": "one"}}}, {"dataplane": "magic"},
                  {"probe": {"interval": 100}}, {"classes": {"voice": {"best": ["isp1"]}}}):
        assert not check.is_valid(dict(base, **wrong)), wrong
    assert not check.is_valid({"uplinks": base["uplinks"]})


def test_the_schema_knows_every_setting_of_the_manual(_):
    def names(schema, found):
        for name, one in schema.get("properties", {}).items():
            found.add(name)
            names(one, found)
        for key in ("additionalProperties", "items"):
            if isinstance(schema.get(key), dict):
                names(schema[key], found)
        for one in schema.get("anyOf", []):
            names(one, found)
        return found

    page = read(os.path.join(TOP, "edged/edged.yaml.5"))
    settings = page.split("\n.\\\" The settings are made")[1].split(".\\\" end of the settings")[0]
    assert names(installed_schema(), set()) == set(re.findall(r"^\.It Cm ([a-z-]+) :", settings, re.M))


# completion


def complete(b, line):
    """What bash offers behind line."""
    script = (f"PATH={BUILD}:$PATH; . {COMPLETION}\n"
              "complete -p edgectl >/dev/null || exit 9\n"
              "COMP_LINE=$1 COMP_POINT=${#1}; _edgectl edgectl\n"
              "printf '%s\\n' \"${COMPREPLY[@]}\"\n")
    p = subprocess.run(["bash", "-u", "-c", script, "-", line], stdout=subprocess.PIPE,
                       stderr=subprocess.PIPE, text=True, timeout=LIMIT, check=False)
    assert p.returncode == 0 and p.stderr == "", p
    return [x for x in p.stdout.split("\n") if x]


def test_check_says_what_the_service_may_not_read(b):
    """Root reads everything; the daemon is user edged. Its folder is its group's."""
    with open("/etc/passwd", encoding="utf-8") as f:
        users = re.sub("^edged:.*\n", "", f.read(), flags=re.M) + "edged:x:995:995::/:/\n"
    folder = path_in(b, "service")
    os.mkdir(folder)
    for name, text in (("passwd", users), ("group", "edged:x:995:\n"), ("secrets.yaml", 'hub: "correct horse"\n'), (
            "edged.yaml", "lan: 10.42.0.0/24\nuplinks: {isp1: {interface: eth0}}\n"
            "peers: {hub: {address: 198.51.100.1, networks: 10.0.0.0/8}}\n")):
        with open(os.path.join(folder, name), "w", encoding="utf-8") as f:
            f.write(text)

    def warned(folder_group, group, mode):
        os.chown(folder, 0, folder_group)
        for name in ("edged.yaml", "secrets.yaml"):
            os.chown(os.path.join(folder, name), 0, group)
            os.chmod(os.path.join(folder, name), mode)
        p = run(["unshare", "--mount", "sh", "-c", 'mount --bind "$1/passwd" /etc/passwd && '
                 'mount --bind "$1/group" /etc/group && exec "$2" check "$1/edged.yaml"', "sh", folder, EDGECTL])
        assert p.returncode == 0 and "edged.yaml is fine." in p.stdout, (p.stdout, p.stderr)
        return re.findall(r"([a-z]+\.yaml): warning: .* user edged.*; cure: chown edged", p.stdout)

    assert warned(995, 0, 0o600) == ["edged.yaml", "secrets.yaml"]
    assert warned(0, 0, 0o600) == []            # not the service's folder
    assert warned(995, 995, 0o640) == []


def test_bash_completes_commands_options_and_words(b):
    helped = b.ctl("help").stdout
    first = {m for m in re.findall(r"^  ([a-z]+)", helped.split("\n\n")[1], re.M)}
    assert set(complete(b, "edgectl ")) == first and len(first) >= 20
    assert complete(b, "edgectl upl") == ["uplinks", "uplink"]
    assert complete(b, "edgectl import ") == ["aws"]
    assert complete(b, "edgectl web ") == ["password", "user", "token"]
    assert complete(b, "edgectl events --k") == ["--kind"]
    assert "--kind" not in complete(b, "edgectl why --")
    assert complete(b, "edgectl events --kind st") == ["steer", "store"]
    assert complete(b, "edgectl --color a") == ["always", "auto"]
    assert complete(b, "edgectl help hi") == ["history"]
    assert complete(b, f"edgectl check {TOP}/READ") == [f"{TOP}/README.md"]
    assert complete(b, f"edgectl --run {TOP}/con") == [f"{TOP}/conf"]
    for name in re.findall(r"^  ([a-z]+(?: [a-z]+)?) [A-Z]", helped, re.M):
        words = set(re.findall(r"--([a-z-]+)", b.ctl("help", *name.split()).stdout))
        assert {w[2:] for w in complete(b, f"edgectl {name} --")} >= words, name


def test_bash_completes_live_names_of_the_daemon(b):
    at = f"edgectl --run {b.run}"
    names = {k: [r[f] for r in ANSWERS[k + ".list"][k]] for k, f in
             (("uplinks", "name"), ("peers", "name"), ("paths", "name"), ("classes", "name"))}
    assert complete(b, at + " uplink ") == names["uplinks"]
    assert complete(b, at + f" uplink {names['uplinks'][0]} ") == ["down", "up"]
    assert complete(b, at + " peer ") == names["peers"]
    assert complete(b, at + " peer hub re") == ["restart", "rekey"]
    assert complete(b, at + " history hub/") == [p for p in names["paths"] if p.startswith("hub/")]
    assert complete(b, at + " classes ") == names["classes"]
    assert complete(b, at + " import aws x --via ") == names["uplinks"]
    ANSWERS["uplinks.list"]["uplinks"].append(dict(ANSWERS["uplinks.list"]["uplinks"][0],
                                                   name="a:b:c"))
    try:
        assert complete(b, at + " uplink a:b") == ["b:c"]
    finally:
        ANSWERS["uplinks.list"]["uplinks"].pop()


def test_completion_says_nothing_without_a_daemon_and_waits_a_second(b):
    assert complete(b, f"edgectl --run {b.run}/none uplink ") == []
    b.daemon.silent = True
    assert complete(b, f"edgectl --run {b.run} uplink ") == []


if __name__ == "__main__":
    sys.exit(main(globals()))
