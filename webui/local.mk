# SPDX-License-Identifier: GPL-2.0-or-later
include webui/static/local.mk
