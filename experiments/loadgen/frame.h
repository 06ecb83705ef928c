/* The test frame of every ringscope workload. The generator and the guest's programs both include
 * this file, so it needs nothing but stdint.h and touches memory byte by byte: a frame may sit at
 * any alignment inside a receive buffer.
 *
 *   offset 0  destination MAC        6 bytes
 *          6  source MAC             6
 *         12  EtherType 0x88B5       2, network order (IEEE 802 local experimental 1)
 *         14  magic                  4, little-endian from here on
 *         18  run                    4
 *         22  seq                    8
 *         30  intended_ns            8, the sender's clock
 *         38  zero padding up to the frame size (60 to 1514 bytes, FCS not included)
 */
#ifndef RINGSCOPE_LOADGEN_FRAME_H
#define RINGSCOPE_LOADGEN_FRAME_H

#include <stdint.h>

#define FRAME_ETHERTYPE 0x88B5u
#define FRAME_MAGIC     0x50435352u
#define FRAME_MAC_BYTES 6u
#define FRAME_MIN_BYTES 60u
#define FRAME_MAX_BYTES 1514u

enum frame_offset {
    FRAME_AT_DST = 0,
    FRAME_AT_SRC = 6,
    FRAME_AT_TYPE = 12,
    FRAME_AT_MAGIC = 14,
    FRAME_AT_RUN = 18,
    FRAME_AT_SEQ = 22,
    FRAME_AT_INTENDED = 30,
    FRAME_HEADER_BYTES = 38,
};

struct frame_info {
    uint32_t run;         /* names one run of one sender */
    uint64_t seq;         /* 0, 1, 2, ... within the run, in order of the schedule */
    uint64_t intended_ns; /* when the schedule wanted the frame sent, on the sender's clock */
};

static inline void frame_put_le(uint8_t *to, uint64_t value, uint32_t bytes)
{
    for (uint32_t i = 0; i < bytes; i++)
        to[i] = (uint8_t)(value >> (8 * i));
}

static inline uint64_t frame_get_le(const uint8_t *from, uint32_t bytes)
{
    uint64_t value = 0;

    for (uint32_t i = 0; i < bytes; i++)
        value |= (uint64_t)from[i] << (8 * i);
    return value;
}

/* Writes the whole frame of `bytes` (at least FRAME_HEADER_BYTES) including its zero padding. */
static inline void frame_build(uint8_t *frame, uint32_t bytes, const uint8_t *dst,
                               const uint8_t *src, const struct frame_info *info)
{
    for (uint32_t i = 0; i < FRAME_MAC_BYTES; i++) {
        frame[FRAME_AT_DST + i] = dst[i];
        frame[FRAME_AT_SRC + i] = src[i];
    }
    frame[FRAME_AT_TYPE] = (uint8_t)(FRAME_ETHERTYPE >> 8);
    frame[FRAME_AT_TYPE + 1] = (uint8_t)FRAME_ETHERTYPE;
    frame_put_le(frame + FRAME_AT_MAGIC, FRAME_MAGIC, 4);
    frame_put_le(frame + FRAME_AT_RUN, info->run, 4);
    frame_put_le(frame + FRAME_AT_SEQ, info->seq, 8);
    frame_put_le(frame + FRAME_AT_INTENDED, info->intended_ns, 8);
    for (uint32_t i = FRAME_HEADER_BYTES; i < bytes; i++)
        frame[i] = 0;
}

/* Changes sequence number and intended time of a frame built before; all else stays. */
static inline void frame_restamp(uint8_t *frame, uint64_t seq, uint64_t intended_ns)
{
    frame_put_le(frame + FRAME_AT_SEQ, seq, 8);
    frame_put_le(frame + FRAME_AT_INTENDED, intended_ns, 8);
}

/* Returns 1 and fills `info` if the first `bytes` of a frame are one of ours, else 0. */
static inline int frame_parse(const uint8_t *frame, uint32_t bytes, struct frame_info *info)
{
    if (bytes < FRAME_HEADER_BYTES)
        return 0;
    if (frame[FRAME_AT_TYPE] != (uint8_t)(FRAME_ETHERTYPE >> 8) ||
        frame[FRAME_AT_TYPE + 1] != (uint8_t)FRAME_ETHERTYPE)
        return 0;
    if (frame_get_le(frame + FRAME_AT_MAGIC, 4) != FRAME_MAGIC)
        return 0;
    info->run = (uint32_t)frame_get_le(frame + FRAME_AT_RUN, 4);
    info->seq = frame_get_le(frame + FRAME_AT_SEQ, 8);
    info->intended_ns = frame_get_le(frame + FRAME_AT_INTENDED, 8);
    return 1;
}

/* Turns a frame into its echo: the MACs change places, the payload stays as it came. */
static inline void frame_swap_macs(uint8_t *frame)
{
    for (uint32_t i = 0; i < FRAME_MAC_BYTES; i++) {
        uint8_t byte = frame[FRAME_AT_DST + i];

        frame[FRAME_AT_DST + i] = frame[FRAME_AT_SRC + i];
        frame[FRAME_AT_SRC + i] = byte;
    }
}

#endif
