#include "console.h"
#include <stdbool.h>
#include <stdint.h>
#include "spinlock.h"
#include "x86.h"

#define COM1      0x3f8
#define COM1_LSR  (COM1 + 5)
#define LSR_READY 0x01 /* a character has been received */
#define LSR_EMPTY 0x20 /* the transmit FIFO is empty */
#define FIFO_SIZE 16

void console_init(void)
{
    outb(COM1 + 1, 0x00); /* no interrupts */
    outb(COM1 + 3, 0x80);
    outb(COM1 + 0, 1); /* 115200 baud */
    outb(COM1 + 1, 0);
    outb(COM1 + 3, 0x03); /* 8N1 */
    outb(COM1 + 2, 0x07); /* FIFOs on and empty */
}

/* Of the port and of what is held: one call's text stays in one piece. */
static struct spinlock lock = SPINLOCK("console");

/* What quiet=on keeps back until a panic makes it worth the time it takes to print. */
static char held[8192];
static size_t held_bytes;
static bool holding;

void console_hold(void)
{
    holding = true;
}

static void hold(const char *s, size_t n)
{
    for (size_t i = 0; i < n && held_bytes < sizeof(held); i++)
        held[held_bytes++] = s[i];
}

/* Each port access leaves the guest: ask for room once per FIFO, not once per character. */
static void write(const char *s, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (i % FIFO_SIZE == 0)
            while (!(inb(COM1_LSR) & LSR_EMPTY))
                cpu_pause();
        outb(COM1, (uint8_t)s[i]);
    }
}

void console_write(const char *s, size_t n)
{
    bool irq = spin_lock(&lock);
    if (holding)
        hold(s, n);
    else
        write(s, n);
    spin_unlock(&lock, irq);
}

void console_release(void)
{
    bool irq = spin_lock(&lock);
    if (holding)
        write(held, held_bytes);
    holding = false;
    held_bytes = 0;
    spin_unlock(&lock, irq);
}

void console_break(void)
{
    spin_break(&lock);
    console_release();
}

int console_getc(void)
{
    return inb(COM1_LSR) & LSR_READY ? inb(COM1) : -1;
}

void kprintf(const char *fmt, ...)
{
    static const char cut[] = "...\n";
    char line[512];
    va_list ap;

    va_start(ap, fmt);
    int n = vsnprintf(line, sizeof(line), fmt, ap);
    va_end(ap);
    if ((size_t)n < sizeof(line)) {
        console_write(line, (size_t)n);
        return;
    }
    console_write(line, sizeof(line) - sizeof(cut));
    console_write(cut, sizeof(cut) - 1);
}
