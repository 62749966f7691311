/* A library for LD_PRELOAD: it intercepts the file operations of a program below $TORTURE_FOLDER.
 *
 * It can make the n-th write, fsync, open, ftruncate, unlink or read fail ($TORTURE_CONTROL, see shim.py). It can also
 * record each change of a file and each fsync ($TORTURE_JOURNAL). From these records shim.py computes what a disk may
 * contain after a power loss. */

#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

enum kind { WRITE, SYNC, OPEN, TRUNCATE, UNLINK, READ, KINDS };

/* Shared with shim.py. While the bit of a kind is set in `armed`, call number `nth` of these kinds fails with `error`,
 * and with `lasting` all later ones. */
struct control {
    int32_t armed, nth, error, lasting;
    int32_t seen, failed;
};

/* A record of the journal, followed by `length` bytes: the written data, or a path. */
struct record {
    char type; /* W(rite), T(runcate), S(ync), C(reate), U(nlink) */
    char folder; /* whether a folder was synced */
    char unused[6];
    uint64_t number, nanoseconds, inode, offset, length;
};

enum { MOST_FILES = 65536, MOST_PATH = 4096 };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct control *control;
static int journal = -1;
static uint64_t records;
static char folder[MOST_PATH];
static size_t folder_length;
static uint64_t inodes[MOST_FILES]; /* of open files below the folder; 0: another file */
static char folders[MOST_FILES];

static int raw_open(const char *path, int flags, int mode) { return (int)syscall(SYS_openat, AT_FDCWD, path, flags, mode); }

