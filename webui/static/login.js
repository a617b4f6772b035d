// SPDX-License-Identifier: GPL-2.0-or-later
// @ts-check
import { h } from "./dom.js";

/** @param {any} s @param {any} actions */
export function loginView(s, actions) {
	const submit = (/** @type {SubmitEvent} */ e) => {
		e.preventDefault();
		const form = /** @type {HTMLFormElement} */ (e.currentTarget);
		const user = /** @type {HTMLInputElement} */ (form.elements.namedItem("user"));
		const password = /** @type {HTMLInputElement} */ (form.elements.namedItem("password"));
		actions.login(user.value, password.value);
		password.value = "";
		password.focus();
	};
	return h("form.panel.login", { key: "login", on: { submit } },
		h("h1", null, "edged"),
		h("p.hint", null, "Log in to see how this router's uplinks, tunnels and classes are."),
		h("label", { for: "user" }, "User"),
		h("input", { id: "user", name: "user", autocomplete: "username", autocapitalize: "none", spellcheck: "false", required: true, maxlength: 64 }),
		h("label", { for: "password" }, "Password"),
		h("input", { id: "password", name: "password", type: "password", autocomplete: "current-password", required: true, maxlength: 512 }),
		h("p.wrong", { role: "alert" }, s.ended),
		h("button.primary", { type: "submit" }, "Log in"),
		h("p.hint", null, "No password yet? On the router, as root: ", h("code", null, "edgectl web password NAME")));
}
