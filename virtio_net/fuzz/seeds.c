#include "seeds.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void write_seed(const char *directory, const struct seed *s)
{
    char path[512];
    snprintf(path, sizeof(path), "%s/%s", directory, s->name);
    FILE *f = fopen(path, "wb");
    if (!f || fwrite(s->data, 1, s->bytes, f) != s->bytes || fclose(f)) {
        fprintf(stderr, "%s: %s: make the directory first\n", path, strerror(errno));
        exit(1);
    }
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    if (*argc != 3 || strcmp((*argv)[1], "--seeds"))
        return 0;
    for (unsigned i = 0; i < seeds_used; i++)
        write_seed((*argv)[2], &seeds[i]);
    exit(0);
}
