/* The order of the driver's steps in the code and in the models is the same: each operation of a
 * ring is carried out, what it does to shared memory is written down, and compared with what
 * order.awk read in split.pml and packed.pml. Where one is changed without the other, this goes
 * red. */
#include <string.h>
#include <stdio.h>
#include "../test/check.h"
#include "../test/points.h"
#include "../vring.h"

#define SIZE       4u
#define STEPS_MAX  32u
#define STEP_BYTES 40u

static const struct {
    const char *format, *operation, *step;
} model[] = {
#include "order.inc"
};

static _Alignas(4096) uint8_t memory[4096], seen_memory[sizeof(memory)];
static struct vring_shadow shadow[SIZE];
static struct vring ring, seen;
static char steps[STEPS_MAX][STEP_BYTES];
static unsigned count;

/* Twice the same after another is once: id and length of one entry, say. */
static void note(const char *verb, const char *what)
{
    char step[STEP_BYTES];
    snprintf(step, sizeof(step), "%s%s%s", verb, *what ? " " : "", what);
    if (count && !strcmp(steps[count - 1], step))
        return;
    assert_true(count < STEPS_MAX);
    strcpy(steps[count++], step);
}

static const char *split_word(const volatile void *at)
{
    const struct virtq_avail *avail = ring.s.avail;
    const struct virtq_used *used = ring.s.used;
    if (at == &avail->idx)
        return "AVAIL_IDX";
    if (at == &avail->flags)
        return "AVAIL_FLAGS";
    if (at == &avail->ring[SIZE])
        return "USED_EVENT";
    if (at == &used->idx)
        return "USED_IDX";
    if (at == &used->flags)
        return "USED_FLAGS";
    if (at == &used->ring[SIZE])
        return "AVAIL_EVENT";
    if ((const uint8_t *)at >= (const uint8_t *)used->ring)
        return "USED_ENTRY";
    return "AVAIL_ENTRY"; /* descriptors and avail slots */
}

static const char *packed_word(const volatile void *at)
{
    if (at == &ring.p.driver->off_wrap)
        return "DRIVER_OFF";
    if (at == &ring.p.driver->flags)
        return "DRIVER_FLAGS";
    if (at == ring.p.device)
        return "DEVICE";
    for (unsigned i = 0; i < SIZE; i++) {
        if (at == &ring.p.desc[i].flags)
            return "SLOT_FLAGS";
    }
    return "SLOT_ENTRY";
}

static const char *word(const volatile void *at)
{
    return ring.packed ? packed_word(at) : split_word(at);
}

/* Plain stores, and what the driver keeps to itself: seen when they have happened. */
static void note_changes(const volatile void *stored)
{
    for (size_t i = 0; i < sizeof(memory); i += 2) {
        if (memcmp(memory + i, seen_memory + i, 2) && memory + i != stored)
            note("store", word(memory + i));
    }
    memcpy(seen_memory, memory, sizeof(memory));
    if (ring.published != seen.published)
        note("published", "");
    if (ring.masked != seen.masked)
        note(ring.masked ? "masked = true" : "masked = false", "");
    if (ring.harvested != seen.harvested)
        note("harvested", "");
    seen = ring;
}

void test_point(enum test_point_kind kind, const volatile void *at, int order)
{
    note_changes(kind == POINT_STORED ? at : NULL);
    if (kind == POINT_FENCE)
        note(order == __ATOMIC_SEQ_CST ? "mb" : order == __ATOMIC_RELEASE ? "wmb" : "rmb", "");
    else if (kind == POINT_STORE)
        note(order == __ATOMIC_RELEASE ? "store_release" : "store", word(at));
    else if (kind == POINT_LOAD && ring.packed && at == ring.p.device)
        note("load_pair", "");
    else if (kind == POINT_LOAD)
        note(order == __ATOMIC_ACQUIRE ? "load_acquire" : "load", word(at));
}

/* From here on steps count. */
static void begin(void)
{
    seen = ring;
    memcpy(seen_memory, memory, sizeof(memory));
    count = 0;
}

/* What was done since is what the model does in `operation`: all of it, or what it does up to the
 * first load (`to_load`). */
