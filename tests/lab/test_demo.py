# SPDX-License-Identifier: GPL-2.0-or-later
"""The demo passes: see play.py for what that means

    the topology of topology.py, in a frame of the demo's own
"""
import json
import os
import subprocess

from lab import HERE


def test_the_demo_passes():
    argv = [os.path.join(HERE, "demo"), "--no-install", "--json"]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    result = json.loads(done.stdout)
    assert result["reasons"] == [], (result, done.stderr[-6000:])
    assert result["result"] == "pass"
    assert done.returncode == 0
    assert result["figures"]["start"]["tunnels"] == 5
    assert result["figures"]["leaks"] == 0
