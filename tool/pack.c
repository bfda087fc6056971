// SPDX-License-Identifier: MIT
// The commands `duomo pack` and `duomo check`.
//
// In:     virtual machines, described by a file, or one by options.
// Out:    a bundle with them in it; or only whether there could be one.
// Always: mistakes are told, one line each, and then there is no bundle.

#include "board.h"
#include "bundle.h"
#include "commands.h"
#include "say.h"

#include <stdio.h>
#include <string.h>

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

// What options say of the board counts.
static bool board_take(struct config *config, const struct board_options *o)
{
    struct machine_desc *m = &config->machine;

    if (o->disk) {
        m->disk = o->disk;
        m->disk_is_option = true;
    }
    if (o->network)
        m->network = "yes";
    if (!o->forward.n)
        return true;
    m->forward = o->forward;
    return strcmp(m->network, "yes") == 0
        || wrong("--forward", "the board has no network; add --network");
}

bool bundle_take(const struct command *c, const struct taken *t, struct config *config,
                 const struct board_options *board, const char *out, struct blob *bundle)
{
    bool ok;

    if (t->operand && t->vm_option)
        return wrong(c->name, "both a file and %s are given; describe the machine in the file",
                     t->vm_option);
    if (!t->operand && !config->vms[0].kernel)
        return wrong(c->name, "no kernel is named; add --kernel FILE, or name a configuration file");
    ok = !t->operand || config_read(config, t->operand);
    ok = (!board || board_take(config, board)) && ok;
    ok = board_check(config, board) && ok;
    if (ok)
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
    if (!bundle_take(c, t, config, NULL, p->out, &bundle))
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

    ok = board_check(&config, false) && ok;
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
