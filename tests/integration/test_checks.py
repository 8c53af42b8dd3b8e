#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Checks against backends that answer well, badly, slowly or not at all."""

import contextlib
import pathlib
import socket
import subprocess
import sys
import tempfile
import urllib.request

import backends
from backends import OK, Backend, answer, answer_and_wait, drip, flood
from probes import BUILD, PATIENCE_S, Cases, Probes, wait_until
from servers import die_with_parent, free_port

case = Cases()


def response(head, body=b""):
    return b"HTTP/1.1 " + head.replace(b"\n", b"\r\n") + b"\r\n\r\n" + body


CHUNKED = response(b"200 OK\nTransfer-Encoding: chunked",
                   b"2\r\nwe\r\n6;x=y\r\nll and\r\n0\r\n\r\n")
HUGE = response(b"200 OK\nContent-Length: 1000000000")

# name: behaviour, what the check says beside type=http, result, pattern of why
HTTP = {
    "ok": (answer_and_wait(OK), {}, "passed", r"^200 in \d+ ms$"),
    "body": (answer(OK), {"body": "^ok$"}, "passed", "^200 in"),
    "no body": (answer(response(b"204 No Content")), {"body": "^$"}, "passed", "^204 in"),
    "chunked": (answer_and_wait(CHUNKED), {"body": "^well and$"}, "passed", "^200 in"),
    "until close": (answer(response(b"200 OK", b"all")), {"body": "^all$"}, "passed", "^200 in"),
    "interim": (answer(response(b"103 Hints") + OK), {}, "passed", "^200 in"),
    "redirect taken": (answer(response(b"302 Found\nContent-Length: 0")),
                       {"statuses": "200-299,302"}, "passed", "^302 in"),
    "huge body": (flood(HUGE, b"x" * 65536), {"body": "^xx"}, "passed", "^200 in"),
    "end of a huge body": (flood(HUGE, b"x" * 65536), {"body": "y"}, "failed",
                           "^status 200, but the body does not match$"),
    "endless": (flood(response(b"200 OK"), b"x" * 65536), {}, "passed", "^200 in"),
    "wrong body": (answer(OK), {"body": "^all well$"}, "failed",
                   "^status 200, but the body does not match$"),
    "failing": (answer(response(b"503 Unavailable\nContent-Length: 1", b"x")), {}, "failed",
                "^status 503, expected 200-299$"),
    "failing with a huge body": (answer_and_wait(response(b"500 X\nContent-Length: 9999")), {},
                                 "failed", "^status 500, expected 200-299$"),
    "redirect": (answer(response(b"302 Found\nLocation: /\nContent-Length: 0")), {}, "failed",
                 "^status 302, expected 200-299$"),
    "other status": (answer(OK), {"statuses": "204,300-301"}, "failed",
                     "^status 200, expected 204, 300-301$"),
    "silent": (backends.stall, {}, "failed", "^status line: timed out after 1000 ms$"),
    "slow status line": (drip(b"HTTP/1.1 200 ", b"O"), {}, "failed", "^status line: timed out"),
    "slow headers": (drip(b"HTTP/1.1 200 OK\r\n", b"X: y\r\n"), {}, "failed",
                     "^header: timed out after 1000 ms$"),
    "slow body": (drip(HUGE, b"x"), {}, "failed", "^body: timed out after 1000 ms$"),
    "short of a body": (answer_and_wait(response(b"200 OK\nContent-Length: 2", b"o")), {},
                        "failed", "^body: timed out"),
    "cut body": (answer(response(b"200 OK\nContent-Length: 3", b"ok")), {}, "failed",
                 "^response: closed before the end of the body$"),
    "cut header": (answer(b"HTTP/1.1 200 OK\r\nX: "), {}, "failed",
                   "^response: closed before the end of the header$"),
    "hanging up": (backends.hang_up, {}, "failed", "^response: closed without a response$"),
    "huge header": (flood(b"HTTP/1.1 200 OK\r\nX: ", b"x" * 4096), {}, "failed",
                    "^response: a header longer than 16 KiB$"),
    "garbage": (answer(bytes(range(256))), {}, "failed", "^response: not an HTTP/1 response$"),
    "bare line feeds": (answer(b"HTTP/1.1 200 OK\n\nok"), {}, "failed", "^response: a control"),
    "two framings": (answer(response(b"200 OK\nContent-Length: 2\nTransfer-Encoding: chunked")),
                     {}, "failed", "^response: both Content-Length and Transfer-Encoding$"),
    "bad chunk": (answer(response(b"200 OK\nTransfer-Encoding: chunked", b"x\r\n")), {}, "failed",
                  "^response: a chunk without a size$"),
    "exponential expression": (answer(response(b"200 OK", b"a" * 40 + b"b")),
                               {"body": "^(a|aa)+$"}, "failed",
                               "^body expression: match limit exceeded$"),
    "slow expression": (answer(response(b"200 OK", b"1" * 65536)), {"body": r"\d+\d+[xy]"},
                        "failed", "^body expression: match limit exceeded$"),
}