__attribute__((constructor)) static void begin(void) {
    const char *given = getenv("TORTURE_FOLDER"), *path;
    if (given == NULL || strlen(given) >= sizeof folder) return;
    strcpy(folder, given);
    folder_length = strlen(folder);
    if ((path = getenv("TORTURE_CONTROL")) != NULL) {
        int file = raw_open(path, O_RDWR | O_CLOEXEC, 0);
        void *at = mmap(NULL, sizeof *control, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
        if (file < 0 || at == MAP_FAILED) abort();
        control = at;
    }
    if ((path = getenv("TORTURE_JOURNAL")) != NULL) {
        journal = raw_open(path, O_WRONLY | O_APPEND | O_CLOEXEC, 0);
        if (journal < 0) abort();
    }
}

static int is_ours(const char *path) {
    return folder_length != 0 && strncmp(path, folder, folder_length) == 0;
}

static int is_open_ours(int file) { return file >= 0 && file < MOST_FILES && inodes[file] != 0; }

/* Whether this call fails; sets errno then. */
static int fails(enum kind kind) {
    int error = 0;
    if (control == NULL || (control->armed & 1 << kind) == 0) return 0;
    pthread_mutex_lock(&lock);
    control->seen++;
    if (control->seen == control->nth || (control->lasting && control->seen > control->nth)) {
        control->failed++;
        error = control->error;
    }
    pthread_mutex_unlock(&lock);
    if (error != 0) errno = error;
    return error != 0;
}

/* Needs the lock. Readers skip a record that is incomplete because the process was killed. */
static uint64_t note(char type, char is_folder, uint64_t inode, uint64_t offset, const void *data, uint64_t length) {
    struct timespec now;
    int before = errno;
    clock_gettime(CLOCK_MONOTONIC, &now);
    struct record record = {.type = type, .folder = is_folder, .number = ++records,
                            .nanoseconds = (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec,
                            .inode = inode, .offset = offset, .length = length};
    struct iovec parts[] = {{&record, sizeof record}, {(void *)data, length}};
    if (syscall(SYS_writev, journal, parts, length == 0 ? 1 : 2) != (long)(sizeof record + length)) abort();
    errno = before;
    return record.number;
}

static int opened(const char *path, int file, int is_new) {
    struct stat stat;
    if (file < 0 || file >= MOST_FILES) return file;
    inodes[file] = 0;
    if (!is_ours(path) || fstat(file, &stat) != 0) return file;
    inodes[file] = stat.st_ino;
    folders[file] = S_ISDIR(stat.st_mode);
    if (is_new && journal >= 0) {
        pthread_mutex_lock(&lock);
        note('C', 0, stat.st_ino, 0, path, strlen(path));
        pthread_mutex_unlock(&lock);
    }
    return file;
}

static int open_at(int at, const char *path, int flags, int mode) {
    int is_new = 0, before = errno;
    if (is_ours(path)) {
        if (fails(OPEN)) return -1;
        is_new = (flags & O_CREAT) != 0 && faccessat(at, path, F_OK, 0) != 0;
        errno = before;
    }
    return opened(path, (int)syscall(SYS_openat, at, path, flags, mode), is_new);
}

#define MODE(flags)                                    \
    int mode = 0;                                      \
    if ((flags & O_CREAT) != 0 || (flags & O_TMPFILE) == O_TMPFILE) { \
        va_list more;                                  \
        va_start(more, flags);                         \
        mode = va_arg(more, int);                      \
        va_end(more);                                  \
    }

int open(const char *path, int flags, ...) { MODE(flags) return open_at(AT_FDCWD, path, flags, mode); }
int open64(const char *path, int flags, ...) { MODE(flags) return open_at(AT_FDCWD, path, flags | O_LARGEFILE, mode); }
int openat(int at, const char *path, int flags, ...) { MODE(flags) return open_at(at, path, flags, mode); }
int openat64(int at, const char *path, int flags, ...) { MODE(flags) return open_at(at, path, flags | O_LARGEFILE, mode); }

int close(int file) {
    if (file >= 0 && file < MOST_FILES) inodes[file] = 0;
    return (int)syscall(SYS_close, file);
}

static ssize_t write_at(int file, const void *data, size_t length, off_t offset) {
    if (fails(WRITE)) return -1;
    if (journal < 0) return syscall(SYS_pwrite64, file, data, length, offset);
    pthread_mutex_lock(&lock);
    ssize_t written = syscall(SYS_pwrite64, file, data, length, offset);
    if (written > 0) note('W', 0, inodes[file], (uint64_t)offset, data, (uint64_t)written);
    pthread_mutex_unlock(&lock);
    return written;
}

ssize_t pwrite64(int file, const void *data, size_t length, off64_t offset) {
    if (!is_open_ours(file)) return syscall(SYS_pwrite64, file, data, length, offset);
    return write_at(file, data, length, offset);
}
ssize_t pwrite(int file, const void *data, size_t length, off_t offset) { return pwrite64(file, data, length, offset); }

ssize_t write(int file, const void *data, size_t length) {
    if (!is_open_ours(file)) return syscall(SYS_write, file, data, length);
    if (fails(WRITE)) return -1;
    if (journal < 0) return syscall(SYS_write, file, data, length);
    pthread_mutex_lock(&lock);
    off_t offset = lseek(file, 0, SEEK_CUR);
    ssize_t written = syscall(SYS_write, file, data, length);
    if (written > 0) note('W', 0, inodes[file], (uint64_t)offset, data, (uint64_t)written);
    pthread_mutex_unlock(&lock);
    return written;
}

ssize_t pread64(int file, void *data, size_t length, off64_t offset) {
    if (is_open_ours(file) && fails(READ)) return -1;
    return syscall(SYS_pread64, file, data, length, offset);
}
ssize_t pread(int file, void *data, size_t length, off_t offset) { return pread64(file, data, length, offset); }

ssize_t read(int file, void *data, size_t length) {
    if (is_open_ours(file) && fails(READ)) return -1;
    return syscall(SYS_read, file, data, length);
}

static int sync_file(int file, long call) {
    uint64_t until = 0;
    if (!is_open_ours(file)) return (int)syscall(call, file);
    if (fails(SYNC)) return -1;
    if (journal >= 0) {
        pthread_mutex_lock(&lock);
        until = records;
        pthread_mutex_unlock(&lock);
    }
    int done = (int)syscall(call, file);
    if (done == 0 && journal >= 0) { /* everything written before the call is on disk */
        pthread_mutex_lock(&lock);
        note('S', folders[file], inodes[file], until, NULL, 0);
        pthread_mutex_unlock(&lock);
    }
    return done;
}

int fsync(int file) { return sync_file(file, SYS_fsync); }
int fdatasync(int file) { return sync_file(file, SYS_fdatasync); }

int ftruncate64(int file, off64_t size) {
    if (!is_open_ours(file)) return (int)syscall(SYS_ftruncate, file, size);
    if (fails(TRUNCATE)) return -1;
    pthread_mutex_lock(&lock);
    int done = (int)syscall(SYS_ftruncate, file, size);
    if (done == 0 && journal >= 0) note('T', 0, inodes[file], (uint64_t)size, NULL, 0);
    pthread_mutex_unlock(&lock);
    return done;
}
int ftruncate(int file, off_t size) { return ftruncate64(file, size); }

int unlink(const char *path) {
    if (!is_ours(path)) return (int)syscall(SYS_unlink, path);
    if (fails(UNLINK)) return -1;
    pthread_mutex_lock(&lock);
    int done = (int)syscall(SYS_unlink, path);
    if (done == 0 && journal >= 0) note('U', 0, 0, 0, path, strlen(path));
    pthread_mutex_unlock(&lock);
    return done;
}
