# SPDX-License-Identifier: GPL-3.0-or-later
"""Real authoritative servers for tests: Knotd, Named and Pdns, all used alike.

    with Knotd(zones=["example.test"]) as server:
        server.key            # name, algorithm, secret
        server.port           # on 127.0.0.1, UDP and TCP
        server.query("api.example.test", "A")
        server.kill()         # SIGKILL, as a crash would
        server.start()        # the zones are as they were

A server keeps everything in a folder of its own, listens on a high port of the loopback only, takes
UPDATE and AXFR with one generated TSIG key, and dies with the test, however the test ends. Its
settings are those that Holdfast's documentation recommends.
"""

import base64
import collections
import contextlib
import ctypes
import os
import pathlib
import random
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time

import dns.exception
import dns.flags
import dns.message
import dns.query
import dns.rcode
import dns.rdatatype
import dns.tsigkeyring

HOST = "127.0.0.1"
START_S = 20  # until a server answers
STOP_S = 10  # until a server that was asked to end has ended
PORTS = range(20000, 30000)  # below the ports that the kernel gives to outgoing connections
PR_SET_PDEATHSIG = 1
LIBC = ctypes.CDLL(None, use_errno=True)

Key = collections.namedtuple("Key", "name algorithm secret")


class ServerError(Exception):
    """A server does not start, or does not do what the harness needs of it."""


def die_with_parent():
    """For preexec_fn: the child is killed when the test's main thread ends."""
    LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def pause_wait(pid):
    """Returns once every thread of a process that was sent SIGSTOP stands still."""
    deadline = time.monotonic() + STOP_S
    for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
        while (task / "stat").read_text().rpartition(")")[2].split()[0] not in "tT":
            if time.monotonic() > deadline:
                raise ServerError(f"process {pid} does not stop")
            time.sleep(0.001)


def program(name):
    """The path of a server program: they live in sbin, which is not in everybody's PATH."""
    path = shutil.which(name, path=os.environ.get("PATH", "") + ":/usr/sbin:/usr/local/sbin")
    if path is None:
        raise ServerError(f"{name} is not installed")
    return path


def free_port():
    """A port of 127.0.0.1 that neither UDP nor TCP uses at the moment."""
    for port in random.sample(PORTS, 200):
        with contextlib.ExitStack() as sockets:
            try:
                for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
                    sock = sockets.enter_context(socket.socket(socket.AF_INET, kind))
                    sock.bind((HOST, port))
            except OSError:
                continue
            return port
    raise ServerError("no free port found")


def new_secret():
    return base64.b64encode(secrets.token_bytes(32)).decode()


def absolute(zone):
    return zone if zone.endswith(".") else zone + "."


