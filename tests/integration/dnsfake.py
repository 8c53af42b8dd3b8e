# SPDX-License-Identifier: GPL-3.0-or-later
"""A DNS server over TCP that misbehaves as a test tells it to.

A behaviour is a generator function that gets a Connection and takes one message after the other
from it; what it does with them is what the client has to live with.
"""

import socket
import struct
import threading
import time

import dns.flags
import dns.message
import dns.rcode
import dns.rdataclass
import dns.rdatatype
import dns.tsig
from dns.rdtypes.ANY.TSIG import TSIG

ANY = dns.rdataclass.ANY
TYPE_TSIG = dns.rdatatype.TSIG
HOST = "127.0.0.1"
LIMIT_S = 30


class Connection:
    """One client's connection, seen from the server."""

    def __init__(self, sock, keyring):
        self.sock, self.keyring = sock, keyring
        sock.settimeout(LIMIT_S)

    def receive(self):
        """The next message, or None at the end."""
        head = self.exactly(2)
        wire = head and self.exactly(struct.unpack("!H", head)[0])
        return wire and dns.message.from_wire(wire, keyring=self.keyring)

    def exactly(self, size):
        octets = b""
        while len(octets) < size:
            more = self.sock.recv(size - len(octets))
            if not more:
                return None
            octets += more
        return octets

    def reply(self, request, rcode=dns.rcode.NOERROR, answer=(), signed=True, aa=True):
        """The octets of a reply."""
        response = dns.message.make_response(request)
        response.set_rcode(rcode)
        if aa:
            response.flags |= dns.flags.AA
        response.answer = list(answer)
        if not signed:
            response.tsig = None
        return response.to_wire(max_size=65535)

    def send(self, wire):
        self.sock.sendall(struct.pack("!H", len(wire)) + wire)

    def cut(self):
        """RST instead of FIN: what waits on both sides is lost."""
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.sock.close()


class Fake:
    """Listens on a free port of the loopback and runs behaviour for each connection."""

    def __init__(self, behaviour, keyring):
        self.behaviour, self.keyring = behaviour, keyring
        self.connection_count = 0
        self.errors = []
        self.listener = socket.create_server((HOST, 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.listen, daemon=True).start()

    def listen(self):
        while True:
            try:
                sock, _ = self.listener.accept()
            except OSError:
                return
            self.connection_count += 1
            threading.Thread(target=self.serve, args=(sock,), daemon=True).start()

    def serve(self, sock):
        with sock:
            try:
                self.behaviour(Connection(sock, self.keyring))
            except OSError:
                pass  # the client went away
            except Exception as error:  # shown by the test
                self.errors.append(repr(error))

    def close(self):
        self.listener.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def transfer_messages(request, key, rrsets, every=1, tamper=None, end_signed=True):
    """The octets of a transfer, one message for each RRset or list of RRsets, signed every so many
    messages (RFC 8945 section 5.3.1). tamper: the number of a message that is changed after
    signing."""
    context = None
    result = []
    for number, rrset in enumerate(rrsets):
        message = dns.message.make_response(request)
        message.tsig = None
        message.flags |= dns.flags.AA
        message.answer = rrset if isinstance(rrset, list) else [rrset]
        if number > 0:
            message.question = []
        wire = message.to_wire(max_size=65535)
        last = number == len(rrsets) - 1
        if (number % every == 0 and not last) or (last and end_signed):
            now = int(time.time())
            rdata = TSIG(ANY, TYPE_TSIG, key.algorithm, now, 300, b"", request.id, 0, b"")
            rdata, context = dns.tsig.sign(wire, key, rdata, now, request.mac, context, True)
            signed = append_tsig(wire, key, rdata)
        else:
            context.update(wire)
            signed = wire
        if number == tamper:
            at = signed.rindex(b"\x0a\x00\x00")
            signed = signed[:at] + b"\x0b" + signed[at + 1 :]
        result.append(signed)
    return result


def append_tsig(wire, key, rdata):
    count = struct.unpack("!H", wire[10:12])[0] + 1
    octets = rdata.to_wire()
    record = key.name.to_wire() + struct.pack("!HHIH", TYPE_TSIG, ANY, 0, len(octets)) + octets
    return wire[:10] + struct.pack("!H", count) + wire[12:] + record
