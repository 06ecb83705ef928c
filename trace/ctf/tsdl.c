#include "tsdl.h"

#include <inttypes.h>
#include <string.h>

#include "../record.h"

struct event {
    uint16_t id;
    const char *name;
    const char *field[3]; /* seq, a, b */
    const char *text;
};

static const struct event guest_events[] = {
#define GUEST_EVENT(id, name, class, seq, a, b, text) { id, #name, { #seq, #a, #b }, text },
#include "../events.def"
};

static const struct event host_events[] = {
#define HOST_EVENT(id, name, class, seq, a, b, text) { id, #name, { #seq, #a, #b }, text },
#include "../events.def"
};

const char *trace_side_name(enum trace_side side)
{
    return side == TRACE_SIDE_GUEST ? "guest" : "host";
}

/* A field that an event does not use still occupies its bytes, and a meaning may repeat the name
 * of a fixed field: both need a name of their own within the record. */
static void print_field(FILE *out, unsigned bits, const char *meaning, const char *slot)
{
    const char *type = bits == 32 ? "u32" : "u64";
    if (!strcmp(meaning, "none"))
        fprintf(out, "        %s unused_%s;\n", type, slot);
    else if (!strcmp(meaning, "vq") || !strcmp(meaning, "flags"))
        fprintf(out, "        %s %s_%s;\n", type, slot, meaning);
    else
        fprintf(out, "        %s %s;\n", type, meaning);
}

/* The record's fields are declared byte aligned: a struct takes the alignment of its widest
 * member, and an aligned u64 would move vq from byte 10 of the record to byte 16. */
static void print_event(FILE *out, const struct event *e)
{
    fprintf(out, "\n/* %s */\nevent {\n    name = \"%s\";\n    id = %u;\n    stream_id = 0;\n",
            e->text, e->name, e->id);
    fprintf(out, "    fields := struct {\n        u8 vq;\n        x8 flags;\n");
    print_field(out, 32, e->field[0], "seq");
    print_field(out, 64, e->field[1], "a");
    print_field(out, 64, e->field[2], "b");
    fprintf(out, "    };\n};\n");
}

static void print_types(FILE *out)
{
    static const struct {
        const char *name;
        unsigned size, align;
        const char *extra;
    } types[] = {
        { "u8", 8, 8, "" },   { "x8", 8, 8, " base = hex;" },
        { "u16", 16, 8, "" }, { "u32", 32, 8, "" },
        { "u64", 64, 8, "" }, { "clock_t", 64, 64, " map = clock.ringscope_clock.value;" },
    };
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        fprintf(out,
                "typealias integer { size = %u; align = %u; signed = false; byte_order = le;%s }"
                " := %s;\n",
                types[i].size, types[i].align, types[i].extra, types[i].name);
}

static void print_clock(FILE *out, enum trace_side side, uint64_t tsc_hz)
{
    const char *text =
        side == TRACE_SIDE_GUEST ? "time stamp counter of the guest" : "CLOCK_BOOTTIME of the host";
    fprintf(out,
            "\nclock {\n    name = ringscope_clock;\n    description = \"%s\";\n"
            "    freq = %" PRIu64 ";\n    offset = 0;\n};\n\n",
            text, side == TRACE_SIDE_GUEST ? tsc_hz : UINT64_C(1000000000));
}

int tsdl_write(FILE *out, enum trace_side side, uint64_t tsc_hz, unsigned cpus)
{
    const char *name = trace_side_name(side);
    fprintf(out, "/* CTF 1.8 */\n\n");
    fprintf(out, "trace {\n    major = 1;\n    minor = 8;\n    byte_order = le;\n"
                 "    packet.header := struct {\n"
                 "        integer { size = 32; align = 8; signed = false; base = hex; } magic;\n"
                 "        integer { size = 32; align = 8; signed = false; } stream_id;\n"
                 "    };\n};\n\n");
    fprintf(out,
            "env {\n    tracer_name = \"%s\";\n    domain = \"%s\";\n    cpu_count = %u;\n};\n",
            TSDL_TRACER, name, cpus);
    print_clock(out, side, tsc_hz);
    print_types(out);
    fprintf(out,
            "\nstream {\n    id = 0;\n    packet.context := struct {\n"
            "        clock_t timestamp_begin;\n        clock_t timestamp_end;\n"
            "        u64 content_size;\n        u64 packet_size;\n        u64 packet_seq_num;\n"
            "        u64 events_discarded;\n        u32 cpu_id;\n        u32 pad;\n    };\n"
            "    event.header := struct {\n        clock_t timestamp;\n        u16 id;\n    };\n"
            "};\n");
    if (side == TRACE_SIDE_GUEST)
        for (size_t i = 0; i < sizeof guest_events / sizeof *guest_events; i++)
            print_event(out, &guest_events[i]);
    else
        for (size_t i = 0; i < sizeof host_events / sizeof *host_events; i++)
            print_event(out, &host_events[i]);
    return ferror(out) ? -1 : 0;
}
