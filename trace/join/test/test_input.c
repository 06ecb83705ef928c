/* Bad input: one clear line with file and place, never a crash. Run under sanitizers. */
#include "kit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../../ctf/stream.h"
#include "../export.h"

static char *good_stream, *good_log;
static size_t good_stream_size, good_log_size;

static void put(const char *path, const void *bytes, size_t size)
{
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    assert_int_equal(fwrite(bytes, 1, size, f), size);
    assert_int_equal(fclose(f), 0);
}

static char *get(const char *path, size_t *size)
{
    struct stat st;
    FILE *f = fopen(path, "r");
    assert_non_null(f);
    assert_int_equal(fstat(fileno(f), &st), 0);
    char *bytes = malloc((size_t)st.st_size + 1);
    *size = fread(bytes, 1, (size_t)st.st_size, f);
    bytes[*size] = 0;
    fclose(f);
    return bytes;
}

static int make_good(void **state)
{
    (void)state;
    struct world w;
    struct join j;
    struct world_options o = world_defaults(4);
    o.sends = 120;
    o.host_loss = .01;
    world_make(&w, &o);
    complaints_begin();
    join_world(&j, &w, -1, -1);
    complaints_end();
    join_free(&j);
    world_free(&w);
    good_stream = get(scratch("guest/stream_0"), &good_stream_size);
    good_log = get(scratch("host.log"), &good_log_size);
    return 0;
}

static int free_good(void **state)
{
    (void)state;
    free(good_stream);
    free(good_log);
    return 0;
}

static void one_line_with(const char *said, const char *part)
{
    size_t length = strlen(said);
    if (!length || strchr(said, '\n') != said + length - 1 || !strstr(said, part))
        fail_msg("not one line with '%s': %s", part, said);
}

/* Reads a guest directory whose stream is `bytes`: one line must say `part`, and what came before
 * the damage must have been read. */
static void refuse_stream(const void *bytes, size_t size, uint64_t records, const char *part)
{
    struct join j;
    put(scratch("guest/stream_0"), bytes, size);
    complaints_begin();
    int bad = join_open(&j, scratch("guest"), scratch("host"));
    join_facts(&j);
    const char *said = complaints_end();
    assert_int_equal(bad, 0);
    assert_int_equal(j.guest.damaged, 1);
    assert_int_equal(j.guest.records, records);
    one_line_with(said, part);
    one_line_with(said, "guest/stream_0: ");
    join_free(&j);
}

static void damaged_packets_are_refused_by_offset(void **state)
{
    (void)state;
    struct trace_packet_header *h;
    char *bytes = malloc(good_stream_size);
    assert_true(good_stream_size > 2 * TRACE_PACKET_BYTES);
    const size_t second = TRACE_PACKET_BYTES;
    for (int what = 0; what < 6; what++) {
        memcpy(bytes, good_stream, good_stream_size);
        h = (struct trace_packet_header *)(bytes + second);
        if (what == 0)
            h->magic = 0;
        else if (what == 1)
            h->packet_bits = UINT64_MAX & ~UINT64_C(7);
        else if (what == 2)
            h->packet_bits = 0;
        else if (what == 3)
            h->content_bits = h->packet_bits + 256;
        else if (what == 4)
            h->content_bits -= 8;
        else
            h->content_bits = 0; /* still open: never closed by ringsnap */
        refuse_stream(bytes, good_stream_size, TRACE_RECORDS_PER_PACKET,
                      "offset 4096: damaged packet");
    }
    refuse_stream(good_stream, second + 40, TRACE_RECORDS_PER_PACKET,
                  "offset 4096: damaged packet, truncated");
    refuse_stream(good_stream, second + 400, TRACE_RECORDS_PER_PACKET,
                  "offset 4096: damaged packet, size");
    refuse_stream("hello, world", 12, 0, "offset 0: ");
    put(scratch("guest/stream_0"), good_stream, good_stream_size);
    free(bytes);
}

