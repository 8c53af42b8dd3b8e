// SPDX-License-Identifier: GPL-3.0-or-later
// The API's stable names in plain words: what a state means, and what a person should make of it.
import { ago, count, duration, list, plural, short } from "./format.js";

export const RECENT_MS = 10 * 60 * 1000;
const LAG_MS = 6000; // an enactor that lags for longer is worth a word
const QUIET_MS = 6500; // it reports every 5 s, and within one that there is something to tell:
const QUIET_LATE_MS = 2500; // a new plan

// tone: ok, info, notice, warning, critical, idle.
const ENDPOINT_STATES = {
  "in-step": { word: "in step", tone: "ok", says: "the DNS server answers what the plan says" },
  behind: { word: "behind", tone: "info", says: "a newer plan is being written" },
  unknown: { word: "unknown", tone: "idle", says: "no enactor says whether it is written" },
  held: { word: "held", tone: "warning", says: "a guard keeps the answer as it is" },
  contested: { word: "contested", tone: "critical",
    says: "edited by somebody else again and again" },
  foreign: { word: "foreign", tone: "warning", says: "records of somebody else are left alone" },
  ahead: { word: "ahead", tone: "warning", says: "the fence is newer than the plan" },
  frozen: { word: "frozen", tone: "frozen", says: "its zone takes no writes" },
  pinned: { word: "rolled back", tone: "notice", says: "an operator chose an earlier answer" },
  retired: { word: "retired", tone: "idle", says: "does not answer any more" },
  orphan: { word: "orphan", tone: "notice", says: "answered, and not configured any more" },
  "not-planned": { word: "not planned", tone: "notice", says: "configured, and in no plan yet" },
};

// How server and plan of one endpoint compare.
export const COMPARED = {
  "in-step": ["ok", "It answers what the plan says."],
  pending: ["info", "It answers what the plan says, and another plan is due."],
  behind: ["info", "The DNS server still has an older generation."],
  "not-written": ["info", "The DNS server has nothing of it yet."],
  "not-planned": ["notice", "The plan does not have it yet."],
  edited: ["warning", "Somebody edited its records: they are not what its fence says."],
  "fence-missing": ["warning", "Somebody deleted its fence."],
  "fence-damaged": ["warning", "Somebody changed its fence."],
  foreign: ["warning", "The records there are not ours; they are left alone."],
  ahead: ["warning", "Its fence is newer than this store's plans."],
  forked: ["warning", "Its fence is not of this store's history."],
  "server-silent": ["critical", "The DNS server did not answer just now."],
  "plan-unknown": ["critical", "The plan cannot be read."],
};

const ZONE_STATES = {
  open: ["ok", "open"],
  frozen: ["frozen", "frozen"],
  refused: ["critical", "refused"],
  unreachable: ["critical", "unreachable"],
  starting: ["idle", "starting"],
};

// A newer Holdfast may have states that are not known here: they are shown by their name.
export const endpointWords = (state) => ENDPOINT_STATES[state] ??
  { word: state, tone: "idle", says: state };
export const zoneWords = (state) => ZONE_STATES[state] ?? ["idle", state];

// Why a backend is in or out, in a word; `why` of the API has the sentence.
export const REASONS = {
  in: ["ok", "in"],
  "in-unknown": ["idle", "in, no verdict"],
  "in-held": ["warning", "in, held by a guard"],
  "in-pinned": ["notice", "in, rolled back"],
  "in-orphan": ["notice", "in, orphan"],
  resting: ["idle", "in, rests"],
  "out-down": ["critical", "out: down"],
  "out-drained": ["notice", "out: drained"],
  "out-gone": ["idle", "out: gone"],
  "out-unknown": ["idle", "out: no verdict"],
  "out-pinned": ["notice", "out: rolled back"],
  "out-pending": ["info", "enters next"],
  "out-retired": ["idle", "out: retired"],
};

