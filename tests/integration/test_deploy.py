#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""The configurations that docs/operating/deploy.md recommends, run as they stand there.

Only addresses, ports, paths and the secret are put in place; a block that is changed on the page is
changed here too, and one that a server refuses turns a test red.
"""

import contextlib
import pathlib
import re
import signal
import sys

import dns.exception
import dns.tsig
import dns.update

import servers
from backends import OK, Backend
from installation import Installation
from processes import Cases, wait_until

PAGE = pathlib.Path(__file__).resolve().parents[2] / "docs" / "operating" / "deploy.md"
ZONE = "example.test"
BACKENDS = [f"127.0.0.{i}" for i in (11, 12, 13)]

case = Cases()


def block(info):
    """The text of the page's block with this info string."""
    found = re.findall(rf"^```{re.escape(info)}\n(.*?)^```$", PAGE.read_text(), re.M | re.S)
    assert len(found) == 1, f"{info}: {len(found)} blocks"
    return found[0]


class Documented:
    """A mixin for the servers: their configuration comes from the page."""

    def place(self, text):
        for old, new in (
                ("192.0.2.53@53", f"{servers.HOST}@{self.port}"),
                ("192.0.2.53", servers.HOST), ("192.0.2.0/24", "127.0.0.0/8"),
                ("192.0.2.", "127.0.0."),
                ("local-port=53\n", f"local-port={self.port}\n"),
                ("SECRET", self.key.secret),
                ("/var/lib/bind", str(self.folder)), ("/etc/bind", str(self.folder)),
                ("/var/lib/knot", str(self.folder)), ("/var/lib/powerdns", str(self.folder))):
            text = text.replace(old, new)
        return text

    def zone_text(self, zone):
        return self.place(block("zone"))

    def zone_file(self, zone):
        return self.folder / "example.test.zone"


class BindAsDocumented(Documented, servers.Named):
    limits_types = True
    window = 8

    def configure(self):
        self.write_keys([self.key])
        (self.folder / "named.conf").write_text(f"""
options {{
    directory "{self.folder}";
    listen-on port {self.port} {{ {servers.HOST}; }};
    listen-on-v6 {{ none; }};
    pid-file none; session-keyfile none; lock-file none;
    dnssec-validation no;
}};
controls {{ }};
""" + self.place(block("named.conf")))

    def accept(self, keys):
        """As the page's chapter on changing the key says; SIGHUP is what `rndc reconfig` does."""
        self.write_keys(keys)
        path = self.folder / "named.conf"
        names = [key.name.rstrip(".") for key in keys]
        text = re.sub(r"(?:grant holdfast(?:-2)? zonesub A AAAA CNAME TXT; ?)+",
                      "".join(f"grant {name} zonesub A AAAA CNAME TXT; " for name in names),
                      path.read_text())
        text = re.sub(r"allow-transfer \{[^}]*\}",
                      "allow-transfer { " + "".join(f"key {name}; " for name in names) + "}", text)
        path.write_text(text)
        self.process.send_signal(signal.SIGHUP)

    def write_keys(self, keys):
        (self.folder / "holdfast.key").write_text("".join(
            f'key "{key.name.rstrip(".")}" '
            f'{{ algorithm {key.algorithm}; secret "{key.secret}"; }};\n'
            for key in keys))


class KnotAsDocumented(Documented, servers.Knotd):
    limits_types = True
    window = 8

    def configure(self):
        # What Debian's knot.conf has besides, in the folder of this test.
        server = f"server:\n    rundir: {self.folder}\n    pidfile: {self.folder}/knot.pid\n"
        (self.folder / "knot.conf").write_text(
            self.place(block("knot.conf")).replace("server:\n", server)
            + f"control:\n    listen: {self.folder}/knot.sock\n"
            + "log:\n  - target: stderr\n    any: info\n")


    def accept(self, keys):
        path = self.folder / "knot.conf"
        texts = "".join(f"  - id: {key.name.rstrip('.')}\n    algorithm: {key.algorithm}\n"
                        f"    secret: {key.secret}\n" for key in keys)
        text = re.sub(r"^key:\n(?:  .*\n)+", "key:\n" + texts, path.read_text(), flags=re.M)
        names = ", ".join(key.name.rstrip(".") for key in keys)
        text = re.sub(r"^    key: .*$", f"    key: [{names}]", text, flags=re.M)
        path.write_text(text)
        self.process.send_signal(signal.SIGHUP)


class PowerDnsAsDocumented(Documented, servers.Pdns):
    limits_types = False
    window = 1

    def prepare(self):
        servers.Server.prepare(self)
        self.configure()
        commands = re.findall(r"^pdnsutil .*$", PAGE.read_text(), re.M)
        assert len(commands) == 6, commands
        for command in commands:
            words = self.place(command).split()[1:]
            self.pdnsutil(*(str(self.zone_file(ZONE)) if word == "example.test.zone" else word
                            for word in words))

    def accept(self, keys):
        names = [key.name.rstrip(".") for key in keys]
        for key in keys:
            self.pdnsutil("import-tsig-key", key.name.rstrip("."), key.algorithm, key.secret)
            self.pdnsutil("activate-tsig-key", ZONE, key.name.rstrip("."), "primary")
        if "holdfast" not in names:
            self.pdnsutil("deactivate-tsig-key", ZONE, "holdfast", "primary")
        self.pdnsutil("set-meta", ZONE, "TSIG-ALLOW-DNSUPDATE", *names)

    def configure(self):
        (self.folder / "pdns.conf").write_text(self.place(block("pdns.conf")) + f"""
socket-dir={self.folder}
daemon=no
guardian=no
write-pid=no
disable-syslog=yes
security-poll-suffix=
""")


