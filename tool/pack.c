// SPDX-License-Identifier: MIT
// The commands `duomo pack` and `duomo check`.
//
// In:     virtual machines, described by a file, or one by options.
// Out:    a bundle with them in it; or only whether there could be one.
// Always: mistakes are told, one line each, and then there is no bundle.

#include "bundle.h"
#include "commands.h"
#include "say.h"

#include <stdio.h>

struct pack {
    const char *out;
};

// clang-format off
const struct field pack_options[] = {
    { .name = "output", .option = "--output", .alias = "-o", .value = "FILE", .kind = &path_kind, .offset = offsetof(struct pack, out),
      .help = "the bundle to write" },
    { 0 },
};
// clang-format on

bool bundle_take(const struct command *c, const struct taken *t, struct config *config,
                 const char *out, struct blob *bundle)
{
    if (t->operand && t->vm_option)
        return wrong(c->name, "both a file and %s are given; describe the machine in the file",
                     t->vm_option);
    if (!t->operand && !config->vms[0].kernel)
        return wrong(c->name, "no kernel is named; add --kernel FILE, or name a configuration file");
    if (!t->operand || config_read(config, t->operand))
        return bundle_make(config, out, bundle);
    bundle_check(config);
    return false;
}

static bool pack(const struct command *c, const struct taken *t, struct config *config)
{
    const struct pack *p = t->own;
    struct blob bundle;
    bool ok;

    if (!p->out)
        return wrong(c->name, "no output file is named; add -o FILE, as in -o bundle.itb");
    if (!bundle_take(c, t, config, p->out, &bundle))
        return false;
    ok = blob_write(&bundle, p->out);
    blob_free(&bundle);
    return ok;
}

bool pack_run(const struct command *c, char **args)
{
    struct pack p = { 0 };
    struct config config;
    struct taken t = { .own = &p, .vm = config.vms };
    bool ok;

    config_begin(&config);
    ok = options_take(c, args, &t) && pack(c, &t, &config);
    config_free(&config);
    return ok;
}

static bool check(const char *path)
{
    struct config config;
    bool ok = config_read(&config, path);

    ok = bundle_check(&config) && ok;
    if (ok)
        printf("%s: no mistakes; %u virtual machine%s\n", path, config.n, config.n == 1 ? "" : "s");
    config_free(&config);
    return ok;
}

bool check_run(const struct command *c, char **args)
{
    struct taken t = { 0 };

    if (!options_take(c, args, &t))
        return false;
    if (!t.operand)
        return wrong(c->name, "no file is named; write duomo check FILE");
    return check(t.operand);
}
