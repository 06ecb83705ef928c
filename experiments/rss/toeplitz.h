/* The hash by which "Receive-side scaling (RSS)" steers frames, written from its publication and
 * not from any device or driver. */
#ifndef RSS_TOEPLITZ_H
#define RSS_TOEPLITZ_H

#include <stdint.h>

#define TOEPLITZ_KEY_BYTES 40

/* The key of the published examples. */
extern const uint8_t toeplitz_key[TOEPLITZ_KEY_BYTES];

/* Of at most 36 bytes: source and destination address, then source and destination port. */
uint32_t toeplitz(const uint8_t *data, unsigned bytes);

/* The number of published examples whose hash comes out otherwise. */
int toeplitz_check(void);

#endif
