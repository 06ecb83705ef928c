/* Leaving QEMU. */
#ifndef KERNEL_POWER_H
#define KERNEL_POWER_H

/* Exit status of the guest, before isa-debug-exit makes (code << 1) | 1 of it. */
enum exit_code {
    EXIT_OK = 0,    /* QEMU status 1 */
    EXIT_PANIC = 1, /* QEMU status 3 */
    EXIT_USAGE = 2, /* QEMU status 5: bad command line */
    EXIT_FAILED = 3 /* QEMU status 7: a self-test or a workload failed */
};

/* Ends the guest through isa-debug-exit (port 0xf4); without that device by ACPI power-off, which
 * loses the code; failing both by a triple fault. */
_Noreturn void qemu_exit(enum exit_code code);

/* Only the isa-debug-exit part: returns when the device is absent. */
void qemu_debug_exit(enum exit_code code);

/* Interrupts off, hlt for ever: RAM stays for the host to read. */
_Noreturn void halt_forever(void);

#endif
