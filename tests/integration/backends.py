# SPDX-License-Identifier: GPL-3.0-or-later
"""Backends that answer checks well, badly or not at all, and certificates for them.

    with Backend(answer(b"HTTP/1.1 200 OK\\r\\nContent-Length: 2\\r\\n\\r\\nok")) as backend:
        backend.port
        backend.visits      # what each visitor sent, in order
        backend.endings     # how each connection ended: "reset", "closed"

A behaviour is a function of a Visit. Each visit has a thread of its own.
"""

import collections
import contextlib
import pathlib
import socket
import ssl
import subprocess
import threading
import time

from servers import free_port

REQUEST_END = b"\r\n\r\n"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


class Visit:
    """One connection to a backend."""

    def __init__(self, backend, connection):
        self.backend, self.connection = backend, connection

    def read_request(self):
        octets = b""
        while REQUEST_END not in octets:
            got = self.connection.recv(4096)
            if not got:
                break
            octets += got
        self.backend.visits.append(octets)
        return octets

    def send(self, octets):
        self.connection.sendall(octets)

    def wait_for_end(self):
        """Until the visitor goes, or the test ends."""
        while self.connection.recv(4096):
            pass


class Backend:
    """A TCP or TLS server on a free port of an address of the loopback."""

    def __init__(self, behaviour, host="127.0.0.1", port=None, context=None):
        self.behaviour, self.host, self.context = behaviour, host, context
        self.visits, self.endings, self.names = [], [], []
        self.present = self.unanswered = self.unanswered_max = 0
        self.lock = threading.Lock()
        self.connections = set()
        if context:
            context.sni_callback = lambda connection, name, _: self.names.append(name)
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self.listener = socket.socket(family, socket.SOCK_STREAM)
        self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.port = port or free_port()
        self.listener.bind((host, self.port))
        self.listener.listen(512)
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection):
        with self.lock:
            self.present += 1
            self.connections.add(connection)
        ending = "closed"
        try:
            served = connection
            if self.context:
                served = self.context.wrap_socket(connection, server_side=True)
            self.behaviour(Visit(self, served))
        except ConnectionResetError:
            ending = "reset"
        except (OSError, ssl.SSLError):
            ending = "broken"
        finally:
            with self.lock:
                self.present -= 1
                self.connections.discard(connection)
                self.endings.append(ending)
            with contextlib.suppress(OSError):
                (served or connection).close()

    def count_unanswered(self, change):
        """Requests that wait for their answer: fewer than there are connections."""
        with self.lock:
            self.unanswered += change
            self.unanswered_max = max(self.unanswered_max, self.unanswered)

    def close(self):
        with contextlib.suppress(OSError):
            self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        with self.lock:
            connections = list(self.connections)
        for connection in connections:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.close()


class FullBackend:
    """Listens, but its queue of connections is full: the kernel drops further ones."""

    def __init__(self):
        self.port = free_port()
        self.listener = socket.socket()
        self.listener.bind(("127.0.0.1", self.port))
        self.listener.listen(0)
        self.fillers = []
        for _ in range(4):
            filler = socket.socket()
            filler.setblocking(False)
            filler.connect_ex(("127.0.0.1", self.port))
            self.fillers.append(filler)

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        for filler in self.fillers:
            filler.close()
        self.listener.close()


# Behaviours


def answer(octets):
    """The same response to every request, then a close."""

    def behaviour(visit):
        visit.read_request()
        visit.send(octets)

    return behaviour


def answer_and_wait(octets):
    """The same response, and no close: the visitor has to go."""

    def behaviour(visit):
        visit.read_request()
        visit.send(octets)
        visit.wait_for_end()

    return behaviour


def stall(visit):
    """Takes the request and says nothing."""
    visit.read_request()
    visit.wait_for_end()


def drip(head, drop, pause_s=0.02):
    """A response that never ends, a drop at a time."""

    def behaviour(visit):
        visit.read_request()
        visit.send(head)
        while True:
            visit.send(drop)
            time.sleep(pause_s)  # the behaviour itself: a slow server

    return behaviour


def flood(head, piece):
    """As much of a response as the visitor takes."""

    def behaviour(visit):
        visit.read_request()
        visit.send(head)
        while True:
            visit.send(piece)

    return behaviour


def after(pause_s, octets):
    """A response that takes its time."""

    def behaviour(visit):
        visit.read_request()
        visit.backend.count_unanswered(1)
        time.sleep(pause_s)  # the behaviour itself: a slow server
        visit.backend.count_unanswered(-1)
        visit.send(octets)

    return behaviour


def hang_up(visit):
    """Takes the request and closes."""
    visit.read_request()


def blurt(visit):
    """Answers before it was asked."""
    visit.send(OK)
    visit.wait_for_end()


# Certificates

Certificate = collections.namedtuple("Certificate", "chain key")


def openssl(*words, folder):
    subprocess.run(["openssl", *words], cwd=folder, check=True, capture_output=True)


CA_CONF = """[ca]
default_ca = this
[this]
database = ca.index
new_certs_dir = .
rand_serial = yes
email_in_dn = no
default_md = sha256
policy = any
[any]
commonName = supplied
"""


class Authority:
    """A certificate authority in a folder; its own certificate is folder/ca.pem."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.ca = self.folder / "ca.pem"
        self._self_signed("ca", "test authority")

    def _self_signed(self, name, subject, extra=()):
        openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                "-keyout", f"{name}.key", "-out", f"{name}.pem", "-days", "2",
                "-subj", f"/CN={subject}", *extra, folder=self.folder)
        return Certificate(self.folder / f"{name}.pem", self.folder / f"{name}.key")

    def self_signed(self, name, alternatives):
        return self._self_signed(name, name, ("-addext", f"subjectAltName={alternatives}"))

    def _request(self, name, alternatives):
        (self.folder / f"{name}.ext").write_text(f"subjectAltName={alternatives}\n")
        openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                "-keyout", f"{name}.key", "-out", f"{name}.csr", "-subj", f"/CN={name}",
                folder=self.folder)
        return Certificate(self.folder / f"{name}.pem", self.folder / f"{name}.key")

    def issue(self, name, alternatives, days=2):
        """A certificate for alternatives such as "DNS:web.test,IP:127.0.0.1"."""
        certificate = self._request(name, alternatives)
        openssl("x509", "-req", "-in", f"{name}.csr", "-CA", "ca.pem", "-CAkey", "ca.key",
                "-CAcreateserial", "-out", f"{name}.pem", "-days", str(days),
                "-extfile", f"{name}.ext", folder=self.folder)
        return certificate

    def issue_until(self, name, alternatives, end):
        """One that ends at a moment (UTC)."""
        certificate = self._request(name, alternatives)
        (self.folder / "ca.index").write_text("")
        (self.folder / "ca.conf").write_text(CA_CONF)
        openssl("ca", "-batch", "-config", "ca.conf", "-cert", "ca.pem", "-keyfile", "ca.key",
                "-in", f"{name}.csr", "-out", f"{name}.pem", "-notext",
                "-startdate", "20200101000000Z", "-enddate", end.strftime("%Y%m%d%H%M%SZ"),
                "-extfile", f"{name}.ext", folder=self.folder)
        return certificate


def tls(certificate):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate.chain, certificate.key)
    return context
