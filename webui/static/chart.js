// SPDX-License-Identifier: GPL-2.0-or-later
// @ts-check
/**
 * chart - delay, jitter and loss of a path (or of all) over time
 *
 * Three plots of dygraphs over one time axis. The limits of the classes are
 * dashed lines; each move of a class is a mark, a link in the document over a
 * line in the plots, so that keyboard and screen reader have it too. What was
 * not measured is hatched. The canvas says nothing to a screen reader: the
 * summary stands as text beside it and the same numbers as a table behind a
 * button.
 *
 * The right edge is now ("live") or stands still (a second was asked for, the
 * user zoomed or went back).
 */
import * as api from "./api.js";
import { h, patch } from "./dom.js";
import { clock, isNumber, ms, nOf, pct, plural, span as spanText, when } from "./format.js";
import { historyRows } from "./history.js";
import { chartHref, eventPaths, pathsOf } from "./words.js";

/** @typedef {import("./history.js").Row} Row */
/** @typedef {{time: number, class: string, from: any, to: any, reason: string}} Move */
/** @typedef {{rows: Row[], moves: Move[], limits: any, step: number}} Data */

export const ALL = "*";
export const SPANS = [
	{ key: "15m", s: 900, text: "15 min", every: 2 },
	{ key: "1h", s: 3600, text: "1 h", every: 10 },
	{ key: "24h", s: 86400, text: "24 h", every: 60 },
	{ key: "7d", s: 7 * 86400, text: "7 d", every: 300 },
	{ key: "30d", s: 30 * 86400, text: "30 d", every: 300 },
];
const POINTS = 1000;
const TABLE_ROWS = 120;
const MOVES_MAX = 500;
const PATHS_MAX = 12; // drawn over one another; more tell nothing
const MARK_GAP_PX = 16; // nearer ones become one mark
const AGAIN_S = 10;
const LATE_S = 10; // a second is told this much later at most
const LIMIT_SEEN = 4; // a limit within this many times the data widens the axis

/** @param {string} name */
const css = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

/** @param {number[]} list */
function middle(list) {
	const v = list.slice().sort((a, b) => a - b);
	return v.length ? v[Math.floor(v.length / 2)] : null;
}

