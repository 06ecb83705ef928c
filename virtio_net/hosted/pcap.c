/* Replays a capture, records one, or both at once: with one pair, as a capture has one order. */
#include <pcap/pcap.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include "program.h"
#include "sender.h"

const struct program program = {
    .name = "pcap",
    .id = PCAP,
    .usage = "usage: pcap (--vhost-user SOCKET | --vhost-net TAP) [--read FILE] [--write FILE] "
             "[options]\n"
             "Sends the frames of a capture, records what is received, or both.",
};

#define SNAPLEN 65535

static struct sender sender;
static const struct options *options;
static pcap_t *in, *out;
static pcap_dumper_t *dump;
static struct pcap_pkthdr *next; /* read ahead: it says when it is due */
static const uint8_t *next_data;
static bool failed;
static uint64_t first_ns, recorded, skipped;

static uint64_t time_of(const struct pcap_pkthdr *h)
{
    return (uint64_t)h->ts.tv_sec * 1000000000u + (uint64_t)h->ts.tv_usec; /* ns: see open_read */
}

/* Frames that were cut in the capture, or that no Ethernet without offloads has, cannot be sent. */
static bool can_be_sent(const struct pcap_pkthdr *h)
{
    return h->caplen == h->len && h->len >= 14 && h->len <= VNET_FRAME_MAX;
}

/* False at the end of the capture. */
static bool read_next(void)
{
    while (!next && in) {
        int got = pcap_next_ex(in, &next, &next_data);
        if (got == 1 && can_be_sent(next))
            return true;
        skipped += got == 1;
        next = NULL;
        if (got == 1)
            continue;
        if (got != PCAP_ERROR_BREAK) {
            failed = true;
            port_complain("--read %s: %s", options->read, pcap_geterr(in));
        }
        return false;
    }
    return next;
}

static uint64_t paced_due(uint64_t k)
{
    (void)k;
    if (!read_next())
        return 0;
    uint64_t at = time_of(next);
    return at > first_ns ? at - first_ns : 0;
}

static bool fill(struct sender *s, struct vnet_buf *b, uint64_t k, uint64_t due_ns)
{
    (void)s;
    (void)k;
    (void)due_ns;
    if (!read_next())
        return false;
    memcpy(b->data + VNET_HDR_BYTES, next_data, next->caplen);
    b->len = next->caplen;
    next = NULL;
    return true;
}

static int open_read(const struct options *o)
{
    char why[PCAP_ERRBUF_SIZE];
    in = pcap_open_offline_with_tstamp_precision(o->read, PCAP_TSTAMP_PRECISION_NANO, why);
    if (!in)
        return port_complain("--read: %s", why);
    if (pcap_datalink(in) != DLT_EN10MB)
        return port_complain("--read %s: its link type is %s; give a capture of Ethernet", o->read,
                             pcap_datalink_val_to_name(pcap_datalink(in)));
    if (read_next())
        first_ns = time_of(next);
    return failed ? -1 : 0;
}

static int open_write(const struct options *o)
{
    out = pcap_open_dead_with_tstamp_precision(DLT_EN10MB, SNAPLEN, PCAP_TSTAMP_PRECISION_NANO);
    dump = out ? pcap_dump_open(out, o->write) : NULL;
    return dump ? 0 : port_complain("--write: %s", out ? pcap_geterr(out) : "no memory");
}

int program_begin(const struct options *o)
{
    options = o;
    sender = (struct sender){
        .pair = &port_pairs[0],
        .of = 1,
        .limit = !o->read   ? 0
                 : o->count ? o->count
                            : UINT64_MAX,
        .rate = o->rate,
        .due = o->paced ? paced_due : NULL,
        .fill = fill,
    };
    if (o->read && open_read(o))
        return -1;
    return o->write ? open_write(o) : 0;
}

static void record(const struct vnet_buf *b, const struct timespec *now)
{
    struct pcap_pkthdr h = { .ts = { now->tv_sec, now->tv_nsec }, .caplen = b->len, .len = b->len };
    pcap_dump((uint8_t *)dump, &h, b->data + VNET_HDR_BYTES);
}

void program_rx(struct port_pair *p, struct vnet_buf **bufs, uint32_t n)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    for (uint32_t i = 0; i < n; i++) {
        bool wanted = dump && (!options->count || recorded < options->count);
        if (wanted)
            record(bufs[i], &now);
        recorded += wanted;
        port_frame_free(p, bufs[i]);
    }
    p->stats.sunk += n;
}

uint64_t program_step(struct port_pair *p, uint64_t now)
{
    (void)p;
    return sender_step(&sender, now);
}

/* Where both are asked for, what has been sent may still be on its way back. */
bool program_done(const struct port_pair *p)
{
    (void)p;
    bool enough = !options->write || (options->count && recorded >= options->count);
    return failed || (sender_done(&sender) && enough);
}

static int close_write(void)
{
    bool wrong = pcap_dump_flush(dump) != 0 || ferror(pcap_dump_file(dump));
    pcap_dump_close(dump);
    return wrong ? port_complain("--write %s: the disk took not all of it", options->write) : 0;
}

int program_end(void)
{
    int error = failed ? -1 : 0;
    sender_end(&sender);
    if (dump)
        error |= close_write();
    if (out)
        pcap_close(out);
    if (in)
        pcap_close(in);
    if (skipped)
        printf("%s: %lu frames of %s were not sent: cut short, or no Ethernet frames of 14 to %u "
               "bytes\n",
               program.name, skipped, options->read, VNET_FRAME_MAX);
    return error;
}
