#include "options.h"

#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"

#define RATE_MAX_PPS 100000000ull
#define COUNT_MAX    10000000000ull
#define SECONDS_MAX  86400.0
#define DRAIN_MAX_MS 600000ull
#define SPIN_MAX_US  1000000ull

enum flag {
    FLAG_PORT = 1000,
    FLAG_ROLE,
    FLAG_RATE,
    FLAG_SECONDS,
    FLAG_COUNT_FRAMES,
    FLAG_ARRIVAL,
    FLAG_SEED,
    FLAG_SIZE,
    FLAG_DST,
    FLAG_SRC,
    FLAG_RUN,
    FLAG_DRAIN,
    FLAG_SPIN,
    FLAG_OUT,
    FLAG_FIFO,
    FLAG_HELP,
};

static const struct option long_options[] = {
    { "port", required_argument, NULL, FLAG_PORT },
    { "role", required_argument, NULL, FLAG_ROLE },
    { "rate", required_argument, NULL, FLAG_RATE },
    { "seconds", required_argument, NULL, FLAG_SECONDS },
    { "count", required_argument, NULL, FLAG_COUNT_FRAMES },
    { "arrival", required_argument, NULL, FLAG_ARRIVAL },
    { "seed", required_argument, NULL, FLAG_SEED },
    { "size", required_argument, NULL, FLAG_SIZE },
    { "dst", required_argument, NULL, FLAG_DST },
    { "src", required_argument, NULL, FLAG_SRC },
    { "run", required_argument, NULL, FLAG_RUN },
    { "drain-ms", required_argument, NULL, FLAG_DRAIN },
    { "spin-us", required_argument, NULL, FLAG_SPIN },
    { "out", required_argument, NULL, FLAG_OUT },
    { "fifo", no_argument, NULL, FLAG_FIFO },
    { "help", no_argument, NULL, FLAG_HELP },
    { NULL, 0, NULL, 0 },
};

static const char *const role_names[] = { "pingpong", "source", "sink", NULL };
static const char *const arrival_names[] = { "constant", "poisson", NULL };

const char *role_name(enum role role)
{
    return role_names[role];
}

const char *arrival_name(enum arrival arrival)
{
    return arrival_names[arrival];
}

void options_help(FILE *out)
{
    fputs("usage: loadgen --port PORT --rate PPS (--seconds S | --count N) [options]\n"
          "       loadgen --port PORT --role sink --seconds S [options]\n"
          "\n"
          "  --port packet:IFACE | udp:LOCAL:REMOTE   where frames go: an interface, or UDP on\n"
          "                       127.0.0.1 with one frame per datagram (QEMU -netdev dgram)\n"
          "  --role pingpong | source | sink          send and await echoes, only send, only\n"
          "                       receive (default pingpong)\n"
          "  --rate PPS           frames per second of the schedule\n"
          "  --seconds S          length of the schedule; for a sink the longest wait\n"
          "  --count N            frames of the schedule; for a sink the number expected\n"
          "  --arrival constant | poisson             gaps between frames (default constant)\n"
          "  --seed N             of the Poisson schedule (default 1)\n"
          "  --size BYTES         Ethernet frame without FCS, 60 to 1514 (default 60)\n"
          "  --dst MAC            (default 52:54:00:12:34:56, QEMU's first)\n"
          "  --src MAC            (default that of IFACE; 02:00:00:00:00:01 for udp)\n"
          "  --run N              run number in each frame (default drawn; a sink takes the\n"
          "                       first it sees)\n"
          "  --drain-ms MS        silence after which outstanding frames are lost, and after\n"
          "                       which a sink stops (default 500)\n"
          "  --spin-us US         busy-wait this long before each send (default 0: sleep)\n"
          "  --fifo               ask for real-time priority\n"
          "  --out DIR            write loadgen.tsv and .hgrm files there\n",
          out);
}

