#include "region.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "complain.h"

static int refuse(char *why, size_t bytes, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static int refuse(char *why, size_t bytes, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(why, bytes, format, args);
    va_end(args);
    return -1;
}

static int map_file(struct region *r, char *why, size_t size)
{
    struct stat st;
    int fd = open(r->path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return refuse(why, size, "%s: %s", r->path, strerror(errno));
    if (fstat(fd, &st)) {
        int error = errno;
        close(fd);
        return refuse(why, size, "%s: %s", r->path, strerror(error));
    }
    if (st.st_size < (off_t)(TRACE_REGION_PADDR + TRACE_HEAD_BYTES)) {
        close(fd);
        return refuse(why, size,
                      "%s: %lld bytes end before the trace region at %#llx: give the guest's RAM "
                      "file (memory-backend-file, share=on)",
                      r->path, (long long)st.st_size, (unsigned long long)TRACE_REGION_PADDR);
    }
    r->bytes = (size_t)st.st_size;
    void *map = mmap(NULL, r->bytes, PROT_READ, MAP_SHARED, fd, 0);
    int error = errno;
    close(fd);
    if (map == MAP_FAILED)
        return refuse(why, size, "%s: mmap: %s", r->path, strerror(error));
    r->ram = map;
    return 0;
}

static int check_head(struct region *r, char *why, size_t size)
{
    const struct trace_region *h = &r->head;
    const unsigned long long at = TRACE_REGION_PADDR;
    if (h->magic != TRACE_REGION_MAGIC)
        return refuse(why, size,
                      "%s: offset %#llx: no trace region (magic %#" PRIx64 "): the guest has not "
                      "set up tracing yet, or this is not its RAM",
                      r->path, at, h->magic);
    if (h->version != TRACE_REGION_VERSION)
        return refuse(why, size,
                      "%s: offset %#llx: trace region version %u, this reader knows %u: build "
                      "guest and tools from one tree",
                      r->path, at, h->version, TRACE_REGION_VERSION);
    if (!h->cpus || h->cpus > TRACE_MAX_CPUS || h->counters_used > TRACE_MAX_COUNTERS ||
        !h->tsc_hz || h->bytes > r->bytes - TRACE_REGION_PADDR)
        return refuse(why, size,
                      "%s: offset %#llx: damaged trace region (%u CPUs, %u counters, tsc_hz "
                      "%" PRIu64 ", %" PRIu64 " bytes): restart the guest",
                      r->path, at, h->cpus, h->counters_used, h->tsc_hz, h->bytes);
    for (unsigned i = 0; i < h->cpus; i++) {
        const struct trace_cpu_area *a = &h->cpu[i];
        if (!a->packets || a->first_packet % 8 || a->first_packet < sizeof *h ||
            a->first_packet > h->bytes ||
            a->packets > (h->bytes - a->first_packet) / TRACE_PACKET_BYTES)
            return refuse(why, size,
                          "%s: offset %#llx: packets of CPU %u (%" PRIu64 " at %#" PRIx64 ") lie "
                          "outside the region: restart the guest",
                          r->path, at + offsetof(struct trace_region, cpu[i]), i, a->packets,
                          a->first_packet);
    }
    return 0;
}

/* Text from guest RAM goes to terminals and tab-separated files. */
static void make_printable(char *text, size_t bytes)
{
    text[bytes - 1] = 0;
    for (char *c = text; *c; c++)
        if (*c < ' ' || *c > '~')
            *c = '?';
}

int region_open(struct region *r, const char *path, char *why, size_t size)
{
    memset(r, 0, sizeof *r);
    r->path = path;
    if (map_file(r, why, size))
        return -1;
    r->live = (const struct trace_region *)(r->ram + TRACE_REGION_PADDR);
    uint64_t magic = __atomic_load_n(&r->live->magic, __ATOMIC_ACQUIRE);
    uint32_t counters = __atomic_load_n(&r->live->counters_used, __ATOMIC_ACQUIRE);
    memcpy(&r->head, r->live, sizeof r->head);
    r->head.magic = magic;
    r->head.counters_used = counters;
    if (check_head(r, why, size)) {
        region_close(r);
        return -1;
    }
    make_printable(r->head.about, sizeof r->head.about);
    for (unsigned i = 0; i < counters; i++)
        make_printable(r->head.counters[i].name, sizeof r->head.counters[i].name);
    return 0;
}

void region_close(struct region *r)
{
    if (r->ram)
        munmap((void *)r->ram, r->bytes);
    r->ram = NULL;
}

uint32_t region_state(const struct region *r)
{
    return __atomic_load_n(&r->live->state, __ATOMIC_ACQUIRE);
}

const char *region_state_name(uint32_t state)
{
    static const char *const names[] = { "booting", "ready", "running", "done", "panic" };
    return state < sizeof names / sizeof *names ? names[state] : "?";
}

uint64_t region_reserved(const struct region *r, unsigned cpu)
{
    return __atomic_load_n(&r->live->cpu[cpu].reserved, __ATOMIC_ACQUIRE);
}

uint64_t region_lost(const struct region *r, unsigned cpu)
{
    return __atomic_load_n(&r->live->cpu[cpu].lost, __ATOMIC_ACQUIRE);
}

uint64_t region_lost_of(const struct region *r, unsigned cpu, enum trace_class class)
{
    return __atomic_load_n(&r->live->cpu[cpu].lost_of[class], __ATOMIC_RELAXED);
}

uint64_t region_stopped(const struct region *r, unsigned cpu)
{
    return __atomic_load_n(&r->live->cpu[cpu].stopped, __ATOMIC_ACQUIRE);
}

struct trace_trigger_mark region_trigger(const struct region *r)
{
    uint32_t fired = __atomic_load_n(&r->live->trigger.fired, __ATOMIC_ACQUIRE);
    struct trace_trigger_mark mark = r->live->trigger;
    mark.fired = fired;
    return mark;
}

static const struct {
    const char *name, *unit;
} triggers[] = {
    [0] = { "none", "" },
#define TRIGGER(name, number, unit, text) [number] = { #name, unit },
#include "../triggers.def"
};

const char *region_trigger_name(uint32_t trigger)
{
    return trigger < TRACE_TRIGGERS ? triggers[trigger].name : "?";
}

const char *region_trigger_unit(uint32_t trigger)
{
    return trigger < TRACE_TRIGGERS ? triggers[trigger].unit : "";
}

uint32_t region_mask(const struct region *r)
{
    return __atomic_load_n(&r->live->mask, __ATOMIC_RELAXED);
}

/* One aligned word through a mapping of its own, so that all else stays read-only. */
int region_set_mask(const struct region *r, uint32_t mask)
{
    int fd = open(r->path, O_RDWR | O_CLOEXEC);
    void *map = fd < 0 ? MAP_FAILED
                       : mmap(NULL, sizeof(struct trace_region), PROT_READ | PROT_WRITE, MAP_SHARED,
                              fd, TRACE_REGION_PADDR);
    if (map == MAP_FAILED) {
        complain("%s: %s", r->path, strerror(errno));
    } else {
        __atomic_store_n(&((struct trace_region *)map)->mask, mask, __ATOMIC_RELAXED);
        munmap(map, sizeof(struct trace_region));
    }
    if (fd >= 0)
        close(fd);
    return map == MAP_FAILED ? -1 : 0;
}

const struct trace_packet *region_packet(const struct region *r, unsigned cpu, uint64_t number)
{
    const struct trace_cpu_area *a = &r->head.cpu[cpu];
    const uint8_t *base = (const uint8_t *)r->live + a->first_packet;
    return (const struct trace_packet *)(base + number % a->packets * TRACE_PACKET_BYTES);
}

/* Making a packet ready for the next lap clears its records, and that begins before the word says
 * that it is done. */
uint64_t region_oldest(const struct region *r, unsigned cpu)
{
    uint64_t packets = r->head.cpu[cpu].packets;
    uint64_t prepared = (__atomic_load_n(&r->live->cpu[cpu].prepared, __ATOMIC_ACQUIRE) + 1) / 2;
    return prepared > packets ? (prepared - packets) * TRACE_RECORDS_PER_PACKET : 0;
}

int region_record(const struct region *r, unsigned cpu, uint64_t index, struct trace_record *record)
{
    const struct trace_packet *p = region_packet(r, cpu, index / TRACE_RECORDS_PER_PACKET);
    const struct trace_record *slot = &p->records[index % TRACE_RECORDS_PER_PACKET];
    uint16_t id = __atomic_load_n(&slot->id, __ATOMIC_ACQUIRE);
    if (!id)
        return 0;
    memcpy(record, slot, sizeof *record);
    record->id = id;
    return record->time >= p->header.time_begin;
}

int region_counter(const struct region *r, unsigned i, uint64_t *value)
{
    uint64_t paddr = r->head.counters[i].paddr;
    if (paddr > r->bytes - sizeof *value || paddr % sizeof *value)
        return -1;
    *value = __atomic_load_n((const uint64_t *)(r->ram + paddr), __ATOMIC_RELAXED);
    return 0;
}

bool region_died_early(const char *path)
{
    char why[256];
    struct region r = { .path = path };
    if (map_file(&r, why, sizeof why))
        return false;
    const struct trace_region *h = (const struct trace_region *)(r.ram + TRACE_REGION_PADDR);
    bool died = h->magic != TRACE_REGION_MAGIC &&
                __atomic_load_n(&h->state, __ATOMIC_ACQUIRE) == TRACE_GUEST_PANIC;
    munmap((void *)r.ram, r.bytes);
    return died;
}
