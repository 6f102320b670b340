/*
 * print_az: a plan as a script for a POSIX shell with the Azure CLI.
 *
 * Every value stands between single quotes; one that begins with a dash is joined to its option, or the CLI
 * would take it for another option. Source: `az vm`, `az network`, and the how-to's own commands.
 */
#include <string.h>

#include "base/mem.h"
#include "print.h"
#include "print_text.h"
#include "script.h"

static void value(struct strbuf *b, const char *text)
{
    strbuf_puts(b, "'");
    for (const char *c = text; *c; c++) {
        if (*c == '\'')
            strbuf_puts(b, "'\\''");
        else
            strbuf_add(b, c, 1);
    }
    strbuf_puts(b, "'");
}

/* Goes on a line of its own, after the command's name or another option. */
static void option(struct strbuf *b, const char *name, const char *text)
{
    strbuf_printf(b, " \\\n    --%s%s", name, text[0] == '-' ? "=" : " ");
    value(b, text);
}

static void place(struct strbuf *b, const char *subscription, const char *group)
{
    option(b, "subscription", subscription);
    option(b, "resource-group", group);
}

static void power(struct strbuf *b, const struct plan *p)
{
    strbuf_puts(b, "\n# Start the VM.\naz vm start");
    place(b, p->subscription, p->group);
    option(b, "name", p->vm);
    strbuf_puts(b, "\n");
}

static void address(struct strbuf *b, const struct plan *p)
{
    struct print_id nic;
    if (print_id_init(&nic, p->nic_id) < 0) {
        b->bad = true;
        return;
    }
    char *id =
        mem_printf("/subscriptions/%s/resourceGroups/%s/providers/Microsoft.Network/publicIPAddresses/%s",
                   p->subscription, p->group, p->public_ip);
    strbuf_puts(b, "\n# Give the VM a public IP address. It costs money for as long as it is there.\n"
                   "az network public-ip create");
    place(b, p->subscription, p->group);
    option(b, "name", p->public_ip);
    option(b, "location", p->location);
    strbuf_puts(b, " \\\n    --sku Standard \\\n    --allocation-method Static \\\n    --version IPv4\n"
                   "az network nic ip-config update");
    place(b, nic.subscription, nic.group);
    option(b, "nic-name", nic.name);
    option(b, "name", p->ip_config);
    option(b, "public-ip-address", id ? id : "");
    strbuf_puts(b, "\n");
    b->bad = b->bad || !id;
    mem_free(id);
    print_id_done(&nic);
}

static void extension(struct strbuf *b, const struct plan *p)
{
    strbuf_puts(b, "\n# Enable SSH.\naz vm extension set");
    place(b, p->subscription, p->group);
    option(b, "vm-name", p->vm);
    strbuf_puts(b, " \\\n    --name " PLAN_EXTENSION_NAME " \\\n    --publisher " PLAN_EXTENSION_PUBLISHER
                   " \\\n    --version " PLAN_EXTENSION_VERSION "\n");
}

static void rule(struct strbuf *b, const struct plan *p, const struct plan_rule *r)
{
    struct print_id nsg;
    if (print_id_init(&nsg, r->nsg_id) < 0) {
        b->bad = true;
        return;
    }
    strbuf_puts(b, "\n# Open the TCP port.\naz network nsg rule create");
    place(b, nsg.subscription, nsg.group);
    option(b, "nsg-name", nsg.name);
    option(b, "name", r->name);
    strbuf_printf(
        b, " \\\n    --priority %d \\\n    --direction Inbound \\\n    --access Allow \\\n    --protocol Tcp",
        r->priority);
    option(b, "source-address-prefixes", r->source);
    strbuf_printf(b,
                  " \\\n    --source-port-ranges '*' \\\n    --destination-address-prefixes '*' \\\n"
                  "    --destination-port-ranges %u\n",
                  p->port);
    print_id_done(&nsg);
}

static void login(struct strbuf *b, const struct plan *p)
{
    char *script = script_key_add(p);
    strbuf_puts(
        b, "\n# Let the public key log in. It says \"adit: added\", or \"adit: present\" if it is there.\n"
           "az vm run-command invoke");
    place(b, p->subscription, p->group);
    option(b, "name", p->vm);
    strbuf_printf(b, " \\\n    --command-id %s", p->windows ? "RunPowerShellScript" : "RunShellScript");
    strbuf_puts(b, " \\\n    --query 'value[].message' \\\n    --output tsv");
    option(b, "scripts", script ? script : "");
    strbuf_puts(b, "\n");
    b->bad = b->bad || !script;
    mem_free(script);
}

char *print_az(const struct plan *p)
{
    struct strbuf b;
    strbuf_init(&b);
    strbuf_puts(&b, "#!/bin/sh\n# What the VM lacks for a tunnel, by the Azure CLI.\n");
    strbuf_puts(&b, p->steps ? "set -e\n" : "# Nothing is missing.\n");
    if (print_has(p, PREPARE_POWER))
        power(&b, p);
    if (print_has(p, PREPARE_ADDRESS))
        address(&b, p);
    if (print_has(p, PREPARE_EXTENSION))
        extension(&b, p);
    for (unsigned i = 0; print_has(p, PREPARE_RULE) && i < p->rule_count; i++)
        rule(&b, p, &p->rules[i]);
    if (print_has(p, PREPARE_LOGIN))
        login(&b, p);
    return strbuf_take(&b);
}