const WRITES = {
  written: { word: "written", tone: "ok", says: "the DNS server took it" },
  "heard-late": { word: "written before", tone: "ok",
    says: "the DNS server had taken it before; the enactor slept, and heard of it only now" },
  healed: { word: "healed", tone: "notice",
    says: "records had been edited by somebody else, and were written again" },
  "lost-race": { word: "lost a race", tone: "idle",
    says: "refused: another enactor had written the same generation a moment before" },
  stale: { word: "stale, refused", tone: "critical",
    says: "refused: the name already answers with a newer generation; nothing changed" },
  refused: { word: "refused with others", tone: "idle",
    says: "refused for what was wrong elsewhere: a freeze, an edit, another name of the message" },
  unknown: { word: "no answer", tone: "warning",
    says: "no answer came: it may have happened, and the enactor reads again" },
};

// Kinds that a newer Holdfast may have are shown by their name.
export const writeWords = (kind) => WRITES[kind] ?? { word: kind, tone: "idle", says: kind };

const CAUSES = {
  none: "unknown cause", created: "created", health: "health", drain: "drain",
  config: "configuration", rotation: "rotation by weights", pin: "rolled back or released",
  retired: "retired", recreated: "created again", stamp: "stamped anew", approved: "approved",
  claimed: "marks only", left: "left the plan",
};

// "out" or "in" where all endpoints of a plan's cause, or the addresses of a change, went one way.
function way({ endpoints, serves, added, removed }) {
  if (serves !== undefined) {
    return serves === 0 ? "out" : serves === endpoints ? "in" : null;
  }
  const isOneWay = added && removed && (added.length === 0) !== (removed.length === 0);
  return !isOneWay ? null : removed.length > 0 ? "out" : "in";
}

// Of a plan or change; where it is known which way it went, it says so.
export function cause(row) {
  const { cause: name, backend } = row;
  const word = CAUSES[name] ?? name;
  const went = backend ? way(row) : null;
  if (went !== null && name === "health") {
    return `${backend} ${went === "out" ? "failed" : "recovered"}`;
  }
  if (went === "in" && name === "drain") {
    return `undrain of ${backend}`;
  }
  return !backend ? word : /^(health|drain)$/.test(name) ? `${word} of ${backend}`
    : `${word}, ${backend}`;
}

// A plan that only rotates weighted answers, or marks them: nothing that anybody has to know.
const ROUTINE = ["rotation", "claimed"];
export const isRoutineCause = (row) => ROUTINE.includes(row.cause);
export const isRoutine = (plan) => plan.endpoints_changed === 0 ||
  plan.causes.every(isRoutineCause);

export const GUARDS = {
  none: "nothing is held",
  min_healthy: "too few of its backends are healthy",
  family: "the last address of a family would leave",
  max_removal: "more capacity would leave than max_removal allows",
  max_changed: "more endpoints would change than max_changed allows",
};

export const INCIDENT_TONES = { critical: "critical", warning: "warning", notice: "notice" };

const STAY = "Names go on answering what they answered last.";

// Of an alert's code: a title, and what it means for answers. Functions get the alert and status.
const ALERTS = {
  "zone-refused": [(a) => `${short(a.subject)} belongs to somebody else`,
    "Nothing is written there until an operator says that the zone is ours."],
  "zone-unreachable": [(a) => `The DNS server of ${short(a.subject)} takes no writes`,
    `${STAY} Changes wait until the server can be reached.`],
  "zone-frozen": [(a) => `${short(a.subject)} is frozen`,
    `The DNS server itself refuses every write. ${STAY} Backends that fail stay in answers ` +
    "until the thaw."],
  frozen: ["Everything is frozen",
    `The DNS servers refuse every write. ${STAY} Backends that fail stay in answers until the ` +
    "thaw."],
  contested: ["A name is edited by somebody else again and again",
    "Healing has stopped for it, so that two do not fight. Find who edits it first."],
  foreign: ["Records of somebody else are in the way",
    "They are left alone, and the plan is not written there, until an operator adopts the name."],
  ahead: ["The store has lost history",
    "The zone has seen newer plans. The planner publishes above them by itself."],
  "planner-missing": ["No planner has worked yet", "Nothing follows the backends."],
  "planner-dead": ["The planner is not running, or it is paused",
    `${STAY} Backends that fail now stay in answers.`],
  "planner-stopped": ["The planner has stopped itself",
    "Somebody else writes as this installation. Find them before it goes on."],
  "no-enactor": ["No enactor is running", `${STAY} What is planned is not written.`],
  "enactor-dead": [(a) => `${a.subject} is not running, or it is paused`, enactorMeaning],
  "min-healthy": ["Too few backends are healthy",
    "These names keep their last good answer: one that may be bad is better than none."],
  held: ["A guard holds changes back",
    "More would change at once than is allowed. Wait, or approve it if it is meant."],
  "janitor-dead": ["The janitor is not running", "Old plans pile up; no answer is touched."],
};
const TROUBLE = { "planner-trouble": "The planner", "janitor-trouble": "The janitor" };

