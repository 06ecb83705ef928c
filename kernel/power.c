#include "power.h"
#include "x86.h"

#define DEBUG_EXIT_PORT 0xf4
#define PM1A_CONTROL    0x604 /* where SeaBIOS puts it on both pc and q35 */
#define PM1_SLEEP_S5    0x2000

struct __attribute__((packed)) idt_pointer {
    uint16_t limit;
    uint64_t base;
};

void qemu_debug_exit(enum exit_code code)
{
    outb(DEBUG_EXIT_PORT, (uint8_t)code);
}

void halt_forever(void)
{
    for (;;)
        __asm__ volatile("cli; hlt" ::: "memory");
}

void qemu_exit(enum exit_code code)
{
    struct idt_pointer none = { 0, 0 };

    irq_disable();
    qemu_debug_exit(code);
    outw(PM1A_CONTROL, PM1_SLEEP_S5);
    /* Without an IDT an exception becomes a triple fault, which resets the machine. */
    __asm__ volatile("lidt %0; ud2" ::"m"(none));
    halt_forever();
}
