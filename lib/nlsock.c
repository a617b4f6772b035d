/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/nlsock.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "lib/alloc.h"

#define RECV_SIZE 65536
#define ERROR_MAX 256
#define DUMP_TRIES 3
#define ANSWER_TIMEOUT_S 5

struct nlsock {
	struct mnl_socket *mnl;
	uint32_t seq;
	bool interrupted;
	char error[ERROR_MAX];
	char buf[RECV_SIZE] __attribute__((aligned(NLMSG_ALIGNTO)));
};

static int open_socket(int protocol, int flags, struct nlsock **ret)
{
	struct nlsock *s;
	struct mnl_socket *mnl = mnl_socket_open2(protocol, SOCK_CLOEXEC | flags);
	int one = 1;
	int err;

	if (!mnl)
		return -errno;
	if (mnl_socket_bind(mnl, 0, MNL_SOCKET_AUTOPID) < 0) {
		err = -errno;
		mnl_socket_close(mnl);
		return err;
	}
	/* Best effort: without these the errno alone tells. */
	(void)mnl_socket_setsockopt(mnl, NETLINK_EXT_ACK, &one, sizeof(one));
	(void)mnl_socket_setsockopt(mnl, NETLINK_CAP_ACK, &one, sizeof(one));
	(void)mnl_socket_setsockopt(mnl, NETLINK_GET_STRICT_CHK, &one, sizeof(one));
	s = ed_alloc(sizeof(*s));
	s->mnl = mnl;
	s->seq = (uint32_t)time(NULL);
	*ret = s;
	return 0;
}

int nlsock_open(int protocol, struct nlsock **ret)
{
	struct timeval limit = {.tv_sec = ANSWER_TIMEOUT_S};
	struct nlsock *s;
	int err = open_socket(protocol, 0, &s);

	if (err < 0)
		return err;
	/* The kernel answers at once; if it ever does not, do not hang the loop. */
	(void)setsockopt(nlsock_fd(s), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	*ret = s;
	return 0;
}

int nlsock_open_events(int protocol, const unsigned int *groups, size_t n,
		       unsigned int rcvbuf_bytes, struct nlsock **ret)
{
	struct nlsock *s;
	int size = (int)rcvbuf_bytes;
	int err = open_socket(protocol, SOCK_NONBLOCK, &s);

	if (err < 0)
		return err;
	if (setsockopt(nlsock_fd(s), SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)) <
	    0)
		(void)setsockopt(nlsock_fd(s), SOL_SOCKET, SO_RCVBUF, &size,
				 sizeof(size));
	for (size_t i = 0; i < n; i++) {
		unsigned int group = groups[i];

		if (mnl_socket_setsockopt(s->mnl, NETLINK_ADD_MEMBERSHIP, &group,
					  sizeof(group)) < 0) {
			err = -errno;
			nlsock_free(s);
			return err;
		}
	}
	*ret = s;
	return 0;
}

void nlsock_free(struct nlsock *s)
{
	if (!s)
		return;
	mnl_socket_close(s->mnl);
	free(s);
}

int nlsock_fd(const struct nlsock *s)
{
	return mnl_socket_get_fd(s->mnl);
}

const char *nlsock_error(const struct nlsock *s)
{
	return s->error;
}

/* The sentence of an extended acknowledgement lies behind the error header. */
static void keep_error(struct nlsock *s, const struct nlmsghdr *nlh)
{
	const struct nlmsgerr *e = mnl_nlmsg_get_payload(nlh);
	const struct nlattr *attr;
	size_t offset = sizeof(*e);

	if (!(nlh->nlmsg_flags & NLM_F_ACK_TLVS))
		return;
	if (!(nlh->nlmsg_flags & NLM_F_CAPPED))
		offset += MNL_ALIGN(e->msg.nlmsg_len) - sizeof(e->msg);
	if (offset >= mnl_nlmsg_get_payload_len(nlh))
		return;
	nlq_for_each (attr, nlh, offset) {
		if (mnl_attr_get_type(attr) == NLMSGERR_ATTR_MSG &&
		    mnl_attr_validate(attr, MNL_TYPE_NUL_STRING) >= 0) {
			strncpy(s->error, mnl_attr_get_str(attr), sizeof(s->error) - 1);
			return;
		}
	}
}

