// SPDX-License-Identifier: GPL-3.0-or-later
// What the page knows: the status, who asks, how old the view is; and a hook that reads a part of
// the API and reads it again when an event says that it changed.
import { batch, computed, effect, signal, useEffect, useRef, useState } from "./lib.js";
import { follow, get } from "./api.js";

const SKEW_MIN_MS = 2000; // smaller differences between the clocks are the network's
const OLD_MS = 12000; // what is shown was read longer ago: say so
const AGAIN_MS = 1000;

export const status = signal(null);
export const me = signal(null);
export const failed = signal(null); // why the status could not be read
export const link = signal({ state: "connecting", since_ms: Date.now(), error: null });
const beat = signal({ now_ms: 0, ok: true });
const skew_ms = signal(0);
const tick = signal(Date.now());

// The server's time, every second.
export const now = computed(() => tick.value + skew_ms.value);

// When what is shown was read from the store.
const read_ms = computed(() => Math.max(status.value?.now_ms ?? 0, beat.value.now_ms));

// null while the view is live; else how old it is and why.
export const old = computed(() => {
  if (status.value === null) {
    return null;
  }
  const age_ms = Math.max(0, now.value - read_ms.value);
  if (link.value.state === "lost") {
    return { age_ms, at_ms: read_ms.value, why: "lost" };
  }
  return beat.value.ok === false || age_ms > OLD_MS
    ? { age_ms, at_ms: read_ms.value, why: "store" }
    : null;
});

// What each event touches.
const TOUCHES = {
  head: ["status", "plans", "endpoints", "writes"],
  verdicts: ["status", "backends", "endpoints"],
  enactor: ["status", "enactors", "endpoints"],
  words: ["status", "actions", "endpoints", "backends", "plans"],
  alerts: ["status", "incidents", "plans"],
  writes: ["writes", "enactors"],
  incident: ["incidents"],
  beat: ["beat"],
};
const ALL = [...new Set(Object.values(TOUCHES).flat())];
const versions = Object.fromEntries(ALL.map((topic) => [topic, signal(0)]));

export function touch(topics = ALL) {
  batch(() => {
    for (const topic of topics) {
      versions[topic].value++;
    }
  });
}

function hear({ name, text }) {
  if (name === "beat") {
    beat.value = JSON.parse(text);
  }
  touch(name === "reset" ? ALL : TOUCHES[name] ?? []);
}

function setClock(date_ms) {
  const skew = date_ms - Date.now();
  skew_ms.value = Number.isFinite(skew) && Math.abs(skew) > SKEW_MIN_MS ? skew : 0;
}

// Calls read() at once, and again when one of the topics changed: never two at a time, and at most
// once in every_ms. The result stops it.
export function keepReading(read, topics, every_ms = AGAIN_MS) {
  const stop = new AbortController();
  let running = false;
  let due = false;
  const run = async () => {
    if (running) {
      due = true;
      return;
    }
    running = true;
    due = false;
    await read(stop.signal);
    setTimeout(() => {
      running = false;
      if (due && !stop.signal.aborted) {
        run();
      }
    }, every_ms);
  };
  const end = effect(() => {
    topics.forEach((topic) => versions[topic].value);
    run();
  });
  return () => {
    end();
    stop.abort();
  };
}

// {body, error, loading} of a path (null: nothing), kept up to date. The last answer stays until
// there is another of the same path.
export function useData(path, topics = [], every_ms = AGAIN_MS) {
  const [state, setState] = useState({ path: null, body: null, error: null });
  const latest = useRef(state);
  const set = (value) => {
    latest.current = value;
    setState(value);
  };
  useEffect(() => {
    if (path === null) {
      return undefined;
    }
    return keepReading(async (stop) => {
      try {
        const { body } = await get(path, stop);
        set({ path, body, error: null });
      } catch (error) {
        if (!stop.aborted) {
          const { body } = latest.current.path === path ? latest.current : { body: null };
          set({ path, body, error });
        }
      }
    }, topics, every_ms);
  }, [path]);
  const fits = state.path === path;
  return { body: fits ? state.body : null, error: fits ? state.error : null,
    loading: path !== null && !fits };
}

async function readStatus(stop) {
  try {
    const { body, date_ms } = await get("status", stop);
    setClock(date_ms);
    batch(() => {
      status.value = body;
      failed.value = null;
    });
  } catch (error) {
    failed.value = error;
  }
}

export async function readMe() {
  try {
    me.value = (await get("me")).body;
  } catch {
    me.value = null;
  }
}

export function start() {
  setInterval(() => {
    tick.value = Date.now();
  }, 1000);
  keepReading(readStatus, ["status", "beat"]);
  follow({
    open() {
      link.value = { state: "live", since_ms: Date.now(), error: null };
      readMe();
      touch();
    },
    event: hear,
    lost(error) {
      if (link.value.state !== "lost") {
        link.value = { state: "lost", since_ms: Date.now(), error };
      }
    },
  });
}
