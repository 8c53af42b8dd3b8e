#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Incidents and the status page on a small installation with a real knotd: what opens one, what it
is grouped under, whom it hits, when it closes; who writes at the same time; what customers see."""

import contextlib
import html.parser
import json
import os
import resource
import signal
import sqlite3
import subprocess
import sys
import xml.etree.ElementTree

from installation import BUILD, ZONE, Installation, wait_until
from processes import Cases
from rundir import KNOTD, Run
from servers import Knotd

case = Cases()
NAMES = ("web-1", "web-2", "web-3", "web-4")
API, DB = f"api.{ZONE}.", f"db.{ZONE}."
SECRET = "the switch in rack 7 of edge is dead"
ODD = 'Sh\u00f6p <script>alert(1)</script> & "co" \u202eesrever'
TEXT = """pools:
  web:
    check: {{ type: file, path: {folder}/states, interval: 100ms, rise: 1, fall: 1, hold_down: 0s }}
    backends:
      - {{ name: web-1, address: 127.0.0.11, site: fra }}
      - {{ name: web-2, address: 127.0.0.12, site: fra }}
      - {{ name: web-3, address: 127.0.0.13, site: ams }}
      - {{ name: web-4, address: 127.0.0.14, site: ams }}
endpoints:
  api.example.test: {{ pools: [web], ttl: 5s, guard: {{ max_removal: 100% per 1s }} }}
  db.example.test:
    pools: [web]
    ttl: 5s
    guard: {{ min_healthy: 3, max_removal: 100% per 1s }}
services:
  shop: {{ title: {odd}, description: Ordering, endpoints: [api.example.test] }}
  data: {{ endpoints: [db.example.test] }}
dependents:
  till: {{ title: Tills in shops, services: [shop], criticality: high, tolerates: 10s }}
  both: {{ services: [shop, data] }}
