// SPDX-License-Identifier: GPL-2.0-or-later
// @ts-check
/**
 * app - start, login, what is asked when, and drawing
 *
 * The stream pushes the status each second and events as they happen; reasons,
 * tunnels, routes and history are asked for when something changed, and now and
 * then. A hidden window asks nothing. Everything ends in draw(), at most once a
 * frame.
 */
import "./trusted.js";
import * as api from "./api.js";
import { byId, patch } from "./dom.js";
import { Stream } from "./stream.js";
import { addEvents, freshState, isFresh, now, signature, takeStatus } from "./state.js";
import { barView, titleText } from "./bar.js";
import { loginView } from "./login.js";
import { overviewView } from "./overview.js";
import { tunnelsView } from "./tunnels.js";
import { Chart } from "./chart.js";
import { confirmed, say } from "./ask.js";
import { stripCells, stripOf, stripPaths, stripSpan } from "./strip.js";

const CLASSES_S = 5;
const SLOW_S = 15; // routes, tunnels where nobody looks at them
const TUNNELS_S = 3; // where somebody does
const STRIPS_S = 300;
const AGAIN_S = 10; // after a question that failed
const SOON_MS = 150;

let s = freshState();
let frame = 0;
let leaving = false;
/** @type {Object<string, number>} when each question may be asked again */
let due = {};
/** @type {Set<string>} */
const asking = new Set();

const stream = new Stream(onNews, () => s.lastId);
const chart = new Chart(draw, () => s);

const actions = {
	login, logout, setUplink, restartPeer, draw,
	/** @param {Partial<any>} change */
	set(change) {
		Object.assign(s, change);
		draw();
	},
	/** @param {string} address @param {string} dscp */
	async lookUp(address, dscp) {
		try {
			s.why = { answer: await api.get("why", { address, dscp: dscp || undefined }) };
		} catch (err) {
			s.why = { error: sentence(err) };
		}
		draw();
	},
};

// --- drawing ----------------------------------------------------------------------

function draw() {
	if (!frame)
		frame = window.requestAnimationFrame(drawNow);
}

function drawNow() {
	frame = 0;
	const main = byId("main");
	document.title = titleText(s);
	document.documentElement.classList.toggle("stale", !!s.session && !!s.status && !isFresh(s));
	patch(byId("bar"), barView(s, actions));
	if (!s.session)
		patch(main, loginView(s, actions));
	else if (s.route.view === "tunnels")
		patch(main, tunnelsView(s, actions));
	else
		patch(main, overviewView(s, actions, chart));
	chart.place(s.session && s.route.view === "overview" ? document.getElementById("chart") : null);
}

// --- what is asked ------------------------------------------------------------------

/** @param {any} err */
const sentence = (err) => (err instanceof Error ? err.message : String(err));

/**
 * Asks once at a time; a "no" is kept as a sentence and asked again later.
 * @param {string} name @param {number} every seconds @param {() => Promise<void>} work
 */
async function question(name, every, work) {
	if (asking.has(name) || !s.session)
		return;
	asking.add(name);
	due[name] = now() + every;
	try {
		await work();
		delete s.asked[name];
	} catch (err) {
		if (err instanceof api.ApiError && err.status === 401) {
			ended("Your session has ended.");
		} else {
			s.asked[name] = sentence(err);
			due[name] = now() + Math.min(every, AGAIN_S);
		}
	} finally {
		asking.delete(name);
		draw();
	}
}

const askClasses = () => question("classes", CLASSES_S, async () => {
	s.classes = (await api.get("classes")).classes;
	s.classesAt = now();
});

let waiting = 0;

/** Something moved: the reasons are asked anew, once for what comes together. */
function askClassesSoon() {
	if (!waiting)
		waiting = window.setTimeout(() => {
			waiting = 0;
			askClasses();
		}, SOON_MS);
}

const askRoutes = () => question("routes", SLOW_S, async () => {
	s.routes = await api.get("routes");
	s.routesAt = now();
});