export class Chart {
	/** @param {() => void} draw @param {() => any} state */
	constructor(draw, state) {
		this.draw = draw;
		this.state = state;
		/** @type {string | null} */
		this.path = null;
		this.span = SPANS[0];
		/** @type {number | null} */
		this.until = null; // null: live
		/** @type {number | null} */
		this.at = null; // the second that was asked for
		this.table = false;
		this.trouble = "";
		/** @type {Map<string, Data>} */
		this.data = new Map();
		/** @type {Move[]} */
		this.fresh = []; // moves that were told since
		this.due = 0;
		this.whole = true; // what was asked for had all its seconds already
		this.run = 0; // answers of an older question are dropped
		this.busy = false;
		/** @type {any[]} */
		this.plots = [];
		/** @type {HTMLElement | null} */
		this.host = null;
		this.built = "";
		this.stale = false; // what is drawn is not what is known
		/** @type {string} */
		this.hover = "";
		/** @type {[number, number] | null} */
		this.zoom = null;
		new MutationObserver(() => this.rebuild()).observe(document.documentElement, { attributeFilter: ["data-theme"] });
		window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.rebuild());
		this.sizes = new ResizeObserver(() => this.resize());
	}

	// --- what is shown

	/** @param {string} path @param {number | null} [at] */
	show(path, at = null) {
		this.path = path;
		this.at = at;
		this.zoom = null;
		if (at === null) {
			this.until = null;
		} else {
			if (this.span.s > 3600)
				this.span = SPANS[0];
			this.until = Math.min(at + this.span.s / 2, Date.now() / 1000);
		}
		this.load(true);
	}

	/** @param {any} span */
	setSpan(span) {
		this.span = span;
		this.zoom = null;
		if (this.until !== null && this.at !== null)
			this.until = Math.min(this.at + span.s / 2, Date.now() / 1000);
		this.load(true);
	}

	/** @param {number} by half a span back (-1) or on (1) */
	move(by) {
		const now = Date.now() / 1000;
		const to = (this.until === null ? now : this.until) + by * this.span.s / 2;
		this.zoom = null;
		this.until = to >= now ? null : to;
		this.load(true);
	}

	live() {
		this.until = null;
		this.at = null;
		this.zoom = null;
		this.load(true);
	}

	/** A log-out forgets everything. */
	forget() {
		this.run++;
		this.data.clear();
		this.fresh = [];
		this.trouble = "";
		this.busy = false;
		this.tear();
	}

	/** After a log-in: what the address asks for. */
	follow() {
		this.due = 0;
	}

	/** After a gap in the stream. */
	again() {
		this.due = 0;
	}

	/** @returns {[number, number]} seconds */
	window() {
		if (this.zoom)
			return this.zoom;
		const end = this.until === null ? Date.now() / 1000 : this.until;
		return [end - this.span.s, end];
	}

	names() {
		const all = ((this.state().status || {}).paths || []).map((/** @type {any} */ p) => p.name);
		if (this.path === ALL)
			return all.slice(0, PATHS_MAX);
		return this.path ? [this.path] : [];
	}

	tick() {
		const status = this.state().status;
		if (this.path === null && status && status.paths.length) {
			this.path = this.busiest(status);
			this.due = 0;
		}
		if (this.path === null)
			return;
		if (Date.now() / 1000 >= this.due && (this.until === null || this.trouble || !this.data.size || !this.whole))
			this.load(false);
		else if (this.until === null && !this.zoom)
			this.slide();
	}

	/** The path that carries most classes. @param {any} status */
	busiest(status) {
		return status.paths.slice().sort((/** @type {any} */ a, /** @type {any} */ b) => b.classes.length - a.classes.length)[0].name;
	}

	// --- what is asked

	/** @param {boolean} anew something else is to be shown */
	async load(anew) {
		if (this.busy && !anew)
			return;
		if (!this.state().session)
			return;
		const run = ++this.run;
		const names = this.names();
		const began = performance.now();
		if (anew)
			performance.mark("chart-asked");
		this.busy = true;
		this.due = Date.now() / 1000 + this.span.every;
		this.whole = this.window()[1] <= Date.now() / 1000 - LATE_S;
		this.draw();
		try {
			const parts = await Promise.all(names.map((n) => this.ask(n, anew)));
			if (run !== this.run)
				return;
			names.forEach((n, i) => this.take(n, parts[i], anew));
			for (const known of [...this.data.keys()])
				if (!names.includes(known))
					this.data.delete(known);
			this.trouble = "";
		} catch (err) {
			if (run !== this.run)
				return;
			this.trouble = err instanceof Error ? err.message : String(err);
			this.due = Date.now() / 1000 + AGAIN_S;
			if (anew)
				this.data.clear();
		} finally {
			if (run === this.run)
				this.busy = false;
		}
		this.paint();
		this.draw();
		if (anew)
			window.requestAnimationFrame(() => performance.measure("chart", { start: began, end: performance.now() }));
	}

	/** @param {string} name @param {boolean} anew */
	async ask(name, anew) {
		const [since, until] = this.zoom && anew ? this.zoom : this.window();
		const old = this.data.get(name);
		const params = { path: name, since: Math.floor(since), until: Math.ceil(until), points: POINTS };
		// seconds are not thinned: the last few are enough
		if (!anew && old && old.rows.length && old.step === 1 && this.span.s <= POINTS)
			params.since = Math.max(params.since, Math.floor(old.rows[old.rows.length - 1].t) - 5);
		return api.get("history", params);
	}

	/** @param {string} name @param {any} answer @param {boolean} anew */
	take(name, answer, anew) {
		const [since] = this.window();
		const rows = historyRows(answer);
		const old = this.data.get(name);
		let moves = (answer.moves || []).map((/** @type {any} */ m) => ({ time: m.time, class: String(m.class), from: m.from, to: m.to, reason: String(m.reason || "") }));
		if (!anew && old && old.step === 1 && this.span.s <= POINTS) {
			const first = rows.length ? rows[0].t : Infinity;
			rows.unshift(...old.rows.filter((r) => r.t < first && r.t >= since - 5));
			const known = new Set(moves.map(moveKey));
			moves = old.moves.filter((m) => m.time >= since && !known.has(moveKey(m))).concat(moves);
		}
		this.data.set(name, { rows, moves: moves.slice(-MOVES_MAX), limits: answer.limits || {}, step: answer.step_s || 1 });
		const told = new Set(moves.map(moveKey));
		this.fresh = this.fresh.filter((m) => !told.has(moveKey(m)));
	}

	/** A class moved just now: the mark does not wait for the next answer. @param {any} e */
	onEvent(e) {
		if (e.kind === "steer") {
			this.fresh.push({ time: e.time, class: String((e.numbers || {}).class || ""), from: e.from, to: e.to, reason: String(e.reason || "") });
			this.fresh = this.fresh.slice(-MOVES_MAX);
		}
		if (eventPaths(e).some((p) => this.names().includes(p)) && this.until === null)
			this.due = 0;
		this.stale = true; // many may come at once: drawn with the next frame
	}

	/** The moves to be seen, oldest first. @returns {Move[]} */
	moves() {
		const names = this.names();
		const [a, b] = this.window();
		const seen = new Set();
		const out = [];
		const touches = (/** @type {Move} */ m) => [...pathsOf(m.from), ...pathsOf(m.to)].some((p) => names.includes(p));
		for (const m of [...[...this.data.values()].flatMap((d) => d.moves), ...this.fresh.filter(touches)]) {
			if (m.time < a || m.time > b + 2 || seen.has(moveKey(m)))
				continue;
			seen.add(moveKey(m));
			out.push(m);
		}
		return out.sort((x, y) => x.time - y.time);
	}

	// --- what is drawn

	/** The element that the view gave us; null when there is none. @param {HTMLElement | null} host */
	place(host) {
		if (host === this.host) {
			if (this.stale)
				this.paint();
			return;
		}
		this.tear();
		this.sizes.disconnect();
		this.host = host;
		if (!host)
			return;
		this.sizes.observe(host);
		this.paint();
	}

	tear() {
		for (const p of this.plots)
			p.g.destroy();
		this.plots = [];
		this.built = "";
		if (this.host)
			this.host.replaceChildren();
	}

	rebuild() {
		this.built = "";
		this.paint();
	}

	resize() {
		for (const p of this.plots)
			p.g.resize();
		this.marks();
	}

	paint() {
		this.stale = false;
		const Dygraph = /** @type {any} */ (window).Dygraph;
		if (!this.host || !Dygraph || this.table || !this.data.size)
			return;
		const series = this.series();
		const shape = series.names.join("\n") + " " + series.single;
		if (shape !== this.built) {
			this.tear();
			this.build(Dygraph, series);
			this.built = shape;
		} else {
			const range = this.dateWindow();
			for (const p of this.plots)
				p.g.updateOptions({ file: p.rows(series), dateWindow: range, valueRange: p.range(series) });
		}
		this.marks();
	}

	/** Time goes on between two answers. */
	slide() {
		const range = this.dateWindow();
		for (const p of this.plots)
			p.g.updateOptions({ dateWindow: range });
		this.marks();
	}

	dateWindow() {
		const [a, b] = this.window();
		return [a * 1000, b * 1000];
	}

	/** All rows on one time axis, with holes where nothing was measured. */
	series() {
		const names = this.names().filter((/** @type {string} */ n) => this.data.has(n));
		const single = names.length === 1 && this.path !== ALL;
		/** @type {Map<number, (Row | null)[]>} */
		const by = new Map();
		names.forEach((n, i) => {
			const d = /** @type {Data} */ (this.data.get(n));
			let last = null;
			for (const r of d.rows) {
				if (last !== null && r.t - last > 2.5 * d.step)
					put(by, last + d.step, i, names.length, null);
				put(by, r.t, i, names.length, r);
				last = r.t;
			}
		});
		if (!by.size) // dygraphs wants a row
			by.set(this.window()[0], Array(names.length).fill(null));
		const times = [...by.keys()].sort((a, b) => a - b);
		return { names, single, times, by };
	}

	/** @param {any} Dygraph @param {any} series */
	build(Dygraph, series) {
		const host = /** @type {HTMLElement} */ (this.host);
		Dygraph.PLUGINS = Dygraph.PLUGINS.filter((/** @type {any} */ p) => !["Legend Plugin", "RangeSelector Plugin"].includes(pluginName(p)));
		patch(host, [h("div.plots", { "aria-hidden": "true" },
			["delay", "jitter", "loss"].map((k) => h("div.plot-row", null, h("span.plot-name", null, k, h("i", null, k === "loss" ? "%" : "ms")), h("div.plot." + k, { keep: true })))),
		h("div.marks", { "aria-label": "moves of classes" })]);
		const divs = host.querySelectorAll(".plot");
		const kinds = [delayPlot(this), jitterPlot(this), lossPlot(this)];
		this.plots = kinds.map((kind, i) => {
			const g = new Dygraph(divs[i], kind.rows(series), { ...this.options(series, i === kinds.length - 1, kind.limits), ...kind.options(series), valueRange: kind.range(series) });
			return { g, rows: kind.rows, range: kind.range };
		});
	}

	/** @param {any} series @param {boolean} last the one with the time axis @param {string} key of its limits */
	options(series, last, key) {
		const grid = css("--line");
		const coarse = window.matchMedia("(pointer: coarse)").matches;
		return {
			labels: ["time", ...series.names],
			colors: series.single ? [css("--series-0")] : series.names.map((/** @type {string} */ _, /** @type {number} */ i) => css("--series-" + (i % 6))),
			dateWindow: this.dateWindow(), strokeWidth: 1.4, fillAlpha: 0.2, connectSeparatedPoints: false,
			gridLineColor: grid, gridLineWidth: 1, axisLineColor: grid, axisLabelFontSize: 11, rightGap: 8,
			highlightCircleSize: 3, animatedZooms: false,
			axes: {
				x: { axisLabelWidth: 64, axisLabelFormatter: last ? timeLabel : () => "" },
				y: { axisLabelWidth: 40, pixelsPerLabel: 24, axisLabelFormatter: (/** @type {number} */ v) => String(Math.round(v * 1000) / 1000) },
			},
			xAxisHeight: last ? 20 : 4,
			interactionModel: coarse ? {} : dragModel(),
			zoomCallback: (/** @type {number} */ a, /** @type {number} */ b) => this.zoomed(a, b),
			highlightCallback: (/** @type {any} */ _e, /** @type {number} */ x) => this.hovered(x),
			unhighlightCallback: () => this.hovered(null),
			underlayCallback: (/** @type {any} */ c, /** @type {any} */ area, /** @type {any} */ g) => this.underlay(c, area, g, key),
		};
	}

	/** @param {number} a @param {number} b milliseconds */
	zoomed(a, b) {
		const [from, to] = this.dateWindow();
		if (b - a < 5000 || (Math.abs(a - from) < 1 && Math.abs(b - to) < 1))
			return;
		this.zoom = [a / 1000, b / 1000];
		this.until = b / 1000;
		this.load(true);
	}

	/** @param {number | null} x */
	hovered(x) {
		for (const p of this.plots) {
			if (x === null) {
				p.g.clearSelection();
				continue;
			}
			const row = p.g.getRowForX(x);
			if (row !== null)
				p.g.setSelection(row, undefined, false, false);
		}
		this.hover = x === null ? "" : this.told(x / 1000);
		this.draw();
	}

	/** One point as text. @param {number} t */
	told(t) {
		const parts = [];
		for (const [name, d] of this.data) {
			const r = d.rows.find((q) => q.t === t);
			if (r)
				parts.push((this.data.size > 1 ? name + " " : "") + (r.sent ? "p50 " + ms(r.p50) + (this.data.size > 1 ? "" : ", p95 " + ms(r.p95) + ", jitter " + ms(r.jitter)) + ", lost " + nOf(r.lost, r.sent) : "nothing measured"));
		}
		return when(t, Date.now() / 1000) + "  " + parts.join("; ");
	}

	/**
	 * Under the lines: holes, limits, moves, the second that was asked for.
	 * @param {CanvasRenderingContext2D} c @param {any} area @param {any} g @param {string} key
	 */
	underlay(c, area, g, key) {
		c.save();
		c.beginPath();
		c.rect(area.x, area.y, area.w, area.h);
		c.clip();
		if (this.data.size === 1)
			this.holes(c, area, g);
		this.limitLines(c, area, g, key);
		c.setLineDash([]);
		for (const m of this.moves())
			line(c, g.toDomXCoord(m.time * 1000), area, css("--mark"), 1);
		if (this.at !== null)
			line(c, g.toDomXCoord(this.at * 1000), area, css("--focus"), 2);
		c.restore();
	}

	/** @param {CanvasRenderingContext2D} c @param {any} area @param {any} g */
	holes(c, area, g) {
		const [d] = this.data.values();
		const [from, to] = this.window();
		let edge = from;
		c.fillStyle = css("--hole");
		const hole = (/** @type {number} */ a, /** @type {number} */ b) => {
			if (b - a > 2.5 * d.step + 2)
				c.fillRect(g.toDomXCoord(a * 1000), area.y, g.toDomXCoord(b * 1000) - g.toDomXCoord(a * 1000), area.h);
		};
		for (const r of d.rows) {
			if (r.t < from || !r.sent)
				continue;
			hole(edge, r.t);
			edge = r.t + d.step;
		}
		hole(edge, Math.min(to, this.until === null ? to - 65 : to));
	}

	/** @param {CanvasRenderingContext2D} c @param {any} area @param {any} g @param {string} key */
	limitLines(c, area, g, key) {
		c.font = "11px " + css("--font");
		c.strokeStyle = css("--limit");
		c.fillStyle = css("--limit-text");
		c.setLineDash([6, 4]);
		c.textAlign = "right";
		let above = 0;
		let lastY = Infinity;
		let shift = 0;
		const top = g.yAxisRange()[1];
		for (const [value, names] of this.limits(key)) {
			const off = value > top;
			const y = off ? area.y + 1 : g.toDomYCoord(value);
			c.beginPath();
			c.moveTo(area.x, Math.round(y) + 0.5);
			c.lineTo(area.x + area.w, Math.round(y) + 0.5);
			if (!off || !above)
				c.stroke();
			const text = names.join(", ") + " ≤ " + (key === "max_loss_pct" ? pct(value) : ms(value)) + (off ? " ↑" : "");
			shift = off ? above : Math.abs(lastY - y) < 13 ? shift : 0;
			c.fillText(text, area.x + area.w - 6 - shift, off ? area.y + 13 : y < area.y + 16 ? y + 12 : y - 4);
			shift += c.measureText(text).width + 16;
			lastY = y;
			if (off)
				above = shift;
		}
	}

	/** Limits with the classes that have them, least first. @param {string} key max_delay_ms, ... @returns {[number, string[]][]} */
	limits(key) {
		/** @type {Map<number, string[]>} */
		const by = new Map();
		const [d] = this.data.values();
		for (const [name, l] of Object.entries((d && d.limits) || {}))
			if (isNumber(l && l[key]))
				by.set(l[key], (by.get(l[key]) || []).concat(name));
		return [...by].sort((a, b) => a[0] - b[0]);
	}

	/** The upper end of an axis: the data, and a limit that is not far above it. @param {number} most @param {string} key @param {number} least */
	top(most, key, least) {
		let top = Math.max(most * 1.12, least);
		let above = false;
		for (const [value] of this.limits(key))
			if (value <= most * LIMIT_SEEN)
				top = Math.max(top, value * 1.15);
			else
				above = true;
		return above ? top * 1.3 : top; // room for the word about it
	}

	/** Is it the second that was asked for? Its mark stands there, however near others are. @param {Move} m */
	isAsked(m) {
		return this.at !== null && Math.abs(m.time - this.at) < 0.002;
	}

	/** The marks as links over the plots. */
	marks() {
		const host = this.host && this.host.querySelector(".marks");
		const first = this.plots[0];
		if (!host || !first)
			return;
		const area = first.g.getArea();
		const left = first.g.graphDiv.offsetLeft;
		/** @type {{x: number, moves: Move[]}[]} */
		const groups = [];
		for (const m of this.moves()) {
			const x = left + first.g.toDomXCoord(m.time * 1000);
			const last = groups[groups.length - 1];
			if (last && x - last.x < MARK_GAP_PX && !this.isAsked(m))
				last.moves.push(m);
			else
				groups.push({ x, moves: [m] });
		}
		const now = Date.now() / 1000;
		patch(host, groups.map((group) => {
			const m = group.moves[0];
			const text = group.moves.map((q) => when(q.time, now) + " " + moveText(q)).join("\n");
			return h("a.mark", { key: moveKey(m), href: chartHref(String(this.path), m.time), title: text, "aria-label": text,
				"data-time": m.time, "data-times": group.moves.map((q) => q.time).join(" "), class: group.moves.some((q) => this.isAsked(q)) ? "asked" : null },
			group.moves.length > 1 ? String(group.moves.length) : (m.class[0] || "?"));
		}));
		[...host.children].forEach((el, i) => { /** @type {HTMLElement} */ (el).style.left = Math.max(left + area.x, Math.min(groups[i].x, left + area.x + area.w)) + "px"; });
	}

	// --- what is said

	/** The whole window as one line. */
	summary() {
		const [a, b] = this.window();
		const rows = [...this.data.values()].flatMap((d) => d.rows.filter((r) => r.t >= a && r.t <= b && r.sent));
		if (!rows.length)
			return this.data.size ? "nothing was measured in this time" : "";
		const p50 = middle(rows.map((r) => r.p50).filter(isNumber));
		const p95 = Math.max(...rows.map((r) => (isNumber(r.p95) ? r.p95 : 0)));
		const jitter = middle(rows.map((r) => r.jitter).filter(isNumber));
		const sent = rows.reduce((n, r) => n + r.sent, 0);
		const lost = rows.reduce((n, r) => n + r.lost, 0);
		const n = this.moves().length;
		const [d] = this.data.values();
		return "p50 " + ms(p50) + ", highest p95 " + ms(p95) + ", jitter " + ms(jitter) + ", lost " + nOf(lost, sent) + " (" + pct(100 * lost / sent) + "), " +
			plural(n, "move") + "; a point is " + spanText(d.step);
	}

	title() {
		const name = this.path === ALL ? "all paths" : this.path || "no path";
		const [a, b] = this.window();
		const now = Date.now() / 1000;
		return name + ", " + (this.until === null && !this.zoom ? "last " + this.span.text : when(a, now) + " to " + when(b, now));
	}

	/** At most TABLE_ROWS rows of {t, p50, p95, jitter, lost, sent}, newest first, of one path. @param {string} name */
	tableRows(name) {
		const d = this.data.get(name);
		if (!d)
			return [];
		const [a, b] = this.window();
		const rows = d.rows.filter((r) => r.t >= a && r.t <= b);
		const size = Math.max(1, Math.ceil(rows.length / TABLE_ROWS));
		const out = [];
		for (let i = 0; i < rows.length; i += size) {
			const part = rows.slice(i, i + size);
			const p95 = part.map((r) => r.p95).filter(isNumber);
			out.push({
				t: part[0].t, p50: middle(part.map((r) => r.p50).filter(isNumber)), p95: p95.length ? Math.max(...p95) : null,
				jitter: middle(part.map((r) => r.jitter).filter(isNumber)),
				lost: part.reduce((n, r) => n + r.lost, 0), sent: part.reduce((n, r) => n + r.sent, 0),
			});
		}
		return out.reverse();
	}
}

