/*
 * ARM's replies in many variants, each with what comes of it: through HTTPS, as a look-up meets them.
 */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "world.h"

#define NIC(n, more) "{\"id\":\"" NIC_PATH(n) "\"" more "}"
#define PRIMARY(yes) ",\"properties\":{\"primary\":" yes "}"
#define PROFILE(nics) "\"networkProfile\":{\"networkInterfaces\":[" nics "]}"
#define RUNNING                                                                                              \
    "\"instanceView\":{\"vmAgent\":{\"vmAgentVersion\":\"2.7\"},\"statuses\":[{\"code\":"                    \
    "\"ProvisioningState/succeeded\",\"level\":\"Info\",\"time\":\"2024-05-01T10:00:00Z\"},{\"code\":"       \
    "\"PowerState/running\",\"level\":\"Info\",\"displayStatus\":\"VM running\"}]}"
#define LINUX                                                                                                \
    "\"vmId\":\"v-1\",\"provisioningState\":\"Succeeded\",\"storageProfile\":{\"osDisk\":{\"osType\":"       \
    "\"Linux\",\"managedDisk\":{\"id\":\"/d\"}}},\"osProfile\":{\"adminUsername\":\"ann\"}"
#define VM_OF(properties)                                                                                    \
    "{\"name\":\"web1\",\"id\":\"" VM_PATH("rg", "web1") "\",\"type\":"                                      \
                                                         "\"Microsoft.Compute/virtualMachines\","            \
                                                         "\"location\":\"westeurope\",\"properties\":"       \
                                                         "{" properties "}}"
#define VM_OK VM_OF(LINUX "," PROFILE(NIC("a", "")) "," RUNNING)
#define FACTS_OK "web1 running linux v-1 ann"

#define PIP(ip)                                                                                              \
    ",\"publicIPAddress\":{\"id\":\"/p\",\"properties\":{" ip "\"publicIPAddressVersion\":\"IPv4\"}}"
#define AT(ip) "\"ipAddress\":\"" ip "\","
#define CONFIG(more, ip, pip) "{\"properties\":{" more "\"privateIPAddress\":\"" ip "\"" pip "}}"
#define NIC_OF(configurations) "{\"name\":\"a\",\"properties\":{\"ipConfigurations\":[" configurations "]}}"
#define NIC_OK NIC_OF(CONFIG("\"primary\":true,", "10.0.0.4", PIP(AT("20.0.0.1"))))

/* What is told: facts as text_of() writes them and what pick says of them, or an error. */
struct variant {
    const char *what;
    const char *vm, *nic_a, *nic_b; /* NULL: 404 */
    int code;                       /* of the look-up */
    const char *told;               /* the whole of the facts, or a part of the error */
    const char *picked;             /* the addresses to try, or a part of why there is none */
};

