# SPDX-License-Identifier: GPL-3.0-or-later
"""Checks against nginx, by bench/checkload.c: the planner's own check engine and nothing else.

nginx is one process and answers with a constant, so that it takes about as much of its core as the
checks of theirs. `bare` is the limit: the same requests one after the other, with nothing but the
system calls that each needs.
"""

import json
import pathlib
import resource
import shutil
import signal
import socket
import subprocess
import tempfile

import backends
import servers
from fleet import build, cpu_s, wait_until
from machine import first_line

ADDRESSES = 64  # of the loopback, so that local ports do not run out
FIRST = "127.0.1.1"
NAME = "bench.test"
SESSION_MS = 3600 * 1000
CONF = """daemon off;
master_process off;
pid {folder}/pid;
error_log {folder}/error.log warn;
events {{ worker_connections {connections}; }}
http {{
    access_log off;
    keepalive_requests 1000000000;
    keepalive_timeout 1h;
    ssl_session_timeout 1h;
    ssl_certificate {certificate.chain};
    ssl_certificate_key {certificate.key};
    {temporary}
    server {{
        {listen}
        location / {{ return 200 ok; }}
    }}
}}
"""


class Nginx:
    def __init__(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="hf-"))
        self.authority = backends.Authority(self.folder)
        self.port, self.tls_port = servers.free_port(), servers.free_port()
        descriptors = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        hosts = [f"127.0.1.{i + 1}" for i in range(ADDRESSES)]
        (self.folder / "nginx.conf").write_text(CONF.format(
            folder=self.folder, connections=max(512, min(16384, descriptors - 512)),
            certificate=self.authority.issue("web", f"DNS:{NAME}"),
            temporary=" ".join(f"{kind}_temp_path {self.folder};" for kind in kinds),
            listen=" ".join(f"listen {host}:{self.port} backlog=4096; "
                            f"listen {host}:{self.tls_port} ssl backlog=4096;" for host in hosts)))
        self.process = subprocess.Popen(
            [servers.program("nginx"), "-p", self.folder, "-c", self.folder / "nginx.conf"],
            stderr=subprocess.DEVNULL, preexec_fn=self.prepare)
        wait_until(self.answers, "nginx")

    @staticmethod
    def prepare():
        servers.die_with_parent()
        hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))

    def answers(self):
        with socket.socket() as sock:
            return sock.connect_ex((FIRST, self.port)) == 0

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(20)
        shutil.rmtree(self.folder)

    def load(self, **keys):
        """What checkload found, and what it cost nginx."""
        is_tls = keys.get("type") == "https"
        words = {"address": FIRST, "addresses": ADDRESSES,
                 "port": self.tls_port if is_tls else self.port, **keys}
        if is_tls:
            words.update(ca=self.authority.ca, host=NAME)
        before = cpu_s(self.process.pid)
        done = subprocess.run([build() / "bench" / "checkload",
                               *(f"{key}={value}" for key, value in words.items())],
                              check=True, capture_output=True, text=True,
                              preexec_fn=self.prepare)
        found = json.loads(done.stdout)
        all_checks = found.pop("all_checks")
        found["nginx_us"] = 1e6 * (cpu_s(self.process.pid) - before) / all_checks
        return found


def measure(sizes):
    size = sizes["checks"]
    fleet = {"seconds": size["seconds"], "warm": size["warm"]}
    armed = {**fleet, "backends": size["backends"]}
    few = {**fleet, "backends": size["kept"]}
    slow = {**few, "rate": size["tls_rate"], "type": "https"}
    cases = {
        "http, fresh connections": {**armed, "rate": size["rate"]},
        "the same at a third": {**armed, "rate": size["rate"] // 3},
        "http, kept connections": {**few, "rate": size["rate"], "reuse": "yes"},
        "https, full handshakes": {**slow, "resume": 0},
        "https, resumed sessions": {**slow, "resume": SESSION_MS},
        "https, kept connections": {**slow, "resume": SESSION_MS, "reuse": "yes"},
    }
    with Nginx() as nginx:
        return {
            "nginx": first_line(servers.program("nginx"), "-v"),
            "openssl": first_line("openssl", "version"),
            "bare": nginx.load(bare=size["bare"]),
            "cases": {name: nginx.load(**keys) for name, keys in cases.items()},
        }


def tables(result):
    bare = result["bare"]
    rows = [("bare system calls", "", f"{bare['rate']:,.0f}", f"{bare['cpu_us']:.0f}", "",
             f"{bare['nginx_us']:.0f}", "", "", "")]
    for name, case in result["cases"].items():
        lags = (case["lag_median_us"], case["lag_p99_us"], case["lag_max_us"])
        rows.append((
            name, f"{case['backends']:,}", f"{case['rate']:,.0f}", f"{case['cpu_us']:.0f}",
            f"{case['cpu_us'] / bare['cpu_us']:.2f}", f"{case['nginx_us']:.0f}",
            " / ".join(f"{lag / 1000:.1f}" for lag in lags),
            f"{case['failed']}, {case['late']}",
            f"{case['armed_bytes']:.0f}, {case['running_bytes']:.0f}"))
    yield ("Checks against nginx, one process each",
           ("", "backends", "checks/s", "us CPU a check", "of bare", "us of nginx",
            "begun after due, median / p99 / max in ms", "failed, late",
            "bytes a backend: armed, running"), rows)


RATE_SHARE, CPU_US, LAG_MS = 0.98, 60, 100  # of the rate asked for; a check, at most


def goals(result):
    case = result["cases"]["http, fresh connections"]
    yield ("checks: 15,000 a second, fresh connections, 100,000 armed", f"{case['rate']:,.0f}",
           case["rate"] >= RATE_SHARE * 15000)
    yield ("checks: at most 60 us CPU each", f"{case['cpu_us']:.0f}", case["cpu_us"] <= CPU_US)
    lag_ms = case["lag_max_us"] / 1000
    yield ("checks: none later than 100 ms", f"{lag_ms:.0f} ms", lag_ms <= LAG_MS)
    full, resumed = (result["cases"][f"https, {name}"]["cpu_us"]
                     for name in ("full handshakes", "resumed sessions"))
    yield ("checks: TLS sessions are resumed", f"{resumed / full:.2f} of a full handshake",
           resumed < full)
