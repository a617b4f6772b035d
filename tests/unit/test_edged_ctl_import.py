#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""
"edgectl import aws": good files in both forms become a peer and its secrets, damaged
ones are refused with their place, and of the files that are there nothing else changes.
"""
import json
import os
import stat
import sys

sys.dont_write_bytecode = True
from ctlbench import (TOP, expect, in_terminal, main, same)  # noqa: E402

AWS = os.path.join(TOP, "tests/golden/aws")
KEYS = ("Kx3.vTq_81mZaPw0RbnE7cLs92dYhUfG", "Qm9_bW2.rJ6nXe4TzAkVu83oHsCyDp1F")

CONFIG = """\
# The branch, edited by hand
name: branch
lan: 10.42.0.0/24     # the LAN

uplinks:
  isp1: {interface: none1}   # fibre
  isp2: {interface: none2, address: 203.0.113.10}

peers:     # all of them
  # the hub
  hub:
    address: 198.51.100.1
    networks: 10.1.0.0/16
    # asn: 65000

# classes come here
classes:
  voice: {dscp: EF}
"""
SECRETS = "# ours\nhub: 'x'   # the first\n"


def put(b, name, text, mode=0o640):
    path = os.path.join(b.run, name)
    with open(path, "w", encoding="utf-8", newline="") as f:
        f.write(text)
    os.chmod(path, mode)
    return path


def get(b, name):
    with open(os.path.join(b.run, name), encoding="utf-8", newline="") as f:
        return f.read()


def aws(name):
    return os.path.join(AWS, name)


def site(b, config=CONFIG, secrets=SECRETS):
    put(b, "edged.yaml", config)
    if secrets is not None:
        put(b, "secrets.yaml", secrets)


def imp(b, name, *args):
    return b.ctl("--config", os.path.join(b.run, "edged.yaml"), "import", "aws",
                 name if "/" in name else aws(name), *args)


def unchanged(b, config=CONFIG, secrets=SECRETS):
    assert get(b, "edged.yaml") == config
    if secrets is not None:
        assert get(b, "secrets.yaml") == secrets
    assert sorted(x for x in os.listdir(b.run) if "yaml" in x) == ["edged.yaml", "secrets.yaml"]


def test_both_forms_say_the_same(b):
    for kind, args in (("bgp", []), ("static", ["--networks", "10.200.0.0/16,fd00:200::/32"])):
        said = []
        for form in (kind + ".xml", kind + ".json"):
            p = imp(b, form, "--via", "isp1", *args)
            expect(p, 0)
            assert p.stderr == "", p.stderr
            said.append(p.stdout)
        assert said[0] == said[1]
        same(kind, said[0], AWS)


def test_a_file_may_come_from_standard_input(b):
    with open(aws("bgp.xml"), encoding="utf-8") as f:
        p = b.ctl("import", "aws", "-", "--via", "isp1", stdin=f)
    expect(p, 0)
    same("bgp", p.stdout, AWS)


def test_what_is_damaged_is_refused_with_its_place(b):
    said = []
    names = sorted(os.listdir(aws("damaged")))
    assert len(names) >= 25
    for name in names:
        p = imp(b, aws("damaged/" + name), "--via", "isp1")
        expect(p, 4, err="edgectl: ")
        assert not any(k[:8] in p.stderr for k in KEYS), p.stderr
        said.append(p.stderr.replace(aws("damaged/"), ""))
    same("damaged", "".join(said), AWS)


def test_one_of_several_connections_is_chosen(b):
    expect(imp(b, "several.json", "--via", "isp1"), 4, err="choose one of")
    p = imp(b, "several.json", "--via", "isp1", "--connection", "vpn-0bbbbbbbbbbbbbbbb")
    assert "# vpn-0bbbbbbbbbbbbbbbb" in p.stdout, p
    expect(imp(b, "several.json", "--via", "isp1", "--connection", "vpn-1"), 4, err="vpn-1")
    expect(imp(b, "bgp.xml", "--via", "isp1", "--connection", "vpn-1"), 4, err="not vpn-1")


def test_secrets_are_not_shown_on_a_terminal_unless_asked(b):
    site(b)
    args = ["--config", os.path.join(b.run, "edged.yaml"), "import", "aws", aws("bgp.xml")]
    for more in ([], ["-j"]):
        status, seen = in_terminal(b, more + args, b"")
        assert status == 0 and "198.51.100.12" in seen, seen
        assert not any(k in seen for k in KEYS), seen
        status, seen = in_terminal(b, more + args + ["--show-secrets"], b"")
        assert all(k in seen for k in KEYS), seen
    _, seen = in_terminal(b, args, b"")
    assert "secrets.yaml gets aws/a and aws/b" in seen, seen


def test_json_has_what_the_text_has(b):
    site(b)
    said = json.loads(imp(b, "bgp.json", "-j").stdout)
    assert said["schema"] == 1 and said["peer"] == "aws" and said["via"] == "isp2"
    assert [t["address"] for t in said["tunnels"]] == ["198.51.100.12", "198.51.100.71"]
    assert said["secrets"] == {"aws/a": KEYS[0], "aws/b": KEYS[1]} and not said["written"]
    said = json.loads(imp(b, "bgp.json", "-j", "--write").stdout)
    assert said["written"] and "secrets" not in said


def test_writing_adds_and_leaves_the_rest_as_it_was(b):
    site(b)
    p = imp(b, "bgp.xml", "--write")
    expect(p, 0, out="has the peer aws")
    assert not any(k in p.stdout + p.stderr for k in KEYS)
    same("merged", get(b, "edged.yaml") + "---\n" + get(b, "secrets.yaml"), AWS)
    old = [x for x in CONFIG.splitlines() if x]
    assert [x for x in get(b, "edged.yaml").splitlines() if x in old] == old
    assert b.ctl("check", os.path.join(b.run, "edged.yaml")).returncode == 0
    for name in ("edged.yaml", "secrets.yaml"):
        assert stat.S_IMODE(os.stat(os.path.join(b.run, name)).st_mode) == 0o640
    assert len([x for x in os.listdir(b.run) if "yaml" in x]) == 2, os.listdir(b.run)


def test_secrets_are_made_where_there_are_none(b):
    config = CONFIG.replace("""  # the hub
  hub:
    address: 198.51.100.1
    networks: 10.1.0.0/16
    # asn: 65000
