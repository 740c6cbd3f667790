#define _GNU_SOURCE
#include "csystem.h"

#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

_Static_assert(EPOLLIN == 0x001 && EPOLLOUT == 0x004 && EPOLLERR == 0x008 && EPOLLHUP == 0x010
                   && EPOLLRDHUP == 0x2000,
               "event bits of csystem.h differ from the system's");

static int result(int value) { return value < 0 ? -errno : value; }

int ostraka_epoll_create(void) { return result(epoll_create1(EPOLL_CLOEXEC)); }

static int control(int epoll, int operation, int fd, uint32_t events, uint64_t data) {
    struct epoll_event event;
    memset(&event, 0, sizeof event);
    event.events = events;
    event.data.u64 = data;
    return result(epoll_ctl(epoll, operation, fd, &event));
}

int ostraka_epoll_add(int epoll, int fd, uint32_t events, uint64_t data) {
    return control(epoll, EPOLL_CTL_ADD, fd, events, data);
}

int ostraka_epoll_modify(int epoll, int fd, uint32_t events, uint64_t data) {
    return control(epoll, EPOLL_CTL_MOD, fd, events, data);
}

int ostraka_epoll_remove(int epoll, int fd) { return control(epoll, EPOLL_CTL_DEL, fd, 0, 0); }

int ostraka_epoll_wait(int epoll, ostraka_event *events, int capacity, int timeout_ms) {
    struct epoll_event raw[512];
    if (capacity > 512) capacity = 512;
    int count = epoll_wait(epoll, raw, capacity, timeout_ms);
    if (count < 0) return errno == EINTR ? 0 : -errno;
    for (int i = 0; i < count; i++) {
        events[i].events = raw[i].events;
        events[i].data = raw[i].data.u64;
    }
    return count;
}

int ostraka_eventfd_create(void) { return result(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)); }

int ostraka_eventfd_signal(int fd) {
    uint64_t one = 1;
    ssize_t written = write(fd, &one, sizeof one);
    if (written < 0) return errno == EAGAIN ? 0 : -errno; /* a full counter wakes as well */
    return 0;
}

int ostraka_eventfd_drain(int fd) {
    uint64_t count;
    ssize_t got = read(fd, &count, sizeof count);
    if (got < 0) return errno == EAGAIN ? 0 : -errno;
    return 0;
}

int ostraka_accept(int fd) { return result(accept4(fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)); }

static int set_option(int fd, int level, int name) {
    int one = 1;
    return result(setsockopt(fd, level, name, &one, sizeof one));
}

int ostraka_set_nodelay(int fd) { return set_option(fd, IPPROTO_TCP, TCP_NODELAY); }

int ostraka_set_user_timeout(int fd, int milliseconds) {
    return result(setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &milliseconds, sizeof milliseconds));
}

int ostraka_set_reuseaddr(int fd) { return set_option(fd, SOL_SOCKET, SO_REUSEADDR); }

int ostraka_set_nonblocking(int fd) {
    int flags = fcntl(fd, F_GETFL);
    if (flags < 0) return -errno;
    return result(fcntl(fd, F_SETFL, flags | O_NONBLOCK));
}

int ostraka_fallocate(int fd, int64_t offset, int64_t length) { return result(fallocate(fd, 0, offset, length)); }

int ostraka_fdatasync(int fd) { return result(fdatasync(fd)); }

int ostraka_rename_noreplace(const char *from, const char *to) {
    return result(renameat2(AT_FDCWD, from, AT_FDCWD, to, RENAME_NOREPLACE));
}

int ostraka_lock(int fd) { return result(flock(fd, LOCK_EX | LOCK_NB)); }

int ostraka_thread_id(void) { return (int)syscall(SYS_gettid); }

int ostraka_set_thread_nice(int nice) { return result(setpriority(PRIO_PROCESS, (id_t)ostraka_thread_id(), nice)); }

void ostraka_map_allocations(int bytes) {
    mallopt(M_MMAP_THRESHOLD, bytes);
    mallopt(M_TRIM_THRESHOLD, 4 * bytes);
}

int ostraka_set_thread_name(const char *name) {
    char cut[16];
    strncpy(cut, name, sizeof cut - 1);
    cut[sizeof cut - 1] = 0;
    return -pthread_setname_np(pthread_self(), cut);
}
