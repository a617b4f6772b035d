// SPDX-License-Identifier: GPL-2.0-or-later
// @ts-check
/** An answer of /api/v1/history as rows with names, whatever the order of its columns. */
import { isNumber } from "./format.js";

/** @typedef {{t: number, p50: number|null, p95: number|null, jitter: number|null, lost: number, sent: number, min: number|null, max: number|null, up: number}} Row */

/** @param {any} v */
const number = (v) => (isNumber(v) ? v : null);

/** @param {any} answer @returns {Row[]} */
export function historyRows(answer) {
	const at = new Map((answer.columns || []).map((/** @type {string} */ c, /** @type {number} */ i) => [c, i]));
	const cell = (/** @type {any[]} */ r, /** @type {string} */ name) => number(at.has(name) ? r[/** @type {number} */ (at.get(name))] : null);
	return (answer.rows || []).map((/** @type {any[]} */ r) => ({
		t: cell(r, "t") || 0, p50: cell(r, "p50_ms"), p95: cell(r, "p95_ms"), jitter: cell(r, "jitter_ms"),
		lost: cell(r, "lost") || 0, sent: cell(r, "sent") || 0, min: cell(r, "min_ms"), max: cell(r, "max_ms"), up: cell(r, "up") ?? 1,
	}));
}
