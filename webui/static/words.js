// SPDX-License-Identifier: GPL-2.0-or-later
// @ts-check
/**
 * words - what a state is called, how bad it is, and the sentences of the page
 *
 * Levels: good, warn, bad, off (nothing measures, nobody knows). A level is a
 * colour and a shape; beside it always stands the word.
 */
import { clock, isNumber, listed, ms, pct, plural, span, when } from "./format.js";

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
		return "everything " + [...by.keys()][0];
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

/** What edged did about a path: the decisions that left it. */
/** @param {any[]} events @param {string} path @param {number} since */
function didAbout(events, path, since) {
	/** @type {Map<string, {to: string, time: number}>} */
	const last = new Map();
	for (const e of events)
		if (e.kind === "steer" && e.time >= since - 60 && leaves(e, path))
			last.set(e.subject, { to: String(e.to || "nowhere"), time: e.time });
	/** @type {Map<string, string[]>} */
	const by = new Map();
	for (const [subject, d] of last) {
		const cls = subject.slice(subject.lastIndexOf("/") + 1);
		const way = "to " + d.to + " at " + clock(d.time);
		by.set(way, (by.get(way) || []).concat(cls));
	}
	return [...by].map(([way, classes]) => "Moved " + listed(classes) + " " + way + ".").join(" ");
}

/** Was it a decision away from this path? @param {any} e @param {string} path */
function leaves(e, path) {
	const n = e.numbers || {};
	return (n.path === path || pathsOf(e.from).includes(path)) && !pathsOf(e.to).includes(path);
}

/** "hub/isp1+hub/lte" as a list. @param {any} text */
export const pathsOf = (text) => (text ? String(text).split(/[,+]\s*/) : []);

/** The last event of a kind about something. @param {any[]} events @param {string} kind @param {string} subject */
function lastOf(events, kind, subject) {
	for (let i = events.length - 1; i >= 0; i--)
		if (events[i].kind === kind && events[i].subject === subject)
			return events[i];
	return null;
}

/** @param {any} s */
function uplinkItems(s) {
	const items = [];
	for (const u of s.status.uplinks || []) {
		if (u.state === "up")
			continue;
		const w = uplinkWord(u.state);
		const last = lastOf(s.events, "uplink", u.name);
		const why = u.reason || (last && last.reason) || "";
		items.push({
			key: "uplink " + u.name, level: w.level === "off" ? "warn" : w.level, time: u.since,
			text: "Uplink " + u.name + ": " + w.word + (why && why !== w.word ? " – " + why : "") + ".",
			did: (s.status.paths || []).filter((/** @type {any} */ p) => p.uplink === u.name)
				.map((/** @type {any} */ p) => didAbout(s.events, p.name, u.since || 0)).filter(Boolean).join(" "),
			href: null,
		});
	}
	return items;
}

/** The standings of a path in all classes. @param {any} classes @param {string} path */
function standingsOf(classes, path) {
	const out = [];
	for (const c of classes || [])
		for (const p of c.peers || [])
			for (const st of p.paths || [])
				if (st.path === path)
					out.push({ class: c.name, limits: c, ...st });
	return out;
}

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

/** @param {any} s */
function pathItems(s) {
	const items = [];
	const down = new Set((s.status.uplinks || []).filter((/** @type {any} */ u) => u.state !== "up")
		.map((/** @type {any} */ u) => u.name));
	for (const p of s.status.paths || []) {
		const w = pathWord(p.state);
		if (w.level !== "good") {
			if (down.has(p.uplink))
				continue; // the uplink says it
			const st = standingsOf(s.classes, p.name)[0];
			const last = lastOf(s.events, "path", p.name);
			const why = p.state === "off" ? st && st.reason : last && last.to === p.state && last.reason;
			items.push({
				key: "path " + p.name, level: w.level, time: p.since,
				text: p.name + ": " + w.word + (why ? " – " + why : "") + ".",
				did: didAbout(s.events, p.name, p.since || 0), href: chartHref(p.name, p.since),
			});
			continue;
		}
		const over = standingsOf(s.classes, p.name).filter((st) => st.verdict === "refused");
		if (!over.length)
			continue;
		const since = Math.min(...over.map((st) => st.since || Infinity));
		items.push({
			key: "sla " + p.name, level: "warn", time: Number.isFinite(since) ? since : null,
			text: p.name + ": " + limitsBroken(over) + ".",
			did: didAbout(s.events, p.name, since), href: chartHref(p.name, Number.isFinite(since) ? since : null),
		});
	}
	return items;
}

