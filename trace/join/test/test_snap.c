/* The guest's own buffer code writes into a file that stands for guest RAM; the snapshot reads it.
 */
#include "kit.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../../buffer.h"
#include "../../ctf/snapshot.h"

void trace_emit(uint16_t id, uint8_t vq, uint8_t flags, uint32_t seq, uint64_t a, uint64_t b);

#define PER        TRACE_RECORDS_PER_PACKET
#define TSC_HZ     1000000000
#define COUNTER_AT 0x800

static uint8_t *ram;
static size_t ram_bytes;
static uint32_t written;

static void new_ram(unsigned packets)
{
    ram_bytes = TRACE_REGION_PADDR + TRACE_HEAD_BYTES + packets * TRACE_PACKET_BYTES;
    if (ram)
        munmap(ram, ram_bytes);
    unlink(scratch("ram"));
    int fd = open(scratch("ram"), O_RDWR | O_CREAT, 0600);
    assert_true(fd >= 0);
    assert_int_equal(ftruncate(fd, (off_t)ram_bytes), 0);
    ram = mmap(NULL, ram_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    assert_true(ram != MAP_FAILED);
    close(fd);
    written = 0;
    assert_int_equal(trace_buffer_init(ram + TRACE_REGION_PADDR,
                                       TRACE_HEAD_BYTES + packets * TRACE_PACKET_BYTES, 1, TSC_HZ),
                     0);
}

/* Record number i (from 1) carries i in every field. */
static void emit(unsigned n)
{
    while (n--) {
        written++;
        trace_emit(TRACE_EV_poll, 1, 0, written, written, written);
    }
}

static struct region open_ram(void)
{
    struct region r;
    char why[512];
    if (region_open(&r, scratch("ram"), why, sizeof why))
        fail_msg("%s", why);
    return r;
}

/* The guest takes a packet for the next lap when it writes the first record of the one before. */
static uint64_t oldest_of(uint64_t packets, uint64_t records)
{
    uint64_t prepared = (records - 1) / PER + 2;
    return prepared > packets ? (prepared - packets) * PER : 0;
}

static struct position at(uint64_t reserved, uint64_t lost)
{
    return (struct position){ .reserved = { reserved }, .lost = { lost } };
}

static struct snapshot_count cut(uint64_t from, uint64_t to, uint64_t lost)
{
    struct snapshot_count n;
    struct region r = open_ram();
    struct position begin = at(from, 0), end = at(to, lost);
    assert_int_equal(snapshot_cut(&r, &begin, &end, scratch("cut"), &n), 0);
    region_close(&r);
    return n;
}

/* Reads a directory back: `count` records, numbered from `first` without a gap. */
static void expect(const char *dir, uint32_t first, size_t count, uint64_t lost)
{
    struct trace t;
    assert_int_equal(trace_read(&t, scratch(dir), TRACE_SIDE_GUEST), 0);
    assert_int_equal(t.reader.hz, TSC_HZ);
    assert_int_equal(t.count, count);
    assert_int_equal(t.lost, lost);
    for (size_t i = 0; i < t.count; i++) {
        assert_int_equal(t.events[i].seq, first + i);
        assert_int_equal(t.events[i].a, first + i);
        assert_int_equal(t.events[i].b, first + i);
    }
    trace_free(&t);
}

static void a_cut_holds_exactly_what_was_asked_for(void **state)
{
    (void)state;
    static const unsigned froms[] = { 0, 1, PER - 1, PER, 2 * PER + 5 };
    new_ram(8);
    emit(5 * PER + 17);
    for (size_t i = 0; i < 5; i++)
        for (unsigned to = froms[i]; to <= written; to += 61) {
            struct snapshot_count n = cut(froms[i], to, 0);
            assert_int_equal(n.records, to - froms[i]);
            assert_int_equal(n.overwritten + n.uncommitted + n.dropped, 0);
            expect("cut", froms[i] + 1, to - froms[i], 0);
        }
}

static void overwritten_records_are_counted(void **state)
{
    (void)state;
    new_ram(4);
    for (unsigned step = 0; step < 30; step++) {
        emit(37);
        uint64_t oldest = oldest_of(4, written);
        struct snapshot_count n = cut(0, written, 0);
        assert_int_equal(n.overwritten, oldest);
        assert_int_equal(n.records, written - oldest);
        expect("cut", (uint32_t)oldest + 1, written - oldest, oldest);
    }
}

static void discarding_keeps_the_oldest(void **state)
{
    (void)state;
    new_ram(3);
    trace_region()->overwrite = 0;
    emit(3 * PER + 50);
    assert_int_equal(trace_region()->cpu[0].lost, 50);
    struct snapshot_count n = cut(10, 3 * PER, 50);
    assert_int_equal(n.records, 3 * PER - 10);
    assert_int_equal(n.dropped, 50);
    expect("cut", 11, 3 * PER - 10, 50);
}

/* A slot that was reserved and never finished, as a crash leaves it, on a first and a second lap.
 */
static void uncommitted_records_are_counted_where_they_are(void **state)
{
    (void)state;
    new_ram(4);
    for (unsigned lap = 0; lap < 2; lap++) {
        emit(lap ? 4 * PER : 2 * PER + 9);
        unsigned hole = written - 5;
        struct trace_packet *p = (struct trace_packet *)(ram + TRACE_REGION_PADDR +
                                                         trace_region()->cpu[0].first_packet) +
                                 hole / PER % 4;
        p->records[hole % PER].id = 0;
        struct snapshot_count n = cut(written - 20, written, 0);
        assert_int_equal(n.uncommitted, 1);
        assert_int_equal(n.records, 19);
        struct trace t;
        assert_int_equal(trace_read(&t, scratch("cut"), TRACE_SIDE_GUEST), 0);
        assert_int_equal(t.lost, 1);
        assert_true(reader_lost_between(&t.reader, t.events[14].time, t.events[15].time));
        assert_false(reader_lost_between(&t.reader, t.events[0].time, t.events[13].time));
        assert_int_equal(t.events[14].seq + 2, t.events[15].seq);
        trace_free(&t);
    }
}

static void a_dump_holds_all_and_closes_the_open_packet(void **state)
{
    (void)state;
    new_ram(4);
    for (unsigned step = 0; step < 25; step++) {
        struct snapshot_count n;
        emit(41);
        struct region r = open_ram();
        assert_int_equal(snapshot_dump(&r, scratch("dump"), &n), 0);
        region_close(&r);
        uint64_t oldest = oldest_of(4, written);
        assert_int_equal(n.records, written - oldest);
        assert_int_equal(n.uncommitted, 0);
        expect("dump", (uint32_t)oldest + 1, written - oldest, 0);
    }
}

/* The snapshot's reads of guest memory are wrapped by the linker: before the read that `race` names
 * the guest writes on, so that its place in the race is the test's choice and not a scheduler's. */
static struct {
    unsigned reads, at, records;
} race = { .at = -1u };

static void guest_runs(void)
{
    if (race.reads++ == race.at)
        emit(race.records);
}

int __real_region_record(const struct region *r, unsigned cpu, uint64_t index,
                         struct trace_record *record);
uint64_t __real_region_reserved(const struct region *r, unsigned cpu);
int __wrap_region_record(const struct region *r, unsigned cpu, uint64_t index,
                         struct trace_record *record);
uint64_t __wrap_region_reserved(const struct region *r, unsigned cpu);

int __wrap_region_record(const struct region *r, unsigned cpu, uint64_t index,
                         struct trace_record *record)
{
    guest_runs();
    return __real_region_record(r, cpu, index, record);
}

uint64_t __wrap_region_reserved(const struct region *r, unsigned cpu)
{
    guest_runs();
    return __real_region_reserved(r, cpu);
}

/* Cuts the last `back` records while the guest writes `records` more before the cut's read `at`. */
static void cut_while_the_guest_writes(unsigned packets, uint32_t back, unsigned at,
                                       unsigned records)
{
    struct trace t;
    uint32_t end = written, from = end - back;
    race.reads = 0;
    race.at = at;
    race.records = records;
    struct snapshot_count n = cut(from, end, 0);
    assert_int_equal(trace_read(&t, scratch("cut"), TRACE_SIDE_GUEST), 0);
    assert_int_equal(n.records, t.count);
    assert_int_equal(t.count + t.lost, back);
    /* What the guest cannot have reached is there. */
    uint64_t oldest = oldest_of(packets, end + records);
    assert_true(t.count >= (oldest <= from ? back : oldest < end ? end - oldest : 0));
    for (size_t i = 0; i < t.count; i++) {
        assert_int_equal(t.events[i].seq, end - t.count + i + 1);
        assert_int_equal(t.events[i].a, t.events[i].seq);
        assert_int_equal(t.events[i].b, t.events[i].seq);
    }
    trace_free(&t);
    if (race.reads <= at)
        emit(records);
}

/* The guest laps the buffer while it is cut: nothing torn, nothing from another lap. */
static void a_cut_of_a_running_guest_is_whole(void **state)
{
    (void)state;
    enum { PACKETS = 8, BACK = 5 * PER };
    new_ram(PACKETS);
    emit(PACKETS * PER);
    for (unsigned at = 0; at < BACK + 4; at += at < 4 || at > BACK - 4 ? 1 : 41)
        for (unsigned ahead = 1; ahead < (PACKETS + 6) * PER; ahead += 59)
            cut_while_the_guest_writes(PACKETS, BACK, at, ahead);
    race.at = -1u;
}

static void garbage_is_refused_in_one_line(void **state)
{
    (void)state;
    uint64_t random = 5;
    unsigned refused = 0;
    new_ram(4);
    emit(700);
    for (int round = 0; round < 3000; round++) {
        struct trace_region saved = *trace_region();
        uint8_t *head = ram + TRACE_REGION_PADDR;
        for (int i = 0; i < 1 + round % 4; i++) {
            random = random * 6364136223846793005u + 1442695040888963407u;
            head[(random >> 33) % (round & 1 ? 320 : sizeof saved)] = (uint8_t)(random >> 20);
        }
        char why[512] = "";
        struct region r;
        struct snapshot_count n;
        if (region_open(&r, scratch("ram"), why, sizeof why)) {
            assert_non_null(strstr(why, "ram: offset 0x"));
            assert_null(strchr(why, '\n'));
            refused++;
        } else {
            uint64_t value;
            for (unsigned i = 0; i < r.head.counters_used; i++)
                region_counter(&r, i, &value);
            if (r.live->cpu[0].reserved < 100000)
                snapshot_dump(&r, scratch("dump"), &n);
            region_close(&r);
        }
        memcpy(trace_region(), &saved, sizeof saved);
    }
    assert_true(refused > 300);
}

/* The program as the cell runner calls it. */
static void the_program_answers(void **state)
{
    (void)state;
    char out[4096];
    const char *ringsnap = program("ctf/ringsnap"), *file = scratch("ram");
    new_ram(4);
    strcpy(trace_region()->about, "mode=hybrid\nevent_idx=1");
    assert_int_equal(trace_counter_add("tx_", "kicks", COUNTER_AT), 0);
    memcpy(ram + COUNTER_AT, &(uint64_t){ 1234567890123 }, 8);
    emit(300);
    assert_int_equal(run(out, sizeof out, "%s %s counters", ringsnap, file), 0);
    assert_string_equal(out, "tx_kicks\t1234567890123\n");
    assert_int_equal(run(out, sizeof out, "%s %s position", ringsnap, file), 0);
    assert_string_equal(out, "0 300 0\n");
    assert_int_equal(run(out, sizeof out, "%s %s state", ringsnap, file), 0);
    assert_non_null(strstr(out, "state\tbooting\nabout\tmode=hybrid?event_idx=1\n"));
    assert_non_null(strstr(out, "tsc_hz\t1000000000\n"));
    assert_int_equal(run(out, sizeof out, "%s %s wait READY 0.05", ringsnap, file), 4);
    assert_non_null(strstr(out, "still booting after 0.05 s"));
    trace_guest_state(TRACE_GUEST_READY);
    assert_int_equal(run(out, sizeof out, "%s %s wait READY 5", ringsnap, file), 0);
    trace_guest_state(TRACE_GUEST_PANIC);
    assert_int_equal(run(out, sizeof out, "%s %s wait done 5", ringsnap, file), 3);
    assert_int_equal(run(out, sizeof out, "%s %s wait sleeping 5", ringsnap, file), 2);
    assert_int_equal(run(out, sizeof out, "%s %s cut --from 100 --to 250 --out %s", ringsnap, file,
                         scratch("cut")),
                     0);
    assert_non_null(strstr(out, "records\t150\n"));
    expect("cut", 101, 150, 0);
    assert_int_equal(run(out, sizeof out, "%s %s cut --from 100 --to 301 --out %s", ringsnap, file,
                         scratch("cut")),
                     2);
    assert_non_null(strstr(out, "it has reserved 300"));
    assert_int_equal(run(out, sizeof out, "%s %s position", ringsnap, scratch("noram")), 2);
    assert_non_null(strstr(out, "noram: No such file"));
    assert_int_equal(run(out, sizeof out, "%s %s wait done 0.05", ringsnap, scratch("noram")), 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_cut_holds_exactly_what_was_asked_for),
        cmocka_unit_test(overwritten_records_are_counted),
        cmocka_unit_test(discarding_keeps_the_oldest),
        cmocka_unit_test(uncommitted_records_are_counted_where_they_are),
        cmocka_unit_test(a_dump_holds_all_and_closes_the_open_packet),
        cmocka_unit_test(a_cut_of_a_running_guest_is_whole),
        cmocka_unit_test(garbage_is_refused_in_one_line),
        cmocka_unit_test(the_program_answers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
