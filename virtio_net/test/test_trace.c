/* What the driver writes into the trace: in a scripted scene exactly these records and no others;
 * and the buffer that takes them. Linked with mode hybrid, which has every kind of event. */
#include "world.h"
#include "../../faultinj/plan.h"
#include "../../trace/buffer.h"
#include "../../trace/trace.h"
#include <string.h>

#define PACKETS 4
#define ROOM    (PACKETS * TRACE_RECORDS_PER_PACKET)
static _Alignas(4096) uint8_t memory[TRACE_HEAD_BYTES + PACKETS * TRACE_PACKET_BYTES];
static uint64_t told; /* records that the test has looked at */

#define RX TRACE_VQ_RX
#define TX TRACE_VQ_TX

/* A trace from here on; ordinals go on from where they are. */
static void trace_begin(void)
{
    memset(memory, 0xee, sizeof(memory));
    assert_int_equal(trace_buffer_init(memory, sizeof(memory), 1, 1000000), 0);
    told = 0;
}

static struct trace_packet *packet(unsigned i)
{
    return (struct trace_packet *)(memory + TRACE_HEAD_BYTES) + i;
}

static struct trace_record *record(uint64_t n)
{
    return &packet(n / TRACE_RECORDS_PER_PACKET % PACKETS)->records[n % TRACE_RECORDS_PER_PACKET];
}

static uint64_t written(void)
{
    return trace_region()->cpu[0].reserved;
}

/* The next record is this one. */
static struct trace_record *told_next(enum trace_event id, uint8_t vq, uint64_t a, const char *name)
{
    if (told == written())
        fail_msg("%s: no more records", name);
    struct trace_record *r = record(told++);
    if (r->id != id || r->vq != vq || r->a != a)
        fail_msg("record %u: event %u vq %u a %u, not %s vq %u a %u", (unsigned)told - 1, r->id,
                 r->vq, (unsigned)r->a, name, vq, (unsigned)a);
    return r;
}
#define NEXT(event, vq, a) told_next(TRACE_EV_##event, vq, a, #event)

static void expect_b(struct trace_record *r, uint64_t b)
{
    assert_int_equal(r->b, b);
}

static void told_all(void)
{
    if (told != written())
        fail_msg("event %u of vq %u was not expected", record(told)->id, record(told)->vq);
}

static void begin(bool event_idx)
{
    struct world_config c = { .event_idx = event_idx, .ring_size = 8, .seed = 1 };
    trace_begin();
    world_init(&c);
}

static void test_start(void **state)
{
    (void)state;
    begin(true);
    expect_b(NEXT(vq_start, RX, 0), 8);
    expect_b(NEXT(irq_arm, RX, 0), 0);
    expect_b(NEXT(vq_start, TX, 0), 8);
    expect_b(NEXT(irq_mask, TX, 0), (uint16_t)(0 - 8 - 1));
    expect_b(NEXT(publish, RX, 8), 8);
    struct trace_record *kick = NEXT(kick, RX, 8);
    assert_int_equal(kick->seq, 1);
    assert_true(kick->b <= kick->time);
    assert_true(kick->b >= record(told - 2)->time);
    told_all();
}

/* Two frames arrive, an interrupt, a poll, and idle again. */
static void test_receive(void **state)
{
    (void)state;
    begin(true);
    told = written();
    world_frames(2);
    world_host_rx();
    world_host_rx();
    world_show(VNET_RX);
    world_irq(VNET_RX);
    assert_int_equal(NEXT(irq, RX, 2)->b, world_q(VNET_RX)->vector);
    expect_b(NEXT(irq_mask, RX, 0), (uint16_t)(0 - 8 - 1));
    told_all();
    world_poll(64);
    expect_b(NEXT(harvest, RX, 2), 2);
    expect_b(NEXT(publish, RX, 10), 2);
    struct trace_record *r = NEXT(kick_suppressed, RX, 10);
    assert_int_equal(r->flags & TRACE_F_EVENT_IDX, TRACE_F_EVENT_IDX);
    expect_b(r, 0);
    expect_b(NEXT(poll, RX, 2), 2);
    expect_b(NEXT(irq_arm, RX, 2), 2);
    told_all();
    world.irq_waiting[VNET_RX] = true;
    world_irq(VNET_RX);
    expect_b(NEXT(irq_spurious, RX, 2), world_q(VNET_RX)->vector);
    NEXT(irq_mask, RX, 2);
    told_all();
}

