// SPDX-License-Identifier: GPL-3.0-or-later
// The vendored libraries under the names that the page uses.
import { h } from "./vendor/preact.js";
import htm from "./vendor/htm.js";

export { Component, render } from "./vendor/preact.js";
export { useEffect, useErrorBoundary, useId, useLayoutEffect, useMemo, useRef, useState } from
  "./vendor/preact-hooks.js";
export { batch, computed, effect, signal } from "./vendor/signals.js";
export const html = htm.bind(h);
