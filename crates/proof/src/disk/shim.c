/* Stands between a process and the disk: writes down all that changes files below a directory, and fails on order.
 *
 *   STATOR_DISK_ROOT     the directory; everything else is passed on and not looked at
 *   STATOR_DISK_JOURNAL  where operations are written down (journal.rs reads it)
 *   STATOR_DISK_CONTROL  a file of 64-bit words that is mapped (control.rs writes it)
 *
 * What must stay true: an operation and its record are one step under one lock, so that the journal has the order in which
 * things happened; a sync has two records, since only what was written before it began is known to be on the disk. Records are
 * written with one call each and not buffered, so that a killed process leaves all of them.
 *
 * It is C because the dynamic linker wants C symbols, one of them with a variable number of arguments; Linux only. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

enum kind { OPEN, READ, WRITE, SYNC, RENAME, UNLINK, ALLOCATE, KINDS = 8 };

/* The words of the control file. */
enum word { COUNT = 0, FAIL_AT = 8, ERRNO = 16, IS_SHORT = 17, IS_LASTING = 18, IS_FULL = 19, HITS = 20, WORDS = 32 };

enum { FDS_MAX = 1 << 16, PATH_BYTES = 4096 };

static char root[PATH_BYTES];
static size_t root_length;
static int journal = -1;
static volatile uint64_t *control;
static uint64_t nothing[WORDS];
static uint8_t is_tracked[FDS_MAX];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void prepare(void) {
    control = nothing;
    const char *directory = getenv("STATOR_DISK_ROOT"), *path = getenv("STATOR_DISK_JOURNAL"), *words = getenv("STATOR_DISK_CONTROL");
    if (!directory) return;
    root_length = (size_t)snprintf(root, sizeof root, "%s", directory);
    if (path) journal = (int)syscall(SYS_openat, AT_FDCWD, path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
    int file = words ? (int)syscall(SYS_openat, AT_FDCWD, words, O_RDWR | O_CLOEXEC, 0) : -1;
    if (file >= 0) {
        void *mapped = mmap(NULL, sizeof nothing, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
        if (mapped != MAP_FAILED) control = mapped;
        syscall(SYS_close, file);
    }
}

static int lies_below(const char *path) {
    pthread_once(&once, prepare);
    return root_length && strncmp(path, root, root_length) == 0 && (path[root_length] == '/' || path[root_length] == 0);
}

static int tracks(int fd) { return fd >= 0 && fd < FDS_MAX && is_tracked[fd]; }

/* One record: a letter, a file descriptor, an offset, and one or two texts with their lengths. */
static void record(char letter, int fd, uint64_t offset, const void *text, size_t length, const char *other) {
    if (journal < 0) return;
    size_t other_length = other ? strlen(other) : 0;
    struct __attribute__((packed)) { uint8_t letter; int32_t fd; uint64_t offset; uint32_t length, other_length; } head =
        {(uint8_t)letter, fd, offset, (uint32_t)length, (uint32_t)other_length};
    struct iovec parts[3] = {{&head, sizeof head}, {(void *)text, length}, {(void *)other, other_length}};
    syscall(SYS_writev, journal, parts, 3);
}

/* Counts a call; whether it is to fail, and how. */
static int fails(enum kind kind) {
    uint64_t count = __atomic_add_fetch(&control[COUNT + kind], 1, __ATOMIC_RELAXED), at = control[FAIL_AT + kind];
    int is_due = at && (count == at || (control[IS_LASTING] && count > at));
    if (is_due) errno = (int)control[ERRNO];
    if (!is_due && control[IS_FULL] && (kind == WRITE || kind == ALLOCATE)) {
        is_due = 1;
        errno = ENOSPC;
    }
    if (is_due) __atomic_add_fetch(&control[HITS], 1, __ATOMIC_RELAXED);
    return is_due;
}

static int open_with(int directory, const char *path, int flags, mode_t mode) {
    if (!lies_below(path)) return (int)syscall(SYS_openat, directory, path, flags, mode);
    if (fails(OPEN)) return -1;
    pthread_mutex_lock(&lock);
    struct stat before;
    int was_there = syscall(SYS_newfstatat, AT_FDCWD, path, &before, 0) == 0;
    int fd = (int)syscall(SYS_openat, directory, path, flags, mode);
    int error = errno;
    if (fd >= 0 && fd < FDS_MAX) {
        is_tracked[fd] = 1;
        char letter = flags & O_DIRECTORY || (was_there && S_ISDIR(before.st_mode)) ? 'd' : !was_there ? 'c' : flags & O_TRUNC ? 't' : 'o';
        record(letter, fd, 0, path, strlen(path), NULL);
    }
    pthread_mutex_unlock(&lock);
    errno = error;
    return fd;
}

static mode_t mode_of(int flags, va_list arguments) { return flags & (O_CREAT | O_TMPFILE) ? va_arg(arguments, mode_t) : 0; }

int open(const char *path, int flags, ...) {
    va_list arguments;
    va_start(arguments, flags);
    mode_t mode = mode_of(flags, arguments);
    va_end(arguments);
    return open_with(AT_FDCWD, path, flags, mode);
}

int open64(const char *path, int flags, ...) {
    va_list arguments;
    va_start(arguments, flags);
    mode_t mode = mode_of(flags, arguments);
    va_end(arguments);
    return open_with(AT_FDCWD, path, flags, mode);
}

int creat(const char *path, mode_t mode) { return open_with(AT_FDCWD, path, O_CREAT | O_WRONLY | O_TRUNC, mode); }

int close(int fd) {
    if (fd >= 0 && fd < FDS_MAX) is_tracked[fd] = 0;
    return (int)syscall(SYS_close, fd);
}

static ssize_t write_at(int fd, const void *bytes, size_t length, off_t offset, int has_offset) {
    int is_due = fails(WRITE);
    if (is_due) {
        // A short one writes its first half; the rest of it, which the caller then writes, meets the error.
        if (!control[IS_SHORT] || length < 2 || control[IS_FULL]) return -1;
        length /= 2;
        control[FAIL_AT + WRITE] = control[COUNT + WRITE] + 1;
        control[IS_SHORT] = 0;
    }
    pthread_mutex_lock(&lock);
    ssize_t written = has_offset ? syscall(SYS_pwrite64, fd, bytes, length, offset) : syscall(SYS_write, fd, bytes, length);
    int error = errno;
    if (written > 0) {
        if (!has_offset) offset = (off_t)syscall(SYS_lseek, fd, 0, SEEK_CUR) - written;
        record('w', fd, (uint64_t)offset, bytes, (size_t)written, NULL);
    }
    pthread_mutex_unlock(&lock);
    errno = error;
    return written;
}

ssize_t write(int fd, const void *bytes, size_t length) {
    return tracks(fd) ? write_at(fd, bytes, length, 0, 0) : syscall(SYS_write, fd, bytes, length);
}

ssize_t pwrite(int fd, const void *bytes, size_t length, off_t offset) {
    return tracks(fd) ? write_at(fd, bytes, length, offset, 1) : syscall(SYS_pwrite64, fd, bytes, length, offset);
}

ssize_t pwrite64(int fd, const void *bytes, size_t length, off64_t offset) { return pwrite(fd, bytes, length, offset); }

ssize_t writev(int fd, const struct iovec *parts, int count) {
    // One part at a time: fewer bytes than asked for is a good answer.
    return tracks(fd) && count > 0 ? write(fd, parts[0].iov_base, parts[0].iov_len) : syscall(SYS_writev, fd, parts, count);
}

ssize_t read(int fd, void *bytes, size_t length) {
    if (tracks(fd) && fails(READ)) return -1;
    return syscall(SYS_read, fd, bytes, length);
}

ssize_t pread(int fd, void *bytes, size_t length, off_t offset) {
    if (tracks(fd) && fails(READ)) return -1;
    return syscall(SYS_pread64, fd, bytes, length, offset);
}

ssize_t pread64(int fd, void *bytes, size_t length, off64_t offset) { return pread(fd, bytes, length, offset); }

static int sync_with(long call, int fd) {
    if (!tracks(fd)) return (int)syscall(call, fd);
    if (fails(SYNC)) return -1;
    pthread_mutex_lock(&lock);
    record('s', fd, 0, NULL, 0, NULL);
    pthread_mutex_unlock(&lock);
    int synced = (int)syscall(call, fd), error = errno;
    if (synced == 0) {
        pthread_mutex_lock(&lock);
        record('S', fd, 0, NULL, 0, NULL);
        pthread_mutex_unlock(&lock);
    }
    errno = error;
    return synced;
}

int fsync(int fd) { return sync_with(SYS_fsync, fd); }
int fdatasync(int fd) { return sync_with(SYS_fdatasync, fd); }

/* A call on paths that changes a directory. */
static int change(char letter, enum kind kind, long call, const char *from, const char *to, mode_t mode) {
    int is_ours = lies_below(from);
    if (is_ours && fails(kind)) return -1;
    pthread_mutex_lock(&lock);
    int done = (int)(to ? syscall(call, from, to) : syscall(call, from, mode)), error = errno;
    if (done == 0 && is_ours) record(letter, -1, 0, from, strlen(from), to);
    pthread_mutex_unlock(&lock);
    errno = error;
    return done;
}

int rename(const char *from, const char *to) { return change('r', RENAME, SYS_rename, from, to, 0); }
int link(const char *from, const char *to) { return change('l', RENAME, SYS_link, from, to, 0); }
int unlink(const char *path) { return change('u', UNLINK, SYS_unlink, path, NULL, 0); }
int rmdir(const char *path) { return change('x', UNLINK, SYS_rmdir, path, NULL, 0); }
int mkdir(const char *path, mode_t mode) { return change('m', OPEN, SYS_mkdir, path, NULL, mode); }

int ftruncate(int fd, off_t length) {
    if (!tracks(fd)) return (int)syscall(SYS_ftruncate, fd, length);
    if (fails(ALLOCATE)) return -1;
    pthread_mutex_lock(&lock);
    int done = (int)syscall(SYS_ftruncate, fd, length), error = errno;
    if (done == 0) record('n', fd, (uint64_t)length, NULL, 0, NULL);
    pthread_mutex_unlock(&lock);
    errno = error;
    return done;
}

int ftruncate64(int fd, off64_t length) { return ftruncate(fd, length); }

int fallocate(int fd, int mode, off_t offset, off_t length) {
    if (!tracks(fd)) return (int)syscall(SYS_fallocate, fd, mode, offset, length);
    if (fails(ALLOCATE)) return -1;
    pthread_mutex_lock(&lock);
    int done = (int)syscall(SYS_fallocate, fd, mode, offset, length), error = errno;
    // With the size kept, nothing is to be seen of it.
    if (done == 0 && !(mode & FALLOC_FL_KEEP_SIZE)) record('a', fd, (uint64_t)(offset + length), NULL, 0, NULL);
    pthread_mutex_unlock(&lock);
    errno = error;
    return done;
}

int fallocate64(int fd, int mode, off64_t offset, off64_t length) { return fallocate(fd, mode, offset, length); }

int posix_fallocate(int fd, off_t offset, off_t length) { return fallocate(fd, 0, offset, length) == 0 ? 0 : errno; }

/* A file that is written through a mapping would be changed behind the journal's back. */
void *mmap(void *address, size_t length, int protection, int flags, int fd, off_t offset) {
    if (tracks(fd) && (flags & MAP_SHARED) && (protection & PROT_WRITE)) {
        errno = ENODEV;
        return MAP_FAILED;
    }
    return (void *)syscall(SYS_mmap, address, length, protection, flags, fd, offset);
}

void *mmap64(void *address, size_t length, int protection, int flags, int fd, off64_t offset) {
    return mmap(address, length, protection, flags, fd, offset);
}
