// SPDX-License-Identifier: GPL-2.0-or-later
// @ts-check
/** IKE and ESP of each tunnel, and the question where a packet would go. */
import { h } from "./dom.js";
import { bytes, count, isNumber, plural, span, when } from "./format.js";
import { missing, stateView } from "./parts.js";
import { isFresh, now } from "./state.js";
import { chartHref, tunnelWord, verdictWord } from "./words.js";

const TUNNELS_MAX = 100;

/** @param {any} s @param {any} actions */
export function tunnelsView(s, actions) {
	const list = s.ike || [];
	const peers = [...new Set(list.slice(0, TUNNELS_MAX).map((/** @type {any} */ t) => t.peer))];
	const old = !isFresh(s) || now() - s.ikeAt > 30;
	return h("div.tunnels", { key: "tunnels" },
		h("h1.sr", null, "Tunnels"),
		s.asked.ike ? missing("Tunnels could not be asked: " + s.asked.ike + (s.ikeAt ? ". Shown is what was true at " + when(s.ikeAt, now()) + "." : ".")) : null,
		s.ike ? null : h("p.wait", null, "Asking for the tunnels."),
		peers.map((/** @type {string} */ name) => peerView(s, actions, name, list.filter((/** @type {any} */ t) => t.peer === name), old)),
		list.length > TUNNELS_MAX ? h("p.hint", null, TUNNELS_MAX + " of " + count(list.length) + " shown; edgectl ike has them all") : null,
		lookUpView(s, actions));
}

/** @param {any} s @param {any} actions @param {string} name @param {any[]} tunnels @param {boolean} old */
function peerView(s, actions, name, tunnels, old) {
	const up = tunnels.filter((t) => t.state === "up").length;
	return h("section.panel.peer", { key: name, "aria-label": "peer " + name },
		h("div.head", null, h("h2", null, name), h("span.hint", null, up + " of " + plural(tunnels.length, "tunnel") + " up"),
			s.session.role === "operator" ? h("button.small", { type: "button", disabled: !isFresh(s), on: { click: () => actions.restartPeer(name) }, "aria-label": "Restart peer " + name }, "Restart peer") : null),
		h("div.cards", null, tunnels.map((t) => tunnelView(t, old))));
}

/** @param {string} name @param {any} value */
const row = (name, value) => (value === null || value === undefined || value === "" ? null : [h("dt", null, name), h("dd", null, value)]);

/** @param {any} since @param {any} rekey */
function age(since, rekey) {
	if (!isNumber(since))
		return null;
	return span(now() - since) + (isNumber(rekey) ? ", new key in " + span(rekey) : "");
}

/** @param {any} t */
function faults(t) {
	const parts = [["replayed", t.rx_replay], ["forged", t.rx_auth], ["malformed", t.rx_bad], ["dropped on sending", t.tx_dropped]]
		.filter(([, n]) => n > 0).map(([what, n]) => count(n) + " " + what);
	return isNumber(t.rx_packets) ? parts.join(", ") || "none" : null;
}

/** What the data plane has beside what IKE believes. @param {any} k */
const sasText = (k) => (k.sa_in === k.wanted_in && k.sa_out === k.wanted_out
	? k.sa_in + " in, " + k.sa_out + " out, as intended"
	: "differs: " + k.sa_in + " of " + k.wanted_in + " in, " + k.sa_out + " of " + k.wanted_out + " out");

