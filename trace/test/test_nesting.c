/* A writer interrupted by writers, between every two of its instructions: nothing is lost that has
 * room, nothing is torn, every packet is closed by the last to finish, what is lost is counted. */
// clang-format off
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
// clang-format on
#include <stdlib.h>
#include <string.h>

#include "../buffer.h"
#include "../trace.h"
#include "../writer.h"
#include "step.h"

#define PER         ((uint64_t)TRACE_RECORDS_PER_PACKET)
#define PACKETS     4
#define MAX_PACKETS 64

static _Alignas(4096) uint8_t memory[TRACE_HEAD_BYTES + MAX_PACKETS * TRACE_PACKET_BYTES];
static uint64_t packets;
static uint64_t tried;  /* calls of trace_emit; counted in one instruction, for it is interrupted */
static uint64_t nested; /* of them, by one burst of the interrupting function */
static unsigned in_step; /* where the innermost interruption is */

static uint64_t check_of(uint64_t number)
{
    return number * TRACE_SELFTEST_FACTOR;
}

static void emit_one(void)
{
    uint64_t n = __atomic_fetch_add(&tried, 1, __ATOMIC_RELAXED);
    trace_emit(TRACE_EV_selftest, 0, 0, (uint32_t)n + 1, n, check_of(n));
}

static void emit(uint64_t n)
{
    while (n--)
        emit_one();
}

static void burst(void)
{
    emit(nested);
}

static void begin(uint64_t of_packets, bool overwrite)
{
    static uint32_t garbage = 1;
    packets = of_packets;
    /* As another boot may have left it. */
    for (size_t i = TRACE_HEAD_BYTES; i < sizeof memory; i += 4, garbage = garbage * 1664525 + 7)
        memcpy(memory + i, &garbage, 4);
    assert_int_equal(trace_buffer_init(memory, TRACE_HEAD_BYTES + of_packets * TRACE_PACKET_BYTES,
                                       1, 1000000000),
                     0);
    trace_region()->overwrite = overwrite;
    tried = 0;
}

static const struct trace_cpu_area *area(void)
{
    return &trace_region()->cpu[0];
}

static struct trace_packet *packet(uint64_t number)
{
    return (struct trace_packet *)(memory + TRACE_HEAD_BYTES) + number % packets;
}

static void check_header(uint64_t number)
{
    const struct trace_packet *p = packet(number);
    bool full = area()->reserved >= (number + 1) * PER;
    if (p->header.packet_seq != number || p->header.magic != TRACE_CTF_MAGIC ||
        p->header.content_bits != (full ? 8u * TRACE_PACKET_BYTES : 0) ||
        p->header.committed != (full ? PER : area()->reserved - number * PER))
        fail_msg("step %u: header of packet %u: seq %u, content %u, committed %u", in_step,
                 (unsigned)number, (unsigned)p->header.packet_seq, (unsigned)p->header.content_bits,
                 p->header.committed);
    if (full && (p->header.time_begin != p->records[0].time ||
                 p->header.time_end != p->records[PER - 1].time))
        fail_msg("step %u: times of packet %u", in_step, (unsigned)number);
}

/* All is quiet: the buffer must hold what it says. Returns the records that are in it. */
static uint64_t check_all(void)
{
    static uint8_t seen[1 << 16];
    uint64_t reserved = area()->reserved, prepared = area()->prepared / 2, last = 0;
    uint64_t oldest = prepared > packets ? (prepared - packets) * PER : 0;
    assert_true(tried < sizeof seen);
    memset(seen, 0, tried);
    if (area()->prepared & 1)
        fail_msg("step %u: a packet was left half ready", in_step);
    for (uint64_t i = oldest; i < reserved; i++) {
        const struct trace_record *r = &packet(i / PER)->records[i % PER];
        if (r->id != TRACE_EV_selftest || r->a >= tried || r->b != check_of(r->a) ||
            r->seq != (uint32_t)r->a + 1 || seen[r->a]++ || r->time < last)
            fail_msg("step %u: record %u is not whole, doubled, or out of order", in_step,
                     (unsigned)i);
        last = r->time;
        if (i % PER == 0 || i == oldest)
            check_header(i / PER);
    }
    /* What is ready has no id that a reader could believe. */
    for (uint64_t i = reserved; i < prepared * PER; i++)
        assert_int_equal(packet(i / PER)->records[i % PER].id, 0);
    if (reserved + area()->lost + area()->stopped != tried ||
        area()->lost != area()->lost_of[TRACE_CLASS_control])
        fail_msg("step %u: %u tried, %u reserved, %u lost", in_step, (unsigned)tried,
                 (unsigned)reserved, (unsigned)area()->lost);
    return reserved - oldest;
}