static const struct variant variants[] = {
    {"usual", VM_OK, NIC_OK, NULL, 0, FACTS_OK " +20.0.0.1* -10.0.0.4*", "20.0.0.1"},
    {"no instanceView", VM_OF(LINUX "," PROFILE(NIC("a", ""))), NIC_OK, NULL, 0,
     "web1 unknown linux v-1 ann +20.0.0.1* -10.0.0.4*", "20.0.0.1"},
    {"no statuses", VM_OF(LINUX "," PROFILE(NIC("a", "")) ",\"instanceView\":{}"), NIC_OK, NULL, 0,
     "web1 unknown linux v-1 ann +20.0.0.1* -10.0.0.4*", "20.0.0.1"},
    {"no power state",
     VM_OF(LINUX "," PROFILE(
         NIC("a", "")) ",\"instanceView\":{\"statuses\":[{\"code\":\"ProvisioningState/updating\"}]}"),
     NIC_OK, NULL, 0, "web1 unknown linux v-1 ann +20.0.0.1* -10.0.0.4*", "20.0.0.1"},
    {"no properties", "{\"id\":\"" VM_PATH("rg", "web1") "\"}", NULL, NULL, 0, "web1 unknown unknown",
     "no address at all"},
    {"no osProfile (a specialised image)",
     VM_OF("\"vmId\":\"v-1\",\"storageProfile\":{\"osDisk\":{\"osType\":\"Windows\"}}," PROFILE(
         NIC("a", "")) "," RUNNING),
     NIC_OK, NULL, 0, "web1 running windows v-1 +20.0.0.1* -10.0.0.4*", "20.0.0.1"},
    {"no NIC", VM_OF(LINUX "," PROFILE("") "," RUNNING), NULL, NULL, 0, FACTS_OK, "no address at all"},
    {"a NIC that is gone", VM_OK, NULL, NULL, 0, FACTS_OK, "no address at all"},
    {"no public address", VM_OK, NIC_OF(CONFIG("", "10.0.0.4", "")), NULL, 0, FACTS_OK " -10.0.0.4*", "via:"},
    {"no ipAddress: a Dynamic one that is not allocated", VM_OK, NIC_OF(CONFIG("", "10.0.0.4", PIP(""))),
     NULL, 0, FACTS_OK " -10.0.0.4*", "prefer-private-ip"},
    {"a public address that was not expanded", VM_OK,
     NIC_OF(CONFIG("", "10.0.0.4", ",\"publicIPAddress\":{\"id\":\"/p\"}")), NULL, 0, FACTS_OK " -10.0.0.4*",
     "no public IP address"},
    {"IPv6 only", VM_OK, NIC_OF(CONFIG("", "fd00::4", PIP(AT("2001:DB8:0:0::5")))), NULL, 0,
     FACTS_OK " +2001:db8::5* -fd00::4*", "2001:db8::5"},
    {"both families", VM_OK,
     NIC_OF(CONFIG("\"primary\":true,", "10.0.0.4",
                   PIP(AT("20.0.0.1"))) "," CONFIG("\"primary\":false,", "fd00::4", PIP(AT("2001:db8::5")))),
     NULL, 0, FACTS_OK " +20.0.0.1* -10.0.0.4* +2001:db8::5 -fd00::4", "20.0.0.1 2001:db8::5"},
    {"a second ipConfiguration, listed first", VM_OK,
     NIC_OF(CONFIG("\"primary\":false,", "10.0.0.5",
                   PIP(AT("20.0.0.2"))) "," CONFIG("\"primary\":true,", "10.0.0.4", PIP(AT("20.0.0.1")))),
     NULL, 0, FACTS_OK " +20.0.0.1* -10.0.0.4* +20.0.0.2 -10.0.0.5", "20.0.0.1 20.0.0.2"},
    {"a second NIC, listed first",
     VM_OF(LINUX "," PROFILE(NIC("b", PRIMARY("false")) "," NIC("a", PRIMARY("true"))) "," RUNNING), NIC_OK,
     NIC_OF(CONFIG("\"primary\":true,", "10.9.0.4", PIP(AT("20.0.0.9")))), 0,
     FACTS_OK " +20.0.0.1* -10.0.0.4* +20.0.0.9 -10.9.0.4", "20.0.0.1 20.0.0.9"},
    {"a public address on the second NIC only",
     VM_OF(LINUX "," PROFILE(NIC("a", PRIMARY("true")) "," NIC("b", PRIMARY("false"))) "," RUNNING),
     NIC_OF(CONFIG("\"primary\":true,", "10.0.0.4", "")),
     NIC_OF(CONFIG("\"primary\":true,", "10.9.0.4", PIP(AT("20.0.0.9")))), 0,
     FACTS_OK " -10.0.0.4* +20.0.0.9 -10.9.0.4", "20.0.0.9"},
    {"behind a load balancer", VM_OK,
     NIC_OF(CONFIG("\"primary\":true,\"loadBalancerBackendAddressPools\":[{\"id\":\"/lb/pool\"}],"
                   "\"loadBalancerInboundNatRules\":[{\"id\":\"/lb/nat\"}],",
                   "10.0.0.4", "")),
     NULL, 0, FACTS_OK " -10.0.0.4*", "no public IP address (private: 10.0.0.4)"},
    {"another casing",
     "{\"id\":\"/SUBSCRIPTIONS/" SUB "/resourcegroups/RG/providers/microsoft.compute/VirtualMachines/WEB1\","
     "\"properties\":{\"vmId\":\"V-1\",\"storageProfile\":{\"osDisk\":{\"osType\":\"linux\"}},"
     "\"networkProfile\":"
     "{\"networkInterfaces\":[{\"id\":\"/Subscriptions/" SUB
     "/resourcegroups/NET/providers/microsoft.network/networkInterfaces/"
     "a\"}]},\"instanceView\":{\"statuses\":[{"
     "\"code\":\"powerstate/RUNNING\"}]}}}",
     NIC_OK, NULL, 0, "WEB1 running linux V-1 +20.0.0.1* -10.0.0.4*", "20.0.0.1"},
    {"off",
     VM_OF(LINUX "," PROFILE(NIC("a", "")) ",\"instanceView\":{\"statuses\":[{\"code\":\"PowerState/"
                                           "deallocated\"}]}"),
     NIC_OK, NULL, 0, "web1 deallocated linux v-1 ann +20.0.0.1* -10.0.0.4*", "adit start "},
    {"wrong types everywhere in the VM",
     "{\"id\":\"" VM_PATH("rg",
                          "web1") "\",\"location\":[],\"properties\":{\"vmId\":7,\"storageProfile\":\"x\","
                                  "\"osProfile\":[{}],\"networkProfile\":{\"networkInterfaces\":{\"id\":"
                                  "\"x\"}},\"instanceView\":{\"statuses\":\"running\"}}}",
     NULL, NULL, 0, "web1 unknown unknown", "no address at all"},
    {"NICs that are none",
     VM_OF(LINUX "," PROFILE("null,7,{},{\"id\":null},{\"id\":\"https://evil.example/\"},{\"id\":\"/../..\"},"
                             "{\"id\":\"" VM_PATH("rg", "web1") "\"},\"x\"") "," RUNNING),
     NULL, NULL, 0, FACTS_OK, "no address at all"},
    {"wrong types everywhere in the NIC", VM_OK,
     "{\"properties\":{\"ipConfigurations\":[null,1,\"x\",[],{\"properties\":[]},{\"properties\":{"
     "\"primary\":"
     "\"yes\",\"privateIPAddress\":{},\"publicIPAddress\":7}},{\"properties\":{\"privateIPAddress\":\"10.0.0."
     "4\","
     "\"publicIPAddress\":{\"properties\":{\"ipAddress\":[\"20.0.0.1\"]}}}}]}}",
     NULL, 0, FACTS_OK " -10.0.0.4", "no public IP address"},
    {"addresses that are none", VM_OK,
     NIC_OF(CONFIG("", "10.0.0.400", PIP(AT("evil.example"))) "," CONFIG("", "0.0.0.0", PIP(AT("::")))), NULL,
     0, FACTS_OK, "no address at all"},
    {"a NIC that is no object", VM_OK, "[]", NULL, ERR_PROTOCOL, "no network interface", NULL},
    {"another resource", "{\"id\":\"" NIC_PATH("a") "\",\"properties\":{}}", NULL, NULL, ERR_PROTOCOL,
     "resource ID", NULL},
    {"another VM", "{\"id\":\"" VM_PATH("rg", "web2") "\",\"properties\":{}}", NIC_OK, NULL, ERR_PROTOCOL,
     "another VM: /sub", NULL},
    {"no id", "{\"name\":\"web1\",\"properties\":{}}", NULL, NULL, ERR_PROTOCOL, "resource ID", NULL},
    {"a list", "[]", NULL, NULL, ERR_PROTOCOL, "resource ID", NULL},
    {"an empty body", "", NULL, NULL, ERR_PROTOCOL, "resource ID", NULL},
    {"truncated", "{\"id\":\"" VM_PATH("rg", "web1") "\",\"properties\":{\"vmId\":\"v-", NULL, NULL,
     ERR_PROTOCOL, "not JSON", NULL},
    {"a truncated NIC", VM_OK, "{\"properties\":{\"ipConfigurations\":[{", NULL, ERR_PROTOCOL, "not JSON",
     NULL},
    {"a web page", "<!DOCTYPE html><title>Sign in to Wi-Fi</title>", NULL, NULL, ERR_PROTOCOL,
     "is a proxy or another server in the way?", NULL},
    {"bytes that are no UTF-8", "{\"id\":\"\xff\xfe\"}", NULL, NULL, ERR_PROTOCOL, "not JSON", NULL},
};

