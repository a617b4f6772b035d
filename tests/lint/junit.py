#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Turn pytest's JUnit file into result lines: junit.py PREFIX FILE"""
import sys
import xml.etree.ElementTree as ET


def main():
    prefix, path = sys.argv[1:]
    count = 0
    for case in ET.parse(path).iter("testcase"):
        name = f"{prefix}/{case.get('classname', '').split('.')[-1]} {case.get('name')}"
        bad = case.find("failure")
        bad = case.find("error") if bad is None else bad
        skipped = case.find("skipped")
        if bad is not None:
            print("fail", name, " ".join((bad.get("message") or "").split())[:300], sep="\t")
        elif skipped is not None:
            print("skip", name, skipped.get("message") or "", sep="\t")
        else:
            print("pass", name, "", sep="\t")
        count += 1
    return 0 if count else 1


if __name__ == "__main__":
    sys.exit(main())
