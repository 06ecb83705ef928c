/* Modes, losses, triggers and the mask, seen through the reader that a host has. */
// clang-format off
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
// clang-format on
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../buffer.h"
#include "../ctf/classes.h"
#include "../ctf/region.h"
#include "../ctf/snapshot.h"
#include "../trace.h"
#include "../trigger.h"

#define PER     ((uint64_t)TRACE_RECORDS_PER_PACKET)
#define PACKETS 8
#define CPUS    2
#define BYTES   (TRACE_HEAD_BYTES + CPUS * PACKETS * TRACE_PACKET_BYTES)

static char path[] = "/tmp/trace-test-XXXXXX";
static char out_dir[sizeof path + 8];
static uint8_t *ram;
static struct region host;

static void begin(const char *triggers, unsigned post)
{
    char why[256];
    region_close(&host);
    assert_int_equal(trace_buffer_init(ram + TRACE_REGION_PADDR, BYTES, CPUS, 1000000000), 0);
    assert_int_equal(trace_trigger_set(triggers, post), 0);
    if (region_open(&host, path, why, sizeof why))
        fail_msg("%s", why);
}

static void emit(uint64_t n)
{
    while (n--)
        trace_emit(TRACE_EV_poll, 0, 0, 0, 0, 0);
}

static void losses_are_counted_by_class(void **state)
{
    (void)state;
    struct snapshot_count n;
    begin("", 50);
    trace_region()->overwrite = 0;
    emit(PACKETS * PER + 5);
    trace_emit(TRACE_EV_kick, 1, 0, 1, 0, 0);
    trace_emit(TRACE_EV_fault, 1, 0, 1, 0, 0);
    assert_int_equal(region_reserved(&host, 0), PACKETS * PER);
    assert_int_equal(region_lost(&host, 0), 7);
    assert_int_equal(region_lost_of(&host, 0, TRACE_CLASS_poll), 5);
    assert_int_equal(region_lost_of(&host, 0, TRACE_CLASS_notify), 1);
    assert_int_equal(region_lost_of(&host, 0, TRACE_CLASS_control), 1);
    assert_int_equal(region_lost(&host, 1), 0);
    assert_int_equal(snapshot_dump(&host, out_dir, &n), 0);
    assert_int_equal(n.records, PACKETS * PER);
    assert_int_equal(n.dropped, 7);
    assert_int_equal(n.overwritten + n.uncommitted + n.stopped, 0);
    assert_int_equal(region_trigger(&host).fired, TRACE_TRIGGER_none);
}

/* What a packet's header counts as discarded, in the guest: all up to the packet's end. */
static void headers_count_losses_up_to_their_end(void **state)
{
    (void)state;
    begin("", 50);
    struct trace_cpu_area *area = &trace_region()->cpu[0];
    emit(PER);
    area->lost = 3; /* as if nested writers had found no packet ready */
    emit(PER - 1);
    area->lost = 8;
    emit(2);
    assert_int_equal(region_packet(&host, 0, 0)->header.discarded, 0);
    assert_int_equal(region_packet(&host, 0, 1)->header.discarded, 8);
}

/* The trigger's record is the next one, and then comes the share. */
static void check_stopped(enum trace_trigger which, unsigned post, uint64_t record, uint64_t value)
{
    struct snapshot_count n;
    struct trace_trigger_mark mark = region_trigger(&host);
    uint64_t share = (PACKETS - 1) * PER * post / 100, stop = record + 2 + share;
    emit(3 * PACKETS * PER);
    assert_int_equal(mark.fired, which);
    assert_int_equal(mark.record, record);
    assert_int_equal(mark.value, value);
    assert_int_equal(mark.cpu, 0);
    assert_int_equal(region_reserved(&host, 0), stop);
    assert_int_equal(region_lost(&host, 0), 0);
    assert_int_equal(region_stopped(&host, 0), 3 * PACKETS * PER - share);
    struct trace_record r;
    assert_int_equal(region_record(&host, 0, record + 1, &r), 1);
    assert_int_equal(r.id, TRACE_EV_trigger);
    assert_int_equal(r.a, which);
    assert_true(region_oldest(&host, 0) <= record);
    assert_int_equal(snapshot_dump(&host, out_dir, &n), 0);
    assert_int_equal(n.records, stop - region_oldest(&host, 0));
    assert_int_equal(n.stopped, 3 * PACKETS * PER - share);
}

