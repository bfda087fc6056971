// SPDX-License-Identifier: MIT
// In:     bytes that should be YAML, and tables of the fields that may be in it.
// Out:    values, where the tables say; a line for every mistake.
// Always: however deep and entangled the document is, only as deep is gone as the tables go, and
//         an alias is looked at, never copied. Parsing ends at the 100th mistake.
//
// libyaml parses, and keeps the line of every node. What nodes mean is said by the tables.

#include "document.h"

#include "say.h"

#include <stdlib.h>
#include <string.h>
#include <yaml.h>

enum { BRACKETS_MAX = 8192 };

struct reader {
    yaml_document_t *document;
    const char      *path;
};

static bool field_read(struct reader *r, const struct field *f, yaml_node_t *node, void *into);

static struct place place_of(const struct reader *r, const yaml_node_t *node, const char *subject)
{
    return (struct place) { r->path, (unsigned)node->start_mark.line + 1, subject };
}

static const char *type_name(const yaml_node_t *node)
{
    switch (node->type) {
    case YAML_SEQUENCE_NODE: return "a list";
    case YAML_MAPPING_NODE:  return "a map";
    case YAML_SCALAR_NODE:
    case YAML_NO_NODE:
    default:                 return "a single value";
    }
}

// An item of a list should be a single value, too.
static bool wrong_type(const struct reader *r, const struct field *f, const yaml_node_t *node,
                       enum shape right)
{
    static const char *const rights[] = {
        [ONE]  = "a single value",
        [LIST] = "a list, as in [0, 1],",
        [MAPS] = "a list of maps, each begun by '- ',",
    };
    struct place at = place_of(r, node, f->name);

    return wrong_at(&at, "this is %s; %s would be right", type_name(node), rights[right]);
}

// A scalar's text; NULL when it has none that could be used, and then that has been told.
static const char *scalar_text(struct reader *r, const struct field *f, yaml_node_t *node)
{
    const char *text = (const char *)node->data.scalar.value;
    size_t length = node->data.scalar.length;
    struct place at = place_of(r, node, f->name);

    if (length == 0 && node->data.scalar.style == YAML_PLAIN_SCALAR_STYLE) {
        wrong_at(&at, "no value; write one, or leave the line out");
        return NULL;
    }
    if (memchr(text, 0, length)) {
        wrong_at(&at, "a NUL byte in the value; leave it out");
        return NULL;
    }
    return text;
}

static bool value_read(struct reader *r, const struct field *f, yaml_node_t *node, void *into)
{
    struct place at = place_of(r, node, f->name);
    const char *text;

    if (node->type != YAML_SCALAR_NODE)
        return wrong_type(r, f, node, ONE);
    text = scalar_text(r, f, node);
    return text && f->kind->take(f, &at, text, into);
}

static bool wrong_key(const struct reader *r, const struct field_table *t, const yaml_node_t *key,
                      const char *name)
{
    const struct field *nearest = field_nearest(t->rows, name);
    struct place at = place_of(r, key, NULL);

    if (nearest)
        return wrong_at(&at, "unknown field '%.*s'; is '%s' meant?", CLIP(name), nearest->name);
    return wrong_at(&at, "unknown field '%.*s'; 'duomo help config' lists them", CLIP(name));
}

static const struct field *key_find(const struct reader *r, const struct field_table *t,
                                    const yaml_node_t *key)
{
    const char *name = (const char *)key->data.scalar.value;
    struct place at = place_of(r, key, NULL);

    if (key->type != YAML_SCALAR_NODE) {
        wrong_at(&at, "%s stands where a field's name should; write NAME: VALUE", type_name(key));
        return NULL;
    }
    for (const struct field *f = t->rows; f->name; f++)
        if (strcmp(f->name, name) == 0 && strlen(name) == key->data.scalar.length)
            return f;
    wrong_key(r, t, key, name);
    return NULL;
}

static bool pair_read(struct reader *r, const struct field_table *t, const yaml_node_pair_t *pair,
                      void *into)
{
    yaml_node_t *key = yaml_document_get_node(r->document, pair->key);
    yaml_node_t *value = yaml_document_get_node(r->document, pair->value);
    const struct field *f = key_find(r, t, key);
    unsigned *line;

    if (!f)
        return false;
    line = (unsigned *)((char *)into + t->lines) + (f - t->rows);
    if (*line) {
        struct place at = place_of(r, key, f->name);

        return wrong_at(&at, "given twice; the first is in line %u, and one is enough", *line);
    }
    *line = place_of(r, value, NULL).line;
    return field_read(r, f, value, into);
}

static bool map_read(struct reader *r, const struct field_table *t, yaml_node_t *node, void *into)
{
    bool ok = true;

    for (yaml_node_pair_t *pair = node->data.mapping.pairs.start;
         pair < node->data.mapping.pairs.top && !mistakes_are_many(); pair++)
        ok = pair_read(r, t, pair, into) && ok;
    return ok;
}

