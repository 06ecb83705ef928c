/* The probe guest of accel.sh: a 64 KiB BIOS image that runs a known amount of work and exits QEMU
 * with a known status. It has no firmware, so the time it takes is the accelerator's alone.
 */
    .set LOOPS, 20000000 /* two instructions each */
    .set EXITS, 10000    /* port writes: what a doorbell costs an accelerator slow to exit */
    .set DEBUG_EXIT, 0x501 /* -device isa-debug-exit: the status is (value << 1) | 1 */

    .code16
    .section .text
start16:
    cli
    lgdtl   %cs:gdt_pointer
    movl    $1, %eax
    movl    %eax, %cr0
    /* Protected mode: some hosts emulate real mode in software, which no real guest would meet. */
    ljmpl   $8, $(0xf0000 + start32)

    .code32
start32:
    movl    $16, %eax
    movl    %eax, %ds
    movl    %eax, %ss
    movl    $LOOPS, %ecx
1:  decl    %ecx
    jnz     1b
    movl    $EXITS, %ecx
2:  outb    %al, $0x80
    decl    %ecx
    jnz     2b
    movw    $DEBUG_EXIT, %dx
    movb    $42, %al
    outb    %al, %dx
3:  hlt
    jmp     3b

    .balign 8
gdt:
    .quad   0
    .quad   0x00cf9a000000ffff
    .quad   0x00cf92000000ffff
gdt_pointer:
    .word   . - gdt - 1
    .long   0xf0000 + gdt

    .org    0xfff0 /* where a CPU starts */
    .code16
    jmp     start16
    .org    0x10000
