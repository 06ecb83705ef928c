#include "cmdline.h"
#include "selftest.h"
#include "string.h"

static void check_format(const char *expected, const char *fmt, ...) PRINTF_LIKE(2, 3);

static void check_format(const char *expected, const char *fmt, ...)
{
    char text[80];
    va_list ap;

    va_start(ap, fmt);
    int n = vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    CHECK(!strcmp(text, expected));
    CHECK(n == (int)strlen(expected));
    if (strcmp(text, expected))
        kprintf("  \"%s\" gave \"%s\", not \"%s\"\n", fmt, text, expected);
}

static void test_printf(void)
{
    char small[8];

    check_format("-7 7 4294967289", "%d %i %u", -7, 7, -7);
    check_format("[   42][42   ][00042][-0042]", "[%5d][%-5d][%05d][%05d]", 42, 42, 42, -42);
    check_format("beef BEEF 0xbeef 0x0000beef", "%x %X %#x %#010x", 0xbeef, 0xbeef, 0xbeef, 0xbeef);
    check_format("-9223372036854775808", "%lld", (long long)INT64_MIN);
    check_format("18446744073709551615 ffff", "%lu %hx", UINT64_MAX, 0xffff);
    check_format("0x100000 12 %", "%p %zu %%", (void *)0x100000, (size_t)12);
    check_format("[ab][   ab][ab   ][c]", "[%.2s][%5s][%-*s][%c]", "abc", "ab", 5, "ab", 'c');
    CHECK(snprintf(small, sizeof(small), "%s", "longer than that") == 16);
    CHECK(!strcmp(small, "longer "));
}

/* Every length and alignment around the word loops, against byte-wise expectations. */
static void test_string(void)
{
    static uint8_t from[160], to[160];
    bool copied = true, bounded = true;

    for (unsigned i = 0; i < sizeof(from); i++)
        from[i] = (uint8_t)(i * 7 + 1);
    for (unsigned n = 0; n < 100; n++)
        for (unsigned shift = 0; shift < 9; shift++) {
            memset(to, 0, sizeof(to));
            memcpy(to + 8 + shift, from + shift / 2, n);
            copied &= !memcmp(to + 8 + shift, from + shift / 2, n);
            bounded &= !to[7 + shift] && !to[8 + shift + n];
        }
    CHECK(copied);
    CHECK(bounded);
    memcpy(to, from, 64);
    memmove(to + 3, to, 40);
    CHECK(!memcmp(to + 3, from, 40));
    memmove(to, to + 3, 40);
    CHECK(!memcmp(to, from, 40));
    CHECK(memcmp("abc", "abd", 3) < 0 && memcmp("b", "a", 1) > 0 && !memcmp("x", "y", 0));
    CHECK(strcmp("a", "ab") < 0 && !strncmp("abc", "abd", 2) && strnlen("abc", 2) == 2);
    CHECK(strchr("a=b", '=')[1] == 'b' && !strchr("a", 'b') && *strchr("a", 0) == 0);
}

static int parse(struct cmdline *out, const char *text, char *err, size_t err_size)
{
    static char copy[256];
    bool help;

    strlcpy(copy, text, sizeof(copy));
    err[0] = 0;
    return cmdline_parse(out, copy, &help, err, err_size);
}

static void test_cmdline(void)
{
    struct cmdline c;
    char err[160];

    CHECK(parse(&c, "", err, sizeof(err)) == 0);
    CHECK(!strcmp(c.workload, "idle") && c.event_idx && c.tick_hz == 100 && !*c.fault);
    CHECK(parse(&c, " size=0x40\tevent_idx=off  workload=sink fault=a:1,b:2 ", err, sizeof(err)) ==
          0);
    CHECK(c.size == 64 && !c.event_idx && !strcmp(c.workload, "sink") &&
          !strcmp(c.fault, "a:1,b:2"));
    CHECK(parse(&c, "count=18446744073709551615", err, sizeof(err)) == 0 && c.count == UINT64_MAX);
    CHECK(parse(&c, "count=18446744073709551616", err, sizeof(err)) < 0);
    CHECK(parse(&c, "size=13", err, sizeof(err)) < 0 && parse(&c, "size=6x", err, sizeof(err)) < 0);
    CHECK(parse(&c, "size=", err, sizeof(err)) < 0 && parse(&c, "size", err, sizeof(err)) < 0);
    CHECK(parse(&c, "workload=crash", err, sizeof(err)) == 0);
    CHECK(parse(&c, "workload=cras", err, sizeof(err)) < 0);
    CHECK(parse(&c, "event_idx=yes", err, sizeof(err)) < 0);
    CHECK(parse(&c, "virtio_mmio.device=a:1 size=99 virtio_mmio.device=b:2", err, sizeof(err)) ==
          0);
    CHECK(!strcmp(c.mmio_devices[0], "a:1") && !strcmp(c.mmio_devices[1], "b:2") &&
          !c.mmio_devices[2]);
    CHECK(parse(&c, "", err, sizeof(err)) == 0 && !c.mmio_devices[0]);
    CHECK(parse(&c, "sizes=60", err, sizeof(err)) < 0);
    CHECK(!strncmp(err, "unknown parameter \"sizes\"", 25));
}

void selftest_text(void)
{
    test_printf();
    test_string();
    test_cmdline();
}
