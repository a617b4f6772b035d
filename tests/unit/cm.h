/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cm - cmocka with the headers it wants before it */
#ifndef ED_TESTS_UNIT_CM_H
#define ED_TESTS_UNIT_CM_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#endif
