#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""The API of a live `holdfast run` with a real knotd: answers against the contract, actions and
what they do, events, roles, faults."""

import concurrent.futures
import http.server
import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time

from apihelp import OPERATOR, READ, ApiRun, Stream, running
from probes import Cases
from rundir import HOST, NAMES, wait_for

case = Cases()
API = NAMES[0]
ODD = "<b>\"\\ \u2028\u00e4\n"  # what a reason may be


def wait_state(client, name, wanted):
    def look():
        rows = client.get(f"/api/v1/endpoints?search={name}")["endpoints"]
        last[:] = rows
        return rows and wanted(rows[0]) and rows[0]
    last = []
    return wait_for(look, lambda: f"{name} to be as wanted: {last}")


# --- answers ---


def every_answer_is_as_described(run):
    client = run.tcp()
    for path in client.contract.reads():
        if path in ("/api/v1/events", "/metrics"):
            continue
        client.get(path)
    assert client.get("/openapi.json") == client.contract.document
    for name in (API, API.rstrip("."), API.upper()):
        wait_for(lambda name=name: client.get(f"/api/v1/endpoints/{name}")["state"] == "in-step",
                 f"{name} to be in step")
        assert client.get(f"/api/v1/endpoints/{name}?ask=no")["endpoint"] == API
    assert client.get(f"/api/v1/endpoints/{API}?ask=no")["server"]["asked"] is False
    head = client.get("/api/v1/status")["head"]["generation"]
    for target in (f"endpoints/{API}/history", f"endpoints/{API}/writes?limit=3",
                   f"plans/{head}", "plans/head/diff?from=0", f"plans/0/diff?from={head}",
                   "status?detail=full", "writes?kind=written", "endpoints?state=in-step",
                   "endpoints?match=prefix&search=API", "backends?verdict=up&site=a&search=WEB",
                   "backend-columns?site=b", "plans?limit=1", "status?format=pretty"):
        client.get(f"/api/v1/{target}")


def pages_are_whole(run):
    client = run.tcp()
    for path, key in (("endpoints", "endpoints"), ("backends", "backends")):
        seen, after = [], ""
        while after is not None:
            found = client.get(f"/api/v1/{path}?limit=2" + (f"&after={after}" if after else ""))
            seen += [row["name"] for row in found[key]]
            after = found["next"]
        assert seen == sorted(set(seen)) and len(seen) == found["total"], seen
    plans, after = [], ""
    while after is not None:
        found = client.get("/api/v1/plans?limit=2" + (f"&after={after}" if after else ""))
        plans += [row["generation"] for row in found["plans"]]
        after = found["next"]
    assert plans == sorted(set(plans), reverse=True) and plans[-1] == 1, plans
    ways = [client.get(f"/api/v1/plans/{to}/diff?from={start}")
            for to, start in ((plans[0], 0), (0, plans[0]))]
    assert [way["summary"]["create"] for way in ways] == [3, 0], ways[0]["summary"]
    assert [way["summary"]["leave"] for way in ways] == [0, 3], ways[1]["summary"]


def errors_say_what_is_wrong(run):
    client = run.tcp()
    for target, status, code in (
            ("endpoints/nothing.example.test", 404, "not-found"),
            ("endpoints/a..b", 400, "bad-request"),
            ("nothing", 404, "not-found"), ("status?detail=much", 400, "bad-request"),
            ("status?x=1", 400, "bad-request"), ("endpoints?limit=0", 400, "bad-request"),
            ("endpoints?limit=1001", 400, "bad-request"), ("endpoints?zone=x", 400, "bad-request"),
            ("endpoints?state=odd", 400, "bad-request"), ("plans/99999999", 404, "not-found"),
            ("plans/x", 404, "not-found"), ("plans/1/diff?from=-1", 404, "not-found"),
            ("incidents?state=open&format=text", 400, "bad-request"),
            ("plans?after=x", 400, "bad-request")):
        connection = client.connection()
        connection.request("GET", f"/api/v1/{target}")
        reply = connection.getresponse()
        error = json.loads(reply.read())["error"]
        assert (reply.status, error["code"]) == (status, code), (target, reply.status, error)
        connection.close()
    near = client.ask("GET", "/api/v1/endpoints/apj.example.test")[2]["error"]
    assert near["nearest"][0] == API, near


def an_etag_spares_the_body(run):
    client = run.tcp()
    for _ in range(20):  # something may change between the two
        _, headers, _ = client.ask("GET", "/api/v1/status")
        status, again, body = client.ask("GET", "/api/v1/status", If_None_Match=headers["ETag"])
        if status == 304:
            assert body == "" and again["ETag"] == headers["ETag"]
            return
    raise AssertionError("an answer that did not change was sent again and again")


def nothing_leaks(run):
    client = run.tcp()
    secrets = [run.secret(), READ, OPERATOR]
    for path in client.contract.reads():
        if path != "/api/v1/events":
            text = json.dumps(client.ask("GET", path)[2])
            assert not any(secret in text for secret in secrets), path


@case
def answers():
    with running() as run:
        every_answer_is_as_described(run)
        pages_are_whole(run)
        errors_say_what_is_wrong(run)
        an_etag_spares_the_body(run)
        nothing_leaks(run)
        the_command_line_says_the_same(run)


def the_command_line_says_the_same(run):
    def normal(text):
        text = re.sub(r'"(now_ms|seen_ms|at_ms|checked_ms)": \d+', "", text)
        text = re.sub(r"\b(now|\d+[smh] ago)\b *", "", text)
        return re.sub(r'"(duration_us|latency_ms|window|messages|refused|why|last_check)": .*|'
                      r"\d+(ms| ms)\b", "", text)

    for words in (["status"], ["explain", API], ["history", API], ["history", "-n", "3"],
                  ["history", "--actions"], ["explain", "nothing.example.test"],
                  ["explain", "a..b"], ["incident"], ["incident", "show", "1"],
                  ["incident", "show", "x"]):
        for output in ("text", "json"):
            def both():
                told, direct = (run.holdfast(*words, "--output", output, *more)
                                for more in ([], ["--direct"]))
                same = (told.returncode, normal(told.stdout), told.stderr) == \
                    (direct.returncode, normal(direct.stdout), direct.stderr)
                return same or print(told.stdout, direct.stdout, told.stderr, direct.stderr,
                                     file=sys.stderr)
            wait_for(both, f"{words} as {output} to be the same with and without a daemon", 10)


# --- actions ---


def actions_do_what_they_say(run):
    client = run.tcp(OPERATOR)
    seen = client.get("/api/v1/status")["basis"]["words"]
    assert client.post("drain", {"subject": "web-1", "why": ODD}, seen)[0] == 200
    wait_for(lambda: "127.0.0.11" not in (run.query(API) or ["127.0.0.11"]), "web-1 to leave")
    member = next(row for row in client.get(f"/api/v1/endpoints/{API}")["backends"]
                  if row["name"] == "web-1")
    assert member["drain"]["who"] == "ann" and member["drain"]["why"] == ODD, member
    assert client.post("undrain", {"subject": "web-1"})[0] == 200
    assert client.post("freeze", {"zone": "example.test"})[0] == 200
    causes = [row for plan in client.get("/api/v1/plans")["plans"] for row in plan["causes"]
              if (row["cause"], row["backend"]) == ("drain", "web-1")]
    assert causes and causes[-1]["serves"] == 0 < causes[-1]["endpoints"], causes
    row = wait_state(client, API, lambda row: "frozen" in row["states"])
    assert row["name"] == API
    assert client.post("thaw", {})[0] == 200
    wait_state(client, API, lambda row: row["states"] == ["in-step"])
    wait_for(lambda: "127.0.0.11" in (run.query(API) or []), "web-1 to return")
    told = client.get("/api/v1/actions?limit=4")["actions"]
    assert [row["command"] for row in told] == ["thaw", "freeze", "undrain", "drain"], told
    assert {row["who"] for row in told} == {"ann"} and {row["via"] for row in told} == {"api"}
    assert client.get("/api/v1/actions?subject=web-1&limit=1")["actions"][0]["command"] == "undrain"


def a_rollback_is_based_on_what_was_seen(run):
    client = run.tcp(OPERATOR)
    seen = client.get(f"/api/v1/endpoints/{API}")
    oldest = client.get(f"/api/v1/endpoints/{API}/history")["changes"][-1]["generation"]
    body = {"endpoint": API, "to": oldest, "why": "test"}
    assert client.post("rollback", body, "r0.g1")[0] == 412
    status, _ = client.post("rollback", body, seen["basis"])
    assert status == 200
    wait_for(lambda: client.get(f"/api/v1/endpoints/{API}")["plan"]["pinned"], "it to be pinned")
    status, found = client.post("rollback", body, seen["basis"])
    assert status == 412 and found["error"]["code"] == "changed", found
    now = client.get(f"/api/v1/endpoints/{API}")["basis"]
    assert now == found["error"]["basis"], (now, found)
    assert client.post("release", {"endpoint": API}, now)[0] == 200
    wait_for(lambda: not client.get(f"/api/v1/endpoints/{API}")["plan"]["pinned"], "its release")


def of_two_with_one_basis_one_wins(run):
    client = run.tcp(OPERATOR)
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        for _ in range(5):
            seen = client.get("/api/v1/status")["basis"]["words"]
            done = list(pool.map(lambda number: client.post(
                "drain", {"subject": f"web-{number}"}, seen)[0], range(1, 7)))
            assert sorted(done) == [200] + [412] * 5, done
            for word in client.get("/api/v1/status?fresh=yes")["overrides"]:
                assert client.post("undrain", {"subject": word["subject"]})[0] == 200


def only_operators_act(run):
    body = {"subject": "web-2"}
    for client, wanted in ((run.tcp(), 403), (run.tcp(READ), 403), (run.tcp("x" * 20), 401)):
        status, found = client.post("drain", body)
        assert status == wanted, (status, found)
    for token, who, role in ((READ, "page", "read"), (OPERATOR, "ann", "operator")):
        found = run.tcp(token).get("/api/v1/me")
        assert (found["who"], found["role"]) == (who, role), found
    done = subprocess.run(f"cd / && {found['command']} status", shell=True, capture_output=True,
                          text=True, timeout=30)
    assert done.returncode == 0 and done.stdout.startswith("quickstart"), (found, done)
    assert run.unix().get("/api/v1/me")["role"] == "operator"
    assert run.tcp().get("/api/v1/status")["overrides"] == []


def wrong_actions_do_nothing(run):
    client = run.tcp(OPERATOR)
    status, _, found = client.ask("POST", "/api/v1/drain", {"subject": "web-1"})
    assert (status, found["error"]["code"]) == (428, "no-basis"), found
    for action, body, wanted in (
            ("drain", {"subject": "web-9"}, 409), ("drain", {}, 400), ("drain", [], 400),
            ("drain", {"subject": 7}, 400), ("drain", {"subject": "web-1", "x": 1}, 400),
            ("drain", {"subject": "web-1", "why": "x" * 1001}, 400),
            ("rollback", {"endpoint": API}, 400), ("rollback", {"to": 1}, 409),
            ("rollback", {"endpoint": API, "to": 10 ** 9}, 409),
            ("undrain", {"subject": "web-1"}, 409),
            ("retire", {"endpoint": API}, 400), ("retire", {"endpoint": API, "confirm": "b."}, 400),
            ("approve", {"plan": "0" * 16}, 409), ("release", {"endpoint": API}, 409)):
        status, found = client.post(action, body)
        assert status == wanted, (action, body, status, found)
    assert client.get("/api/v1/status")["overrides"] == []


@case
def actions():
    with running() as run:
        only_operators_act(run)
        wrong_actions_do_nothing(run)
        actions_do_what_they_say(run)
        a_rollback_is_based_on_what_was_seen(run)
        of_two_with_one_basis_one_wins(run)
        done = run.holdfast("drain", "web-3", "--why", "by command")
        assert done.returncode == 0 and "web-3 drains" in done.stdout, done
        found = run.unix().get("/api/v1/actions?limit=1")["actions"][0]
        assert (found["command"], found["why"], found["via"]) == ("drain", "by command", "api")
        assert run.holdfast("undrain", "web-3", "--direct").returncode == 0
        found = run.unix().get("/api/v1/actions?limit=1")["actions"][0]
        assert (found["command"], found["via"]) == ("undrain", "command"), found


# --- events and faults ---


@case
def events():
    with running() as run:
        stream = Stream(run.tcp())
        stream.wait("beat")
        run.fail(0)
        try:
            stream.wait("verdicts", lambda data: any(
                (row["name"], row["verdict"]) == ("web-1", "down") for row in data["changed"]))
            head = stream.wait("head")[2]["generation"]
            stream.wait("enactor", lambda data: data["plan_generation"] >= head)
            stream.wait("writes", lambda data: any(
                (row["kind"], row["endpoint"]) == ("written", API) for row in data["writes"]))
        finally:
            run.recover(0)
        run.holdfast("freeze")
        stream.wait("words")
        stream.wait("alerts", lambda data: not data["well"])
        run.holdfast("thaw")
        last = stream.last()
        again = Stream(run.tcp(), last)
        again.wait("beat")
        assert not any(name == "reset" for _, name, _ in again.events), again.events
        pid = run.pid("api")
        others = {name: row["pid"] for name, row in run.state().items() if name != "api"}
        os.kill(pid, signal.SIGKILL)
        for open_stream in (stream, again):
            open_stream.wait_end()
        wait_for(lambda: run.pid("api") != pid, "another API")
        run.wait_ready()
        late = Stream(run.tcp(), last)
        late.wait("reset")
        assert others == {name: row["pid"] for name, row in run.state().items() if name != "api"}
        os.kill(run.pid("api"), signal.SIGHUP)
        late.wait_end()
        run.wait_ready()


class Heard(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.heard.append(json.loads(body))
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_):
        pass


@case
def a_receiver_hears_of_an_incident_and_people_add_messages():
    with ApiRun() as run, http.server.ThreadingHTTPServer((HOST, 0), Heard) as hook:
        hook.heard = []
        threading.Thread(target=hook.serve_forever, daemon=True).start()
        (run.folder / "hook.key").write_text("0123456789abcdef0123456789abcdef\n")
        (run.folder / "hook.key").chmod(0o600)
        with run.config.open("a") as file:
            file.write(f"alerts: {{ receivers: {{ page: {{ type: webhook, secret_file: hook.key, "
                       f"url: 'http://{HOST}:{hook.server_port}/' }} }} }}\n")
        run.begin()
        assert run.holdfast("freeze", "--why", "a look").returncode == 0

        def heard(part):
            return any(part in json.dumps(body) for body in hook.heard)
        wait_for(lambda: heard("frozen"), lambda: f"a notice of the freeze: {hook.heard}")
        found = wait_for(lambda: run.tcp().get("/api/v1/incidents?state=open")["incidents"],
                         "an open incident")
        run.tcp().get(f"/api/v1/incidents/{found[0]['number']}")
        text = {"text": "We look at it.", "public": True}
        status, _, said = run.tcp(OPERATOR).ask(
            "POST", f"/api/v1/incidents/{found[0]['number']}/messages", text)
        assert status == 200 and said["incident"]["messages"][0]["who"] == "ann", said
        number = str(found[0]["number"])
        done = run.holdfast("incident", "message", number, "By command.")
        assert (done.returncode, done.stdout) == (0, f"message added to incident {number}\n"), done
        told = run.tcp().get("/api/v1/actions?limit=1")["actions"][0]
        assert (told["command"], told["text"], told["via"]) == \
            ("incident message", "By command.", "api"), told
        done = run.holdfast("incident", "message", "99", "To nobody.")
        assert done.returncode == 1 and "there is no incident 99" in done.stderr, done
        for words, output in ((["list"], "text"), (["list"], "json"), (["show", number], "text"),
                              (["show", number], "json")):
            def both(words=words, output=output):
                told, direct = (re.sub(r"now_ms.*|\d+(ms|s)\b|lost_ms.*", "", run.holdfast(
                    "incident", *words, "--output", output, *more).stdout)
                    for more in ([], ["--direct"]))
                return told == direct and ("By command." in told or words == ["list"])
            wait_for(both, f"incident {words} as {output} to be the same over the API", 10)
        hook.shutdown()


@case
def an_address_in_use_hurts_nobody():
    with ApiRun() as run, socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        other.bind((HOST, run.api_port))
        other.listen()
        run.start()
        run.wait_for_names()
        wait_for(lambda: b"event=api_waits" in run.log.read_bytes(), "the API to say so")
        assert run.holdfast("status").returncode == 0
        assert run.state()["api"]["restarts"] == 0, run.state()["api"]
        other.close()
        run.wait_ready()
        assert f"page=http://{HOST}:{run.api_port}/".encode() in run.log.read_bytes()


@case
def a_stopped_api_is_not_waited_for_by_the_kill_switch():
    with running() as run:
        pid = run.pause("api")
        try:
            began = time.monotonic()
            assert run.holdfast("freeze").returncode == 0
            assert run.holdfast("thaw").returncode == 0
            assert time.monotonic() - began < 5, "freeze and thaw waited for the API"
            run.fail(1)
            try:
                wait_for(lambda: "127.0.0.12" not in (run.query(API) or ["127.0.0.12"]),
                         "web-2 to leave")
            finally:
                run.recover(1)
        finally:
            os.kill(pid, signal.SIGCONT)
        run.wait_ready()


@case
def tokens_are_made_where_nobody_has_any():
    with ApiRun() as run:
        text = run.config.read_text().replace(", tokens_file: tokens", "")
        run.config.write_text(text)
        run.begin()
        path = run.data / "api.tokens"
        assert path.stat().st_mode & 0o777 == 0o600
        token = path.read_text().split()[-1]
        found = run.tcp(token).get("/api/v1/me")
        assert (found["who"], found["role"]) == ("admin", "operator"), found
        assert token not in run.log.read_text(), "the log shows a token"


@case
def a_full_disk_is_said_and_reading_goes_on():
    with running() as run:
        client = run.tcp(OPERATOR)
        client.get("/api/v1/status")
        pid = run.pid("api")
        subprocess.run(["prlimit", "--pid", str(pid), "--fsize=4096:"], check=True)
        status, found = client.post("drain", {"subject": "web-1"})
        assert status == 409 and "overrides were not changed" in found["error"]["text"], found
        client.get("/api/v1/status?fresh=yes")
        client.get(f"/api/v1/endpoints/{API}")
        subprocess.run(["prlimit", "--pid", str(pid), "--fsize=unlimited:"], check=True)
        assert client.post("drain", {"subject": "web-1"})[0] == 200


sys.exit(case.main())
