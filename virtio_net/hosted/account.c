/* Conservation: every frame and every buffer of a pair is in exactly one place at the end, and so
 * they are of all pairs together. */
#include "port.h"

struct port_stats account_total(void)
{
    struct port_stats total = { 0 };
    for (unsigned i = 0; i < port_dev.pairs; i++) {
#define PORT_STAT(name, text) total.name += port_pairs[i].stats.name;
#include "../../kernel/port_stats.def"
    }
    return total;
}

static int same(unsigned pair, const char *what, uint64_t there, uint64_t accounted)
{
    if (there == accounted)
        return 0;
    return port_complain("pair %u: %s: %lu, of which %lu are accounted for", pair + 1, what, there,
                         accounted);
}

static int check_pair(const struct port_pair *p)
{
    const struct port_stats *s = &p->stats;
    const struct vnet_stats *rx = &p->rx->stats, *tx = &p->tx->stats;
    unsigned i = p->index;
    if (s->pool_free != s->pool_total)
        return port_complain("%lu buffers of pair %u were made and %lu are back: some are lost",
                             s->pool_total, i + 1, s->pool_free);
    int error =
        same(i, "frames received", rx->packets, s->echoed + s->echo_full + s->sunk + s->foreign);
    if (!error)
        error = same(i, "frames given to be sent", s->echoed + s->sourced,
                     tx->packets + tx->given_back + tx->drop_offload);
    if (!error)
        error = same(i, "transmit buffers", tx->posted, tx->packets + tx->given_back);
    return error;
}

int account_check(void)
{
    int error = 0;
    for (unsigned i = 0; i < port_dev.pairs && !error; i++)
        error = check_pair(&port_pairs[i]);
    return error;
}
