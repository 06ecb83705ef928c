#include "main.h"
#include "power.h"
void selftest_start(void)
{
    qemu_exit(EXIT_OK);
}