/** @param {Map<number, any[]>} by @param {number} t @param {number} i @param {number} n @param {Row | null} r */
function put(by, t, i, n, r) {
	const row = by.get(t) || Array(n).fill(undefined);
	if (r || row[i] === undefined)
		row[i] = r;
	by.set(t, row);
}

const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/** "18:20", "18:20:05", "22 Nov", by the distance of the ticks. @param {any} at @param {number} granularity @param {any} _opts @param {any} g */
function timeLabel(at, granularity, _opts, g) {
	const d = new Date(at);
	const [a, b] = g.xAxisRange();
	if (b - a > 2 * 86400e3 || (d.getHours() === 0 && d.getMinutes() === 0 && b - a > 7200e3))
		return d.getDate() + " " + MONTHS[d.getMonth()];
	return clock(d.getTime() / 1000).slice(0, b - a < 300e3 ? 8 : 5);
}

/** @param {Move} m */
const moveKey = (m) => m.class + " " + m.time;

/** @param {Move} m */
export const moveText = (m) => m.reason || m.class + " moved" + (m.from ? " from " + m.from : "") + " to " + (m.to || "nowhere");

/** @param {any} p */
function pluginName(p) {
	try {
		return String(p.prototype.toString());
	} catch {
		return "";
	}
}

function dragModel() {
	const Dygraph = /** @type {any} */ (window).Dygraph;
	const model = { ...Dygraph.defaultInteractionModel };
	delete model.dblclick; // zooms to all there is; "live" goes back
	return model;
}