@case
def every_response_is_judged():
    with contextlib.ExitStack() as stack:
        probes = []
        for name, (behaviour, keys, _, _) in HTTP.items():
            backend = stack.enter_context(Backend(behaviour))
            probes.append({"name": name, "type": "http", "port": backend.port, "timeout": 1000,
                           "interval": 1500, **keys})
        running = stack.enter_context(Probes(probes))
        for name, (_, _, result, why) in HTTP.items():
            running.wait_for(name, result, why)
            wrong = [report for report in running.reports[name]
                     if report["result"] not in (result, "late")]
            assert not wrong, wrong


@case
def a_deadline_covers_all_stages():
    """The server sends something all the time, and the check still ends in its time."""
    with Backend(drip(HUGE, b"x" * 100)) as backend:
        with Probes([{"name": "drip", "type": "http", "port": backend.port, "timeout": 300,
                      "interval": 500}]) as running:
            report = running.wait_for("drip", "failed", "timed out after 300 ms")
            assert 300000 <= report["duration_us"] < 1000000, report


@case
def tcp_connects_or_not():
    with Backend(lambda visit: visit.wait_for_end()) as backend, backends.FullBackend() as full:
        keys = {"type": "tcp", "interval": 500, "timeout": 300}
        with Probes([{**keys, "name": "open", "port": backend.port},
                     {**keys, "name": "refused", "port": free_port()},
                     {**keys, "name": "full", "port": full.port}]) as running:
            running.wait_for("open", "passed", r"^connected in \d+ ms$")
            running.wait_for("refused", "failed", "^connect: connection refused$")
            running.wait_for("full", "failed", "^connect: timed out after 300 ms$")


@case
def connections_end_with_a_reset():
    with Backend(lambda visit: visit.wait_for_end()) as backend:
        with Probes([{"name": "tcp", "type": "tcp", "port": backend.port, "interval": 50,
                      "timeout": 40}]) as running:
            running.wait_for_more("tcp", 20)
        wait_until(lambda: len(backend.endings) >= 20, "connections to end")
        assert set(backend.endings) == {"reset"}, backend.endings
        assert not time_waits(backend.port)


def time_waits(port):
    lines = pathlib.Path("/proc/net/tcp").read_text().splitlines()[1:]
    fields = [line.split() for line in lines]
    return [f for f in fields if f[3] == "06" and f"{port:04X}" in (f[1][-4:], f[2][-4:])]


