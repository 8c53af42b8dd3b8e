#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Prometheus and Alertmanager, as Debian packages them, watch a live `holdfast run`."""

import contextlib
import json
import pathlib
import re
import subprocess
import sys
import urllib.request

from monitors import EXAMPLES, Alertmanager, Hook, Prometheus
from processes import Cases, wait_until
from rundir import HOST, NAMES, ROOT, Run
from servers import free_port

case = Cases()
# What a small installation that is well has nothing of.
ABSENT = {"holdfast_alerts", "holdfast_backend_up", "holdfast_backend_drained",
          "holdfast_backend_check_duration_seconds", "holdfast_backend_flaps"}


@contextlib.contextmanager
def running(more=""):
    """`holdfast run` with its API on a port of its own: (run, HOST:PORT)."""
    port = free_port()
    with Run() as run:
        text = run.config.read_text()
        assert "listen: off" in text
        run.config.write_text(text.replace("listen: off", f"listen: {HOST}@{port}{more}"))
        yield run, f"{HOST}:{port}"


def started(run, address):
    run.start()
    run.wait_for_names()
    wait_until(lambda: values(address, "holdfast_role_up") == [1] * 5, lambda: scrape(address))


def scrape(address):
    try:
        with urllib.request.urlopen(f"http://{address}/metrics", timeout=5) as answer:
            assert answer.headers["Content-Type"].startswith("text/plain; version=0.0.4"), answer
            return answer.read().decode()
    except OSError:
        return ""


def values(address, name, label=""):
    """Of the samples of a family that have the label."""
    found = re.findall(rf"^{name}(?:{{(.*)}})? (\S+)$", scrape(address), re.MULTILINE)
    return [float(number) for labels, number in found if label in labels]


def tool(*words, text=None):
    """What a tool says; it must be content."""
    done = subprocess.run(words, input=text, cwd=EXAMPLES, capture_output=True, text=True,
                          check=False)
    assert done.returncode == 0, f"{words}: {done.stdout}{done.stderr}"
    return done.stdout + done.stderr


def families():
    text = (ROOT / "docs/reference/metrics.md").read_text()
    return re.findall(r"^\| `(holdfast_\w+)`", text, re.MULTILINE)


@case()
def the_tools_accept_the_examples():
    tool("promtool", "check", "rules", "rules.yaml")
    tool("promtool", "check", "config", "prometheus.yaml")
    tool("promtool", "test", "rules", "rules-test.yaml")
    tool("amtool", "check-config", "alertmanager.yaml")


@case()
def every_alert_has_a_test():
    rules = (EXAMPLES / "rules.yaml").read_text()
    tests = (EXAMPLES / "rules-test.yaml").read_text()
    for name in re.findall(r"alert: (\w+)", rules):
        fires = re.search(rf"alertname: {name}\n +exp_alerts:\n +- exp_labels", tests)
        assert fires, f"{name} fires in no test"


@case()
def promtool_accepts_the_real_metrics():
    with running() as (run, address):
        started(run, address)
        text = scrape(address)
        assert not tool("promtool", "check", "metrics", text=text), "it has something to say"
        there = set(re.findall(r"^# TYPE (\w+) ", text, re.MULTILINE))
        assert there <= set(families()), there - set(families())
        notify = {name for name in families() if name.startswith("holdfast_notify_")}
        assert there >= set(families()) - ABSENT - notify, set(families()) - there
        assert "\nholdfast_backend_up" not in text
        wait_until(lambda: values(address, "holdfast_write_delay_seconds_count") > [0],
                   lambda: scrape(address))


@case()
def series_for_each_backend_come_when_asked_for():
    with running(", backend_metrics: true") as (run, address):
        started(run, address)
        wait_until(lambda: set(values(address, "holdfast_backend_up")) == {1},
                   lambda: scrape(address))
        assert not tool("promtool", "check", "metrics", text=scrape(address))


def expressions():
    """Of the dashboard, each with its variables filled in."""
    board = json.loads((EXAMPLES / "dashboard.json").read_text())
    for panel in board["panels"]:
        for target in panel["targets"]:
            yield (target["expr"].replace("$instance", ".*")
                   .replace("$__rate_interval", "30s"))
    for annotation in board["annotations"]["list"]:
        yield annotation["expr"].replace("$instance", ".*")