static void refuse_dir(const char *dir, enum trace_side side, const char *part)
{
    struct reader r;
    complaints_begin();
    int bad = reader_open(&r, dir, side);
    const char *said = complaints_end();
    reader_close(&r);
    assert_int_equal(bad, -1);
    one_line_with(said, part);
}

static void foreign_directories_are_refused(void **state)
{
    (void)state;
    refuse_dir(scratch("nowhere"), TRACE_SIDE_GUEST, "nowhere/metadata: No such file");
    refuse_dir(scratch("guest"), TRACE_SIDE_HOST, "guest/metadata: not the host trace");
    refuse_dir(scratch("host"), TRACE_SIDE_GUEST, "host/metadata: not the guest trace");
    mkdir(scratch("other"), 0777);
    put(scratch("other/metadata"), "", 0);
    refuse_dir(scratch("other"), TRACE_SIDE_GUEST, "other/metadata: offset 0");
    static const char lttng[] = "/* CTF 1.8 */\nenv { tracer_name = \"lttng-modules\"; };\n";
    put(scratch("other/metadata"), lttng, sizeof lttng - 1);
    refuse_dir(scratch("other"), TRACE_SIDE_GUEST, "not the guest trace of ringscope");
    static const char no_clock[] =
        "/* CTF 1.8 */\nenv { tracer_name = \"ringscope\"; domain = \"guest\"; };\n";
    put(scratch("other/metadata"), no_clock, sizeof no_clock - 1);
    refuse_dir(scratch("other"), TRACE_SIDE_GUEST, "no clock frequency");
}

static void an_empty_trace_joins_to_nothing(void **state)
{
    (void)state;
    struct join j;
    assert_int_equal(ctf_dir_create(scratch("none_g"), TRACE_SIDE_GUEST, 1000000000, 1), 0);
    assert_int_equal(ctf_dir_create(scratch("none_h"), TRACE_SIDE_HOST, 0, 1), 0);
    assert_int_equal(join_dirs(&j, scratch("none_g"), scratch("none_h")), 0);
    assert_int_equal(j.chain_count + j.unmatched + j.guest.records + j.host.records, 0);
    assert_false(j.clock.valid);
    join_free(&j);
}

static uint64_t next_random(uint64_t *random)
{
    *random = *random * 6364136223846793005u + 1442695040888963407u;
    return *random >> 33;
}

/* Whatever the bytes, reading and joining ends, and every record that was read has its class. */
static void mutated_streams_never_crash(void **state)
{
    (void)state;
    uint64_t random = 99;
    char *bytes = malloc(good_stream_size);
    for (int round = 0; round < 600; round++) {
        struct join j;
        size_t size = good_stream_size, flips = 1 + next_random(&random) % 40;
        memcpy(bytes, good_stream, size);
        for (size_t i = 0; i < flips; i++)
            bytes[next_random(&random) % size] = (char)next_random(&random);
        if (round % 10 == 0)
            size = next_random(&random) % size;
        put(scratch("guest/stream_0"), bytes, size);
        complaints_begin();
        int bad = join_dirs(&j, scratch("guest"), scratch("host"));
        const char *said = complaints_end();
        assert_int_equal(bad, 0);
        assert_int_equal(j.guest.damaged, !!strstr(said, "guest/stream_0: offset "));
        assert_true(export_adds_up(&j));
        join_free(&j);
    }
    put(scratch("guest/stream_0"), good_stream, good_stream_size);
    free(bytes);
}

static void refuse_log(const char *text, size_t size, const char *part)
{
    put(scratch("bad.log"), text, size);
    complaints_begin();
    int bad = convert_log(scratch("bad.log"), scratch("bad_host"));
    const char *said = complaints_end();
    assert_true(bad);
    one_line_with(said, part);
    one_line_with(said, "bad.log");
}

