# SPDX-License-Identifier: GPL-2.0-or-later
"""webui/openapi.yaml against the server's own table and its answers

Every row of webui/api.c is in the file and nothing else is; every path answers; every
answer fits its schema, in which here nothing may be that the schema does not name.
"""
import copy
import os
import re

import jsonschema
import pytest
import yaml
from lab import TOP

SPEC = os.path.join(TOP, "webui/openapi.yaml")
QUERIES = {"/history": "?path=hub/isp1&points=10", "/why": "?address=10.1.0.1&dscp=EF",
           "/events": "?limit=50"}


def strict(schema):
    """nullable as JSON Schema says it; an object has only what is named."""
    if isinstance(schema, list):
        return [strict(s) for s in schema]
    if not isinstance(schema, dict):
        return schema
    made = {k: strict(v) for k, v in schema.items() if k != "nullable"}
    if "properties" in schema and isinstance(schema["properties"], dict) \
            and schema.get("type") == "object":
        made.setdefault("additionalProperties", False)
    if schema.get("nullable"):
        made = {"anyOf": [made, {"type": "null"}]}
    return made


@pytest.fixture(scope="module")
def spec():
    with open(SPEC, encoding="utf-8") as f:
        return yaml.safe_load(f)


@pytest.fixture(scope="module")
def schemas(spec):
    return strict({"components": spec["components"]})


def validator(schemas, name):
    document = copy.deepcopy(schemas)
    document["$ref"] = f"#/components/schemas/{name}"
    return jsonschema.Draft7Validator(document)


def check(schemas, spec, operation, status, answer):
    response = operation["responses"].get(str(status))
    assert response, f"{status} is not in the file"
    name = response["$ref"].rsplit("/", 1)[1]
    ref = spec["components"]["responses"][name]["content"]["application/json"]["schema"]["$ref"]
    errors = [f"{list(e.absolute_path)}: {e.message[:300]}"
              for e in validator(schemas, ref.rsplit("/", 1)[1]).iter_errors(answer)]
    assert not errors, errors


def table():
    """{(method, path): parameters} of webui/api.c."""
    with open(os.path.join(TOP, "webui/api.c"), encoding="utf-8") as f:
        text = f.read().split("static const struct api_row rows[] = {", 1)[1].split("\n};", 1)[0]
    rows = {}
    for row in re.split(r"\n\t\{ (?=HTTP_)", "\n" + text.strip("\n"))[1:]:
        method, path = re.match(r'HTTP_(\w+), "([^"]+)"', row).groups()
        names = re.findall(r'\{ "([^"]+)", API_', row)
        rows[method.lower(), "/" + path.replace("*", "{name}")] = set(names)
    return rows


def described(spec):
    """The same as the file has it."""
    rows = {}
    for path, item in spec["paths"].items():
        for method in ("get", "post"):
            if method not in item:
                continue
            names = {p["name"] for p in item[method].get("parameters", [])}
            body = item[method].get("requestBody", {}).get("content", {})
            names |= set(body.get("application/json", {}).get("schema", {}).get("properties", {}))
            rows[method, path] = names
    return rows


def test_every_row_of_the_table_is_in_the_file_and_no_other(spec):
    assert len(table()) > 10
    assert described(spec) == table()


def test_every_answer_fits_its_schema(box, spec, schemas):
    asked = 0
    for path, item in spec["paths"].items():
        if "get" not in item or path == "/stream":
            continue
        answer = box.ask("/api/v1" + path + QUERIES.get(path, ""), token=box.tokens["scrape"])
        assert answer.status == 200, (path, answer.body)
        check(schemas, spec, item["get"], 200, answer.json())
        asked += 1
        if item["get"].get("security") != []:
            refused = box.ask("/api/v1" + path + QUERIES.get(path, ""))
            assert refused.status == 401
            check(schemas, spec, item["get"], 401, refused.json())
    assert asked >= 11


def test_orders_and_sessions_answer_as_written(box, spec, schemas):
    robot = {"token": box.tokens["robot"]}
    for path, real, body, status in (
            ("/uplinks/{name}", "/uplinks/isp1", {"state": "down"}, 200),
            ("/uplinks/{name}", "/uplinks/isp1", {"state": "up"}, 200),
            ("/uplinks/{name}", "/uplinks/isp1", {"state": "sideways"}, 400),
            ("/uplinks/{name}", "/uplinks/none", {"state": "up"}, 404),
            ("/peers/{name}/restart", "/peers/hub/restart", {}, 200),
            ("/peers/{name}/rekey", "/peers/hub/rekey", {}, 200),
            ("/peers/{name}/restart", "/peers/none/restart", {}, 404)):
        answer = box.ask("/api/v1" + real, "POST", body, **robot)
        assert answer.status == status, (real, answer.body)
        check(schemas, spec, spec["paths"][path]["post"], status, answer.json())
    denied = box.ask("/api/v1/uplinks/isp1", "POST", {"state": "up"}, token=box.tokens["scrape"])
    assert denied.status == 403
    check(schemas, spec, spec["paths"]["/uplinks/{name}"]["post"], 403, denied.json())
    source = box.client()
    good = box.login("alice", source=source)
    check(schemas, spec, spec["paths"]["/login"]["post"], good.status, good.json())
    bad = box.login("alice", "wrong", source=source)
    check(schemas, spec, spec["paths"]["/login"]["post"], bad.status, bad.json())
    out = box.ask("/api/v1/logout", "POST", cookie=good.cookie(), source=source,
                  headers={"X-CSRF-Token": good.json().get("csrf", "")})
    check(schemas, spec, spec["paths"]["/logout"]["post"], out.status, out.json())
    # What is asked wrongly.
    wrong = box.ask("/api/v1/events?limit=x", token=box.tokens["scrape"])
    check(schemas, spec, spec["paths"]["/events"]["get"], wrong.status, wrong.json())


def test_while_edged_is_away_it_says_so(box, spec, schemas):
    box.lab.stop("box-edged", signal="SIGTERM")
    box.wait_link(False)
    for path, item in spec["paths"].items():
        if "get" in item and "503" in item["get"]["responses"] and path != "/stream":
            answer = box.ask("/api/v1" + path + QUERIES.get(path, ""),
                             token=box.tokens["scrape"])
            assert answer.status == 503, (path, answer.body)
            check(schemas, spec, item["get"], 503, answer.json())
