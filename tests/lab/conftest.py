# SPDX-License-Identifier: GPL-2.0-or-later
"""pytest finds the lab here"""
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import fixtures                                                     # noqa: E402

pytest_configure = fixtures.pytest_configure
pytest_runtest_makereport = fixtures.pytest_runtest_makereport
lab = fixtures.lab
