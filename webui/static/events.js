// SPDX-License-Identifier: GPL-2.0-or-later
// @ts-check
/** What happened, newest first, each with its numbers and a way to its second in the chart. */
import { h } from "./dom.js";
import { when } from "./format.js";
import { choice, missing } from "./parts.js";
import { classNames, now } from "./state.js";
import { chartHref, eventClass, eventLevel, eventPaths, eventText, eventUplinks } from "./words.js";

const SHOWN_MAX = 200;

/** @param {any} s @param {any} actions */
export function eventsView(s, actions) {
	const f = s.filter;
	const paths = s.status.paths;
	const fits = (/** @type {any} */ e) => (!f.uplink || eventUplinks(e, paths).includes(f.uplink)) && (!f.class || eventClass(e) === f.class);
	const list = s.events.filter(fits).slice(-SHOWN_MAX).reverse();
	const pick = (/** @type {string} */ key) => (/** @type {string} */ v) => actions.set({ filter: { ...s.filter, [key]: v } });
	const t = now();
	const trouble = s.asked.events;
	return h("section.panel.events", { key: "events", "aria-labelledby": "events-h" },
		h("div.head", null, h("h2", { id: "events-h" }, "Events"),
			choice("filter-uplink", "uplink", f.uplink, [["", "all"], ...s.status.uplinks.map((/** @type {any} */ u) => [u.name, u.name])], pick("uplink")),
			choice("filter-class", "class", f.class, [["", "all"], ...classNames(s).map((/** @type {string} */ c) => [c, c])], pick("class"))),
		trouble ? missing("Older events are missing: " + trouble + ".") : null,
		h("div.scroll", { tabindex: 0, role: "group", "aria-labelledby": "events-h" },
			list.length ? h("ol", null, list.map((/** @type {any} */ e) => eventView(e, t)))
				: h("p.nothing", null, s.eventsAsked ? "No such event." : trouble ? "" : "Asking for what happened.")));
}

/** @param {any} e @param {number} t */
function eventView(e, t) {
	const paths = eventPaths(e);
	const time = when(e.time, t);
	return h("li", { key: e.time + " " + e.kind + " " + e.subject, class: "lv-" + eventLevel(e), "data-kind": e.kind, "data-time": e.time },
		h("span.shape", { "aria-hidden": "true" }),
		paths.length ? h("a.time", { href: chartHref(paths[0], e.time), "aria-label": time + ", show this second of " + paths[0] }, time) : h("span.time", null, time),
		h("span.kind", null, e.kind),
		h("span.what", null, e.kind === "steer" ? null : h("b", null, e.subject + " "), eventText(e), numbersView(e)));
}

const HIDDEN = new Set(["ifindex", "penalty"]);

/** The numbers that decided and are not in the sentence. @param {any} e */
function numbersView(e) {
	const text = eventText(e);
	const parts = Object.entries(e.numbers || {}).filter(([k, v]) => !HIDDEN.has(k) && typeof v === "number" && v !== 0)
		.filter(([, v]) => !told(text, v)).map(([k, v]) => numberText(k, v));
	const by = e.numbers && typeof e.numbers.by === "string" && !text.includes(e.numbers.by) ? "by " + e.numbers.by : "";
	const all = by ? [by, ...parts] : parts;
	return all.length ? h("small", null, " " + all.join(", ")) : null;
}

/** Does the sentence say this number already? @param {string} text @param {any} v */
const told = (text, v) => [0, 1, 2].some((n) => text.includes(" " + v.toFixed(n)) || text.includes("(" + v.toFixed(n)));

const UNITS = { ms: "ms", pct: "%", s: "s", bytes: "bytes" };

/** "delay_ms", 4 -> "delay 4 ms" @param {string} key @param {any} v */
function numberText(key, v) {
	const unit = key.slice(key.lastIndexOf("_") + 1);
	const value = Number.isInteger(v) ? String(v) : v.toFixed(1);
	return Object.hasOwn(UNITS, unit) && key.includes("_")
		? key.slice(0, key.lastIndexOf("_")).replace(/_/g, " ") + " " + value + " " + UNITS[/** @type {"ms"} */ (unit)]
		: key.replace(/_/g, " ") + " " + value;
}