class Server:
    """What all servers have in common; the subclasses write a configuration and start a program."""

    kind = None

    def __init__(self, zones, records="", folder=None, key=None, start=True):
        """zones: names. records: lines of a zone file, added to every zone, relative to it.
        folder: None for a new one that is removed by close()."""
        self.zones = [absolute(zone) for zone in zones]
        self.records = records
        self.own_folder = folder is None
        self.folder = pathlib.Path(folder or tempfile.mkdtemp(prefix="hf-"))
        self.key = key or Key("holdfast.", "hmac-sha256", new_secret())
        self.port = None
        self.process = None
        self.log = self.folder / f"{self.kind}.log"
        self.prepared = False
        self.timeout_s = 5
        if start:
            try:
                self.start()
            except BaseException:
                self.close()
                raise

    # For the subclasses

    def prepare(self):
        """Makes folders and data; called once, before the first start."""
        for zone in self.zones:
            self.zone_file(zone).write_text(self.zone_text(zone))

    def configure(self):
        """Writes the configuration for self.port; called before every start."""
        raise NotImplementedError

    def command(self):
        raise NotImplementedError

    def zone_file(self, zone):
        return self.folder / f"{zone}zone"

    def zone_text(self, zone):
        return (
            f"$ORIGIN {zone}\n$TTL 300\n"
            f"@ IN SOA ns hostmaster 1 3600 600 86400 5\n@ IN NS ns\nns IN A {HOST}\n{self.records}"
        )

    # Running

    def start(self):
        """Starts the program and waits until it answers for every zone. A second start listens
        where the first one did."""
        if self.running:
            raise ServerError(f"{self.kind} runs already")
        new = self.port is None
        for _ in range(5 if new else 1):
            if new:
                self.port = free_port()
            if not self.prepared:
                self.prepare()
                self.prepared = True
            self.configure()
            with open(self.log, "ab") as log:
                self.process = subprocess.Popen(
                    self.command(),
                    cwd=self.folder,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    preexec_fn=die_with_parent,
                )
            if self.wait_until_answering():
                return
        raise ServerError(f"{self.kind} does not start:\n{self.log_tail()}")

    def wait_until_answering(self):
        """True once it answers; False when it ended, for example because its port was taken."""
        deadline = time.monotonic() + START_S
        waiting = list(self.zones)
        while waiting:
            if self.process.poll() is not None:
                return False
            if time.monotonic() > deadline:
                raise ServerError(f"{self.kind} does not answer in time:\n{self.log_tail()}")
            try:
                answer = self.query(waiting[0], "SOA", timeout_s=0.2)
                if answer.answer:
                    waiting.pop(0)
                    continue
            except (OSError, EOFError, dns.exception.DNSException):
                pass
            time.sleep(0.02)  # between two looks at a condition
        return True

    @property
    def running(self):
        return self.process is not None and self.process.poll() is None

    @property
    def pid(self):
        return self.process.pid

    def stop(self):
        """Asks the program to end and waits for it."""
        self._end(signal.SIGTERM)

    def kill(self):
        """SIGKILL: what was not on the disk is lost."""
        self._end(signal.SIGKILL)

    def _end(self, number):
        if self.process is None:
            return
        if self.process.poll() is None:
            self.process.send_signal(number)
            self.process.send_signal(signal.SIGCONT)
        try:
            self.process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process = None

    def restart(self, kill=False):
        self.kill() if kill else self.stop()
        self.start()

    def pause(self):
        """SIGSTOP: the kernel still accepts connections, nobody answers."""
        self.process.send_signal(signal.SIGSTOP)
        pause_wait(self.pid)

    def resume(self):
        self.process.send_signal(signal.SIGCONT)

    def close(self):
        self.kill()
        if self.own_folder and not os.environ.get("HOLDFAST_KEEP"):
            shutil.rmtree(self.folder, ignore_errors=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def log_tail(self, lines=40):
        try:
            return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])
        except OSError:
            return ""

    # Asking

    @property
    def address(self):
        """As Holdfast's configuration writes it."""
        return f"{HOST}@{self.port}"

    @property
    def keyring(self):
        return dns.tsigkeyring.from_text({self.key.name: self.key.secret})

    def write_secret(self, path):
        """The key's secret as a file of mode 0600, for tsig.secret_file."""
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(self.key.secret + "\n")

    def query(self, name, kind, timeout_s=None, tcp=False):
        """One unsigned question; the whole reply as a dns.message.Message."""
        question = dns.message.make_query(absolute(name), kind)
        question.flags &= ~dns.flags.RD
        ask = dns.query.tcp if tcp else dns.query.udp
        return ask(question, HOST, port=self.port, timeout=timeout_s or self.timeout_s)

    def rrset(self, name, kind):
        """The texts of an RRset's RDATA, sorted; empty when there is none."""
        kind = dns.rdatatype.from_text(kind)
        reply = self.query(name, kind, tcp=True)
        if reply.rcode() not in (dns.rcode.NOERROR, dns.rcode.NXDOMAIN):
            raise ServerError(f"{name}: {dns.rcode.to_text(reply.rcode())}")
        return sorted(
            record.to_text() for rrset in reply.answer if rrset.rdtype == kind for record in rrset
        )

    def update(self, message, timeout_s=None):
        """Signs and sends a dns.update.UpdateMessage; the rcode as text."""
        message.use_tsig(self.keyring, algorithm=self.key.algorithm)
        reply = dns.query.tcp(message, HOST, port=self.port, timeout=timeout_s or self.timeout_s)
        return dns.rcode.to_text(reply.rcode())

    def axfr(self, zone=None):
        """The zone as a dict: (name, type) -> (ttl, sorted texts of RDATA), names absolute."""
        zone = absolute(zone or self.zones[0])
        content = {}
        for message in dns.query.xfr(
            HOST,
            zone,
            port=self.port,
            keyring=self.keyring,
            keyalgorithm=self.key.algorithm,
            relativize=False,
            timeout=self.timeout_s,
        ):
            for rrset in message.answer:
                at = (rrset.name.to_text().lower(), dns.rdatatype.to_text(rrset.rdtype))
                ttl, texts = content.get(at, (rrset.ttl, []))
                texts = texts + [record.to_text() for record in rrset]
                content[at] = (rrset.ttl, sorted(set(texts)))
        return content


