/*
 * print_powershell: a plan as a script for PowerShell with the Az module.
 *
 * PowerShell ends a single-quoted text at the typographic quotes, too; any of them is doubled. The script for
 * the VM stands in a here-string, which ends only at a line that begins with a quote and an at sign; that no
 * script has.
 */
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "print.h"
#include "print_text.h"
#include "script.h"

/* Bytes of the quote at c: ' or U+2018 to U+201B; 0 when it is none. */
static size_t quote_len(const char *c)
{
    if (*c == '\'')
        return 1;
    return strncmp(c, "\xe2\x80", 2) == 0 && (unsigned char)c[2] >= 0x98 && (unsigned char)c[2] <= 0x9b ? 3
                                                                                                        : 0;
}

static void value(struct strbuf *b, const char *text)
{
    strbuf_puts(b, "'");
    while (*text) {
        size_t n = quote_len(text);
        if (n)
            strbuf_add(b, text, n);
        strbuf_add(b, text, n ? n : 1);
        text += n ? n : 1;
    }
    strbuf_puts(b, "'");
}

static void option(struct strbuf *b, const char *name, const char *text)
{
    strbuf_printf(b, " -%s ", name);
    value(b, text);
}

/* Commands act on the current subscription: it is changed where a resource lies in another one. */
static void enter(struct strbuf *b, const char **current, const char *subscription)
{
    if (*current && strcasecmp(*current, subscription) == 0)
        return;
    strbuf_puts(b, "Set-AzContext");
    option(b, "Subscription", subscription);
    strbuf_puts(b, " | Out-Null\n");
    *current = subscription;
}

static void power(struct strbuf *b, const struct plan *p)
{
    strbuf_puts(b, "\n# Start the VM.\nStart-AzVM");
    option(b, "ResourceGroupName", p->group);
    option(b, "Name", p->vm);
    strbuf_puts(b, "\n");
}

static void address(struct strbuf *b, const struct plan *p)
{
    struct print_id nic;
    const char *current = p->subscription;
    if (print_id_init(&nic, p->nic_id) < 0) {
        b->bad = true;
        return;
    }
    strbuf_puts(b, "\n# Give the VM a public IP address. It costs money for as long as it is there.\n"
                   "$publicIp = New-AzPublicIpAddress");
    option(b, "ResourceGroupName", p->group);
    option(b, "Name", p->public_ip);
    option(b, "Location", p->location);
    strbuf_puts(b, " -Sku Standard -AllocationMethod Static -IpAddressVersion IPv4\n");
    enter(b, &current, nic.subscription);
    strbuf_puts(b, "$nic = Get-AzNetworkInterface");
    option(b, "ResourceGroupName", nic.group);
    option(b, "Name", nic.name);
    strbuf_puts(b, "\n($nic.IpConfigurations | Where-Object -Property Name -EQ -Value ");
    value(b, p->ip_config);
    strbuf_puts(b, ").PublicIpAddress = $publicIp\nSet-AzNetworkInterface -NetworkInterface $nic\n");
    enter(b, &current, p->subscription);
    print_id_done(&nic);
}

static void extension(struct strbuf *b, const struct plan *p)
{
    strbuf_puts(b, "\n# Enable SSH.\nSet-AzVMExtension");
    option(b, "ResourceGroupName", p->group);
    option(b, "VMName", p->vm);
    option(b, "Location", p->location);
    strbuf_puts(b, " -Name '" PLAN_EXTENSION_NAME "' -Publisher '" PLAN_EXTENSION_PUBLISHER
                   "' -ExtensionType '" PLAN_EXTENSION_NAME "' -TypeHandlerVersion '" PLAN_EXTENSION_VERSION
                   "'\n");
}

static void rule(struct strbuf *b, const struct plan *p, const struct plan_rule *r)
{
    struct print_id nsg;
    const char *current = p->subscription;
    if (print_id_init(&nsg, r->nsg_id) < 0) {
        b->bad = true;
        return;
    }
    strbuf_puts(b, "\n# Open the TCP port.\n");
    enter(b, &current, nsg.subscription);
    strbuf_puts(b, "Get-AzNetworkSecurityGroup");
    option(b, "ResourceGroupName", nsg.group);
    option(b, "Name", nsg.name);
    strbuf_puts(b, " |\n    Add-AzNetworkSecurityRuleConfig");
    option(b, "Name", r->name);
    strbuf_printf(b, " -Priority %d -Direction Inbound -Access Allow -Protocol Tcp", r->priority);
    option(b, "SourceAddressPrefix", r->source);
    strbuf_printf(b,
                  " -SourcePortRange '*' -DestinationAddressPrefix '*' -DestinationPortRange '%u' |\n"
                  "    Set-AzNetworkSecurityGroup\n",
                  p->port);
    enter(b, &current, p->subscription);
    print_id_done(&nsg);
}

static void login(struct strbuf *b, const struct plan *p)
{
    char *script = script_key_add(p);
    strbuf_puts(
        b, "\n# Let the public key log in. It says \"adit: added\", or \"adit: present\" if it is there.\n"
           "$script = @'\n");
    strbuf_puts(b, script ? script : "");
    strbuf_puts(b, "'@\n(Invoke-AzVMRunCommand");
    option(b, "ResourceGroupName", p->group);
    option(b, "VMName", p->vm);
    strbuf_printf(b, " -CommandId '%s' -ScriptString $script).Value.Message\n",
                  p->windows ? "RunPowerShellScript" : "RunShellScript");
    b->bad = b->bad || !script;
    mem_free(script);
}

char *print_powershell(const struct plan *p)
{
    struct strbuf b;
    const char *current = NULL;
    strbuf_init(&b);
    strbuf_puts(&b, "# What the VM lacks for a tunnel, by PowerShell and its module Az.\n");
    if (p->steps) {
        strbuf_puts(&b, "$ErrorActionPreference = 'Stop'\n");
        enter(&b, &current, p->subscription);
    } else {
        strbuf_puts(&b, "# Nothing is missing.\n");
    }
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
