# SPDX-License-Identifier: GPL-2.0-or-later
"""In the guest: the frame and the fixture of tests/lab"""
import importlib.util
import os

LAB = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "lab")
_spec = importlib.util.spec_from_file_location("lab_conftest", os.path.join(LAB, "conftest.py"))
_lab = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(_lab)

pytest_configure = _lab.pytest_configure
pytest_runtest_makereport = _lab.pytest_runtest_makereport
lab = _lab.lab