static void same(const char *format, const char *operation, bool to_load)
{
    unsigned i = 0, modelled = 0;
    note_changes(NULL);
    for (unsigned m = 0; m < sizeof(model) / sizeof(model[0]); m++) {
        if (strcmp(model[m].format, format) || strcmp(model[m].operation, operation))
            continue;
        modelled++;
        if (i >= count || strcmp(steps[i], model[m].step))
            fail_msg("%s, %s, step %u: the model says \"%s\", the code \"%s\"", format, operation,
                     i + 1, model[m].step, i < count ? steps[i] : "nothing more");
        i++;
        if (to_load && !strncmp(model[m].step, "load", 4))
            break;
    }
    assert_true(modelled > 0);
    if (i < count)
        fail_msg("%s, %s: after the model's last step the code says \"%s\"", format, operation,
                 steps[i]);
}

static void add(void)
{
    static uint8_t payload[64];
    struct vring_item item = { payload, env_dma_addr(payload), sizeof(payload) };
    assert_int_equal(vring_add(&ring, &item, 1, true), 1);
}

/* The device's part, by hand: the first buffer is used. */
static void use_first(void)
{
    if (ring.packed)
        ring.p.desc[0].flags = PVIRTQ_DESC_F_AVAIL | PVIRTQ_DESC_F_USED;
    else
        ring.s.used->idx = 1;
}

static void walk(const char *format, bool packed, bool event_idx)
{
    struct vring_config c = {
        .size = SIZE, .start = VRING_START(packed), .packed = packed, .event_idx = event_idx
    };
    struct vring_used used;
    uint16_t word_written;
    memset(shadow, 0, sizeof(shadow));
    assert_int_equal(vring_init(&ring, &c, memory, shadow), 0);
    if (packed)
        ring.p.device->flags = PVIRTQ_EVENT_DISABLE;
    begin();
    vring_mask(&ring);
    same(format, "driver_mask", false);
    add(); /* the first of a packed batch is held back: the second shows all steps */
    begin();
    add();
    same(format, "driver_add", false);
    begin();
    vring_publish(&ring);
    same(format, "driver_publish", false);
    begin();
    vring_kick_needed(&ring, &word_written);
    same(format, "driver_kick_needed", false);
    begin();
    assert_int_equal(vring_arm(&ring, 1, &word_written), 0);
    same(format, "driver_arm", true);
    use_first();
    assert_int_equal(vring_arm(&ring, 1, &word_written), 1);
    begin();
    assert_int_equal(vring_pop(&ring, &used, 1), 1);
    same(format, "driver_pop", false);
}

static void test_split_event(void **state)
{
    (void)state;
    walk("split_event", false, true);
}

static void test_split_flags(void **state)
{
    (void)state;
    walk("split_flags", false, false);
}

static void test_packed_event(void **state)
{
    (void)state;
    walk("packed_event", true, true);
}

static void test_packed_flags(void **state)
{
    (void)state;
    walk("packed_flags", true, false);
}

/* What was found while arming is followed by masking again, in both. */
static void test_arm_found(void **state)
{
    (void)state;
    for (int f = 0; f < 4; f++) {
        uint16_t w;
        struct vring_config c = {
            .size = SIZE, .start = VRING_START(f & 1), .packed = f & 1, .event_idx = f & 2
        };
        const char *format = f & 1   ? f & 2 ? "packed_event" : "packed_flags"
                             : f & 2 ? "split_event"
                                     : "split_flags";
        memset(shadow, 0, sizeof(shadow));
        assert_int_equal(vring_init(&ring, &c, memory, shadow), 0);
        add();
        vring_publish(&ring);
        use_first();
        begin();
        assert_int_equal(vring_arm(&ring, 1, &w), 1);
        note_changes(NULL);
        const char *last = NULL, *before = NULL;
        for (unsigned m = 0; m < sizeof(model) / sizeof(model[0]); m++) {
            if (strcmp(model[m].format, format) || strcmp(model[m].operation, "driver_arm"))
                continue;
            before = last;
            last = model[m].step;
        }
        assert_non_null(before);
        assert_true(count >= 2);
        assert_string_equal(steps[count - 2], before);
        assert_string_equal(steps[count - 1], last);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_split_event),  cmocka_unit_test(test_split_flags),
        cmocka_unit_test(test_packed_event), cmocka_unit_test(test_packed_flags),
        cmocka_unit_test(test_arm_found),
    };
    return cmocka_run_group_tests_name("order of the models", tests, NULL, NULL);
}
