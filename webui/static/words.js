// SPDX-License-Identifier: GPL-2.0-or-later
// @ts-check
/**
 * words - what a state is called, how bad it is, and the sentences of the page
 *
 * Levels: good, warn, bad, off (nothing measures, nobody knows). A level is a
 * colour and a shape; beside it always stands the word.
 */
import { isNumber, listed, ms, pct, plural, span, when } from "./format.js";

/** @typedef {"good" | "warn" | "bad" | "off"} Level */
/** @typedef {{key: string, level: Level, time: number | null, text: string, did: string, href: string | null}} Item */

const UPLINK = {
	up: ["good", "up"], absent: ["bad", "no such interface"], "no-carrier": ["bad", "no carrier"],
	"no-address": ["bad", "no address"], "no-route": ["bad", "no gateway"],
	stopped: ["off", "taken down"],
};
const PATH = {
	up: ["good", "up"], suspect: ["warn", "suspect"], proving: ["warn", "proving"],
	down: ["bad", "down"], off: ["bad", "no tunnel"],
};
const VERDICT = {
	chosen: ["good", "carries"], kept: ["bad", "kept"], waiting: ["good", "ready"],
	holding: ["warn", "recovering"], refused: ["warn", "refused"], proving: ["warn", "proving"],
	down: ["bad", "down"], stopped: ["off", "taken down"], unknown: ["off", "no data"],
};
const TUNNEL = {
	up: ["good", "up"], connecting: ["warn", "connecting"], waiting: ["bad", "waiting"],
	idle: ["off", "idle"], stopped: ["off", "taken down"],
};

/** @param {any} table @param {any} state @returns {{level: Level, word: string}} */
function look(table, state) {
	const row = Object.hasOwn(table, state) ? table[state] : null;
	return row ? { level: row[0], word: row[1] } : { level: "off", word: String(state || "unknown") };
}

/** @param {any} s */
export const uplinkWord = (s) => look(UPLINK, s);
/** @param {any} s */
export const pathWord = (s) => look(PATH, s);
/** @param {any} s */
export const verdictWord = (s) => look(VERDICT, s);
/** @param {any} s */
export const tunnelWord = (s) => look(TUNNEL, s);

/** The name of a path within its peer. @param {any} path @param {any} peer */
export function shortPath(path, peer) {
	const p = String(path);
	return p.startsWith(peer + "/") ? p.slice(String(peer).length + 1) : p;
}

/** The address of the chart of a path, at a second when one is given. */
/** @param {string} path @param {number | null} [at] */
export function chartHref(path, at = null) {
	const q = new URLSearchParams({ path });
	if (at !== null)
		q.set("at", at.toFixed(3));
	return "#/?" + q.toString();
}

// --- the sentence -----------------------------------------------------------------

/** "voice and bulk on isp1" for each way of a peer. @param {any} peer */
function carries(peer) {
	/** @type {Map<string, string[]>} */
	const by = new Map();
	for (const c of peer.classes || []) {
		const ways = (c.members || []).map((/** @type {any} */ m) => shortPath(m.path, peer.name));
		const way = ways.length ? "on " + listed(ways) : "nowhere";
		by.set(way, (by.get(way) || []).concat(c.class));
	}
	if (by.size === 1)
		return by.has("nowhere") ? "no class has a path" : "everything " + [...by.keys()][0];
	return [...by].map(([way, classes]) => listed(classes) + " " + way).join(", ");
}

const PEERS_TOLD = 3;

/** @param {any} status */
function carriesAll(status) {
	const peers = status.peers || [];
	if (status.peers_total > PEERS_TOLD || peers.length > PEERS_TOLD) {
		const up = peers.filter((/** @type {any} */ p) => p.state === "up").length;
		const rest = (status.peers_total || peers.length) - peers.length;
		return up + rest + " of " + plural(status.peers_total || peers.length, "peer") + " up";
	}
	if (peers.length === 1)
		return carries(peers[0]);
	return peers.map((/** @type {any} */ p) => p.name + ": " + carries(p)).join(". ");
}

/** Classes that miss their limits: [{class, peer, state, paths}]. @param {any} classes */
export function missed(classes) {
	const out = [];
	for (const c of classes || [])
		for (const p of c.peers || [])
			if (p.state === "bad" || p.state === "kept" || p.state === "none")
				out.push({ class: c.name, ...p });
	return out;
}

/**
 * Is the branch fine, and what carries what.
 * @param {any} status @param {any} classes
 * @returns {{level: Level, word: string, text: string}}
 */