static bool refuse(FILE *err, const char *flag, const char *value, const char *remedy)
{
    fprintf(err, "loadgen: --%s %s: %s\n", flag, value, remedy);
    return false;
}

static bool parse_number(const char *text, uint64_t low, uint64_t high, uint64_t *value)
{
    char *end;

    /* strtoull would take a sign or leading blanks. */
    if (*text < '0' || *text > '9')
        return false;
    errno = 0;
    *value = strtoull(text, &end, 10);
    return errno == 0 && *end == '\0' && *value >= low && *value <= high;
}

static bool parse_seconds(const char *text, uint64_t *ns)
{
    char *end;
    double seconds;

    if (strspn(text, "0123456789.") != strlen(text))
        return false;
    seconds = strtod(text, &end);
    if (end == text || *end != '\0' || !(seconds >= 0.001) || seconds > SECONDS_MAX)
        return false;
    *ns = (uint64_t)(seconds * (double)NS_PER_S + 0.5);
    return true;
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

static bool parse_mac(const char *text, uint8_t mac[FRAME_MAC_BYTES])
{
    if (strlen(text) != 3 * FRAME_MAC_BYTES - 1)
        return false;
    for (uint32_t i = 0; i < FRAME_MAC_BYTES; i++, text += 3) {
        int high = hex_digit(text[0]);
        int low = hex_digit(text[1]);

        if (high < 0 || low < 0 || (i < FRAME_MAC_BYTES - 1 && text[2] != ':'))
            return false;
        mac[i] = (uint8_t)(high << 4 | low);
    }
    return true;
}

static bool parse_name(const char *text, const char *const *names, int *index)
{
    for (*index = 0; names[*index] != NULL; (*index)++) {
        if (strcmp(text, names[*index]) == 0)
            return true;
    }
    return false;
}

static bool take_identity(struct options *o, int flag, const char *value, FILE *err)
{
    uint64_t number;
    int index;

    switch (flag) {
    case FLAG_ROLE:
        if (!parse_name(value, role_names, &index))
            return refuse(err, "role", value, "give pingpong, source or sink");
        o->role = (enum role)index;
        return true;
    case FLAG_DST:
        return parse_mac(value, o->dst) ||
               refuse(err, "dst", value, "give a MAC, aa:bb:cc:dd:ee:ff");
    case FLAG_SRC:
        o->src_given = true;
        return parse_mac(value, o->src) ||
               refuse(err, "src", value, "give a MAC, aa:bb:cc:dd:ee:ff");
    case FLAG_SIZE:
        if (!parse_number(value, FRAME_MIN_BYTES, FRAME_MAX_BYTES, &number))
            return refuse(err, "size", value, "give 60 to 1514 bytes");
        o->frame_bytes = (uint32_t)number;
        return true;
    default:
        if (!parse_number(value, 0, UINT32_MAX, &number))
            return refuse(err, "run", value, "give a whole number below 2^32");
        o->run = (uint32_t)number;
        o->run_given = true;
        return true;
    }
}

static bool take_timing(struct options *o, int flag, const char *value, FILE *err)
{
    uint64_t number = 0;
    int index;

    switch (flag) {
    case FLAG_RATE:
        return parse_number(value, 1, RATE_MAX_PPS, &o->rate_pps) ||
               refuse(err, "rate", value, "give 1 to 100000000 frames per second");
    case FLAG_SECONDS:
        return parse_seconds(value, &o->duration_ns) ||
               refuse(err, "seconds", value, "give 0.001 to 86400");
    case FLAG_COUNT_FRAMES:
        return parse_number(value, 1, COUNT_MAX, &o->count) ||
               refuse(err, "count", value, "give 1 to 10000000000 frames");
    case FLAG_ARRIVAL:
        if (!parse_name(value, arrival_names, &index))
            return refuse(err, "arrival", value, "give constant or poisson");
        o->arrival = (enum arrival)index;
        return true;
    case FLAG_SEED:
        return parse_number(value, 0, UINT64_MAX, &o->seed) ||
               refuse(err, "seed", value, "give a whole number below 2^64");
    case FLAG_DRAIN:
        if (!parse_number(value, 1, DRAIN_MAX_MS, &number))
            return refuse(err, "drain-ms", value, "give 1 to 600000");
        o->drain_ns = number * NS_PER_MS;
        return true;
    default:
        if (!parse_number(value, 0, SPIN_MAX_US, &number))
            return refuse(err, "spin-us", value, "give 0 to 1000000");
        o->spin_ns = number * NS_PER_US;
        return true;
    }
}

static bool take_flag(struct options *o, int flag, const char *value, FILE *err)
{
    switch (flag) {
    case FLAG_PORT:
        o->port = value;
        return true;
    case FLAG_OUT:
        o->out = value;
        return true;
    case FLAG_FIFO:
        o->fifo = true;
        return true;
    case FLAG_ROLE:
    case FLAG_DST:
    case FLAG_SRC:
    case FLAG_SIZE:
    case FLAG_RUN:
        return take_identity(o, flag, value, err);
    default:
        return take_timing(o, flag, value, err);
    }
}

static bool complain(FILE *err, const char *line)
{
    fprintf(err, "loadgen: %s\n", line);
    return false;
}

static bool complete_sender(struct options *o, FILE *err)
{
    double frames = (double)o->rate_pps * (double)o->duration_ns / (double)NS_PER_S;

    if (o->rate_pps == 0)
        return complain(err, "--rate is missing: give the frames per second to send");
    if ((o->count == 0) == (o->duration_ns == 0))
        return complain(err,
                        "give the length of the schedule as --seconds or as --count, not both");
    if (o->count != 0)
        return true;
    if (frames + 0.5 < 1.0)
        return complain(err, "--rate times --seconds is less than one frame: raise either");
    if (frames > (double)COUNT_MAX)
        return complain(err, "--rate times --seconds exceeds 10000000000 frames: lower either");
    o->count = (uint64_t)(frames + 0.5);
    return true;
}

static bool complete(struct options *o, FILE *err)
{
    if (o->port == NULL)
        return complain(err, "--port is missing: give packet:IFACE or udp:LOCAL:REMOTE");
    if (o->role != ROLE_SINK)
        return complete_sender(o, err);
    if (o->rate_pps != 0)
        return complain(err, "--rate does not go with --role sink, which sends nothing: drop it");
    if (o->duration_ns == 0)
        return complain(err, "--seconds is missing: give the longest time a sink may listen");
    return true;
}

enum options_result options_parse(struct options *o, int argc, char **argv, FILE *err)
{
    int flag;

    *o = (struct options){ .seed = 1,
                           .drain_ns = 500 * NS_PER_MS,
                           .frame_bytes = FRAME_MIN_BYTES,
                           .dst = { 0x52, 0x54, 0x00, 0x12, 0x34, 0x56 },
                           .src = { 0x02, 0x00, 0x00, 0x00, 0x00, 0x01 } };
    optind = 0;
    opterr = 0;
    while ((flag = getopt_long(argc, argv, ":", long_options, NULL)) != -1) {
        if (flag == FLAG_HELP)
            return OPTIONS_HELP;
        if (flag == ':' || flag == '?') {
            fprintf(err, "loadgen: %s: %s; see --help\n", argv[optind - 1],
                    flag == ':' ? "needs a value" : "no such option");
            return OPTIONS_BAD;
        }
        if (!take_flag(o, flag, optarg, err))
            return OPTIONS_BAD;
    }
    if (optind < argc) {
        fprintf(err, "loadgen: %s: every argument is an option; see --help\n", argv[optind]);
        return OPTIONS_BAD;
    }
    return complete(o, err) ? OPTIONS_OK : OPTIONS_BAD;
}
