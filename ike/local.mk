# SPDX-License-Identifier: GPL-2.0-or-later
# IKEv2 as a pure engine; ike.h is the whole interface.
noinst_LIBRARIES += ike/libike.a
ike_libike_a_CFLAGS = $(AM_CFLAGS) $(CRYPTO_CFLAGS)
ike_libike_a_SOURCES = \
	ike/constants.h ike/ike.h ike/limits.h ike/steps.h \
	ike/auth.c \
	ike/child.c ike/child_sa.c ike/child_sa.h \
	ike/collision.c ike/collision.h \
	ike/conn.c ike/conn.h \
	ike/cookie.c ike/cookie.h \
	ike/crypto.h ike/crypto_aead.c ike/crypto_dh.c ike/crypto_prf.c \
	ike/engine.c ike/engine.h \
	ike/exchange.c ike/exchange.h \
	ike/gate.c ike/gate.h \
	ike/id.c ike/id.h \
	ike/info.c ike/init.c \
	ike/job.c ike/job.h \
	ike/keymat.c ike/keymat.h \
	ike/message.c ike/message.h \
	ike/natd.c ike/natd.h \
	ike/out.c ike/out.h \
	ike/payload.c ike/payload.h ike/payload_cp.c ike/payload_delete.c \
	ike/payload_notify.c ike/payload_sa.c ike/payload_ts.c \
	ike/persist.c ike/persist.h \
	ike/proposal.c ike/proposal.h \
	ike/protect.c ike/protect.h \
	ike/rekey.c \
	ike/sa.c ike/sa.h \
	ike/selector.c ike/selector.h \
	ike/status.c \
	ike/table.h \
	ike/timerq.c ike/timerq.h
IKE_LIBS = ike/libike.a $(LIB_LIBS)