const askIke = () => question("ike", s.route.view === "tunnels" ? TUNNELS_S : SLOW_S, async () => {
	s.ike = (await api.get("ike")).tunnels;
	s.ikeAt = now();
});

const askEvents = () => question("events", SLOW_S, async () => {
	const answer = await api.get("events", { limit: 300 });
	s.eventsAsked = true;
	addEvents(s, answer.events);
});

const askStrips = () => question("strips", STRIPS_S, async () => {
	const of = s;
	const t = now();
	const cells = new Map();
	const paths = stripPaths(of.status.paths);
	for (const p of paths) { // one after the other: nobody waits for them
		const known = of.cells.get(p.name) || new Map();
		cells.set(p.name, stripCells(known, await api.get("history", { path: p.name, ...stripSpan(known, t) }), t));
	}
	of.cells = cells;
	/** @param {string} uplink */
	const strip = (uplink) => stripOf(paths.filter((p) => p.uplink === uplink).map((p) => cells.get(p.name)), t);
	of.strips = Object.fromEntries(paths.map((p) => [p.uplink, strip(p.uplink)]));
});

/** @param {string} name */
const isDue = (name) => now() >= (due[name] || 0);

/** Each second, while somebody looks. */
function tick() {
	draw();
	if (document.visibilityState !== "visible" || !s.session || !s.status)
		return;
	if (!s.link.edged)
		return;
	if (isDue("classes"))
		askClasses();
	if (isDue("routes"))
		askRoutes();
	if (isDue("ike"))
		askIke();
	if (!s.eventsAsked && isDue("events"))
		askEvents();
	if (isDue("strips"))
		askStrips();
	chart.tick();
	s.historyTrouble = chart.trouble || s.asked.events || "";
}

// --- what is told --------------------------------------------------------------------

/** @param {import("./stream.js").News} news */
function onNews(news) {
	if (news.kind === "left")
		return ended("You logged out.");
	if (news.kind === "refused" || news.kind === "bye")
		return ended(leaving ? "You logged out." : "Your session has ended.");
	if (!s.session)
		return;
	if (news.kind === "status")
		onStatus(news.data);
	else if (news.kind === "event")
		onEvent(news.data, news.id);
	else if (news.kind === "link")
		onLink(news.data);
	else if (news.kind === "gap")
		fromTheStart();
	else if (news.kind === "server")
		onServer(news.data.open);
	draw();
}

/** @param {any} status */
function onStatus(status) {
	const before = s.status && signature(s.status);
	const first = !s.status;
	takeStatus(s, status);
	s.link = { edged: true, since: null, text: "" };
	if (before !== signature(status)) {
		askClassesSoon();
		due.routes = 0;
	}
	if (first)
		tick();
}

/** @param {any} event @param {number | undefined} id */
function onEvent(event, id) {
	addEvents(s, [event], id);
	if (event.kind === "steer" || event.kind === "path") {
		askClassesSoon();
		chart.onEvent(event);
	}
	if (event.kind === "tunnel" || event.kind === "ike")
		due.ike = 0;
	if (event.kind === "store") { // history comes back, or went
		s.cells = new Map();
		due.strips = due.events = 0;
	}
}

/** @param {any} link */
function onLink(link) {
	const back = link.edged && !s.link.edged;
	s.link = { edged: !!link.edged, since: link.since || now(), text: link.text || "" };
	if (back)
		fromTheStart();
}

/** @param {boolean} open */
function onServer(open) {
	if (s.server.open === open)
		return;
	const back = open && s.server.ever;
	s.server = { open, since: now(), ever: s.server.ever || open };
	if (back)
		fromTheStart();
}

/** After a gap: what was asked before may have changed meanwhile. */
function fromTheStart() {
	due = {};
	s.eventsAsked = false;
	s.cells = new Map();
	chart.again();
}

// --- login ------------------------------------------------------------------------------

