// SPDX-License-Identifier: MIT
// Commands about what the machine shares among VMs: disks, net.
//
// In:     nothing.
// Out:    the disks, their partitions and who uses them; the switch's ports and what went through.
// Always: only looked at.  A user of a partition is the VM whose disk it is.
// Locks:  none; the layers below give copies.
#include "dev/disk.h"
#include "dev/net.h"
#include "mon/commands.h"

#include <stdio.h>

static const char *owner_of(const struct blkdev *d)
{
    for (unsigned i = 0; i < n_vms; i++)
        if (vms[i]->disk == d)
            return vms[i]->name;
    return "-";
}

static void disk_row(struct report *r, unsigned n, const void *of)
{
    struct disk_info i = { 0 };

    (void)of;
    (void)disk_info(n, &i);
    report_number(r, "disk", 4, n);
    report_text(r, "name", -20, i.name);
    report_size(r, "size", 10, i.n_sectors * SECTOR_SIZE);
    report_number(r, "sector", 6, i.block_size);
    report_text(r, "table", -12, i.table);
    report_number(r, "depth", 5, i.depth);
    report_number(r, "requests", 10, i.requests);
    report_number(r, "bytes", 14, i.bytes);
    report_number(r, "errors", 6, i.errors);
    report_text(r, "state", 0, i.dead ? "dead" : i.read_only ? "read-only" : "works");
}

static void part_row(struct report *r, unsigned n, const void *of)
{
    struct part_info i = { 0 };

    (void)of;
    (void)disk_part(n, &i);
    report_number(r, "disk", 4, i.disk);
    report_number(r, "partition", 9, i.part.number);
    report_text(r, "label", -16, i.part.label);
    report_number(r, "first", 12, i.part.first);
    report_number(r, "sectors", 12, i.part.n_sectors);
    report_text(r, "id", -36, i.part.id);
    report_text(r, "refused", 0, i.part.refused ? i.part.refused : "");
}

static void user_row(struct report *r, unsigned n, const void *of)
{
    struct disk_user u = { 0 };

    (void)of;
    (void)disk_user(n, &u);
    report_text(r, "owner", -16, owner_of(u.d));
    report_number(r, "disk", 4, u.disk);
    report_number(r, "partition", 9, u.part);
    report_text(r, "access", -10, u.read_only ? "read-only" : "read-write");
    report_number(r, "weight", 6, u.weight);
    report_number(r, "depth", 5, u.depth);
    report_number(r, "requests", 10, u.requests);
    report_number(r, "bytes", 14, u.bytes);
    report_number(r, "errors", 6, u.errors);
}

static const struct {
    const char *name;
    unsigned (*count)(void);
    report_row *row;
} tables[] = {
    { "disks", disk_count, disk_row },
    { "partitions", disk_part_count, part_row },
    { "users", disk_user_count, user_row },
};

static void table_begin(struct call *c)
{
    c->end  = tables[c->at].count();
    c->vcpu = c->part;
    if (c->r.form != REPORT_TEXT)
        return;
    if (!c->end && !c->at)
        out_printf(c->r.o, "the machine has no disk that can be used\n");
    else if (c->end && c->at)
        out_printf(c->r.o, "\n");
}

// Table number c->at has c->end rows, and was begun in part c->vcpu.
static enum told cmd_disks(struct call *c)
{
    if (c->part == c->vcpu)
        table_begin(c);
    if (report_table(&c->r, c->part - c->vcpu, tables[c->at].name, (unsigned)c->end,
                     tables[c->at].row, NULL))
        return TOLD_PART;
    c->vcpu = c->part + 1;
    return told_part_if(++c->at < ARRAY_LEN(tables));
}

static void drops_tell(struct report *r, const struct port_report *p)
{
    char        text[160] = "";
    const char *between   = "";
    size_t      used      = 0;

    if (r->form == REPORT_JSON)
        json_object(&r->j, "drops");
    for (unsigned i = 0; i < DROPS; i++) {
        if (r->form == REPORT_JSON)
            json_number(&r->j, drop_names[i], p->drops[i]);
        if (!p->drops[i] || used >= sizeof text)
            continue;
        used += (size_t)snprintf(text + used, sizeof text - used, "%s%s %lu", between,
                                 drop_names[i], (unsigned long)p->drops[i]);
        between = ", ";
    }
    if (r->form == REPORT_JSON)
        json_end(&r->j);
    else
        report_text(r, "dropped", 0, text);
}

static void port_row(struct report *r, unsigned n, const void *of)
{
    struct port_report p = { 0 };
    char               mac[18];

    (void)of;
    (void)switch_port(n, &p);
    snprintf(mac, sizeof mac, "%02x:%02x:%02x:%02x:%02x:%02x", p.mac[0], p.mac[1], p.mac[2],
             p.mac[3], p.mac[4], p.mac[5]);
    report_text(r, "port", -16, p.name);
    report_text(r, "kind", -8, p.is_card ? "card" : p.isolated ? "isolated" : "vm");
    report_text(r, "mac", -17, mac);
    report_number(r, "vlan", 4, p.vlan);
    report_text(r, "state", -6, p.open ? "open" : "closed");
    report_number(r, r->form == REPORT_JSON ? "sent_frames" : "sent", 10, p.sent_frames);
    report_number(r, r->form == REPORT_JSON ? "sent_bytes" : "bytes", 14, p.sent_bytes);
    report_number(r, r->form == REPORT_JSON ? "received_frames" : "received", 10,
                  p.received_frames);
    report_number(r, r->form == REPORT_JSON ? "received_bytes" : "bytes", 14, p.received_bytes);
    report_number(r, "waiting", 8, p.waiting);
    drops_tell(r, &p);
}

static enum told cmd_net(struct call *c)
{
    unsigned ports = switch_port_count();

    if (!ports && c->r.form == REPORT_TEXT)
        out_printf(c->r.o, "nobody is on the network\n");
    return told_part_if(report_table(&c->r, c->part, "ports", ports, port_row, NULL));
}

// clang-format off
static const struct command rows[] = {
    { "disks", { { 0 } }, "the disks, their partitions and who uses them",   cmd_disks, true },
    { "net",   { { 0 } }, "the network's ports and what went through them", cmd_net,   true },
};
// clang-format on
const struct command_group io_commands = { COMMAND_ROWS(rows) };