function enactorMeaning(alert, status) {
  const alive = status.enactors.filter((enactor) => enactor.alive).length;
  if (alive === 0) {
    return `${STAY} What is planned is not written.`;
  }
  const others = alive === 1 ? "The other one does" : `The other ${alive} do`;
  return `${others} its work, names keep following. When it wakes up with an old plan, the DNS ` +
    "server refuses its writes.";
}

function alertTitle(alert) {
  if (alert.code.startsWith("store-")) {
    return ["The store cannot be read", STAY];
  }
  if (alert.code.endsWith("-trouble")) {
    return [`${TROUBLE[alert.code] ?? alert.subject} has trouble`, ""];
  }
  return ALERTS[alert.code] ?? [alert.text, ""];
}

function fromAlert(alert, status) {
  const [title, meaning] = alertTitle(alert);
  const say = (part) => (typeof part === "function" ? part(alert, status) : part);
  const enactor = status.enactors.find(({ name }) => name === alert.subject);
  const isPaused = alert.code === "enactor-dead" && enactor !== undefined;
  const isFrozen = /^(zone-)?frozen$/.test(alert.code);
  return {
    key: `${alert.code} ${alert.subject}`, needsPerson: alert.severity !== "notice",
    tone: isFrozen && alert.severity !== "critical" ? "frozen" : alert.severity,
    title: say(title), detail: alert.text, meaning: say(meaning),
    command: alert.command ?? (isPaused ? `kill -CONT ${enactor.pid}` : null),
    commandFor: isPaused ? "if it is only paused" : "",
    action: alert.code === "held"
      ? { view: "plans", name: "next", word: "See what is held" } : null,
    thaw: isFrozen ? alert.subject : null,
  };
}

const note = (key, title, detail, meaning, more = {}) =>
  ({ key, tone: "notice", needsPerson: false, title, detail, meaning, command: null,
    commandFor: "", action: null, thaw: null, ...more });

function ofDown(down, status, now_ms) {
  if (!down || down.total === 0) {
    return [];
  }
  const { configured } = status.backends;
  const up = Math.min(status.backends.up, configured - down.total); // which of both is the newer
  const first = down.backends[0];
  const serves = `${count(up)} of ${plural(configured, "backend")} ${up === 1 ? "is" : "are"} ` +
    "up. One that is down leaves answers as soon as the guards allow it.";
  const action = { view: "backends", name: "", query: { verdict: "down" }, word: "See why" };
  if (down.total === 1) {
    const since = first.since_ms ? ` for ${duration(now_ms - first.since_ms)}` : "";
    return [note("down", `${first.name} is down${since}`, `Its last check: ${first.why}`, serves,
      { tone: "down", action })];
  }
  const sites = [...new Set(down.backends.map((row) => row.site).filter(Boolean))];
  const where = sites.length === 1 && down.total <= down.backends.length
    ? `, all in site ${sites[0]}` : "";
  return [note("down", `${count(down.total)} of ${count(configured)} backends are down${where}`,
    `${list(down.backends.map((row) => row.name), 4, down.total)}. ${first.name}: ${first.why}`,
    serves, { tone: "down", action })];
}

function ofWord(word, now_ms) {
  const said = `By ${word.who} ${ago(word.at_ms, now_ms)}${word.why ? `: ${word.why}` : ""}`;
  const subject = short(word.subject);
  if (word.kind === "drain-backend" || word.kind === "drain-site") {
    const what = word.kind === "drain-site" ? `Site ${subject}` : subject;
    return [note(`${word.kind} ${subject}`, `${what} is drained`, said,
      "It stays out of answers, whatever its health, until the undrain.",
      { command: `holdfast undrain ${word.subject}`, undrain: word.subject })];
  }
  return word.kind !== "pin" ? [] : [note(`pin ${subject}`,
    `${subject} is rolled back to generation ${word.generation}`, said,
    "It does not follow the health of its backends until it is released.",
    { command: `holdfast release ${word.subject}`,
      action: { view: "endpoints", name: word.subject, word: "See it" } })];
}

