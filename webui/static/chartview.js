// SPDX-License-Identifier: GPL-2.0-or-later
// @ts-check
/** What stands around the plots: which path, which time, in words, as a table. */
import { ALL, SPANS } from "./chart.js";
import { h } from "./dom.js";
import { ms, nOf, pct, when } from "./format.js";
import { choice, missing } from "./parts.js";
import { now } from "./state.js";

/** @param {any} s @param {any} actions @param {import("./chart.js").Chart} chart */
export function chartView(s, actions, chart) {
	const names = s.status.paths.map((/** @type {any} */ p) => p.name);
	const known = chart.path === ALL || names.includes(chart.path);
	const options = [...names.map((/** @type {string} */ n) => [n, n]), [ALL, "all paths"]];
	if (!known && chart.path)
		options.unshift([chart.path, chart.path]);
	const toggle = () => {
		chart.table = !chart.table;
		actions.draw();
		window.requestAnimationFrame(() => chart.paint());
	};
	const press = (/** @type {string} */ id, /** @type {string} */ text, /** @type {string} */ label, /** @type {() => void} */ click, /** @type {boolean} */ pressed = false) =>
		h("button.small", { type: "button", id, key: id, "aria-label": label, "aria-pressed": String(pressed), on: { click } }, text);
	return h("section.panel.chart", { key: "chart", "aria-labelledby": "chart-h" },
		h("div.head", null, h("h2.sr", { id: "chart-h" }, "Chart of " + chart.title()),
			choice("chart-path", "Path", chart.path || "", /** @type {any} */ (options), (v) => chart.show(v)),
			h("div.segments", { role: "group", "aria-label": "time shown" }, SPANS.map((sp) =>
				h("button", { type: "button", key: sp.key, id: "span-" + sp.key, "aria-pressed": String(chart.span === sp), on: { click: () => chart.setSpan(sp) } }, sp.text))),
			press("chart-back", "‹", "earlier", () => chart.move(-1)),
			press("chart-on", "›", "later", () => chart.move(1)),
			press("chart-live", chart.until === null ? "Live" : "Back to live", "live: the right edge is now", () => chart.live(), chart.until === null),
			press("chart-table", chart.table ? "Show as chart" : "Show as table", chart.table ? "show as chart" : "show as table", toggle, chart.table)),
		h("p.legend", { id: "chart-legend" }, chart.hover || (chart.until === null ? "" : chart.title() + ": ") + chart.summary() || (chart.busy ? "asking" : "")),
		chart.path === ALL ? h("p.series-names", null, chart.series().names.map((n, i) => h("span", { key: n, class: "series-" + (i % 6) }, h("i", { "aria-hidden": "true" }), n))) : null,
		chart.trouble ? missing("History is missing: " + chart.trouble + ". Asked again each 10 s.") : null,
		chart.table ? tableView(chart) : h("div", { id: "chart", key: "plots", keep: true, role: "group", "aria-labelledby": "chart-h", "aria-describedby": "chart-legend" }));
}

/** @param {import("./chart.js").Chart} chart */
function tableView(chart) {
	const t = now();
	const names = [...chart.data.keys()];
	return h("div.scroll.table", { key: "table", tabindex: 0, role: "group", "aria-labelledby": "chart-h" }, names.map((name) => h("table", { key: name },
		h("caption", null, name + ", newest first; p50 and jitter are medians, p95 the highest of the row"),
		h("thead", null, h("tr", null, ["from", "p50", "p95", "jitter", "loss", "lost"].map((n, i) => h("th", { scope: "col", class: i ? "num" : null }, n)))),
		h("tbody", null, chart.tableRows(name).map((r) => h("tr", { key: r.t }, h("th", { scope: "row" }, when(r.t, t)),
			r.sent ? [ms(r.p50), ms(r.p95), ms(r.jitter), pct(100 * r.lost / r.sent), nOf(r.lost, r.sent)].map((v) => h("td.num", null, v))
				: h("td.grey", { colspan: 5 }, "nothing measured")))))),
	chart.moves().length ? h("table", { key: "moves" }, h("caption", null, "moves of classes"),
		h("tbody", null, chart.moves().slice(-100).reverse().map((m) => h("tr", { key: m.class + m.time }, h("th", { scope: "row" }, when(m.time, t)), h("td", null, m.reason))))) : null);
}
