/* What a process writes to files below a directory, in order, to a log: LD_PRELOAD.
 *
 * POWER_DIRECTORY: whose files. POWER_LOG: where to. An entry is written after the call it tells of
 * has returned; that of a sync says which entries there were when it was called. The log is read by
 * tests/power/replay.py. Memory maps are not seen: SQLite's -shm is built anew at an opening.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

enum { CREATED = 1, WRITTEN, TRUNCATED, SYNCED, RENAMED, UNLINKED };
enum { MOST_FILES = 4096 };

struct entry {
    uint32_t kind, path_bytes;
    uint64_t offset, data_bytes, entries_before;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static char *paths[MOST_FILES];
static char directory[4096];
static size_t directory_bytes;
static int log_file = -1;
static uint64_t entries;

#define REAL(name) __typeof__(&name) real = (__typeof__(&name))dlsym(RTLD_NEXT, #name)

__attribute__((constructor)) static void begin(void)
{
    const char *where = getenv("POWER_DIRECTORY"), *log = getenv("POWER_LOG");
    if (where == NULL || log == NULL)
        return;
    snprintf(directory, sizeof directory, "%s/", where);
    directory_bytes = strlen(directory);
    int (*real)(const char *, int, ...) = (int (*)(const char *, int, ...))dlsym(RTLD_NEXT, "open");
    log_file = real(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
}

static int is_ours(const char *path)
{
    return log_file >= 0 && path != NULL &&
           (strncmp(path, directory, directory_bytes) == 0 ||
            (strlen(path) == directory_bytes - 1 && strncmp(path, directory, strlen(path)) == 0));
}

static void note(uint32_t kind, const char *path, uint64_t offset, uint64_t before,
                 const struct iovec *data, int count, size_t limit)
{
    static ssize_t (*real)(int, const struct iovec *, int);
    if (real == NULL)
        real = (ssize_t (*)(int, const struct iovec *, int))dlsym(RTLD_NEXT, "writev");
    struct iovec parts[2 + 64];
    struct entry entry = {kind, (uint32_t)strlen(path), offset, 0, before};
    int used = 2;
    for (int each = 0; each < count && each < 64 && limit > 0; each++) {
        parts[used] = data[each];
        if (parts[used].iov_len > limit)
            parts[used].iov_len = limit;
        limit -= parts[used].iov_len;
        entry.data_bytes += parts[used++].iov_len;
    }
    parts[0] = (struct iovec){&entry, sizeof entry};
    parts[1] = (struct iovec){(void *)path, entry.path_bytes};
    size_t whole = sizeof entry + entry.path_bytes + entry.data_bytes;
    pthread_mutex_lock(&lock);
    if (real(log_file, parts, used) != (ssize_t)whole)
        abort();
    __atomic_add_fetch(&entries, 1, __ATOMIC_SEQ_CST);
    pthread_mutex_unlock(&lock);
}

static const char *path_of(int file)
{
    return log_file >= 0 && file >= 0 && file < MOST_FILES ? paths[file] : NULL;
}

static void opened(int file, const char *path, int flags, int existed)
{
    if (file < 0 || file >= MOST_FILES || !is_ours(path))
        return;
    free(paths[file]);
    paths[file] = strdup(path);
    if (!existed)
        note(CREATED, path, 0, 0, NULL, 0, 0);
    else if (flags & O_TRUNC)
        note(TRUNCATED, path, 0, 0, NULL, 0, 0);
}

static int exists(const char *path)
{
    return access(path, F_OK) == 0;
}

#define OPEN(name)                                                                                 \
    int name(const char *path, int flags, ...)                                                     \
    {                                                                                              \
        va_list rest;                                                                              \
        va_start(rest, flags);                                                                     \
        mode_t mode = va_arg(rest, mode_t);                                                        \
        va_end(rest);                                                                              \
        int (*real)(const char *, int, ...) =                                                      \
            (int (*)(const char *, int, ...))dlsym(RTLD_NEXT, #name);                              \
        int existed = !is_ours(path) || exists(path);                                              \
        int file = real(path, flags, mode), error = errno;                                         \
        opened(file, path, flags, existed);                                                        \
        errno = error;                                                                             \
        return file;                                                                               \
    }
OPEN(open)
OPEN(open64)

#define OPENAT(name)                                                                               \
    int name(int at, const char *path, int flags, ...)                                             \
    {                                                                                              \
        va_list rest;                                                                              \
        va_start(rest, flags);                                                                     \
        mode_t mode = va_arg(rest, mode_t);                                                        \
        va_end(rest);                                                                              \
        int (*real)(int, const char *, int, ...) =                                                 \
            (int (*)(int, const char *, int, ...))dlsym(RTLD_NEXT, #name);                         \
        int existed = !is_ours(path) || exists(path);                                              \
        int file = real(at, path, flags, mode), error = errno;                                     \
        opened(file, path, flags, existed);                                                        \
        errno = error;                                                                             \
        return file;                                                                               \
    }
OPENAT(openat)
OPENAT(openat64)

int close(int file)
{
    REAL(close);
    if (file >= 0 && file < MOST_FILES && paths[file] != NULL) {
        free(paths[file]);
        paths[file] = NULL;
    }
    return real(file);
}

static void written(int file, const struct iovec *data, int count, off_t offset, ssize_t done)
{
    const char *path = path_of(file);
    int error = errno;
    if (path != NULL && done > 0)
        note(WRITTEN, path, (uint64_t)offset, 0, data, count, (size_t)done);
    errno = error;
}

#define PWRITE(name, type)                                                                         \
    ssize_t name(int file, const void *data, size_t size, type offset)                             \
    {                                                                                              \
        REAL(name);                                                                                \
        ssize_t done = real(file, data, size, offset);                                             \
        struct iovec part = {(void *)data, size};                                                  \
        written(file, &part, 1, offset, done);                                                     \
        return done;                                                                               \
    }
PWRITE(pwrite, off_t)
PWRITE(pwrite64, off64_t)

/* Where a file's own position is: also that of a file opened to be appended to. */
ssize_t write(int file, const void *data, size_t size)
{
    REAL(write);
    ssize_t done = real(file, data, size);
    if (path_of(file) != NULL && done > 0) {
        struct iovec part = {(void *)data, size};
        written(file, &part, 1, lseek(file, 0, SEEK_CUR) - done, done);
    }
    return done;
}

