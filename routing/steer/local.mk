# SPDX-License-Identifier: GPL-2.0-or-later
# Pure: which of a peer's paths carries which class.
routing_librouting_a_SOURCES += \
	routing/steer/class.c routing/steer/class.h \
	routing/steer/damping.c routing/steer/damping.h \
	routing/steer/decision.c \
	routing/steer/memory.c routing/steer/memory.h \
	routing/steer/plan.c routing/steer/plan.h \
	routing/steer/quality.c routing/steer/quality.h \
	routing/steer/strategy.c routing/steer/strategy.h