// The latest write of each endpoint and kind, within RECENT_MS.
function latest(writes, kind, now_ms) {
  const rows = new Map();
  for (const row of writes?.writes ?? []) {
    if (row.kind === kind && now_ms - row.at_ms < RECENT_MS && !rows.has(row.endpoint)) {
      rows.set(row.endpoint, row);
    }
  }
  return [...rows.values()];
}

function ofWrites(writes, now_ms) {
  const notes = [];
  const [healed, stale] = [latest(writes, "healed", now_ms), latest(writes, "stale", now_ms)];
  const see = (row) => ({ view: "endpoints", name: row.endpoint, word: "See its timeline" });
  if (healed.length > 0) {
    const [row] = healed;
    notes.push(note("healed", `Somebody edited ${list(healed.map((w) => short(w.endpoint)), 3)}`,
      `${row.enactor} put generation ${row.generation} back ${ago(row.at_ms, now_ms)}`,
      "What was written past Holdfast is undone: the name answers as planned. After a few edits " +
      "in a minute healing stops and a person is called.", { action: see(row) }));
  }
  if (stale.length > 0) {
    const [row] = stale;
    notes.push(note("stale", `A late write of ${row.enactor} was refused`,
      `It tried generation ${row.generation} on ${short(row.endpoint)} ` +
      `${ago(row.at_ms, now_ms)}, which has generation ${row.met_generation} by ` +
      `${row.met_writer}`,
      "The DNS server compared the fence and said no. No answer changed.", { action: see(row) }));
  }
  return notes;
}

// No alarm yet, but it should have been heard of. read_ms: when the row was read.
export const isQuiet = (row, read_ms, now_ms) => row.alive && (read_ms - row.seen_ms > QUIET_MS ||
  (row.lag_generations > 0 && row.lag_ms + now_ms - read_ms > QUIET_LATE_MS));

function ofLag(enactors, now_ms) {
  const late = (enactors?.enactors ?? []).filter((row) => row.alive && row.lag_generations > 0 &&
    row.lag_ms + now_ms - enactors.now_ms > LAG_MS);
  return late.map((row) => note(`lag ${row.name}`, `${row.name} lags behind, or it is paused`,
    `It works on generation ${row.plan_generation}, ${plural(row.lag_generations, "plan")} ` +
    `behind; last sign of life ${ago(row.seen_ms, now_ms)}`,
    "The other enactors write what it does not."));
}

// What is to be said at the top, most urgent first: what needs a person, then what is worth
// knowing. Everything but status may be null.
export function situations({ status, down, writes, enactors, now_ms }) {
  const alerts = status.alerts.map((alert) => fromAlert(alert, status));
  return [
    ...alerts.filter((item) => item.needsPerson), ...ofDown(down, status, now_ms),
    ...ofWrites(writes, now_ms), ...ofLag(enactors, now_ms),
    ...status.overrides.flatMap((word) => ofWord(word, now_ms)),
    ...alerts.filter((item) => !item.needsPerson),
  ];
}

// The one sentence over everything.
export function headline(status, items) {
  const urgent = items.filter((item) => item.needsPerson).length + status.alerts_dropped;
  if (urgent > 0) {
    const isCritical = items.some((item) => item.tone === "critical");
    return { tone: isCritical ? "critical" : "warning",
      text: `${urgent === 1 ? "One thing needs" : `${count(urgent)} things need`} a person` };
  }
  const { planned, in_step } = status.endpoints;
  const rest = planned - in_step;
  const answers = rest === 0
    ? `${planned === 1 ? "the one name answers" : `all ${count(planned)} names answer`} as planned`
    : `${plural(rest, "name")} of ${count(planned)} ${rest === 1 ? "is" : "are"} being written`;
  return { tone: "ok", text: planned === 0 ? "Nothing is planned yet"
    : `Nothing needs a person: ${answers}` };
}
