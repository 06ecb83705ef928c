/* The control queue: every command, and a device that answers late, wrong, twice or never. A
 * command says 0 only where the device acknowledged it; once one has no answer, its memory is the
 * device's and no later command writes there. */
#include "liar.h"
#include "seeds.h"
#include <string.h>

#define COMMANDS                                                                                   \
    (VNET_F(CTRL_VQ) | VNET_F(CTRL_RX) | VNET_F(CTRL_VLAN) | VNET_F(CTRL_RX_EXTRA) |               \
     VNET_F(GUEST_ANNOUNCE) | VNET_F(MQ) | VNET_F(CTRL_MAC_ADDR) | VNET_F(CTRL_GUEST_OFFLOADS) |   \
     VNET_F(GUEST_CSUM) | VNET_F(MRG_RXBUF) | VNET_F(GUEST_TSO4) | VNET_F(NOTF_COAL) |             \
     VNET_F(VQ_NOTF_COAL) | VNET_F(RSS))
#define OTHERS (VNET_F(VERSION_1) | VNET_F(ANY_LAYOUT) | VNET_F(MAC) | VNET_F(STATUS) | VNET_F(MTU))

static struct liar device;
static bool acknowledged;

enum answer {
    ANSWER, /* acknowledgement, result byte, length: as it should be */
    LIE,    /* deed of the liar, and its bytes */
    LATER,  /* wait: then the next answer */
    NONE,
    ANSWERS,
};

static void answer(void);

static void after(unsigned accesses)
{
    fuzz.wait = accesses;
    fuzz.turn = answer;
}

static void answer(void)
{
    struct vnet_ctrl_area *area = fuzz.dev.ctrl.area;
    switch (fuzz_8() % ANSWERS) {
    case ANSWER:
        area->ack = fuzz_8();
        acknowledged |= area->ack == VIRTIO_NET_CTRL_OK;
        memset(area->result, fuzz_8(), sizeof(area->result));
        liar_use(&device, 0, fuzz_8());
        liar_show(&device);
        break;
    case LIE:
        liar_deed(&device, fuzz_8() % LIAR_DEEDS);
        after(0);
        break;
    case LATER:
        after(fuzz_8());
        break;
    default: /* the driver waits in vain */
        break;
    }
}

/* The first command comes from the start itself, if it has pairs to ask for. */
static void first(void)
{
    const struct vring *r = &fuzz.dev.ctrl.ring;
    fuzz.turn = first;
    if (!(fuzz.model.status & VIRTIO_STATUS_DRIVER_OK) || r->broken || r->published == r->harvested)
        return;
    liar_init(&device, &fuzz.dev.ctrl.ring);
    answer();
}

static int rss(void)
{
    struct vnet_rss rss = fuzz.dev.rss;
    rss.entries = fuzz_16();
    rss.hash_types = fuzz_32();
    rss.unclassified = fuzz_8();
    rss.key_bytes = fuzz_8();
    rss.table[fuzz_8()] = fuzz_8();
    return vnet_ctrl_rss(&fuzz.dev, &rss);
}

static int command(uint8_t which)
{
    static const uint8_t macs[VNET_CTRL_DATA / 6 + 1][6];
    struct vnet_dev *dev = &fuzz.dev;
    struct vnet_coalesce c = { 1, 2 };
    uint32_t n;
    switch (which) {
    case 0:
        return vnet_ctrl_rx_mode(dev, fuzz_8(), true);
    case 1:
        n = fuzz_8();
        return vnet_ctrl_mac_table(dev, macs, n, macs, fuzz_8());
    case 2:
        n = fuzz_32();
        return vnet_ctrl_mac_table(dev, macs, n, macs, fuzz_32());
    case 3:
        return vnet_ctrl_mac(dev, macs[0]);
    case 4:
        return vnet_ctrl_vlan(dev, fuzz_16(), fuzz_8());
    case 5:
        return vnet_ctrl_announced(dev);
    case 6:
        return vnet_ctrl_pairs(dev, fuzz_16());
    case 7:
        return vnet_ctrl_offloads(dev, fuzz_64());
    case 8:
        return vnet_ctrl_coalesce(dev, fuzz_8() & 1, c);
    case 9:
        return vnet_ctrl_vq_coalesce(dev, fuzz_16(), c);
    case 10:
        return vnet_ctrl_vq_coalesce_get(dev, fuzz_16(), &c);
    default:
        return rss();
    }
}
enum { KINDS = 12 };

