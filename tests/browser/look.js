// SPDX-License-Identifier: GPL-2.0-or-later
// Run in the page by the tests: what a person with weak eyes or a screen reader
// would miss. Returns sentences; none is good.
const complaints = [];

/** @param {string} text */
function rgba(text) {
	const m = text.match(/rgba?\(([^)]+)\)/);
	if (!m)
		return [0, 0, 0, 0];
	const v = m[1].split(/[,/ ]+/).filter(Boolean).map(Number);
	return [v[0], v[1], v[2], v.length > 3 ? v[3] : 1];
}

/** top over bottom, which is opaque */
const over = (top, bottom) => [0, 1, 2].map((i) => top[i] * top[3] + bottom[i] * (1 - top[3])).concat(1);

/** What is behind the text of an element. */
function background(el) {
	const layers = [];
	for (let e = el; e; e = e.parentElement) {
		const c = rgba(getComputedStyle(e).backgroundColor);
		if (c[3] > 0)
			layers.push(c);
		if (c[3] === 1)
			break;
	}
	return layers.reverse().reduce((below, c) => over(c, below), [255, 255, 255, 1]);
}

function luminance(c) {
	const [r, g, b] = c.slice(0, 3).map((v) => v / 255).map((v) => (v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4));
	return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

function ratio(a, b) {
	const [hi, lo] = [luminance(a), luminance(b)].sort((x, y) => y - x);
	return (hi + 0.05) / (lo + 0.05);
}

function opacity(el) {
	let o = 1;
	for (let e = el; e; e = e.parentElement)
		o *= Number(getComputedStyle(e).opacity);
	return o;
}

const seen = (el) => el.checkVisibility({ checkOpacity: true, checkVisibilityCSS: true }) && el.getClientRects().length > 0;
const hidden = (el) => !!el.closest(".sr, .skip, :disabled, [inert]");
const where = (el) => el.tagName.toLowerCase() + (el.className && typeof el.className === "string" ? "." + el.className.replace(/ /g, ".") : "") + (el.id ? "#" + el.id : "");

let texts = 0;
const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
while (walker.nextNode()) {
	const el = walker.currentNode.parentElement;
	if (!walker.currentNode.nodeValue.trim() || !el || el.closest("svg, script, option") || !seen(el) || hidden(el))
		continue;
	texts++;
	const style = getComputedStyle(el);
	const back = background(el);
	const ink = rgba(style.color);
	ink[3] *= opacity(el);
	const size = parseFloat(style.fontSize);
	const large = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700);
	const r = ratio(over(ink, back), back);
	if (r < (large ? 3 : 4.5))
		complaints.push(`contrast ${r.toFixed(2)} of "${walker.currentNode.nodeValue.trim().slice(0, 40)}" in ${where(el)}`);
	if (size < 10)
		complaints.push(`${size} px letters in ${where(el)}`);
}
for (const el of document.querySelectorAll("input, select")) {
	if (!seen(el) || hidden(el))
		continue;
	const back = background(el);
	for (const part of [null, "::placeholder"]) {
		const style = getComputedStyle(el, part);
		const ink = rgba(style.color);
		ink[3] *= part ? Number(style.opacity) : 1;
		const r = ratio(over(ink, back), back);
		if (r < 4.5)
			complaints.push(`contrast ${r.toFixed(2)} in ${where(el)}${part || ""}`);
	}
}
if (texts < 5)
	complaints.push(`only ${texts} texts were seen`);

// the words on the canvas
const css = getComputedStyle(document.documentElement);
const probe = document.createElement("span");
document.body.append(probe);
const color = (name) => { probe.style.color = css.getPropertyValue(name); return rgba(getComputedStyle(probe).color); };
for (const name of ["--limit-text", "--soft"])
	if (ratio(color(name), color("--panel")) < 4.5)
		complaints.push(`contrast of ${name} on the plots`);
for (const name of ["--limit", "--mark", "--loss", "--series-0", "--series-1", "--series-2", "--series-3", "--series-4", "--series-5"])
	if (ratio(color(name), color("--panel")) < 3)
		complaints.push(`contrast of ${name} in the plots`);
probe.remove();

// names, roles, ids
const nameOf = (el) => {
	const by = (el.getAttribute("aria-labelledby") || "").split(" ").map((id) => document.getElementById(id)).filter(Boolean);
	const label = el.id && document.querySelector(`label[for="${CSS.escape(el.id)}"]`);
	return (el.getAttribute("aria-label") || by.map((e) => e.textContent).join(" ") || (label && label.textContent) || el.textContent || "").trim();
};
let controls = 0;
for (const el of document.querySelectorAll("a, button, input, select, [tabindex], [role=img], [role=grid]")) {
	if (!seen(el) || el.id === "main")
		continue;
	controls++;
	if (!nameOf(el))
		complaints.push(`no name: ${where(el)}`);
	if (el.tabIndex > 0)
		complaints.push(`an order of its own: ${where(el)}`);
	if (el.tabIndex < 0 && !el.closest("[role=grid]") && !/^(svg|DIV)$/i.test(el.tagName) && !el.disabled)
		complaints.push(`not reached by keyboard: ${where(el)}`);
	const box = el.getBoundingClientRect();
	if (/^(BUTTON|SELECT|INPUT)$/.test(el.tagName) && (box.width < 24 || box.height < 24))
		complaints.push(`too small to hit, ${Math.round(box.width)} x ${Math.round(box.height)}: ${where(el)}`);
}
for (const el of document.querySelectorAll("*"))
	if (window.clickable.has(el) && seen(el) && el.tabIndex < 0 && !el.closest("[role=grid]"))
		complaints.push(`listens to the mouse alone: ${where(el)}`);
if (!controls)
	complaints.push("no control was seen");
for (const el of document.querySelectorAll(".state"))
	if (!el.textContent.trim())
		complaints.push(`a state without a word: ${where(el)}`);
for (const el of document.querySelectorAll("input, select"))
	if (seen(el) && !(el.labels && el.labels.length) && !el.getAttribute("aria-label"))
		complaints.push(`no label: ${where(el)}`);
for (const el of document.querySelectorAll("table"))
	if (!el.querySelector("th[scope]"))
		complaints.push(`a table without headers: ${where(el)}`);
const ids = [...document.querySelectorAll("[id]")].map((e) => e.id);
for (const id of new Set(ids.filter((v, i) => ids.indexOf(v) !== i)))
	complaints.push(`id ${id} is there twice`);
for (const attr of ["aria-labelledby", "aria-describedby", "for"])
	for (const el of document.querySelectorAll(`[${attr}]`))
		for (const id of (el.getAttribute(attr) || "").split(" "))
			if (seen(el) && !document.getElementById(id))
				complaints.push(`${attr} of ${where(el)} names nothing: ${id}`);
if (!document.documentElement.lang)
	complaints.push("no language");
if (document.querySelectorAll("h1").length !== 1)
	complaints.push(document.querySelectorAll("h1").length + " first headings");
for (const el of document.querySelectorAll("*"))
	if (el.getAttribute("style") === null && [...el.attributes].some((a) => a.name.startsWith("on")))
		complaints.push(`a handler in the markup: ${where(el)}`);
// a phone's innerWidth grows with what is too wide: it zooms out
if (document.documentElement.scrollWidth > document.documentElement.clientWidth)
	complaints.push(`the page is ${document.documentElement.scrollWidth} px wide`);
return complaints;
