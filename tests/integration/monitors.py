# SPDX-License-Identifier: GPL-3.0-or-later
"""Prometheus and Alertmanager as Debian packages them, and the receiver of examples/monitoring.

Each keeps its data in a folder of its own, listens on a high port of the loopback, and dies with
the test.
"""

import json
import os
import pathlib
import shutil
import subprocess
import tempfile
import urllib.error
import urllib.parse
import urllib.request

from processes import wait_until
from servers import HOST, die_with_parent, free_port, program

EXAMPLES = pathlib.Path(__file__).resolve().parents[2] / "examples" / "monitoring"


def get(url):
    """The JSON that is at url; None where nobody answers."""
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
            return json.load(answer)
    except (OSError, ValueError):
        return None


class Monitor:
    """A program with an HTTP API, from `with` to its end."""

    name = None

    def __init__(self, port=None):
        self.port = port or free_port()
        self.url = f"http://{HOST}:{self.port}"
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="hf-"))
        self.process = None

    def words(self):
        raise NotImplementedError

    def is_ready(self):
        raise NotImplementedError

    def start(self):
        with open(self.folder / "log", "ab") as log:
            self.process = subprocess.Popen(
                [str(word) for word in self.words()], cwd=self.folder, stdin=subprocess.DEVNULL,
                stdout=log, stderr=subprocess.STDOUT, preexec_fn=die_with_parent)
        wait_until(self.is_ready, lambda: f"{self.name}:\n{self.log()}")
        return self

    def log(self):
        return (self.folder / "log").read_text(errors="replace")[-2000:]

    def stop(self):
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)


class Alertmanager(Monitor):
    """hook: the URL that it tells of what it was told."""

    name = "prometheus-alertmanager"

    def __init__(self, hook, config=None, port=None):
        super().__init__(port)
        text = config or (f"route: {{ receiver: test, group_by: [incident, severity],"
                          f" group_wait: 0s, group_interval: 1s }}\n"
                          f"receivers: [ {{ name: test, webhook_configs: [ {{ url: '{hook}',"
                          f" send_resolved: true }} ] }} ]\n")
        (self.folder / "alertmanager.yml").write_text(text)

    def words(self):
        return [program(self.name), "--config.file=alertmanager.yml", "--storage.path=data",
                f"--web.listen-address={HOST}:{self.port}", "--cluster.listen-address="]

    def is_ready(self):
        return get(f"{self.url}/api/v2/status") is not None

    def all(self):
        """The alerts that are active."""
        return get(f"{self.url}/api/v2/alerts") or []

    def alerts(self):
        """Those of incidents, by number."""
        return {alert["labels"]["incident"]: alert for alert in self.all()
                if "incident" in alert["labels"]}


class Prometheus(Monitor):
    """Scrapes one address, with the rules of examples/monitoring."""

    name = "prometheus"

    def __init__(self, target, alertmanager=None, interval="1s"):
        super().__init__()
        alerting = ("" if alertmanager is None else
                    "alerting: { alertmanagers: [ { static_configs: [ { targets: ["
                    f"'{HOST}:{alertmanager.port}'] }} ] }} ] }}\n")
        (self.folder / "prometheus.yml").write_text(
            f"global: {{ scrape_interval: {interval}, evaluation_interval: {interval} }}\n"
            f"rule_files: [ '{EXAMPLES}/rules.yaml' ]\n{alerting}"
            "scrape_configs: [ { job_name: holdfast, static_configs: [ { targets: ["
            f"'{target}'] }} ] }} ]\n")

    def words(self):
        return [program(self.name), "--config.file=prometheus.yml", "--storage.tsdb.path=data",
                f"--web.listen-address={HOST}:{self.port}"]

    def is_ready(self):
        try:
            with urllib.request.urlopen(f"{self.url}/-/ready", timeout=5) as answer:
                return answer.status == 200
        except OSError:
            return False

    def query(self, expression):
        """{labels as text: value} of an instant query."""
        query = urllib.parse.urlencode({"query": expression})
        answer = get(f"{self.url}/api/v1/query?{query}")
        assert answer is not None and answer["status"] == "success", (expression, answer)
        return [(row["metric"], float(row["value"][1])) for row in answer["data"]["result"]]

    def targets(self):
        return (get(f"{self.url}/api/v1/targets") or {"data": {}})["data"].get("activeTargets", [])

    def alerts(self):
        """{(name, state)} of its rules."""
        answer = get(f"{self.url}/api/v1/alerts") or {"data": {"alerts": []}}
        return {(alert["labels"]["alertname"], alert["state"])
                for alert in answer["data"]["alerts"]}


class Hook:
    """examples/monitoring/webhook-receiver.py; lines(): what it printed."""

    def __init__(self, secret_file, port=None):
        self.port = port or free_port()
        self.url = f"http://{HOST}:{self.port}/hook"
        self.secret_file = secret_file
        self.output = pathlib.Path(secret_file).parent / f"hook-{self.port}.out"
        self.process = None

    def start(self):
        with open(self.output, "ab") as output:
            self.process = subprocess.Popen(
                [EXAMPLES / "webhook-receiver.py", HOST, str(self.port), self.secret_file],
                stdin=subprocess.DEVNULL, stdout=output, preexec_fn=die_with_parent,
                env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"})
        wait_until(self.is_ready, "the webhook receiver")
        return self

    def is_ready(self):
        try:
            urllib.request.urlopen(self.url, timeout=5)
        except urllib.error.HTTPError:
            return True
        except OSError:
            return False
        return True

    def lines(self):
        return self.output.read_text().splitlines()

    def stop(self):
        self.process.kill()
        self.process.wait()

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.stop()
