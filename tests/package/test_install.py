# SPDX-License-Identifier: GPL-2.0-or-later
"""make install, uninstall and dist; a build without FRR's headers; the units"""
import fnmatch
import os
import re
import shutil
import subprocess

import pytest

from conftest import BUILD, TOP, files_below, have_zebra, make_variable, run

CORE = ["usr/sbin/edged", "usr/sbin/edge-esp", "usr/sbin/edge-webui", "usr/bin/edgectl",
        "usr/lib/systemd/system/edged.service", "usr/lib/systemd/system/edge-esp.service",
        "usr/lib/systemd/system/edge-esp.socket",
        "usr/lib/systemd/system/edge-webui.service", "usr/lib/sysusers.d/edged.conf",
        "usr/lib/sysusers.d/edged-webui.conf", "usr/lib/tmpfiles.d/edged.conf",
        "usr/lib/sysctl.d/50-edged.conf", "usr/lib/modules-load.d/edged.conf",
        "usr/lib/systemd/networkd.conf.d/10-edged.conf",
        "usr/share/doc/edged/edged.yaml.example", "usr/share/edged/presets/aws.yaml",
        "usr/share/man/man1/edgectl.1", "usr/share/man/man5/edged.yaml.5",
        "usr/share/man/man8/edged.8", "usr/share/man/man8/edge-esp.8",
        "usr/share/man/man8/edge-webui.8"]
ZEBRA = ["usr/sbin/edge-zebra", "usr/lib/systemd/system/edge-zebra.service",
         "usr/share/man/man8/edge-zebra.8"]

# What `systemd-analyze security` may say at most.
EXPOSURE = {"edged": 2.2, "edge-esp": 1.2, "edge-zebra": 1.2, "edge-webui": 1.2}


def below_usr(dest):
    """The files of an installation, as if its prefix were /usr."""
    prefix = make_variable("prefix").strip("/") + "/"
    return {re.sub("^" + prefix, "usr/", f) for f in files_below(dest)}


def path_of(dest, path):
    """Where a file of /usr lies in an installation."""
    return os.path.join(dest, re.sub("^usr", make_variable("prefix").strip("/"), path))


def units(dest):
    folder = path_of(dest, "usr/lib/systemd/system")
    return {n.rsplit(".", 1)[0]: os.path.join(folder, n) for n in os.listdir(folder)
            if n.endswith(".service")}


def setting(unit, key):
    with open(unit, encoding="utf-8") as f:
        return re.findall(rf"^{key}=(.*)$", f.read(), re.MULTILINE)


def test_install_brings_programs_manuals_and_units(installed):
    want = set(CORE + (ZEBRA if have_zebra() else []))
    assert want - below_usr(installed) == set()
    assert not [f for f in below_usr(installed) if f.startswith(("etc/", "var/", "run/"))]


def test_every_installed_file_is_in_one_package(installed):
    """What a package misses, dpkg would not bring."""
    patterns = []
    for name in ("edged", "edged-webui", "edged-zebra"):
        path = os.path.join(TOP, "packaging/debian", name + ".install")
        with open(path, encoding="utf-8") as f:
            patterns += [(name, line.split()[0]) for line in f if line.strip()]
    wrong = []
    for path in sorted(below_usr(installed)):
        path = re.sub("^usr/lib/systemd/system/", "lib/systemd/system/", path)
        owners = {n for n, p in patterns
                  if fnmatch.fnmatch(path, p) or path.startswith(p.rstrip("/") + "/")}
        if len(owners) != 1:
            wrong.append((path, sorted(owners)))
    assert wrong == []


def test_uninstall_leaves_nothing(installed, scratch):
    copy = os.path.join(scratch, "dest-gone")
    shutil.copytree(installed, copy, symlinks=True)
    run(["make", "-s", "-C", BUILD, "uninstall", f"DESTDIR={copy}"])
    assert files_below(copy) == set()


@pytest.mark.parametrize("name", sorted(EXPOSURE))
def test_a_unit_takes_away_what_its_program_does_not_need(installed, name):
    unit = units(installed).get(name)
    if name == "edge-zebra" and not have_zebra():
        assert unit is None
        return
    text = run(["systemd-analyze", "security", "--offline=true", "--no-pager", unit],
               env={**os.environ, "LC_ALL": "C.UTF-8"}).stdout
    level = re.search(rf"exposure level for {name}\.service: ([0-9.]+)", text)
    assert level, text
    assert float(level.group(1)) <= EXPOSURE[name], \
        "\n".join(line for line in text.splitlines() if line.startswith("✗"))


def test_units_are_watched_and_run_what_is_installed(installed):
    with open(path_of(installed, "usr/lib/sysusers.d/edged.conf"), encoding="utf-8") as f:
        users = f.read()
    with open(path_of(installed, "usr/lib/sysusers.d/edged-webui.conf"),
              encoding="utf-8") as f:
        users += f.read()
    users = set(re.findall(r"^u (\S+)", users, re.MULTILINE)) | {"frr"}
    found = units(installed)
    assert set(found) == set(EXPOSURE) - (set() if have_zebra() else {"edge-zebra"})
    for name, unit in found.items():
        assert setting(unit, "Type") == ["notify"], name
        assert setting(unit, "WatchdogSec") == ["30"], name
        assert os.path.exists(installed + setting(unit, "ExecStart")[0]), name
        assert setting(unit, "User")[0] in users, name
        assert setting(unit, "Restart")[0] in ("always", "on-failure"), name
        assert setting(unit, "NoNewPrivileges") == ["yes"], name
        capabilities = setting(unit, "CapabilityBoundingSet")
        assert capabilities == (["CAP_NET_ADMIN CAP_NET_RAW CAP_NET_BIND_SERVICE"]
                                if name == "edged" else [""]), name
    assert int(setting(found["edged"], "FileDescriptorStoreMax")[0]) == 9999 + 4 * 64
    assert (int(setting(found["edged"], "LimitNOFILE")[0]) >=
            2 * int(setting(found["edged"], "FileDescriptorStoreMax")[0]))
    assert setting(found["edged"], "RuntimeDirectoryPreserve") == ["yes"]


def tracked():
    done = subprocess.run(["git", "-C", TOP, "ls-files"], text=True, check=False,
                          stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    return set(done.stdout.split("\n")) - {""}


def test_a_released_tree_holds_all_that_a_clone_holds(dist):
    ours = {f for f in tracked() if not f.endswith(".gitignore")
            and os.path.exists(os.path.join(TOP, f))}
    assert sorted(ours - files_below(dist)) == []


def test_a_released_tree_builds_without_frr_headers(released):
    """No git, no autoreconf; everything but edge-zebra."""
    said = "edge-zebra   not built: no FRR headers"
    if not os.path.exists("/usr/include/frr/zclient.h"):
        assert said in released.not_found
    assert said in released.told_not_to
    released.make("check", "TESTS=tests/unit/test_lib_small tests/unit/test_lib_loop")
    version = run([os.path.join(released.made, "edged", "edged"), "--version"]).stdout
    assert version.split() == ["edged", released.version]
    assert set(CORE) - files_below(released.dest) == set()
    assert not [f for f in files_below(released.dest) if "zebra" in f]
