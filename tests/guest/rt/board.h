// SPDX-License-Identifier: MIT
// The board's devices, as its device tree places them.
#pragma once

#include "guest.h"

#define SYSCON 0x00100000ul
#define RTC    0x00101000ul
#define CLINT  0x02000000ul
#define PLIC   0x0c000000ul
#define UART   0x10000000ul
#define VIRTIO 0x10001000ul

enum { UART_RBR = 0, UART_THR = 0, UART_DLL = 0, UART_IER = 1, UART_DLM = 1, UART_IIR = 2,
       UART_FCR = 2, UART_LCR = 3, UART_MCR = 4, UART_LSR = 5, UART_MSR = 6, UART_SCR = 7 };

enum { RTC_LOW = 0x00, RTC_HIGH = 0x04, RTC_ALARM_LOW = 0x08, RTC_ALARM_HIGH = 0x0c,
       RTC_IRQ_ENABLED = 0x10, RTC_CLEAR_ALARM = 0x14, RTC_ALARM_STATUS = 0x18,
       RTC_CLEAR_INTERRUPT = 0x1c };

// Interrupt sources.
enum { IRQ_UART = 10, IRQ_RTC = 11 };

// S-mode of hart 0 is the PLIC's context 1.
#define PLIC_PRIORITY(id)     (PLIC + 4ul * (id))
#define PLIC_PENDING(word)    (PLIC + 0x1000 + 4ul * (word))
#define PLIC_ENABLE(ctx, word) (PLIC + 0x2000 + 0x80ul * (ctx) + 4ul * (word))
#define PLIC_THRESHOLD(ctx)   (PLIC + 0x200000 + 0x1000ul * (ctx))
#define PLIC_CLAIM(ctx)       (PLIC + 0x200004 + 0x1000ul * (ctx))
#define CONTEXT_S 1

// The UART's THRE interrupt is a line that the guest can raise and lower at will: the transmitter
// is always empty, and reading IIR takes the interrupt away again.
static inline void uart_line_raise(void)
{
    poke8(UART + UART_IER, 0);
    poke8(UART + UART_IER, 2);
}

static inline void uart_line_lower(void)
{
    poke8(UART + UART_IER, 0);
    peek8(UART + UART_IIR);
}

// One source enabled for S-mode of hart 0, at this priority, threshold 0.
static inline void plic_enable(u32 id, u32 priority)
{
    poke32(PLIC_PRIORITY(id), priority);
    poke32(PLIC_ENABLE(CONTEXT_S, id / 32),
           peek32(PLIC_ENABLE(CONTEXT_S, id / 32)) | 1u << id % 32);
    poke32(PLIC_THRESHOLD(CONTEXT_S), 0);
}

static inline u32 plic_claim(void)
{
    return peek32(PLIC_CLAIM(CONTEXT_S));
}

static inline void plic_complete(u32 id)
{
    poke32(PLIC_CLAIM(CONTEXT_S), id);
}