static void test_transmit(void **state)
{
    (void)state;
    begin(false);
    told = written();
    world_send(8);
    expect_b(NEXT(publish, TX, 8), 8);
    NEXT(kick, TX, 8);
    expect_b(NEXT(irq_arm, TX, 0), 0);
    world_host_tx(); /* awake: kicks are off by flag */
    world_send(2);
    expect_b(NEXT(tx_full, TX, 8), 2);
    world_host_complete(false);
    world_show(VNET_TX);
    world_send(1);
    NEXT(harvest, TX, 1);
    expect_b(NEXT(publish, TX, 9), 1);
    struct trace_record *r = NEXT(kick_suppressed, TX, 9);
    assert_int_equal(r->flags & TRACE_F_EVENT_IDX, 0);
    expect_b(r, VIRTQ_USED_F_NO_NOTIFY);
    NEXT(irq_arm, TX, 1);
    told_all();
}

static void test_budget_and_race(void **state)
{
    (void)state;
    begin(true);
    world_frames(5);
    while (world_host_rx())
        ;
    world_show(VNET_RX);
    world_irq(VNET_RX);
    told = written();
    vnet_poll(world_q(VNET_RX), 3);
    NEXT(harvest, RX, 3);
    NEXT(publish, RX, 11);
    NEXT(kick_suppressed, RX, 11);
    expect_b(NEXT(poll, RX, 3), 3);
    expect_b(NEXT(budget_out, RX, 3), 3);
    told_all();
    vnet_irq_arm(world_q(VNET_RX), 1);
    expect_b(NEXT(arm_race, RX, 3), 2);
    told_all();
}

static void test_mishaps(void **state)
{
    char err[80];
    (void)state;
    begin(true);
    assert_int_equal(fault_plan_set("rx_alloc:times=1", err, sizeof(err)), 0);
    world_frames(3);
    world_host_rx();
    world_ring(VNET_RX)->trick = RING_DEV_LEN_LONG;
    world_host_rx();
    world_ring(VNET_RX)->trick = RING_DEV_ID_RANGE;
    world_host_rx();
    world_show(VNET_RX);
    told = written();
    world.in_irq = true;
    assert_false(vnet_watchdog(world_q(VNET_RX), 100, 50));
    assert_true(vnet_watchdog(world_q(VNET_RX), 170, 50));
    world.in_irq = false;
    expect_b(NEXT(rescue, RX, 0), 70);
    NEXT(irq_mask, RX, 0);
    vnet_poll(world_q(VNET_RX), 64);
    expect_b(NEXT(drop, RX, TRACE_DROP_LENGTH), 1);
    expect_b(NEXT(fault, RX, FAULT_POINT_rx_alloc), 1);
    expect_b(NEXT(drop, RX, TRACE_DROP_ALLOC), 1);
    NEXT(harvest, RX, 2);
    expect_b(NEXT(broken, RX, VNET_E_USED_ID_RANGE), 2);
    assert_int_equal(fault_plan_set("", err, sizeof(err)), 0);
}

/* The ordinal in each kick record is the count of doorbells that the device has seen: also of those
 * that were rung while the class was masked. */
static unsigned kicks_compared;

static void compare_kicks(void)
{
    for (; told < written(); told++) {
        struct trace_record *r = record(told);
        if (r->id != TRACE_EV_kick)
            continue;
        assert_int_equal(r->seq, world.model.queue[r->vq].doorbells);
        kicks_compared++;
    }
}

static void test_kick_ordinals(void **state)
{
    (void)state;
    begin(true);
    for (int i = 0; i < 20000; i++) {
        if (i % 100 == 0)
            trace_region()->mask ^= 1u << TRACE_CLASS_notify;
        world_step(16);
        compare_kicks();
    }
    assert_true(kicks_compared > 100);
    assert_true(world.model.queue[VNET_TX].doorbells > kicks_compared);
}

static void emit(unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        trace_emit(TRACE_EV_poll, RX, 0, 0, i, ~0ull);
}

static void check_header(unsigned i, uint64_t seq, uint64_t discarded, bool closed)
{
    const struct trace_packet *p = packet(i);
    const struct trace_packet_header *h = &p->header;
    assert_int_equal(h->magic, 0xC1FC1FC1);
    assert_int_equal(h->stream_id, 0);
    assert_int_equal(h->cpu, 0);
    assert_int_equal(h->packet_bits, 4096 * 8);
    assert_int_equal(h->content_bits, closed ? 4096 * 8 : 0);
    assert_int_equal(h->packet_seq, seq);
    assert_int_equal(h->discarded, discarded);
    assert_int_equal(h->time_begin, p->records[0].time);
    if (closed)
        assert_int_equal(h->time_end, p->records[TRACE_RECORDS_PER_PACKET - 1].time);
}

static void test_discard(void **state)
{
    (void)state;
    trace_begin();
    trace_region()->overwrite = 0;
    emit(ROOM + 10);
    assert_int_equal(written(), ROOM);
    assert_int_equal(trace_region()->cpu[0].lost, 10);
    for (unsigned i = 0; i < PACKETS; i++)
        check_header(i, i, 0, true);
    for (unsigned i = 0; i < ROOM; i++) {
        assert_int_equal(record(i)->id, TRACE_EV_poll);
        assert_int_equal(record(i)->a, i);
        if (i)
            assert_true(record(i)->time >= record(i - 1)->time);
        if (i)
            assert_int_equal(record(i)->seq, record(i - 1)->seq + 1);
    }
}

