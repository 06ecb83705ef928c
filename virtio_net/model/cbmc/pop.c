/* CBMC: the used-ring pop against a device that writes anything at any time. Every load of memory
 * that the device may write gives an arbitrary value (nondet.h), so it holds whatever the device
 * does, races and double fetches included. -DPACKED for packed rings; SIZE and POPS bound the
 * search. */
#include "nondet.h"
#include "../../vring.c"
#include "../../vring_split.c"
#include "../../vring_packed.c"

#ifdef PACKED
#define IS_PACKED true
#else
#define IS_PACKED false
#endif

static _Alignas(4096) uint8_t memory[128];
static struct vring_shadow shadow[SIZE];

/* Counts what the driver holds to, whatever the device says. */
static void consistent(const struct vring *r, const bool *out)
{
    unsigned held = 0, said = 0;
    for (unsigned i = 0; i < SIZE; i++) {
        held += r->shadow[i].descs;
        said += out[i];
    }
    __CPROVER_assert(r->free_count + held == SIZE, "free_count consistent");
    __CPROVER_assert(held == said, "every buffer is in one place");
}

int main(void)
{
    struct vring ring;
    struct vring_config c = {
        .size = SIZE, .start = VRING_START(IS_PACKED), .packed = IS_PACKED, .event_idx = true
    };
    bool out[SIZE] = { false };
    uint32_t given = nondet_uint32();
    __CPROVER_assume(given <= SIZE);
    __CPROVER_assert(vring_init(&ring, &c, memory, shadow) == 0, "vring_init");
    for (uint32_t i = 0; i < SIZE; i++) {
        void *cookie = (void *)(uintptr_t)(i + 1);
        struct vring_item item = { cookie, 0x1000, 16 };
        if (i < given) {
            __CPROVER_assert(vring_add(&ring, &item, 1, true) == 1, "room");
            out[i] = true;
        }
    }
    vring_publish(&ring);
    for (unsigned k = 0; k < POPS; k++) {
        struct vring_used used[SIZE];
        uint32_t budget = nondet_uint32();
        __CPROVER_assume(budget <= SIZE);
        uint32_t n = vring_pop(&ring, used, budget);
        __CPROVER_assert(n <= budget, "never more than asked for");
        for (uint32_t i = 0; i < SIZE; i++) {
            if (i >= n)
                break;
            uintptr_t cookie = (uintptr_t)used[i].cookie;
            __CPROVER_assert(cookie >= 1 && cookie <= SIZE, "a cookie that was given");
            __CPROVER_assert(out[cookie - 1], "no id accepted twice");
            __CPROVER_assert(used[i].bytes <= 16, "length within the buffer");
            out[cookie - 1] = false;
        }
        consistent(&ring, out);
    }
    __CPROVER_assert(vring_check(&ring) == 0, "vring_check");
    return 0;
}
