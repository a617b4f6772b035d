#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""
The manual pages against the running programs: every option and command that a program
tells of itself is in its page, and the page has no other ones.
"""
import glob
import os
import re
import sys

sys.dont_write_bytecode = True
from ctlbench import BUILD, TOP, main, run  # noqa: E402

OPTION = re.compile(r"(?<![\w-])--([a-z][a-z-]*)")


def programs():
    """Every program that is installed, from the build's own lists."""
    names = []
    for path in glob.glob(os.path.join(TOP, "**/local.mk"), recursive=True):
        if "/tests/" in path:
            continue
        with open(path, encoding="utf-8") as f:
            for line in re.findall(r"^[a-z]*bin_PROGRAMS \+= (.*)$", f.read(), re.M):
                names += line.split()
    return sorted(names)


def page_of(program):
    """The text of the program's page."""
    name = os.path.basename(program)
    found = [p for room in ("edged", "webui", "routing")
             for p in glob.glob(os.path.join(TOP, room, f"**/{name}.[18]*"), recursive=True)
             if re.search(r"\.[18](\.in)?$", p)]
    assert len(found) == 1, f"pages of {name}: {found}"
    with open(found[0], encoding="utf-8") as f:
        return f.read()


def page_options(page):
    """The long options that a page marks up as flags."""
    lines = [x for x in page.splitlines() if x.startswith(".") and re.search(r"\bFl\b", x)]
    return {o for x in lines for o in re.findall(r"(?<=[ ])-([a-z][a-z-]+)", x)}


def helped(*argv):
    p = run([os.path.join(BUILD, argv[0]), *argv[1:]])
    assert p.returncode == 0, (argv, p.stderr)
    return p.stdout + p.stderr


def test_every_program_and_its_page_know_the_same_options(_):
    names = programs()
    assert len(names) >= 4, names
    for program in names:
        if os.path.basename(program) == "edgectl":
            continue        # its commands have options, too: below
        told = set(OPTION.findall(helped(program, "--help")))
        page = page_options(page_of(program))
        assert told and told == page, \
            f"{program}: only --help has {sorted(told - page)}, only the page {sorted(page - told)}"


def test_options_that_are_told_are_taken(_):
    """--help is no promise: each option is refused or taken for what it is."""
    for program in programs():
        path = os.path.join(BUILD, program)
        p = run([path, "--no-such-option"])
        assert p.returncode != 0, program
        odd = p.stderr
        for option in set(OPTION.findall(helped(program, "--help"))) - {"help", "version"}:
            p = run([path, "--" + option + "=x", "--no-such-option"])
            assert "unrecognized option '--" + option not in p.stderr, (program, p.stderr, odd)


def commands():
    """What "edgectl help" lists: each command with the options of "edgectl help COMMAND"."""
    lines = helped("edgectl", "help").split("\n\n")[1].splitlines()
    names = []
    for line in lines:
        words = re.match(r"  ([a-z]+(?: [a-z]+)?)(?= |$)", line)
        if words:
            names.append(words[1])
    rows = {}
    for name in names:
        words = name.split()
        p = run([os.path.join(BUILD, "edgectl"), "help", *words])
        if p.returncode != 0 and len(words) == 2:
            words = words[:1]    # the second word was an argument or the text behind it
        said = helped("edgectl", "help", *words)
        rows[" ".join(words)] = set(OPTION.findall(said.split("\n\n", 1)[1])) \
            if "\n\n" in said else set()
    return rows


def test_what_is_too_much_is_named(_):
    for program in programs():
        p = run([os.path.join(BUILD, program), "too-much"])
        assert p.returncode == 2, (program, p.returncode)
        assert p.stdout == "" and "too-much" in p.stderr, (program, p.stdout, p.stderr)


def test_edgectl_and_its_page_know_the_same_commands_and_options(_):
    page = page_of("edgectl")
    section = page.split(".Sh COMMANDS")[1].split(".Sh ")[0]
    shown = {}
    for line in re.findall(r"^\.It Cm (.*)$", section, re.M):
        name = re.match(r"((?:[a-z]+ ?)+?)(?: ?(?:Ar|Op|Oo|Cm|$))", line)[1].strip()
        shown[name] = set(re.findall(r"Fl -([a-z-]+)", line))
    told = commands()
    assert len(told) >= 25, told
    assert list(shown) == list(told), (list(shown), list(told))
    for name, options in told.items():
        assert shown[name] == options, (name, shown[name], options)
    common = page.split(".Sh OPTIONS")[1].split(".Sh ")[0]
    shown = set(re.findall(r"^\.It Fl .*?-([a-z]{2,})\b", common, re.M))
    told = set(OPTION.findall(helped("edgectl", "help").split("\n\n")[2]))
    assert shown == told, (shown, told)


if __name__ == "__main__":
    sys.exit(main(globals()))
