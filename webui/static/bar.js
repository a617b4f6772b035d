// SPDX-License-Identifier: GPL-2.0-or-later
// @ts-check
/** The bar on top: where we are, whether this is live, theme, user. */
import { h } from "./dom.js";
import { span } from "./format.js";
import { isFresh, now } from "./state.js";
import { verdict } from "./words.js";

const SHAPE = { good: "●", warn: "▲", bad: "■", off: "○" };
const NEXT = { auto: "dark", dark: "light", light: "auto" };

/** @param {any} s */
export function titleText(s) {
	if (!s.session || !s.status)
		return "edged";
	if (!isFresh(s))
		return "? " + s.status.name + " – edged";
	const v = verdict(s.status, s.classes);
	return SHAPE[v.level] + " " + v.word + " – " + s.status.name;
}

/** How old what is seen is. @param {any} s */
export function liveText(s) {
	const age = s.status ? now() - s.statusAt : null;
	const old = age === null ? "" : ", figures are " + span(age) + " old";
	if (!s.server.open)
		return { live: false, text: (s.server.ever ? "reconnecting" : "connecting") + old };
	if (!s.link.edged)
		return { live: false, text: "edged does not answer" + old };
	if (!isFresh(s))
		return { live: false, text: age === null ? "waiting for edged" : "nothing new" + old };
	return { live: true, text: "live" };
}

function theme() {
	return document.documentElement.dataset.theme || "auto";
}

/** @param {any} actions */
function switchTheme(actions) {
	const next = NEXT[/** @type {"auto"} */ (theme())] || "auto";
	if (next === "auto")
		delete document.documentElement.dataset.theme;
	else
		document.documentElement.dataset.theme = next;
	try {
		localStorage.setItem("edged.theme", next);
	} catch {
		// it holds until the window is closed
	}
	actions.draw();
}

/** @param {any} s @param {any} actions */
export function barView(s, actions) {
	const live = liveText(s);
	const link = (/** @type {string} */ view, /** @type {string} */ href, /** @type {string} */ text) =>
		h("a", { href, key: view, "aria-current": s.route.view === view ? "page" : null }, text);
	return [
		h("div.brand", { key: "brand" },
			h("svg", { viewBox: "0 0 32 32", "aria-hidden": "true" },
				h("rect", { width: 32, height: 32, rx: 7, class: "logo-back" }),
				h("path", { d: "M7 10h7l4 6h7M7 22h7l4-6", class: "logo-line" })),
			h("strong", null, s.status ? s.status.name : "edged")),
		s.session ? h("nav", { key: "nav", "aria-label": "pages" }, link("overview", "#/", "Overview"), link("tunnels", "#/tunnels", "Tunnels")) : null,
		h("div.bar-right", { key: "right" },
			s.session ? h("span.live", { class: live.live ? "is-live" : "is-not", id: "live", title: s.status ? "edged " + s.status.version + ", running for " + span(s.status.uptime_s) : null },
				h("span.dot", { "aria-hidden": "true" }), live.text) : null,
			h("button.quiet", { type: "button", id: "theme", on: { click: () => switchTheme(actions) }, "aria-label": "theme: " + theme() + ", press to change" }, "Theme: " + theme()),
			s.session ? h("span.who", null, (s.session.user || "local") + ", " + s.session.role) : null,
			s.session && s.session.user ? h("button.quiet", { type: "button", id: "logout", on: { click: actions.logout } }, "Log out") : null),
	];
}
