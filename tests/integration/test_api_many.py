#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""The API on a plan of 100,000 endpoints: a search against a list, a second explanation against the
first."""

# Measures time: runs alone.

import contextlib
import json
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

from apihelp import Client
from probes import Cases
from rundir import BUILD, HOST, wait_for
from servers import free_port

case = Cases()
MANY = 100_000


@contextlib.contextmanager
def many():
    """A plan of 100,000 endpoints in a store, and an API on it."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix="hf-many-"))
    port = free_port()
    with (folder / "endpoints.jsonl").open("w") as file:
        for number in range(MANY):
            file.write(json.dumps({"name": f"e{number}.example.test", "pools": ["web"]}) + "\n")
    config = folder / "holdfast.yaml"
    config.write_text(f"""installation: many
store: sqlite:{folder}/holdfast.db
targets: {{ edge: {{ type: rfc2136, server: 127.0.0.1@1 }} }}
zones: {{ example.test: {{ target: edge }} }}
pools:
  web:
    check: {{ type: none }}
    backends: [{{ name: web-1, address: 192.0.2.1 }}, {{ name: web-2, address: 192.0.2.2 }}]
endpoints_file: endpoints.jsonl
api: {{ listen: {HOST}@{port} }}
""")
    processes = []
    try:
        with (folder / "log").open("wb") as log:
            def begin(role):
                processes.append(subprocess.Popen([BUILD / "holdfast", role, "-c", config],
                                                  stdout=log, stderr=log))
                return processes[-1]
            planner = begin("planner")
            begin("api")
            client = Client(port=port)

            def planned():
                with contextlib.suppress(OSError):
                    return client.get("/api/v1/status")["endpoints"]["planned"] == MANY
            wait_for(planned, "a plan of all")
            planner.terminate()
            planner.wait()
            yield client
    finally:
        for process in processes:
            process.kill()
            process.wait()
        shutil.rmtree(folder)


def seconds(client, target, times=9):
    def once():
        began = time.perf_counter()
        found = client.get(target)
        return time.perf_counter() - began, found
    times = [once() for _ in range(times)]
    return statistics.median(row[0] for row in times), times[-1][1]


@case
def what_is_explained_is_not_read_anew():
    with many() as client:
        first, found = seconds(client, "/api/v1/endpoints/e7.example.test?ask=no", 1)
        assert found["state"] == "server-silent", found
        again, _ = seconds(client, "/api/v1/endpoints/e77777.example.test?ask=no")
        print(f"# explained in {1000 * first:.0f} ms, and then in {1000 * again:.1f} ms")
        assert again < first / 5


@case
def a_search_among_many():
    with many() as client:
        plain, _ = seconds(client, "/api/v1/me")
        listed, found = seconds(client, "/api/v1/endpoints?limit=50")
        assert found["total"] == MANY
        for query, total in (("search=e9999", 11), ("search=E99999.exa&match=prefix", 1),
                             ("search=nothing", 0), ("state=unknown&search=e9999", 11),
                             ("backend=web-2&search=e9999", 11)):
            took, found = seconds(client, f"/api/v1/endpoints?limit=50&{query}")
            assert found["total"] == total, (query, found["total"])
            print(f"# {query}: {took * 1000:.1f} ms; a list {listed * 1000:.1f} ms, "
                  f"nothing {plain * 1000:.1f} ms")
            assert took <= 3 * listed + 0.05, f"{query} took {took:.3f} s, a list {listed:.3f} s"
        names, after = 0, ""
        for _ in range(3):
            page = client.get("/api/v1/endpoints?limit=1000" + (f"&after={after}" if after else ""))
            names, after = names + len(page["endpoints"]), page["next"]
        assert names == 3000


sys.exit(case.main())