class Knotd(Server):
    """Knot DNS. The journal holds all changes: zone files are never written."""

    kind = "knotd"

    def configure(self):
        zones = "".join(
            f"  - domain: {zone}\n    file: {self.zone_file(zone)}\n" for zone in self.zones
        )
        (self.folder / "knot.conf").write_text(
            f"""
server:
    rundir: {self.folder}
    pidfile: {self.folder}/knot.pid
    listen: {HOST}@{self.port}
    udp-workers: 1
    tcp-workers: 2
    tcp-io-timeout: 5000
control:
    listen: {self.folder}/knot.sock
log:
  - target: stderr
    any: info
database:
    storage: {self.folder}
    journal-db-mode: robust
    journal-db-max-size: 2G
key:
  - id: {self.key.name}
    algorithm: {self.key.algorithm}
    secret: {self.key.secret}
acl:
  - id: holdfast
    key: {self.key.name}
    action: [update, transfer]
    update-owner: zone
    update-owner-match: sub-or-equal
template:
  - id: default
    storage: {self.folder}
    acl: holdfast
    zonefile-sync: -1
    zonefile-load: whole
    journal-content: changes
    journal-max-depth: 100000
    journal-max-usage: 1G
    semantic-checks: off
zone:
{zones}"""
        )

    def command(self):
        return [program("knotd"), "-c", self.folder / "knot.conf"]


class Named(Server):
    """BIND. Debian's AppArmor profile goes by the program's path and would confine named to its
    system folders; a copy of the program has no profile."""

    kind = "named"

    def prepare(self):
        super().prepare()
        self.executable = program("named")
        enabled = pathlib.Path("/sys/module/apparmor/parameters/enabled")
        with contextlib.suppress(OSError):
            if enabled.read_text().startswith("Y"):
                shutil.copy(self.executable, self.folder / "named")
                self.executable = self.folder / "named"

    def configure(self):
        zones = "".join(
            f'zone "{zone}" {{ type primary; file "{self.zone_file(zone)}"; '
            f'allow-update {{ key "{self.key.name}"; }}; }};\n'
            for zone in self.zones
        )
        (self.folder / "named.conf").write_text(
            f"""
key "{self.key.name}" {{ algorithm {self.key.algorithm}; secret "{self.key.secret}"; }};
options {{
    directory "{self.folder}";
    listen-on port {self.port} {{ {HOST}; }};
    listen-on-v6 {{ none; }};
    pid-file none;
    session-keyfile none;
    lock-file none;
    recursion no;
    dnssec-validation no;
    notify no;
    allow-transfer {{ key "{self.key.name}"; }};
    max-journal-size 100m;
    serial-update-method increment;
    tcp-clients 500;
}};
controls {{ }};
logging {{
    channel log {{ stderr; severity info; print-time yes; }};
    category default {{ log; }};
    category update {{ null; }};
    category xfer-out {{ null; }};
}};
{zones}"""
        )

    def command(self):
        return [self.executable, "-f", "-n", "2", "-c", self.folder / "named.conf"]


class Pdns(Server):
    """PowerDNS on LMDB, without any cache."""

    kind = "pdns_server"

    def pdnsutil(self, *args):
        result = subprocess.run(
            [program("pdnsutil"), f"--config-dir={self.folder}", *args],
            cwd=self.folder,
            capture_output=True,
            text=True,
            timeout=START_S,
        )
        if result.returncode != 0:
            raise ServerError(f"pdnsutil {args[0]}: {result.stdout}{result.stderr}")

    def prepare(self):
        super().prepare()
        self.configure()
        name = self.key.name.rstrip(".")
        self.pdnsutil("import-tsig-key", name, self.key.algorithm, self.key.secret)
        for zone in self.zones:
            self.pdnsutil("load-zone", zone, str(self.zone_file(zone)))
            self.pdnsutil("set-kind", zone, "primary")
            self.pdnsutil("activate-tsig-key", zone, name, "primary")
            self.pdnsutil("set-meta", zone, "TSIG-ALLOW-DNSUPDATE", name)
            self.pdnsutil("set-meta", zone, "SOA-EDIT-DNSUPDATE", "INCREASE")

    def configure(self):
        (self.folder / "pdns.conf").write_text(
            f"""
launch=lmdb
lmdb-filename={self.folder}/pdns.lmdb
local-address={HOST}
local-port={self.port}
socket-dir={self.folder}
daemon=no
guardian=no
write-pid=no
disable-syslog=yes
loglevel=4
dnsupdate=yes
allow-dnsupdate-from=127.0.0.0/8
primary=yes
only-notify=
allow-axfr-ips=
cache-ttl=0
query-cache-ttl=0
negquery-cache-ttl=0
zone-cache-refresh-interval=0
zone-metadata-cache-ttl=0
consistent-backends=no
security-poll-suffix=
"""
        )

    def command(self):
        return [program("pdns_server"), f"--config-dir={self.folder}"]


ALL = (Knotd, Named, Pdns)