@case
def the_request_names_path_and_host():
    with Backend(answer(OK)) as backend:
        keys = {"type": "http", "port": backend.port}
        with Probes([{**keys, "name": "given", "path": "/healthz?full=1", "host": "web.test"},
                     {**keys, "name": "six", "path": "/six", "host": "2001:db8::1"},
                     {**keys, "name": "default"}]) as running:
            running.wait_for("given", "passed")
            running.wait_for("six", "passed")
            running.wait_for("default", "passed")
        given = [v for v in backend.visits if v.startswith(b"GET /healthz?full=1 HTTP/1.1\r\n")]
        default = [v for v in backend.visits if v.startswith(b"GET / HTTP/1.1\r\n")]
        six = [v for v in backend.visits if v.startswith(b"GET /six HTTP/1.1\r\n")]
        assert b"\r\nHost: web.test\r\n" in given[0]
        assert b"\r\nHost: [2001:db8::1]\r\n" in six[0]
        assert f"\r\nHost: 127.0.0.1:{backend.port}\r\n".encode() in default[0]


@case
def a_port_of_the_backend_and_both_families():
    if not socket.has_ipv6 or not has_loopback6():
        return "no IPv6 loopback"
    with Backend(answer(OK)) as four, Backend(answer(OK), "::1", four.port) as six:
        with Probes([{"name": "both", "type": "http", "port": four.port, "address6": "::1"},
                     {"name": "six", "type": "http", "port": four.port, "address6": "::1",
                      "address": "none"}]) as running:
            running.wait_for("both", "passed")
            running.wait_for("six", "passed")
            host = f"\r\nHost: [::1]:{six.port}\r\n".encode()
            assert four.visits and any(host in visit for visit in six.visits)
            six.close()
            running.wait_for("both", "failed", "^IPv6: connect: connection refused$")
            running.wait_for("six", "failed", "^connect: connection refused$")
    return None


def has_loopback6():
    try:
        with socket.socket(socket.AF_INET6) as sock:
            sock.bind(("::1", 0))
    except OSError:
        return False
    return True


def tls_cases(authority):
    """name: certificate or None, behaviour, what the check says, result, pattern of why"""
    good = authority.issue("web.test", "DNS:web.test,IP:127.0.0.1")
    ca = {"ca": authority.ca}
    by_name = {"host": "web.test", **ca}
    return {
        "by name": (good, answer(OK), {**by_name, "body": "^ok$"}, "passed", "^200 in"),
        "by name with a dot": (good, answer(OK), {"host": "web.test.", **ca}, "passed", "^200 in"),
        "by name with a port": (good, answer(OK), {"host": "web.test:443", **ca}, "passed",
                                "^200 in"),
        "by address": (good, answer(OK), ca, "passed", "^200 in"),
        "by written address": (good, answer(OK), {"host": "127.0.0.1", **ca}, "passed", "^200 in"),
        "until close": (good, answer(response(b"200 OK", b"all")), {**by_name, "body": "^all$"},
                        "passed", "^200 in"),
        "large": (good, flood(HUGE, b"x" * 65536), by_name, "passed", "^200 in"),
        "other name": (good, answer(OK), {"host": "other.test", **ca}, "failed",
                       "^tls: certificate: hostname mismatch$"),
        "other address": (authority.issue("two", "DNS:web.test,IP:127.0.0.2"), answer(OK), ca,
                          "failed", "^tls: certificate: IP address mismatch$"),
        "common name only": (authority.issue("web", "IP:127.0.0.2"), answer(OK), {"host": "web",
                             **ca}, "failed", "^tls: certificate: hostname mismatch$"),
        "expired": (authority.issue("old", "DNS:web.test", days=-1), answer(OK), by_name,
                    "failed", "^tls: certificate: certificate has expired$"),
        "self signed": (authority.self_signed("self", "DNS:web.test"), answer(OK), by_name,
                        "failed", "^tls: certificate: self-signed certificate$"),
        "system trust": (good, answer(OK), {"host": "web.test"}, "failed",
                         "^tls: certificate: unable to get local issuer certificate$"),
        "unverified": (authority.self_signed("any", "DNS:x.test"), answer(OK), {"verify": "no"},
                       "passed", "^200 in"),
        "wrong status": (good, answer(response(b"500 X\nContent-Length: 0")), by_name, "failed",
                         "^status 500, expected 200-299$"),
        "cut body": (good, answer(response(b"200 OK\nContent-Length: 3", b"x")), by_name,
                     "failed", "^response: closed before the end of the body$"),
        "silent": (good, backends.stall, by_name, "failed", "^status line: timed out"),
        "stalled handshake": (None, lambda visit: visit.wait_for_end(), by_name, "failed",
                              "^tls handshake: timed out after 1000 ms$"),
        "cut handshake": (None, lambda visit: visit.connection.recv(4096), by_name, "failed",
                          "^tls handshake: closed by the server$"),
        "plain": (None, backends.blurt, by_name, "failed", "^tls: wrong version number$"),
    }


