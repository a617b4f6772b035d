# SPDX-License-Identifier: GPL-2.0-or-later
"""The Debian packages: what is in them, what they need, and lintian"""
import os
import re

from conftest import TOP, have_zebra, run


def contents(deb):
    """{path: mode and owner} of a package."""
    rows = {}
    for line in run(["dpkg-deb", "-c", deb]).stdout.splitlines():
        mode, owner, _, _, _, path = line.split(None, 5)
        rows[path.split(" -> ")[0][2:]] = (mode, owner)
    return rows


def field(deb, name):
    return run(["dpkg-deb", "-f", deb, name]).stdout.strip()


def test_three_packages_are_built(debs):
    assert set(debs) == {"edged", "edged-webui"} | ({"edged-zebra"} if have_zebra() else set())


def test_programs_are_where_they_belong(debs):
    want = {"edged": {"usr/sbin/edged", "usr/sbin/edge-esp", "usr/bin/edgectl"},
            "edged-webui": {"usr/sbin/edge-webui"}, "edged-zebra": {"usr/sbin/edge-zebra"}}
    for name, deb in debs.items():
        files = contents(deb)
        programs = {p for p in files if re.search(r"/s?bin/.", p)}
        assert programs == want[name]
        for path, (mode, owner) in files.items():
            assert "s" not in mode and owner == "root/root", (path, mode, owner)
            assert not path.startswith(("etc/", "var/")), path
        for program in programs:
            manual = [p for p in files if re.search(
                rf"/man[18]/{os.path.basename(program)}\.[18]\.gz$", p)]
            assert manual, program


def test_edge_zebra_wants_the_frr_it_was_built_for(debs):
    if not have_zebra():
        assert "edged-zebra" not in debs
        return
    frr = run(["dpkg-query", "-W", "-f", "${Version}", "frr"]).stdout
    version = field(debs["edged"], "Version")
    depends = [d.strip() for d in field(debs["edged-zebra"], "Depends").split(",")]
    assert f"frr (= {frr})" in depends
    assert f"edged (= {version})" in depends
    assert f"edged (= {version})" in [d.strip() for d in field(
        debs["edged-webui"], "Depends").split(",")]


def test_a_new_edged_does_not_end_edge_esp(debs, scratch):
    folder = os.path.join(scratch, "control")
    run(["dpkg-deb", "-e", debs["edged"], folder])
    with open(os.path.join(folder, "postinst"), encoding="utf-8") as f:
        text = f.read()
    assert not re.search(r"_dh_action.*edge-esp", text)
    assert "try-restart edge-esp.service" in text      # another protocol
    with open(os.path.join(folder, "prerm"), encoding="utf-8") as f:
        text = f.read()
    assert "edged --down" in text
    for line in text.splitlines():
        if "stop" in line and "deb-systemd-invoke" in line:
            assert "$1" not in line
    assert text.count('"$1" = remove') >= 2


def test_lintian_has_nothing_to_say(debs):
    """Errors and warnings; what is overridden says why, in packaging/debian."""
    done = run(["lintian", "--no-cfg", "--allow-root", "--fail-on", "error,warning",
                *sorted(debs.values())], check=False)
    said = [line for line in done.stdout.splitlines() if re.match("[EW]: ", line)]
    assert said == [] and done.returncode == 0, done.stdout


def test_every_override_says_why():
    folder = os.path.join(TOP, "packaging", "debian")
    for name in os.listdir(folder):
        if not name.endswith(".lintian-overrides"):
            continue
        with open(os.path.join(folder, name), encoding="utf-8") as f:
            lines = f.read().splitlines()
        for i, line in enumerate(lines):
            assert line.startswith("#") or lines[i - 1].startswith("#"), (name, line)
