// SPDX-License-Identifier: GPL-2.0-or-later
// @ts-check
/** The one page: is the branch fine, what carries what, and why. */
import { h } from "./dom.js";
import { count, isNumber, ms, nOf, pct, plural, rate, span, bytes, when } from "./format.js";
import { choice, figure, missing, stateView } from "./parts.js";
import { isFresh, now } from "./state.js";
import { stripView } from "./strip.js";
import { eventsView } from "./events.js";
import { chartView } from "./chartview.js";
import { attention, brokenText, chartHref, nothing, pathWord, shortPath, uplinkWord, verdict, verdictWord } from "./words.js";

const GRID_PATHS = 8; // more are shown a peer at a time
const ROWS_MAX = 200;

/** @param {any} s @param {any} actions @param {any} chart */
export function overviewView(s, actions, chart) {
	if (!s.status)
		return h("p.wait", { key: "wait" }, waitText(s));
	return h("div.overview", { key: "overview" },
		sentenceView(s), attentionView(s),
		uplinksView(s, actions), gridView(s, actions), pathsView(s), chartView(s, actions, chart), eventsView(s, actions));
}

/** @param {any} s */
function waitText(s) {
	if (!s.server.open)
		return "Connecting to the router.";
	return s.link.edged ? "Waiting for the first figures." : "edged does not answer. The page goes on as soon as it does.";
}

/** @param {any} s */
function sentenceView(s) {
	const v = verdict(s.status, s.classes);
	const old = !isFresh(s);
	const t = now();
	const last = when(s.statusAt, t);
	const why = !s.server.open ? "The web server does not answer." : !s.link.edged ? "edged does not answer" + (s.link.since ? " since " + when(s.link.since, t) : "") + "." : "Nothing new arrives.";
	return h("section.panel.sentence", { key: "sentence", "aria-label": "in one sentence" },
		h("div", { "aria-live": "polite", id: "sentence" },
			h("h1", { class: "lv-" + (old ? "off" : v.level) }, h("span.shape", { "aria-hidden": "true" }), old ? "Not known" : v.word),
			h("p", null, old ? why + " What is shown is from " + last + "; since then anything may have changed." : v.text)),
		kernelView(s));
}

/** What was found missing or wrong in the kernel, and put right. @param {any} kernel */
const repaired = (kernel) => Object.values(kernel.repaired || {}).reduce((n, v) => n + Number(v), 0);

/** What the kernel has, beside what edged wants. @param {any} s */
function kernelView(s) {
	const kernel = s.status.kernel;
	const helper = s.routes && s.routes.helper;
	const parts = [];
	if (kernel)
		parts.push("kernel: " + plural(kernel.rules, "rule") + ", " + plural(kernel.routes, "route") + (kernel.failing ? ", " + kernel.failing + " refused" : " as intended") +
			", " + count(repaired(kernel)) + " repaired");
	if (helper) {
		const nb = helper.neighbors || [];
		if (nb.length)
			parts.push("BGP " + nb.filter((/** @type {any} */ n) => n.state === "Established").length + " of " + nb.length + " up");
	}
	parts.push("edged " + (s.restarted ? "restarted " + when(s.restarted, now()) : "up " + span(s.status.uptime_s)));
	return h("p.kernel", { title: "rules and routes that edged wants, read back from the kernel; those found missing or wrong were put back" }, parts.join(" · "));
}

// --- needs attention ----------------------------------------------------------------

/** @param {any} s */
function attentionView(s) {
	const items = attention(s);
	const t = now();
	return h("section.panel.attention", { key: "attention", "aria-labelledby": "attention-h" },
		h("h2", { id: "attention-h" }, "Needs attention", items.length ? h("span.badge", null, items.length + (s.status.attention_left_out || 0)) : null),
		h("div.scroll", { tabindex: 0, role: "group", "aria-labelledby": "attention-h" },
			items.length ? h("ul", null, items.map((i) => h("li", { key: i.key, class: "lv-" + i.level },
				h("span.shape", { "aria-hidden": "true" }),
				h("span.time", null, i.time ? when(i.time, t) : "now"),
				h("span.what", null, i.href ? h("a", { href: i.href }, i.text) : i.text, i.did ? [" ", h("span.did", null, i.did)] : null))))
				: h("p.nothing", null, nothing(s, t)),
			s.status.attention_left_out > 0 ? h("p.hint", null, "and " + count(s.status.attention_left_out) + " more") : null));
}