/** @param {CanvasRenderingContext2D} c @param {number} x @param {any} area @param {string} color @param {number} width */
function line(c, x, area, color, width) {
	c.beginPath();
	c.strokeStyle = color;
	c.lineWidth = width;
	c.moveTo(Math.round(x) + 0.5, area.y);
	c.lineTo(Math.round(x) + 0.5, area.y + area.h);
	c.stroke();
}

/** @param {any} series @param {(r: Row) => any} value @param {any} none */
function rowsOf(series, value, none) {
	return series.times.map((/** @type {number} */ t) => [new Date(t * 1000),
		...series.by.get(t).map((/** @type {Row | null | undefined} */ r) => (r ? value(r) : none))]);
}

/** @param {any} series @param {(r: Row) => number | null} value */
function most(series, value) {
	let top = 0;
	for (const row of series.by.values())
		for (const r of row)
			if (r)
				top = Math.max(top, value(r) || 0);
	return top;
}

/** @param {Chart} chart */
function delayPlot(chart) {
	return {
		limits: "max_delay_ms",
		rows: (/** @type {any} */ s) => (s.single
			? rowsOf(s, (r) => [r.p50, r.p50, r.p95 ?? r.p50], [null, null, null]) : rowsOf(s, (r) => r.p50, null)),
		range: (/** @type {any} */ s) => [0, chart.top(most(s, (r) => (s.single ? r.p95 ?? r.p50 : r.p50)), "max_delay_ms", 5)],
		options: (/** @type {any} */ s) => ({ customBars: s.single }),
	};
}