static void a_trigger_stops_after_its_share(void **state)
{
    (void)state;
    static const unsigned posts[] = { 0, 1, 50, 75 };
    static const uint64_t before[] = { 0, 1, PER - 2, PER - 1, 5 * PER + 7, 21 * PER - 1 };
    for (size_t i = 0; i < sizeof posts / sizeof *posts; i++)
        for (size_t k = 0; k < sizeof before / sizeof *before; k++) {
            begin("stall,fault", posts[i]);
            emit(before[k]);
            trace_emit(TRACE_EV_rescue, 1, 0, 0, 17, 4711);
            check_stopped(TRACE_TRIGGER_stall, posts[i], before[k], 4711);
        }
}

/* The other CPU stops too, after the same share of its own. */
static void every_cpu_stops(void **state)
{
    (void)state;
    begin("fault", 50);
    emit(3);
    trace_emit(TRACE_EV_fault, 1, 0, 0, 2, 1);
    assert_int_equal(trace_region()->cpu[1].stop_at, (PACKETS - 1) * PER / 2);
}

static void only_the_first_counts_and_only_if_armed(void **state)
{
    (void)state;
    begin("fault", 50);
    emit(5);
    trace_emit(TRACE_EV_rescue, 1, 0, 0, 0, 0);
    assert_int_equal(region_trigger(&host).fired, TRACE_TRIGGER_none);
    trace_emit(TRACE_EV_fault, 1, 0, 0, 3, 1);
    trace_emit(TRACE_EV_fault, 0, 0, 0, 3, 2);
    assert_int_equal(region_trigger(&host).fired, TRACE_TRIGGER_fault);
    assert_int_equal(region_trigger(&host).record, 6);
    assert_int_equal(region_trigger(&host).value, 1);
    assert_int_equal(region_trigger(&host).vq, 1);
}

static void busy_for_us(uint64_t us)
{
    for (uint64_t from = trace_now(); trace_now() - from < us * 1000;)
        ;
}

/* A TSC of 1 GHz is said of the region, so a microsecond is 1000 counts of whatever clock this is.
 */
static void a_latency_above_the_threshold_fires(void **state)
{
    (void)state;
    begin("latency:3600000000", 50);
    trace_emit(TRACE_EV_irq, 0, 0, 0, 0, 0);
    busy_for_us(50);
    trace_emit(TRACE_EV_harvest, 0, 0, 0, 0, 0);
    assert_int_equal(region_trigger(&host).fired, TRACE_TRIGGER_none);
    begin("latency:40", 50);
    trace_emit(TRACE_EV_harvest, 0, 0, 0, 0, 0); /* a poll without an interrupt before it */
    trace_emit(TRACE_EV_irq, 0, 0, 0, 0, 0);
    busy_for_us(50);
    trace_emit(TRACE_EV_harvest, 2, 0, 0, 0, 0); /* another queue's */
    assert_int_equal(region_trigger(&host).fired, TRACE_TRIGGER_none);
    trace_emit(TRACE_EV_harvest, 0, 0, 0, 0, 0);
    assert_int_equal(region_trigger(&host).fired, TRACE_TRIGGER_latency);
    assert_true(region_trigger(&host).value >= 50);
    assert_string_equal(region_trigger_unit(TRACE_TRIGGER_latency), "us");
    begin("doorbell:40", 50);
    uint64_t before = trace_now();
    busy_for_us(50);
    trace_emit(TRACE_EV_kick, 1, 0, 1, 0, before);
    assert_int_equal(region_trigger(&host).fired, TRACE_TRIGGER_doorbell);
}

