/* The programs end to end: exit codes, outputs that add up, and babeltrace2 as an outside reader.
 */
#include "kit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../ctf/stream.h"

#define JOIN        program("join/ringjoin"), scratch("guest"), scratch("host"), scratch("out")
#define JOIN_FORMAT "%s --guest %s --host %s --out %s"

static char out[1 << 20];

static void write_and_convert(struct world *w, long skip_guest, long skip_host)
{
    assert_int_equal(world_write(w, scratch("guest"), scratch("host.log"), skip_guest, skip_host),
                     0);
    if (run(out, sizeof out, "%s --log %s --pid %d --begin %d --end %d --out %s",
            program("join/hostlog2ctf"), scratch("host.log"), WORLD_QEMU_PID, WORLD_BEGIN_MARK,
            WORLD_END_MARK, scratch("host")))
        fail_msg("%s", out);
}

static double number(const char *file, const char *name)
{
    char path[512], line[256];
    double value = -1;
    snprintf(path, sizeof path, "%s/%s", scratch("out"), file);
    FILE *f = fopen(path, "r");
    assert_non_null(f);
    while (fgets(line, sizeof line, f)) {
        char *tab = strchr(line, '\t');
        if (tab && (size_t)(tab - line) == strlen(name) && !strncmp(line, name, strlen(name)))
            value = strtod(tab + 1, NULL);
    }
    fclose(f);
    return value;
}

static void a_clean_join_ends_with_0(void **state)
{
    (void)state;
    struct world w;
    struct world_options o = world_defaults(11);
    world_make(&w, &o);
    write_and_convert(&w, -1, -1);
    int status = run(out, sizeof out, JOIN_FORMAT " --timeline %s", JOIN, scratch("timeline.tsv"));
    if (status)
        fail_msg("%d: %s", status, out);
    assert_true(number("join.tsv", "chains") == w.kick_count);
    assert_true(number("join.tsv", "guest_records") == w.guest_count);
    assert_true(number("join.tsv", "trace_lost") == 0);
    assert_true(number("join.tsv", "unmatched") == 0);
    assert_true(number("join.tsv", "guest_tx_kicks") == number("join.tsv", "host_tx_kicks"));
    assert_true(number("join.tsv", "clock_bound_us") > 0);
    run(out, sizeof out, "grep -c . %s", scratch("out/chains.tsv"));
    assert_int_equal(atoi(out), w.kick_count + 1);
    run(out, sizeof out,
        "awk -F'\\t' 'NR == 1 { n = NF } NF != n { bad = 1 } END { print bad + 0 }' %s",
        scratch("out/chains.tsv"));
    assert_string_equal(out, "0\n");
    run(out, sizeof out,
        "awk -F'\\t' 'NR == 1 { next } $2 == \"total\" { if (sum[$1] != $3) bad = 1; n++; next } "
        "{ sum[$1] += $3 } END { print n, bad + 0, sum[\"guest\"] + sum[\"host\"] }' %s",
        scratch("out/classes.tsv"));
    char expected[64];
    snprintf(expected, sizeof expected, "2 0 %u\n", w.guest_count + w.host_count - 4);
    assert_string_equal(out, expected);
    run(out, sizeof out, "cut -f 1 %s | tr '\\n' ,", scratch("timeline.tsv"));
    assert_non_null(strstr(out, "lane,publish,kick,vhost service,call,irq,harvest,"));
    world_free(&w);
}

static void a_missing_kick_ends_with_3(void **state)
{
    (void)state;
    struct world w;
    struct world_options o = world_defaults(12);
    world_make(&w, &o);
    long host = -1, guest = -1;
    for (unsigned i = 0; i < w.host_count && host < 0; i++)
        if (i > w.host_count / 2 && w.host[i].record.id == TRACE_EV_host_kick)
            host = i;
    for (unsigned i = 0; i < w.guest_count && guest < 0; i++)
        if (i > w.guest_count / 2 && w.guest[i].id == TRACE_EV_kick)
            guest = i;
    write_and_convert(&w, -1, host);
    int status = run(out, sizeof out, JOIN_FORMAT, JOIN);
    assert_int_equal(status, 3);
    assert_non_null(strstr(out, "no host kick for"));
    assert_true(number("join.tsv", "unmatched") == 1);
    write_and_convert(&w, guest, -1);
    status = run(out, sizeof out, JOIN_FORMAT, JOIN);
    assert_int_equal(status, 3);
    assert_non_null(strstr(out, "no guest kick for"));
    world_free(&w);
}

