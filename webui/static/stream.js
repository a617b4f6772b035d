// SPDX-License-Identifier: GPL-2.0-or-later
// @ts-check
/**
 * stream - what the server says as it happens, once for all windows
 *
 * A browser allows six connections to a server, so only one window holds the
 * event stream: the one that holds the lock. It passes everything on over a
 * BroadcastChannel, and when it goes away the next one in the queue has the lock.
 * A visible window that hears nothing for a while takes the lock away (the
 * holder may have been frozen by its system). Where there are no locks (plain
 * HTTP from another machine) each visible window has a stream of its own.
 *
 * Events resume by number: the browser sends Last-Event-ID when it reconnects by
 * itself, and "after" says the same when we do.
 *
 * @typedef {{kind: string, data?: any, id?: number}} News
 *	status	the whole status		event	one event, id its number
 *	link	{edged: bool, since, text}	server	{open: bool}
 *	gap	events were left out		bye, refused	the session has ended
 *	left	somebody logged out in another window
 */

import { get } from "./api.js";

const NAME = "edged.stream";
const QUIET_MS = 10000; // an open stream that says nothing this long is dead
const STEAL_MS = 20000; // a leader that says nothing this long is not there
const BEAT_MS = 4000;
const RETRY_MS = 3000;

export class Stream {
	/** @param {(news: News) => void} tell @param {() => number} lastId */
	constructor(tell, lastId) {
		this.tell = tell;
		this.lastId = lastId;
		/** @type {EventSource | null} */
		this.source = null;
		this.leads = false;
		this.running = false;
		this.heard = 0;
		this.retry = 0;
		/** @type {(() => void) | null} */
		this.release = null;
		/** @type {News | null} */
		this.lastStatus = null;
		/** @type {News} */
		this.lastLink = { kind: "link", data: { edged: true } };
		this.open = false;
		this.channel = "BroadcastChannel" in window ? new BroadcastChannel(NAME) : null;
		this.locks = this.channel && navigator.locks ? navigator.locks : null;
		if (this.channel)
			this.channel.onmessage = (m) => this.fromWindow(m.data);
		document.addEventListener("visibilitychange", () => this.look());
		window.setInterval(() => this.look(), BEAT_MS);
	}

	start() {
		if (this.running)
			return;
		this.running = true;
		this.heard = Date.now();
		if (!this.locks)
			return this.look();
		this.queue(false);
		this.say({ kind: "hello" });
	}

	/** Ends it in this window; the next one takes over. */
	stop() {
		this.running = false;
		this.close();
		if (this.release)
			this.release();
	}

	/** Tells the other windows that nobody is logged in any more. */
	leave() {
		this.say({ kind: "left" });
		this.stop();
	}

	/** @param {boolean} steal */
	queue(steal) {
		const hold = () => new Promise((resolve) => {
			if (!this.running)
				return resolve(undefined);
			this.release = () => resolve(undefined);
			this.leads = true;
			this.connect();
			return undefined;
		});
		const locks = /** @type {LockManager} */ (this.locks);
		locks.request(NAME, steal ? { steal: true } : {}, hold).catch(() => {
			// taken away: wait for our turn again
			this.close();
			if (this.running)
				this.queue(false);
		}).finally(() => {
			this.leads = false;
			this.release = null;
		});
	}

	connect() {
		this.close();
		if (!this.running)
			return;
		const after = this.lastId();
		const source = new EventSource("/api/v1/stream" + (after ? "?after=" + after : ""));
		this.source = source;
		this.heard = Date.now();
		source.onopen = () => this.news({ kind: "server", data: { open: true } });
		source.onerror = () => this.failed(source);
		for (const kind of ["status", "event", "link", "gap", "bye"])
			source.addEventListener(kind, (m) => this.message(kind, m));
	}

	/** @param {string} kind @param {MessageEvent} m */
	message(kind, m) {
		let data;
		try {
			data = JSON.parse(m.data);
		} catch {
			return; // cut off: the next one will be whole
		}
		const id = Number(m.lastEventId);
		this.news(kind === "event" && id > 0 ? { kind, data, id } : { kind, data });
	}

	/** @param {EventSource} source */
	failed(source) {
		if (source !== this.source)
			return;
		this.news({ kind: "server", data: { open: false } });
		if (source.readyState !== EventSource.CLOSED)
			return; // the browser tries again by itself
		this.close();
		get("session").then((session) => {
			if (!session.role)
				this.news({ kind: "refused" });
		}, () => {});
		this.later();
	}

	later() {
		window.clearTimeout(this.retry);
		this.retry = window.setTimeout(() => {
			if (this.running && !this.source && (this.leads || !this.locks))
				this.connect();
		}, RETRY_MS);
	}

	close() {
		if (this.source)
			this.source.close();
		this.source = null;
	}

	/** To this window and to the others. @param {News} news */
	news(news) {
		this.heard = Date.now();
		this.remember(news);
		this.tell(news);
		this.say(news);
	}

	/** @param {News} news */
	remember(news) {
		if (news.kind === "status")
			this.lastStatus = news;
		else if (news.kind === "link")
			this.lastLink = news;
		else if (news.kind === "server")
			this.open = news.data.open;
	}

	/** @param {News} news */
	say(news) {
		if (this.channel)
			this.channel.postMessage(news);
	}

	/** @param {News} news */
	fromWindow(news) {
		if (news.kind === "left") {
			this.stop();
			this.tell(news);
			return;
		}
		if (!this.running)
			return;
		if (news.kind === "hello") {
			if (this.leads)
				this.greet();
			return;
		}
		if (this.leads)
			return;
		this.heard = Date.now();
		this.remember(news);
		if (news.kind !== "beat")
			this.tell(news);
	}

	/** A new window wants to know how it stands. */
	greet() {
		this.say({ kind: "server", data: { open: this.open } });
		this.say(this.lastLink);
		if (this.lastStatus)
			this.say(this.lastStatus);
	}

	/** Now and then, and when the window comes to the front. */
	look() {
		if (!this.running)
			return;
		const quiet = Date.now() - this.heard;
		const seen = document.visibilityState === "visible";
		if (!this.locks)
			return this.lookAlone(seen, quiet);
		if (this.leads) {
			this.say({ kind: "beat" });
			this.watch(quiet);
		} else if (seen && quiet > STEAL_MS) {
			this.heard = Date.now();
			this.queue(true);
		}
	}

	/** @param {boolean} seen @param {number} quiet */
	lookAlone(seen, quiet) {
		if (!seen)
			return this.close();
		if (!this.source)
			return this.connect();
		this.watch(quiet);
	}

	/** @param {number} quiet */
	watch(quiet) {
		const limit = this.lastLink.data.edged === false ? 6 * QUIET_MS : QUIET_MS;
		if (!this.source || !this.open || quiet < limit)
			return;
		this.news({ kind: "server", data: { open: false } });
		this.connect();
	}
}