""", "")
    site(b, config, None)
    expect(imp(b, "bgp.xml", "--write"), 0)
    mode = stat.S_IMODE(os.stat(os.path.join(b.run, "secrets.yaml")).st_mode)
    assert mode & 0o027 == 0, oct(mode)
    assert all(k in get(b, "secrets.yaml") for k in KEYS)


def test_brackets_and_other_line_breaks_stay(b):
    flow = ('{"lan": "10.42.0.0/24", "uplinks": {"isp1": {"interface": "eth0"}},\n'
            ' "peers": {"hub": {"address": "198.51.100.1", "networks": "10.1.0.0/16"}}}\n')
    site(b, flow, "{hub: x}\n")
    expect(imp(b, "bgp.xml", "--write"), 0)
    assert '"peers": {aws: {preset: aws, ' in get(b, "edged.yaml")
    assert '{bgp: {asn: 65042, announce: lan}, "lan"' in get(b, "edged.yaml")
    assert get(b, "secrets.yaml").endswith(", hub: x}\n")
    dos = CONFIG.replace("\n", "\r\n")
    site(b, dos, SECRETS.replace("\n", "\r\n"))
    expect(imp(b, "bgp.xml", "--write"), 0)
    text = get(b, "edged.yaml")
    assert text.count("\n") == text.count("\r\n") and len(text) > len(dos)


def test_what_is_there_already_is_never_replaced(b):
    config = os.path.join(b.run, "edged.yaml")
    secrets = os.path.join(b.run, "secrets.yaml")
    taken = CONFIG.replace("  hub:\n", "  aws:\n")
    site(b, taken, "aws: x\n")
    expect(imp(b, "bgp.xml", "--write"), 4, err=f"{config}:11:3: there is a peer 'aws'")
    unchanged(b, taken, "aws: x\n")
    for line in ("aws/a: x\n", "aws/b/isp1: x\n", "aws: x\n"):
        site(b, CONFIG, SECRETS + line)
        expect(imp(b, "bgp.xml", "--write"), 4, err=f"{secrets}:3:1: there is a secret")
        unchanged(b, CONFIG, SECRETS + line)
    other = CONFIG + "bgp:\n  asn: 65001\n"
    site(b, other)
    expect(imp(b, "bgp.xml", "--write"), 4, err=f"{config}:20:8: our AS number is 65001")
    unchanged(b, other)
    site(b, CONFIG + "bgp:\n  asn: 65042\n")
    expect(imp(b, "bgp.xml", "--write"), 0)
    assert get(b, "edged.yaml").count("bgp:") == 1
    expect(imp(b, "bgp.xml", "--write", "--name", "aws2"), 4)  # the same tunnels twice


def test_a_result_that_would_be_wrong_changes_nothing(b):
    wrong = CONFIG.replace("networks: 10.1.0.0/16", "networks: 10.1.0.0/99")
    site(b, wrong)
    p = imp(b, "bgp.xml", "--write")
    assert p.returncode == 4 and p.stdout == "", p
    assert os.path.join(b.run, "edged.yaml") + ":13:15: error:" in p.stderr, p.stderr
    assert "nothing was changed" in p.stderr and ".yaml." not in p.stderr, p.stderr
    unchanged(b, wrong)
    broken = CONFIG + "x: {\n"
    site(b, broken)
    assert imp(b, "bgp.xml", "--write").returncode == 4
    unchanged(b, broken)
    site(b, CONFIG, "hub: x\nbroken: {\n")
    assert imp(b, "bgp.xml", "--write").returncode == 4
    unchanged(b, CONFIG, "hub: x\nbroken: {\n")


def test_without_a_configuration_there_is_nothing_to_add_to(b):
    expect(imp(b, "bgp.xml", "--via", "isp1", "--write"), 1, err="edgectl init")
    assert [x for x in os.listdir(b.run) if "yaml" in x] == []


def test_the_uplink_is_found_or_asked_for(b):
    site(b)
    assert "via: isp2 " in imp(b, "bgp.xml").stdout
    assert "via: isp1 " in imp(b, "bgp.xml", "--via", "isp1").stdout
    expect(imp(b, "bgp.xml", "--via", "isp9"), 2, err="it has isp1, isp2")
    put(b, "edged.yaml", CONFIG.replace(", address: 203.0.113.10", ""))
    expect(imp(b, "bgp.xml"), 2, err="AWS knows us as 203.0.113.10")
    put(b, "edged.yaml", "uplinks: {wan: {interface: eth0}}\n")
    assert "via: wan " in imp(b, "bgp.xml").stdout
    os.unlink(os.path.join(b.run, "edged.yaml"))
    expect(imp(b, "bgp.xml"), 2, err="--via NAME")


def test_mistakes_of_usage_are_said_in_one_line(b):
    site(b)
    expect(imp(b, "static.xml"), 2, err="--networks")
    expect(imp(b, "static.xml", "--networks", "10.0.0.1"), 2, err="'10.0.0.1' is not a prefix")
    expect(imp(b, "bgp.xml", "--name", "a b"), 2, err="cannot be a name")
    expect(imp(b, "none.xml"), 1, err="No such file")
    expect(b.ctl("import", "swan", "x"), 2, err="no command 'import swan' (there is import aws)")
    expect(b.ctl("import"), 2, err="no command 'import' (there is import aws)")
    expect(b.ctl("help", "import"), 0, out="import aws FILE")
    expect(b.ctl("imprt", "aws"), 2, err="did you mean 'import aws'?")
    expect(b.ctl("statsu"), 2, err="no command 'statsu', did you mean 'status'?")
    expect(b.ctl("help", "web"), 0, out="web token add|list|remove")
    unchanged(b)


def test_links_are_followed_and_files_in_use_are_left(b):
    site(b)
    os.rename(os.path.join(b.run, "edged.yaml"), os.path.join(b.run, "real.yaml"))
    os.symlink("real.yaml", os.path.join(b.run, "edged.yaml"))
    expect(imp(b, "bgp.xml", "--write"), 0)
    assert os.path.islink(os.path.join(b.run, "edged.yaml"))
    assert "preset: aws" in get(b, "real.yaml")


if __name__ == "__main__":
    sys.exit(main(globals()))
