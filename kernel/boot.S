/* Entry from the PVH loader: 32-bit protected mode, flat segments, paging off, interrupts off,
 * %ebx = physical address of struct hvm_start_info. Leaves for 64-bit C on the boot stack with the
 * first 4 GiB mapped at their physical addresses; vm_init replaces these tables. */

#define CR0_PG_WP 0x80010000
#define CR4_PAE 0x20
#define EFER 0xc0000080
#define EFER_LME_NXE 0x900
#define PTE_RW 0x3
#define PTE_RW_2M 0x83

    /* QEMU reads the entry address as 8 bytes after a name padded to the segment's alignment: the
     * section must be aligned to 4, not 8. */
    .section .note.Xen, "a", @note
    .align 4
    .long 4, 8, 18 /* name size, value size, XEN_ELFNOTE_PHYS32_ENTRY */
    .ascii "Xen\0"
    .quad pvh_entry

    .section .text.boot, "ax"
    .code32
    .globl pvh_entry
pvh_entry:
    cli
    cld
    rdtsc
    movl %eax, entry_tsc
    movl %edx, entry_tsc + 4
    movl %ebx, %esi

    /* After a reset of the machine RAM is not zero. */
    xorl %eax, %eax
    movl $__bss_start, %edi
    movl $__bss_end, %ecx
    subl %edi, %ecx
    shrl $2, %ecx
    rep stosl

    movl $boot_pdpt + PTE_RW, boot_pml4
    movl $boot_pd + PTE_RW, %eax
    movl $boot_pdpt, %edi
    movl $4, %ecx
1:  movl %eax, (%edi)
    addl $4096, %eax
    addl $8, %edi
    decl %ecx
    jnz 1b

    movl $PTE_RW_2M, %eax
    movl $boot_pd, %edi
    movl $2048, %ecx
2:  movl %eax, (%edi)
    addl $0x200000, %eax
    addl $8, %edi
    decl %ecx
    jnz 2b

    movl %cr4, %eax
    orl $CR4_PAE, %eax
    movl %eax, %cr4
    movl $boot_pml4, %eax
    movl %eax, %cr3
    movl $EFER, %ecx
    rdmsr
    orl $EFER_LME_NXE, %eax
    wrmsr
    movl %cr0, %eax
    orl $CR0_PG_WP, %eax
    movl %eax, %cr0
    lgdt boot_gdt_pointer
    ljmp $0x08, $long_mode

    .code64
long_mode:
    movl $0x10, %eax
    movl %eax, %ds
    movl %eax, %es
    movl %eax, %ss
    xorl %eax, %eax
    movl %eax, %fs
    movl %eax, %gs
    movq $kernel_stacks + 4 * 4096, %rsp
    xorl %ebp, %ebp /* ends backtraces */
    movl %esi, %edi
    call kmain
    ud2

    .section .rodata
    .align 8
    .globl boot_gdt
boot_gdt:
    .quad 0
    .quad 0x00af9b000000ffff /* 0x08 64-bit code */
    .quad 0x00cf93000000ffff /* 0x10 data */
boot_gdt_pointer:
    .word . - boot_gdt - 1
    .long boot_gdt

    .data
    .align 8
    .globl entry_tsc
entry_tsc:
    .quad 0

    .bss
    .align 4096
boot_pml4:
    .skip 4096
boot_pdpt:
    .skip 4096
boot_pd:
    .skip 4 * 4096

    .section .note.GNU-stack, "", @progbits