static void judge(int error, int broken, const struct vnet_ctrl_area *before)
{
    const struct vnet_ctrl *c = &fuzz.dev.ctrl;
    if (error > 0 || !strcmp(vnet_error_text(error), "unknown error"))
        fuzz_fail("a command returns %d", error);
    if (!error && !acknowledged)
        fuzz_fail("a command went well that no one acknowledged");
    if (broken && !error)
        fuzz_fail("a command went well on a broken queue");
    if (broken && memcmp(before, c->area, sizeof(*before)))
        fuzz_fail("a command wrote where the device still reads");
    if (!error && c->ring.published != c->ring.harvested)
        fuzz_fail("a command went well and is still under way");
}

static void send(uint8_t which)
{
    const struct vnet_ctrl *c = &fuzz.dev.ctrl;
    static struct vnet_ctrl_area before;
    int broken = c->ring.broken;
    if (!c->on || !c->area)
        return;
    before = *c->area;
    acknowledged = false;
    if (!broken)
        after(fuzz_8());
    judge(command(which), broken, &before);
    fuzz.turn = NULL;
}

static bool alive(int error)
{
    fuzz.turn = NULL;
    if (!error)
        liar_init(&device, &fuzz.dev.ctrl.ring);
    return !error && fuzz.dev.ctrl.on;
}

/* The device of a restart answers with what follows in the input, as that of a start does. */
static bool up(void)
{
    uint8_t how = fuzz_8();
    uint64_t features =
        OTHERS | COMMANDS | (how & 4 ? VNET_F(RING_PACKED) : 0) | (how & 8 ? VNET_F(EVENT_IDX) : 0);
    features &= ~(how & 16 ? fuzz_64() & COMMANDS & ~VNET_F(CTRL_VQ) : 0);
    model_any_init(&fuzz.model, (how & 3) % MODEL_KINDS, features, 8);
    fuzz.config = (struct vnet_config){ .want = features,
                                        .pairs = how & 32 ? 2 : 1,
                                        .config_vector = VIRTIO_MSI_NO_VECTOR };
    for (unsigned i = 0; i < VNET_QUEUES_MAX; i++)
        fuzz.config.vector[i] = VIRTIO_MSI_NO_VECTOR;
    fuzz.turn = first;
    return !fuzz_attach() && alive(fuzz_start());
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_begin(data, size);
    bool up_and_running = up();
    while (up_and_running && fuzz_left()) {
        uint8_t which = fuzz_8();
        if (which == 0xff) {
            fuzz.turn = first;
            up_and_running = alive(fuzz_restart());
        } else {
            send(which % KINDS);
        }
        fuzz_check();
    }
    fuzz_stop();
    if (model_violation(&fuzz.model))
        fuzz_fail("%s", model_violation(&fuzz.model));
    return 0;
}

#define COMMAND(name, ...)                                                                         \
    SEED(name, 0, __VA_ARGS__), SEED(name "_packed", 12, __VA_ARGS__),                             \
        SEED(name "_mmio", MODEL_MMIO, __VA_ARGS__),                                               \
        SEED(name "_legacy", MODEL_LEGACY, __VA_ARGS__)
#define OK ANSWER, 0, 7, 1
const struct seed seeds[] = {
    COMMAND("rx_mode", 0, 0, 1, OK, 0, 0, 5, OK),
    COMMAND("macs", 1, 0, 3, 4, OK, 3, 0, OK),
    COMMAND("too_many_macs", 2, 0, 0, 0, 0, 0x20, 0, 0, 0, 0x20),
    COMMAND("vlan_announce", 4, 0, 7, 0, 1, OK, 5, 0, OK),
    COMMAND("offloads", 7, 0, 2, 0, 0, 0, 0, 0, 0, 0, OK),
    COMMAND("coalesce", 8, 0, 1, OK, 9, 0, 1, 0, OK, 10, 0, 1, 0, ANSWER, 0, 5, 9),
    COMMAND("refused", 0, 0, 1, ANSWER, 1, 0, 1, 0, 0, 1, OK),
    COMMAND("never", 0, 0, 1, NONE, 0, 1, 3, 0xff, 0, 0, 1, OK),
    COMMAND("late", 0, 9, 1, LATER, 9, OK, 0, 9, 1, LATER, 200, OK),
    COMMAND("wrong_id", 0, 0, 1, LIE, LIAR_ENTRY, 9, 0, 1, 0, LIE, LIAR_SHOW, NONE, 3, 3),
    SEED("pairs", 32, ANSWER),
    SEED("rss", 32, OK, 11, 0, 4, 0, 7, 0, 0, 0, 1, 40, 3, 1, OK),
    SEED("rss_refused", 36, ANSWER, 1, 0, 1, OK, 11, 0, 4, 0, 7, 0, 0, 0, 1, 40, 3, 1, ANSWER, 1, 0,
         1, 0xff, OK),
};
const unsigned seeds_used = sizeof(seeds) / sizeof(seeds[0]);
