// SPDX-License-Identifier: GPL-2.0-or-later
// @ts-check
/**
 * The last 24 hours of an uplink as a strip, a cell for a quarter of an hour over
 * all its paths. Grey where nothing was measured.
 */
import { h } from "./dom.js";
import { clock, isNumber } from "./format.js";
import { historyRows } from "./history.js";

export const STRIP = { seconds: 86400, cells: 96, paths: 24 };
const DOWN_BELOW = 0.5; // share of the time in which a path carried
const UP_FROM = 0.99;
const LOSS_RATIO = 0.01;
const LEVEL = { u: ["good", "up"], d: ["warn", "degraded"], x: ["bad", "down"], "-": ["off", "not known"] };

/** @param {string} letter */
const look = (letter) => (Object.hasOwn(LEVEL, letter) ? LEVEL[/** @type {"u"} */ (letter)] : LEVEL["-"]);

/** The strictest delay that a class allows. @param {any} history */
function strictestDelay(history) {
	const all = Object.values(history.limits || {}).map((/** @type {any} */ l) => l && l.max_delay_ms).filter(isNumber);
	return all.length ? Math.min(...all) : Infinity;
}

/** One letter for a quarter of an hour of one path. @param {import("./history.js").Row} r @param {number} limit_ms */
function letterOf(r, limit_ms) {
	if (!r.sent)
		return "-";
	if (r.up < DOWN_BELOW)
		return "x";
	return r.up < UP_FROM || r.lost / r.sent > LOSS_RATIO || (r.p50 || 0) > limit_ms ? "d" : "u";
}

/** Down where no path was up, degraded where one was not well. @param {string} a @param {string} b */
function joined(a, b) {
	if (a === "-" || b === "-")
		return a === "-" ? b : a;
	return a === b ? a : "d";
}

/** Histories of the paths of one uplink as a letter for each cell. @param {any[]} histories @param {number} until */
export function stripOf(histories, until) {
	const step_s = STRIP.seconds / STRIP.cells;
	const end = Math.ceil(until / step_s) * step_s;
	const cells = Array(STRIP.cells).fill("-");
	for (const history of histories) {
		const limit = strictestDelay(history);
		for (const r of historyRows(history)) {
			const i = Math.floor((r.t - end + STRIP.seconds) / step_s);
			if (i >= 0 && i < STRIP.cells)
				cells[i] = joined(cells[i], letterOf(r, limit));
		}
	}
	return { step_s, until: end, states: cells.join("") };
}

/** "up in 90, degraded in 3 of 96 quarter-hours" @param {string[]} letters */
function inWords(letters) {
	const n = (/** @type {string} */ l) => letters.filter((x) => look(x) === look(l)).length;
	const parts = ["u", "d", "x", "-"].filter((l) => n(l) > 0).map((l) => look(l)[1] + " in " + n(l));
	return parts.join(", ") + " of " + letters.length + " quarter-hours";
}

/** @param {any} strip of stripOf(), or nothing @param {string} name */
export function stripView(strip, name) {
	/** @type {string[]} */
	const letters = strip ? [...strip.states] : [];
	const n = letters.length || 1;
	const text = letters.length ? inWords(letters) : "not known yet";
	const at = (/** @type {number} */ i) => strip.until - (letters.length - i) * strip.step_s;
	return h("div.strip", null,
		h("svg", { viewBox: "0 0 " + n + " 10", preserveAspectRatio: "none", role: "img", "aria-label": name + ", the last 24 h: " + text },
			letters.map((l, i) => h("rect", { x: i, y: 0, width: 0.8, height: 10, class: "cell-" + look(l)[0] },
				h("title", null, clock(at(i)) + " " + look(l)[1])))),
		h("div.strip-legend", { "aria-hidden": "true" }, h("span", null, "24 h ago"), h("span", null, "now")));
}