// --- uplinks --------------------------------------------------------------------------

/** The path whose figures stand for the uplink: the first that is alive. @param {any} s @param {string} name */
function pathOf(s, name) {
	const on = s.status.paths.filter((/** @type {any} */ p) => p.uplink === name);
	return on.find((/** @type {any} */ p) => p.state === "up") || on.find((/** @type {any} */ p) => isNumber(p.delay_ms)) || on[0];
}

/** @param {any} u */
const natText = (u) => (u.nat === true ? "behind NAT" : u.nat === false ? "no NAT" : "NAT not known");

/** "3 of 100 in 10 s" @param {any} p */
function lossText(p) {
	if (isNumber(p.window_sent))
		return nOf(p.window_lost, p.window_sent) + (p.window_s ? " in " + span(p.window_s) : "");
	return nOf(p.lost, p.sent);
}

/** @param {any} p */
const windowText = (p) => (isNumber(p.window_s) ? "over the last " + span(p.window_s) + ", " + plural(p.window_sent, "probe") : "over the path's window");

/** An interface that is up with no path that answers is no good uplink. @param {any} u */
function uplinkState(u) {
	if (u.state !== "up" || !u.paths || u.paths_up === u.paths)
		return uplinkWord(u.state);
	return u.paths_up ? { level: "warn", word: "up, part of the paths" } : { level: "bad", word: "up, no path answers" };
}

/** @param {any} s @param {any} actions */
function uplinksView(s, actions) {
	const old = !isFresh(s);
	return h("section.uplinks", { key: "uplinks", "aria-label": "uplinks" }, s.status.uplinks.map((/** @type {any} */ u) => {
		const w = uplinkState(u);
		const p = pathOf(s, u.name);
		const silent = !p || p.state === "off";
		const measured = p && !silent && p.state !== "down" && p.measured !== false && isNumber(p.delay_ms) && u.state === "up";
		return h("article.panel.uplink", { key: u.name, "aria-label": "uplink " + u.name },
			h("header", null, h("h2", null, u.name), stateView(w.level, w.word, old),
				h("span.addr", null, [u.interface, u.address || "no address", natText(u)].join(" · ")),
				s.session.role === "operator" ? operateView(u, actions, old) : null),
			h("dl.figures", { class: measured ? null : "grey" },
				figure("delay", measured ? ms(p.delay_ms) : "–", p && "median of " + p.name + ", " + windowText(p)),
				figure("jitter", measured ? ms(p.jitter_ms) : "–", p && p.name + ", " + windowText(p)),
				figure("loss", measured ? pct(p.loss_pct) : "–", p && p.name + ", " + lossText(p)),
				figure("down", rate(u.down_bps), "received by " + u.interface),
				figure("up", rate(u.up_bps), "sent by " + u.interface),
				isNumber(u.month_bytes) && (u.monthly_limit_bytes || u.month_bytes)
					? figure("month", bytes(u.month_bytes) + (u.monthly_limit_bytes ? " of " + bytes(u.monthly_limit_bytes) : "")) : null),
			h("p.by", null, measured ? "by " + p.name + ", lost " + lossText(p) : silent ? "no path measures here" : "not measured now",
				"; " + nOf(u.paths_up, u.paths) + " paths up"),
			stripView(s.strips[u.name], u.name));
	}));
}

/** @param {any} u @param {any} actions @param {boolean} old */
function operateView(u, actions, old) {
	const up = u.stopped || u.state === "stopped";
	return h("button.small.calm", { type: "button", disabled: old, on: { click: () => actions.setUplink(u, up ? "up" : "down") }, "aria-label": (up ? "Bring up " : "Take down ") + u.name }, up ? "Bring up" : "Take down");
}

// --- classes and paths -----------------------------------------------------------------

/** The columns of the grid. @param {any} s */
function gridPeers(s) {
	const peers = s.status.peers || [];
	if (s.status.paths.length <= GRID_PATHS)
		return peers;
	const one = peers.find((/** @type {any} */ p) => p.name === s.peer) || peers[0];
	return one ? [one] : [];
}

/** @param {any} c */
function limitsText(c) {
	const parts = [];
	if (isNumber(c.max_delay_ms))
		parts.push("delay ≤ " + c.max_delay_ms + " ms");
	if (isNumber(c.max_jitter_ms))
		parts.push("jitter ≤ " + c.max_jitter_ms + " ms");
	if (isNumber(c.max_loss_pct))
		parts.push("loss ≤ " + c.max_loss_pct + " %");
	return parts;
}

