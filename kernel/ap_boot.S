/* The way of the other CPUs: a startup IPI has them begin in real mode at a page below 1 MiB, to
 * which smp.c has copied ap_trampoline. From there straight into long mode, with the tables of the
 * CPU that runs already. */

#include "ap_boot.h"

#define CR0_PG_WP_PE 0x80010011 /* and caches on: INIT leaves them off */
#define CR4_PAE 0x20
#define EFER 0xc0000080
#define EFER_LME_NXE 0x900
#define COPY(symbol) (AP_TRAMPOLINE + (symbol) - ap_trampoline)

    .section .rodata
    .align 16
    .code16
    .globl ap_trampoline
ap_trampoline:
    cli
    cld
    xorw %ax, %ax
    movw %ax, %ds
    movl $CR4_PAE, %eax
    movl %eax, %cr4
    movl COPY(ap_trampoline_cr3), %eax
    movl %eax, %cr3
    movl $EFER, %ecx
    movl $EFER_LME_NXE, %eax
    xorl %edx, %edx
    wrmsr
    lgdtl COPY(gdt_pointer)
    movl $CR0_PG_WP_PE, %eax
    movl %eax, %cr0
    ljmpl $0x08, $ap_long_mode

    .align 4
    .globl ap_trampoline_cr3
ap_trampoline_cr3:
    .long 0 /* smp.c fills in the copy */
gdt_pointer:
    .word 23
    .long boot_gdt
    .globl ap_trampoline_end
ap_trampoline_end:

    .text
    .code64
ap_long_mode:
    movl $0x10, %eax
    movl %eax, %ds
    movl %eax, %es
    movl %eax, %ss
    xorl %eax, %eax
    movl %eax, %fs
    movl %eax, %gs
    movq ap_stack, %rsp
    xorl %ebp, %ebp /* ends backtraces */
    call ap_main
    ud2

    .section .note.GNU-stack, "", @progbits
