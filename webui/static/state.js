// SPDX-License-Identifier: GPL-2.0-or-later
// @ts-check
/**
 * state - all that the page knows, and since when. Every list is bounded, so
 * that a page that is open for a week is as big as one of today.
 */
import { eventClass } from "./words.js";

export const EVENTS_MAX = 500;

/** @returns {any} */
export function freshState() {
	return {
		session: null, // {user, role, via}; null: nobody is logged in
		ended: "", // why the login form is shown, when there is a reason
		server: { open: false, since: now(), ever: false },
		link: { edged: true, since: null, text: "" },
		status: null, statusAt: 0,
		classes: null, classesAt: 0,
		routes: null, routesAt: 0, ike: null, ikeAt: 0,
		asked: {}, // what answered with an error, by question: its sentence
		strips: {}, // of the last day, by uplink
		cells: new Map(), // what they are made of, by path
		events: [], eventsAsked: false, lastId: 0,
		historyTrouble: "",
		restarted: null, // when edged started anew while we looked
		route: { view: "overview", path: null, at: null },
		filter: { uplink: "", class: "" },
		peer: "", // the peer of the grid, where there are many
		cell: "", // the cell of the grid that has the focus
		why: null, // what was looked up, and its answer
	};
}

/** Seconds since the epoch by this machine's clock. */
export const now = () => Date.now() / 1000;

/** @param {any} e an event as edged tells it @param {number | undefined} id */
function clean(e, id) {
	return {
		id: id || (typeof e.id === "number" ? e.id : 0), time: Number(e.time) || 0,
		kind: String(e.kind || ""), subject: String(e.subject || ""), from: e.from, to: e.to,
		reason: e.reason, numbers: e.numbers || {},
	};
}

/** @param {any} e */
const same = (e) => e.time + " " + e.kind + " " + e.subject;

/**
 * Adds events, oldest first, each once.
 * @param {any} s @param {any[]} list @param {number} [id] of the only one in list
 */
export function addEvents(s, list, id) {
	const newest = s.events.length ? s.events[s.events.length - 1].time : -Infinity;
	const next = list.map((raw) => clean(raw, id));
	if (next.length === 1 && next[0].time > newest) {
		s.events.push(next[0]); // as it mostly is
	} else {
		const known = new Map([...s.events, ...next].map((e) => [same(e), e]));
		s.events = [...known.values()].sort((a, b) => a.time - b.time);
	}
	if (s.events.length > EVENTS_MAX)
		s.events.splice(0, s.events.length - EVENTS_MAX);
	s.lastId = Math.max(s.lastId, ...next.map((e) => e.id));
}

/** @param {any} s @param {any} status */
export function takeStatus(s, status) {
	if (s.status && status.started > s.status.started + 2)
		s.restarted = status.started;
	s.status = status;
	s.statusAt = now();
}

/** Are the figures shown those of now? @param {any} s */
export function isFresh(s) {
	return !!s.status && s.server.open && s.link.edged && now() - s.statusAt < 8;
}

/** What decides which class goes where: when it changes, the reasons are asked anew. @param {any} status */
export function signature(status) {
	return JSON.stringify([
		(status.peers || []).map((/** @type {any} */ p) => [p.name, p.state, (p.classes || []).map((/** @type {any} */ c) =>
			[c.class, c.keeps, c.kept, (c.members || []).map((/** @type {any} */ m) => m.path)])]),
		(status.paths || []).map((/** @type {any} */ p) => [p.name, p.state]),
		(status.uplinks || []).map((/** @type {any} */ u) => [u.name, u.state]),
	]);
}

/** Names of the classes: from the plan, from the standings, or from events. @param {any} s */
export function classNames(s) {
	if (s.classes)
		return s.classes.map((/** @type {any} */ c) => c.name);
	return [...new Set(s.events.map(eventClass).filter(Boolean))];
}
