#include <string.h>

#include "../frame.h"
#include "tests.h"

static const uint8_t dst[FRAME_MAC_BYTES] = { 1, 2, 3, 4, 5, 6 };
static const uint8_t src[FRAME_MAC_BYTES] = { 7, 8, 9, 10, 11, 12 };
static const struct frame_info info = { .run = 0xA1B2C3D4u,
                                        .seq = 0x1122334455667788u,
                                        .intended_ns = 0x99AABBCCDDEEFF01u };

static void bytes_on_the_wire(void **state)
{
    static const uint8_t expected[FRAME_HEADER_BYTES] = {
        1,    2,    3,    4,    5,    6,    7,    8,    9,    10,   11,   12,   0x88,
        0xB5, 'R',  'S',  'C',  'P',  0xD4, 0xC3, 0xB2, 0xA1, 0x88, 0x77, 0x66, 0x55,
        0x44, 0x33, 0x22, 0x11, 0x01, 0xFF, 0xEE, 0xDD, 0xCC, 0xBB, 0xAA, 0x99,
    };
    uint8_t frame[FRAME_MIN_BYTES];

    (void)state;
    memset(frame, 0xFF, sizeof(frame));
    frame_build(frame, sizeof(frame), dst, src, &info);
    assert_memory_equal(frame, expected, sizeof(expected));
    for (size_t i = FRAME_HEADER_BYTES; i < sizeof(frame); i++)
        assert_int_equal(frame[i], 0);
}

static void round_trip_at_any_alignment(void **state)
{
    uint8_t buffer[FRAME_MAX_BYTES + 8];

    (void)state;
    for (int shift = 0; shift < 8; shift++) {
        struct frame_info got;

        frame_build(buffer + shift, FRAME_MAX_BYTES, dst, src, &info);
        frame_restamp(buffer + shift, 5, 6);
        frame_swap_macs(buffer + shift);
        assert_memory_equal(buffer + shift, src, FRAME_MAC_BYTES);
        assert_memory_equal(buffer + shift + FRAME_MAC_BYTES, dst, FRAME_MAC_BYTES);
        assert_true(frame_parse(buffer + shift, FRAME_MAX_BYTES, &got));
        assert_int_equal(got.run, info.run);
        assert_int_equal(got.seq, 5);
        assert_int_equal(got.intended_ns, 6);
    }
}

static void foreign_frames_are_refused(void **state)
{
    static const uint32_t telling[] = { FRAME_AT_TYPE, FRAME_AT_TYPE + 1, FRAME_AT_MAGIC,
                                        FRAME_AT_MAGIC + 3 };
    uint8_t frame[FRAME_MIN_BYTES];
    struct frame_info got;

    (void)state;
    frame_build(frame, sizeof(frame), dst, src, &info);
    assert_false(frame_parse(frame, FRAME_HEADER_BYTES - 1, &got));
    assert_true(frame_parse(frame, FRAME_HEADER_BYTES, &got));
    for (size_t i = 0; i < sizeof(telling) / sizeof(telling[0]); i++) {
        frame[telling[i]] ^= 1;
        assert_false(frame_parse(frame, sizeof(frame), &got));
        frame[telling[i]] ^= 1;
    }
}

int test_frame(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bytes_on_the_wire),
        cmocka_unit_test(round_trip_at_any_alignment),
        cmocka_unit_test(foreign_frames_are_refused),
    };

    return cmocka_run_group_tests_name("frame", tests, NULL, NULL);
}
