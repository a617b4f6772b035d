/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The loop owns everything but the one job in the thread's hands: it puts it into
 * `work`, wakes the thread, and gets it back through the event descriptor.
 */
#include "webui/login.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <unistd.h>
#include <utlist.h>

#include "lib/alloc.h"
#include "lib/loop.h"
#include "lib/ratelimit.h"
#include "lib/secret.h"
#include "lib/webusers.h"

struct job {
	char *password;
	char *hash;
	login_done done;
	void *ctx;
	bool ok;
	struct job *prev, *next;
};

struct login {
	struct loop *loop;
	pthread_t thread;
	pthread_mutex_t mutex;
	pthread_cond_t cond;
	struct job *work; /* for the thread; under mutex */
	bool stop; /* under mutex */
	int event_fd;
	struct loop_io io;
	struct loop_timer timer;
	struct ratelimit rate;
	struct job *waiting;
	unsigned int n_waiting;
	struct job *current; /* the thread has it */
};

static void job_free(struct job *j)
{
	secret_wipe(j->password, strlen(j->password));
	free(j->password);
	if (j->hash)
		secret_wipe(j->hash, strlen(j->hash));
	free(j->hash);
	free(j);
}

static void *run(void *arg)
{
	const uint64_t one = 1;
	struct login *l = arg;

	/* Of this thread only, on Linux. */
	(void)setpriority(PRIO_PROCESS, 0, 19);
	pthread_mutex_lock(&l->mutex);
	while (!l->stop) {
		struct job *j = l->work;

		if (!j) {
			pthread_cond_wait(&l->cond, &l->mutex);
			continue;
		}
		l->work = NULL;
		pthread_mutex_unlock(&l->mutex);
		j->ok = webusers_verify(j->password, j->hash);
		/* The counter cannot be full: there is one job. */
		(void)!write(l->event_fd, &one, sizeof(one));
		pthread_mutex_lock(&l->mutex);
	}
	pthread_mutex_unlock(&l->mutex);
	return NULL;
}

static void on_timer(void *ctx, struct mono now);

/* Give the thread its next job, if the rate allows one. */
static void next(struct login *l)
{
	struct mono now = loop_now(l->loop);
	struct job *j = l->waiting;

	if (l->current || !j)
		return;
	if (!ratelimit_take(&l->rate, now)) {
		loop_timer_at(l->loop, &l->timer, mono_add_ms(now, LOGIN_RATE_MS),
			      on_timer, l);
		return;
	}
	DL_DELETE(l->waiting, j);
	l->n_waiting--;
	l->current = j;
	pthread_mutex_lock(&l->mutex);
	l->work = j;
	pthread_cond_signal(&l->cond);
	pthread_mutex_unlock(&l->mutex);
}

static void on_timer(void *ctx, struct mono now)
{
	(void)now;
	next(ctx);
}

static void on_done(void *ctx, int fd, unsigned int events)
{
	struct login *l = ctx;
	struct job *j = l->current;
	uint64_t n;

	(void)events;
	if (read(fd, &n, sizeof(n)) < 0 || !j)
		return;
	l->current = NULL;
	next(l);
	j->done(j->ctx, j->ok);
	job_free(j);
}

struct login *login_new(struct loop *loop)
{
	struct login *l = ed_alloc(sizeof(*l));
	sigset_t all;
	sigset_t old;
	int err;

	l->loop = loop;
	l->rate = ratelimit_init(LOGIN_BURST, LOGIN_RATE_MS * MONO_US_PER_MS);
	l->event_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (l->event_fd < 0) {
		free(l);
		return NULL;
	}
	pthread_mutex_init(&l->mutex, NULL);
	pthread_cond_init(&l->cond, NULL);
	/* Signals are the loop's. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	err = pthread_create(&l->thread, NULL, run, l);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (err) {
		errno = err;
		close(l->event_fd);
		free(l);
		return NULL;
	}
	loop_io_start(loop, &l->io, l->event_fd, LOOP_READ, on_done, l);
	return l;
}

void login_free(struct login *l)
{
	struct job *j;
	struct job *tmp;

	if (!l)
		return;
	pthread_mutex_lock(&l->mutex);
	l->stop = true;
	pthread_cond_signal(&l->cond);
	pthread_mutex_unlock(&l->mutex);
	pthread_join(l->thread, NULL);
	loop_io_stop(&l->io);
	loop_timer_stop(&l->timer);
	if (l->current)
		job_free(l->current);
	DL_FOREACH_SAFE (l->waiting, j, tmp)
		job_free(j);
	close(l->event_fd);
	pthread_mutex_destroy(&l->mutex);
	pthread_cond_destroy(&l->cond);
	free(l);
}

int login_check(struct login *l, const char *password, const char *hash,
		login_done done, void *ctx)
{
	struct job *j;

	if (l->n_waiting >= LOGIN_QUEUE)
		return -EBUSY;
	j = ed_alloc(sizeof(*j));
	j->password = ed_strdup(password);
	j->hash = ed_strdup(hash);
	j->done = done;
	j->ctx = ctx;
	DL_APPEND(l->waiting, j);
	l->n_waiting++;
	next(l);
	return 0;
}
