#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""The HTTP server: what requests come to, who may ask what, and how it takes what is malformed."""

import contextlib
import gzip
import json
import os
import pathlib
import socket
import subprocess
import sys
import tempfile

from probes import Cases, wait_until
from serveprobe import HOST, JSON, Server, read_answer, request

case = Cases()
READ, OPERATOR = "reader-token-0123456789", "operator-token-0123456789"
LINE = b"0123456789abcdef0123456789ABCDE\n"
NOBODY = 65534  # a user without rights of its own


def error_of(answer):
    return answer.status, json.loads(answer.body)["error"]["code"]


def bearer(token):
    return {"Authorization": f"Bearer {token}"}


@contextlib.contextmanager
def tokens_file(text=f"# who may\nread page {READ}\noperator deploy {OPERATOR}\n", mode=0o600):
    with tempfile.TemporaryDirectory(prefix="holdfast-serve-") as folder:
        path = pathlib.Path(folder) / "tokens"
        path.write_text(text)
        path.chmod(mode)
        yield path


def beyond_loopback():
    """An address of this machine that is not of the loopback, or None."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # nothing is sent
        except OSError:
            return None
        address = probe.getsockname()[0]
    return None if address.startswith("127.") else address


@case
def a_request_reaches_the_handler_decoded():
    with Server() as server:
        heard = server.echo("/echo/a%2Fb/%C3%A4?x=1&y=a+b%26c&x=2&z")
        assert heard["path"] == "/echo/a/b/ä", heard
        assert heard["query"] == [["x", "1"], ["y", "a b&c"], ["x", "2"], ["z", ""]], heard
        assert (heard["method"], heard["role"], heard["who"]) == ("GET", "read", "anonymous")
        assert server.ask("/nowhere").status == 404
        counts = server.count()
        assert counts["requests_2"] == 1 and counts["requests_4"] == 1, counts


@case
def every_answer_says_how_it_may_be_used():
    with Server() as server:
        for answer in (server.ask("/echo"), server.ask("/nowhere"), server.ask("/echo", "PUT"),
                       server.ask("/echo", host="evil.example"), server.ask("/a/../b")):
            fields = answer.fields
            assert "default-src 'none'" in fields["content-security-policy"], fields
            assert "frame-ancestors 'none'" in fields["content-security-policy"], fields
            assert fields["x-content-type-options"] == "nosniff", fields
            assert fields["referrer-policy"] == "no-referrer", fields
            assert fields["cache-control"] == "no-store", fields
            assert fields["content-type"] == "application/json", fields


@case
def head_is_get_without_the_content():
    with Server() as server, server.connect() as link:
        for path in ("/bytes?size=100", "/events"):
            link.sendall(request(path, "HEAD"))
            answer = read_answer(link, "HEAD")
            assert answer.status in (200, 404) and answer.body == b"", answer
            if path != "/events":
                assert answer.fields["content-length"] == "100", answer
        link.sendall(request("/bytes?size=32"))
        assert read_answer(link).body == LINE


@case
def an_entity_tag_saves_the_content():
    with Server() as server:
        first = server.ask("/bytes?size=4096&etag=v1")
        assert first.fields["etag"] == '"v1"' and len(first.body) == 4096
        assert first.fields["cache-control"] == "private, no-cache", first.fields
        for seen in ('"v1"', 'W/"v1"', '"v0", "v1"', "*", '"v1-gzip"'):
            again = server.ask("/bytes?size=4096&etag=v1", fields={"If-None-Match": seen})
            assert again.status == 304 and again.body == b"", (seen, again)
            assert again.fields["etag"] == '"v1"', again.fields
        for seen in ('"v2"', "v1", '"v"', '"v11"', '""'):
            again = server.ask("/bytes?size=4096&etag=v1", fields={"If-None-Match": seen})
            assert again.status == 200, (seen, again)
        forever = server.ask("/bytes?size=9&immutable=1")
        assert "immutable" in forever.fields["cache-control"], forever.fields


@case
def content_is_compressed_for_those_who_take_it():
    takes = {"Accept-Encoding": "br, gzip;q=0.8"}
    with Server() as server:
        for source in ("", "&gzip=1"):
            path = f"/bytes?size=32000&etag=v1{source}"
            plain, packed = server.ask(path), server.ask(path, fields=takes)
            assert plain.body == LINE * 1000 and "content-encoding" not in plain.fields
            assert packed.fields["content-encoding"] == "gzip", packed.fields
            assert gzip.decompress(packed.body) == plain.body
            assert plain.fields["etag"] == '"v1"' and packed.fields["etag"] == '"v1-gzip"'
            assert packed.fields["vary"] == plain.fields["vary"] == "Accept-Encoding"
            again = server.ask(path, fields={**takes, "If-None-Match": '"v1-gzip"'})
            assert again.status == 304 and again.fields["etag"] == '"v1-gzip"', again
        small = server.ask("/bytes?size=64", fields=takes)
        assert "content-encoding" not in small.fields and small.body == LINE * 2
        refused = server.ask("/bytes?size=32000", fields={"Accept-Encoding": "gzip;q=0, br"})
        assert "content-encoding" not in refused.fields


@case
def a_large_answer_arrives_whole_and_one_too_large_is_an_error():
    with Server() as server:
        assert server.ask("/bytes?size=33554432").body == LINE * (1 << 20)
        assert error_of(server.ask("/bytes?size=68000000")) == (500, "too-large")


@case
def connections_are_kept_and_pipelined_requests_answered_in_order():
    with Server() as server, server.connect() as link:
        link.sendall(b"".join(request(f"/echo/{number}") for number in range(50)))
        reader = link.makefile("rb")
        for number in range(50):
            head = b"".join(iter(reader.readline, b"\r\n"))
            size = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
            assert json.loads(reader.read(size))["path"] == f"/echo/{number}"


@case
def on_the_unix_socket_the_user_decides():
    with Server() as server:
        assert server.socket.stat().st_mode & 0o777 == 0o660
        heard = server.echo("/echo", "POST", JSON, b"{}", unix=True, host="anything.example")
        assert heard["role"] == "operator" and heard["body"] == "{}", heard
        me = subprocess.run(["id", "-un"], capture_output=True, text=True, check=True)
        assert heard["who"] == me.stdout.strip(), heard


@case
def another_user_on_the_unix_socket_may_only_read():
    if os.geteuid() != 0:
        return "needs root, to be another user"
    with Server() as server:
        server.folder.chmod(0o755)
        server.socket.chmod(0o666)

        def as_nobody(*words):
            done = subprocess.run(
                ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups", "curl",
                 "-sS", "--unix-socket", server.socket, *words, "http://localhost/echo"],
                capture_output=True, text=True, timeout=20)
            return done

        heard = json.loads(as_nobody().stdout)
        assert (heard["role"], heard["who"]) == ("read", "nobody"), heard
        refused = json.loads(as_nobody("-d", "{}", "-H", "Content-Type: application/json").stdout)
        assert refused["error"]["code"] == "forbidden", refused
        server.socket.chmod(0o660)
        assert as_nobody().returncode == 7, "mode 0660 let a stranger in"
    return None


@case
def the_socket_of_a_dead_process_is_replaced_and_a_live_one_respected():
    with Server(tcp=False) as first:
        second = subprocess.run(
            [first.process.args[0], "--socket", first.socket], capture_output=True, text=True,
            timeout=20)
        assert second.returncode == 1 and "another process listens there" in second.stderr, second
        assert first.echo("/echo", unix=True)["role"] == "operator"
        first.process.kill()
        first.process.wait()
        assert first.socket.exists(), "kill -9 leaves the file"
        with Server(tcp=False, folder=first.folder) as heir:
            assert heir.echo("/echo", unix=True)["role"] == "operator"
            # Its own end must not remove what another has put there.
            first.socket.rename(first.socket.with_suffix(".moved"))
            first.socket.touch()
            heir.process.stdin.close()
            assert heir.process.wait(20) == 0 and first.socket.exists()
            first.socket.unlink()
        refused = first.folder / "file"
        refused.write_text("precious")
        third = subprocess.run([first.process.args[0], "--socket", refused], capture_output=True,
                               text=True, timeout=20)
        assert "is there and is no socket" in third.stderr and refused.read_text() == "precious"
        first.process = heir.process


@case
def an_address_that_cannot_be_had_is_said():
    with Server(unix=False) as server:
        for listen, why in ((f"{HOST}@{server.port}", "Address already in use"),
                            ("192.0.2.7@8053", "Cannot assign requested address"),
                            ("localhost@8053", "expected ADDRESS@PORT"),
                            ("127.0.0.1", "expected ADDRESS@PORT"),
                            ("127.0.0.1@99999", "expected ADDRESS@PORT")):
            done = subprocess.run([server.process.args[0], "--listen", listen],
                                  capture_output=True, text=True, timeout=20)
            assert done.returncode == 1 and why in done.stderr, (listen, done)


@case
def tokens_decide_the_role():
    with tokens_file() as path, Server("--tokens", path) as server:
        heard = server.echo("/echo", fields=bearer(READ))
        assert (heard["role"], heard["who"]) == ("read", "page"), heard
        heard = server.echo("/echo", "POST", {**bearer(OPERATOR), **JSON}, b"{}")
        assert (heard["role"], heard["who"]) == ("operator", "deploy"), heard
        assert server.echo("/echo", fields={"Authorization": f"bearer  {READ}"})["who"] == "page"
        for wrong in (f"Bearer {READ}x", f"Bearer {READ[:-1]}", "Bearer", "Bearer ", READ,
                      f"Basic {READ}", "Bearer " + "x" * 300, ""):
            answer = server.ask("/echo", fields={"Authorization": wrong})
            assert error_of(answer) == (401, "wrong-token"), (wrong, answer)
            assert answer.fields["www-authenticate"] == 'Bearer realm="holdfast"'
        assert error_of(server.ask("/echo", "POST", {**bearer(READ), **JSON}, b"{}")) == (
            403, "forbidden")
        assert error_of(server.ask("/echo", "POST", JSON, b"{}")) == (403, "forbidden")
        assert server.count()["refused_token"] == 8
        assert READ not in server.log.read_text()


@case
def a_tokens_file_is_read_again_and_a_wrong_one_keeps_the_old():
    with tokens_file() as path, Server("--tokens", path) as server:
        def role(token):
            answer = server.ask("/echo", fields=bearer(token))
            return json.loads(answer.body)["role"] if answer.status == 200 else answer.status

        fresh = "fresh-token-0123456789ab"
        path.write_text(f"operator fresh {fresh}\n")
        wait_until(lambda: role(fresh) == "operator", "the fresh token")
        assert role(READ) == 401, "a token that was taken out is out"
        for spoil, why in ((lambda: path.write_text("admin x y\n"), "must begin with read"),
                           (lambda: path.chmod(0o604), "open to others"),
                           (path.unlink, "no such file")):
            server.log.write_text("")
            spoil()
            wait_until(lambda: why in server.log.read_text(), why)
            assert role(fresh) == "operator", f"after {why}"
        path.write_text(f"read again {READ}\n")
        path.chmod(0o600)
        wait_until(lambda: role(READ) == "read", "the file that is right again")


@case
def a_server_does_not_start_with_a_wrong_tokens_file():
    probe = Server.__init__.__globals__["BUILD"] / "tests/integration/serveprobe"
    for text, mode, why in (("read page short\n", 0o600, "line=1"),
                            (f"read a {READ}\nread b {READ}\n", 0o600, "line=2"),
                            (f"read page {READ}\n", 0o644, "open to others"),
                            ("#" * 200000, 0o600, "longer than 128 KiB")):
        with tokens_file(text, mode) as path:
            done = subprocess.run([probe, "--tokens", path], capture_output=True, text=True,
                                  timeout=20)
            assert done.returncode == 1 and why in done.stderr, (why, done)
            assert READ not in done.stderr
    done = subprocess.run([probe, "--tokens", "/nowhere/tokens"], capture_output=True, text=True,
                          timeout=20)
    assert done.returncode == 1 and "no such file" in done.stderr, done


@case
def beyond_loopback_nothing_is_said_without_a_token():
    address = beyond_loopback()
    if address is None:
        return "this machine has only a loopback"
    with tokens_file() as path, Server("--tokens", path, unix=False, host=address) as server:
        there = {"host": address}
        for request_path in ("/echo", "/events", "/bytes?size=1", "/nowhere"):
            assert error_of(server.ask(request_path, **there)) == (401, "wrong-token")
        assert server.echo("/healthz", **there)["role"] == "nobody"
        assert server.echo("/echo", fields=bearer(READ), **there)["role"] == "read"
        assert error_of(server.ask("/healthz", fields=bearer("x" * 20), **there))[0] == 401
        assert error_of(server.ask("/echo", fields=bearer(READ), host="evil.example"))[0] == 421
    return None


@case
def a_host_that_is_not_ours_is_refused():
    with Server("--name", "Status.Example.test") as server:
        for host in ("localhost", "LOCALHOST:8053", f"{HOST}:{server.port}", "127.8.9.1", "[::1]",
                     "localhost.", "status.example.TEST", "status.example.test.:443"):
            assert server.ask("/echo", host=host).status == 200, host
        for host in ("evil.example", "127.0.0.1.evil.example", "localhost.evil.example",
                     "127.evil.example", "192.0.2.1", "status.example.test.evil.example"):
            assert error_of(server.ask("/echo", host=host)) == (421, "wrong-host"), host
        for host in ("", "a b", "localhost:8053:1", "localhost/x", "user@localhost", "[::1", "%6c",
                     "localhost:x"):
            assert error_of(server.ask("/echo", host=host)) == (400, "bad-request"), host
        assert server.ask("/echo", host=None).status == 400
        two = b"GET /echo HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\n\r\n"
        assert error_of(server.raw(two)) == (400, "bad-request")


@case
def a_page_of_another_site_can_neither_change_nor_read():
    operator = {**bearer(OPERATOR), **JSON}
    with tokens_file() as path, Server("--tokens", path) as server:
        own = {"Origin": f"http://localhost:{server.port}", "Sec-Fetch-Site": "same-origin"}
        host = f"localhost:{server.port}"
        heard = server.echo("/echo", "POST", {**operator, **own}, b"{}", host=host)
        assert heard["role"] == "operator"
        for foreign in ({"Origin": "http://evil.example"}, {"Origin": "null"},
                        {"Origin": "http://localhost:1"}, {"Origin": ""},
                        {"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"},
                        {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}):
            answer = server.ask("/echo", "POST", {**operator, **foreign}, b"{}", host=host)
            assert error_of(answer) == (403, "forbidden"), (foreign, answer)
        answer = server.ask("/echo", fields={"Sec-Fetch-Site": "cross-site"})
        assert error_of(answer) == (403, "forbidden")
        answer = server.ask("/echo", fields={"Sec-Fetch-Site": "cross-site",
                                             "Sec-Fetch-Mode": "navigate"})
        assert answer.status == 200, "a link to the page may be followed"
        assert "access-control-allow-origin" not in answer.fields
        for kind in ("text/plain", "application/x-www-form-urlencoded", "application/jsonx",
                     "multipart/form-data"):
            answer = server.ask("/echo", "POST", {**operator, "Content-Type": kind}, b"{}")
            assert error_of(answer) == (415, "wrong-type"), kind
        assert error_of(server.ask("/echo", "POST", bearer(OPERATOR), b"{}"))[0] == 415
        preflight = server.ask("/echo", "OPTIONS", {"Origin": "http://evil.example"})
        assert preflight.status == 405 and preflight.fields["allow"] == "GET, HEAD, POST"


BAD_TARGETS = ["/%", "/%4", "/%zz", "/%00", "/a%0Ab", "/%7f", "/%ff", "/%c3%28", "/%ed%a0%80",
               "/%C2%85", "/..", "/../etc/passwd", "/a/../b", "/%2e%2e/x", "/a/%2E/b", "/a//b",
               "/a/", "//", "/.", "/a%2F%2e%2e", "/a%2f", "*", "http://localhost/echo", "echo",
               "/echo?=x", "/echo?a=%", "/echo?a%00=b", "/echo?a=%0d%0aSet-Cookie:x",
               "/echo?" + "&".join(f"p{n}=1" for n in range(17))]


@case
def a_target_that_can_be_read_in_two_ways_is_refused():
    with Server() as server:
        for target in BAD_TARGETS:
            assert error_of(server.ask(target)) == (400, "bad-request"), target
        heard = server.echo("/echo?" + "&".join(f"p{n}=1" for n in range(16)) + "&&")
        assert len(heard["query"]) == 16
        assert server.echo("/echo/%25/..a/...")["path"] == "/echo/%/..a/..."


HEAD = b"POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
BAD_REQUESTS = {
    "no version": b"GET /echo\r\n\r\n",
    "garbage": bytes(range(1, 256)) * 4 + b"\r\n\r\n",
    "HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "TLS": bytes.fromhex("16030100f8010000f40303") + b"\x00" * 200 + b"\n\n",
    "no colon": b"GET /echo HTTP/1.1\r\nHost: localhost\r\nnothing\r\n\r\n",
    "two lengths": HEAD + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{} ",
    "two equal lengths": HEAD + b"Content-Length: 2\r\nContent-Length: 2\r\n\r\n{}",
    "length and coding": HEAD + b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "coding and length": HEAD + b"Transfer-Encoding: chunked\r\nContent-Length: 2\r\n\r\n0\r\n\r\n",
    "unknown coding": HEAD + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
    "odd coding": HEAD + b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
    "two codings": HEAD + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n"
                   b"0\r\n\r\n",
    "negative length": HEAD + b"Content-Length: -1\r\n\r\n",
    "length with a sign": HEAD + b"Content-Length: +2\r\n\r\n{}",
    "length in two": HEAD + b"Content-Length: 2, 2\r\n\r\n{}",
    "hexadecimal length": HEAD + b"Content-Length: 0x2\r\n\r\n{}",
    "long length": HEAD + b"Content-Length: 99999999999999999999999\r\n\r\n{}",
    "body of a GET": b"GET /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\n{}",
    "chunks of a GET": b"GET /echo HTTP/1.1\r\nHost: localhost\r\n"
                       b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "bad chunk size": HEAD + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n",
    "huge chunk": HEAD + b"Transfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\n{}\r\n",
    "chunk without end": HEAD + b"Transfer-Encoding: chunked\r\n\r\n2\r\n{}XX0\r\n\r\n",
    "long line": b"GET /" + b"a" * 40000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "long field": b"GET /echo HTTP/1.1\r\nHost: localhost\r\nX: " + b"a" * 40000 + b"\r\n\r\n",
    "many fields": b"GET /echo HTTP/1.1\r\nHost: localhost\r\n" + b"X: y\r\n" * 10000 + b"\r\n",
    "repeated token": b"GET /echo HTTP/1.1\r\nHost: localhost\r\nAuthorization: a\r\n"
                      b"Authorization: b\r\n\r\n",
}


@case
def a_malformed_request_is_refused_and_closes_its_connection():
    with Server() as server:
        for name, octets in BAD_REQUESTS.items():
            with server.connect(unix=True) as link:
                with contextlib.suppress(ConnectionError):
                    link.sendall(octets + request("/echo/smuggled"))
                answers = b""
                with contextlib.suppress(ConnectionError):
                    answers = b"".join(iter(lambda link=link: link.recv(65536), b""))
                assert b"smuggled" not in answers, name
                assert answers == b"" or answers.startswith(b"HTTP/1.1 4") or (
                    answers.startswith((b"HTTP/1.1 5", b"HTTP/1.0 4"))), (name, answers[:80])
        assert server.echo("/echo")["path"] == "/echo"


@case
def a_body_has_a_limit_however_it_comes():
    limit = 64 * 1024
    with Server() as server:
        def post(body):
            return server.ask("/echo", "POST", JSON, body, unix=True)

        def chunked(*sizes):
            pieces = b"".join(b"%x;note=1\r\n%s\r\n" % (size, b" " * size) for size in sizes)
            return server.raw(HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + pieces + b"0\r\n\r\n",
                              unix=True)

        assert len(json.loads(post(b" " * limit).body)["body"]) == limit
        assert error_of(post(b" " * (limit + 1))) == (413, "too-large")
        assert len(json.loads(chunked(1, 2, limit - 3).body)["body"]) == limit
        assert error_of(chunked(1, limit)) == (413, "too-large")
        assert chunked(*[65536] * 40) is None, "it is cut in the end"
        waits = HEAD + b"Content-Length: 2\r\nExpect: 100-continue\r\n\r\n"
        with server.connect(unix=True) as link:
            link.sendall(waits)
            assert link.recv(4096).startswith(b"HTTP/1.1 100 ")
            link.sendall(b"{}")
            assert read_answer(link).status == 200


@case
def a_nul_ends_the_text_that_it_stands_in():
    """As in the C strings of libmicrohttpd: what is behind it is not looked at by anybody."""
    with Server() as server:
        answer = server.raw(b"GET /echo\0/../x HTTP/1.1\r\nHost: localhost\0.evil\r\n\r\n")
        assert answer is None or answer.status == 400 or (
            json.loads(answer.body)["path"] == "/echo"), answer
        answer = server.raw(b"GET /echo HTTP/1.1\r\nHost: evil.example\0localhost\r\n\r\n")
        assert answer is None or answer.status in (400, 421), answer


if __name__ == "__main__":
    sys.exit(case.main())
