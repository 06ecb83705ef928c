/* Between smp.c and the code with which the other CPUs begin. */
#ifndef KERNEL_AP_BOOT_H
#define KERNEL_AP_BOOT_H

/* A page of conventional memory, which a startup IPI can name: its number is the IPI's vector. */
#define AP_TRAMPOLINE 0x8000

#ifndef __ASSEMBLER__

#include <stdint.h>

extern const char ap_trampoline[], ap_trampoline_end[];
extern const char ap_trampoline_cr3[]; /* uint32_t in the copy: the tables to use */
extern void *ap_stack;                 /* top of the starting CPU's stack; one starts at a time */

_Noreturn void ap_main(void);

#endif
#endif
