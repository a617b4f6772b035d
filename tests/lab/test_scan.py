# SPDX-License-Identifier: GPL-2.0-or-later
"""From an uplink nothing of ours answers but IKE

    internet ==isp2, lte (IPv4 and IPv6)== branch; the topology of topology.py
"""
import json
import os

import pytest
from lab import HERE, PYTHON
from topology import bring_up

TARGETS = {"isp2": ("198.51.100.2", "198.51.100.1"),
           "isp2, IPv6": ("2001:db8:2::2", "2001:db8:2::1"),
           "lte": ("192.0.2.2", "192.0.2.1"),
           "lte, IPv6": ("2001:db8:3::2", "2001:db8:3::1")}


@pytest.fixture
def scanned(lab):
    bring_up(lab)
    # a listener of the administrator's shows that the scan sees what is open
    lab.start("open", "branch", [PYTHON, "-c", "import socket,time; "
                                 "s=socket.create_server(('',2222)); time.sleep(1000)"])
    lab.wait_for("an open port", lambda: ":2222" in lab.out("branch", "ss", "-Hltn"), 10)
    lab.wait_for("bgpd listening", lambda: ":179" in lab.out("branch", "ss", "-Hltn"), 10)
    return lab


def test_nothing_answers_from_isp2_and_lte(scanned):
    lab = scanned
    found = {}
    for name, (target, source) in TARGETS.items():
        found[name] = json.loads(lab.out("internet", PYTHON,
                                         os.path.join(HERE, "scan.py"), target, source))
    for name, ports in found.items():
        expected = [2222] if "IPv6" not in name else []
        assert ports["tcp"] == expected, (name, found)
        assert set(ports["udp"]) <= {500, 4500}, (name, found)