/* The instructions of a record without a packet's beginning are fewer than that. Where a packet is
 * made ready there are hundreds more, most in one loop: some of them stand for all, each time
 * others. */
#define EVERY_STEP 100

static unsigned next_step(unsigned step)
{
    static unsigned turn;
    return step < EVERY_STEP ? step + 1 : step + 97 + turn++ % 7;
}

/* Interrupts the record that comes after `before` others, at every instruction, by `n` records. The
 * records that were lost in the worst case. */
static uint64_t interrupt_everywhere(uint64_t of_packets, bool overwrite, uint64_t before,
                                     uint64_t n)
{
    uint64_t worst = 0;
    bool inside = true;
    nested = n;
    for (in_step = 1; inside; in_step = next_step(in_step)) {
        begin(of_packets, overwrite);
        emit(before);
        inside = step_run(emit_one, in_step, burst);
        check_all();
        worst = area()->lost > worst ? area()->lost : worst;
        emit(PER); /* and it goes on */
        check_all();
    }
    assert_true(in_step > 30);
    return worst;
}

static const uint64_t places[] = { 0, 1, PER - 2, PER - 1, 4 * PER - 1, 5 * PER };

static void nothing_is_lost_or_torn(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof places / sizeof *places; i++)
        for (int overwrite = 0; overwrite < 2; overwrite++)
            assert_int_equal(interrupt_everywhere(16, overwrite, places[i], 1 + i % 3), 0);
}

/* Up to a packet's worth may interrupt even the making ready of a packet. */
static void a_packet_of_nested_records_has_room(void **state)
{
    (void)state;
    assert_int_equal(interrupt_everywhere(PACKETS, true, 0, PER - 1), 0);
    assert_int_equal(interrupt_everywhere(PACKETS, true, 4 * PER, PER - 1), 0);
    assert_int_equal(interrupt_everywhere(PACKETS, true, 5 * PER - 1, PER - 1), 0);
}

/* More than the whole buffer inside one record: the open record's packet is not overwritten. */
static void a_lap_of_nested_records_is_counted(void **state)
{
    (void)state;
    for (uint64_t before = 0; before < 6 * PER; before += 5 * PER / 2) {
        assert_true(interrupt_everywhere(PACKETS, true, before, (PACKETS + 2) * PER) > 0);
        assert_true(interrupt_everywhere(PACKETS, false, before, (PACKETS + 2) * PER) > 0);
    }
    assert_true(interrupt_everywhere(TRACE_MIN_PACKETS, true, 3 * PER - 1, 5 * PER) > 0);
}

/* An NMI in an interrupt in a record. */
static unsigned second_step;

static void interrupted_burst(void)
{
    step_run(emit_one, second_step, burst);
    burst();
}

static void interrupts_are_interrupted(void **state)
{
    (void)state;
    nested = 2;
    for (uint64_t place = PER - 2; place <= PER; place++) {
        bool inside = true;
        for (in_step = 1; inside; in_step += in_step < EVERY_STEP ? 4 : 97) {
            begin(PACKETS, true);
            emit(place);
            second_step = 1 + in_step * 7 % 90;
            inside = step_run(emit_one, in_step, interrupted_burst);
            check_all();
            assert_int_equal(area()->lost, 0);
        }
    }
}

/* Ordinals that the buffer gives are given once. */
static uint32_t ordinals[8], ordinals_seen;

static void emit_ordinal(void)
{
    trace_emit(TRACE_EV_poll, 3, 0, 0, 0, 0);
}

static void ordinals_are_unique(void **state)
{
    (void)state;
    bool inside = true;
    for (in_step = 1; inside; in_step++) {
        begin(PACKETS, true);
        inside = step_run(emit_ordinal, in_step, emit_ordinal);
        ordinals_seen = (uint32_t)area()->reserved;
        assert_int_equal(ordinals_seen, inside ? 2 : 1);
        for (uint32_t i = 0; i < ordinals_seen; i++)
            ordinals[i] = packet(0)->records[i].seq;
        if (inside)
            assert_int_equal(abs((int)(ordinals[0] - ordinals[1])), 1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_lost_or_torn),
        cmocka_unit_test(a_packet_of_nested_records_has_room),
        cmocka_unit_test(a_lap_of_nested_records_is_counted),
        cmocka_unit_test(interrupts_are_interrupted),
        cmocka_unit_test(ordinals_are_unique),
    };
    return cmocka_run_group_tests_name("nesting", tests, NULL, NULL);
}
