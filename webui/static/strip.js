// SPDX-License-Identifier: GPL-2.0-or-later
// @ts-check
/**
 * The last 24 hours of an uplink as a strip, a cell for a quarter of an hour over
 * its paths. Grey where nothing was measured. The day is asked for once; later only
 * the quarters that are new.
 */
import { h } from "./dom.js";
import { clock, isNumber } from "./format.js";
import { historyRows } from "./history.js";

const CELLS = 96;
const STEP_S = 900;
const PATHS_MAX = 24; // that are asked for, as many of each uplink
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

/** @typedef {Map<number, string>} Cells a letter for each quarter, by its begin */

/** The end of the quarter that t is in. @param {number} t */
const endOf = (t) => Math.ceil(t / STEP_S) * STEP_S;

/** The paths that are asked for. @param {any[]} paths of the status */
export function stripPaths(paths) {
	const uplinks = new Set(paths.map((p) => p.uplink));
	/** @type {Map<string, number>} */
	const taken = new Map();
	return paths.filter((p) => {
		taken.set(p.uplink, (taken.get(p.uplink) || 0) + 1);
		return /** @type {number} */ (taken.get(p.uplink)) <= Math.max(1, Math.floor(PATHS_MAX / uplinks.size));
	});
}

/** What to ask of a path: the day, or from the last quarter that is known. @param {Cells} known @param {number} now */
export function stripSpan(known, now) {
	const until = endOf(now);
	const since = Math.max(until - CELLS * STEP_S, ...[...known.keys()].filter((t) => t < until));
	return { since, until, points: (until - since) / STEP_S };
}

/** What is known with what was answered. @param {Cells} known @param {any} history @param {number} now @returns {Cells} */
export function stripCells(known, history, now) {
	const limit = strictestDelay(history);
	const all = new Map([...known, ...historyRows(history).map((r) => /** @type {[number, string]} */ ([r.t, letterOf(r, limit)]))]);
	return new Map([...all].filter(([t]) => t >= endOf(now) - CELLS * STEP_S));
}

/** The paths of one uplink as a letter for each cell. @param {Cells[]} list @param {number} now */
export function stripOf(list, now) {
	const until = endOf(now);
	let states = "";
	for (let t = until - CELLS * STEP_S; t < until; t += STEP_S)
		states += list.map((cells) => cells.get(t) || "-").reduce(joined, "-");
	return { step_s: STEP_S, until, states };
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