/** "delay 220 > 150 ms" @param {any} st */
function shortReason(st) {
	const b = st.broken;
	if (b && (st.verdict === "refused" || (st.member && b.metric)))
		return b.metric === "loss" ? "lost " + pct(b.value_pct).replace(".0", "") + " > " + pct(b.limit_pct).replace(".0", "")
			: (b.metric === "delay" ? "" : b.metric + " ") + Math.round(b.value_ms) + " > " + ms(b.limit_ms).replace(".0", "");
	if (st.verdict === "waiting")
		return st.reason.replace(/^good, but (it )?/, "").replace(/^stands (\w+) in "prefer"$/, "$1 choice");
	if (st.verdict === "chosen")
		return st.reason.replace(/^delay (\S+)( of \S+)? ms, .*loss (\S+).*$/, "$1 ms, $3 % lost");
	return st.reason.replace(/^good again, /, "");
}

/** What the kernel does beside what was decided. @param {any} c a class @param {any[]} peers */
function kernelCell(c, peers) {
	const rows = c.peers.filter((/** @type {any} */ p) => p.kernel && p.state !== "none" && p.state !== "kept" && peers.some((q) => q.name === p.peer));
	const differ = rows.filter((/** @type {any} */ p) => !p.kernel.agrees)
		.map((/** @type {any} */ p) => p.kernel.prefix + " by " + (p.kernel.path || "nothing"));
	if (!rows.length)
		return h("td.in-kernel.grey", { title: "no peer with a prefix and a path to ask the kernel for" }, "not asked");
	return differ.length
		? h("td.in-kernel.lv-warn", { title: differ.join("; ") }, "differs")
		: h("td.in-kernel", { title: rows.map((/** @type {any} */ p) => p.kernel.prefix + " by " + p.kernel.path).join("; ") }, "agrees");
}

/** The arrow keys go through the cells; one of them is in the order of Tab. @param {KeyboardEvent} e */
function onGridKey(e) {
	const step = { ArrowRight: [0, 1], ArrowLeft: [0, -1], ArrowDown: [1, 0], ArrowUp: [-1, 0] }[e.key];
	const cell = /** @type {HTMLElement} */ (e.target).closest("[data-r]");
	if (!step || !cell)
		return;
	const r = Number(cell.getAttribute("data-r")) + step[0];
	const c = Number(cell.getAttribute("data-c")) + step[1];
	const next = /** @type {HTMLElement} */ (e.currentTarget).querySelector(`[data-r="${r}"][data-c="${c}"]`);
	if (next) {
		e.preventDefault();
		/** @type {HTMLElement} */ (next).focus();
	}
}

/** @param {any} s @param {any} actions */
function gridView(s, actions) {
	const peers = gridPeers(s);
	const paths = peers.flatMap((/** @type {any} */ p) => s.status.paths.filter((/** @type {any} */ q) => q.peer === p.name));
	const head = h("div.head", null, h("h2", { id: "grid-h" }, "What carries what"),
		s.status.paths.length > GRID_PATHS ? choice("grid-peer", "peer", peers.length ? peers[0].name : "",
			s.status.peers.map((/** @type {any} */ p) => [p.name, p.name + ", " + p.state]), (v) => actions.set({ peer: v })) : null);
	if (!s.classes)
		return h("section.panel.grid", { key: "grid", "aria-labelledby": "grid-h" }, head, missing(s.asked.classes || "not asked yet"));
	/** @type {any} */
	let shown = null;
	const rows = s.classes.map((/** @type {any} */ c, /** @type {number} */ r) => {
		const by = new Map(c.peers.flatMap((/** @type {any} */ p) => p.paths).map((/** @type {any} */ st) => [st.path, st]));
		return h("tr", { key: c.name }, h("th", { scope: "row", title: limitsText(c).join(", ") || "no limits" }, h("b", null, c.name), h("small", null, limitsText(c).map((l) => l.replace(/^\w+ /, "")).join(" ") || "no limits")),
			paths.map((/** @type {any} */ p, /** @type {number} */ col) => {
				const st = by.get(p.name);
				const id = c.name + " " + p.name;
				if (st && (s.cell === id || (!shown && st.member)))
					shown = { c, p, st, id };
				return cellView(s, actions, st, id, r, col);
			}), kernelCell(c, peers));
	});
	return h("section.panel.grid", { key: "grid", "aria-labelledby": "grid-h" }, head,
		h("div.scroll-x", null, h("table", { role: "grid", "aria-labelledby": "grid-h", on: { keydown: onGridKey } },
			h("thead", null, h("tr", null, h("th", { scope: "col" }, "class"),
				paths.map((/** @type {any} */ p) => h("th", { scope: "col", key: p.name }, h("a", { href: chartHref(p.name), "aria-label": "chart of " + p.name }, h("small", null, p.peer), shortPath(p.name, p.peer)))),
				h("th", { scope: "col" }, "kernel"))),
			h("tbody", null, rows))),
		shown ? h("p.reason", { id: "grid-reason" }, h("b", null, shown.c.name + " on " + shown.p.name), " " + verdictWord(shown.st.verdict).word + ": " + shown.st.reason) : null);
}

