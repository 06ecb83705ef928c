#include "irq.h"
#include <stddef.h>
#include "cpu.h"
#include "lapic.h"
#include "panic.h"
#include "pci.h"
#include "pic.h"
#include "spinlock.h"
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

/* Filled and emptied under the lock. A handler's interrupt comes only after it is in its slot, so
 * dispatching takes none. */
static struct slot vectors[256];
static struct slot lines[PIC_LINES][SHARERS];
static struct spinlock slots_lock = SPINLOCK("irq slots");

struct kernel_stats kernel_stats[CPU_MAX];

void irq_init(void)
{
    pic_init();
    lapic_init();
}

void irq_vector_set(int vector, irq_handler handler, void *arg)
{
    bool irq = spin_lock(&slots_lock);
    vectors[vector] = (struct slot){ handler, arg };
    spin_unlock(&slots_lock, irq);
}

int irq_vector_alloc(irq_handler handler, void *arg)
{
    bool irq = spin_lock(&slots_lock);
    int vector = FIRST_DYNAMIC;

    while (vector <= LAST_DYNAMIC && vectors[vector].handler)
        vector++;
    if (vector <= LAST_DYNAMIC)
        vectors[vector] = (struct slot){ handler, arg };
    spin_unlock(&slots_lock, irq);
    return vector <= LAST_DYNAMIC ? vector : -1;
}

void irq_vector_free(int vector)
{
    irq_vector_set(vector, NULL, NULL);
}

int irq_register_line(unsigned line, irq_handler handler, void *arg)
{
    bool there = false;
    int i = 0;

    if (!line || line >= PIC_LINES)
        return -1;
    bool irq = spin_lock(&slots_lock);
    while (i < SHARERS && lines[line][i].handler)
        i++;
    if (i < SHARERS) {
        lines[line][i] = (struct slot){ handler, arg };
        there = pic_unmask_level(line);
    }
    spin_unlock(&slots_lock, irq);
    return there ? 0 : -1;
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
    return this_cpu()->in_handler;
}

static void dispatch_line(unsigned line)
{
    struct slot *slots = lines[line];

    if (line % 8 == SPURIOUS_LINE && !pic_in_service(line)) {
        this_stats()->irqs_unexpected++;
        if (line >= 8) /* the master did see the cascade */
            pic_eoi(0);
        return;
    }
    if (!slots[0].handler) {
        this_stats()->irqs_unexpected++;
        pic_mask(line); /* nobody can quiet it */
    } else {
        this_stats()->irqs_intx++;
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
        this_stats()->irqs_unexpected++;
    if (slot.handler && vector >= FIRST_DYNAMIC)
        this_stats()->irqs_msix++;
    lapic_eoi();
}

void irq_dispatch(unsigned vector)
{
    this_cpu()->in_handler = true;
    if (vector < PIC_FIRST_VECTOR + PIC_LINES)
        dispatch_line(vector - PIC_FIRST_VECTOR);
    else if (vector == LAPIC_SPURIOUS_VECTOR)
        this_stats()->irqs_unexpected++; /* the APIC expects no EOI for it */
    else
        dispatch_message(vector);
    this_cpu()->in_handler = false;
}
