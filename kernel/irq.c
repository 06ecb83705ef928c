#include "irq.h"
#include <stddef.h>
#include "lapic.h"
#include "panic.h"
#include "pci.h"
#include "pic.h"
#include "stats.h"
#include "x86.h"

#define FIRST_DYNAMIC 0x40
#define LAST_DYNAMIC  0xef
#define SHARERS       4
#define SPURIOUS_LINE 7 /* of either 8259 */

struct slot {
    irq_handler handler;
    void *arg;
};

static struct slot vectors[256];
static struct slot lines[PIC_LINES][SHARERS];
static bool in_handler;

struct kernel_stats kernel_stats;

void irq_init(void)
{
    pic_init();
    lapic_init();
}

void irq_vector_set(int vector, irq_handler handler, void *arg)
{
    bool irq = irq_save();
    vectors[vector] = (struct slot){ handler, arg };
    irq_restore(irq);
}

int irq_vector_alloc(irq_handler handler, void *arg)
{
    for (int vector = FIRST_DYNAMIC; vector <= LAST_DYNAMIC; vector++) {
        if (vectors[vector].handler)
            continue;
        irq_vector_set(vector, handler, arg);
        return vector;
    }
    return -1;
}

void irq_vector_free(int vector)
{
    irq_vector_set(vector, NULL, NULL);
}

int irq_register_line(unsigned line, irq_handler handler, void *arg)
{
    if (!line || line >= PIC_LINES)
        return -1;
    for (int i = 0; i < SHARERS; i++) {
        if (lines[line][i].handler)
            continue;
        bool irq = irq_save();
        lines[line][i] = (struct slot){ handler, arg };
        bool there = pic_unmask_level(line);
        irq_restore(irq);
        return there ? 0 : -1;
    }
    return -1;
}

int irq_register_intx(struct pci_dev *dev, irq_handler handler, void *arg)
{
    if (!dev->irq_pin || irq_register_line(dev->irq_line, handler, arg))
        return -1;
    pci_command(dev, 0, PCI_COMMAND_INTX_OFF);
    return 0;
}

bool irq_in_handler(void)
{
    return in_handler;
}

static void dispatch_line(unsigned line)
{
    struct slot *slots = lines[line];

    if (line % 8 == SPURIOUS_LINE && !pic_in_service(line)) {
        kernel_stats.irqs_unexpected++;
        if (line >= 8) /* the master did see the cascade */
            pic_eoi(0);
        return;
    }
    if (!slots[0].handler) {
        kernel_stats.irqs_unexpected++;
        pic_mask(line); /* nobody can quiet it */
    } else {
        kernel_stats.irqs_intx++;
    }
    for (int i = 0; i < SHARERS && slots[i].handler; i++)
        slots[i].handler(slots[i].arg);
    pic_eoi(line);
}

static void dispatch_message(unsigned vector)
{
    struct slot slot = vectors[vector];

    if (slot.handler)
        slot.handler(slot.arg);
    else
        kernel_stats.irqs_unexpected++;
    if (slot.handler && vector >= FIRST_DYNAMIC)
        kernel_stats.irqs_msix++;
    lapic_eoi();
}

void irq_dispatch(unsigned vector)
{
    in_handler = true;
    if (vector < PIC_FIRST_VECTOR + PIC_LINES)
        dispatch_line(vector - PIC_FIRST_VECTOR);
    else if (vector == LAPIC_SPURIOUS_VECTOR)
        kernel_stats.irqs_unexpected++; /* the APIC expects no EOI for it */
    else
        dispatch_message(vector);
    in_handler = false;
}