class Deployed(Installation):
    """The page's holdfast.yaml, with planner, enactors and janitor as its services start them."""

    def __init__(self, server, port):
        super().__init__(server)
        secret = self.folder / "tsig.key"
        text = server.place(block("holdfast.yaml"))
        for old, new in (("/var/lib/holdfast", str(self.folder)),
                         ("/etc/holdfast/tsig.key", str(secret)), ("port: 8080", f"port: {port}")):
            assert old in text, old
            text = text.replace(old, new)
        if server.window != 8:
            text = text.replace("    type: rfc2136\n",
                                f"    type: rfc2136\n    window: {server.window}\n")
        self.config.write_text(text)

    def run(self, *words):
        process = self.add("command", *words, start=False)
        process.start()
        status = process.process.wait(30)
        assert status == 0, process.log_text()


def well(visit):
    visit.read_request()
    visit.send(OK)


@contextlib.contextmanager
def deployed(kind):
    with contextlib.ExitStack() as backends:
        port = None
        for host in BACKENDS:
            port = backends.enter_context(Backend(well, host=host, port=port)).port
        with kind(zones=[ZONE]) as server, Deployed(server, port) as prod:
            yield server, prod


@case(BindAsDocumented, KnotAsDocumented, PowerDnsAsDocumented)
def names_are_created_and_adopted(kind):
    with deployed(kind) as (server, prod):
        roles = [prod.planner(), prod.janitor()]
        roles += [prod.add(f"edge-{i}", "enactor", "--name", f"edge-{i}", "--offset", f"{i - 1}/3")
                  for i in (1, 2, 3)]
        wait_until(lambda: server.rrset(f"api.{ZONE}", "A") == BACKENDS, prod.logs)
        assert server.rrset(f"old.{ZONE}", "A") == ["127.0.0.9"]
        prod.run("adopt", f"old.{ZONE}", "--why", "test")
        wait_until(lambda: server.rrset(f"old.{ZONE}", "A") == BACKENDS, prod.logs)
        assert server.rrset(f"ns.{ZONE}", "A") == [servers.HOST]
        prod.run("freeze")
        assert "state=frozen" in server.rrset(f"_holdfast-zone.{ZONE}", "TXT")[0]
        prod.run("thaw")
        for role in roles:
            role.stop()


@case(BindAsDocumented, KnotAsDocumented)
def the_key_cannot_change_other_types(kind):
    with kind(zones=[ZONE]) as server:
        update = dns.update.UpdateMessage(ZONE)
        update.add(f"api.{ZONE}.", 60, "MX", f"10 ns.{ZONE}.")
        with contextlib.suppress(dns.tsig.PeerBadKey):  # Knot's way to say so
            assert server.update(update) == "REFUSED", "MX was taken"
        assert server.rrset(f"api.{ZONE}", "MX") == []
        update = dns.update.UpdateMessage(ZONE)
        update.add(f"api.{ZONE}.", 60, "A", "192.0.2.1")
        assert server.update(update) == "NOERROR"


@case(BindAsDocumented, KnotAsDocumented, PowerDnsAsDocumented)
def the_key_is_changed_without_a_gap(kind):
    with deployed(kind) as (server, prod):
        prod.planner()
        enactors = [prod.add(f"edge-{i}", "enactor", "--name", f"edge-{i}") for i in (1, 2)]
        wait_until(lambda: server.rrset(f"api.{ZONE}", "A") == BACKENDS, prod.logs)
        second = servers.Key("holdfast-2.", "hmac-sha256", servers.new_secret())
        server.accept([server.key, second])
        secret = prod.folder / "tsig-2.key"
        secret.write_text(second.secret + "\n")
        secret.chmod(0o600)
        text = prod.config.read_text().replace("name: holdfast,", "name: holdfast-2,")
        prod.config.write_text(text.replace("tsig.key", "tsig-2.key"))
        server.key, old = second, server.key
        wait_until(lambda: taken(server, second), "the second key")
        for enactor in enactors:
            enactor.send(signal.SIGHUP)
            enactor.wait_log("event=config_read")
        server.accept([second])
        wait_until(lambda: not taken(server, old), "the first key to be gone")
        prod.run("adopt", f"old.{ZONE}")
        wait_until(lambda: server.rrset(f"old.{ZONE}", "A") == BACKENDS, prod.logs)


def taken(server, key):
    """Whether the server takes an UPDATE with the key: one of a prerequisite only."""
    update = dns.update.UpdateMessage(ZONE)
    update.present(f"{ZONE}.", "SOA")
    was, server.key = server.key, key
    try:
        return server.update(update) == "NOERROR"
    except dns.exception.DNSException:  # of Knot and BIND; PowerDNS says REFUSED, not signed
        return False
    finally:
        server.key = was


if __name__ == "__main__":
    sys.exit(case.main())