/* Each queue counts for itself, of however many pairs. */
static void test_ordinals(void **state)
{
    (void)state;
    static const uint8_t queues[] = { RX, RX + 2, RX, RX + 4, TX, TX + 2, RX + 2, RX };
    uint32_t last[8] = { 0 };
    trace_begin();
    for (unsigned i = 0; i < 2 * sizeof(queues); i++)
        trace_emit(TRACE_EV_poll, queues[i % sizeof(queues)], 0, 0, 0, 0);
    for (unsigned i = 0; i < 2 * sizeof(queues); i++) {
        uint32_t *was = &last[record(i)->vq];
        if (*was)
            assert_int_equal(record(i)->seq, *was + 1);
        *was = record(i)->seq;
    }
}

static void test_overwrite(void **state)
{
    (void)state;
    trace_begin();
    emit(2 * ROOM + 10);
    assert_int_equal(written(), 2 * ROOM + 10);
    assert_int_equal(record(2 * ROOM)->a, 2 * ROOM);
    /* What a packet counts as lost is what lies in none of the packets that are left. */
    check_header(0, 2 * PACKETS, (PACKETS + 1) * TRACE_RECORDS_PER_PACKET, false);
    for (unsigned i = 1; i < PACKETS; i++)
        check_header(i, PACKETS + i, (i + 1) * TRACE_RECORDS_PER_PACKET, true);
    for (unsigned i = 0; i < 10; i++)
        assert_int_equal(record(i)->a, 2 * ROOM + i);
}

static void test_region(void **state)
{
    (void)state;
    assert_int_equal(trace_buffer_init(memory, sizeof(memory), 0, 1), -1);
    assert_int_equal(trace_buffer_init(memory, sizeof(memory), TRACE_MAX_CPUS + 1, 1), -1);
    assert_int_equal(trace_buffer_init(memory, TRACE_HEAD_BYTES, 1, 1), -1);
    assert_int_equal(trace_buffer_init(memory, TRACE_HEAD_BYTES + TRACE_PACKET_BYTES, 2, 1), -1);
    assert_int_equal(trace_buffer_init(memory, sizeof(memory), 2, 1), 0);
    assert_int_equal(trace_region()->cpu[0].packets, PACKETS / 2);
    assert_int_equal(trace_region()->cpu[1].packets, PACKETS / 2);
    assert_int_equal(trace_region()->cpu[1].first_packet,
                     TRACE_HEAD_BYTES + PACKETS / 2 * TRACE_PACKET_BYTES);
    trace_begin();
    struct trace_region *r = trace_region();
    assert_int_equal(r->magic, TRACE_REGION_MAGIC);
    assert_int_equal(r->cpu[0].packets, PACKETS);
    assert_int_equal(r->cpu[0].first_packet, TRACE_HEAD_BYTES);
    assert_int_equal(trace_counter_add("rx_", "twenty_and_three_bytes", 1), -1);
    assert_int_equal(r->counters_used, 0);
    assert_int_equal(trace_counter_add("rx_", "twenty_three_bytes__", 5), 0);
    assert_string_equal(r->counters[0].name, "rx_twenty_three_bytes__");
    assert_int_equal(r->counters[0].paddr, 5);
    for (unsigned i = 1; i < TRACE_MAX_COUNTERS; i++)
        assert_int_equal(trace_counter_add("n", "", i), 0);
    assert_int_equal(trace_counter_add("n", "", 1), -1);
    trace_guest_state(TRACE_GUEST_DONE);
    assert_int_equal(r->state, TRACE_GUEST_DONE);
}

/* A class that is masked writes nothing, and the others go on. */
static void test_mask(void **state)
{
    (void)state;
    trace_begin();
    trace_region()->mask = 1u << TRACE_CLASS_ring;
    struct world_config c = { .event_idx = true, .ring_size = 8, .seed = 1 };
    world_init(&c);
    expect_b(NEXT(publish, RX, 8), 8);
    told_all();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_start),     cmocka_unit_test(test_receive),
        cmocka_unit_test(test_transmit),  cmocka_unit_test(test_budget_and_race),
        cmocka_unit_test(test_mishaps),   cmocka_unit_test(test_kick_ordinals),
        cmocka_unit_test(test_discard),   cmocka_unit_test(test_ordinals),
        cmocka_unit_test(test_overwrite), cmocka_unit_test(test_region),
        cmocka_unit_test(test_mask),
    };
    return cmocka_run_group_tests_name("trace", tests, NULL, NULL);
}
