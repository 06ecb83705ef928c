/* Addresses that kernel.ld sets, and the stacks that exist before any allocator. */
#ifndef KERNEL_LAYOUT_H
#define KERNEL_LAYOUT_H

#include <stdint.h>
#include "cpu.h"

extern char __text_start[], __text_end[];
extern char __rodata_start[], __rodata_end[];
extern char __bss_start[], __bss_end[], __kernel_end[];

/* A stack grows down into guard, which vm_init unmaps. */
struct kernel_stack {
    uint8_t guard[4096];
    uint8_t memory[3 * 4096];
};

/* The exceptions that cannot trust the stack they interrupt have one each, on each CPU. */
enum {
    STACK_BOOT, /* and of the idle thread, which it becomes */
    STACK_DOUBLE_FAULT,
    STACK_NMI,
    STACK_PAGE_FAULT,
    STACK_COUNT,
};

extern struct kernel_stack kernel_stacks[CPU_MAX][STACK_COUNT];

#endif
