#include <stdlib.h>
#include <string.h>

#include "tests.h"

static const struct {
    const char *line;
    const char *names; /* what the complaint must contain */
} refusals[] = {
    { "--rate 5 --seconds 1", "--port" },
    { "--port udp:1:2 --seconds 1", "--rate" },
    { "--port udp:1:2 --rate 5", "--seconds" },
    { "--port udp:1:2 --rate 5 --seconds 1 --count 5", "not both" },
    { "--port udp:1:2 --rate 0 --seconds 1", "--rate 0" },
    { "--port udp:1:2 --rate -5 --seconds 1", "--rate -5" },
    { "--port udp:1:2 --rate 5x --seconds 1", "--rate 5x" },
    { "--port udp:1:2 --rate 99999999999999999999999 --seconds 1", "--rate 9" },
    { "--port udp:1:2 --rate 5 --seconds nan", "--seconds nan" },
    { "--port udp:1:2 --rate 5 --seconds -1", "--seconds -1" },
    { "--port udp:1:2 --rate 5 --seconds 0", "--seconds 0" },
    { "--port udp:1:2 --rate 5 --seconds 1.2.3", "--seconds 1.2.3" },
    { "--port udp:1:2 --rate 1 --seconds 0.1", "less than one frame" },
    { "--port udp:1:2 --rate 100000000 --seconds 86400", "lower either" },
    { "--port udp:1:2 --rate 5 --count 0", "--count 0" },
    { "--port udp:1:2 --rate 5 --count 5 --size 59", "--size 59" },
    { "--port udp:1:2 --rate 5 --count 5 --size 1515", "--size 1515" },
    { "--port udp:1:2 --rate 5 --count 5 --dst 1:2:3", "--dst 1:2:3" },
    { "--port udp:1:2 --rate 5 --count 5 --src 00:11:22:33:44:5g", "--src 00" },
    { "--port udp:1:2 --rate 5 --count 5 --src 00-11-22-33-44-55", "--src 00" },
    { "--port udp:1:2 --rate 5 --count 5 --role both", "--role both" },
    { "--port udp:1:2 --rate 5 --count 5 --arrival bursty", "--arrival bursty" },
    { "--port udp:1:2 --rate 5 --count 5 --run 4294967296", "--run 4294967296" },
    { "--port udp:1:2 --rate 5 --count 5 --drain-ms 0", "--drain-ms 0" },
    { "--port udp:1:2 --rate 5 --count 5 --spin-us 2000000", "--spin-us 2000000" },
    { "--port udp:1:2 --rate 5 --count 5 --sise 60", "--sise" },
    { "--port udp:1:2 --rate 5 --count 5 --size", "--size: needs a value" },
    { "--port udp:1:2 --rate 5 --count 5 stray", "stray" },
    { "--port udp:1:2 --role sink --seconds 1 --rate 5", "--rate" },
    { "--port udp:1:2 --role sink --count 5", "--seconds" },
};

static void refusals_are_one_line_naming_the_flag(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++) {
        char *text = NULL;
        size_t bytes;
        FILE *err = open_memstream(&text, &bytes);
        struct options o;

        assert_non_null(err);
        if (tests_parse(&o, refusals[i].line, err) != OPTIONS_BAD)
            fail_msg("accepted: %s", refusals[i].line);
        fclose(err);
        if (strstr(text, refusals[i].names) == NULL)
            fail_msg("%s: says %s", refusals[i].line, text);
        assert_ptr_equal(strchr(text, '\n'), text + bytes - 1);
        free(text);
    }
}

static void defaults(void **state)
{
    static const uint8_t qemu_mac[] = { 0x52, 0x54, 0x00, 0x12, 0x34, 0x56 };
    struct options o;

    (void)state;
    assert_int_equal(tests_parse(&o, "--port packet:tap0 --rate 250 --seconds 1.5", stderr),
                     OPTIONS_OK);
    assert_string_equal(o.port, "packet:tap0");
    assert_int_equal(o.role, ROLE_PINGPONG);
    assert_int_equal(o.arrival, ARRIVAL_CONSTANT);
    assert_int_equal(o.count, 375);
    assert_int_equal(o.frame_bytes, 60);
    assert_int_equal(o.drain_ns, 500000000);
    assert_int_equal(o.spin_ns, 0);
    assert_memory_equal(o.dst, qemu_mac, sizeof(qemu_mac));
    assert_false(o.fifo || o.src_given || o.run_given);
    assert_null(o.out);
}

static void every_flag_is_taken(void **state)
{
    static const uint8_t dst[] = { 0x0a, 0x0b, 0x0c, 0x0d, 0x0e, 0x0f };
    static const uint8_t src[] = { 0xA1, 0xB2, 0xC3, 0xD4, 0xE5, 0xF6 };
    struct options o;

    (void)state;
    assert_int_equal(tests_parse(&o,
                                 "--port udp:1:2 --role source --rate 7 --count 9 --arrival poisson"
                                 " --seed 11 --size 1514 --dst 0a:0b:0c:0d:0e:0f"
                                 " --src A1:B2:C3:D4:E5:F6 --run 13 --drain-ms 17 --spin-us 19"
                                 " --fifo --out results",
                                 stderr),
                     OPTIONS_OK);
    assert_int_equal(o.role, ROLE_SOURCE);
    assert_int_equal(o.rate_pps, 7);
    assert_int_equal(o.count, 9);
    assert_int_equal(o.arrival, ARRIVAL_POISSON);
    assert_int_equal(o.seed, 11);
    assert_int_equal(o.frame_bytes, 1514);
    assert_memory_equal(o.dst, dst, sizeof(dst));
    assert_memory_equal(o.src, src, sizeof(src));
    assert_int_equal(o.run, 13);
    assert_int_equal(o.drain_ns, 17000000);
    assert_int_equal(o.spin_ns, 19000);
    assert_true(o.fifo && o.src_given && o.run_given);
    assert_string_equal(o.out, "results");
}

static void help_is_asked_for(void **state)
{
    struct options o;

    (void)state;
    assert_int_equal(tests_parse(&o, "--help", stderr), OPTIONS_HELP);
}

int test_options(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(refusals_are_one_line_naming_the_flag),
        cmocka_unit_test(defaults),
        cmocka_unit_test(every_flag_is_taken),
        cmocka_unit_test(help_is_asked_for),
    };

    return cmocka_run_group_tests_name("options", tests, NULL, NULL);
}
