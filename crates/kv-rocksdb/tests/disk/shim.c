/* Stands between the process and the disk, so that a test decides what the disk answers for files that end in ".log" (the
 * engine's log of writes). The file named by STATOR_TEST_DISK says how; its first byte is one of
 *
 *   p   pass everything on
 *   f   a sync fails
 *   w   a sync waits at the gate (a named pipe, STATOR_TEST_GATE) until its other end is opened and closed
 *   t   a write writes its first half and then finds the disk full
 *
 * Loaded by the dynamic linker in front of the C library; Linux only. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static char mode(int fd) {
    char link[64], path[4096], byte = 'p';
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, sizeof path);
    if (length < 4 || memcmp(path + length - 4, ".log", 4) != 0) return 'p';
    const char *control = getenv("STATOR_TEST_DISK");
    int file = control ? (int)syscall(SYS_openat, AT_FDCWD, control, O_RDONLY | O_CLOEXEC, 0) : -1;
    if (file < 0) return 'p';
    if (syscall(SYS_read, file, &byte, 1) != 1) byte = 'p';
    syscall(SYS_close, file);
    return byte;
}

static int sync_with(long call, int fd) {
    switch (mode(fd)) {
    case 'f':
        errno = EIO;
        return -1;
    case 'w': {
        char byte;
        int gate = (int)syscall(SYS_openat, AT_FDCWD, getenv("STATOR_TEST_GATE"), O_RDONLY | O_CLOEXEC, 0);
        while (syscall(SYS_read, gate, &byte, 1) == 1) {}
        syscall(SYS_close, gate);
    }
    }
    return (int)syscall(call, fd);
}

int fdatasync(int fd) { return sync_with(SYS_fdatasync, fd); }
int fsync(int fd) { return sync_with(SYS_fsync, fd); }

static int is_torn = 0;

ssize_t write(int fd, const void *bytes, size_t length) {
    if (mode(fd) != 't') return syscall(SYS_write, fd, bytes, length);
    if (!is_torn && length > 1) {
        is_torn = 1;
        return syscall(SYS_write, fd, bytes, length / 2);
    }
    errno = ENOSPC;
    return -1;
}
