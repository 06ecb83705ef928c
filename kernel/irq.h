/* Interrupt vectors and who handles them. Handlers run with interrupts off on the interrupted
 * stack; the kernel signals the end of interrupt after they return. They must not sleep. */
#ifndef KERNEL_IRQ_H
#define KERNEL_IRQ_H

#include <stdbool.h>
#include <stdint.h>

struct pci_dev;

typedef void (*irq_handler)(void *arg);

/* A free vector for handler, or -1: the same on all CPUs, so that a message may go to any of them.
 * Lines interrupt the booting CPU. */
int irq_vector_alloc(irq_handler handler, void *arg);
void irq_vector_free(int vector);

/* Gives a fixed vector its handler. */
void irq_vector_set(int vector, irq_handler handler, void *arg);

/* Calls handler whenever this input of the 8259 is raised. Lines are level triggered and shared:
 * the handler must quiet its own device, and may be called for somebody else's interrupt. Returns
 * 0, or -1 when there is no such line or no 8259. */
int irq_register_line(unsigned line, irq_handler handler, void *arg);

/* The same for the device's INTx line, as the firmware routed it. */
int irq_register_intx(struct pci_dev *dev, irq_handler handler, void *arg);

/* Running inside an interrupt handler of this CPU. */
bool irq_in_handler(void);

/* Called by the trap code with a vector >= TRAP_FIRST_IRQ. */
void irq_dispatch(unsigned vector);

void irq_init(void);

#endif
