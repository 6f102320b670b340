/*
 * The commands for PowerShell: the same around the values whatever they are, and the values as they were
 * meant.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "plans.h"
#include "prepare/print.h"
#include "prepare/script.h"
#include "quotes.h"

static const char everything[] =
    "\n$ErrorActionPreference = §\n"
    "Set-AzContext -Subscription § | Out-Null\n"
    "\n\n"
    "Start-AzVM -ResourceGroupName § -Name §\n"
    "\n\n"
    "$publicIp = New-AzPublicIpAddress -ResourceGroupName § -Name § -Location § -Sku Standard "
    "-AllocationMethod Static -IpAddressVersion IPv4\n"
    "$nic = Get-AzNetworkInterface -ResourceGroupName § -Name §\n"
    "($nic.IpConfigurations | Where-Object -Property Name -EQ -Value §).PublicIpAddress = $publicIp\n"
    "Set-AzNetworkInterface -NetworkInterface $nic\n"
    "\n\n"
    "Set-AzVMExtension -ResourceGroupName § -VMName § -Location § -Name § -Publisher § -ExtensionType § "
    "-TypeHandlerVersion §\n"
    "\n\n"
    "Get-AzNetworkSecurityGroup -ResourceGroupName § -Name § |\n"
    "    Add-AzNetworkSecurityRuleConfig -Name § -Priority 1000 -Direction Inbound -Access Allow -Protocol "
    "Tcp "
    "-SourceAddressPrefix § -SourcePortRange § -DestinationAddressPrefix § -DestinationPortRange § |\n"
    "    Set-AzNetworkSecurityGroup\n"
    "\n\n"
    "Set-AzContext -Subscription § | Out-Null\n"
    "Get-AzNetworkSecurityGroup -ResourceGroupName § -Name § |\n"
    "    Add-AzNetworkSecurityRuleConfig -Name § -Priority 1001 -Direction Inbound -Access Allow -Protocol "
    "Tcp "
    "-SourceAddressPrefix § -SourcePortRange § -DestinationAddressPrefix § -DestinationPortRange § |\n"
    "    Set-AzNetworkSecurityGroup\n"
    "Set-AzContext -Subscription § | Out-Null\n"
    "\n\n"
    "$script = §\n"
    "(Invoke-AzVMRunCommand -ResourceGroupName § -VMName § -CommandId § -ScriptString "
    "$script).Value.Message\n";

static const char *segment(const char *id, const char *before)
{
    static char parts[8][256];
    static unsigned turn;
    char *out = parts[turn++ % 8];
    const char *at = strstr(id, before) + strlen(before);
    size_t n = strcspn(at, "/");
    memcpy(out, at, n);
    out[n] = 0;
    return out;
}

static void check(struct plan *p)
{
    struct quotes q;
    char *text = print_plan(p, PREPARE_FORM_POWERSHELL), *script = script_key_add(p);
    const struct plan_rule *a = &p->rules[0], *b = &p->rules[1];
    script[strlen(script) - 1] = 0; /* a here-string does not hold its last end of a line */
    quotes_powershell(&q, text);
    assert_string_equal(q.around.data, everything);
    const char *const values[] = {"Stop",
                                  p->subscription,
                                  p->group,
                                  p->vm,
                                  p->group,
                                  p->public_ip,
                                  p->location,
                                  segment(p->nic_id, "/resourceGroups/"),
                                  segment(p->nic_id, "/networkInterfaces/"),
                                  p->ip_config,
                                  p->group,
                                  p->vm,
                                  p->location,
                                  "WindowsOpenSSH",
                                  "Microsoft.Azure.OpenSSH",
                                  "WindowsOpenSSH",
                                  "3.0",
                                  segment(a->nsg_id, "/resourceGroups/"),
                                  segment(a->nsg_id, "/networkSecurityGroups/"),
                                  a->name,
                                  a->source,
                                  "*",
                                  "*",
                                  "22",
                                  segment(b->nsg_id, "/subscriptions/"),
                                  segment(b->nsg_id, "/resourceGroups/"),
                                  segment(b->nsg_id, "/networkSecurityGroups/"),
                                  b->name,
                                  b->source,
                                  "*",
                                  "*",
                                  "22",
                                  p->subscription,
                                  script,
                                  p->group,
                                  p->vm,
                                  p->windows ? "RunPowerShellScript" : "RunShellScript",
                                  NULL};
    quotes_expect(&q, values);
    quotes_done(&q);
    mem_free(text), mem_free(script);
    plan_done(p);
}

static void test_everything(void **state)
{
    struct plan p;
    plans_make(&p, true);
    check(&p);
    plans_make(&p, false);
    check(&p);
}

static void test_hostile_names(void **state)
{
    for (unsigned i = 0; i < PLANS_HOSTILE; i++) {
        struct plan p;
        plans_make_hostile(&p, i & 1, i);
        check(&p);
    }
}

static void test_nothing_missing(void **state)
{
    struct plan p = {0};
    struct quotes q;
    char *text = print_powershell(&p);
    quotes_powershell(&q, text);
    assert_string_equal(q.around.data, "\n\n");
    assert_non_null(strstr(text, "# Nothing is missing.\n"));
    quotes_done(&q);
    mem_free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_everything),
        cmocka_unit_test(test_hostile_names),
        cmocka_unit_test(test_nothing_missing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
