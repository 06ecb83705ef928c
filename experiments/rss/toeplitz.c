#include "toeplitz.h"
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

const uint8_t toeplitz_key[TOEPLITZ_KEY_BYTES] = {
    0x6d, 0x5a, 0x56, 0xda, 0x25, 0x5b, 0x0e, 0xc2, 0x41, 0x67, 0x25, 0x3d, 0x43, 0xa3,
    0x8f, 0xb0, 0xd0, 0xca, 0x2b, 0xcb, 0xae, 0x7b, 0x30, 0xb4, 0x77, 0xcb, 0x2d, 0xa3,
    0x80, 0x30, 0xf2, 0x0c, 0x6a, 0x42, 0xb7, 0x3b, 0xbe, 0xac, 0x01, 0xfa,
};

/* For each bit that is set, the 32 bits of the key that begin there. */
uint32_t toeplitz(const uint8_t *data, unsigned bytes)
{
    uint32_t hash = 0, window = 0;
    for (unsigned i = 0; i < 32; i++)
        window = window << 1 | (toeplitz_key[i / 8] >> (7 - i % 8) & 1u);
    for (unsigned i = 0; i < 8 * bytes; i++) {
        unsigned next = i + 32;
        if (data[i / 8] >> (7 - i % 8) & 1)
            hash ^= window;
        window = window << 1 | (toeplitz_key[next / 8] >> (7 - next % 8) & 1u);
    }
    return hash;
}

/* "Verifying the RSS Hash Calculation" of the Windows driver documentation. */
static const struct {
    int family;
    const char *from, *to;
    uint16_t from_port, to_port;
    uint32_t of_addresses, of_all;
} examples[] = {
    { AF_INET, "66.9.149.187", "161.142.100.80", 2794, 1766, 0x323e8fc2, 0x51ccc178 },
    { AF_INET, "199.92.111.2", "65.69.140.83", 14230, 4739, 0xd718262a, 0xc626b0ea },
    { AF_INET, "24.19.198.95", "12.22.207.184", 12898, 38024, 0xd2d0a5de, 0x5c2b394a },
    { AF_INET, "38.27.205.30", "209.142.163.6", 48228, 2217, 0x82989176, 0xafc7327f },
    { AF_INET, "153.39.163.191", "202.188.127.2", 44251, 1303, 0x5d1809c5, 0x10e828a2 },
    { AF_INET6, "3ffe:2501:200:1fff::7", "3ffe:2501:200:3::1", 2794, 1766, 0x2cc18cd5, 0x40207d3d },
    { AF_INET6, "3ffe:501:8::260:97ff:fe40:efab", "ff02::1", 14230, 4739, 0x0f0c461c, 0xdde51bbf },
    { AF_INET6, "3ffe:1900:4545:3:200:f8ff:fe21:67cf", "fe80::200:f8ff:fe21:67cf", 44251, 38024,
      0x4b61e985, 0x02d1feef },
};

int toeplitz_check(void)
{
    int wrong = 0;
    for (unsigned i = 0; i < sizeof(examples) / sizeof(examples[0]); i++) {
        unsigned address = examples[i].family == AF_INET ? 4 : 16;
        uint16_t ports[2] = { htons(examples[i].from_port), htons(examples[i].to_port) };
        uint8_t data[36];
        inet_pton(examples[i].family, examples[i].from, data);
        inet_pton(examples[i].family, examples[i].to, data + address);
        memcpy(data + 2 * address, ports, sizeof(ports));
        uint32_t of_addresses = toeplitz(data, 2 * address);
        uint32_t of_all = toeplitz(data, 2 * address + 4);
        if (of_addresses != examples[i].of_addresses || of_all != examples[i].of_all) {
            fprintf(stderr, "%s: %08x and %08x, published are %08x and %08x\n", examples[i].from,
                    of_addresses, of_all, examples[i].of_addresses, examples[i].of_all);
            wrong++;
        }
    }
    return wrong;
}