static void wrong_use_ends_with_2(void **state)
{
    (void)state;
    struct world w;
    struct world_options o = world_defaults(13);
    o.sends = 20;
    world_make(&w, &o);
    write_and_convert(&w, -1, -1);
    assert_int_equal(run(out, sizeof out, "%s", program("join/ringjoin")), 2);
    assert_int_equal(run(out, sizeof out, JOIN_FORMAT, program("join/ringjoin"), scratch("host"),
                         scratch("guest"), scratch("out")),
                     2);
    assert_int_equal(run(out, sizeof out, JOIN_FORMAT " --print x", JOIN), 2);
    assert_int_equal(run(out, sizeof out, JOIN_FORMAT " --print 99999", JOIN), 2);
    assert_non_null(strstr(out, "no chain '99999'"));
    assert_int_equal(run(out, sizeof out, JOIN_FORMAT, program("join/ringjoin"), scratch("guest"),
                         scratch("host"), "/nowhere/at/all"),
                     2);
    assert_int_equal(run(out, sizeof out, JOIN_FORMAT " --print slowest", JOIN), 0);
    assert_non_null(strstr(out, "side   stage"));
    assert_int_equal(run(out, sizeof out, JOIN_FORMAT " --chains-max 3", JOIN), 0);
    run(out, sizeof out, "grep -c . %s", scratch("out/chains.tsv"));
    assert_int_equal(atoi(out), 4);
    assert_int_equal(run(out, sizeof out, "%s guest", program("ctf/ctf-metadata")), 2);
    assert_int_equal(run(out, sizeof out, "%s guest --tsc-hz 0", program("ctf/ctf-metadata")), 2);
    assert_int_equal(run(out, sizeof out, "%s host --cpu-count 2", program("ctf/ctf-metadata")), 0);
    assert_ptr_equal(strstr(out, "/* CTF 1.8 */\n"), out);
    world_free(&w);
}

/* Every event of the table, with its names, through a reader that is not ours. */
static void babeltrace_reads_every_event(void **state)
{
    (void)state;
    static const struct {
        uint16_t id;
        const char *name, *field[3];
    } events[] = {
#define GUEST_EVENT(id, name, class, seq, a, b, text) { id, #name, { #seq, #a, #b } },
#define HOST_EVENT                                    GUEST_EVENT
#include "../../events.def"
    };
    if (run(out, sizeof out, "command -v babeltrace2")) {
        print_message("skipped: babeltrace2 is not installed (apt-get install babeltrace2)\n");
        skip();
    }
    for (int side = 0; side < 2; side++) {
        const char *dir = scratch(side ? "bt_host" : "bt_guest");
        struct ctf_stream s;
        assert_int_equal(ctf_dir_create(dir, (enum trace_side)side, 2000000000, 1), 0);
        assert_int_equal(ctf_stream_open(&s, dir, 0), 0);
        for (size_t i = 0; i < sizeof events / sizeof *events; i++) {
            struct trace_record r = { 1000 + i,       events[i].id,  1, 0x12, 70000 + (uint32_t)i,
                                      1ull << 40 | i, 1ull << 50 | i };
            if ((events[i].id >= 64) != side)
                continue;
            assert_int_equal(ctf_stream_put(&s, &r), 0);
        }
        assert_int_equal(ctf_stream_gap(&s, 5, 2000, 3000), 0);
        struct trace_record last = { 3000, side ? 69 : 1, 0, 0, 0, 0, 0 };
        assert_int_equal(ctf_stream_put(&s, &last), 0);
        assert_int_equal(ctf_stream_close(&s), 0);
        if (run(out, sizeof out, "babeltrace2 --clock-cycles %s", dir))
            fail_msg("%s", out);
        assert_non_null(strstr(out, "discarded 5 events"));
        for (size_t i = 0; i < sizeof events / sizeof *events; i++) {
            char line[256];
            if ((events[i].id >= 64) != side)
                continue;
            int used = strcmp(events[i].field[0], "none") != 0;
            snprintf(
                line, sizeof line,
                "[%020zu] (%s) %s: { cpu_id = 0, pad = 0 }, { vq = 1, flags = 0x12, %s = %zu, ",
                1000 + i, "", events[i].name, used ? events[i].field[0] : "unused_seq", 70000 + i);
            char *name = strstr(line, events[i].name);
            char *found = strstr(out, name);
            if (!found)
                fail_msg("no '%s' in: %s", name, out);
            found =
                strstr(found, strcmp(events[i].field[1], "none") ? events[i].field[1] : "unused_a");
            snprintf(line, sizeof line, " = %llu, ", (unsigned long long)(1ull << 40 | i));
            assert_non_null(strstr(found, line));
        }
    }
}

/* A whole world, with losses, counted by babeltrace2 and by us. */
static void babeltrace_counts_as_we_do(void **state)
{
    (void)state;
    if (run(out, sizeof out, "command -v babeltrace2")) {
        print_message("skipped: babeltrace2 is not installed (apt-get install babeltrace2)\n");
        skip();
    }
    struct world w;
    struct world_options o = world_defaults(14);
    o.guest_loss = o.host_loss = .02;
    world_make(&w, &o);
    write_and_convert(&w, -1, -1);
    char expected[64];
    for (int side = 0; side < 2; side++) {
        const char *dir = scratch(side ? "host" : "guest");
        int status =
            run(out, sizeof out,
                "sh -c 'babeltrace2 %s 2>%s | wc -l; awk \"/iscarded/ { for (i = 1; i < NF; "
                "i++) if (\\$i == \\\"discarded\\\") n += \\$(i + 1) } END { print n + 0 }\" %s'",
                dir, scratch("warnings"), scratch("warnings"));
        assert_int_equal(status, 0);
        snprintf(expected, sizeof expected, "%lu\n%lu\n", side ? w.host_written : w.guest_written,
                 side ? w.host_lost : w.guest_lost);
        assert_string_equal(out, expected);
    }
    world_free(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_clean_join_ends_with_0),
        cmocka_unit_test(a_missing_kick_ends_with_3),
        cmocka_unit_test(wrong_use_ends_with_2),
        cmocka_unit_test(babeltrace_reads_every_event),
        cmocka_unit_test(babeltrace_counts_as_we_do),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
