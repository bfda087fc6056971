// SPDX-License-Identifier: MIT
// The words everything is made of: fixed-width integers and the three address spaces.
//
// Always: an address says in its type whose it is.  A gva_t is translated by the guest's tables,
//         a gpa_t by the virtual machine's memory map, a hpa_t is the machine's own.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef uint8_t  u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;
typedef int32_t  s32;
typedef int64_t  s64;

typedef struct {
    u64 a;
} hpa_t;
typedef struct {
    u64 a;
} gpa_t;
typedef struct {
    u64 a;
} gva_t;

static inline hpa_t hpa(u64 a)
{
    return (hpa_t){ a };
}
static inline hpa_t hpa_at(hpa_t base, u64 off)
{
    return (hpa_t){ base.a + off };
}
static inline gpa_t gpa(u64 a)
{
    return (gpa_t){ a };
}
static inline gva_t gva(u64 a)
{
    return (gva_t){ a };
}

#define MUST_CHECK                    __attribute__((warn_unused_result))
#define NORETURN                      __attribute__((noreturn))
#define PRINTF(fmt, arg)              __attribute__((format(printf, fmt, arg)))
#define ALWAYS_INLINE                 inline __attribute__((always_inline))
#define FLATTEN                       __attribute__((flatten))  // whatever it calls is part of it
#define NOINLINE                      __attribute__((noinline)) // rare, and in nobody's way there
#define UNLIKELY(x)                   __builtin_expect(!!(x), 0)
#define LIKELY(x)                     __builtin_expect(!!(x), 1)
#define ARRAY_LEN(a)                  (sizeof(a) / sizeof((a)[0]))
#define CONTAINER_OF(p, type, member) ((type *)(void *)(((char *)(p)) - offsetof(type, member)))

#define PAGE_SHIFT 12
#define PAGE_SIZE  (1ul << PAGE_SHIFT)
#define KIB        1024ul
#define MIB        (1024ul * KIB)
#define GIB        (1024ul * MIB)
