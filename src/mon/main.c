// SPDX-License-Identifier: MIT
// The boot order, as a list that one can read.
//
// In:     the boot hart, from start.S: hart id, device tree, OpenSBI's fw_dynamic information; then
//         the other harts.
// Out:    running virtual machines; later, the machine's end.
// Always: what is missing ends in one line that names it and the remedy, and in a non-zero exit
//         code; nothing starts half-way.
// Locks:  none; the boot hart alone, until it lets the others go.
#include "arch/riscv/image.h"
#include "arch/riscv/layout.h"
#include "dev/clock.h"
#include "dev/disk.h"
#include "dev/driver.h"
#include "dev/entropy.h"
#include "dev/machine.h"
#include "dev/power.h"
#include "dev/virtio.h"
#include "dev/wallclock.h"
#include "lib/log.h"
#include "mon/build.h"
#include "mon/console.h"
#include "mon/life.h"
#include "mon/self_harm.h"
#include "mon/tick.h"
#include "mon/version.h"
#include "vm/engine.h"
#include "vm/sched.h"

#include <libfdt.h>
#include <stdio.h>
#include <string.h>

#define EXIT_FAIL 1

// OpenSBI, include/sbi/fw_dynamic.h
struct fw_dynamic_info {
    u64 magic, version, next_addr, next_mode, options, boot_hart;
};
#define FW_DYNAMIC_MAGIC 0x4942534f

void boot(u64 hart, const void *fdt, const struct fw_dynamic_info *info);
void boot_other(void);

u64 __stack_chk_guard;

// One line, and the end.
NORETURN static void give_up(const char *who, const char *why)
{
    log_line("%s%s%s", who, *who ? ": " : "", why);
    console_drain();
    power_off(EXIT_FAIL);
}

static void must(const char *why)
{
    if (why)
        give_up("cannot start", why);
}

static void report_device(const char *what, const char *node)
{
    log_line("  %-28s %s", what, node);
}

static void report_trouble(const char *who, const char *what)
{
    log_line("%s: %s", who, what);
}

static void report(void)
{
    const struct hart_caps *c = &hart_caps;

    log_line("Duomo " VERSION
             ", a virtual machine monitor for RISC-V without the hypervisor extension");
    log_line("machine: %s, %u hart%s (this is hart %u), %lu MiB RAM, timebase %lu Hz",
             machine.model ? machine.model : "unnamed", (unsigned)machine.n_harts,
             machine.n_harts == 1 ? "" : "s", (unsigned)hart_id(),
             (unsigned long)(ram_total_bytes() / MIB), (unsigned long)machine.timebase_hz);
    log_line("hart: %s", machine.host_isa);
    log_line("  paging%s%s%s, %u ASID bits, %u PMP entries of %lu bytes, H %s",
             c->sv39 ? " Sv39" : "", c->sv48 ? " Sv48" : "", c->sv57 ? " Sv57" : "", c->asid_bits,
             c->pmp_entries, (unsigned long)c->pmp_grain,
             c->h ? "present (not used)" : "absent (not needed)");
    drivers_each(report_device);
}

static const char *machine_check(void)
{
    const struct hart_caps *c = &hart_caps;

    if (c->finx)
        return "the hart has fcsr without FP registers (Zfinx), which all VMs would share; use one that"
               " has none (QEMU: -cpu rv64,zfinx=off)";
    if (c->pmp_entries < PMP_ENTRIES_NEEDED)
        return "the hart has fewer than 8 PMP entries; use one with PMP (QEMU: -cpu rv64,pmp=on)";
    if (c->pmp_grain > PAGE_SIZE)
        return "the hart's PMP is coarser than 4 KiB; use another hart";
    if (!c->sv39)
        return "the hart has no Sv39 paging; use one that has (QEMU: -cpu rv64,sv39=on)";
    if (!clock_present())
        return "no timer (riscv,clint0) in the device tree; this board needs a driver";
    if (!(c->misa & BIT('u' - 'a')))
        return "the hart has no U-mode; use one that has";
    return NULL;
}

// Mixes the seed that the machine was given with the time; returns a word for the stack protector.
static u64 seed_collect(void)
{
    int         len, chosen = fdt_path_offset(machine.fdt, "/chosen");
    const void *given = chosen >= 0 ? fdt_getprop(machine.fdt, chosen, "rng-seed", &len) : NULL;
    u64         now   = wallclock_ns(), word;

    if (given)
        entropy_mix(given, (size_t)len);
    entropy_mix(&now, sizeof now);
    entropy_take(&word, sizeof word);
    return word;
}

static void vm_report(const struct vm *vm, const struct vm_config *c)
{
    const struct engine *engine = vm->vcpus[0]->engine;

    log_line("%s: %lu MiB, %u vCPU, %u shadow pages; engine %s, %s: %s", vm->name,
             (unsigned long)(vm->ram_size / MIB), (unsigned)vm->n_vcpus,
             (unsigned)vm->vcpus[0]->shadow.n_pages, engine->name,
             strcmp(c->engine, "auto") ? "as asked for" : "the fastest that hart and guest allow",
             engine->what);
}

static const char *vm_make(struct vm_config *c, const char *why)
{
    struct vm *vm;

    why = why ? why : vm_build(c, &vm);
    if (why)
        return why;
    life_adopt(vm);
    console_attach(vm);
    if (c->console == CONSOLE_KEYBOARD)
        console_keyboard(vm);
    if (c->console == CONSOLE_NO)
        console_quiet(vm);
    vm_report(vm, c);
    return NULL;
}

