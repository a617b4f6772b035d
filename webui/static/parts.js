// SPDX-License-Identifier: GPL-2.0-or-later
// @ts-check
/** Small pieces that several views draw. */
import { h } from "./dom.js";

/** A state: shape and colour for the eye, the word for everybody. @param {string} level @param {string} word @param {boolean} [old] nobody knows whether it still holds */
export function stateView(level, word, old) {
	return h("span.state", { class: "lv-" + (old ? "off" : level) }, h("span.shape", { "aria-hidden": "true" }), (old ? "was " : "") + word);
}

/** A number with its name. @param {string} name @param {any} value @param {string} [title] */
export function figure(name, value, title) {
	return h("div.figure", { title }, h("dt", null, name), h("dd", null, value));
}

/** What stands in the place of something that could not be asked. @param {string} text */
export const missing = (text) => h("p.missing", { role: "note" }, text);

/** A select with a label. @param {string} id @param {string} label @param {string} value @param {[string, string][]} options @param {(v: string) => void} change */
export function choice(id, label, value, options, change) {
	return h("span.choice", { key: id }, h("label", { for: id }, label),
		h("select", { id, prop: { value }, on: { change: (/** @type {any} */ e) => change(e.target.value) } },
			options.map(([v, text]) => h("option", { key: v, value: v, selected: v === value }, text))));
}
