#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Receivers of alerts that hear well, badly, late or not at all: a real Alertmanager, the webhook
receiver of examples/monitoring, and servers that misbehave. notifyprobe.c tells them."""

import contextlib
import json
import os
import pathlib
import shutil
import sys
import tempfile

from backends import Authority, Backend, answer, flood, stall, tls
from monitors import Alertmanager, Hook
from processes import TOOLS, Cases, Talker, wait_until
from servers import HOST, free_port

case = Cases()
SECRET = "0123456789abcdef0123456789abcdef"
NO_CONTENT = b"HTTP/1.1 204 No Content\r\n\r\n"


class Teller:
    """notifyprobe with these receivers, {name: keys as YAML}."""

    def __init__(self, folder, receivers):
        self.config = folder / "holdfast.yaml"
        self.log = folder / "notifyprobe.log"
        lines = "".join(f"    {name}: {{ {keys} }}\n" for name, keys in receivers.items())
        self.config.write_text(f"""installation: prod
store: sqlite:holdfast.db
targets: {{ edge: {{ type: knot, listen: 127.0.0.1@5300 }} }}
zones: {{ example.test: {{ target: edge }} }}
pools: {{ a: {{ check: {{ type: none }}, backends: [ {{ name: b, address: 192.0.2.1 }} ] }} }}
endpoints: {{ api.example.test: {{ pools: [a] }} }}
alerts:
  url: https://dns.example.test/
  receivers:
{lines}""")
        self.talker = None

    def start(self):
        """Its log is kept beside the configuration."""
        self.talker = Talker(["/bin/sh", "-c", 'exec "$0" "$1" 2>>"$2"', TOOLS / "notifyprobe",
                              self.config, self.log])
        return self

    def say(self, line):
        self.talker.send(line)
        assert self.talker.receive() == "told", line

    def opens(self, number, severity="warning", title="A zone is away"):
        self.say(f"open {number} {severity} zone-unreachable example.test. {title}")

    def count(self, receiver):
        self.talker.send("count")
        return json.loads(self.talker.receive())[receiver]

    def wait_count(self, receiver, key, least):
        wait_until(lambda: self.count(receiver)[key] >= least,
                   lambda: f"{least} {key}: {self.count(receiver)}\n{self.log.read_text()}")

    def wait_log(self, text):
        wait_until(lambda: text in self.log.read_text(),
                   lambda: f"{text!r} in:\n{self.log.read_text()}")

    def kill(self):
        self.talker.close()


@contextlib.contextmanager
def folder_of_keys():
    folder = pathlib.Path(tempfile.mkdtemp(prefix="hf-"))
    with os.fdopen(os.open(folder / "hook.key", os.O_WRONLY | os.O_CREAT, 0o600), "w") as file:
        file.write(SECRET + "\n")
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def telling(receivers, folder):
    teller = Teller(folder, receivers).start()
    try:
        yield teller
    finally:
        teller.kill()


def manager_keys(port, repeat="1s"):
    return f"type: alertmanager, url: 'http://{HOST}:{port}/', repeat: {repeat}"


def hook_keys(url, more=""):
    return f"type: webhook, url: '{url}', secret_file: hook.key{more}"


def wait_lines(hook, *lines):
    wait_until(lambda: hook.lines() == list(lines), lambda: f"{lines}: {hook.lines()}")


def spoken(backend):
    """What a Backend was sent: (path, headers, body) of each request."""
    found = []
    for octets in backend.visits:
        head, _, body = octets.partition(b"\r\n\r\n")
        lines = head.decode().split("\r\n")
        headers = dict(line.split(": ", 1) for line in lines[1:])
        found.append((lines[0].split(" ")[1], headers, body))
    return found


@case()
def alertmanager_hears_of_an_incident_and_of_its_end():
    with folder_of_keys() as folder, Backend(answer_posts()) as told, \
            Alertmanager(f"http://{HOST}:{told.port}/") as manager, \
            telling({"am": manager_keys(manager.port)}, folder) as teller:
        teller.opens(7)
        alert = wait_until(lambda: manager.alerts().get("7"), manager.log)
        assert alert["labels"] == {
            "alertname": "HoldfastIncident", "installation": "prod", "incident": "7",
            "code": "zone-unreachable", "subject": "example.test.", "severity": "warning"}, alert
        assert alert["annotations"] == {"summary": "A zone is away",
                                        "description": "more about it"}, alert
        assert alert["generatorURL"] == "https://dns.example.test/#/incidents/7", alert
        wait_until(lambda: manager.alerts()["7"]["endsAt"] > alert["endsAt"], "a repeat")
        teller.opens(7, "critical")
        wait_until(lambda: manager.alerts()["7"]["labels"]["severity"] == "critical", "critical")
        assert len(manager.alerts()) == 1, manager.alerts()
        teller.say("close 7")
        wait_until(lambda: not manager.alerts(), manager.log)
        wait_until(lambda: any(b'"status":"resolved"' in octets and b'"critical"' in octets
                               for octets in told.visits), "Alertmanager's own message")


@case()
def alertmanager_resolves_where_holdfast_falls_silent_and_hears_anew():
    with folder_of_keys() as folder, Backend(answer_posts()) as told, \
            Alertmanager(f"http://{HOST}:{told.port}/") as manager:
        with telling({"am": manager_keys(manager.port)}, folder) as teller:
            teller.opens(1)
            wait_until(lambda: manager.alerts().get("1"), manager.log)
            teller.kill()  # SIGKILL
            wait_until(lambda: not manager.alerts(), "the end by itself")
            teller.start()
            teller.opens(1)
            wait_until(lambda: manager.alerts().get("1"), manager.log)


@case()
def an_alertmanager_that_was_away_is_told_when_it_is_back():
    port = free_port()
    with folder_of_keys() as folder, Backend(answer_posts()) as told, \
            telling({"am": manager_keys(port)}, folder) as teller:
        teller.opens(1)
        teller.opens(2)
        teller.wait_count("am", "failed", 2)
        teller.say("close 2")
        with Alertmanager(f"http://{HOST}:{told.port}/", port=port) as manager:
            wait_until(lambda: set(manager.alerts()) == {"1"}, manager.log)
            teller.wait_log("event=notify_well receiver=am")
            assert teller.count("am")["pending"] == 0


@case()
def a_webhook_verifies_signatures_and_hears_each_thing_once():
    with folder_of_keys() as folder, Hook(folder / "hook.key") as hook, \
            telling({"hook": hook_keys(hook.url)}, folder) as teller:
        teller.opens(1)
        wait_lines(hook, "opened 1 warning A zone is away")
        teller.opens(1)  # no news
        teller.opens(1, "critical")
        wait_lines(hook, "opened 1 warning A zone is away", "changed 1 critical A zone is away")
        teller.kill()
        teller.start()
        teller.opens(1, "critical")  # told again after a start, with the delivery of before
        teller.wait_count("hook", "sent", 1)
        teller.say("close 1")
        wait_lines(hook, "opened 1 warning A zone is away", "changed 1 critical A zone is away",
                   "closed 1 critical A zone is away")


@case()
def another_secret_is_refused_and_a_stranger_changes_nothing():
    with folder_of_keys() as folder:
        (folder / "other.key").write_text("another secret, long enough\n")
        (folder / "other.key").chmod(0o600)
        with Hook(folder / "other.key") as hook, \
                telling({"hook": hook_keys(hook.url)}, folder) as teller:
            teller.opens(1)
            teller.wait_count("hook", "refused", 1)
            teller.wait_log('event=notify_trouble receiver=hook why="status 403"')
            assert hook.lines() == [], hook.lines()


@case()
def a_webhook_that_was_away_hears_the_latest_once():
    with folder_of_keys() as folder:
        hook = Hook(folder / "hook.key")
        with telling({"hook": hook_keys(hook.url)}, folder) as teller:
            teller.opens(1)
            teller.wait_count("hook", "failed", 2)
            teller.opens(1, "critical")
            teller.say("close 1")
            with hook:
                wait_lines(hook, "closed 1 critical A zone is away")
                teller.wait_count("hook", "sent", 1)
                assert teller.count("hook")["pending"] == 0


@case()
def one_that_is_slow_holds_up_nobody():
    with folder_of_keys() as folder, Backend(stall) as slow, Hook(folder / "hook.key") as hook, \
            telling({"slow": hook_keys(f"http://{HOST}:{slow.port}/", ", timeout: 1s"),
                     "hook": hook_keys(hook.url)}, folder) as teller:
        for number in range(1, 6):
            teller.opens(number)
        wait_lines(hook, *(f"opened {number} warning A zone is away" for number in range(1, 6)))
        teller.wait_count("slow", "failed", 2)
        teller.wait_log("Operation timed out after 100")
        assert len(slow.visits) <= 4, "it was asked without a pause"


@case()
def a_failing_one_is_asked_again_and_then_hears_it():
    answers = [b"HTTP/1.1 500 X\r\nContent-Length: 0\r\n\r\n",
               b"HTTP/1.1 429 X\r\nContent-Length: 0\r\n\r\n", NO_CONTENT]
    with folder_of_keys() as folder, Backend(answer_posts(*answers)) as backend, \
            telling({"hook": hook_keys(f"http://{HOST}:{backend.port}/x?y=z",
                                       ", token_file: hook.key")}, folder) as teller:
        teller.opens(1)
        teller.wait_count("hook", "sent", 1)
        assert teller.count("hook")["failed"] == 2
        requests = spoken(backend)
        assert [path for path, _, _ in requests] == ["/x?y=z"] * 3
        assert len({headers["Holdfast-Delivery"] for _, headers, _ in requests}) == 1
        assert requests[0][1]["Authorization"] == f"Bearer {SECRET}"
        assert requests[0][1]["Content-Type"] == "application/json"
        assert SECRET not in teller.log.read_text()


@case()
def a_redirect_is_not_followed():
    with folder_of_keys() as folder, Backend(answer_posts()) as elsewhere:
        location = f"HTTP/1.1 307 X\r\nLocation: http://{HOST}:{elsewhere.port}/\r\n" \
                   "Content-Length: 0\r\n\r\n"
        with Backend(answer_posts(location.encode(), NO_CONTENT)) as backend, \
                telling({"hook": hook_keys(f"http://{HOST}:{backend.port}/")}, folder) as teller:
            teller.opens(1)
            teller.wait_count("hook", "refused", 1)
            teller.wait_log("it redirects, which is not followed")
            teller.opens(2)  # what is refused waits, others pass
            teller.wait_count("hook", "sent", 1)
            assert not elsewhere.visits


@case()
def an_endless_answer_is_cut_and_counts():
    with folder_of_keys() as folder, \
            Backend(flood(b"HTTP/1.1 200 OK\r\n\r\n", b"x" * 65536)) as backend, \
            telling({"hook": hook_keys(f"http://{HOST}:{backend.port}/")}, folder) as teller:
        teller.opens(1)
        teller.wait_count("hook", "sent", 1)


@case()
def certificates_are_verified():
    with folder_of_keys() as folder:
        authority = Authority(folder)
        right = authority.issue("right", f"IP:{HOST}")
        wrong = authority.issue("wrong", "DNS:elsewhere.test")
        with Backend(answer_posts(), context=tls(right)) as good, \
                Backend(answer_posts(), context=tls(wrong)) as other, \
                telling({"good": hook_keys(f"https://{HOST}:{good.port}/", ", ca_file: ca.pem"),
                         "other": hook_keys(f"https://{HOST}:{other.port}/", ", ca_file: ca.pem"),
                         "system": hook_keys(f"https://{HOST}:{good.port}/")}, folder) as teller:
            teller.opens(1)
            teller.wait_count("good", "sent", 1)
            teller.wait_count("other", "failed", 1)
            teller.wait_count("system", "failed", 1)
            teller.wait_log("receiver=other why=\"SSL: no alternative certificate subject name")
            teller.wait_log("receiver=system why=\"SSL certificate problem")
            assert not other.visits, other.visits


@case()
def a_crowd_is_told_in_one_message():
    with folder_of_keys() as folder, Backend(answer_posts()) as told, \
            Alertmanager(f"http://{HOST}:{told.port}/") as manager, \
            telling({"am": manager_keys(manager.port, "1m")}, folder) as teller:
        for number in range(1, 300):
            teller.opens(number)
        wait_until(lambda: len(manager.alerts()) == 256, lambda: str(len(manager.alerts())))
        for number in range(1, 50):
            teller.say(f"forget {number}")
        expected = {str(number) for number in range(50, 300)}

        def look():
            teller.opens(299)  # as each look of Holdfast's does
            return set(manager.alerts()) == expected
        wait_until(look, lambda: f"{teller.count('am')} {teller.log.read_text()[-500:]}")


def answer_posts(*answers):
    """Reads whole requests and gives one answer after the other, the last one from then on."""
    left = list(answers or (NO_CONTENT,))

    def behave(visit):
        octets = b""
        while True:
            while b"\r\n\r\n" not in octets:
                got = visit.connection.recv(65536)
                if not got:
                    return
                octets += got
            head, _, body = octets.partition(b"\r\n\r\n")
            size = next(int(line.split(b":")[1]) for line in head.split(b"\r\n")
                        if line.lower().startswith(b"content-length:"))
            while len(body) < size:
                body += visit.connection.recv(65536)
            visit.backend.visits.append(head + b"\r\n\r\n" + body)
            visit.send(left.pop(0) if len(left) > 1 else left[0])
            octets = b""
    return behave


if __name__ == "__main__":
    sys.exit(case.main())
