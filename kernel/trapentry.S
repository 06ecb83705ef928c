/* One entry per vector. All push a struct trap_frame and meet in trap_common. */

    .text
    .altmacro
    .macro vector_entry n
    /* These push an error code themselves. */
    .if (\n == 8) || (\n >= 10 && \n <= 14) || (\n == 17) || (\n == 21)
    .else
    pushq $0
    .endif
    pushq $\n
    jmp trap_common
    .align 16
    .endm

    .align 16
    .globl trap_entries
trap_entries:
    .set i, 0
    .rept 256
    vector_entry %i
    .set i, i + 1
    .endr

    .type trap_common, @function
trap_common:
    pushq %rax
    pushq %rbx
    pushq %rcx
    pushq %rdx
    pushq %rbp
    pushq %rsi
    pushq %rdi
    pushq %r8
    pushq %r9
    pushq %r10
    pushq %r11
    pushq %r12
    pushq %r13
    pushq %r14
    pushq %r15
    cld
    movq %rsp, %rdi
    /* The C ABI wants 16-byte alignment here: the CPU aligned the stack before it pushed 5 words,
     * we have pushed 2 + 15, so 22 words: aligned. */
    call trap_dispatch
    popq %r15
    popq %r14
    popq %r13
    popq %r12
    popq %r11
    popq %r10
    popq %r9
    popq %r8
    popq %rdi
    popq %rsi
    popq %rbp
    popq %rdx
    popq %rcx
    popq %rbx
    popq %rax
    addq $16, %rsp
    iretq

    .section .note.GNU-stack, "", @progbits