incidents: {{ close_after: 2s }}
statuspage: {{ out: {folder}/page, title: Us, url: https://status.example.test/ }}
"""


class Watched(Installation):
    """Four backends on two sites, two endpoints, two services, two dependents."""

    def __init__(self, server, **more):
        super().__init__(server, **more)
        self.head = self.head.replace("retention: 1s", "retention: 1h")
        self.verdicts()
        self.configure(TEXT.format(folder=self.folder, odd=json.dumps(ODD)))
        self.page = self.folder / "page"

    def verdicts(self, down=()):
        lines = [f"{name} {'down' if name in down else 'up'}\n" for name in NAMES]
        (self.folder / "states.new").write_text("".join(lines))
        (self.folder / "states.new").rename(self.folder / "states")

    def begin(self):
        self.planner()
        self.janitor()
        self.enactors(2)
        wait_until(lambda: self.json("status")["endpoints"]["in_step"] == 2, self.logs)
        wait_until(lambda: self.json("explain", API)["plan"]["claimed"], self.logs)
        return self

    def call(self, *words, **more):
        return subprocess.run(
            [BUILD / "holdfast", *words, "-c", self.config], capture_output=True, text=True,
            timeout=60, stdin=subprocess.DEVNULL, cwd=self.folder, **more)

    def text_of(self, *words, status=0):
        result = self.call(*words)
        assert result.returncode == status, (words, result.returncode, result.stdout, result.stderr)
        return result.stdout + result.stderr

    def json(self, *words):
        return json.loads(self.text_of(*words, "--output", "json"))

    def observe(self):
        """One look; the incidents, open ones first."""
        return self.json("incident", "observe")["incidents"]

    def wait(self, condition, what, patience_s=45):
        """Looks until condition(incidents) is true."""
        def look():
            return condition(self.observe())
        return wait_until(look, lambda: f"{what}: {json.dumps(self.observe(), indent=1)}\n"
                          f"{self.text_of('status')}\n{self.logs()[-3000:]}", patience_s)

    def wait_open(self, code, subject=None):
        """The number of the open incident whose cause this is."""
        def look(incidents):
            return next((i["number"] for i in incidents if i["state"] == "open"
                         and (i["code"], i["subject"]) == (code, subject)), None)
        return self.wait(look, f"{code} {subject} open")

    def wait_closed(self):
        self.wait(lambda incidents: all(i["state"] == "closed" for i in incidents), "all closed")

    def show(self, number):
        return self.json("incident", "show", str(number))["incident"]


def codes(incident):
    return {row["code"] for row in incident["conditions"]}


class Wellformed(html.parser.HTMLParser):
    """Every element is closed where it must be; ids are unique; texts are collected."""

    VOID = {"meta", "link", "br"}

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.open, self.ids, self.words = [], set(), []
        self.feed(text)
        self.close()
        assert not self.open, self.open

    def handle_starttag(self, tag, attrs):
        assert tag not in ("script", "img", "iframe", "object", "form"), tag
        names = [name for name, _ in attrs]
        assert len(names) == len(set(names)) and not any(n.startswith("on") for n in names), attrs
        identity = dict(attrs).get("id")
        assert identity is None or identity not in self.ids, identity
        self.ids.add(identity)
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open and self.open[-1] == tag, (tag, self.open)
        self.open.pop()

    def handle_data(self, data):
        self.words.append(data)


def check_page(prod):
    """All files are whole and tell no secrets; the text that people see, and the JSON."""
    page = (prod.page / "index.html").read_text()
    feed = (prod.page / "feed.atom").read_text()
    status = (prod.page / "status.json").read_text()
    document = Wellformed(page)
    text = "".join(document.words)
    atom = "{http://www.w3.org/2005/Atom}"
    root = xml.etree.ElementTree.fromstring(feed)
    assert root.tag == atom + "feed", root.tag
    for needed in ("id", "title", "updated", "author"):
        assert root.find(atom + needed) is not None, needed
    for entry in root.iter(atom + "entry"):
        for needed in ("id", "title", "updated", "published", "content", "link"):
            assert entry.find(atom + needed) is not None, needed
    for secret in (SECRET, "example.test.", "api.", "127.0.0.", "web-", "edge", "Tills", "enactor",
                   "fra", "ann", str(prod.folder)):
        for name, content in (("page", page), ("feed", feed), ("json", status)):
            cleaned = content.replace("https://status.example.test/", "")
            assert secret not in cleaned, (secret, name, cleaned)
    return text, json.loads(status)


@case(Knotd)
def a_target_that_is_stopped(kind):
    with kind(zones=[ZONE]) as server, Watched(server).begin() as prod:
        assert prod.observe() == []
        prod.text_of("statuspage")
        text, status = check_page(prod)
        assert "All services are operational" in text and ODD in text, text
        assert status["state"] == "operational" and len(status["services"][0]["days"]) == 90
        server.kill()
        number = prod.wait_open("target-unreachable", "edge")
        prod.verdicts(down=["web-1", "web-2", "web-3"])  # nobody can write what follows
        hit = prod.wait(lambda incidents: next(
            (i for i in incidents if i["number"] == number
             and any(a["share"] > 0 for a in i["affected"])), None), "answers that are lost")
        shown = prod.show(number)
        assert {"target-unreachable", "zone-unreachable"} <= codes(shown), shown
        assert {a["dependent"] for a in hit["affected"]} == {"till", "both"}, hit
        assert shown["endpoints"] == [API, DB] and shown["severity"] == "critical", shown
        alerts = prod.json("status")["alerts"]
        assert any(a["code"] == "zone-unreachable" and a["incident"] == number for a in alerts)
        assert f"incident {number}" in prod.text_of("status")
        prod.text_of("incident", "message", str(number), SECRET, "--as", "ann")
        prod.text_of("incident", "message", str(number), "We replace <b>parts</b> & wait",
                     "--public", "--as", "ann")
        prod.text_of("statuspage")
        text, status = check_page(prod)
        assert "Changes are delayed" in text and "We replace <b>parts</b> & wait" in text, text
        assert status["state"] in ("degraded", "outage"), status
        messages = [m["text"] for i in status["incidents"] for m in i["messages"]]
        assert messages == ["We replace <b>parts</b> & wait"], status
        server.start()
        prod.verdicts()
        prod.wait_closed()
        shown = prod.show(number)
        till = next(a for a in shown["affected"] if a["dependent"] == "till")
        assert till["share"] == 0 and till["lost_ms"] > 0 and 0 < till["impact"] < 1, till
        assert abs(till["impact"] - till["lost_ms"] / (till["lost_ms"] + 10000)) < 0.002, till
        events = [entry["event"] for entry in shown["timeline"]]
        assert events[0] == "opened" and events[-1] == "closed", events
        assert all(row["to_ms"] for row in shown["conditions"]), shown
        report = prod.text_of("incident", "report", str(number))
        for part in (f"# Incident {number}: Target edge cannot be reached", "| Tills in shops |",
                     "## Timeline", "## Cause", "## What Holdfast refused", "## What changed",
                     "web-1", SECRET, r"public: We replace \<b\>parts\</b\> \& wait"):
            assert part in report, (part, report)
        prod.text_of("statuspage")
        text, status = check_page(prod)
        assert "None." in text and "Past incidents" in text and "over at" in text, text
        assert status["state"] == "operational", status
        assert status["services"][0]["days"][-1] in ("degraded", "outage"), status


@case(Knotd)
def most_of_a_pool_down(kind):
    with kind(zones=[ZONE]) as server, Watched(server).begin() as prod:
        prod.verdicts(down=["web-1", "web-3", "web-4"])
        prod.wait(lambda incidents: incidents and incidents[0]["state"] == "open"
                  and {"site-down", "min-healthy"} <= codes(prod.show(1)), "grouped by the site")
        incidents = prod.observe()
        assert [i["number"] for i in incidents if i["state"] == "open"] == [1], incidents
        assert incidents[0]["code"] == "site-down" and incidents[0]["subject"] == "ams", incidents
        prod.verdicts(down=["web-1", "web-3"])
        prod.wait(lambda incidents: any(
            row["code"] == "site-down" and row["to_ms"] for row in prod.show(1)["conditions"]),
            "the site is back")
        assert prod.observe()[0]["state"] == "open"  # what it caused goes on
        prod.verdicts()
        prod.wait_closed()
        prod.verdicts(down=["web-1", "web-3", "web-4"])  # at once: the same incident
        prod.wait(lambda incidents: [i["number"] for i in incidents if i["state"] == "open"] == [1]
                  and prod.show(1)["code"] == "site-down", "open again")
        assert prod.show(1)["reopened"] == 1
        report = prod.text_of("incident", "report", "1")
        assert "not published" in report and "min\\_healthy" in report, report


@case(Knotd)
def a_freeze(kind):
    with kind(zones=[ZONE]) as server, Watched(server).begin() as prod:
        prod.text_of("freeze", "--why", "we look", "--as", "ann")
        number = prod.wait_open("frozen")
        assert "frozen by ann: we look" in prod.show(number)["conditions"][0]["text"]
        prod.text_of("statuspage")
        text, status = check_page(prod)  # nothing is lost: customers need not know
        assert status["state"] == "operational" and not status["incidents"], status
        prod.text_of("incident", "message", str(number), "We pause changes", "--public")
        prod.text_of("statuspage")
        text, status = check_page(prod)
        assert status["state"] == "watched" and "We pause changes" in text, text
        prod.text_of("thaw")
        prod.wait_closed()
        assert len(prod.observe()) == 1, prod.observe()
        prod.text_of("freeze", ZONE)
        other = prod.wait_open("zone-frozen", f"{ZONE}.")
        assert other == number + 1
        prod.text_of("thaw", ZONE)
        prod.wait_closed()


@case(Knotd)
def an_endpoint_that_others_edit(kind):
    with kind(zones=[ZONE]) as server, Watched(server).begin() as prod:
        def edit_until_contested():
            if prod.answer("api") != ["127.0.0.99"]:
                prod.edit(("replace", API, 5, "A", "127.0.0.99"))
            return next((i for i in prod.observe() if i["code"] == "contested"), None)
        incident = wait_until(edit_until_contested, prod.logs)
        number = incident["number"]
        shown = prod.wait(lambda _: (s := prod.show(number))["endpoints"] and s, "its endpoint")
        assert shown["endpoints"] == [API] and shown["endpoints_count"] == 1, shown
        till = prod.wait(lambda incidents: next(
            (a for a in incidents[0]["affected"] if a["dependent"] == "till"), None), "the till")
        assert till["share"] == 1, till
        both = next(a for a in prod.observe()[0]["affected"] if a["dependent"] == "both")
        assert both["share"] == 0.5, both
        prod.text_of("adopt", API)
        prod.wait_closed()


@case(Knotd)
def a_store_that_was_restored_gives_no_number_twice(kind):
    with kind(zones=[ZONE]) as server, Watched(server) as prod:
        prod.configure(prod.config.read_text().removeprefix(prod.head)
                       + f"api: {{ listen: off, socket: {prod.folder}/api.sock }}\n")
        prod.begin()
        prod.add("api", "api")

        def incidents():
            return json.loads(prod.text_of("incident", "list", "--output", "json"))["incidents"]
        wait_until(lambda: (prod.page / "index.html").exists(), prod.logs)
        copy = prod.folder / "copy.db"
        with contextlib.closing(sqlite3.connect(prod.store, timeout=10)) as store:
            store.execute("VACUUM INTO ?", [str(copy)])
        prod.text_of("freeze", "--why", "a look")
        wait_until(lambda: [i["number"] for i in incidents()] == [1], prod.logs)
        copy.replace(prod.store)
        wait_until(lambda: incidents() and min(i["number"] for i in incidents()) > 1, prod.logs)


@case(Knotd)
def the_api_role_observes(kind):
    """What `holdfast run` starts: it observes, keeps the page, answers; killed, nothing is lost."""
    with kind(zones=[ZONE]) as server, Watched(server) as prod:
        socket = prod.folder / "api.sock"
        prod.configure(prod.config.read_text().removeprefix(prod.head)
                       + f"api: {{ listen: off, socket: {socket} }}\n")
        prod.begin()
        role = prod.add("api", "api")

        def ask(path, *words):
            done = subprocess.run(["curl", "-sS", "--unix-socket", socket, *words,
                                   f"http://localhost/api/v1/{path}"], capture_output=True,
                                  text=True, timeout=30)
            return json.loads(done.stdout) if done.returncode == 0 else {}

        def incidents():
            return ask("incidents").get("incidents", [])
        wait_until(lambda: (prod.page / "index.html").exists(), prod.logs)
        prod.text_of("freeze", "--why", "we look")
        wait_until(lambda: [i["code"] for i in incidents()] == ["frozen"], prod.logs)
        role.kill()
        prod.text_of("incident", "message", "1", "said while it was dead", "--public")
        role.start()
        wait_until(lambda: [m["text"] for i in incidents() for m in i["messages"]]
                   == ["said while it was dead"], prod.logs)
        said = ask("incidents/1/messages", "-d", json.dumps({"text": "over HTTP", "public": False}),
                   "-H", "Content-Type: application/json")
        assert [m["public"] for m in said["incident"]["messages"]] == [True, False], said
        assert ask("incidents/2")["error"]["code"] == "not-found"
        assert len(ask("incidents?state=closed")["incidents"]) == 0
        wait_until(lambda: "said while it was dead" in (prod.page / "index.html").read_text(),
                   prod.logs)
        assert "over HTTP" not in (prod.page / "index.html").read_text()
        alerts = wait_until(lambda: ask("status?fresh=yes").get("alerts"), prod.logs)
        assert alerts[0]["incident"] == 1, alerts
        prod.text_of("thaw")
        closed = wait_until(lambda: (i := incidents()) and i[0]["state"] == "closed" and i,
                            prod.logs)
        assert len(closed) == 1 and closed[0]["reopened"] == 0, closed
        assert [e["event"] for e in ask("incidents/1")["incident"]["timeline"]].count("opened") == 1


@case()
def a_whole_run():
    """`holdfast run` with a private knotd that stops answering, and an api role that is killed."""
    with Run() as run:
        page = run.folder / "page"
        run.config.write_text(run.config.read_text()
                              + "services: { api: { title: Ours, endpoints: [api.example.test] }}\n"
                              + "incidents: { close_after: 1s }\n"
                              + f"statuspage: {{ out: {page} }}\n")

        def listed():
            done = subprocess.run(run.command("incident", "--output", "json"), capture_output=True,
                                  text=True, timeout=30, check=True)
            return [(i["code"], i["state"]) for i in json.loads(done.stdout)["incidents"]]

        def words():
            file = page / "index.html"
            return file.read_text() if file.exists() else ""
        run.start()
        run.wait_for_names()
        wait_until(lambda: "All services are operational" in words(), run.log.read_text)
        knotd = run.pid(KNOTD)
        os.kill(knotd, signal.SIGSTOP)
        try:
            wait_until(lambda: ("target-unreachable", "open") in listed(), run.log.read_text)
            role = run.pid("api")
            os.kill(role, signal.SIGKILL)
            wait_until(lambda: run.pid("api") not in (None, role), run.log.read_text)
        finally:
            os.kill(knotd, signal.SIGCONT)
        wait_until(lambda: listed() and all(state == "closed" for _, state in listed()),
                   lambda: f"{listed()} {run.log.read_text()}")
        assert [code for code, _ in listed()].count("target-unreachable") == 1, listed()
        assert "edge" not in words() and KNOTD not in words()


@case(Knotd)
def many_writers_and_kills(kind):
    """Whoever observes is killed again and again, while others observe and people write."""
    with kind(zones=[ZONE]) as server, Watched(server).begin() as prod:
        prod.text_of("freeze", "--why", "x")
        prod.wait_open("frozen")
        watchers = [prod.add(f"watch-{i}", "statuspage", "--out", prod.folder / f"page-{i}",
                             "--watch") for i in range(3)]
        said = []
        for turn in range(16):
            watchers[turn % 3].kill()
            said.append(f"message {turn}")
            prod.text_of("incident", "message", "1", said[-1], "--public")
            watchers[turn % 3].start()
            if turn % 4 == 3:
                prod.verdicts(down=["web-1", "web-3", "web-4"] if turn % 8 == 3 else [])
        incidents = prod.observe()
        assert [m["text"] for m in prod.show(1)["messages"]] == said, prod.show(1)
        causes = [(i["code"], i["subject"]) for i in incidents]
        assert len(causes) == len(set(causes)), causes
        prod.verdicts()
        prod.text_of("thaw")
        prod.wait_closed()
        for watcher in watchers:
            watcher.kill()
        for i in range(3):
            Wellformed((prod.folder / f"page-{i}" / "index.html").read_text())
            json.loads((prod.folder / f"page-{i}" / "status.json").read_text())
        log = prod.document("incidents")
        numbers = [row["number"] for row in log["incidents"]]
        assert numbers == sorted(set(numbers)) and log["next_number"] == numbers[-1] + 1, numbers


@case(Knotd)
def a_full_disk_and_no_store(kind):
    with kind(zones=[ZONE]) as server, Watched(server).begin() as prod:
        prod.text_of("statuspage")
        before = {name: (prod.page / name).read_bytes() for name in os.listdir(prod.page)}
        assert sorted(before) == ["feed.atom", "index.html", "status.json"], before

        def limited():
            resource.setrlimit(resource.RLIMIT_FSIZE, (64, 64))
        result = prod.call("statuspage", preexec_fn=limited)
        assert result.returncode == 1 and "the page that is there stays" in result.stderr, result
        after = {name: (prod.page / name).read_bytes() for name in os.listdir(prod.page)}
        assert after == before, "something was left behind or damaged"
        # Without a store nothing is known: the page stays as it is, and says when it was made.
        for process in prod.processes:
            process.kill()
        prod.store.rename(prod.folder / "away.db")
        result = prod.call("statuspage")
        assert result.returncode == 1, result
        assert (prod.page / "index.html").read_bytes() == before["index.html"]
        assert "As of" in before["index.html"].decode()
        (prod.folder / "away.db").rename(prod.store)
        prod.text_of("statuspage")


@case(Knotd)
def words_that_are_wrong(kind):
    with kind(zones=[ZONE]) as server, Watched(server).begin() as prod:
        for words in (["twist"], ["show"], ["show", "x"], ["show", "1", "2"], ["list", "1"]):
            assert "expected" in prod.text_of("incident", *words, status=2), words
        assert "there is no incident 7" in prod.text_of("incident", "show", "7", status=1)
        assert "No incident" in prod.text_of("incident")
        prod.text_of("freeze")
        prod.wait_open("frozen")
        assert "expected a text" in prod.text_of("incident", "message", "1", " ", status=2)
        assert "4000 octets" in prod.text_of("incident", "message", "1", "x" * 4001, status=1)
        lines = prod.text_of("incident").splitlines()
        assert "WORST IMPACT" in lines[0] and "Everything is frozen" in lines[1], lines
        shown = prod.text_of("incident", "show", "1")
        assert "Timeline" in shown and "opened" in shown, shown


if __name__ == "__main__":
    sys.exit(case.main())