static void a_list_of_triggers_is_checked(void **state)
{
    (void)state;
    static const char *const bad[] = { "stal",
                                       "stalls",
                                       ",",
                                       "stall:5",
                                       "latency",
                                       "latency:",
                                       "latency:5us",
                                       "fault;stall",
                                       "latency:3600000001",
                                       "none",
                                       "latency:99999999999999999999999" };
    begin("", 50);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        if (!trace_trigger_set(bad[i], 50))
            fail_msg("'%s' was taken", bad[i]);
        assert_int_equal(trace_region()->trigger.armed, 0);
    }
    assert_int_equal(trace_trigger_set("stall,fault,broken,latency:1,doorbell:3600000000", 1), 0);
    assert_int_equal(trace_region()->trigger.armed, 0x3e);
}

static void the_host_sets_the_mask(void **state)
{
    (void)state;
    uint32_t mask = TRACE_MASK_ALL;
    begin("", 50);
    assert_int_equal(trace_mask_parse("-poll,-ring", &mask), 0);
    assert_int_equal(mask, ~(1u << TRACE_CLASS_poll | 1u << TRACE_CLASS_ring));
    assert_int_equal(trace_mask_parse("+poll", &mask), 0);
    assert_int_equal(mask, ~(1u << TRACE_CLASS_ring));
    assert_int_equal(trace_mask_parse("notify,control", &mask), 0);
    assert_int_equal(mask, 1u << TRACE_CLASS_notify | 1u << TRACE_CLASS_control);
    assert_int_equal(region_set_mask(&host, mask), 0);
    TRACE_AT(poll, 0, 0, 0, 0, 0);
    TRACE_AT(irq, 0, 0, 0, 0, 0);
    assert_int_equal(region_reserved(&host, 0), 1);
    assert_int_equal(region_lost(&host, 0), 0);
    assert_int_equal(trace_mask_parse("0x10", &mask), 0);
    assert_int_equal(mask, 0x10);
    static const char *const bad[] = { "",      "poll,-ring", "+poll,ring", "pol",
                                       "polls", "1x",         "poll,,ring" };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_equal(trace_mask_parse(bad[i], &mask), -1);
    assert_int_equal(mask, 0x10);
    assert_int_equal(trace_mask_parse("none", &mask), 0);
    assert_int_equal(region_set_mask(&host, mask), 0);
    TRACE_AT(irq, 0, 0, 0, 0, 0);
    assert_int_equal(region_reserved(&host, 0), 1);
}

static int open_file(void **state)
{
    (void)state;
    int fd = mkstemp(path);
    snprintf(out_dir, sizeof out_dir, "%s.d", path);
    if (fd < 0 || ftruncate(fd, TRACE_REGION_PADDR + BYTES))
        return -1;
    ram = mmap(NULL, TRACE_REGION_PADDR + BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    close(fd);
    return ram == MAP_FAILED ? -1 : 0;
}

static int remove_file(void **state)
{
    char name[sizeof out_dir + 16];
    static const char *const files[] = { "metadata", "stream_0", "stream_1" };
    (void)state;
    for (int i = 0; i < 3; i++) {
        snprintf(name, sizeof name, "%s/%s", out_dir, files[i]);
        unlink(name);
    }
    rmdir(out_dir);
    region_close(&host);
    return unlink(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(losses_are_counted_by_class),
        cmocka_unit_test(headers_count_losses_up_to_their_end),
        cmocka_unit_test(a_trigger_stops_after_its_share),
        cmocka_unit_test(every_cpu_stops),
        cmocka_unit_test(only_the_first_counts_and_only_if_armed),
        cmocka_unit_test(a_latency_above_the_threshold_fires),
        cmocka_unit_test(a_list_of_triggers_is_checked),
        cmocka_unit_test(the_host_sets_the_mask),
    };
    return cmocka_run_group_tests_name("trigger", tests, open_file, remove_file);
}
