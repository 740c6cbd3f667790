/* Linux calls that `import Glibc` lacks or imports badly. Every function returns a value >= 0, or the negated errno;
   the checksum of bytes is the exception. */
#ifndef OSTRAKA_CSYSTEM_H
#define OSTRAKA_CSYSTEM_H

#include <stddef.h>
#include <stdint.h>

/* What epoll reports: a plain struct, since the kernel's own is packed on some machines and not on others. */
typedef struct ostraka_event {
    uint32_t events;
    uint64_t data;
} ostraka_event;

/* The bits of `events`, as in epoll_ctl(2). */
static const uint32_t OSTRAKA_EPOLLIN = 0x001u;
static const uint32_t OSTRAKA_EPOLLOUT = 0x004u;
static const uint32_t OSTRAKA_EPOLLERR = 0x008u;
static const uint32_t OSTRAKA_EPOLLHUP = 0x010u;
static const uint32_t OSTRAKA_EPOLLRDHUP = 0x2000u;
static const uint32_t OSTRAKA_EPOLLEXCLUSIVE = 0x10000000u;
static const uint32_t OSTRAKA_EPOLLET = 0x80000000u;

/* A close-on-exec epoll descriptor. */
int ostraka_epoll_create(void);
int ostraka_epoll_add(int epoll, int fd, uint32_t events, uint64_t data);
int ostraka_epoll_modify(int epoll, int fd, uint32_t events, uint64_t data);
int ostraka_epoll_remove(int epoll, int fd);
/* Fills at most `capacity` (and at most 512) events; `timeout_ms` -1 waits for ever. EINTR counts as 0 events. */
int ostraka_epoll_wait(int epoll, ostraka_event *events, int capacity, int timeout_ms);

/* A non-blocking, close-on-exec event counter at 0. */
int ostraka_eventfd_create(void);
/* Adds 1: wakes whoever polls the descriptor. */
int ostraka_eventfd_signal(int fd);
/* Sets the counter to 0; it is no error if it was. */
int ostraka_eventfd_drain(int fd);

/* accept4(2): the new socket is non-blocking and close-on-exec. The peer's address is not asked for. */
int ostraka_accept(int fd);
/* TCP_NODELAY. */
int ostraka_set_nodelay(int fd);
/* TCP_USER_TIMEOUT: what was sent and is not acknowledged for so long ends the connection; a full window counts too. */
int ostraka_set_user_timeout(int fd, int milliseconds);
/* SO_REUSEADDR. */
int ostraka_set_reuseaddr(int fd);
int ostraka_set_nonblocking(int fd);

/* fallocate(2), mode 0: blocks are allocated and the size grows to `offset + length`. */
int ostraka_fallocate(int fd, int64_t offset, int64_t length);
int ostraka_fdatasync(int fd);
/* renameat2(2) with RENAME_NOREPLACE, paths relative to the working directory. */
int ostraka_rename_noreplace(const char *from, const char *to);
/* flock(2), exclusive, without waiting: -EWOULDBLOCK if another open file holds it. */
int ostraka_lock(int fd);

/* setpriority(2) of the calling thread alone: nice value -20...19. */
int ostraka_set_thread_nice(int nice);
/* Name of the calling thread as ps(1) and perf show it; cut to 15 bytes. */
int ostraka_set_thread_name(const char *name);
/* The calling thread's kernel id. */
int ostraka_thread_id(void);

/* From so many bytes on an allocation is a mapping of its own, which goes back to the system when it is freed. */
void ostraka_map_allocations(int bytes);

/* Whether this processor computes CRC-32C itself: SSE 4.2 on x86-64, the CRC extension on aarch64. 1 or 0. */
int ostraka_has_crc32c(void);
/* Goes on with a CRC-32C (reflected, neither inverted before nor after) over `length` bytes.
   Only where ostraka_has_crc32c() says 1; elsewhere it returns `crc` as it is. */
uint32_t ostraka_crc32c(uint32_t crc, const void *bytes, size_t length);

/* Asks the processor to load the cache line at `address`; never faults. */
static inline void ostraka_prefetch(const void *address) { __builtin_prefetch(address, 0, 3); }

#endif
