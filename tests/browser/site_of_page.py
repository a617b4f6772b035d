# SPDX-License-Identifier: GPL-2.0-or-later
"""A branch of the lab with edge-webui, and a real browser on its LAN

The page is what a person in the branch sees: https://10.42.0.1:8443, asked from
branch-lan. The test process itself lives in that namespace too (its main thread
enters it), so that it can talk to chromedriver and ask the server as a script
would.
"""
import ctypes
import hashlib
import json
import os
import shutil
import sqlite3
import ssl
import time
import urllib.error
import urllib.request

from selenium import webdriver
from selenium.common.exceptions import WebDriverException
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from urllib3.exceptions import HTTPError

import lab as lab_module
from daemons import write
from lab import Lab, Witness, build_dir, program, public_copy
from topology import TUNNELS, EdgedSites, World

ADDRESS = "10.42.0.1"
PORT = 8443
URL = f"https://{ADDRESS}:{PORT}"
USERS = {"alice": ("operator", "correct horse 1"), "bob": ("viewer", "battery staple 2")}
TOKEN = "edw_" + "0123456789abcdef" * 4
CHROMIUM, DRIVER = "/usr/bin/chromium", "/usr/bin/chromedriver"
AWAY_S = 5          # how long a killed program stays away
MONTH_S = 30 * 86400
CLONE_NEWNET = 0x40000000
# A sixth path: the other end refuses it, which shows a failure in words.
SPARE = """
  spare:
    address: 198.18.2.10
    via: lte
    networks: 10.99.0.0/16
"""
SPARE_SECRET = 'spare: "nobody has this one"\n'
WEB = f"""
web:
  listen: {ADDRESS}:{PORT}
"""

# What the page must never do, noted from its first moment on.
WATCH = """
window.seen = {violations: [], errors: []};
document.addEventListener("securitypolicyviolation", (e) => window.seen.violations.push(
	e.violatedDirective + " " + e.blockedURI + " " + e.sourceFile + ":" + e.lineNumber));
window.addEventListener("error", (e) => window.seen.errors.push(String(e.message)));
window.addEventListener("unhandledrejection", (e) => window.seen.errors.push(String(e.reason)));
window.clickable = new WeakSet();       // what a mouse can press
for (const [name, what] of [["addEventListener", "add"], ["removeEventListener", "delete"]]) {
	const plain = EventTarget.prototype[name];
	EventTarget.prototype[name] = function (type, ...rest) {
		if (type === "click" && this instanceof Element)
			window.clickable[what](this);
		return plain.call(this, type, ...rest);
	};
}
"""


def enter_namespace(space):
    """This thread's sockets are of that namespace from now on."""
    libc = ctypes.CDLL(None, use_errno=True)
    fd = os.open(f"/run/netns/{space}", os.O_RDONLY)
    if libc.setns(fd, CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), "setns")
    os.close(fd)


def hashed(password):
    """As "edgectl web password" stores it."""
    libcrypt = ctypes.CDLL("libcrypt.so.1")
    libcrypt.crypt_gensalt.restype = libcrypt.crypt.restype = ctypes.c_char_p
    salt = libcrypt.crypt_gensalt(b"$y$", 0, None, 0)
    return libcrypt.crypt(password.encode(), salt).decode()


def web_data():
    """The page's files where every user may read them."""
    folder = os.path.join(build_dir(), "webui", "data")
    for name in os.listdir(folder):
        public_copy(os.path.join(folder, name), "/tmp/data/web/" + name, 0o644)
    return "/tmp/data/web"