// One that is broken does not keep the others from starting.  The machine's exit code will tell.
static bool vms_build(void)
{
    struct vm_config c, broken     = { 0 };
    const char      *why, *mistake = NULL;
    unsigned         i;

    for (i = 0; bundle_vm(i, &c, &why); i++) {
        why = vm_make(&c, why);
        if (why && mistake)
            log_line("%s: %s", broken.name, mistake);
        if (why) {
            broken  = c;
            mistake = why;
        }
    }
    if (!i)
        give_up(
            "cannot start",
            "the bundle has no VMs (no /vms of \"duomo,vms-1\"); make it again with `duomo pack`");
    if (!n_vms)
        give_up(broken.name, mistake);
    if (mistake)
        log_line("%s: %s", broken.name, mistake);
    return mistake;
}

// Those of them that are to start with the machine.  False: none.
static bool vms_start(void)
{
    bool some = false;

    for (unsigned i = 0; i < n_vms; i++)
        if (built_of(vms[i])->config.start) {
            vm_start(vms[i]);
            some = true;
        }
    return some;
}

static void protect(void)
{
    pmp_lock_monitor((u64)_image_start, (u64)_text_end, (u64)_rodata_end,
                     (u64)_stacks + hart_index() * STACK_STRIDE);
    hart_guest_mode_init();
}

static bool stays;     // when all VMs are off
static u32  n_arrived; // harts beside the one that boots: here,
static u32  n_refused; // and of another kind than that
static u32  may_go;
static u64  may_run; // bit n: the hart whose number is n takes part

static bool is_like_boot_hart(void)
{
    struct hart_caps mine;

    hart_probe(&mine);
    mine.vendor = hart_caps.vendor;
    mine.arch   = hart_caps.arch;
    mine.impl   = hart_caps.impl;
    return !memcmp(&mine, &hart_caps, sizeof mine);
}

// VMs cannot name one whose number is large: it takes any.
static void hart_note(void)
{
    __atomic_fetch_or(&may_run, hart_id() < 64 ? BIT(hart_id()) : ~0ul, __ATOMIC_RELEASE);
}

// The other harts, from start.S.
void boot_other(void)
{
    clock_ipi_clear(hart_id());
    if (!is_like_boot_hart()) {
        __atomic_fetch_add(&n_refused, 1, __ATOMIC_RELEASE);
        hart_park();
    }
    protect();
    hart_note();
    __atomic_fetch_add(&n_arrived, 1, __ATOMIC_RELEASE);
    while (!__atomic_load_n(&may_go, __ATOMIC_ACQUIRE))
        ;
    self_harm_elsewhere(vms[0]->name);
    sched_run(stays);
    hart_park();
}

// A VM whose harts did not come is not started; by hand, it may be on any.  False: there is such a
// one.
static bool harts_check(void)
{
    bool all = true;

    hart_note();
    for (unsigned i = 0; i < n_vms; i++)
        if (!(vms[i]->harts & __atomic_load_n(&may_run, __ATOMIC_ACQUIRE))) {
            log_line("%s: none of the harts that it may run on runs guests; not started: name "
                     "others, or start it by hand, on any",
                     vms[i]->name);
            vms[i]->harts = ~0ul;

            built_of(vms[i])->config.start = false;

            all = false;
        }
    return all;
}

#define ARRIVAL_MS 200

// One that does not come is told, and missed by nobody.
static void harts_call(void)
{
    u64 end    = clock_now() + ticks_of_ms(ARRIVAL_MS);
    u32 wanted = (u32)min_u64(machine.n_harts, MAX_HARTS) - 1, arrived, refused;

    harts_release();
    for (u32 i = 0; i < min_u64(machine.n_harts, MACHINE_HARTS_MAX); i++)
        if (machine.hart_ids[i] != hart_id())
            clock_ipi_send(machine.hart_ids[i]);
    do {
        arrived = __atomic_load_n(&n_arrived, __ATOMIC_ACQUIRE);
        refused = __atomic_load_n(&n_refused, __ATOMIC_ACQUIRE);
    } while (arrived + refused < wanted && clock_now() < end);
    if (machine.n_harts > 1)
        log_line("harts: %u of %u run guests", (unsigned)arrived + 1, (unsigned)machine.n_harts);
    if (machine.n_harts > MAX_HARTS)
        log_line("harts: this version uses %d at most", MAX_HARTS);
    if (refused)
        log_line("harts: %u are of another kind than the one that boots, and not used",
                 (unsigned)refused);
    if (arrived + refused < wanted)
        log_line("harts: %u did not come, and are not used",
                 (unsigned)(wanted - arrived - refused));
}

__attribute__((no_stack_protector)) void boot(u64 hart, const void *fdt,
                                              const struct fw_dynamic_info *info)
{
    const char *why;
    bool        broken;

    (void)hart;
    hart_probe(&hart_caps);
    why = machine_read(fdt);
    ram_reserve((u64)_image_start, (u64)(_image_end - _image_start));
    if (machine.fdt)
        drivers_probe(machine.fdt);
    console_init();
    must(why);
    __stack_chk_guard = seed_collect(); // no protected function is active here
    report();
    must(machine_check());
    protect();
    must(info && info->magic == FW_DYNAMIC_MAGIC
             ? bundle_open(info->next_addr)
             : "not started by the fw_dynamic protocol; start it as OpenSBI is started");
    virtio_start(report_trouble);
    disks_start(report_trouble);
    broken = vms_build();
    if (bundle_shows_all())
        console_show_all();
    console_hint();
    harts_call();
    broken |= !harts_check();
    stays = !vms_start() || bundle_stays();
    self_harm(vms[0]->name);
    tick_start();
    __atomic_store_n(&may_go, 1, __ATOMIC_RELEASE);
    sched_run(stays);
    console_drain();
    power_off(broken || life_failed() ? EXIT_FAIL : 0);
}
