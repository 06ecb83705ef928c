/* Descriptor tables, exceptions, and the entry of every interrupt. */
#ifndef KERNEL_TRAP_H
#define KERNEL_TRAP_H

#include <stdint.h>

/* As pushed by trapentry.S, lowest address first. */
struct trap_frame {
    uint64_t r15, r14, r13, r12, r11, r10, r9, r8;
    uint64_t rdi, rsi, rbp, rdx, rcx, rbx, rax;
    uint64_t vector, error;
    uint64_t rip, cs, rflags, rsp, ss;
};

#define TRAP_PAGE_FAULT 14
#define TRAP_FIRST_IRQ  32

/* The table of entries, for all CPUs, and the rest for the booting one; the others call the second.
 */
void trap_init(void);
void trap_init_cpu(void);

#endif