/** "delay 220 ms over 150 ms (voice), loss 4 % over 2 % (business)" @param {any[]} over */
function limitsBroken(over) {
	/** @type {Map<string, string[]>} */
	const by = new Map();
	for (const st of over) {
		const text = brokenText(st.broken);
		by.set(text, (by.get(text) || []).concat(st.class));
	}
	return [...by].map(([text, classes]) => text + " (" + classes.join(", ") + ")").join(", ");
}

/** @param {any} s */
function classItems(s) {
	return missed(s.classes).map((m) => {
		const used = (m.paths || []).filter((/** @type {any} */ p) => p.member);
		const names = listed(used.map((/** @type {any} */ p) => p.path));
		const why = used.length ? used[0].reason : "";
		const did = m.state === "none" ? "Nothing carries it; nothing leaves in clear."
			: m.state === "kept" ? "Kept on " + names + ": no other path answers."
			: "Stays on " + names + ": no path keeps the limits, this one is the least bad.";
		return {
			key: "class " + m.class + " " + m.peer, level: /** @type {Level} */ (m.state === "bad" ? "warn" : "bad"),
			time: m.since, text: m.class + " to " + m.peer + (m.state === "bad" ? " misses its limits: " + why
				: m.state === "kept" ? " has no path that answers" : " has no path") + ".",
			did, href: used.length ? chartHref(used[0].path) : null,
		};
	});
}

/** edged itself: helpers, kernel, database. @param {any} s */
function ownItems(s) {
	/** @type {any[]} */
	const items = [];
	const st = s.status;
	const add = (/** @type {string} */ key, /** @type {Level} */ level, /** @type {string} */ text, /** @type {string} */ did) =>
		items.push({ key, level, time: null, text, did, href: null });
	const helpers = Array.isArray(st.helpers) ? st.helpers : [{ name: "edge-zebra", up: st.helper_connected }];
	for (const hp of helpers)
		if (hp.up === false)
			add("helper " + hp.name, "bad", hp.name + " is away.", hp.name === "edge-zebra"
				? "Routes stay as they were; classes cannot move until it is back." : "edged waits for it to come back.");
	const kernel = st.kernel || (s.routes && s.routes.kernel);
	if (kernel && (kernel.failing > 0 || kernel.error))
		add("kernel", "bad", "The kernel refuses " + plural(kernel.failing, "rule or route") +
			(kernel.error ? ": " + kernel.error : "") + ".", "edged tries again.");
	if (st.store && st.store.writable === false)
		add("store", "warn", "History is not written" + (st.store.trouble ? ": " + st.store.trouble : "") + ".",
			"Steering goes on without it.");
	else if (s.historyTrouble)
		add("store", "warn", "History is missing: " + s.historyTrouble + ".", "Asked again each few seconds.");
	return items;
}

const RANK = { bad: 0, warn: 1, off: 2, good: 3 };

/** @param {any} s @returns {Item[]} */
export function attention(s) {
	if (!s.status)
		return [];
	const items = [...ownItems(s), ...classItems(s), ...uplinkItems(s), ...pathItems(s)];
	return items.sort((a, b) => RANK[/** @type {Level} */ (a.level)] - RANK[/** @type {Level} */ (b.level)] || (b.time || 0) - (a.time || 0));
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
