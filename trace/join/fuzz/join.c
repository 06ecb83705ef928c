/* The joiner on traces that may hold anything. The input is a script: records that a few bytes each
 * describe, then damage to the files. Whatever they hold, both traces are joined, and every record
 * that was read is in one class.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../../../virtio_net/fuzz/seeds.h"
#include "../../ctf/complain.h"
#include "../../ctf/stream.h"
#include "../export.h"

#define HZ 1000000000

/* First byte of a step. Below DAMAGE it is a record: event, queue and flags, steps of ordinal,
 * index and second index, time. */
enum { EVENTS = 24, DAMAGE = 0xf0, CUT = 0xf1, GAP = 0xf2, FOREIGN = 0xf3 };

static char guest[64], host[64], out[64];

static struct script {
    const uint8_t *data;
    size_t size;
} in;

static uint8_t byte(void)
{
    if (!in.size)
        return 0;
    in.size--;
    return *in.data++;
}

static const char *stream_of(int side)
{
    static char path[96];
    snprintf(path, sizeof path, "%s/stream_0", side ? host : guest);
    return path;
}

/* What each side has said so far: the records go on from there. */
static struct {
    struct ctf_stream stream;
    uint64_t time;
    struct {
        uint64_t a, b;
        uint32_t seq;
    } queue[4];
} side[2];

static void say(uint8_t what)
{
    int s = what % EVENTS >= 18;
    uint8_t vq = byte(), flags = byte(), steps = byte(), later = byte();
    uint16_t id = (uint16_t)(s ? 64 + what % EVENTS - 18 : what % EVENTS + 1);
    uint64_t a = side[s].queue[vq & 3].a += (uint64_t)(int8_t)(steps << 4) >> 4 & 15;
    side[s].queue[vq & 3].seq += flags >> 6;
    side[s].time += (uint64_t)later << (flags & 7);
    struct trace_record r = { side[s].time, id, vq & 3, flags, side[s].queue[vq & 3].seq, a, 0 };
    r.b = id == TRACE_EV_kick                                  ? r.time - (steps >> 4) * 64
          : id == TRACE_EV_run_begin || id == TRACE_EV_run_end ? a - (steps >> 4)
                                                               : steps >> 4;
    if (vq & 0x80) /* far off */
        r.a = a << 48 | r.b;
    if (vq & 0x40)
        r.time = (uint64_t)later << 56 | r.time;
    ctf_stream_put(&side[s].stream, &r);
}

static void damage(void)
{
    int s = byte() & 1;
    long at = byte() | byte() << 8;
    FILE *f = fopen(stream_of(s), "r+");
    uint8_t value = byte();
    if (!f)
        return;
    fseek(f, at, SEEK_SET);
    fputc(value, f);
    fclose(f);
}

static void cut(void)
{
    int s = byte() & 1;
    if (truncate(stream_of(s), byte() | byte() << 8))
        return;
}

static void foreign(void)
{
    char path[96];
    snprintf(path, sizeof path, "%s/metadata", byte() & 1 ? host : guest);
    FILE *f = fopen(path, "r+");
    if (!f)
        return;
    fseek(f, byte() | byte() << 8, SEEK_SET);
    fputc(byte(), f);
    fclose(f);
}

static void write_traces(void)
{
    memset(side, 0, sizeof side);
    for (int s = 0; s < 2; s++) {
        if (ctf_dir_create(s ? host : guest, s ? TRACE_SIDE_HOST : TRACE_SIDE_GUEST, HZ, 1) ||
            ctf_stream_open(&side[s].stream, s ? host : guest, 0))
            abort();
        side[s].time = 1000000;
    }
    while (in.size && *in.data != DAMAGE && *in.data != CUT && *in.data != FOREIGN) {
        uint8_t what = byte();
        if (what != GAP) {
            say(what);
            continue;
        }
        int s = byte() & 1;
        ctf_stream_gap(&side[s].stream, byte(), side[s].time, side[s].time + 10);
    }
    ctf_stream_close(&side[0].stream);
    ctf_stream_close(&side[1].stream);
    while (in.size) {
        uint8_t what = byte();
        if (what == DAMAGE)
            damage();
        else if (what == CUT)
            cut();
        else
            foreign();
    }
}

struct taken {
    struct digest *digest;
    struct rows rows;
};

static void take(void *context, const struct join *j, const struct chain *c)
{
    struct taken *t = context;
    digest_take(t->digest, j, c);
    rows_take(&t->rows, j, c);
}

static void make_place(void)
{
    static const char *const roots[] = { "/dev/shm", "/tmp" };
    char root[32];
    snprintf(root, sizeof root, "%s/ringscope-fuzz-XXXXXX", roots[access(roots[0], W_OK) != 0]);
    if (!mkdtemp(root))
        abort();
    snprintf(guest, sizeof guest, "%s/guest", root);
    snprintf(host, sizeof host, "%s/host", root);
    snprintf(out, sizeof out, "%s/out", root);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct join j;
    struct taken t = { 0 };
    if (!*guest) {
        make_place();
        if (!freopen("/dev/null", "w", stdout))
            abort();
    }
    in = (struct script){ data, size };
    write_traces();
    if (!join_open(&j, guest, host)) {
        t.digest = digest_new(2);
        if (rows_begin(&t.rows, out, UINT64_MAX))
            abort();
        join_run(&j, take, &t);
        digest_sort(t.digest);
        if (!export_adds_up(&j) || rows_end(&t.rows))
            abort();
        print_summary(stdout, &j, t.digest);
        for (size_t i = 0; i < t.digest->slowest_count; i++)
            print_chain(stdout, &j, &t.digest->slowest[i]);
        digest_free(t.digest);
    }
    join_free(&j);
    return 0;
}

/* One kick from publication to harvest, in the bytes of say(). */
#define KICK                                                                                       \
    1, 1, 0x40, 0x11, 50, 18, 1, 0x43, 0, 100, 2, 1, 0x43, 0x10, 100, 19, 1, 0x50, 0, 200, 21, 1,  \
        0x08, 0x11, 200, 20, 1, 0x10, 0x01, 50, 22, 1, 0, 0x01, 50, 4, 1, 0, 0x01, 250, 9, 1, 0,   \
        0x10, 99
const struct seed seeds[] = {
    SEED("kicks", KICK, KICK, KICK, KICK, KICK, KICK, KICK, KICK, KICK, KICK),
    SEED("gap", KICK, KICK, GAP, 0, 3, KICK, GAP, 1, 2, KICK, KICK),
    SEED("flipped", KICK, KICK, KICK, DAMAGE, 0, 0x60, 0, 0xff, DAMAGE, 1, 0x80, 0, 0x7f),
    SEED("truncated", KICK, KICK, KICK, CUT, 0, 0x70, 0, CUT, 1, 0x90, 0),
    SEED("headers", KICK, KICK, DAMAGE, 0, 24, 0, 1, DAMAGE, 1, 33, 0, 0xff),
    SEED("foreign", KICK, FOREIGN, 0, 4, 0, 'X'),
    SEED("far", 1, 0x81, 0x40, 0x11, 50, 18, 0xc1, 0x43, 0, 100, KICK, KICK),
    SEED("anew", KICK, KICK, 0, 1, 0, 0, 9, KICK, KICK),
};
const unsigned seeds_used = sizeof seeds / sizeof *seeds;
