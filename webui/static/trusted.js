// SPDX-License-Identifier: GPL-2.0-or-later
// @ts-check
/**
 * The one policy of Trusted Types. dygraphs writes its axis labels by innerHTML;
 * whatever is written that way loses its markup here and stays text.
 */
const types = /** @type {any} */ (window).trustedTypes;

/** @param {string} text */
export const strip = (text) => String(text).replace(/[<>&"']/g, "");

if (types && types.createPolicy && !types.defaultPolicy)
	types.createPolicy("default", { createHTML: strip });
