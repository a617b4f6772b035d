// SPDX-License-Identifier: GPL-2.0-or-later
// Before the first paint: the theme that was chosen here, if one was.
(() => {
	try {
		const theme = localStorage.getItem("edged.theme");
		if (theme === "dark" || theme === "light")
			document.documentElement.dataset.theme = theme;
	} catch {
		// storage may be forbidden: the system's theme it is
	}
})();
