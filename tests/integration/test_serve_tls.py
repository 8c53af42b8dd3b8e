#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""The HTTP server with TLS: requests and streams, a certificate that changes, one that is wrong."""

import contextlib
import pathlib
import socket
import ssl
import subprocess
import sys
import tempfile
import warnings

from probes import Cases, wait_until
from serveprobe import BUILD, Server, read_answer, request

case = Cases()

BUSY_SHARE = 0.3  # of a core


def make_certificate(folder, name, kind="ec"):
    """A self-signed certificate for localhost, whose subject is name; both in PEM."""
    key, certificate = folder / f"{name}.key", folder / f"{name}.crt"
    new = ["-newkey", "rsa:2048"] if kind == "rsa" else ["-newkey", "ec", "-pkeyopt",
                                                         "ec_paramgen_curve:prime256v1"]
    subprocess.run(
        ["openssl", "req", "-x509", *new, "-nodes", "-keyout", key, "-out", certificate,
         "-days", "2", "-subj", f"/CN={name}", "-addext", "subjectAltName=DNS:localhost"],
        check=True, capture_output=True)
    return certificate, key


@contextlib.contextmanager
def tls_server(name="first", kind="ec"):
    with tempfile.TemporaryDirectory(prefix="holdfast-serve-") as folder:
        folder = pathlib.Path(folder)
        certificate, key = make_certificate(folder, name, kind)
        live, live_key = folder / "live.crt", folder / "live.key"
        live.write_bytes(certificate.read_bytes())
        live_key.write_bytes(key.read_bytes())
        with Server("--certificate", live, "--key", live_key) as server:
            yield server, folder, live, live_key


def secure(server, trusted, versions=None):
    context = ssl.create_default_context(cafile=str(trusted))
    if versions is not None:
        context.minimum_version = context.maximum_version = versions
    link = socket.create_connection((server.host, server.port), 20)
    try:
        return context.wrap_socket(link, server_hostname="localhost")
    except OSError:
        link.close()
        raise


def subject(link):
    return dict(pair[0] for pair in link.getpeercert()["subject"])["commonName"]


def trusts(server, certificate):
    try:
        with secure(server, certificate) as link:
            link.sendall(request("/echo"))
            return read_answer(link).status == 200
    except ssl.SSLError:
        return False


@case
def requests_and_answers_are_the_same_with_TLS():
    for kind in ("ec", "rsa"):
        with tls_server(kind=kind) as (server, folder, _, _):
            with secure(server, folder / "first.crt") as link:
                assert link.version() == "TLSv1.3" and subject(link) == "first"
                for _ in range(3):
                    link.sendall(request("/bytes?size=3000000"))
                    assert len(read_answer(link).body) == 3000000
            with secure(server, folder / "first.crt", ssl.TLSVersion.TLSv1_2) as link:
                link.sendall(request("/echo"))
                assert read_answer(link).status == 200
            assert server.echo("/echo", unix=True)["role"] == "operator", "the socket stays plain"


@case
def an_old_version_and_plain_text_are_refused():
    with tls_server() as (server, folder, _, _):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        context.set_ciphers("ALL:@SECLEVEL=0")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # it is old, and this is the point
            context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_1
        with socket.create_connection((server.host, server.port), 20) as link:
            try:
                context.wrap_socket(link, server_hostname="localhost").close()
                raise AssertionError("TLS 1.1 was taken")
            except (ssl.SSLError, ConnectionError):
                pass
        answer = server.raw(request("/echo"))
        assert answer is None, answer
        assert trusts(server, folder / "first.crt"), "it goes on"


@case
def a_stream_comes_through_TLS():
    with tls_server() as (server, folder, _, _), secure(server, folder / "first.crt") as link:
        link.sendall(request("/events"))
        text = b""
        while b"retry:" not in text:
            text += link.recv(65536)
        for number in range(200):
            server.say(f"event tick {number}")
            while f"data: {number}\n".encode() not in text:
                octets = link.recv(65536)
                assert octets, "the stream ended"
                text += octets
        server.say("flood 100 1000")
        while text.count(b"event: flood") < 100:
            text += link.recv(65536)


@case
def a_certificate_that_is_written_anew_serves_from_the_next_connection_on():
    with tls_server() as (server, folder, live, live_key):
        with secure(server, folder / "first.crt") as old:
            old.sendall(request("/echo"))
            assert read_answer(old).status == 200
            certificate, key = make_certificate(folder, "second")
            live_key.write_bytes(key.read_bytes())
            live.write_bytes(certificate.read_bytes())
            wait_until(lambda: trusts(server, certificate), "the new certificate")
            assert not trusts(server, folder / "first.crt")
            old.sendall(request("/echo"))
            assert read_answer(old).status == 200, "a connection that is there goes on"
        for spoil in (lambda: live.write_text("no certificate"),
                      lambda: live.write_bytes((folder / "first.crt").read_bytes()),  # other key
                      live.unlink):
            server.log.write_text("")
            spoil()
            wait_until(lambda: "api_certificate_wrong" in server.log.read_text(), "a complaint")
            assert trusts(server, certificate), "the one of before serves on"


@case
def a_server_does_not_start_with_a_wrong_certificate():
    with tempfile.TemporaryDirectory(prefix="holdfast-serve-") as folder:
        folder = pathlib.Path(folder)
        certificate, key = make_certificate(folder, "first")
        other, _ = make_certificate(folder, "other")
        for words in ((other, key), (key, certificate), (certificate, "/nowhere/key")):
            done = subprocess.run(
                [BUILD / "tests/integration/serveprobe", "--socket", folder / "s", "--certificate",
                 words[0], "--key", words[1]], capture_output=True, text=True, timeout=20)
            assert done.returncode == 1 and "api_certificate_wrong" in done.stderr, done
            assert not (folder / "s").exists()


def hello_of(certificate):
    """The first flight of a client."""
    there, back = ssl.MemoryBIO(), ssl.MemoryBIO()
    context = ssl.create_default_context(cafile=str(certificate))
    client = context.wrap_bio(there, back, server_hostname="localhost")
    with contextlib.suppress(ssl.SSLWantReadError):
        client.do_handshake()
    return back.read()


@case
def half_a_handshake_costs_nothing_and_hurts_nobody():
    with tls_server() as (server, folder, _, _), contextlib.ExitStack() as links:
        hello = hello_of(folder / "first.crt")
        for octets in (b"", b"\x16", hello[:100], hello, b"\x16\x03\x01\xff\xff" + b"x" * 99):
            for _ in range(20):
                links.enter_context(server.connect()).sendall(octets)
        assert trusts(server, folder / "first.crt")
        assert server.busy_share() < BUSY_SHARE, "it is busy with clients that wait"
        with secure(server, folder / "first.crt") as link:
            link.sendall(request("/bytes?size=20000000"))
            assert len(read_answer(link).body) == 20000000


if __name__ == "__main__":
    sys.exit(case.main())