ssize_t writev(int file, const struct iovec *data, int count)
{
    REAL(writev);
    ssize_t done = real(file, data, count);
    if (path_of(file) != NULL && done > 0)
        written(file, data, count, lseek(file, 0, SEEK_CUR) - done, done);
    return done;
}

#define TRUNCATE(name, type)                                                                       \
    int name(int file, type size)                                                                  \
    {                                                                                              \
        REAL(name);                                                                                \
        int result = real(file, size);                                                             \
        if (result == 0 && path_of(file) != NULL)                                                  \
            note(TRUNCATED, path_of(file), (uint64_t)size, 0, NULL, 0, 0);                         \
        return result;                                                                             \
    }
TRUNCATE(ftruncate, off_t)
TRUNCATE(ftruncate64, off64_t)

#define SYNC(name)                                                                                 \
    int name(int file)                                                                             \
    {                                                                                              \
        REAL(name);                                                                                \
        uint64_t before = __atomic_load_n(&entries, __ATOMIC_SEQ_CST);                             \
        int result = real(file);                                                                   \
        if (result == 0 && path_of(file) != NULL)                                                  \
            note(SYNCED, path_of(file), 0, before, NULL, 0, 0);                                    \
        return result;                                                                             \
    }
SYNC(fsync)
SYNC(fdatasync)

int rename(const char *from, const char *to)
{
    REAL(rename);
    int result = real(from, to);
    if (result == 0 && is_ours(from)) {
        struct iovec part = {(void *)to, strlen(to)};
        note(RENAMED, from, 0, 0, &part, 1, part.iov_len);
    }
    return result;
}

int unlink(const char *path)
{
    REAL(unlink);
    int result = real(path);
    if (result == 0 && is_ours(path))
        note(UNLINKED, path, 0, 0, NULL, 0, 0);
    return result;
}