/* Returns 1 when the answer is complete, 0 when more comes, or an errno. */
static int take_message(struct nlsock *s, const struct nlmsghdr *nlh, nlsock_cb cb,
			void *ctx)
{
	const struct nlmsgerr *e = mnl_nlmsg_get_payload(nlh);

	if (nlh->nlmsg_seq != s->seq)
		return 0; /* left over from an earlier call that timed out */
	if (nlh->nlmsg_flags & NLM_F_DUMP_INTR)
		s->interrupted = true;
	if (nlh->nlmsg_type == NLMSG_NOOP)
		return 0;
	if (nlh->nlmsg_type == NLMSG_ERROR) {
		if (mnl_nlmsg_get_payload_len(nlh) < sizeof(*e))
			return -EBADMSG;
		if (e->error)
			keep_error(s, nlh);
		return e->error ? e->error : 1;
	}
	if (nlh->nlmsg_type == NLMSG_DONE) {
		const int *err = mnl_nlmsg_get_payload(nlh);

		if (mnl_nlmsg_get_payload_len(nlh) >= sizeof(*err) && *err < 0)
			return *err;
		return 1;
	}
	return cb ? cb(nlh, ctx) : 0;
}

static int read_answer(struct nlsock *s, nlsock_cb cb, void *ctx)
{
	/* Ends: by the acknowledgement, an error, or the receive time-out. */
	for (;;) {
		ssize_t got = mnl_socket_recvfrom(s->mnl, s->buf, sizeof(s->buf));
		const struct nlmsghdr *nlh = (const void *)s->buf;
		int left = (int)got;

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return errno == EAGAIN ? -ETIMEDOUT : -errno;
		for (; mnl_nlmsg_ok(nlh, left); nlh = mnl_nlmsg_next(nlh, &left)) {
			int err = take_message(s, nlh, cb, ctx);

			if (err)
				return err < 0 ? err : 0;
		}
	}
}

static int transact(struct nlsock *s, struct nlq *q, nlsock_cb cb, void *ctx)
{
	if (q->overflow)
		return -EMSGSIZE;
	s->error[0] = '\0';
	s->interrupted = false;
	q->nlh->nlmsg_seq = ++s->seq;
	if (mnl_socket_sendto(s->mnl, q->nlh, q->nlh->nlmsg_len) < 0)
		return -errno;
	return read_answer(s, cb, ctx);
}

int nlsock_call(struct nlsock *s, struct nlq *q)
{
	q->nlh->nlmsg_flags |= NLM_F_ACK;
	return transact(s, q, NULL, NULL);
}

int nlsock_dump(struct nlsock *s, struct nlq *q, nlsock_cb cb, void *ctx)
{
	if (!(q->nlh->nlmsg_flags & NLM_F_DUMP))
		q->nlh->nlmsg_flags |= NLM_F_ACK;
	for (int i = 0; i < DUMP_TRIES; i++) {
		int err = transact(s, q, cb, ctx);

		if (err < 0 || !s->interrupted)
			return err;
	}
	return -EINTR;
}

int nlsock_recv(struct nlsock *s, unsigned int burst, nlsock_cb cb, void *ctx)
{
	for (unsigned int i = 0; i < burst; i++) {
		ssize_t got = mnl_socket_recvfrom(s->mnl, s->buf, sizeof(s->buf));
		const struct nlmsghdr *nlh = (const void *)s->buf;
		int left = (int)got;

		if (got < 0)
			return errno == ENOBUFS ? -ENOBUFS : 0;
		for (; mnl_nlmsg_ok(nlh, left); nlh = mnl_nlmsg_next(nlh, &left))
			(void)cb(nlh, ctx);
	}
	return 0;
}
