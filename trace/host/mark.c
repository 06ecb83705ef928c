/* mark NUMBER: puts a mark into the host's log from every CPU.
 *
 * Each CPU's records form a stream of their own. A reader that has seen the mark of every CPU knows
 * that it has all that happened before this program started. The probe recognises the otherwise
 * harmless system call by its second argument.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define MARK_WHO 0x52494e47 /* "RING" */

static int parse_number(const char *text, int *number)
{
    char *end;
    long value;

    errno = 0;
    value = strtol(text, &end, 10);
    if (errno || end == text || *end || value < 0 || value > 0x7fffffff)
        return -1;
    *number = (int)value;
    return 0;
}

/* An invalid `which` fails with EINVAL, but after the tracepoint: that is all that matters. */
static int mark_cpu(int cpu, int number)
{
    cpu_set_t set;

    CPU_ZERO(&set);
    CPU_SET(cpu, &set);
    if (sched_setaffinity(0, sizeof(set), &set))
        return -1;
    syscall(SYS_getpriority, number, MARK_WHO);
    return 0;
}

int main(int argc, char **argv)
{
    cpu_set_t allowed;
    int number;

    if (argc != 2 || parse_number(argv[1], &number)) {
        fprintf(stderr, "mark: usage: mark NUMBER (0 to 2147483647)\n");
        return 1;
    }
    /* A pinned caller hands its mask down; the kernel cuts this one to the CPUs that exist. */
    memset(&allowed, 0xff, sizeof(allowed));
    sched_setaffinity(0, sizeof(allowed), &allowed);
    if (sched_getaffinity(0, sizeof(allowed), &allowed)) {
        fprintf(stderr, "mark: cannot read the CPU mask: %s\n", strerror(errno));
        return 1;
    }
    for (int cpu = 0; cpu < CPU_SETSIZE; cpu++) {
        if (CPU_ISSET(cpu, &allowed) && mark_cpu(cpu, number)) {
            fprintf(stderr, "mark: cannot run on CPU %d: %s\n", cpu, strerror(errno));
            return 1;
        }
    }
    return 0;
}