/** @param {string} why */
function ended(why) {
	if (!s.session)
		return;
	stream.stop();
	const route = s.route;
	s = freshState();
	s.route = route;
	s.ended = why;
	due = {};
	chart.forget();
	draw();
}

/** @param {any} session */
function begin(session) {
	s.session = session;
	s.ended = "";
	leaving = false;
	chart.follow();
	stream.start();
	draw();
}

/** @param {string} user @param {string} password */
async function login(user, password) {
	try {
		begin(await api.post("login", { user, password }));
		byId("main").focus();
	} catch (err) {
		s.ended = err instanceof api.ApiError && err.status === 401 ? "User or password is wrong." : sentence(err);
		draw();
	}
}

async function logout() {
	leaving = true; // the stream says good-bye before the answer is here
	try {
		await api.post("logout", {});
	} catch (err) {
		leaving = false;
		if (!(err instanceof api.ApiError) || err.status !== 401)
			return say("Not logged out: " + sentence(err));
	}
	stream.leave();
	ended("You logged out.");
}

// --- what an operator does --------------------------------------------------------------

/** @param {any} uplink @param {string} state "up" or "down" */
async function setUplink(uplink, state) {
	const on = s.status.paths.filter((/** @type {any} */ p) => p.uplink === uplink.name);
	const classes = [...new Set(on.flatMap((/** @type {any} */ p) => p.classes))];
	const down = state === "down";
	const text = down
		? (classes.length ? "It carries " + classes.join(", ") + "; that moves to other uplinks where there are any. " : "It carries nothing now. ") +
			"It stays down until somebody brings it up again, over restarts too."
		: "Its tunnels come up again and its paths prove themselves before anything moves.";
	if (!await confirmed((down ? "Take down uplink " : "Bring up uplink ") + uplink.name + "?", text, down ? "Take down" : "Bring up"))
		return;
	await act("Uplink " + uplink.name + (down ? " is taken down." : " is brought up."),
		"uplinks/" + encodeURIComponent(uplink.name), { state });
}

/** @param {string} peer */
async function restartPeer(peer) {
	if (!await confirmed("Restart peer " + peer + "?", "All its tunnels are closed and set up anew. Traffic to it stops for a moment.", "Restart"))
		return;
	await act("Peer " + peer + " is restarted.", "peers/" + encodeURIComponent(peer) + "/restart", {});
}

/** @param {string} done @param {string} path @param {any} body */
async function act(done, path, body) {
	try {
		const answer = await api.post(path, body);
		say(answer && answer.changed === false ? "It was so already." :
			answer && answer.kept === false ? done + " Until the next restart only: the box cannot write its disk." : done);
	} catch (err) {
		if (err instanceof api.ApiError && err.status === 401)
			return ended("Your session has ended.");
		say("Not done: " + sentence(err));
	}
}

// --- where we are -----------------------------------------------------------------------

function onHash() {
	const hash = location.hash.replace(/^#/, "");
	if (hash === "main") // the skip link
		return;
	const [view, query] = hash.split("?");
	const q = new URLSearchParams(query || "");
	const at = Number(q.get("at"));
	s.route = { view: view === "/tunnels" ? "tunnels" : "overview", path: q.get("path"), at: q.has("at") && Number.isFinite(at) ? at : null };
	if (s.route.path)
		chart.show(s.route.path, s.route.at);
	if (s.route.view === "tunnels")
		due.ike = 0;
	draw();
}

async function start() {
	window.addEventListener("hashchange", onHash);
	document.addEventListener("visibilitychange", tick);
	window.setInterval(tick, 1000);
	onHash();
	await enter();
}

/** Who are we? Asked again until the server answers. */
async function enter() {
	if (s.session)
		return;
	try {
		const session = await api.get("session");
		s.ended = "";
		if (session.role)
			begin(session);
	} catch (err) {
		s.ended = sentence(err) + " – trying again.";
		window.setTimeout(enter, 3000);
	}
	draw();
}

start();
