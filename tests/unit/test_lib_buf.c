/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/rbuf.h"
#include "lib/wbuf.h"

#include "tests/unit/cm.h"

static void test_reading_past_the_end_marks_the_cursor(void **state)
{
	const uint8_t data[] = {1, 2, 3};
	struct rbuf r = rbuf_init(data, sizeof(data));

	(void)state;
	assert_int_equal(rbuf_u16(&r), 0x0102);
	assert_int_equal(rbuf_u16(&r), 0);
	assert_false(rbuf_ok(&r));
	assert_int_equal(rbuf_u8(&r), 0); /* the byte left is not given either */
	assert_false(rbuf_done(&r));
}

static void test_a_sub_cursor_is_bounded(void **state)
{
	const uint8_t data[] = {1, 2, 3, 4};
	struct rbuf r = rbuf_init(data, sizeof(data));
	struct rbuf sub = rbuf_sub(&r, 3);

	(void)state;
	assert_int_equal(rbuf_left(&sub), 3);
	assert_int_equal(rbuf_u32(&sub), 0);
	assert_false(rbuf_ok(&sub));
	assert_true(rbuf_ok(&r));
	assert_int_equal(rbuf_u8(&r), 4);
	assert_true(rbuf_done(&r));
	sub = rbuf_sub(&r, 1);
	assert_false(rbuf_ok(&sub));
	assert_false(rbuf_ok(&r));
}

static void test_huge_lengths_do_not_wrap(void **state)
{
	const uint8_t data[] = {1};
	struct rbuf r = rbuf_init(data, sizeof(data));

	(void)state;
	assert_null(rbuf_take(&r, SIZE_MAX));
	assert_false(rbuf_ok(&r));
}

static void test_what_is_written_reads_back(void **state)
{
	uint8_t out[32];
	struct wbuf w = wbuf_init(out, sizeof(out));
	struct wbuf_mark mark;
	struct rbuf r;

	(void)state;
	wbuf_u8(&w, 7);
	mark = wbuf_mark16(&w, 1);
	wbuf_u64(&w, UINT64_C(0x0102030405060708));
	wbuf_fix16(&w, mark);
	assert_true(wbuf_ok(&w));
	r = rbuf_init(out, wbuf_len(&w));
	assert_int_equal(rbuf_u8(&r), 7);
	assert_int_equal(rbuf_u16(&r), 11);
	assert_true(rbuf_u64(&r) == UINT64_C(0x0102030405060708));
	assert_true(rbuf_done(&r));
}

static void test_a_full_writer_stays_bad(void **state)
{
	uint8_t out[3] = {9, 9, 9};
	struct wbuf w = wbuf_init(out, 2);

	(void)state;
	wbuf_u32(&w, 1);
	wbuf_u8(&w, 1);
	assert_false(wbuf_ok(&w));
	assert_int_equal(wbuf_len(&w), 0);
	assert_int_equal(out[0], 9);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_reading_past_the_end_marks_the_cursor),
		cmocka_unit_test(test_a_sub_cursor_is_bounded),
		cmocka_unit_test(test_huge_lengths_do_not_wrap),
		cmocka_unit_test(test_what_is_written_reads_back),
		cmocka_unit_test(test_a_full_writer_stays_bad),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