// The fields of a map go where open() says, and close() hears whether they were right.
static bool inner_read(struct reader *r, const struct field *f, yaml_node_t *node, void *into)
{
    struct place at = place_of(r, node, f->name);
    void *inner;
    bool ok;

    if (node->type != YAML_MAPPING_NODE)
        return wrong_at(&at, "this is %s; a map of fields would be right", type_name(node));
    inner = f->open(into, &at);
    if (!inner)
        return false;
    ok = map_read(r, f->inner, node, inner);
    return f->close(inner, &at, ok) && ok;
}

static bool list_read(struct reader *r, const struct field *f, yaml_node_t *node, void *into)
{
    bool ok = true;

    if (node->type != YAML_SEQUENCE_NODE)
        return wrong_type(r, f, node, f->shape);
    if (node->data.sequence.items.start == node->data.sequence.items.top) {
        struct place at = place_of(r, node, f->name);

        return wrong_at(&at, "an empty list; at least one item would be right");
    }
    for (yaml_node_item_t *item = node->data.sequence.items.start;
         item < node->data.sequence.items.top && !mistakes_are_many(); item++) {
        yaml_node_t *value = yaml_document_get_node(r->document, *item);

        ok = (f->shape == MAPS ? inner_read : value_read)(r, f, value, into) && ok;
    }
    return ok;
}

static bool field_read(struct reader *r, const struct field *f, yaml_node_t *node, void *into)
{
    if (f->shape == LIST || f->shape == MAPS)
        return list_read(r, f, node, into);
    if (f->shape == MAP || (f->inner && node->type == YAML_MAPPING_NODE))
        return inner_read(r, f, node, into);
    return value_read(r, f, node, into);
}

// libyaml's reader tells the offset of a byte that cannot be, its scanner and parser the line.
static bool wrong_yaml(const yaml_parser_t *p, const uint8_t *data, size_t size, const char *path)
{
    struct place at = { path, (unsigned)p->problem_mark.line + 1, NULL };

    if (p->error == YAML_MEMORY_ERROR)
        return wrong(path, "no memory to read it; free some");
    if (p->error == YAML_READER_ERROR) {
        at.line = 1;
        for (size_t i = 0; i < p->problem_offset && i < size; i++)
            at.line += data[i] == '\n';
    }
    return wrong_at(&at, "this is no YAML: %s%s%s; correct the line, or the one before it",
                    p->problem ? p->problem : "it cannot be read", p->context ? " " : "",
                    p->context ? p->context : "");
}

// What comes after the document must be nothing.
static bool document_is_last(yaml_parser_t *p, const uint8_t *data, size_t size, const char *path)
{
    yaml_document_t next;
    const yaml_node_t *root;
    struct place at = { .file = path };
    bool last;

    if (!yaml_parser_load(p, &next))
        return wrong_yaml(p, data, size, path);
    root = yaml_document_get_root_node(&next);
    last = !root;
    if (root)
        at.line = (unsigned)root->start_mark.line + 1;
    yaml_document_delete(&next);
    return last || wrong_at(&at, "a second document begins here; one file, one configuration");
}

static bool root_read(struct reader *r, const struct field_table *top, void *into)
{
    yaml_node_t *root = yaml_document_get_root_node(r->document);
    struct place at;

    if (!root)
        return true;
    at = place_of(r, root, NULL);
    if (root->type != YAML_MAPPING_NODE)
        return wrong_at(&at, "this is %s; a map with 'vms:' would be right", type_name(root));
    return map_read(r, top, root, into);
}

// libyaml takes time that grows with the square of how many there are of these.
static bool is_simple(const uint8_t *data, size_t size, const char *path)
{
    for (const char *c = "[{&"; *c; c++) {
        size_t n = 0;

        for (size_t i = 0; i < size; i++)
            n += data[i] == (uint8_t)*c;
        if (n > BRACKETS_MAX)
            return wrong(path, "%zu times '%c' is no configuration; at most %d would be right", n,
                         *c, BRACKETS_MAX);
    }
    return true;
}

bool document_read(const void *data, size_t size, const char *path, const struct field_table *top,
               void *into, void **document)
{
    struct reader r = { malloc(sizeof *r.document), path };
    yaml_parser_t p;
    bool ok;

    *document = NULL;
    if (!is_simple(data, size, path)) {
        free(r.document);
        return false;
    }
    if (!r.document || !yaml_parser_initialize(&p)) {
        free(r.document);
        return wrong(path, "no memory to read it; free some");
    }
    yaml_parser_set_input_string(&p, data, size);
    if (yaml_parser_load(&p, r.document)) {
        *document = r.document;
        ok = root_read(&r, top, into);
        ok = document_is_last(&p, data, size, path) && ok;
    } else {
        ok = wrong_yaml(&p, data, size, path);
        free(r.document);
    }
    yaml_parser_delete(&p);
    return ok;
}

void document_free(void *document)
{
    if (document)
        yaml_document_delete(document);
    free(document);
}
