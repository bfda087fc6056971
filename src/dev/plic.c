// SPDX-License-Identifier: MIT
// The machine's interrupt controller.  RISC-V Platform-Level Interrupt Controller 1.0.0.
//
// In:     external interrupts of the boot hart.
// Out:    a call of the handler that was connected to the source.
// Always: no source is handled twice in a stay, nor before the time that its handler has asked for:
//         one that pends again stays claimed, so that the others have their turns, and is handled
//         and completed later.
// Locks:  none; only the boot hart's context is enabled.
#include "arch/hart.h"
#include "dev/clock.h"
#include "dev/driver.h"
#include "dev/dt.h"
#include "dev/irq.h"
#include "dev/machine.h"
#include "lib/bits.h"

#include <libfdt.h>

#define PLIC_ENABLE  0x2000
#define PLIC_CONTEXT 0x200000
#define CLAIM        4
#define SOURCES      128

u64 irq_again_at = ~0ul;

static struct {
    u64 base;
    u32 context, n_sources;
    u64 round;
    struct {
        irq_handler *handler;
        void        *arg;
        u64          round;      // in which it was last handled
        bool         again;      // from again_at on it is handled once more
        bool         is_claimed; // meanwhile
        u64          again_at;
    } line[SOURCES];
} plic;

// Which hart's interrupt controller has this phandle?
static bool is_hart_intc(const void *fdt, u32 phandle, u32 hart)
{
    int node = fdt_node_offset_by_phandle(fdt, phandle);
    u64 id;

    return node >= 0 && dt_number(fdt, fdt_parent_offset(fdt, node), "reg", &id) && id == hart;
}

// Contexts are numbered as interrupts-extended lists them; ours leads to this hart's M-mode.
static bool context_find(const void *fdt, int node)
{
    int            len;
    const fdt32_t *pair = fdt_getprop(fdt, node, "interrupts-extended", &len);

    for (u32 i = 0; pair && i < (u32)len / 8; i++)
        if (fdt32_to_cpu(pair[2 * i + 1]) == IRQ_MEI &&
            is_hart_intc(fdt, fdt32_to_cpu(pair[2 * i]), hart_id())) {
            plic.context = i;
            return true;
        }
    return false;
}

bool plic_probe(const void *fdt, int node)
{
    u64 base, size, n;

    if (plic.base || !dt_reg(fdt, node, 0, &base, &size) || !context_find(fdt, node))
        return false;
    plic.base      = base;
    plic.n_sources = dt_number(fdt, node, "riscv,ndev", &n) ? (u32)min_u64(n, SOURCES - 1) : 31;
    mmio_write32(base + PLIC_CONTEXT + 0x1000ul * plic.context, 0);
    return true;
}

bool irq_connect(u32 source, irq_handler *handler, void *arg)
{
    u64 enable = plic.base + PLIC_ENABLE + 0x80ul * plic.context + 4ul * (source / 32);

    if (!plic.base || !source || source > plic.n_sources)
        return false;
    plic.line[source].handler = handler;
    plic.line[source].arg     = arg;
    mmio_write32(plic.base + 4ul * source, 1);
    mmio_write32(enable, mmio_read32(enable) | 1u << (source % 32));
    return true;
}

u32 irq_of_node(const void *fdt, int node)
{
    int            len;
    const fdt32_t *cell = fdt_getprop(fdt, node, "interrupts", &len);

    return cell && len >= 4 ? fdt32_to_cpu(*cell) : 0;
}

// A guest runs for a moment in between, however loud its source is.
void irq_again(u32 source, u64 when)
{
    when                       = max_u64(when, clock_now() + guest_pause());
    plic.line[source].again    = true;
    plic.line[source].again_at = when;
    irq_again_at               = min_u64(irq_again_at, when);
}

static void line_handle(u32 source)
{
    plic.line[source].round = plic.round;
    plic.line[source].again = false;
    if (plic.line[source].handler)
        plic.line[source].handler(plic.line[source].arg);
}

static void line_handle_again(u32 source, u64 claim)
{
    bool is_claimed = plic.line[source].is_claimed;

    plic.line[source].is_claimed = false;
    line_handle(source);
    if (is_claimed)
        mmio_write32(claim, source);
}

static void again_handle(u64 claim)
{
    u64 now = clock_now();

    irq_again_at = ~0ul;
    for (u32 source = 1; source <= plic.n_sources; source++) {
        if (!plic.line[source].again)
            continue;
        if (plic.line[source].again_at <= now)
            line_handle_again(source, claim);
        else
            irq_again_at = min_u64(irq_again_at, plic.line[source].again_at);
    }
}

void irq_handle(void)
{
    u64 claim = plic.base + PLIC_CONTEXT + 0x1000ul * plic.context + CLAIM;

    plic.round++;
    if (UNLIKELY(irq_again_at != ~0ul))
        again_handle(claim);
    for (u32 turn = 0; turn < 2 * plic.n_sources; turn++) {
        u32 source = mmio_read32(claim);

        if (!source || source > plic.n_sources)
            return;
        if (plic.line[source].again) {
            plic.line[source].is_claimed = true;
        } else if (plic.line[source].round == plic.round) {
            plic.line[source].is_claimed = true;
            irq_again(source, 0);
        } else {
            line_handle(source);
            mmio_write32(claim, source);
        }
        if (!(hart_irq_pending() & BIT(IRQ_MEI)))
            return;
    }
}
