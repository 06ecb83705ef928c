#include "features.h"
#include "vring.h"
#include "wait.h"

/* One list of the bits per column of features.def. */
enum want { want_never, want_off, want_on, want_offered, want_must };

/* With these the transport has to do something. */
#define TRANSPORT_PART (VNET_F(NOTIF_CONFIG_DATA) | VNET_F(RING_RESET))

static uint64_t bits_of(enum want least, enum want most)
{
    uint64_t bits = 0;
#define FEATURE(bit, name, want, needs, text)                                                      \
    if (want_##want >= least && want_##want <= most)                                               \
        bits |= VNET_F(name);
#include "features.def"
    return bits;
}

uint64_t vnet_features_default(void)
{
    return bits_of(want_on, want_must);
}

uint64_t vnet_features_able(void)
{
    return bits_of(want_off, want_must);
}

const char *vnet_feature_name(unsigned bit)
{
    switch (bit) {
#define FEATURE(bit, name, want, needs, text)                                                      \
    case bit:                                                                                      \
        return #name;
#include "features.def"
    }
    return NULL;
}

static uint64_t needs_of(unsigned bit)
{
    switch (bit) {
#define FEATURE(bit, name, want, needs, text)                                                      \
    case bit:                                                                                      \
        return needs;
#include "features.def"
    }
    return 0;
}

/* The bytes of `name` at the start of `text`, if a word of the list ends there. */
static unsigned match(const char *text, const char *name)
{
    unsigned n = 0;
    while (name[n] && text[n] == name[n])
        n++;
    return !name[n] && (!text[n] || text[n] == ',') ? n : 0;
}

static int edit_one(uint64_t *want, char sign, unsigned bit)
{
    uint64_t mask = 1ull << bit;
    if (!(vnet_features_able() & mask))
        return -VNET_E_FEATURE_UNABLE;
    if (sign == '-' && bits_of(want_must, want_must) & mask)
        return -VNET_E_FEATURE_FIXED;
    *want = sign == '+' ? *want | mask : *want & ~mask;
    return 0;
}

int vnet_features_edit(uint64_t *want, const char *list, const char **word)
{
    uint64_t edited = *want;
    for (*word = list; **word;) {
        char sign = **word;
        if (sign != '+' && sign != '-')
            return -VNET_E_FEATURE_SYNTAX;
        unsigned bit = 0, n = 0;
        for (; bit < 64; bit++) {
            const char *name = vnet_feature_name(bit);
            if (name && (n = match(*word + 1, name)))
                break;
        }
        int error = n ? edit_one(&edited, sign, bit) : -VNET_E_FEATURE_NAME;
        if (error)
            return error;
        *word += n + 1;
        *word += **word == ',';
    }
    *want = edited;
    return 0;
}

/* A bit that falls may take others with it: until none does. */
uint64_t vnet_features_supported(uint64_t want, uint64_t have)
{
    uint64_t before;
    do {
        before = want;
        for (unsigned bit = 0; bit < 64; bit++) {
            if (needs_of(bit) & ~(want & have))
                want &= ~(1ull << bit);
        }
    } while (want != before);
    return want;
}

int vnet_features_negotiate(struct vnet_features *f, struct vnet_transport *t, uint64_t offered,
                            uint64_t want)
{
    uint64_t must = bits_of(want_must, want_must);
    f->offered = offered;
    f->wanted = (want | must) & (f->offered | ~bits_of(want_offered, want_offered)) &
                (t->features | ~TRANSPORT_PART);
    if (t->legacy) {
        must = VNET_F(ANY_LAYOUT); /* a header and its frame share a descriptor here */
        f->wanted = (f->wanted & UINT32_MAX) | must;
    }
    f->accepted = vnet_features_supported(f->wanted & f->offered, f->offered);
    f->missing = f->wanted & ~f->accepted;
    if (must & ~f->accepted)
        return -VNET_E_FEATURE_MISSING;
    t->ops->features_set(t, f->accepted);
    return t->legacy ? 0 : vnet_wait_features_ok(t);
}