static void bad_logs_are_refused_by_line(void **state)
{
    (void)state;
    static const struct {
        const char *text, *part;
    } logs[] = {
        { "", "no record in it" },
        { "Attaching 12 probes...\nLost 5 events\n", "no record in it" },
        { "R 0 1 5 69 255 0 0 1 0 6\n", "bad.log:1: not `R cpu" },
        { "V 1\nR 0 1 5 69 255 0 0 1 0 6 0 9\n", "bad.log:2: not `R cpu" },
        { "R 0 1 5 69 256 0 0 1 0 6 0\n", "bad.log:1: " },
        { "R 0 1 -5 69 255 0 0 1 0 6 0\n", "bad.log:1: " },
        { "R 99999 1 5 69 255 0 0 1 0 6 0\n", "bad.log:1: " },
        { "R 0 1 99999999999999999999 69 255 0 0 1 0 6 0\n", "bad.log:1: " },
        { "R 0 1 5 69 255 0 xyz 1 0 6 0\n", "bad.log:1: " },
        { "R 0 1 5 69 255 0 0 1 0 6 0\n", "mark 7 (missing)" },
        { "R 0 1 5 69 255 0 0 1 0 7 0\n", "mark 6 (missing)" },
        { "R 0 1 5 69 255 0 0 1 0 7 0\nR 0 2 9 69 255 0 0 1 0 6 0\n", "in this order" },
        { "R 0 5 9000000000 69 255 0 0 1 0 6 0\nR 0 9 1 69 255 0 0 1 0 7 0\n", "two tracer runs" },
    };
    for (size_t i = 0; i < sizeof logs / sizeof *logs; i++)
        refuse_log(logs[i].text, strlen(logs[i].text), logs[i].part);
    static const char nul[] = "R 0 1 5 69 255 0 0 1 0 6 0\0R\n";
    refuse_log(nul, sizeof nul - 1, "bad.log:1: ");
    complaints_begin();
    assert_true(convert_log(scratch("nolog"), scratch("bad_host")));
    one_line_with(complaints_end(), "nolog: No such file");
}

/* A log that bpftrace was still writing ends in the middle of a line. */
static void a_cut_last_line_is_no_error(void **state)
{
    (void)state;
    struct reader r;
    uint64_t records[2], lost[2];
    const char *end = good_log + good_log_size - 1;
    while (end > good_log && end[-1] != '\n')
        end--;
    put(scratch("cut.log"), good_log, (size_t)(end - good_log) + 9);
    assert_int_equal(convert_log(scratch("cut.log"), scratch("cut")), 0);
    assert_int_equal(convert_log(scratch("host.log"), scratch("host")), 0);
    for (int cut = 0; cut < 2; cut++) {
        struct event e;
        assert_int_equal(reader_open(&r, scratch(cut ? "cut" : "host"), TRACE_SIDE_HOST), 0);
        while (reader_next(&r, &e))
            ;
        records[cut] = r.records;
        lost[cut] = r.lost;
        reader_close(&r);
    }
    assert_int_equal(records[0], records[1]); /* the last line is another guest's */
    assert_int_equal(lost[0], lost[1]);
    assert_true(lost[0] > 0);
}

static void mutated_logs_never_crash(void **state)
{
    (void)state;
    uint64_t random = 7;
    char *text = malloc(good_log_size);
    for (int round = 0; round < 400; round++) {
        memcpy(text, good_log, good_log_size);
        size_t flips = 1 + next_random(&random) % 6;
        for (size_t i = 0; i < flips; i++)
            text[next_random(&random) % good_log_size] =
                (char)(round % 2 ? next_random(&random) : '0' + next_random(&random) % 10);
        put(scratch("mutated.log"), text, good_log_size);
        complaints_begin();
        int bad = convert_log(scratch("mutated.log"), scratch("mutated"));
        const char *said = complaints_end();
        if (bad)
            one_line_with(said, "mutated.log");
        else
            assert_int_equal(strlen(said), 0);
    }
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(damaged_packets_are_refused_by_offset),
        cmocka_unit_test(foreign_directories_are_refused),
        cmocka_unit_test(an_empty_trace_joins_to_nothing),
        cmocka_unit_test(mutated_streams_never_crash),
        cmocka_unit_test(bad_logs_are_refused_by_line),
        cmocka_unit_test(a_cut_last_line_is_no_error),
        cmocka_unit_test(mutated_logs_never_crash),
    };
    return cmocka_run_group_tests(tests, make_good, free_good);
}