@case()
def prometheus_scrapes_and_the_dashboard_has_something_to_show():
    with running() as (run, address), Prometheus(address) as prometheus:
        started(run, address)
        wait_until(lambda: [t["health"] for t in prometheus.targets()] == ["up"], prometheus.log)
        wait_until(lambda: prometheus.query("holdfast:zone_behind_endpoints:min"), prometheus.log)
        known = set(families()) | set(re.findall(
            r"record: (\S+)", (EXAMPLES / "rules.yaml").read_text()))
        for expression in expressions():
            named = {name.removesuffix("_bucket")
                     for name in re.findall(r"holdfast[_:][\w:]+", expression)}
            assert named and named <= known, (expression, named - known)
            prometheus.query(expression)
        for expression in ("holdfast_head_generation > 0", "holdfast:pool_up:ratio == 1",
                           'rate(holdfast_api_requests_total{code="2xx"}[30s]) > 0',
                           'sum(holdfast_role_up{role="enactor"}) == 3'):
            wait_until(lambda text=expression: prometheus.query(text), f"{expression}")
        run.pid("enactor-1")
        for alert in prometheus.alerts():
            assert alert[1] != "firing", prometheus.alerts()


@case()
def what_goes_wrong_reaches_alertmanager():
    with running() as (run, address), Hook(secret(run.folder)) as hook, \
            Alertmanager(hook.url) as manager, Prometheus(address, manager) as prometheus:
        started(run, address)
        wait_until(lambda: prometheus.query("holdfast_enactor_endpoints_healed_total == 0"),
                   prometheus.log)
        run.update(NAMES[0], ["192.0.2.66"])
        wait_until(lambda: prometheus.query("holdfast_enactor_endpoints_healed_total > 0"),
                   "the edit to be healed and counted")
        wait_until(lambda: "HoldfastRecordsEdited" in
                   {alert["labels"]["alertname"] for alert in manager.all()},
                   lambda: f"{manager.all()} {prometheus.alerts()}")
        pid = run.pid("planner")
        subprocess.run(["kill", "-STOP", str(pid)], check=True)
        try:
            wait_until(lambda: ("HoldfastPlannerDown", "pending") in prometheus.alerts(),
                       lambda: f"{prometheus.alerts()}")
        finally:
            subprocess.run(["kill", "-CONT", str(pid)], check=True)
        wait_until(lambda: ("HoldfastPlannerDown", "pending") not in prometheus.alerts(),
                   lambda: f"{prometheus.alerts()}")


@case()
def an_incident_reaches_alertmanager_and_a_webhook_and_ends():
    with running() as (run, address), Hook(secret(run.folder)) as hook, \
            Alertmanager(hook.url) as manager:
        with run.config.open("a") as config:
            config.write(f"alerts: {{ receivers: {{ am: {{ type: alertmanager, repeat: 1s, url: "
                         f"'{manager.url}' }}, hook: {{ type: webhook, url: '{hook.url}', "
                         f"secret_file: {hook.secret_file} }} }} }}\n")
        started(run, address)
        subprocess.run(run.command("freeze"), check=True, capture_output=True)
        alerts = wait_until(manager.alerts, lambda: f"{run.log.read_text()[-3000:]}")
        number, alert = next(iter(alerts.items()))
        assert alert["labels"]["code"] == "frozen", alert
        wait_until(lambda: any(line.startswith(f"opened {number} warning")
                               for line in hook.lines()), lambda: f"{hook.lines()}")
        wait_until(lambda: values(address, "holdfast_notify_messages_total",
                                  'receiver="hook",result="acknowledged"') == [1],
                   lambda: scrape(address))
        assert not tool("promtool", "check", "metrics", text=scrape(address))
        subprocess.run(run.command("thaw"), check=True, capture_output=True)
        wait_until(lambda: not manager.alerts(), lambda: f"{manager.alerts()}")
        wait_until(lambda: any(line.startswith(f"closed {number} ") for line in hook.lines()),
                   lambda: f"{hook.lines()}")


@case()
def counters_begin_anew_with_a_process_that_says_so():
    with running() as (run, address):
        started(run, address)
        name, label = "holdfast_role_start_time_seconds", 'role="planner"'
        before = values(address, name, label)
        subprocess.run(["kill", "-KILL", str(run.pid("planner"))], check=True)
        wait_until(lambda: values(address, name, label) > before, lambda: scrape(address))


def secret(folder):
    path = pathlib.Path(folder) / "hook.key"
    path.write_text("0123456789abcdef0123456789abcdef\n")
    path.chmod(0o600)
    return path


if __name__ == "__main__":
    sys.exit(case.main())