class Site:
    """World, edged at both ends, edge-webui at the branch, and its windows."""

    def __init__(self, spare=True, month=True):
        self.lab = Lab()
        self.browsers = []
        self.witness = Witness(self.lab)
        self.world = World(self.lab)
        self.world.start_clouds()
        self.sites = EdgedSites(self.world, branch_more=WEB,
                                branch_peers=SPARE if spare else "",
                                branch_secrets=SPARE_SECRET if spare else "")
        self.branch = self.sites.edged["branch"]
        self.state_dir = os.path.join(self.branch.dir, "web")
        self.web_run = os.path.join(self.branch.dir, "web-run")
        if month:
            self.write_month()
        self.sites.start()
        self.start_web()
        enter_namespace("branch-lan")
        self.lab.wait_for("five tunnels", self.sites.tunnels_up, 60)
        self.lab.wait_for("BGP over all of them", self.sites.bgp_up, 60)

    def close(self):
        self.close_windows()
        self.lab.close()

    def start_web(self):
        if not os.path.isdir(self.state_dir):
            os.mkdir(self.state_dir)
            text = "".join(f"{name}:{role}:{hashed(password)}\n"
                           for name, (role, password) in USERS.items())
            digest = hashlib.sha256(TOKEN.encode()).hexdigest()
            text += f"script:viewer:sha256={digest}\n"
            write(os.path.join(self.state_dir, "users"), text, "edged-web", 0o600)
            shutil.chown(self.state_dir, "edged-web", "edged-web")
            os.chmod(self.state_dir, 0o700)
            os.mkdir(self.web_run)
            shutil.chown(self.web_run, "edged-web", "edged-web")
        self.lab.start("branch-webui", "branch",
                       [program("edge-webui"), "--config", self.branch.config,
                        "--run", self.branch.run_dir, "--state", self.state_dir,
                        "--socket", os.path.join(self.web_run, "webui.sock"),
                        "--data", web_data()],
                       user="edged-web", groups=["edged-web", "edged"],
                       restart_s=AWAY_S)
        self.lab.wait_ready("branch-webui")

    def write_month(self):
        """A month of six paths in the database before edged opens it."""
        path = os.path.join(self.branch.state_dir, "edged.db")
        self.lab.run("branch", [program("tests/lab/storedrive"), path], input="count\n")
        write_month(path, TUNNELS + ["spare/lte"])
        for name in os.listdir(self.branch.state_dir):
            shutil.chown(os.path.join(self.branch.state_dir, name), "edged", "edged")

    def well(self):
        self.world.heal()
        self.lab.wait_for("five tunnels", self.sites.tunnels_up, 60)
        self.lab.wait_for("all classes at home", self.at_home, 90)
        self.lab.wait_for("BGP over all of them again", self.sites.bgp_up, 60)

    def at_home(self):
        """Each class on the path that it prefers, and no promise broken anywhere."""
        peers = {p["name"]: p["classes"] for p in self.branch.json("peers")["peers"]}
        on = {c["class"]: [m["path"] for m in c["members"]] for c in peers["hub"]}
        broken = [(name, c["class"]) for name, classes in peers.items()
                  for c in classes if name != "spare" and (c["kept"] or not c["keeps"])]
        return (on.get("voice") == on.get("business") == ["hub/isp1"]
                and on.get("bulk") == ["hub/isp2"] and not broken, (on, broken))

    def events(self, since=0, kind=None):
        events = self.branch.json("events", "--since", str(int(since)))["events"]
        return [e for e in events
                if e["time"] >= since and (kind is None or e["kind"] == kind)]

    # windows

    def window(self, user="alice", path="/", **options):
        """A browser on the page, logged in unless user is None."""
        browser = Browser(**options)
        self.browsers.append(browser)
        browser.open(URL + path)
        if user:
            browser.log_in(user)
        return browser

    def close_windows(self):
        for browser in self.browsers:
            browser.close()
        self.browsers = []

    def ask(self, path, method="GET", body=None, headers=None):
        """As a script asks: (status, text)."""
        context = ssl._create_unverified_context()     # its own certificate
        request = urllib.request.Request(URL + path, data=body, method=method,
                                         headers=headers or {})
        try:
            with urllib.request.urlopen(request, context=context, timeout=10) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as err:
            return err.code, err.read().decode()

    def json(self, path, token=TOKEN):
        status, text = self.ask(path, headers={"Authorization": f"Bearer {token}"})
        assert status == 200, (path, status, text)
        return json.loads(text)


def reap(prefix):
    """Ended orphans of that name: this process is the first of its frame."""
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/stat", encoding="ascii") as f:
                name, _, rest = f.read().partition("(")[2].rpartition(")")
            state, parent = rest.split()[:2]
            if name.startswith(prefix) and state == "Z" and int(parent) == os.getpid():
                os.waitpid(int(pid), os.WNOHANG)
        except (OSError, ValueError):
            pass


