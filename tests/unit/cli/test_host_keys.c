/*
 * test_host_keys: which lines of a known_hosts file are handed to ssh, and under which name.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/mem.h"
#include "cli/host_keys.h"

#define ID "/subscriptions/s/resourcegroups/rg/providers/microsoft.compute/virtualmachines/win11"

static void picks(const char *text, const char *host, const char *vm_id, const char *expected)
{
    struct strbuf out;
    strbuf_init(&out);
    host_keys_pick(text, host, vm_id, false, "win11.adit", &out);
    assert_string_equal(out.data ? out.data : "", expected);
    strbuf_done(&out);
}

static void test_name_is_replaced_and_case_does_not_count(void **state)
{
    picks(ID " ssh-ed25519 AAAA vmId=1-2\n",
          "/Subscriptions/S/resourceGroups/rg/providers/Microsoft.Compute/"
          "virtualMachines/WIN11",
          NULL, "win11.adit ssh-ed25519 AAAA\n");
    picks("other ssh-ed25519 AAAA\n10.0.0.4,[10.0.0.4]:2222 ssh-rsa BBBB", "[10.0.0.4]:2222", NULL,
          "win11.adit ssh-rsa BBBB\n");
}

static void test_another_vmid_is_another_vm(void **state)
{
    const char text[] =
        ID " ssh-ed25519 OLD vmId=1-1\n" ID " ssh-ed25519 NEW a comment vmId=AB-2\r\n" ID " ssh-rsa BARE\n";
    picks(text, ID, "ab-2", "win11.adit ssh-ed25519 NEW\nwin11.adit ssh-rsa BARE\n");
    picks(text, ID, NULL,
          "win11.adit ssh-ed25519 OLD\nwin11.adit ssh-ed25519 NEW\nwin11.adit ssh-rsa BARE\n");
}

static void test_only_what_azure_reported(void **state)
{
    const char text[] =
        ID " ssh-ed25519 MET vmId=1-1\n" ID " ssh-ed25519 TOLD vmId=1-1 source=arm\n@revoked " ID
           " ssh-rsa BAD\n" ID " ssh-rsa LIKE vmId=1-1 source=arms\n";
    struct strbuf out;
    strbuf_init(&out);
    host_keys_pick(text, ID, "1-1", true, "vm", &out);
    assert_string_equal(out.data, "vm ssh-ed25519 TOLD\n@revoked vm ssh-rsa BAD\n");
    strbuf_done(&out);
}

static void test_what_is_no_key_of_the_host(void **state)
{
    picks("", ID, NULL, "");
    picks("\n# a comment\n" ID "\n" ID " ssh-rsa\n|1|abc|def ssh-rsa AAAA\n@cert-authority " ID
          " ssh-rsa AAAA\n" ID "x ssh-rsa AAAA\n",
          ID, NULL, "");
    picks("@revoked " ID " ssh-rsa AAAA\n", ID, NULL, "@revoked win11.adit ssh-rsa AAAA\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_name_is_replaced_and_case_does_not_count),
        cmocka_unit_test(test_another_vmid_is_another_vm),
        cmocka_unit_test(test_only_what_azure_reported),
        cmocka_unit_test(test_what_is_no_key_of_the_host),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
