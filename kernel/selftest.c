#include "selftest.h"
#include "main.h"
#include "power.h"
#include "thread.h"

int selftest_checks, selftest_failures;

static void run(void *arg)
{
    (void)arg;
    selftest_text();
    selftest_memory();
    selftest_threads();
    selftest_smp();
    kprintf("selftest: %d checks, %d failures\n", selftest_checks, selftest_failures);
    qemu_exit(selftest_failures ? EXIT_FAILED : EXIT_OK);
}

void selftest_start(void)
{
    thread_create("selftest", run, NULL);
}
