#include "../ctf/stream.h"
#include "hostlog.h"

static int write_cpu(const struct hostlog *log, uint32_t cpu, const char *dir)
{
    struct ctf_stream s;
    if (ctf_stream_open(&s, dir, cpu))
        return -1;
    int bad = 0;
    for (size_t i = 0; i < log->count && !bad; i++) {
        const struct host_line *l = &log->lines[i];
        if (l->cpu == cpu)
            bad = ctf_stream_gap(&s, l->lost_before, l->lost_since, l->record.time) ||
                  ctf_stream_put(&s, &l->record);
    }
    return ctf_stream_close(&s) || bad ? -1 : 0;
}

int hostlog_write(const struct hostlog *log, const char *dir)
{
    unsigned char present[HOSTLOG_MAX_CPUS] = { 0 };
    unsigned cpus = 0;
    for (size_t i = 0; i < log->count; i++)
        present[log->lines[i].cpu] = 1;
    for (unsigned cpu = 0; cpu < HOSTLOG_MAX_CPUS; cpu++)
        cpus = present[cpu] ? cpu + 1 : cpus;
    if (ctf_dir_create(dir, TRACE_SIDE_HOST, 0, cpus))
        return -1;
    for (unsigned cpu = 0; cpu < cpus; cpu++)
        if (present[cpu] && write_cpu(log, cpu, dir))
            return -1;
    return 0;
}
