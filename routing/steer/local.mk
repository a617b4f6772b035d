# SPDX-License-Identifier: GPL-2.0-or-later
# Pure: which of a peer's paths carries which class.
routing_librouting_a_SOURCES += \
	routing/steer/class.c routing/steer/class.h \
	routing/steer/damping.h \
	routing/steer/plan.h \
	routing/steer/quality.h
