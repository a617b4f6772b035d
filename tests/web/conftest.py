# SPDX-License-Identifier: GPL-2.0-or-later
"""The lab's frame, and one box with edged and edge-webui for each file of tests"""
import os
import sys

import pytest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(
    os.path.abspath(__file__))), "lab"))
import fixtures                                                     # noqa: E402
from lab import Lab                                                 # noqa: E402
from box import Box                                                 # noqa: E402

pytest_configure = fixtures.pytest_configure


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    """A failed test shows the end of every program's log."""
    outcome = yield
    report = outcome.get_result()
    box = getattr(item, "funcargs", {}).get("box")
    if report.when == "call" and report.failed and box:
        report.sections.append(("programs of the box", box.lab.logs()))


@pytest.fixture(scope="module")
def box():
    lab = Lab()
    made = Box(lab)
    try:
        made.start()
        yield made
    finally:
        made.close()
        lab.close()