static void add_text(char *to, size_t size, const char *text)
{
    if (text && *text)
        snprintf(to + strlen(to), size - strlen(to), "%s%s", *to ? " " : "", text);
}

/* "NAME POWER OS VMID USER +PUBLIC* -PRIVATE", the star for the primary configuration of the primary NIC. */
static void text_of(const struct resolver_facts *f, char *out, size_t size)
{
    char address[64];
    *out = 0;
    add_text(out, size, f->name);
    add_text(out, size, resolver_power_name(f->power));
    add_text(out, size, resolver_os_name(f->os));
    add_text(out, size, f->vm_id);
    add_text(out, size, f->admin_user);
    for (size_t i = 0; i < f->address_count; i++) {
        const struct resolver_address *a = &f->addresses[i];
        snprintf(address, sizeof(address), "%c%s%s", a->is_public ? '+' : '-', a->ip,
                 a->primary_nic && a->primary_ip ? "*" : "");
        add_text(out, size, address);
    }
}

static void check_picked(const struct variant *v, const struct resolver_facts *f)
{
    const struct resolver_address *picked[RESOLVER_ADDRESSES_MAX];
    char text[512] = "";
    struct err err;
    err_clear(&err);
    int n = resolver_facts_pick(f, &(struct resolver_want){0}, picked, RESOLVER_ADDRESSES_MAX, &err);
    for (int i = 0; i < n; i++)
        add_text(text, sizeof(text), picked[i]->ip);
    if (n < 0 ? !strstr(err.msg, v->picked) : strcmp(text, v->picked) != 0)
        fail_msg("%s: picked \"%s\", not \"%s\"", v->what, n < 0 ? err.msg : text, v->picked);
}

