// SPDX-License-Identifier: GPL-2.0-or-later
// @ts-check
/**
 * The last 24 hours of an uplink as a strip, a cell for each step. Grey where
 * nobody knows.
 */
import { h } from "./dom.js";
import { clock, plural } from "./format.js";

const CELLS_MAX = 400;
const LEVEL = { u: ["good", "up"], d: ["warn", "degraded"], x: ["bad", "down"], "-": ["off", "not known"] };

/** @param {string} letter */
const look = (letter) => (Object.hasOwn(LEVEL, letter) ? LEVEL[/** @type {"u"} */ (letter)] : LEVEL["-"]);

/** "up in 90, degraded in 3 of 96 quarter-hours" @param {string[]} letters @param {number} step */
function inWords(letters, step) {
	const n = (/** @type {string} */ l) => letters.filter((x) => look(x) === look(l)).length;
	const parts = ["u", "d", "x", "-"].filter((l) => n(l) > 0).map((l) => look(l)[1] + " in " + n(l));
	return parts.join(", ") + " of " + letters.length + (step === 900 ? " quarter-hours" : " times " + plural(step, "second"));
}

/** @param {any} strip as edged tells it, or nothing @param {string} name */
export function stripView(strip, name) {
	const letters = strip && typeof strip.states === "string" ? [...strip.states.slice(-CELLS_MAX)] : [];
	const n = letters.length || 1;
	const step = strip ? strip.step_s : 900;
	const text = letters.length ? inWords(letters, step) : "not known yet";
	const at = (/** @type {number} */ i) => strip.until - (letters.length - i) * step;
	return h("div.strip", null,
		h("svg", { viewBox: "0 0 " + n + " 10", preserveAspectRatio: "none", role: "img", "aria-label": name + ", the last 24 h: " + text },
			letters.map((l, i) => h("rect", { x: i, y: 0, width: 0.8, height: 10, class: "cell-" + look(l)[0] },
				h("title", null, clock(at(i)) + " " + look(l)[1])))),
		h("div.strip-legend", { "aria-hidden": "true" }, h("span", null, "24 h ago"), h("span", null, "now")));
}
