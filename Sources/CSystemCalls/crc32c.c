#include "csystem.h"

#include <string.h>

#if defined(__x86_64__)
#include <cpuid.h>
#include <nmmintrin.h>

int ostraka_has_crc32c(void) {
    unsigned eax, ebx, ecx = 0, edx;
    return __get_cpuid(1, &eax, &ebx, &ecx, &edx) && (ecx & bit_SSE4_2) ? 1 : 0;
}

__attribute__((target("sse4.2"))) uint32_t ostraka_crc32c(uint32_t crc, const void *bytes, size_t length) {
    const unsigned char *next = bytes;
    uint64_t running = crc;
    while (length >= 8) {
        uint64_t word;
        memcpy(&word, next, 8);
        running = _mm_crc32_u64(running, word);
        next += 8;
        length -= 8;
    }
    while (length > 0) {
        running = _mm_crc32_u8((uint32_t)running, *next);
        next++;
        length--;
    }
    return (uint32_t)running;
}
#elif defined(__aarch64__)
#include <arm_acle.h>
#include <sys/auxv.h>

#ifndef HWCAP_CRC32
#define HWCAP_CRC32 (1 << 7)
#endif

int ostraka_has_crc32c(void) { return getauxval(AT_HWCAP) & HWCAP_CRC32 ? 1 : 0; }

__attribute__((target("+crc"))) uint32_t ostraka_crc32c(uint32_t crc, const void *bytes, size_t length) {
    const unsigned char *next = bytes;
    uint32_t running = crc;
    while (length >= 8) {
        uint64_t word;
        memcpy(&word, next, 8);
        running = __crc32cd(running, word);
        next += 8;
        length -= 8;
    }
    while (length > 0) {
        running = __crc32cb(running, *next);
        next++;
        length--;
    }
    return running;
}
#else
int ostraka_has_crc32c(void) { return 0; }

uint32_t ostraka_crc32c(uint32_t crc, const void *bytes, size_t length) {
    (void)bytes;
    (void)length;
    return crc;
}
#endif
