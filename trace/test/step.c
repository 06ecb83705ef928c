#include "step.h"

#include <signal.h>
#include <string.h>
#include <ucontext.h>

#define TRAP_FLAG 0x100

/* Volatile: the compiler does not see that a trap is between the caller and what it calls. */
static volatile struct run {
    unsigned left; /* traps until inner */
    void (*inner)(void);
    bool done;
} *volatile current;

unsigned long step_address;

static void on_trap(int signal, siginfo_t *info, void *context)
{
    ucontext_t *c = context;
    volatile struct run *run = current;
    (void)signal;
    (void)info;
    if (!run || run->done || --run->left)
        return;
    c->uc_mcontext.gregs[REG_EFL] &= ~TRAP_FLAG;
    step_address = (unsigned long)c->uc_mcontext.gregs[REG_RIP];
    run->done = true;
    run->inner();
    current = run;
}

/* The flag takes effect after the instruction that follows popf: the first trap is at outer's first
 * instruction. */
__attribute__((noinline)) static void call_stepping(void (*outer)(void))
{
    __asm__ volatile("lea -128(%%rsp), %%rsp\n\t"
                     "pushf\n\t"
                     "orl $0x100, (%%rsp)\n\t"
                     "popf\n\t"
                     "call *%0\n\t"
                     "pushf\n\t"
                     "andl $~0x100, (%%rsp)\n\t"
                     "popf\n\t"
                     "lea 128(%%rsp), %%rsp"
                     :
                     : "r"(outer)
                     : "rax", "rcx", "rdx", "rsi", "rdi", "r8", "r9", "r10", "r11", "memory", "cc",
                       "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7");
}

bool step_run(void (*outer)(void), unsigned at, void (*inner)(void))
{
    static bool installed;
    if (!installed) {
        struct sigaction action = { .sa_sigaction = on_trap, .sa_flags = SA_SIGINFO | SA_NODEFER };
        sigaction(SIGTRAP, &action, NULL);
        installed = true;
    }
    volatile struct run run = { .left = at, .inner = inner }, *before = current;
    current = &run;
    call_stepping(outer);
    current = before;
    return run.done;
}
