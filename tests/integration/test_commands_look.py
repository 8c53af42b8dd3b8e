#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""status, explain, history and plan, each against a small installation on a real knotd."""

import hashlib
import json
import os
import pathlib
import re
import subprocess
import sys

from backends import Backend
from installation import BUILD, ZONE, Installation, wait_until
from processes import Cases
from servers import Knotd, free_port

case = Cases()
ROOT = pathlib.Path(__file__).resolve().parents[2]
NAMES = ("web-1", "web-2", "web-3", "web-4")
POOLS = """pools:
  web:
    check: {{ type: file, path: {folder}/states, interval: 100ms, rise: 1, fall: 1, hold_down: 0s }}
    backends:
      - {{ name: web-1, address: 127.0.0.11, site: a }}
      - {{ name: web-2, address: 127.0.0.12, site: a }}
      - {{ name: web-3, address: 127.0.0.13, site: b }}
      - {{ name: web-4, address: 127.0.0.14, site: b }}
"""
ENDPOINTS = """endpoints:
  api.example.test: { pools: [web], ttl: 5s, guard: { max_removal: 50% per 300s } }
  db.example.test:
    pools: [web]
    ttl: 5s
    guard: { min_healthy: 3, max_removal: 100% per 1s }
"""
API, DB = f"api.{ZONE}.", f"db.{ZONE}."


class Small(Installation):
    """Four backends, two endpoints, one planner, two enactors, a janitor."""

    def __init__(self, server, **more):
        super().__init__(server, **more)
        self.head = self.head.replace("retention: 1s", "retention: 1h")
        self.verdicts()
        self.text = POOLS.format(folder=self.folder) + ENDPOINTS
        self.configure(self.text)

    def verdicts(self, down=()):
        """What the checks say from now on."""
        lines = [f"{name} {'down' if name in down else 'up'}\n" for name in NAMES]
        temporary = self.folder / "states.new"
        temporary.write_text("".join(lines))
        temporary.rename(self.folder / "states")

    def begin(self):
        self.planner()
        self.janitor()
        self.enactors(2)
        wait_until(lambda: self.json("status")["endpoints"]["in_step"] == 2, self.logs)
        wait_until(lambda: self.json("explain", API)["state"] == "in-step", self.logs)
        # The marks that its first writing leaves in the plan.
        wait_until(lambda: self.json("explain", API)["plan"]["claimed"], self.logs)
        return self

    def call(self, *words, config=None):
        return subprocess.run(
            [BUILD / "holdfast", *words, "-c", config or self.config], capture_output=True,
            text=True, timeout=60, stdin=subprocess.DEVNULL, cwd=self.folder)

    def text_of(self, *words, status=0, **more):
        result = self.call(*words, **more)
        assert result.returncode == status, (words, result.returncode, result.stdout, result.stderr)
        return result.stdout

    def json(self, *words, status=0, **more):
        document = json.loads(self.text_of(*words, "--output", "json", status=status, **more))
        assert document["version"] == 1 and document["installation"] == self.owner, document
        return document

    def wait_alert(self, code, patience_s=45):
        """The alert of the status with this code, as soon as there is one."""
        def look():
            return next((a for a in self.json("status")["alerts"] if a["code"] == code), None)
        return wait_until(look, lambda: f"{code}: {self.json('status')['alerts']}", patience_s)

    def wait_backend(self, endpoint, name, reason):
        def look():
            rows = self.json("explain", endpoint)["backends"]
            return next((b for b in rows if b["name"] == name and b["reason"] == reason), None)
        return wait_until(look, lambda: self.json("explain", endpoint))

    def wait_state(self, endpoint, state):
        def look():
            document = self.json("explain", endpoint)
            return document if document["state"] == state else None
        return wait_until(look, lambda: self.json("explain", endpoint))

    def end_all(self):
        """As they end when asked to: one that is killed may leave a transaction behind, which the
        next who opens the store takes back."""
        for process in self.processes:
            process.stop()


def digest(path):
    return hashlib.sha256(pathlib.Path(path).read_bytes()).hexdigest()