export function verdict(status, classes) {
	const uplinks = status.uplinks || [];
	const up = uplinks.filter((/** @type {any} */ u) => u.state === "up").length;
	const alive = (status.paths || []).filter((/** @type {any} */ p) => p.state === "up" || p.state === "suspect");
	const bad = missed(classes);
	const text = up + " of " + plural(uplinks.length, "uplink") + " up. " + carriesAll(status) + ".";
	if (!uplinks.length && !(status.paths || []).length)
		return { level: "off", word: "Nothing to do", text: "No uplink and no peer is configured." };
	if (!alive.length)
		return { level: "bad", word: "Cut off", text: "No path answers. " + text };
	if (bad.length)
		return { level: "warn", word: "Impaired", text };
	if (status.state !== "ok" || alive.length < (status.paths || []).length)
		return { level: "warn", word: "Fine, less reserve", text };
	return { level: "good", word: "All fine", text };
}

// --- what needs attention ------------------------------------------------------------

/** "hub/isp1+hub/lte" as a list. @param {any} text */
export const pathsOf = (text) => (text ? String(text).split(/[,+]\s*/) : []);

/** "loss 2.4 % (5 of 210) over 1 %" @param {any} b */
export function brokenText(b) {
	if (!b)
		return "over its limits";
	if (b.metric === "loss") {
		const n = isNumber(b.lost) && b.of ? " (" + b.lost + " of " + b.of + ")" : "";
		return "loss " + pct(b.value_pct) + n + " over " + pct(b.limit_pct);
	}
	return b.metric + " " + ms(b.value_ms) + " over " + ms(b.limit_ms);
}

/** "tunnel x is not up" -> "Tunnel x is not up." @param {any} text */
function sentence(text) {
	const s = String(text || "");
	return s && (/^edge/.test(s) ? s[0] : s[0].toUpperCase()) + s.slice(1) + (/[.!?]$/.test(s) ? "" : ".");
}

/** The path that an entry is about, when it is about one. @param {any} a */
function pathOfEntry(a) {
	if (a.path)
		return String(a.path);
	return a.kind === "path" || a.kind === "tunnel" ? String(a.subject) : null;
}

/** What edged says needs attention, and what this page misses. @param {any} s @returns {Item[]} */
export function attention(s) {
	const told = (s.status && s.status.attention) || [];
	const items = told.map((/** @type {any} */ a) => {
		const path = pathOfEntry(a);
		return {
			key: [a.kind, a.subject, a.path].join(" "), level: a.severity === "error" ? "bad" : "warn", time: a.since,
			text: sentence(a.text), did: sentence(a.did), href: path ? chartHref(path, a.since) : null,
		};
	});
	if (s.historyTrouble)
		items.push({ key: "history", level: "warn", time: null, text: sentence("history is missing: " + s.historyTrouble), did: "Asked again each 10 s.", href: null });
	return items;
}

/** What stands there when nothing needs attention. @param {any} s @param {number} now */
export function nothing(s, now) {
	const last = s.status && (s.status.last || s.events[s.events.length - 1]);
	if (!last)
		return "Nothing.";
	return "Nothing. Last change " + when(last.time, now) + ", " + span(now - last.time) + " ago.";
}

// --- events ----------------------------------------------------------------------------

/** @param {any} e @returns {Level} */
export function eventLevel(e) {
	if (e.kind === "steer")
		return (e.numbers && (e.numbers.why === "sla" || e.numbers.why === "down" || e.numbers.why === "least-bad")) ? "warn" : "good";
	if (e.kind === "path" || e.kind === "peer" || e.kind === "tunnel")
		return e.to === "up" ? "good" : e.to === "down" || e.to === "silent" || e.to === "esp-dead" || e.to === "waiting" ? "bad" : "off";
	if (e.kind === "uplink")
		return e.to === "up" || e.to === "allowed" ? "good" : e.to === "stopped" ? "off" : "bad";
	if (e.to === "away" || e.to === "refused" || e.to === "damaged")
		return "bad";
	return "off";
}

/** @param {any} e */
export function eventText(e) {
	if (e.kind === "steer")
		return String(e.reason || "");
	const change = e.from && e.to ? e.from + " → " + e.to : e.to || "";
	return [change, e.reason].filter(Boolean).join(": ");
}

/** The paths that an event is about. @param {any} e */
export function eventPaths(e) {
	if (e.kind === "steer") {
		const n = e.numbers || {};
		return [...new Set([n.path, ...pathsOf(e.from), ...pathsOf(e.to)].filter(Boolean).map(String))];
	}
	if (e.kind === "path" || e.kind === "tunnel" || (e.kind === "ike" && e.subject !== "ike"))
		return [String(e.subject)];
	return [];
}

/** @param {any} e @param {any[]} paths of the status */
export function eventUplinks(e, paths) {
	if (e.kind === "uplink")
		return [String(e.subject)];
	const own = e.numbers && e.numbers.uplink ? [String(e.numbers.uplink)] : [];
	return own.concat(eventPaths(e).map((name) => {
		const p = paths.find((q) => q.name === name);
		return p ? p.uplink : name.slice(name.lastIndexOf("/") + 1);
	}));
}

/** @param {any} e */
export const eventClass = (e) => (e.numbers && e.numbers.class ? String(e.numbers.class) : null);
