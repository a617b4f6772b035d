# SPDX-License-Identifier: GPL-2.0-or-later
"""What pytest takes from here: a frame of its own, and the lab of each test"""
import os

import pytest

import lab as lab_module


def pytest_configure(config):
    if lab_module.in_frame():
        return
    if lab_module.is_first():
        lab_module.furnish_frame()
        return
    if config.option.collectonly:
        return
    capture = config.pluginmanager.getplugin("capturemanager")
    if capture:
        capture.stop_global_capturing()
    argv = [lab_module.PYTHON, "-m", "pytest", "-p", "no:cacheprovider"]
    command = lab_module.frame_command(argv + list(config.invocation_params.args))
    os.execvpe(command[0], command, lab_module.enter_frame_env())


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    """A failed test shows the end of every program's log."""
    outcome = yield
    report = outcome.get_result()
    lab = getattr(item, "funcargs", {}).get("lab")
    if report.when == "call" and report.failed and lab:
        report.sections.append(("programs of the lab", lab.logs()))


@pytest.fixture
def lab():
    made = lab_module.Lab()
    yield made
    made.close()
