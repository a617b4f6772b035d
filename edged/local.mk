# SPDX-License-Identifier: GPL-2.0-or-later
# The daemon: everything but main.c is a library, so that tests link parts of it.
noinst_LIBRARIES += edged/libedged.a
edged_libedged_a_CFLAGS = $(AM_CFLAGS) $(MNL_CFLAGS) $(CRYPTO_CFLAGS) $(JANSSON_CFLAGS) \
	$(SQLITE_CFLAGS) $(CARES_CFLAGS)
edged_libedged_a_SOURCES = \
	edged/apply.c edged/apply.h \
	edged/down.c \
	edged/edged.c edged/edged.h \
	edged/ifaddr.c edged/ifaddr.h \
	edged/ike_conn.c edged/ike_conn.h \
	edged/ike_host.c edged/ike_host.h \
	edged/ike_io.c edged/ike_io.h \
	edged/kernel_events.c edged/kernel_events.h \
	edged/nft.c edged/nft.h \
	edged/inside.c edged/inside.h \
	edged/overrides.c edged/overrides.h \
	edged/peer.c edged/peer.h \
	edged/policy.c edged/policy.h \
	edged/policy_plan.c edged/policy_plan.h \
	edged/sa_host.c edged/sa_host.h \
	edged/steer_apply.c edged/steer_apply.h \
	edged/steer_want.c edged/steer_want.h \
	edged/steering.c edged/steering.h \
	edged/supervisor.c edged/supervisor.h \
	edged/tunnel.c edged/tunnel.h \
	edged/uplink.c edged/uplink.h \
	edged/volumes.c edged/volumes.h \
	edged/fdstore.c edged/fdstore.h \
	edged/path.c edged/path.h \
	edged/resolve.c edged/resolve.h \
	edged/savefile.c edged/savefile.h \
	edged/slots.c edged/slots.h \
	edged/control.c edged/control.h \
	edged/events.c edged/events.h \
	edged/lookup.c edged/lookup.h \
	edged/rates.c edged/rates.h \
	edged/rpc_config.c edged/rpc_events.c edged/rpc_json.c edged/rpc_json.h \
	edged/rpc_metrics.c edged/rpc_operator.c edged/rpc_status.c \
	edged/rpc_paths.c edged/rpc_steer.c edged/rpc_tunnels.c \
	edged/store.c edged/store.h edged/store_db.h edged/store_history.c \
	edged/store_query.c edged/store_schema.c edged/store_series.c \
	edged/store_series.h edged/store_sql.h

# What a program links that uses parts of the daemon.
EDGED_LIBS = edged/libedged.a edged/libdataplane.a ike/libike.a pathmon/libpathmon.a \
	edged/libconfig.a routing/librouting.a lib/libed.a $(YAML_LIBS) $(JANSSON_LIBS) \
	$(SQLITE_LIBS) $(CARES_LIBS) $(MNL_LIBS) $(CRYPTO_LIBS) $(EV_LIBS) -lpthread -lm

sbin_PROGRAMS += edged/edged
edged_edged_CFLAGS = $(AM_CFLAGS) $(JANSSON_CFLAGS)
edged_edged_SOURCES = edged/main.c
edged_edged_LDADD = $(EDGED_LIBS)

dist_man_MANS += edged/edged.8
