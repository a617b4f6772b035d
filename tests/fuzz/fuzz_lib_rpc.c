/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A client that says anything at all to the server; every answer must be JSON. */
#include <assert.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/alloc.h"
#include "lib/loop.h"
#include "lib/rpc.h"
#include "lib/rpc_line.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void run_echo(void *ctx, struct rpc_call *call, const json_t *params)
{
	const char *name;
	int64_t n;

	(void)ctx;
	if (!rpc_param_str(call, params, "name", "", &name) ||
	    !rpc_param_int(call, params, "n", 0, -5, 5, &n))
		return;
	rpc_call_subscribe(call, (unsigned int)n & 31u);
	rpc_call_reply(call, json_deep_copy(params));
}

static const struct rpc_method methods[] = {{"echo", 1, run_echo}, {"no", 2, run_echo}};
static const struct rpc_limits limits = {.line_bytes = 4096, .depth = 8};

static void read_answers(int fd)
{
	struct rpc_in in;
	const char *line;
	size_t len;

	rpc_in_init(&in, 1 << 20);
	while (rpc_in_read(&in, fd) > 0) {
		while ((line = rpc_in_line(&in, &len)) != NULL) {
			char why[160];
			json_t *msg = rpc_line_decode(line, len, 16, why, sizeof(why));

			assert(json_is_object(msg));
			json_decref(msg);
		}
	}
	rpc_in_fini(&in);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct loop *loop;
	static struct rpc_server *server;
	int fds[2];
	ssize_t n;

	if (!loop) {
		loop = loop_new();
		server = rpc_server_new(loop, methods, ARRAY_LEN(methods), &limits,
					NULL);
		rpc_server_grant_all(server, 1);
	}
	if (size == 0 || size > 32768)
		return 0;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds) < 0)
		return 0;
	rpc_server_adopt(server, fds[1]);
	n = send(fds[0], data, size, MSG_NOSIGNAL);
	assert(n >= 0);
	for (int i = 0; i < 8; i++) {
		loop_run_once(loop);
		read_answers(fds[0]);
	}
	close(fds[0]);
	for (int i = 0; i < 4 && rpc_server_counters(server).clients > 0; i++)
		loop_run_once(loop);
	return 0;
}
