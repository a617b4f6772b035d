# SPDX-License-Identifier: GPL-2.0-or-later
"""What an administrator is told when something on the box is not as it should be"""
import json
import os
import shutil
import signal
import subprocess

from box import CONFIG
from daemons import data_dir, write
from lab import program


def ctl(box, *words):
    return subprocess.run([program("edgectl"), "--run", box.edged.run_dir,
                           "--state", box.state, *words],
                          capture_output=True, text=True, check=False, timeout=60)


def test_a_box_that_reaches_no_peer_is_down_and_critical(box):
    status = json.loads(ctl(box, "-j").stdout)
    assert (status["state"], status["uplinks"][0]["state"]) == ("down", "up"), status
    health = ctl(box, "health")
    assert health.returncode == 2 and "CRITICAL" in health.stdout, health


def test_the_history_of_a_path_that_never_was_is_refused(box):
    none = ctl(box, "history", "hub/isp7")
    assert none.returncode == 1 and "there is no path 'hub/isp7'" in none.stderr, none
    assert ctl(box, "history", "hub/isp1").returncode == 0


def test_edgectl_web_names_the_certificate_in_use_and_why_not_the_configured_one(box):
    before = json.loads(ctl(box, "-j", "web").stdout)
    assert before["certificate"]["own"] and before["problem"] is None, before
    folder = os.path.join(box.lab.dir, "certificate")
    os.mkdir(folder)
    os.chmod(folder, 0o755)
    for name in ("tls.crt", "tls.key"):
        shutil.copyfile(os.path.join(box.state, name), os.path.join(folder, name))
    key = os.path.join(folder, "tls.key")
    os.chmod(key, 0o600)
    box.edged.configure(CONFIG + f"  certificate: {folder}/tls.crt\n  key: {key}\n")
    box.edged.ctl("apply")

    def told(want):
        """What edgectl web says, once edge-webui has read the new settings."""
        def look():
            text = ctl(box, "web").stdout
            return want in text, text
        box.lab.wait_for(f"edgectl web: {want}", look, 20)
        return look()[1]

    text = told("not in use")
    assert f"{key}: Permission denied" in text and "made by itself" in text, text
    shutil.chown(key, "edged-web")
    os.kill(box.pid(), signal.SIGHUP)
    text = told("certificate configured")
    assert "not in use" not in text, text
    box.edged.configure(CONFIG + "# as before\n")
    box.edged.ctl("apply")
    told("made by itself")


def test_secrets_that_edged_may_not_read_change_nothing(box):
    secrets = box.edged.secrets
    owner = os.stat(secrets)
    os.chown(secrets, 0, 0)
    os.chmod(secrets, 0o600)
    refused = ctl(box, "apply")
    os.chown(secrets, owner.st_uid, owner.st_gid)
    assert refused.returncode == 4, refused
    assert f"may not read this file; cure: chown edged {secrets}" in \
        refused.stdout + refused.stderr, refused
    assert ctl(box, "apply").returncode == 0


def test_an_order_that_cannot_be_written_says_that_it_ends_with_the_restart(box):
    overrides = os.path.join(box.edged.state_dir, "overrides")
    if os.path.exists(overrides):
        os.unlink(overrides)
    os.mkdir(overrides)
    assert "until the next restart only" in ctl(box, "uplink", "isp1", "down").stdout
    os.rmdir(overrides)
    assert ctl(box, "uplink", "isp1", "up").stdout == "The uplink is used again.\n"


def test_a_start_that_fails_with_a_database_that_fails_ends_with_a_sentence(box):
    """The store's last words come when nobody listens any more."""
    folder = os.path.join(box.lab.dir, "second")
    os.makedirs(os.path.join(folder, "state", "edged.db"))
    write(os.path.join(folder, "edged.yaml"), CONFIG)
    write(os.path.join(folder, "secrets.yaml"), 'hub: "a secret"\n', mode=0o600)
    second = subprocess.run(
        [program("edged"), "--config", os.path.join(folder, "edged.yaml"),
         "--run", os.path.join(folder, "run"), "--state", os.path.join(folder, "state")],
        capture_output=True, text=True, check=False, timeout=60,
        env={**os.environ, "EDGED_DATADIR": data_dir()})
    assert second.returncode == 1, second
    assert "UDP port 862: Address already in use (another program has it" in second.stderr
    assert "history is not written" in second.stderr, second.stderr


def test_edge_webui_that_may_not_read_the_configuration_says_what_would_be_right(box):
    hidden = os.path.join(box.lab.dir, "hidden.yaml")
    write(hidden, CONFIG, mode=0o600)
    second = subprocess.run(
        [program("edge-webui"), "--config", hidden, "--run", box.edged.run_dir,
         "--state", box.state, "--socket", box.socket + "2",
         "--data", "/tmp/webdata"], user="edged-web", group="edged-web", extra_groups=[],
        capture_output=True, text=True, check=False, timeout=60)
    assert second.returncode == 1, second
    assert f"{hidden}: Permission denied (edge-webui runs as edged-web in group edged" in \
        second.stderr, second.stderr