/** @param {any} s @param {any} actions @param {any} st @param {string} id @param {number} r @param {number} c */
function cellView(s, actions, st, id, r, c) {
	const first = s.cell ? s.cell === id : r === 0 && c === 0;
	const pick = () => actions.set({ cell: id });
	const attrs = { key: id, role: "gridcell", tabindex: first ? 0 : -1, "data-r": r, "data-c": c, "data-cell": id, on: { focus: pick, click: pick } };
	if (!st)
		return h("td.cell.none", attrs, "–");
	const w = verdictWord(st.verdict);
	const over = st.member && st.broken && st.broken.metric;
	const level = over ? "warn" : w.level;
	return h("td.cell", { ...attrs, class: "vd-" + st.verdict + (st.member ? " member" : "") + (s.cell === id ? " picked" : ""), title: w.word + ": " + st.reason + (over ? "; " + brokenText(st.broken) : "") },
		stateView(level, w.word, !isFresh(s)), over ? h("span.sr", null, "over its limit, ") : null, h("small", null, shortReason(st)));
}

/** @param {any} s */
function pathsView(s) {
	const old = !isFresh(s);
	const all = s.status.paths;
	const t = now();
	return h("section.panel.paths", { key: "paths", "aria-labelledby": "paths-h" },
		h("div.head", null, h("h2", { id: "paths-h" }, "Paths"), h("span.hint", null, all.length ? "figures " + windowText(all.find((/** @type {any} */ p) => isNumber(p.delay_ms)) || all[0]) : "")),
		h("div.scroll", { tabindex: 0, role: "group", "aria-labelledby": "paths-h" }, h("table", null,
			h("thead", null, h("tr", null, ["path", "state", "delay", "p95", "jitter", "loss", "lost", "carries"].map((n, i) => h("th", { scope: "col", class: i > 1 && i < 7 ? "num" : null }, n)))),
			h("tbody", null, all.slice(0, ROWS_MAX).map((/** @type {any} */ p) => {
				const w = pathWord(p.state);
				const dead = p.state === "off" || p.state === "down" || p.measured === false || !isNumber(p.delay_ms);
				return h("tr", { key: p.name, "data-path": p.name }, h("th", { scope: "row" }, h("a", { href: chartHref(p.name) }, p.name)),
					h("td", { title: p.since ? "since " + when(p.since, t) : null }, stateView(w.level, w.word, old)),
					[ms(p.delay_ms), ms(p.delay_p95_ms), ms(p.jitter_ms), pct(p.loss_pct)].map((v, i) => h("td.num", { class: dead ? "grey" : null, title: i === 0 && isNumber(p.mos) ? "MOS " + p.mos.toFixed(1) + " of 4.4" : null }, dead ? "–" : v)),
					h("td.num", { title: lostTitle(p), class: dead ? "grey" : null }, isNumber(p.window_sent) ? nOf(p.window_lost, p.window_sent) : nOf(p.lost, p.sent)),
					h("td.carries", { title: p.classes.join(", ") || null }, p.classes.length ? p.classes.join(", ") : h("span.grey", null, "nothing")));
			}))),
		all.length > ROWS_MAX ? h("p.hint", null, ROWS_MAX + " of " + count(all.length) + " shown; edgectl paths has them all") : null));
}

/** @param {any} p */
function lostTitle(p) {
	const text = "since the tunnel came up " + nOf(p.lost, p.sent) + " lost";
	return isNumber(p.lost_out) ? text + "; of those " + count(p.lost_out) + " on the way out, " + count(p.lost_back) + " on the way back" : text;
}
