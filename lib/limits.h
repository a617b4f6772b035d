/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * limits - what a process may use of the system
 */
#ifndef ED_LIB_LIMITS_H
#define ED_LIB_LIMITS_H

/*
 * Let the process have want files open at once, or as many as it may: a tunnel, an
 * uplink and a connection need a descriptor each. A limit that is larger stays.
 */
void limits_open_files(unsigned long want);

/* No core file: keys and passwords pass through here. */
void limits_no_core(void);

#endif