def write_month(path, names, now=None):
    """Fills the tables as edged does; the schema must be there already."""
    minute = int(now or time.time()) // 60
    db = sqlite3.connect(path)
    for number, name in enumerate(names, 1):
        db.execute("INSERT OR IGNORE INTO path(id, name) VALUES(?, ?)", (number, name))
        for table, unit in (("minute", 60), ("hour", 3600)):
            rows = []
            for at in range((minute * 60 - MONTH_S) // unit, minute * 60 // unit):
                base = 20000 * number + (at * 7919 % 977) * (1 + number)
                rows.append((number << 32 | at, base, base + 900, base - 300, base + 4000,
                             400, 900, 10 * unit, 3 if at * 31 % 97 == 0 else 0, unit, unit))
            db.executemany(f"INSERT OR REPLACE INTO {table} "
                           "VALUES(?,?,?,?,?,?,?,?,?,?,?)", rows)
    db.commit()
    db.close()


class Browser:
    """One chromium with one window or more."""

    def __init__(self, width=1280, height=900, dark=False, phone=False):
        options = Options()
        options.binary_location = CHROMIUM
        for arg in ("--headless=new", "--no-sandbox", "--disable-gpu",
                    "--disable-dev-shm-usage", "--ignore-certificate-errors",
                    "--force-color-profile=srgb", "--hide-scrollbars",
                    "--disable-background-networking", "--no-first-run",
                    "--disable-component-update", "--disable-sync",
                    f"--window-size={width},{height}"):
            options.add_argument(arg)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL",
                                                     "performance": "ALL"})
        os.environ["HOME"] = "/tmp"
        self.driver = webdriver.Chrome(service=Service(DRIVER), options=options)
        self.driver.set_script_timeout(30)
        self.cdp("Page.addScriptToEvaluateOnNewDocument", source=WATCH)
        self.size(width, height, phone)
        if dark:
            self.cdp("Emulation.setEmulatedMedia",
                     features=[{"name": "prefers-color-scheme", "value": "dark"}])
        self.console = []
        self.urls = []

    def cdp(self, command, **args):
        return self.driver.execute_cdp_cmd(command, args)

    def size(self, width, height, phone=False):
        self.cdp("Emulation.setDeviceMetricsOverride", width=width, height=height,
                 deviceScaleFactor=1, mobile=phone)

    def open(self, url):
        self.driver.get(url)

    def tab(self):
        """One more window of the same browser, on the page."""
        self.driver.switch_to.new_window("tab")
        self.cdp("Page.addScriptToEvaluateOnNewDocument", source=WATCH)
        self.open(URL + "/")
        self.filled()

    def close(self):
        try:
            self.driver.quit()
        except WebDriverException:
            pass
        reap("chrom")

    def js(self, script, *args):
        return self.driver.execute_script(script, *args)

    def one(self, css):
        return self.driver.find_element(By.CSS_SELECTOR, css)

    def all(self, css):
        return self.driver.find_elements(By.CSS_SELECTOR, css)

    def text(self, css):
        """The text of the first such element; "" without one."""
        return self.js("const e = document.querySelector(arguments[0]);"
                       "return e ? e.textContent : '';", css)

    def texts(self, css):
        return self.js("return [...document.querySelectorAll(arguments[0])]"
                       ".map((e) => e.textContent)", css)

    def click(self, css):
        self.one(css).click()

    def press(self, *keys):
        self.driver.switch_to.active_element.send_keys(*keys)

    def wait(self, what, check, limit=10):
        """Polls check until it is true; its last answer is in the complaint."""
        end = time.monotonic() + limit * lab_module.limits_factor()
        while True:
            try:
                state = check()
            except WebDriverException as err:
                state = (False, str(err).splitlines()[0])
            if state[0] if isinstance(state, tuple) else state:
                return state
            if time.monotonic() > end:
                raise AssertionError(f"not within {limit} s: {what}\nlast: {state}\n"
                                     + self.text("body")[:3000])
            time.sleep(0.05)

    def wait_text(self, css, *words, limit=10):
        self.wait(f"{css} says {words}",
                  lambda: (all(w in self.text(css) for w in words), self.text(css)),
                  limit)

    def log_in(self, user, password=None):
        self.wait("the login form", lambda: self.all("#password"))
        self.one("#user").clear()
        self.one("#user").send_keys(user)
        self.one("#password").send_keys(password or USERS[user][1], Keys.ENTER)
        if password is None:
            self.filled()

    def filled(self, limit=15):
        self.wait_text("#live", "live", limit=limit)
        if "#/tunnels" in self.driver.current_url:
            return
        self.wait("the grid", lambda: self.all("td.member"), limit)
        self.wait("events", lambda: self.all(".events li"), limit)

    # what must not be

    def collect(self):
        """Takes over what the browser logged since the last look."""
        self.console += self.driver.get_log("browser")
        for entry in self.driver.get_log("performance"):
            message = json.loads(entry["message"])["message"]
            if message["method"] == "Network.requestWillBeSent":
                self.urls.append(message["params"]["request"]["url"])

    def clean(self, *expected):
        """No console error but expected ones, no violation, nothing from elsewhere."""
        self.collect()
        expected += ("willReadFrequently",)     # the tests look at the canvas themselves
        errors = [e["message"] for e in self.console
                  if e["level"] in ("SEVERE", "WARNING")
                  and not any(word in e["message"] for word in expected)]
        assert not errors, errors
        seen = self.js("return window.seen")
        assert seen and not seen["violations"] and not seen["errors"], seen
        assert self.urls, "no request was seen: the log is not read"
        foreign = [u for u in self.urls if not u.startswith((URL + "/", "data:"))]
        assert not foreign, foreign

    def story(self):
        try:
            self.collect()
            return json.dumps(self.console[-20:], indent=1) + "\n" + self.text("body")[:4000]
        except (WebDriverException, HTTPError) as err:
            return f"(the browser is gone: {err})"
