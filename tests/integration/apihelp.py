# SPDX-License-Identifier: GPL-3.0-or-later
"""A running quickstart with its API, and a client of that, over TCP or the Unix socket, which
checks every answer against the contract."""

import contextlib
import http.client
import json
import socket
import subprocess
import threading

from openapi import Contract
from rundir import HOST, Run, wait_for
from servers import free_port

PATIENCE_S = 30
READ, OPERATOR = "reader-token-0123456789", "operator-token-0123456789"


class UnixConnection(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("localhost", timeout=PATIENCE_S)
        self.path = str(path)

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)


class Client:
    def __init__(self, port=None, path=None, token=None):
        self.port, self.path, self.token = port, path, token
        self.contract = Contract()

    def connection(self):
        if self.path:
            return UnixConnection(self.path)
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE_S)

    def ask(self, method, target, body=None, **headers):
        """Status, headers, and the JSON of the body, or its text."""
        fields = {name.replace("_", "-"): value for name, value in headers.items()}
        if self.token:
            fields["Authorization"] = f"Bearer {self.token}"
        if body is not None:
            body = json.dumps(body)
            fields["Content-Type"] = "application/json"
        connection = self.connection()
        try:
            connection.request(method, target, body, fields)
            reply = connection.getresponse()
            text = reply.read().decode()
        finally:
            connection.close()
        is_json = reply.headers.get_content_type() == "application/json"
        found = json.loads(text) if is_json and text else text
        if is_json and text and target != "/openapi.json":
            self.contract.check_answer(method.lower(), target.partition("?")[0], reply.status,
                                       found)
        return reply.status, reply.headers, found

    def get(self, target, **headers):
        status, _, found = self.ask("GET", target, **headers)
        assert status == 200, (target, status, found)
        return found

    def post(self, action, body, basis="*"):
        """Status and the JSON; basis: as it was seen, without quotes."""
        match = basis if basis == "*" else f'"{basis}"'
        status, _, found = self.ask("POST", f"/api/v1/{action}", body, If_Match=match)
        return status, found


class Stream(threading.Thread):
    """Reads the event stream and keeps what it hears as (id, name, data)."""

    def __init__(self, client, last=None):
        super().__init__(daemon=True)
        self.client, self.events, self.changed = client, [], threading.Condition()
        self.connection = client.connection()
        self.connection.request("GET", "/api/v1/events",
                                headers={"Last-Event-ID": last} if last else {})
        self.reply = self.connection.getresponse()
        self.ended = False
        self.start()

    def run(self):
        event = {}
        try:
            for line in self.reply:
                key, _, value = line.decode().rstrip("\n").partition(": ")
                if key:
                    event[key] = value
                elif event.get("data"):
                    data = json.loads(event["data"])
                    self.client.contract.check_event(event["event"], data)
                    with self.changed:
                        self.events.append((event.get("id"), event["event"], data))
                        self.changed.notify_all()
                    event = {}
        except (OSError, http.client.HTTPException):
            pass
        with self.changed:
            self.ended = True
            self.changed.notify_all()

    def wait(self, name, wanted=lambda data: True):
        with self.changed:
            def find():
                return next((event for event in self.events
                             if event[1] == name and wanted(event[2])), None)
            assert self.changed.wait_for(find, PATIENCE_S), (name, self.events[-5:])
            return find()

    def wait_end(self):
        with self.changed:
            assert self.changed.wait_for(lambda: self.ended, PATIENCE_S)

    def last(self):
        with self.changed:
            return self.events[-1][0]

    def close(self):
        self.connection.sock.shutdown(socket.SHUT_RDWR) if self.connection.sock else None


class ApiRun(Run):
    """A running quickstart with its API."""

    def __init__(self, **more):
        super().__init__(**more)
        self.api_port = free_port()
        text = self.config.read_text().replace("api: { listen: off }", "")
        self.config.write_text(text + f"""
api: {{ listen: {HOST}@{self.api_port}, tokens_file: tokens }}
""")
        tokens = self.folder / "tokens"
        tokens.write_text(f"read page {READ}\noperator ann {OPERATOR}\n")
        tokens.chmod(0o600)
        self.socket = self.data / "api.sock"

    def begin(self):
        self.start()
        self.wait_for_names()
        self.wait_ready()
        self.wait_rest()
        return self

    def wait_rest(self):
        """Every backend is up, and every name answers what the plan says."""
        def rests():
            status = self.tcp().get("/api/v1/status?fresh=yes")
            rows = self.tcp().get("/api/v1/endpoints")["endpoints"]
            whole = all(row["addresses"] == (3 if row["name"] == "www.example.test." else 6)
                        for row in rows)
            return status["backends"]["up"] == 6 and status["well"] and whole and all(
                row["states"] == ["in-step"] for row in rows)
        wait_for(rests, "everything to rest")

    def wait_ready(self):
        def ready():
            with contextlib.suppress(OSError):
                return self.tcp().ask("GET", "/readyz")[0] == 200
        wait_for(ready, "the API to be ready")

    def tcp(self, token=None):
        return Client(port=self.api_port, token=token)

    def unix(self):
        return Client(path=self.socket)

    def holdfast(self, *words):
        return subprocess.run(self.command(*words), capture_output=True, text=True, timeout=60)


@contextlib.contextmanager
def running():
    with ApiRun() as run:
        yield run.begin()
