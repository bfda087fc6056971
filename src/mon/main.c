// SPDX-License-Identifier: MIT
// The boot order, as a list that one can read.
//
// In:     the boot hart, from start.S: hart id, device tree, OpenSBI's fw_dynamic information.
// Out:    running virtual machines; later, the machine's end.
// Always: what is missing ends in one line that names it and the remedy, and in a non-zero exit
//         code; nothing starts half-way.
// Locks:  none; boot hart only.
#include "arch/riscv/image.h"
#include "arch/riscv/layout.h"
#include "dev/clock.h"
#include "dev/driver.h"
#include "dev/machine.h"
#include "dev/power.h"
#include "dev/wallclock.h"
#include "lib/log.h"
#include "lib/seed.h"
#include "mon/build.h"
#include "mon/console.h"
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
        seed_mix(given, (size_t)len);
    seed_mix(&now, sizeof now);
    seed_take(&word, sizeof word);
    return word;
}

static void machine_end_if_last(void)
{
    bool failed = false;

    for (unsigned i = 0; i < n_vms; i++) {
        if (vms[i]->state != VM_OFF || vms[i]->is_kept)
            return;
        failed |= vms[i]->end == VM_END_FAIL;
    }
    console_drain();
    power_off(failed ? EXIT_FAIL : 0);
}

static void vm_ended(struct vm *vm)
{
    bool is_reset = vm->end == VM_END_RESET;

    // A guest that resets again and again must not fill the log: told are the 1st, 2nd, 4th ...
    if (vm->why && (!is_reset || !(vm->starts & (vm->starts - 1))))
        log_line("%s: %s (start %lu)", vm->name, vm->why, (unsigned long)vm->starts);
    vm->why = NULL; // it was told
    if (is_reset) {
        vm_boot_step(vm);
        return;
    }
    vm->state = VM_OFF;
    machine_end_if_last();
}

static void vms_build(void)
{
    struct vm_config c;
    const char      *why;
    unsigned         i;

    for (i = 0; bundle_vm(i, &c, &why); i++) {
        struct vm *vm;

        if (why || (why = vm_build(&c, &vm)))
            give_up(c.name, why);
        console_attach(vm);
        vm->on_end = vm_ended;
        log_line("%s: %lu MiB, %u vCPU, %u shadow pages; engine %s, %s: %s", vm->name,
                 (unsigned long)(vm->ram_size / MIB), (unsigned)vm->n_vcpus,
                 (unsigned)vm->vcpus[0]->shadow.n_pages, vm->vcpus[0]->engine->name,
                 strcmp(c.engine, "auto") ? "as asked for"
                                          : "the fastest that hart and guest allow",
                 vm->vcpus[0]->engine->what);
        if (!vm->has_fp)
            log_line("%s: without floating point, which this version gives to one VM", vm->name);
    }
    if (!i)
        give_up(
            "cannot start",
            "the bundle has no VMs (no /vms of \"duomo,vms-1\"); make it again with `duomo pack`");
}

static void protect(void)
{
    pmp_lock_monitor((u64)_image_start, (u64)_text_end, (u64)_rodata_end, (u64)_stacks);
    hart_guest_mode_init();
}

__attribute__((no_stack_protector)) void boot(u64 hart, const void *fdt,
                                              const struct fw_dynamic_info *info)
{
    const char *why = machine_read(fdt);

    (void)hart;
    ram_reserve((u64)_image_start, (u64)(_image_end - _image_start));
    hart_probe();
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
    vms_build();
    if (bundle_shows_all())
        console_show_all();
    console_hint();
    for (unsigned i = 0; i < n_vms; i++)
        while (vms[i]->state != VM_RUNNING)
            vm_boot_step(vms[i]);
    self_harm(vms[0]->name);
    tick_start();
    sched_run();
    give_up("cannot go on", "no virtual machine is left");
}
