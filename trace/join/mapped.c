#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../ctf/complain.h"
#include "reader.h"

int mapped_open(struct mapped *f, const char *path)
{
    struct stat st;
    *f = (struct mapped){ NULL, 0 };
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return complain("%s: %s", path, strerror(errno));
    int bad = fstat(fd, &st) ? complain("%s: %s", path, strerror(errno)) : 0;
    if (!bad && !S_ISREG(st.st_mode))
        bad = complain("%s: not a regular file", path);
    if (!bad && st.st_size) {
        void *map = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
        if (map == MAP_FAILED) {
            bad = complain("%s: mmap: %s", path, strerror(errno));
        } else {
            madvise(map, (size_t)st.st_size, MADV_SEQUENTIAL);
            f->bytes = map;
            f->size = (size_t)st.st_size;
        }
    }
    close(fd);
    return bad;
}

void mapped_close(struct mapped *f)
{
    if (f->bytes)
        munmap((void *)f->bytes, f->size);
    f->bytes = NULL;
}
