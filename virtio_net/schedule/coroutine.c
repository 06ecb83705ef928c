#include "coroutine.h"
#include <stdlib.h>
#include <string.h>

/* Saves the registers that a call preserves, and the stack pointer in *from; goes on at `to`. */
void coroutine_switch(uint8_t **from, uint8_t *to);
__asm__(".text\n"
        ".type coroutine_switch, @function\n"
        "coroutine_switch:\n"
        "    push %rbp\n"
        "    push %rbx\n"
        "    push %r12\n"
        "    push %r13\n"
        "    push %r14\n"
        "    push %r15\n"
        "    mov %rsp, (%rdi)\n"
        "    mov %rsi, %rsp\n"
        "    pop %r15\n"
        "    pop %r14\n"
        "    pop %r13\n"
        "    pop %r12\n"
        "    pop %rbx\n"
        "    pop %rbp\n"
        "    ret\n"
        ".size coroutine_switch, . - coroutine_switch\n");

enum { SAVED_REGISTERS = 6 };

static uint8_t *scheduler; /* its stack pointer, while a coroutine runs; or NULL */

static size_t deepest; /* stop on any stack, in bytes from its top */

void coroutine_init(struct coroutine *c, uint8_t *top, void (*main)(void))
{
    *c = (struct coroutine){ top, top, main };
}

/* A stack on which coroutine_switch finds registers of zero and returns into `main`, with a return
 * address of zero above it. */
static void begin(struct coroutine *c)
{
    uint64_t frame[SAVED_REGISTERS + 2] = { 0 };
    frame[SAVED_REGISTERS] = (uint64_t)(uintptr_t)c->main;
    c->sp = c->top - sizeof(frame);
    memcpy(c->sp, frame, sizeof(frame));
}

void coroutine_run(struct coroutine *c)
{
    if (c->sp == c->top)
        begin(c);
    coroutine_switch(&scheduler, c->sp);
    scheduler = NULL;
}

bool coroutine_runs(void)
{
    return scheduler;
}

void coroutine_stop(struct coroutine *c)
{
    uint8_t here;
    size_t depth = (size_t)(c->top - &here);
    if (depth > deepest)
        deepest = depth;
    coroutine_switch(&c->sp, scheduler);
}

void coroutine_end(struct coroutine *c)
{
    uint8_t *nowhere;
    c->sp = c->top;
    coroutine_switch(&nowhere, scheduler);
    abort();
}

void coroutine_clean(struct coroutine *c)
{
    /* Calls that do not stop may go a little deeper than any stop. */
    size_t reach = deepest + 1024 < COROUTINE_STACK ? deepest + 1024 : COROUTINE_STACK;
    if (reach > coroutine_live(c))
        memset(c->top - reach, 0, reach - coroutine_live(c));
}