static void check(const struct variant *v, const struct found *f)
{
    char text[512];
    if (f->err.code != v->code)
        fail_msg("%s: code %d, not %d: %s", v->what, f->err.code, v->code, f->err.msg);
    if (v->code) {
        if (!strstr(f->err.msg, v->told) || !strstr(f->err.msg, "rg/web1"))
            fail_msg("%s: \"%s\" does not say \"%s\"", v->what, f->err.msg, v->told);
        return;
    }
    text_of(f->facts, text, sizeof(text));
    if (strcmp(text, v->told) != 0)
        fail_msg("%s: \"%s\", not \"%s\"", v->what, text, v->told);
    check_picked(v, f->facts);
}

static void serve(struct world *w, const char *path, const char *body)
{
    char route[512];
    snprintf(route, sizeof(route), "GET %s?", path);
    fake_arm_forget(w->rig->arm, route);
    fake_arm_on(w->rig->arm, route, body ? 200 : 404, NULL, body ? body : NO_SUCH("ResourceNotFound"));
}

static void look_up(struct world *w, const struct variant *v)
{
    struct found f;
    serve(w, VM_PATH("rg", "web1"), v->vm);
    serve(w, NIC_PATH("a"), v->nic_a);
    serve(w, "/Subscriptions/" SUB "/resourcegroups/NET/providers/microsoft.network/networkInterfaces/a",
          v->nic_a);
    serve(w, NIC_PATH("b"), v->nic_b);
    world_find(w, "rg/web1", RESOLVER_NO_CACHE | RESOLVER_DIRECT, &f);
    check(v, &f);
    found_done(&f);
}

static void every_variant_of_a_direct_look_up(void **state)
{
    for (size_t i = 0; i < sizeof(variants) / sizeof(variants[0]); i++)
        look_up(*state, &variants[i]);
}

/* Extensions, tags and boot diagnostics of a real VM: the facts are somewhere in between. */
static void a_vm_of_64_kib(void **state)
{
    static char body[80 << 10];
    size_t n = (size_t)snprintf(body, sizeof(body), "{\"tags\":{");
    while (n < 40 << 10)
        n += (size_t)snprintf(body + n, sizeof(body) - n, "\"tag%zu\":\"%0200d\",", n, 0);
    n += (size_t)snprintf(body + n, sizeof(body) - n, "\"last\":\"\"},\"resources\":[");
    while (n < 64 << 10)
        n += (size_t)snprintf(body + n, sizeof(body) - n,
                              "{\"id\":\"/x\",\"properties\":{\"settings\":{\"vmId\":\"no\"}}},");
    snprintf(body + n, sizeof(body) - n, "{}],%s", VM_OK + 1);
    look_up(*state, &(struct variant){"64 KiB", body, NIC_OK, NULL, 0, FACTS_OK " +20.0.0.1* -10.0.0.4*",
                                      "20.0.0.1"});
}

static void nesting(struct world *w, int depth, const char *told, int code)
{
    static char body[32 << 10];
    char *at = body + snprintf(body, sizeof(body), "{\"deep\":");
    memset(at, '[', (size_t)depth);
    memset(at + depth, ']', (size_t)depth);
    snprintf(at + 2 * depth, sizeof(body) - (size_t)(at - body) - 2 * (size_t)depth, ",%s", VM_OK + 1);
    look_up(w, &(struct variant){"nesting", body, NIC_OK, NULL, code, told, "20.0.0.1"});
}

static void deep_nesting(void **state)
{
    nesting(*state, 1000, FACTS_OK " +20.0.0.1* -10.0.0.4*", 0);
    nesting(*state, 10000, "not JSON", ERR_PROTOCOL);
}

/* The Resource Graph's rows of a bare name: one VM, or why not. */
#define GRAPH_ROW(more)                                                                                      \
    "{\"id\":\"" VM_PATH("rg", "web1") "\",\"vmId\":\"v-1\",\"osType\":\"Linux\",\"power\":"                 \
                                       "\"PowerState/running\",\"adminUser\":\"ann\"" more "}"
