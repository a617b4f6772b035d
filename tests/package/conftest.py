# SPDX-License-Identifier: GPL-2.0-or-later
"""What the tests of installation and packages share: trees made once

Everything lies in a temporary folder below the build; the machine itself gets
nothing installed.
"""
import os
import re
import shutil
import subprocess
import tempfile

import pytest

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.path.abspath(os.environ.get("ED_TOP_BUILDDIR", os.path.join(TOP, "build", "gcc")))
CACHE = os.path.join(os.environ.get("XDG_CACHE_HOME", "/var/cache"), "edged-tests")


def run(argv, check=True, **kw):
    """A command; its output is in the complaint when it fails."""
    kw.setdefault("stdout", subprocess.PIPE)
    kw.setdefault("stderr", subprocess.STDOUT)
    done = subprocess.run(argv, text=True, check=False, **kw)
    if check and done.returncode:
        raise AssertionError(f"{' '.join(argv)}: status {done.returncode}\n"
                             + "\n".join((done.stdout or "").splitlines()[-40:]))
    return done


def compile_env(tree):
    """ccache, as tests/build.sh has it: two trees share what they compile."""
    env = dict(os.environ)
    env.setdefault("CCACHE_DIR", os.path.join(CACHE, "ccache"))
    env["CCACHE_NOHASHDIR"] = "1"
    env["CCACHE_BASEDIR"] = tree
    env.pop("MAKEFLAGS", None)
    return env


def files_below(folder):
    """Every file and link, as paths from folder on."""
    found = set()
    for where, _, names in os.walk(folder):
        for name in names:
            found.add(os.path.relpath(os.path.join(where, name), folder))
    return found


def make_variable(name):
    """A variable of the build's Makefile."""
    with open(os.path.join(BUILD, "Makefile"), encoding="utf-8") as f:
        found = re.search(rf"^{name} = (.*)$", f.read(), re.MULTILINE)
    return found.group(1) if found else ""


def have_zebra():
    return make_variable("FRR_HEADERS") != ""


@pytest.fixture(scope="session", name="scratch")
def make_scratch():
    path = tempfile.mkdtemp(prefix="package-", dir=BUILD)
    yield path
    shutil.rmtree(path, ignore_errors=True)


@pytest.fixture(scope="session", name="installed")
def make_installed(scratch):
    """`make install` in a folder; its prefix is the build's."""
    dest = os.path.join(scratch, "dest")
    run(["make", "-s", "-C", BUILD, "install", f"DESTDIR={dest}"])
    return dest


@pytest.fixture(scope="session", name="dist")
def make_dist(scratch):
    """The released tree."""
    run(["make", "-s", "-C", BUILD, "distdir"])
    name = "edged-" + make_variable("VERSION")
    tree = os.path.join(scratch, name)
    os.rename(os.path.join(BUILD, name), tree)
    return tree


class Released:
    """The released tree, built as a packager does it, without FRR's headers."""

    def __init__(self, dist, scratch):
        self.version = os.path.basename(dist).split("-", 1)[1]
        self.made = os.path.join(scratch, "made")
        self.dest = os.path.join(scratch, "made-dest")
        os.makedirs(self.made)
        self.env = env = compile_env(scratch)
        env["CC"] = "ccache gcc" if shutil.which("ccache") else "gcc"
        configure = [os.path.relpath(os.path.join(dist, "configure"), self.made),
                     "--prefix=/usr", "--sysconfdir=/etc"]
        # where none are found
        self.not_found = run(configure, cwd=self.made,
                             env={**env, "XDG_DATA_HOME": scratch}).stdout
        self.told_not_to = run(configure + ["--without-frr-headers"], cwd=self.made,
                               env=env).stdout
        self.make("all")
        self.make("install", f"DESTDIR={self.dest}")

    def make(self, *targets):
        return run(["make", f"-j{os.cpu_count()}", "-s", *targets], cwd=self.made,
                   env=self.env).stdout


@pytest.fixture(scope="session", name="released")
def make_released(dist, scratch):
    return Released(dist, scratch)


@pytest.fixture(scope="session", name="debs")
def make_debs():
    """The packages, by name: their files."""
    done = run([os.path.join(TOP, "packaging", "deb.sh")],
               env={**os.environ, "ED_TOP_BUILDDIR": BUILD}, stderr=None)
    return {os.path.basename(p).split("_")[0]: p for p in done.stdout.split()}
