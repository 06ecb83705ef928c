#include "hgrm.h"

#include <inttypes.h>
#include <math.h>

#define NS_PER_US         1000.0
#define TICKS_PER_HALVING 5.0
#define HALF_MAGNITUDE    10u

/* Bucket b holds values of HALF_MAGNITUDE + b + 1 bits in steps of 2^b; bucket 0 also holds all
 * smaller ones. The lower half of every other bucket is covered by the one before and not stored.
 */
static uint32_t slot_of(uint64_t ns)
{
    uint32_t top_bit = 63u - (uint32_t)__builtin_clzll(ns | (HGRM_SUB_BUCKETS - 1));
    uint32_t bucket = top_bit - HALF_MAGNITUDE;

    return bucket * HGRM_SUB_BUCKETS_HALF + (uint32_t)(ns >> bucket);
}

static uint32_t slot_shift(uint32_t slot)
{
    return slot < HGRM_SUB_BUCKETS ? 0 : slot / HGRM_SUB_BUCKETS_HALF - 1;
}

static uint64_t slot_lowest(uint32_t slot)
{
    uint32_t shift = slot_shift(slot);

    return (uint64_t)(slot - shift * HGRM_SUB_BUCKETS_HALF) << shift;
}

static uint64_t slot_highest(uint32_t slot)
{
    return slot_lowest(slot) + (1ull << slot_shift(slot)) - 1;
}

static double slot_middle(uint32_t slot)
{
    return (double)(slot_lowest(slot) + (1ull << slot_shift(slot)) / 2);
}

void hgrm_record(struct hgrm *h, uint64_t ns)
{
    if (ns > HGRM_HIGHEST_NS) {
        ns = HGRM_HIGHEST_NS;
        h->clamped++;
    }
    h->count[slot_of(ns)]++;
    h->total++;
    if (ns > h->max_ns)
        h->max_ns = ns;
}

uint64_t hgrm_percentile(const struct hgrm *h, double percent)
{
    double exact = percent / 100.0 * (double)h->total;
    /* The product may land one ulp above a whole count, and ceil() would then skip a record. */
    double wanted = ceil(exact - (nextafter(exact, INFINITY) - exact));
    uint64_t rank = wanted < 1 ? 1 : (uint64_t)wanted;
    uint64_t seen = 0;

    for (uint32_t slot = 0; slot < HGRM_SLOTS; slot++) {
        seen += h->count[slot];
        if (seen >= rank)
            return slot_highest(slot);
    }
    return 0;
}

double hgrm_mean(const struct hgrm *h)
{
    double sum = 0;

    if (h->total == 0)
        return 0;
    for (uint32_t slot = 0; slot < HGRM_SLOTS; slot++)
        sum += slot_middle(slot) * (double)h->count[slot];
    return sum / (double)h->total;
}

double hgrm_stddev(const struct hgrm *h)
{
    double mean = hgrm_mean(h);
    double sum = 0;

    if (h->total == 0)
        return 0;
    for (uint32_t slot = 0; slot < HGRM_SLOTS; slot++) {
        double deviation = slot_middle(slot) - mean;

        sum += deviation * deviation * (double)h->count[slot];
    }
    return sqrt(sum / (double)h->total);
}

/* Ticks of equal size inside each halving of the distance to 100 %. */
static double next_level(double level)
{
    double halvings = floor(log2(100.0 / (100.0 - level))) + 1;

    return level + 100.0 / (TICKS_PER_HALVING * pow(2, halvings));
}

/* The fraction is rounded half up as the published implementations do; printf would round the
 * levels that end in an exact 5 to even. */
static void write_row(FILE *out, uint64_t value_ns, double level, uint64_t seen)
{
    uint64_t trillionths = (uint64_t)(level / 100.0 * 1e12 + 0.5);

    fprintf(out, "%12.3f %" PRIu64 ".%012" PRIu64 " %10" PRIu64, (double)value_ns / NS_PER_US,
            trillionths / 1000000000000u, trillionths % 1000000000000u, seen);
    if (level < 100.0)
        fprintf(out, " %14.2f", 1.0 / (1.0 - level / 100.0));
    fputc('\n', out);
}

static void write_table(const struct hgrm *h, FILE *out)
{
    double level = 0;
    uint64_t seen = 0;

    for (uint32_t slot = 0; slot < HGRM_SLOTS && seen < h->total; slot++) {
        if (h->count[slot] == 0)
            continue;
        seen += h->count[slot];
        double reached = 100.0 * (double)seen / (double)h->total;

        while (level <= reached && level < 100.0) {
            write_row(out, slot_highest(slot), level, seen);
            if (seen == h->total)
                level = 100.0;
            else
                level = next_level(level);
        }
        if (seen == h->total)
            write_row(out, slot_highest(slot), 100.0, seen);
    }
}

void hgrm_write(const struct hgrm *h, FILE *out)
{
    fprintf(out, "       Value     Percentile TotalCount 1/(1-Percentile)\n\n");
    write_table(h, out);
    fprintf(out, "#[Mean    = %12.3f, StdDeviation   = %12.3f]\n", hgrm_mean(h) / NS_PER_US,
            hgrm_stddev(h) / NS_PER_US);
    fprintf(out, "#[Max     = %12.3f, Total count    = %12" PRIu64 "]\n",
            (double)h->max_ns / NS_PER_US, h->total);
    fprintf(out, "#[Buckets = %12u, SubBuckets     = %12u]\n", HGRM_BUCKETS, HGRM_SUB_BUCKETS);
}
