#include "pic.h"
#include <stdint.h>
#include "x86.h"

#define MASTER    0x20
#define SLAVE     0xa0
#define CASCADE   2
#define ELCR      0x4d0 /* edge or level, one bit per line */
#define ICW1_INIT 0x11
#define ICW4_8086 0x01
#define OCW2_EOI  0x20
#define OCW3_ISR  0x0b

static uint16_t masked = 0xffff & ~(1u << CASCADE);

static uint16_t port_of(unsigned line)
{
    return line < 8 ? MASTER : SLAVE;
}

static void write_mask(void)
{
    outb(MASTER + 1, (uint8_t)masked);
    outb(SLAVE + 1, (uint8_t)(masked >> 8));
}

void pic_init(void)
{
    outb(MASTER, ICW1_INIT);
    outb(SLAVE, ICW1_INIT);
    outb(MASTER + 1, PIC_FIRST_VECTOR);
    outb(SLAVE + 1, PIC_FIRST_VECTOR + 8);
    outb(MASTER + 1, 1u << CASCADE);
    outb(SLAVE + 1, CASCADE);
    outb(MASTER + 1, ICW4_8086);
    outb(SLAVE + 1, ICW4_8086);
    write_mask();
}

bool pic_unmask_level(unsigned line)
{
    uint16_t elcr = (uint16_t)(ELCR + line / 8);

    outb(elcr, (uint8_t)(inb(elcr) | 1u << line % 8));
    masked &= (uint16_t) ~(1u << line);
    write_mask();
    return inb(MASTER + 1) == (uint8_t)masked;
}

void pic_mask(unsigned line)
{
    masked |= (uint16_t)(1u << line);
    write_mask();
}

bool pic_in_service(unsigned line)
{
    uint16_t port = port_of(line);

    outb(port, OCW3_ISR);
    return inb(port) & 1u << line % 8;
}

void pic_eoi(unsigned line)
{
    if (line >= 8)
        outb(SLAVE, OCW2_EOI);
    outb(MASTER, OCW2_EOI);
}
