// SPDX-License-Identifier: GPL-3.0-or-later
// `holdfast run` in a folder of its own, on free ports of the loopback, with a private knotd and
// backends that answer, fail or are gone, as the test says.
import { execFile, fork, spawn } from "node:child_process";
import fs from "node:fs/promises";
import net from "node:net";
import os from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

import { waitFor } from "./tap.mjs";

const run = promisify(execFile);
const build = path.resolve(process.env.HOLDFAST_BUILD ?? "build");

export const TOKEN = "operator-token-of-the-browser-tests";
export const ZONE = "example.test";
export const SITES = ["fra", "ams", "lhr", "iad", "sfo", "nrt"];
const EDGE = 40; // backends in each of the sites
const SHOPS = 40; // names that make a rollout long enough to be caught in the middle
const CALM_MS = 1000;

export async function freePort() {
  const server = net.createServer();
  await new Promise((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  const { port } = server.address();
  await new Promise((resolve) => {
    server.close(resolve);
  });
  return port;
}

class Backends {
  failing = new Map(); // address -> "fail": 503; "drop": no answer

  async start() {
    this.port = await freePort();
    const script = fileURLToPath(new URL("backends.mjs", import.meta.url));
    this.process = fork(script, [String(this.port)]);
    await new Promise((resolve) => {
      this.process.once("message", resolve);
    });
  }

  set(address, how) {
    this.failing.set(address, how);
    this.process.send([...this.failing]);
  }

  recover() {
    this.failing.clear();
    this.process.send([]);
  }

  stop() {
    if (this.process.connected) {
      this.process.disconnect();
    }
  }
}

const edgeNames = () => SITES.flatMap((site) =>
  Array.from({ length: EDGE }, (_, i) => `edge-${site}-${i + 1}`));

function configuration({ dns, api, backends }) {
  const web = [1, 2, 3, 4, 5, 6].map((i) =>
    `      - { name: web-${i}, address: 127.0.0.${10 + i}, site: ${"abc"[(i - 1) >> 1]} }`);
  const edge = SITES.flatMap((site, s) => Array.from({ length: EDGE }, (_, i) =>
    `      - { name: edge-${site}-${i + 1}, address: 127.1.${s + 1}.${i + 1}, site: ${site} }`));
  const shops = Array.from({ length: SHOPS }, (_, i) =>
    `  shop-${i + 1}.${ZONE}: { pools: [web], ttl: 5s }`);
  return `installation: quickstart
store: sqlite:data/holdfast.db
api: { listen: 127.0.0.1@${api}, tokens_file: tokens }
targets:
  local: { type: knot, listen: 127.0.0.1@${dns}, timeout: 60s, batch: 1,
           window: 1 }
zones:
  ${ZONE}: { target: local }
pools:
  web:
    check: { type: http, port: ${backends}, path: /healthz, interval: 1s, timeout: 900ms,
             rise: 1, fall: 2, hold_down: 0s }
    backends:
${web.join("\n")}
  edge:
    check: { type: file, path: edge.states, interval: 500ms, stale: 1h, rise: 1, fall: 1,
             hold_down: 0s }
    backends:
${edge.join("\n")}
endpoints:
  api.${ZONE}: { pools: [web], ttl: 5s }
  db.${ZONE}: { pools: [web], ttl: 5s, guard: { min_healthy: 2, max_removal: 34% per 60s } }
  cdn.${ZONE}: { pools: [edge], ttl: 10m, answers: { max: 8 } }
  "*.wild.${ZONE}": { pools: [web], ttl: 5s }
  _sip._udp.${ZONE}: { pools: [web], ttl: 5s }
  ${"l".repeat(63)}.${"m".repeat(63)}.${ZONE}: { pools: [web], ttl: 5s }
${shops.join("\n")}
run: { enactors: 3 }
`;
}

export class Installation {
  backends = new Backends();
  process = null;

  static async make(configure = configuration) {
    const made = new Installation();
    made.folder = await fs.mkdtemp(path.join(os.tmpdir(), "hf-browser-"));
    await made.backends.start();
    [made.dns, made.api] = [await freePort(), await freePort()];
    made.config = path.join(made.folder, "holdfast.yaml");
    await fs.writeFile(path.join(made.folder, "tokens"),
      `operator ann ${TOKEN}\n`, { mode: 0o600 });
    process.once("SIGTERM", () => made.close().then(() => process.exit(143))); // out of time
    await made.setEdge([]);
    await fs.writeFile(made.config, configure({ dns: made.dns, api: made.api,
      backends: made.backends.port, folder: made.folder }));
    return made;
  }

  // Which backends of the pool edge are down: a file says so, as another tool would.
  async setEdge(down) {
    const states = edgeNames().map((name) => `${name} ${down.includes(name) ? "down" : "up"}\n`);
    const file = path.join(this.folder, "edge.states");
    await fs.writeFile(`${file}.new`, states.join(""));
    await fs.rename(`${file}.new`, file);
  }

  get url() {
    return `http://127.0.0.1:${this.api}/`;
  }

  // words: role and options; "run" for all.
  async start(...words) {
    const log = await fs.open(path.join(this.folder, "log"), "a");
    const child = spawn(path.join(build, "holdfast"), [...words, "--config", this.config],
      { stdio: ["ignore", log.fd, log.fd], cwd: this.folder });
    child.ended = new Promise((resolve) => {
      child.on("exit", resolve);
    });
    await log.close();
    this.others = [...(this.others ?? []), child];
    this.process = child;
    return child;
  }

  get isRunning() {
    return (this.others ?? []).length > 0;
  }

  async stop() {
    for (const child of this.others ?? []) {
      if (child.exitCode === null && child.signalCode === null) {
        child.kill("SIGCONT");
        child.kill("SIGTERM");
      }
      await child.ended;
    }
    this.others = [];
  }

  async close() {
    await this.stop();
    this.backends.stop();
    if (process.env.HOLDFAST_KEEP !== "1") {
      await fs.rm(this.folder, { recursive: true, force: true });
    }
  }

  async log() {
    return fs.readFile(path.join(this.folder, "log"), "utf8");
  }

  // What the command prints.
  async holdfast(...words) {
    const { stdout } = await run(path.join(build, "holdfast"), [...words, "--config", this.config],
      { cwd: this.folder });
    return stdout;
  }

  async get(what) {
    const response = await fetch(`${this.url}api/v1/${what}`);
    if (!response.ok) {
      throw new Error(`${what}: ${response.status} ${await response.text()}`);
    }
    return response.json();
  }

  // null while it cannot be had.
  async tryGet(what) {
    return this.get(what).catch(() => null);
  }

  async pid(name) {
    const told = JSON.parse(await fs.readFile(path.join(this.folder, "data/run.json"), "utf8"));
    return told.processes.find((row) => row.name === name).pid;
  }

  // SIGSTOP not while it holds a lock of the store: it would be killed, and started anew.
  async signal(name, signal) {
    const pid = await this.pid(name);
    if (signal !== "SIGSTOP") {
      process.kill(pid, signal);
      return;
    }
    await this.halt(pid);
    while (await this.hasLock(pid)) {
      process.kill(pid, "SIGCONT");
      await waitFor(async () => !(await this.hasLock(pid)), `${pid} without the lock`);
      await this.halt(pid);
    }
  }

  async halt(pid) {
    process.kill(pid, "SIGSTOP");
    await waitFor(async () => (await fs.readFile(`/proc/${pid}/stat`, "utf8")).includes(") T "),
      `${pid} is stopped`);
  }

  async hasLock(pid) {
    const files = ["data", "data/holdfast.db"].map((name) => fs.stat(path.join(this.folder, name)));
    const inodes = (await Promise.all(files)).map((file) => String(file.ino));
    return (await fs.readFile("/proc/locks", "utf8")).split("\n").some((line) => {
      const [, , , , holder, place] = line.split(/\s+/);
      return holder === String(pid) && inodes.includes(place.split(":")[2]);
    });
  }

  async ask(name, kind = "A") {
    const { stdout } = await run("kdig", ["+short", "+timeout=1", "@127.0.0.1", "-p",
      String(this.dns), name, kind]).catch(() => ({ stdout: "" }));
    return stdout.trim().split("\n").filter((line) => line !== "");
  }

  // Changes the zone by hand, past Holdfast, with its own key.
  async edit(...lines) {
    const key = await fs.readFile(path.join(this.folder, "data/tsig-local.key"), "utf8");
    const text = [`server 127.0.0.1 ${this.dns}`, `zone ${ZONE}.`, ...lines, "send", ""].join("\n");
    const child = run("knsupdate", ["-y", `hmac-sha256:holdfast:${key.trim()}`]);
    child.child.stdin.end(text);
    await child;
  }

  // All names are written and nothing is to be done.
  async waitForCalm() {
    await waitFor(async () => {
      const status = await this.tryGet("status");
      return status?.well && status.endpoints.behind === 0 && status.endpoints.planned > 0 &&
        status.backends.up === status.backends.configured && status.overrides.length === 0 &&
        Date.now() - status.head.created_ms > CALM_MS;
    }, "all is well and written");
  }
}
