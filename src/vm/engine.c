// SPDX-License-Identifier: MIT
// The choice of an engine.
//
// In:     a name from the configuration.
// Out:    the row, or why not.
// Always: rows are ordered from fast to slow; "auto" takes the first that does not refuse.
// Locks:  none.
#include "vm/engine.h"

#include <string.h>

static const struct engine *const engines[] = { &engine_classic };

const struct engine *engine_choose(const char *name, const char **why)
{
    *why = "no such engine; there are: auto, classic";
    for (unsigned i = 0; i < ARRAY_LEN(engines); i++) {
        bool asked = !strcmp(name, engines[i]->name);

        if (!asked && strcmp(name, "auto"))
            continue;
        *why = engines[i]->refuses(&hart_caps);
        if (!*why)
            return engines[i];
    }
    return NULL;
}
