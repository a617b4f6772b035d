# SPDX-License-Identifier: GPL-2.0-or-later
"""Metrics, alert rules and board against the running programs

    edged -- edge-webui -- /metrics -- promtool; conf/prometheus, conf/grafana

A name that a rule or a panel uses must be one that the program has, with the labels
that it is asked for.
"""
import json
import os
import re
import socket
import subprocess

import pytest
import yaml
from lab import TOP
from rpc import Rpc

RULES = os.path.join(TOP, "conf/prometheus/edged.rules.yml")
RULES_TEST = os.path.join(TOP, "tests/web/rules.test.yml")
BOARD = os.path.join(TOP, "conf/grafana/edged.json")
SUFFIXES = ("_bucket", "_sum", "_count")


def promtool(*argv, text=None):
    done = subprocess.run(["promtool", *argv], input=text, text=True, capture_output=True,
                          check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


@pytest.fixture(scope="module")
def scraped(box):
    answer = box.ask("/metrics", token=box.tokens["scrape"])
    assert answer.status == 200, answer.body
    return answer.body.decode()


@pytest.fixture(scope="module")
def families(box):
    """{name: [labels of each sample]} of edged, also those without a sample."""
    rpc = Rpc(box.edged.run_dir)
    answer = rpc.call("metrics.get")
    rpc.close()
    return {f["name"]: [set(s["labels"]) for s in f["samples"]] for f in answer["families"]}


def expressions():
    """(where, expression) of each rule, panel and variable."""
    with open(RULES, encoding="utf-8") as f:
        for group in yaml.safe_load(f)["groups"]:
            for rule in group["rules"]:
                yield rule["alert"], rule["expr"]
    with open(BOARD, encoding="utf-8") as f:
        board = json.load(f)
    for panel in board["panels"]:
        for target in panel.get("targets", []):
            yield panel["title"], target["expr"]
    for variable in board["templating"]["list"]:
        if variable["type"] == "query":
            yield variable["name"], variable["definition"]


def family_of(name, families):
    for suffix in SUFFIXES:
        if name.endswith(suffix) and name[:-len(suffix)] in families:
            return name[:-len(suffix)]
    return name


def test_what_is_scraped_is_as_prometheus_wants_it(scraped):
    told = promtool("check", "metrics", text=scraped)
    assert told == "", told
    assert 'edged_build_info{version="' in scraped
    assert "edged_store_writable 1\n" in scraped
    assert 'edged_helper_up{helper="edge-esp"} ' in scraped


def test_a_metered_uplink_counts_its_month(box):
    rpc = Rpc(box.edged.run_dir)

    def month():
        families = rpc.call("metrics.get")["families"]
        samples = next(f["samples"] for f in families
                       if f["name"] == "edged_uplink_monthly_bytes")
        assert [s["labels"] for s in samples] == [{"uplink": "isp1"}]
        return samples[0]["value"]

    before = month()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
        for _ in range(10):
            sock.sendto(bytes(1000), ("203.0.113.255", 9))
    box.lab.wait_for("the month to grow", lambda: (month() >= before + 10000, month()), 20)
    uplink, = rpc.call("uplinks.list")["uplinks"]
    assert uplink["month_bytes"] >= before + 10000
    assert uplink["monthly_limit_bytes"] == 10 ** 10
    rpc.close()


def test_no_address_and_no_spi_is_a_label(scraped, families):
    for line in scraped.splitlines():
        if line.startswith("#"):
            continue
        for value in re.findall(r'="([^"]*)"', line.partition("}")[0]):
            assert not re.fullmatch(r"\d+\.\d+\.\d+\.\d+|[0-9a-f:]*:[0-9a-f:]+|[0-9a-f]{8,16}",
                                    value), line
    for name, samples in families.items():
        if re.match("edged_(path|tunnel|child|ike_(sa|rekeys|failures))", name):
            assert all("tunnel" in labels for labels in samples), name
    assert families["edged_tunnel_up"] and families["edged_path_mtu_bytes"]
    assert len(families["edged_child_sa_bytes_total"]) == 2 * len(families["edged_tunnel_up"])
    assert len(families["edged_child_sa_replay_drops_total"]) == len(families["edged_tunnel_up"])


def test_rules_and_board_use_names_and_labels_that_exist(families):
    used = set()
    known = set().union(*(labels for samples in families.values() for labels in samples))
    known |= {"class", "le"}
    for where, expr in expressions():
        found = re.findall(r"\b(edged_[a-z0-9_]+)(?:\{([^}]*)\})?", expr)
        assert found, where
        for name, matchers in found:
            family = family_of(name, families)
            assert family in families, f"{where}: there is no metric {name}"
            used.add(family)
            # Where nothing measures it here: a label that anything has.
            have = (set().union(*families[family]) or known) | {"instance", "job"}
            for label in re.findall(r'([a-z_]+)\s*(?:=~|!=|!~|=)', matchers or ""):
                assert label in have, f"{where}: {name} has no label {label}"
    assert len(used) > 20


def test_rules_are_rules_and_each_of_them_fires():
    promtool("check", "rules", RULES)
    promtool("test", "rules", RULES_TEST)
    with open(RULES, encoding="utf-8") as f:
        alerts = {r["alert"] for g in yaml.safe_load(f)["groups"] for r in g["rules"]}
    with open(RULES_TEST, encoding="utf-8") as f:
        fired = {t["alertname"] for g in yaml.safe_load(f)["tests"]
                 for t in g["alert_rule_test"] if t.get("exp_alerts")}
    assert fired == alerts