def keys_of(value):
    if isinstance(value, dict):
        for key, inner in value.items():
            yield key
            yield from keys_of(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from keys_of(inner)


def expect_documented(*documents):
    """Every key is in the reference, in a code span."""
    text = (ROOT / "docs/reference/output.md").read_text()
    known = set(re.findall(r"`([a-z_]+)`", text))
    missing = {key for document in documents for key in keys_of(document)} - known
    assert not missing, f"not in docs/reference/output.md: {sorted(missing)}"


@case(Knotd)
def all_well(kind):
    with kind(zones=[ZONE]) as server, Small(server).begin() as prod:
        status = prod.json("status", "--exit-code")
        assert status["well"] and not status["alerts"] and not status["problems"], status
        assert status["store"]["state"] == "open" and status["head"]["generation"] > 0, status
        assert status["planner"]["alive"] and status["janitor"]["alive"], status
        assert [e["alive"] for e in status["enactors"]] == [True, True], status["enactors"]
        zone = status["enactors"][0]["zones"][0]
        assert (zone["zone"], zone["state"], zone["behind"]) == (f"{ZONE}.", "open", 0), zone
        assert status["backends"]["up"] == 4, status["backends"]
        text = prod.text_of("status", "--exit-code")
        assert "prod  nothing needs a person\n" in text and "2, 2 in step" in text, text
        assert "\x1b" not in text and not text.endswith("\n\n"), text
        explained = prod.json("explain", API.upper()[:-1])
        assert explained["server"]["addresses"] == explained["plan"]["addresses"], explained
        assert explained["server"]["fence"]["agrees"] and explained["server"]["ttl_s"] == 5
        assert explained["server"]["fence"]["generation"] == explained["plan"]["generation"]
        assert explained["server"]["fence"]["writer"].startswith("enactor-"), explained
        assert {(b["reason"], b["answered"]) for b in explained["backends"]} == {("in", True)}
        text = prod.text_of("explain", API)
        assert "the server answers what the plan says" in text, text
        assert "records and fence agree" in text and "127.0.0.11, 127.0.0.12" in text, text
        planned = prod.json("plan", "--exit-code")
        assert not planned["changes"] and planned["held"] is None, planned
        assert planned["verdicts"]["source"] == "planner", planned["verdicts"]
        assert "Nothing would change." in prod.text_of("plan")
        history = prod.json("history")
        one = prod.json("history", API)
        assert history["plans"][0]["generation"] == status["head"]["generation"], history
        assert one["changes"][-1]["cause"] == "created", one
        expect_documented(status, explained, planned, history, one)


@case(Knotd)
def colours_only_where_they_are_wanted(kind):
    with kind(zones=[ZONE]) as server, Small(server).begin() as prod:
        for words in (["status"], ["explain", API], ["history"], ["plan"]):
            plain = prod.text_of(*words, "--color", "never")
            coloured = prod.text_of(*words, "--color", "always")
            assert "\x1b[" in coloured and "\x1b" not in plain, words
            assert not re.search(r"[^\x20-\x7e\n]", plain), plain


@case(Knotd)
def a_backend_that_is_down(kind):
    with kind(zones=[ZONE]) as server, Small(server).begin() as prod:
        prod.verdicts(down=["web-2"])
        row = prod.wait_backend(API, "web-2", "out-down")
        assert row["verdict"] == "down" and not row["in"] and "down since" in row["why"], row
        explained = prod.wait_state(API, "in-step")
        assert explained["plan"]["cause"] == "health" and explained["plan"]["backend"] == "web-2"
        assert "127.0.0.12" not in explained["server"]["addresses"], explained
        assert re.search(r"web-2 +127.0.0.12 +a +out +no +down since", prod.text_of("explain", API))
        status = prod.json("status")
        assert status["backends"]["down"] == 1, status["backends"]
        assert re.search(r"web-2 +web +a +down", prod.text_of("status"))
        change = prod.json("history", API, "--max", "1")["changes"]
        assert len(change) == 1 and change[0]["removed"] == ["127.0.0.12"], change
        assert change[0]["added"] == [] and change[0]["backend"] == "web-2", change
        text = prod.text_of("history", API)
        assert "    - 127.0.0.12\n" in text and "health of web-2" in text, text
        prod.verdicts()
        prod.wait_backend(API, "web-2", "in")
        assert "    + 127.0.0.12\n" in prod.text_of("history", API)


@case(Knotd)
def too_few_healthy_and_a_plan_that_waits(kind):
    with kind(zones=[ZONE]) as server, Small(server).begin() as prod:
        prod.verdicts(down=["web-2", "web-3", "web-4"])
        lacking = prod.wait_alert("min-healthy")
        assert lacking["severity"] == "critical" and DB in lacking["text"], lacking
        held = prod.wait_alert("held")
        assert re.fullmatch(r"holdfast approve [0-9a-f]{16}", held["command"]), held
        assert prod.call("status", "--exit-code").returncode == 1
        rows = [row for row in prod.json("explain", DB)["backends"] if row["reason"] == "in-held"]
        assert rows, prod.json("explain", DB)
        for row in rows:
            assert "held by min_healthy" in row["why"] and row["answered"], row
            assert row["in"] and row["verdict"] == "down", row
        assert prod.json("explain", DB)["hold"]["guard"] == "min_healthy"
        hold = prod.json("explain", API)["hold"]
        assert hold["guard"] == "max_removal" and hold["until_ms"], hold
        planned = prod.json("plan", "--exit-code", status=3)
        guards = {row["endpoint"]: row["guard"] for row in planned["held"]["endpoints"]}
        assert guards == {API: "max_removal", DB: "min_healthy"}, guards
        status = prod.json("status")
        assert planned["held"]["id"] == status["planner"]["held"]["id"], (planned, status)
        expect_documented(planned, status, prod.json("explain", DB))
        text = prod.text_of("plan")
        assert held["command"] in text and "more capacity would leave" in text, text
        prod.text_of(*held["command"].split()[1:])
        wait_until(lambda: prod.json("explain", API)["hold"] is None, prod.logs)
        assert len(prod.wait_state(API, "in-step")["server"]["addresses"]) == 1


@case(Knotd)
def drained(kind):
    with kind(zones=[ZONE]) as server, Small(server).begin() as prod:
        prod.text_of("drain", "web-1", "--why", "new disk", "--as", "ann")
        row = prod.wait_backend(API, "web-1", "out-drained")
        assert "drained by ann" in row["why"] and "new disk" in row["why"], row
        assert row["drain"]["who"] == "ann", row
        explained = prod.json("explain", API)
        assert [o["kind"] for o in explained["overrides"]] == ["drain-backend"], explained
        expect_documented(explained)
        status = wait_until(
            lambda: (s := prod.json("status"))["backends"]["drained"] == 1 and s, prod.logs)
        assert status["well"] and status["overrides"][0]["subject"] == "web-1", status
        assert "drain-backend" in prod.text_of("explain", API)
        prod.text_of("undrain", "web-1")
        prod.text_of("drain", "b", "--why", "power")
        assert "site b was drained" in prod.wait_backend(API, "web-3", "out-drained")["why"]


@case(Knotd)
def frozen(kind):
    with kind(zones=[ZONE]) as server, Small(server).begin() as prod:
        prod.text_of("freeze", ZONE, "--why", "moving", "--as", "ann")
        alert = prod.wait_alert("zone-frozen")
        assert "ann" in alert["text"] and "moving" in alert["text"], alert
        assert alert["command"] == f"holdfast thaw {ZONE}.", alert
        wait_until(lambda: prod.json("status")["endpoints"]["frozen"] == 2, prod.logs)
        prod.verdicts(down=["web-1"])
        explained = prod.wait_state(API, "behind")
        wait_until(lambda: "its zone is frozen" in prod.json("explain", API)["text"], prod.logs)
        assert explained["server"]["fence"]["generation"] < explained["plan"]["generation"]
        prod.text_of(*alert["command"].split()[1:])
        prod.wait_state(API, "in-step")


@case(Knotd)
def edited_by_hand(kind):
    with kind(zones=[ZONE]) as server, Small(server).begin() as prod:
        enactors = [p for p in prod.processes if "enactor" in p.words]
        for enactor in enactors:
            prod.pause(enactor)
        prod.edit(("replace", "api", 5, "A", "192.0.2.9"))
        explained = prod.wait_state(API, "edited")
        assert explained["server"]["addresses"] == ["192.0.2.9"], explained
        assert not explained["server"]["fence"]["agrees"], explained
        assert "do not agree" in prod.text_of("explain", API)
        prod.edit(("delete", "_holdfast.api"))
        prod.wait_state(API, "fence-missing")
        for enactor in enactors:
            enactor.resume()
        prod.wait_state(API, "in-step")


@case(Knotd)
def records_of_a_stranger(kind):
    with kind(zones=[ZONE]) as server, Small(server) as prod:
        prod.edit(("add", "api", 60, "A", "192.0.2.7"))
        prod.planner()
        prod.enactor(1)
        alert = prod.wait_alert("foreign")
        assert alert["command"] == f"holdfast adopt {API}" and API in alert["text"], alert
        explained = prod.wait_state(API, "foreign")
        assert explained["command"] == alert["command"], explained
        prod.text_of(*alert["command"].split()[1:])
        prod.wait_state(API, "in-step")


@case(Knotd)
def another_installation_on_the_zone(kind):
    with kind(zones=[ZONE]) as server, Small(server).begin() as prod, \
            Small(server, owner="other") as other:
        other.planner()
        other.enactor(1)
        alert = other.wait_alert("zone-refused")
        assert alert["severity"] == "critical" and "owner prod" in alert["text"], alert
        assert alert["command"] == f"holdfast adopt --zone {ZONE}.", alert
        first = other.text_of("status").splitlines()
        assert first[0].startswith("other  ") and "is refused" in first[1], first
        assert alert["command"] in first[2], first
        explained = wait_until(lambda: (e := other.json("explain", API))["plan"] and e, other.logs)
        assert explained["state"] == "foreign", explained
        assert explained["server"]["fence"]["state"] == "alien", explained
        assert prod.json("status")["well"]


@case(Knotd)
def dead_roles(kind):
    with kind(zones=[ZONE]) as server, Small(server).begin() as prod:
        prod.end_all()
        assert prod.wait_alert("planner-dead")["severity"] == "critical"
        assert prod.wait_alert("no-enactor")["severity"] == "critical"
        assert prod.wait_alert("enactor-dead")["subject"].startswith("enactor-")
        status = prod.json("status")
        assert not status["planner"]["alive"] and not status["enactors"][0]["alive"], status
        assert status["alerts"][0]["severity"] == "critical", status["alerts"]
        prod.text_of("drain", "web-1")
        explained = prod.wait_state(API, "pending")
        assert "last sign of life" in explained["text"], explained
        planned = prod.json("plan", "--exit-code", status=3)
        assert planned["changes"][0]["cause"] == "drain", planned


@case(Knotd)
def plan_of_another_configuration(kind):
    with kind(zones=[ZONE]) as server, Small(server).begin() as prod:
        prod.end_all()
        other = prod.folder / "other.yaml"
        text = prod.text.replace("web-4, address: 127.0.0.14", "web-9, address: 127.0.0.19")
        text = text.replace("  db.", "  new.").replace("ttl: 5s, guard", "ttl: 7s, guard")
        other.write_text(prod.head + text)
        def state():
            modified = os.stat(prod.store).st_mtime_ns
            return digest(prod.store), modified, sorted(os.listdir(prod.folder))
        before = state()
        planned = prod.json("plan", "--exit-code", status=3, config=other)
        rows = {row["endpoint"]: row for row in planned["changes"]}
        created = rows[f"new.{ZONE}."]
        assert created["action"] == "create" and created["ttl_before_s"] is None, created
        assert {a["backend"] for a in created["added"]} >= {"web-1", "web-2"}, created
        changed = rows[API]
        assert changed["action"] == "change", changed
        assert (changed["ttl_before_s"], changed["ttl_s"]) == (5, 7), changed
        assert planned["orphans"] == [DB], planned["orphans"]
        assert planned["next_generation"] == planned["head_generation"] + 1, planned
        assert planned["summary"]["create"] == 1 and planned["summary"]["orphans"] == 1, planned
        expect_documented(planned)
        shown = prod.text_of("plan", config=other)
        assert f"  + new.{ZONE}.  created\n" in shown and f"  ~ {API}" in shown, shown
        assert "      ~ ttl 7s, was 5s\n" in shown and f"retire {DB}" in shown, shown
        assert "Plan: 1 to create, 1 to change, 0 to retire" in shown, shown
        after = state()
        assert after == before, f"{before}\n{after}"


@case(Knotd)
def plan_with_real_checks(kind):
    def silent(visit):
        visit.wait_for_end()
    port = free_port()
    with kind(zones=[ZONE]) as server, Small(server) as prod, \
            Backend(silent, "127.0.0.11", port):
        prod.configure(re.sub(
            r"check: .*", f"check: {{ type: tcp, port: {port}, interval: 200ms, timeout: 150ms }}",
            prod.text))
        planned = prod.json("plan", "--check")
        assert planned["verdicts"]["source"] == "checks", planned["verdicts"]
        assert (planned["verdicts"]["up"], planned["verdicts"]["down"]) == (1, 3), planned
        added = {row["endpoint"]: [a["backend"] for a in row["added"]]
                 for row in planned["changes"]}
        assert added[API] == ["web-1"], added
        assert len(added[DB]) == 4, "too few healthy: all of them"
        assert not prod.store.exists()


@case(Knotd)
def no_store(kind):
    with kind(zones=[ZONE]) as server, Small(server) as prod:
        status = prod.json("status")
        assert status["store"]["state"] == "missing" and status["head"] is None, status
        assert status["alerts"][0]["code"] == "store-missing", status["alerts"]
        assert prod.call("status", "--exit-code").returncode == 1
        planned = prod.json("plan", "--exit-code", status=3)
        assert [row["action"] for row in planned["changes"]] == ["create", "create"], planned
        assert planned["store"] == "missing" and planned["verdicts"]["source"] == "none", planned
        text = prod.text_of("plan")
        assert "everything is a creation" in text and "No verdicts are known" in text, text
        explained = prod.json("explain", API)
        assert explained["state"] == "not-planned" and explained["plan"] is None, explained
        assert prod.call("history").returncode == 1
        expect_documented(status, planned, explained)
        assert not prod.store.exists()


@case(Knotd)
def a_store_that_is_locked_or_damaged(kind):
    with kind(zones=[ZONE]) as server, Small(server).begin() as prod:
        prod.end_all()
        with prod.store_locked():
            status = prod.json("status")
            assert status["store"]["state"] == "locked", status["store"]
            assert status["alerts"][0]["code"] == "store-locked", status["alerts"]
            assert prod.call("plan").returncode == 1
        size = prod.store.stat().st_size
        prod.store.write_bytes(b"no database at all" + bytes(size - 18))
        before = digest(prod.store)
        status = prod.json("status")
        assert status["store"]["state"] in ("damaged", "foreign"), status["store"]
        assert status["alerts"][0]["severity"] == "critical", status["alerts"]
        assert prod.call("plan").returncode == 1
        explained = prod.json("explain", API)
        assert explained["state"] == "plan-unknown", explained
        assert explained["server"]["addresses"], "the server is asked all the same"
        assert digest(prod.store) == before


@case(Knotd)
def names_that_are_none(kind):
    with kind(zones=[ZONE]) as server, Small(server) as prod:
        result = prod.call("explain", f"apl.{ZONE}")
        assert result.returncode == 1 and "did you mean" in result.stderr, result.stderr
        assert API in result.stderr, result.stderr
        assert prod.call("explain", "api").stderr.count(API) == 1
        assert prod.call("explain", "a..b").returncode == 2
        assert prod.call("explain").returncode == 2
        assert prod.call("history", "a..b").returncode == 2
        assert prod.call("history", "--max", "none").returncode == 2


@case(Knotd)
def a_server_that_is_silent(kind):
    with kind(zones=[ZONE]) as server, Small(server).begin() as prod:
        server.kill()
        explained = prod.json("explain", API)
        assert explained["state"] == "server-silent" and not explained["server"]["asked"], explained
        assert explained["plan"]["addresses"], explained
        prod.verdicts(down=["web-1"])
        alert = prod.wait_alert("zone-unreachable")
        assert str(server.port) in alert["text"], alert


@case(Knotd)
def retired_and_rolled_back(kind):
    with kind(zones=[ZONE]) as server, Small(server).begin() as prod:
        gen = prod.json("explain", API)["plan"]["generation"]
        prod.verdicts(down=["web-2"])
        prod.wait_backend(API, "web-2", "out-down")
        prod.text_of("rollback", API, "--to", str(gen), "--why", "try")
        row = prod.wait_backend(API, "web-2", "in-pinned")
        assert f"rolled back to generation {gen}" in row["why"], row
        assert prod.json("status")["endpoints"]["pinned"] == 1
        prod.text_of("retire", DB, "--yes", "--why", "old")
        explained = wait_until(
            lambda: (e := prod.json("explain", DB))["kind"] == "retired" and e, prod.logs)
        assert explained["plan"]["retired"] and not explained["plan"]["addresses"], explained


if __name__ == "__main__":
    sys.exit(case.main())