@case
def tls_is_verified():
    with contextlib.ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="hf-"))
        table = tls_cases(backends.Authority(folder))
        probes, servers = [], {}
        for name, (certificate, behaviour, keys, _, _) in table.items():
            context = certificate and backends.tls(certificate)
            servers[name] = stack.enter_context(Backend(behaviour, context=context))
            probes.append({"name": name, "type": "https", "port": servers[name].port,
                           "timeout": 1000, "interval": 1500, **keys})
        running = stack.enter_context(Probes(probes))
        for name, (_, _, _, result, why) in table.items():
            running.wait_for(name, result, why)
        assert servers["by name"].names[0] == "web.test"
        assert servers["by name with a port"].names[0] == "web.test"
        assert servers["by name with a dot"].names[0] == "web.test"
        assert servers["by address"].names[0] is None
        assert servers["by written address"].names[0] is None


@case
def a_backend_falls_and_returns():
    address, port = "127.0.0.11", free_port()
    url = f"http://{address}:{port}"
    command = [BUILD / "holdfast-demo-backend", "--listen", f"{address}@{port}", "--name", "web-1"]

    def begin():
        return subprocess.Popen(command, preexec_fn=die_with_parent)

    def tell(what):
        with urllib.request.urlopen(url + what, data=b"", timeout=PATIENCE_S) as reply:
            assert reply.status == 200

    def wait_for_verdict(verdict):
        running.wait(lambda: running.all and running.all[-1]["verdict"] == verdict, verdict)

    backend = begin()
    try:
        with Probes([{"name": "web-1", "type": "http", "address": address, "port": port,
                      "path": "/healthz", "body": "^ok", "interval": 50, "timeout": 40,
                      "fall": 2, "rise": 3}]) as running:
            wait_for_verdict("up")
            tell("/fail")
            running.wait_for("web-1", "failed", "^status 503")
            wait_for_verdict("down")
            tell("/recover")
            wait_for_verdict("up")
            backend.kill()
            backend.wait()
            running.wait_for("web-1", "failed", "^connect: connection refused$")
            wait_for_verdict("down")
            backend = begin()
            wait_for_verdict("up")
            backend.terminate()
            assert backend.wait(PATIENCE_S) == 0
            wait_for_verdict("down")
    finally:
        backend.kill()
        backend.wait()


REFUSED = {
    "body expression, character 3: missing closing parenthesis": {"body": "(a"},
    "CA file /no/such/file: no such file": {"type": "https", "ca": "/no/such/file"},
    "CA file /dev/null": {"type": "https", "ca": "/dev/null"},
    "path or host has a character": {"path": "/a b"},
    "the check's path or host": {"host": "a\r\nX: y"},
    "neither the check nor the backend has a port": {"port": 0},
    "the backend has no address": {"address": "none"},
    "the check has no interval": {"interval": 0},
    "the check has no time limit": {"timeout": 0},
    "no state file": {"type": "file"},
}


@case
def a_check_that_cannot_work_is_refused():
    for what, keys in REFUSED.items():
        words = {"type": "http", "address": "127.0.0.1", "port": 80, **keys}
        done = subprocess.run(
            [BUILD / "checkprobe", "--probe", *(f"{k}={v}" for k, v in words.items())],
            capture_output=True, text=True, timeout=PATIENCE_S)
        assert done.returncode == 2 and what in done.stderr, (what, done)


if __name__ == "__main__":
    sys.exit(case.main())