/** @param {Chart} chart */
function jitterPlot(chart) {
	return {
		limits: "max_jitter_ms",
		rows: (/** @type {any} */ s) => rowsOf(s, (r) => r.jitter, null),
		range: (/** @type {any} */ s) => [0, chart.top(most(s, (r) => r.jitter), "max_jitter_ms", 2)],
		options: () => ({}),
	};
}

/** @param {Chart} chart */
function lossPlot(chart) {
	const loss = (/** @type {Row} */ r) => (r.sent ? 100 * r.lost / r.sent : null);
	return {
		limits: "max_loss_pct",
		rows: (/** @type {any} */ s) => rowsOf(s, loss, null),
		range: (/** @type {any} */ s) => [0, Math.min(105, chart.top(most(s, loss), "max_loss_pct", 2))],
		options: (/** @type {any} */ s) => (s.single ? { plotter: bars, colors: [css("--loss")] } : {}),
	};
}

/** Loss as bars: what was lost in that time, not a way between two points. @param {any} e */
function bars(e) {
	const c = e.drawingContext;
	const bottom = e.dygraph.toDomYCoord(0);
	const area = e.plotArea;
	let width = 2;
	if (e.points.length > 1)
		width = Math.max(1.2, Math.min(10, area.w / e.points.length * 0.8));
	c.fillStyle = css("--loss");
	for (const p of e.points)
		if (p.yval > 0)
			c.fillRect(p.canvasx - width / 2, p.canvasy, width, bottom - p.canvasy);
}

