/* void thread_switch(uint64_t *save_rsp, uint64_t load_rsp)
 * Saves what the C ABI lets a callee not destroy, changes stacks, and returns on the other one.
 * Called and left with interrupts off. */

    .text
    .globl thread_switch
    .type thread_switch, @function
thread_switch:
    pushq %rbp
    pushq %rbx
    pushq %r12
    pushq %r13
    pushq %r14
    pushq %r15
    movq %rsp, (%rdi)
    movq %rsi, %rsp
    popq %r15
    popq %r14
    popq %r13
    popq %r12
    popq %rbx
    popq %rbp
    ret

    .section .note.GNU-stack, "", @progbits
