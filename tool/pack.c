// SPDX-License-Identifier: MIT
// The command `duomo pack`.
//
// In:     a virtual machine, described by options.
// Out:    a bundle with that machine in it.
// Always: a mistake ends with one line on stderr, and without a bundle.

#include "bundle.h"
#include "commands.h"
#include "say.h"

struct pack {
    struct vm_desc vm;
    const char    *out;
};

static bool take_kernel(void *into, const char *value)
{
    ((struct pack *)into)->vm.kernel = value;
    return true;
}

static bool take_initrd(void *into, const char *value)
{
    ((struct pack *)into)->vm.initrd = value;
    return true;
}

static bool take_cmdline(void *into, const char *value)
{
    return bootargs_parse("--cmdline", value, &((struct pack *)into)->vm.bootargs);
}

static bool take_memory(void *into, const char *value)
{
    return memory_parse("--memory", value, &((struct pack *)into)->vm.memory);
}

static bool take_name(void *into, const char *value)
{
    return name_parse("--name", value, &((struct pack *)into)->vm.name);
}

static bool take_engine(void *into, const char *value)
{
    return engine_parse("--engine", value, &((struct pack *)into)->vm.engine);
}

static bool take_shadow_pages(void *into, const char *value)
{
    return shadow_pages_parse("--shadow-pages", value, &((struct pack *)into)->vm.shadow_pages);
}

static bool take_out(void *into, const char *value)
{
    ((struct pack *)into)->out = value;
    return true;
}

// clang-format off
const struct option pack_options[] = {
    { "--kernel",       NULL, "FILE",   "the kernel: a RISC-V Linux Image",             take_kernel       },
    { "--initrd",       NULL, "FILE",   "its initial RAM disk (none)",                  take_initrd       },
    { "--cmdline",      NULL, "TEXT",   "the kernel's command line (empty)",            take_cmdline      },
    { "--memory",       NULL, "SIZE",   "RAM, a multiple of 2M (256M)",                 take_memory       },
    { "--name",         NULL, "NAME",   "the machine's name (vm)",                      take_name         },
    { "--engine",       NULL, "ENGINE", "auto or classic (auto)",                       take_engine       },
    { "--shadow-pages", NULL, "N",      "pages for its shadow tables (the monitor's choice)", take_shadow_pages },
    { "--output",       "-o", "FILE",   "the bundle to write",                          take_out          },
    { 0 },
};
// clang-format on

bool pack_run(const struct command *c, char **args)
{
    struct pack p = { .vm = vm_desc_defaults };

    if (!options_take(c, args, &p, NULL))
        return false;
    if (!p.vm.kernel)
        return wrong(c->name, "no kernel is named; add --kernel FILE");
    if (!p.out)
        return wrong(c->name, "no output file is named; add -o FILE, as in -o bundle.itb");
    return bundle_pack(&p.vm, 1, p.out);
}
