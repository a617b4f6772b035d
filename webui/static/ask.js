// SPDX-License-Identifier: GPL-2.0-or-later
// @ts-check
/** A question before something is done, and a word after it. */
import { byId, h, patch } from "./dom.js";

const SAID_MS = 8000;
let timer = 0;

/** @param {string} text */
export function say(text) {
	const el = byId("said");
	el.textContent = text;
	window.clearTimeout(timer);
	timer = window.setTimeout(() => { el.textContent = ""; }, SAID_MS);
}

/**
 * True when the user agrees. Escape and "Cancel", which has the focus, mean no.
 * @param {string} title @param {string} text @param {string} yes
 * @returns {Promise<boolean>}
 */
export function confirmed(title, text, yes) {
	const dialog = /** @type {HTMLDialogElement} */ (byId("ask"));
	return new Promise((resolve) => {
		const close = (/** @type {string} */ value) => () => dialog.close(value);
		dialog.returnValue = "";
		patch(dialog, [
			h("h2", { id: "ask-title" }, title),
			h("p", null, text),
			h("div.buttons", null,
				h("button", { type: "button", id: "ask-no", autofocus: true, on: { click: close("") } }, "Cancel"),
				h("button.danger", { type: "button", id: "ask-yes", on: { click: close("yes") } }, yes)),
		]);
		dialog.addEventListener("close", () => resolve(dialog.returnValue === "yes"), { once: true });
		dialog.showModal();
	});
}
