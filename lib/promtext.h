/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * promtext - metrics as the text that Prometheus reads (exposition format 0.0.4)
 *
 * What is rendered is what the control socket's metrics.get answers:
 *
 *	{"families": [{"name": "edged_path_up", "type": "gauge", "help": "...",
 *	               "samples": [{"labels": {"peer": "hub"}, "value": 1}]}]}
 *
 * A sample may have a suffix ("_bucket", "_sum", "_count" of a histogram). A value
 * of null is something that nothing measured: no line. A family without a line
 * is left out whole.
 */
#ifndef ED_LIB_PROMTEXT_H
#define ED_LIB_PROMTEXT_H

#include <jansson.h>
#include <stddef.h>

#define PROMTEXT_TYPE "text/plain; version=0.0.4; charset=utf-8"

/*
 * Render answer.
 *
 * Returns 0 with *ret (NUL-terminated) for the caller to free() and its length,
 * or -EINVAL, without any text, when answer is not as above: a name that is none,
 * a value that is no number, a type that Prometheus does not know.
 */
int promtext_render(const json_t *answer, char **ret, size_t *ret_len);

#endif