#define REPLY(rows) "{\"totalRecords\":1,\"count\":1,\"resultTruncated\":\"false\",\"data\":[" rows "]}"

static const struct variant graph_variants[] = {
    {"usual", REPLY(GRAPH_ROW(",\"nicId\":\"/a\",\"publicIp\":\"20.0.0.1\",\"privateIp\":\"10.0.0.4\"")),
     NULL, NULL, 0, FACTS_OK " +20.0.0.1* -10.0.0.4*", "20.0.0.1"},
    {"no public address", REPLY(GRAPH_ROW(",\"nicId\":\"/a\",\"publicIp\":\"\",\"privateIp\":\"10.0.0.4\"")),
     NULL, NULL, 0, FACTS_OK " -10.0.0.4*", "via:"},
    {"IPv6 only",
     REPLY(GRAPH_ROW(",\"nicId\":\"/a\",\"publicIp\":\"2001:db8::1\",\"privateIp\":\"fd00::4\"")), NULL, NULL,
     0, FACTS_OK " +2001:db8::1* -fd00::4*", "2001:db8::1"},
    {"a second NIC first",
     REPLY(GRAPH_ROW(
         ",\"nicId\":\"/"
         "b\",\"nicPrimary\":false,\"ipPrimary\":true,\"privateIp\":\"10.9.0.4\"") "," GRAPH_ROW(",\"nicId\":"
                                                                                                 "\"/"
                                                                                                 "a\","
                                                                                                 "\"nicPrimar"
                                                                                                 "y\":true,"
                                                                                                 "\"ipPrimary"
                                                                                                 "\":true,"
                                                                                                 "\"publicIp"
                                                                                                 "\":\"20.0."
                                                                                                 "0.1\"")),
     NULL, NULL, 0, FACTS_OK " +20.0.0.1* -10.9.0.4", "20.0.0.1"},
    {"senseless rows beside it",
     REPLY("null,7,[],{},{\"id\":7},{\"id\":\"/x\"}," GRAPH_ROW(",\"nicId\":{},\"publicIp\":\"20.0.0.1\"")),
     NULL, NULL, 0, FACTS_OK " +20.0.0.1*", "20.0.0.1"},
    {"nothing", REPLY(""), NULL, NULL, ERR_NOTFOUND, "web1", NULL},
};

static void every_variant_of_a_query(void **state)
{
    struct world *w = *state;
    struct found f;
    for (size_t i = 0; i < sizeof(graph_variants) / sizeof(graph_variants[0]); i++) {
        struct variant v = graph_variants[i];
        fake_arm_forget(w->rig->arm, GRAPH);
        fake_arm_on(w->rig->arm, GRAPH, 200, NULL, v.vm);
        world_find(w, "web1", RESOLVER_NO_CACHE, &f);
        if (v.code)
            assert_int_equal(f.err.code, v.code);
        else
            check(&v, &f);
        found_done(&f);
    }
}

/* An answer that is none of the Resource Graph's is no reason to fail: the VMs are listed. */
static void nonsense_of_the_graph_is_replaced(void **state)
{
    static const char *const bodies[] = {"[]",
                                         "{}",
                                         "{\"data\":{}}",
                                         "{\"data\":[",
                                         "<html></html>",
                                         "{\"data\":{\"rows\":[],\"columns\":[]}}",
                                         "{\"error\":\"no\"}"};
    struct world *w = *state;
    struct found f;
    serve(w, VM_PATH("rg", "web1"), VM_OK);
    serve(w, NIC_PATH("a"), NIC_OK);
    fake_arm_on(w->rig->arm, "GET /subscriptions/" SUB "/providers/Microsoft.Compute/virtualMachines?", 200,
                NULL,
                "{\"value\":[null,7,{\"id\":[]},{\"id\":\"" VM_PATH("rg", "web1") "\",\"name\":\"web1\"}]}");
    for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++) {
        fake_arm_forget(w->rig->arm, GRAPH);
        fake_arm_on(w->rig->arm, GRAPH, 200, NULL, bodies[i]);
        world_find(w, "web1", RESOLVER_NO_CACHE, &f);
        check(
            &(struct variant){bodies[i], NULL, NULL, NULL, 0, FACTS_OK " +20.0.0.1* -10.0.0.4*", "20.0.0.1"},
            &f);
        found_done(&f);
    }
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, world_setup, world_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(every_variant_of_a_direct_look_up),
        TEST(a_vm_of_64_kib),
        TEST(deep_nesting),
        TEST(every_variant_of_a_query),
        TEST(nonsense_of_the_graph_is_replaced),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
