// SPDX-License-Identifier: GPL-2.0-or-later
// @ts-check
/** What the page asks the server, and how a "no" looks. */

export class ApiError extends Error {
	/** @param {number} status 0: no answer at all @param {string} code @param {string} message */
	constructor(status, code, message) {
		super(message);
		this.status = status;
		this.code = code;
	}
}

const LIMIT_MS = 20000;
/** @param {Response} answer */
async function failure(answer) {
	let code = "http";
	let message = "the server answers " + answer.status;
	try {
		const body = await answer.json();
		if (body && body.error) {
			code = String(body.error.code || code);
			message = String(body.error.message || message);
		}
	} catch {
		// no JSON: the status has to do
	}
	const wait = answer.headers.get("Retry-After");
	if (answer.status === 429 && wait)
		message += " (again in " + wait + " s)";
	return new ApiError(answer.status, code, message);
}

/** @param {string} path @param {RequestInit} init */
async function ask(path, init) {
	/** @type {Response} */
	let answer;
	try {
		answer = await fetch("/api/v1/" + path, {
			...init, credentials: "same-origin", cache: "no-store",
			redirect: "error", signal: AbortSignal.timeout(LIMIT_MS),
		});
	} catch {
		throw new ApiError(0, "no_answer", "the web server does not answer");
	}
	if (!answer.ok)
		throw await failure(answer);
	if (answer.status === 204)
		return null;
	try {
		return await answer.json();
	} catch {
		throw new ApiError(0, "cut_off", "the answer was cut off");
	}
}

/** @param {string} path @param {Object<string, any>} [params] */
export function get(path, params = {}) {
	const query = new URLSearchParams();
	for (const [k, v] of Object.entries(params))
		if (v !== null && v !== undefined)
			query.set(k, String(v));
	const text = query.toString();
	return ask(text ? path + "?" + text : path, { method: "GET" });
}

/** @param {string} path @param {any} body */
export function post(path, body) {
	return ask(path, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) });
}
