#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Receives Holdfast's webhooks, and shows how to verify them: one line for each incident.

    webhook-receiver.py 127.0.0.1 8080 /etc/holdfast/hook.key
"""

import hashlib
import hmac
import http.server
import json
import sys
import time

TOLERANCE_S = 300  # an older message may be one that somebody recorded and sends again
BODY_MAX = 65536


def is_genuine(secret, signature, body, now_s):
    """signature: the header Holdfast-Signature, "t=SECONDS,v1=HEX"; secret and body: bytes."""
    try:
        fields = dict(part.split("=", 1) for part in signature.split(","))
        sent_s = int(fields["t"])
    except (KeyError, ValueError):
        return False
    expected = hmac.new(secret, fields["t"].encode() + b"." + body, hashlib.sha256).hexdigest()
    fits = hmac.compare_digest(expected, fields.get("v1", ""))
    return fits and abs(now_s - sent_s) <= TOLERANCE_S


class Receiver(http.server.BaseHTTPRequestHandler):
    """Answers 204 to what is genuine. What was sent twice has one Holdfast-Delivery."""

    def do_POST(self):
        size = int(self.headers.get("Content-Length", 0))
        body = self.rfile.read(min(size, BODY_MAX))
        signature = self.headers.get("Holdfast-Signature", "")
        if not is_genuine(self.server.secret, signature, body, time.time()):
            self.send_error(403, "the signature does not fit")
            return
        delivery = self.headers["Holdfast-Delivery"]
        if delivery not in self.server.seen:
            self.server.seen.add(delivery)
            message = json.loads(body)
            incident = message["incident"]
            print(message["event"], incident["number"], incident["severity"], incident["title"],
                  flush=True)
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_):
        pass


def main():
    host, port, secret_file = sys.argv[1:]
    server = http.server.ThreadingHTTPServer((host, int(port)), Receiver)
    with open(secret_file, "rb") as file:
        server.secret = file.read().strip()
    server.seen = set()  # a real receiver keeps this where it outlives a restart, and bounds it
    server.serve_forever()


if __name__ == "__main__":
    main()
