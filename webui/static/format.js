// SPDX-License-Identifier: GPL-2.0-or-later
// @ts-check
/** Numbers and times as people read them: always with a unit, "–" where there is none. */

export const NONE = "–";

/** @param {any} v @returns {v is number} */
export const isNumber = (v) => typeof v === "number" && Number.isFinite(v);

/** @param {any} v milliseconds */
export function ms(v) {
	if (!isNumber(v))
		return NONE;
	return (v < 10 ? v.toFixed(1) : v < 100 ? v.toFixed(1) : v.toFixed(0)) + " ms";
}

/** @param {any} v percent */
export function pct(v) {
	if (!isNumber(v))
		return NONE;
	if (v === 0)
		return "0 %";
	return (v < 0.1 ? v.toFixed(2) : v < 10 ? v.toFixed(1) : v.toFixed(0)) + " %";
}

/** @param {any} v bits a second */
export function rate(v) {
	if (!isNumber(v))
		return NONE;
	if (v < 1000)
		return v.toFixed(0) + " bit/s";
	if (v < 1e6)
		return (v / 1e3).toFixed(v < 1e4 ? 1 : 0) + " kbit/s";
	if (v < 1e9)
		return (v / 1e6).toFixed(v < 1e7 ? 1 : 0) + " Mbit/s";
	return (v / 1e9).toFixed(1) + " Gbit/s";
}

/** @param {any} v bytes */
export function bytes(v) {
	if (!isNumber(v))
		return NONE;
	const units = ["B", "kB", "MB", "GB", "TB"];
	let i = 0;
	while (v >= 1000 && i < units.length - 1) {
		v /= 1000;
		i++;
	}
	return (i && v < 10 ? v.toFixed(1) : v.toFixed(0)) + " " + units[i];
}

/** @param {any} v a count */
export function count(v) {
	if (!isNumber(v))
		return NONE;
	return String(Math.round(v)).replace(/\B(?=(\d{3})+$)/g, "\u202f");
}

/** "3 of 9 000" @param {any} n @param {any} of */
export const nOf = (n, of) => (isNumber(n) && isNumber(of) ? count(n) + " of " + count(of) : NONE);

/** @param {number} v */
const two = (v) => String(v).padStart(2, "0");

/** The time of day here, 24 hours. @param {any} t seconds since the epoch */
export function clock(t) {
	if (!isNumber(t))
		return NONE;
	const d = new Date(t * 1000);
	return two(d.getHours()) + ":" + two(d.getMinutes()) + ":" + two(d.getSeconds());
}

/** @param {any} t seconds since the epoch */
export function day(t) {
	const d = new Date(t * 1000);
	return d.getFullYear() + "-" + two(d.getMonth() + 1) + "-" + two(d.getDate());
}

/** The time, with the day unless it is today. @param {any} t @param {number} now */
export function when(t, now) {
	if (!isNumber(t))
		return NONE;
	return day(t) === day(now) ? clock(t) : day(t) + " " + clock(t);
}

/** "12 s", "4 min", "3 h", "5 d" @param {any} s seconds */
export function span(s) {
	if (!isNumber(s))
		return NONE;
	s = Math.max(0, s);
	if (s < 100)
		return Math.floor(s) + " s";
	if (s < 100 * 60)
		return Math.floor(s / 60) + " min";
	if (s < 48 * 3600)
		return Math.floor(s / 3600) + " h";
	return Math.floor(s / 86400) + " d";
}

/** "3 things", "1 thing" @param {number} n @param {string} what */
export const plural = (n, what) => n + " " + what + (n === 1 ? "" : "s");

/** "a, b and c" @param {string[]} names */
export function listed(names) {
	if (names.length < 2)
		return names.join("");
	return names.slice(0, -1).join(", ") + " and " + names[names.length - 1];
}
