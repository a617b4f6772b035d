# SPDX-License-Identifier: GPL-2.0-or-later
"""pytest finds the lab here, and one branch for all tests of the page"""
import os
import sys

import pytest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "lab"))
sys.path.insert(0, HERE)
import fixtures                                                     # noqa: E402
import site_of_page                                                 # noqa: E402

pytest_configure = fixtures.pytest_configure


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    """A failed test shows the logs of all programs and what the page said."""
    outcome = yield
    report = outcome.get_result()
    site = getattr(item, "funcargs", {}).get("site")
    if report.when == "call" and report.failed and site:
        report.sections.append(("programs of the lab", site.lab.logs()))
        for i, browser in enumerate(site.browsers):
            report.sections.append((f"page {i}", browser.story()))


@pytest.fixture(scope="session")
def branch():
    made = site_of_page.Site()
    yield made
    made.close()


@pytest.fixture
def site(branch):
    """The branch, well again, and no window left open afterwards."""
    branch.well()
    yield branch
    branch.close_windows()