/** @param {any} t @param {boolean} old */
function tunnelView(t, old) {
	const w = tunnelWord(t.state);
	const child = t.child;
	return h("article.tunnel", { key: t.name, "aria-label": "tunnel " + t.name },
		h("header", null, h("h3", null, h("a", { href: chartHref(t.name) }, t.name)), stateView(w.level, w.word, old),
			isNumber(t.state_since) ? h("small", null, "for " + span(now() - t.state_since)) : null),
		t.last_failure ? h("p.failure", { class: t.state === "up" ? "past" : null }, (t.state === "up" ? "Last failure" : "Failure") +
			(isNumber(t.failed_at) ? " " + when(t.failed_at, now()) : "") + ": " + t.last_failure +
			(isNumber(t.retry_in_s) ? ". Next try in " + span(t.retry_in_s) + "." : "")) : null,
		h("dl.rows", null,
			row("way", (t.local || "–") + " → " + (t.remote || "–") + (t.encap ? ", ESP in UDP" : ", plain ESP")),
			row("NAT", typeof t.nat_local === "boolean" ? (t.nat_local ? (t.nat_remote ? "at both ends" : "here") : t.nat_remote ? "at the peer" : "none") : null),
			row("names", t.local_id ? t.local_id + " ↔ " + t.remote_id : null),
			row("inside", t.inside_local ? t.inside_local + " → " + t.inside_peer + ", MTU " + t.mtu : null),
			row("IKE", t.suite ? t.suite + ", " + t.ike : t.ike),
			row("IKE key age", age(t.since, t.rekey_in_s)),
			row("rekeys", isNumber(t.rekeys) ? count(t.rekeys) + " IKE, " + count(child ? child.rekeys : 0) + " ESP; " + plural(t.retransmits, "retransmit") : null),
			row("ESP", child ? child.suite + (child.pfs ? ", PFS" : "") + ", by " + (t.dataplane || "?") + " as " + t.interface : "no SA"),
			row("ESP key age", child ? age(child.since, child.rekey_in_s) : null),
			row("received", isNumber(t.rx_bytes) ? bytes(t.rx_bytes) + ", " + plural2(t.rx_packets) : null),
			row("sent", isNumber(t.tx_bytes) ? bytes(t.tx_bytes) + ", " + plural2(t.tx_packets) : null),
			row("ESP faults", faults(t)),
			row("SAs held", t.kernel ? sasText(t.kernel) : null),
			row("failures", t.failures_total > 0 ? count(t.failures_total) + " since the start" + (t.failures > 0 ? ", " + count(t.failures) + " in a row" : "") : null),
			row("last heard", isNumber(t.heard) ? span(now() - t.heard) + " ago (IKE)" : null)));
}

/** @param {any} n */
const plural2 = (n) => count(n) + " packets";

/** @param {any} s @param {any} actions */
function lookUpView(s, actions) {
	const submit = (/** @type {SubmitEvent} */ e) => {
		e.preventDefault();
		const f = /** @type {any} */ (e.currentTarget).elements;
		actions.lookUp(f.namedItem("address").value.trim(), f.namedItem("dscp").value.trim());
	};
	const a = s.why && s.why.answer;
	return h("section.panel.lookup", { key: "lookup", "aria-labelledby": "lookup-h" },
		h("div.head", null, h("h2", { id: "lookup-h" }, "Where would a packet go?"), h("span.hint", null, "asked of the kernel")),
		h("form.line", { on: { submit } },
			h("label", { for: "why-address" }, "to address"), h("input", { id: "why-address", name: "address", required: true, maxlength: 64, placeholder: "10.1.0.10", spellcheck: "false", autocomplete: "off" }),
			h("label", { for: "why-dscp" }, "DSCP"), h("input", { id: "why-dscp", name: "dscp", maxlength: 8, placeholder: "EF", size: 6, spellcheck: "false", autocomplete: "off" }),
			h("button.small", { type: "submit" }, "Look up")),
		h("div", { "aria-live": "polite", id: "why" },
			s.why && s.why.error ? missing(s.why.error) : null,
			a ? h("p", null, a.sentence + ".") : null,
			a ? h("ul.ways", null, a.paths.map((/** @type {any} */ p) => h("li", { key: p.path }, stateView(verdictWord(p.verdict).level, verdictWord(p.verdict).word), " ", h("b", null, p.path), " " + p.reason))) : null));
}
