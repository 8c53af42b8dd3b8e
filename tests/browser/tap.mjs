// SPDX-License-Identifier: GPL-3.0-or-later
// Cases that print TAP, one after the other; a failed one says why and takes a picture.
import { setTimeout as pause } from "node:timers/promises";

const PATIENCE_MS = 30000;

const cases = [];

export function test(name, run) {
  cases.push({ name, run });
}

// The condition's value as soon as it is true; condition may be asynchronous.
export async function waitFor(condition, what, limit_ms = PATIENCE_MS) {
  const deadline = Date.now() + limit_ms;
  for (;;) {
    const value = await condition();
    if (value) {
      return value;
    }
    if (Date.now() > deadline) {
      throw new Error(`after ${limit_ms / 1000} s still not: ${what}`);
    }
    await pause(50); // between two looks
  }
}

// Runs all cases whose name $CASE finds, each after before(); failed(name) is called for each that
// fails.
export async function runAll(failed = async () => {}, before = async () => {}) {
  const only = new RegExp(process.env.CASE ?? "");
  const chosen = cases.filter(({ name }) => only.test(name));
  let status = 0;
  console.log(`1..${chosen.length}`);
  for (const [i, { name, run }] of chosen.entries()) {
    const start = Date.now();
    try {
      await before();
      await run();
      console.log(`ok ${i + 1} - ${name}`);
    } catch (error) {
      console.log(`# ${String(error.stack ?? error).replaceAll("\n", "\n# ")}`);
      console.log(`not ok ${i + 1} - ${name}`);
      await failed(name).catch((trouble) => console.log(`# no picture: ${trouble.message}`));
      status = 1;
    }
    console.log(`# ${((Date.now() - start) / 1000).toFixed(1)} s`);
  }
  process.exitCode = status;
}
