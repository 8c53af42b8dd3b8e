# SPDX-License-Identifier: GPL-3.0-or-later
"""A TCP proxy before a DNS server that can be made to misbehave while connections go on.

    with Proxy(server.port) as proxy:      # connect to proxy.port
        proxy.mode = "deaf"

pass       everything goes through
deaf       what comes is swallowed: the server never sees it
mute       requests reach the server, and take effect; its replies are swallowed
slow       every reply waits DELAY_S
cut        requests reach the server; of its next reply half is sent, then the connection is cut
cut-short  half of the next request reaches the server, then the connection is cut
refuse     connections are closed at once
hold       requests wait in the network, whatever becomes of their senders, until release()

proxy.judge is asked before, where it is set: a function of each request and of the first one on its
connection. It says "pass", "deaf", or "close" for the connection, or what is replied in the
server's place. Messages have their two octets of length.
"""

import contextlib
import queue
import socket
import struct
import threading
import time

HOST = "127.0.0.1"
DELAY_S = 0.7
PREREQUISITES = (6, 7, 8)  # YXDOMAIN, YXRRSET, NXRRSET: a prerequisite did not hold


def read_exactly(sock, size):
    parts = b""
    while len(parts) < size:
        part = sock.recv(size - len(parts))
        if not part:
            return None
        parts += part
    return parts


def is_update(message):
    return message[4] >> 3 & 15 == 5


class Proxy:
    def __init__(self, port):
        self.behind = port
        self.mode = "pass"
        self.judge = None
        self.swallowed = 0
        self.cuts = 0
        self.held = []
        self.refusals = 0
        self.listener = socket.create_server((HOST, 0))
        self.port = self.listener.getsockname()[1]
        self.sockets = []
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        with contextlib.suppress(OSError):
            while True:
                front, _ = self.listener.accept()
                if self.mode == "refuse":
                    front.close()
                    continue
                try:
                    back = socket.create_connection((HOST, self.behind), 5)
                except OSError:
                    front.close()
                    continue
                back.settimeout(None)
                self.sockets += [front, back]
                late = queue.Queue()
                for target, words in ((self.requests, (front, back, late)),
                                      (self.replies, (front, back, late)),
                                      (self.deliver, (front, late))):
                    threading.Thread(target=target, args=words, daemon=True).start()

    def cut(self, *sockets):
        for sock in sockets:
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
            sock.close()

    def release(self):
        """What was held arrives now; how many UPDATEs that were."""
        held, self.held = self.held, []
        for back, message in held:
            back.sendall(message)
        return sum(is_update(message) for _, message in held)

    def release_quietly(self):
        """The same, where the server may have closed what they came on."""
        with contextlib.suppress(OSError):
            self.release()

    @staticmethod
    def message(sock):
        with contextlib.suppress(OSError):
            head = read_exactly(sock, 2)
            if head:
                body = read_exactly(sock, struct.unpack("!H", head)[0])
                if body is not None:
                    return head + body
        return None

    def requests(self, front, back, late):
        first = None
        while (message := self.message(front)) is not None:
            first = first or message
            verdict = self.judge(message, first) if self.judge else "pass"
            if verdict == "close":
                break
            if verdict == "deaf":
                continue
            if verdict != "pass":
                late.put((0, verdict))
                continue
            if self.mode == "deaf":
                self.swallowed += 1
                continue
            if self.mode == "hold":
                self.held.append((back, message))
                continue
            if self.mode == "cut-short":
                self.cuts += 1
                with contextlib.suppress(OSError):
                    back.sendall(message[:len(message) // 2])
                break
            try:
                back.sendall(message)
            except OSError:
                break
        self.cut(front, *([] if any(back is held for held, _ in self.held) else [back]))

    def replies(self, front, back, late):
        while (message := self.message(back)) is not None:
            self.refusals += is_update(message) and message[5] & 15 in PREREQUISITES
            if self.mode == "mute":
                self.swallowed += 1
            elif self.mode == "cut":
                self.cuts += 1
                with contextlib.suppress(OSError):
                    front.sendall(message[:len(message) // 2])
                break
            else:
                delay = DELAY_S if self.mode == "slow" else 0
                late.put((time.monotonic() + delay, message))
        late.put((0, None))
        self.cut(back)

    def deliver(self, front, late):
        """Replies in their order, each when it is due."""
        while True:
            due, message = late.get()
            if message is None:
                break
            time.sleep(max(0, due - time.monotonic()))
            try:
                front.sendall(message)
            except OSError:
                break
        self.cut(front)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.listener.close()
        self.cut(*self.sockets)
