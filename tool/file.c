// SPDX-License-Identifier: MIT
// In:     paths from the user.
// Out:    the bytes of a file; a new file.
// Always: an output path holds the old file or the whole new one, never a part of it.

#define _POSIX_C_SOURCE 200809L

#include "file.h"

#include "say.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool stream_read(FILE *f, struct blob *b, size_t size, const struct place *at)
{
    b->size = size;
    b->data = malloc(size);
    if (!b->data)
        return wrong_at(at, "no memory for %zu bytes; free some", size);
    if (fread(b->data, 1, size, f) != size)
        return wrong_at(at, "cannot be read to its end; check the disk it lies on");
    return true;
}

static bool file_is_usable(FILE *f, struct stat *st, const struct place *at, size_t max)
{
    if (fstat(fileno(f), st))
        return wrong_at(at, "%s; give a readable file", strerror(errno));
    if (!S_ISREG(st->st_mode))
        return wrong_at(at, "not a file; give a regular file");
    if (st->st_size == 0)
        return wrong_at(at, "the file is empty; was its download or build cut short?");
    if ((uint64_t)st->st_size > max)
        return wrong_at(at, "the file has %s, which is too much; at most %s would be right",
                        size_text((uint64_t)st->st_size).s, size_text(max).s);
    return true;
}

// O_NONBLOCK: a FIFO that nobody writes to must not keep us waiting; it is refused after that.
static FILE *file_open(int dir, const char *path)
{
    int fd = openat(dir, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

    return fd < 0 ? NULL : fdopen(fd, "rb");
}

bool blob_read(struct blob *b, int dir, const char *path, const struct place *at, size_t max)
{
    struct stat st;
    FILE *f = file_open(dir, path);
    bool ok;

    *b = (struct blob) { 0 };
    if (!f)
        return wrong_at(at, "%s; give the path of a readable file", strerror(errno));
    ok = file_is_usable(f, &st, at, max) && stream_read(f, b, (size_t)st.st_size, at);
    fclose(f);
    if (!ok)
        blob_free(b);
    return ok;
}

int disk_image_open(int dir, const char *path, const struct place *at, uint64_t *size)
{
    int fd = openat(dir, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    struct stat st;

    if (fd < 0) {
        wrong_at(at, "%s; give an image of a disk, which 'duomo disk create' makes",
                 strerror(errno));
        return -1;
    }
    if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode)) {
        *size = (uint64_t)st.st_size;
        return fd;
    }
    close(fd);
    wrong_at(at, "not a file; give an image of a disk, a regular file");
    return -1;
}

void blob_free(struct blob *b)
{
    free(b->data);
    *b = (struct blob) { 0 };
}

static bool stream_write(FILE *f, const struct blob *b)
{
    bool ok = fwrite(b->data, 1, b->size, f) == b->size;

    return fclose(f) == 0 && ok;
}

int sibling_open(const char *path, char temp[TEMP_SIZE])
{
    mode_t mask = umask(0);
    int fd;

    umask(mask);
    if (snprintf(temp, TEMP_SIZE, "%s.XXXXXX", path) >= TEMP_SIZE) {
        wrong(path, "the path is too long; name a shorter one");
        return -1;
    }
    fd = mkstemp(temp);
    if (fd < 0)
        wrong(path, "%s; name a file in a folder you can write to", strerror(errno));
    else
        fchmod(fd, 0666 & ~mask);
    return fd;
}

bool blob_write(const struct blob *b, const char *path)
{
    char temp[TEMP_SIZE];
    struct stat st;
    FILE *f;
    int fd;

    if (stat(path, &st) == 0 && !S_ISREG(st.st_mode))
        return wrong(path, "cannot be replaced by a bundle; name a regular file");
    fd = sibling_open(path, temp);
    if (fd < 0)
        return false;

    f = fdopen(fd, "wb");
    if (f && stream_write(f, b) && rename(temp, path) == 0)
        return true;
    wrong(path, "%s; the bundle was not written", strerror(errno));
    unlink(temp);
    return false;
}

bool path_is_same(const char *a, int dir, const char *b)
{
    struct stat sa, sb;

    return stat(a, &sa) == 0 && fstatat(dir, b, &sb, 0) == 0
        && sa.st_dev == sb.st_dev && sa.st_ino == sb.st_ino;
}
