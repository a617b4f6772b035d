// SPDX-License-Identifier: GPL-2.0-or-later
// @ts-check
/**
 * dom - views are functions from state to a tree of plain objects; patch()
 * brings the document to that tree. Nodes that stay keep their focus, their
 * scroll and their selection, so a view may be drawn anew every second.
 *
 * Text is only ever text: there is no way from a string to markup here.
 *
 * @typedef {{tag: string, attrs: Object<string, any>, kids: Node_[]}} Tree
 * @typedef {Tree | string} Node_
 */

const SVG = "http://www.w3.org/2000/svg";

/**
 * A tree. Attributes: `key` keeps a node with its row, `on` holds listeners by
 * event, `prop` sets properties; false, null and undefined leave one out.
 * @param {string} tag "div", or "div.class.other"
 * @param {Object<string, any> | null} [attrs]
 * @param {...any} kids nested arrays are fine; null and false are left out
 * @returns {Tree}
 */
export function h(tag, attrs, ...kids) {
	const [name, ...classes] = tag.split(".");
	const all = { ...(attrs || {}) };
	if (classes.length)
		all.class = classes.concat(all.class || []).join(" ");
	return { tag: name, attrs: all, kids: flat(kids) };
}

/** @param {any[]} kids @returns {Node_[]} */
function flat(kids) {
	/** @type {Node_[]} */
	const out = [];
	for (const k of kids.flat(Infinity)) {
		if (k === null || k === undefined || k === false || k === true)
			continue;
		out.push(typeof k === "object" ? k : String(k));
	}
	return out;
}

/** @type {WeakMap<Element, Object<string, Function>>} */
const listeners = new WeakMap();
/** @type {WeakMap<Element, Tree>} */
const drawn = new WeakMap();

/** @param {Event} e */
function dispatch(e) {
	const el = /** @type {Element} */ (e.currentTarget);
	const on = listeners.get(el);
	if (on && on[e.type])
		on[e.type](e);
}

/** @param {Element} el @param {Object<string, Function>} on */
function listen(el, on) {
	const old = listeners.get(el) || {};
	for (const type of Object.keys(on))
		if (!old[type])
			el.addEventListener(type, dispatch);
	for (const type of Object.keys(old))
		if (!on[type])
			el.removeEventListener(type, dispatch);
	listeners.set(el, on);
}

/** @param {Element} el @param {Object<string, any>} props */
function setProps(el, props) {
	for (const [k, v] of Object.entries(props))
		if (/** @type {any} */ (el)[k] !== v)
			/** @type {any} */ (el)[k] = v;
}

/** @param {any} v */
const absent = (v) => v === false || v === null || v === undefined;

/** @param {Element} el @param {Tree} tree */
function setAttrs(el, tree) {
	const old = drawn.get(el);
	const next = tree.attrs;
	if (old)
		for (const k of Object.keys(old.attrs))
			if (absent(next[k]) && !absent(old.attrs[k]) && plain(k))
				el.removeAttribute(k);
	for (const [k, v] of Object.entries(next)) {
		if (!plain(k) || absent(v))
			continue;
		const text = v === true ? "" : String(v);
		if (el.getAttribute(k) !== text)
			el.setAttribute(k, text);
	}
	if (next.on || listeners.has(el))
		listen(el, next.on || {});
	if (next.prop)
		setProps(el, next.prop);
	drawn.set(el, tree);
}

/** @param {string} k */
const plain = (k) => k !== "key" && k !== "on" && k !== "prop" && k !== "keep";

/** @param {Tree} tree @param {string | null} ns */
function create(tree, ns) {
	const space = tree.tag === "svg" ? SVG : ns;
	const el = space ? document.createElementNS(space, tree.tag) : document.createElement(tree.tag);
	setAttrs(el, tree);
	patch(el, tree.kids, space);
	return el;
}

/** @param {ChildNode} node @param {Node_} want */
function fits(node, want) {
	if (typeof want === "string")
		return node.nodeType === Node.TEXT_NODE;
	if (node.nodeType !== Node.ELEMENT_NODE)
		return false;
	const old = drawn.get(/** @type {Element} */ (node));
	return !!old && old.tag === want.tag && old.attrs.key === want.attrs.key;
}

/** @param {ChildNode} node @param {Node_} want @param {string | null} ns */
function update(node, want, ns) {
	if (typeof want === "string") {
		if (node.nodeValue !== want)
			node.nodeValue = want;
		return;
	}
	const el = /** @type {Element} */ (node);
	setAttrs(el, want);
	if (!want.attrs.keep) // somebody else fills it (a chart)
		patch(el, want.kids, want.tag === "svg" ? SVG : ns);
}

/** @param {Element} parent */
function keyed(parent) {
	/** @type {Map<any, ChildNode>} */
	const map = new Map();
	for (const c of parent.childNodes) {
		const tree = c.nodeType === Node.ELEMENT_NODE && drawn.get(/** @type {Element} */ (c));
		if (tree && tree.attrs.key !== undefined)
			map.set(tree.attrs.key, c);
	}
	return map;
}

/**
 * Makes the children of parent what the list says.
 * @param {Element} parent @param {any} kids @param {string | null} [ns]
 */
export function patch(parent, kids, ns = null) {
	const want = flat(Array.isArray(kids) ? kids : [kids]);
	const byKey = want.some((w) => typeof w !== "string" && w.attrs.key !== undefined)
		? keyed(parent) : null;
	/** @type {ChildNode | null} */
	let at = parent.firstChild;
	for (const w of want) {
		const key = typeof w === "string" ? undefined : w.attrs.key;
		const moved = byKey && key !== undefined ? byKey.get(key) : undefined;
		if (moved && moved !== at && fits(moved, w)) {
			parent.insertBefore(moved, at);
			update(moved, w, ns);
		} else if (at && fits(at, w)) {
			update(at, w, ns);
			at = at.nextSibling;
		} else if (typeof w === "string") {
			parent.insertBefore(document.createTextNode(w), at);
		} else {
			parent.insertBefore(create(w, ns), at);
		}
	}
	while (at) {
		const next = at.nextSibling;
		at.remove();
		at = next;
	}
}

/** @param {string} id @returns {HTMLElement} */
export function byId(id) {
	const el = document.getElementById(id);
	if (!el)
		throw new Error("no element " + id);
	return el;
}
