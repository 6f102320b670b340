/*
 * The commands for the Azure CLI, run by a real shell: az gets exactly the arguments that were meant,
 * whatever the names are.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "plans.h"
#include "prepare/print.h"
#include "prepare/script.h"
#include "shell.h"

static const char fake_az[] =
    "#!/bin/sh\n{ printf '%s\\000' \"$@\"; printf '\\001\\000'; } >> \"$TEST_HOME/argv\"\n";

struct line { /* one command's arguments as az sees them, "name" and "value" told apart by what they are */
    char *arg[48];
    size_t n;
};

static void add(struct line *l, char *owned)
{
    assert_non_null(owned);
    l->arg[l->n++] = owned;
}

static void words(struct line *l, const char *text)
{
    l->n = 0;
    while (*text) {
        size_t n = strcspn(text, " ");
        add(l, mem_strndup(text, n));
        text += n + (text[n] == ' ');
    }
}

static void option(struct line *l, const char *name, const char *value)
{
    if (value[0] == '-') {
        add(l, mem_printf("--%s=%s", name, value));
    } else {
        add(l, mem_printf("--%s", name));
        add(l, mem_strdup(value));
    }
}

/* Takes the next command off the record and holds it against the line, which it frees. */
static void expect(const char **record, const char *end, struct line *l)
{
    for (size_t i = 0; i < l->n; i++) {
        assert_true(*record < end);
        if (strcmp(*record, l->arg[i]) != 0)
            fail_msg("argument %zu of %s %s %s: '%s', not '%s'", i, l->arg[0], l->arg[1], l->arg[2], *record,
                     l->arg[i]);
        *record += strlen(*record) + 1;
        mem_free(l->arg[i]);
    }
    assert_string_equal(*record, "\001");
    *record += 2;
}

static void slice(char *out, size_t size, const char *id, const char *before)
{
    const char *at = strstr(id, before);
    assert_non_null(at);
    at += strlen(before);
    snprintf(out, size, "%.*s", (int)strcspn(at, "/"), at);
}

static void place(struct line *l, const char *id)
{
    char part[256];
    slice(part, sizeof part, id, "/subscriptions/");
    option(l, "subscription", part);
    slice(part, sizeof part, id, "/resourceGroups/");
    option(l, "resource-group", part);
}

static void place_vm(struct line *l, const struct plan *p)
{
    option(l, "subscription", p->subscription);
    option(l, "resource-group", p->group);
}

static void expect_address(const char **record, const char *end, const struct plan *p)
{
    struct line l;
    char *id =
        mem_printf("/subscriptions/%s/resourceGroups/%s/providers/Microsoft.Network/publicIPAddresses/%s",
                   p->subscription, p->group, p->public_ip);
    words(&l, "network public-ip create");
    place_vm(&l, p);
    option(&l, "name", p->public_ip);
    option(&l, "location", p->location);
    option(&l, "sku", "Standard");
    option(&l, "allocation-method", "Static");
    option(&l, "version", "IPv4");
    expect(record, end, &l);
    words(&l, "network nic ip-config update");
    place(&l, p->nic_id);
    option(&l, "nic-name", strrchr(p->nic_id, '/') + 1);
    option(&l, "name", p->ip_config);
    option(&l, "public-ip-address", id);
    expect(record, end, &l);
    mem_free(id);
}

static void expect_rule(const char **record, const char *end, const struct plan *p, unsigned i)
{
    struct line l;
    char priority[16];
    const struct plan_rule *r = &p->rules[i];
    snprintf(priority, sizeof priority, "%d", r->priority);
    words(&l, "network nsg rule create");
    place(&l, r->nsg_id);
    option(&l, "nsg-name", strrchr(r->nsg_id, '/') + 1);
    option(&l, "name", r->name);
    option(&l, "priority", priority);
    option(&l, "direction", "Inbound");
    option(&l, "access", "Allow");
    option(&l, "protocol", "Tcp");
    option(&l, "source-address-prefixes", r->source);
    option(&l, "source-port-ranges", "*");
    option(&l, "destination-address-prefixes", "*");
    option(&l, "destination-port-ranges", "22");
    expect(record, end, &l);
}

static void expect_vm_commands(const char **record, const char *end, const struct plan *p, const char *what)
{
    struct line l;
    char *script = script_key_add(p);
    words(&l, what);
    place_vm(&l, p);
    if (strcmp(what, "vm start") == 0) {
        option(&l, "name", p->vm);
    } else if (strcmp(what, "vm extension set") == 0) {
        option(&l, "vm-name", p->vm);
        option(&l, "name", "WindowsOpenSSH");
        option(&l, "publisher", "Microsoft.Azure.OpenSSH");
        option(&l, "version", "3.0");
    } else {
        option(&l, "name", p->vm);
        option(&l, "command-id", p->windows ? "RunPowerShellScript" : "RunShellScript");
        option(&l, "query", "value[].message");
        option(&l, "output", "tsv");
        option(&l, "scripts", script);
    }
    expect(record, end, &l);
    mem_free(script);
}

static void check(struct plan *p, const char *program)
{
    struct shell s;
    size_t n = 0;
    shell_init(&s, program);
    shell_program(&s, "az", fake_az);
    char *text = print_plan(p, PREPARE_FORM_AZ);
    assert_non_null(text);
    if (shell_run(&s, "u", text) != 0)
        fail_msg("%s: %s in %s", program, s.bad, text);
    assert_string_equal(s.out, "");
    assert_string_equal(s.bad, "");
    const char *record = shell_read(&s, "argv", &n), *end = record + n;
    if (p->steps & PREPARE_BIT(PREPARE_POWER))
        expect_vm_commands(&record, end, p, "vm start");
    if (p->steps & PREPARE_BIT(PREPARE_ADDRESS))
        expect_address(&record, end, p);
    if (p->steps & PREPARE_BIT(PREPARE_EXTENSION))
        expect_vm_commands(&record, end, p, "vm extension set");
    for (unsigned i = 0; i < p->rule_count && p->steps & PREPARE_BIT(PREPARE_RULE); i++)
        expect_rule(&record, end, p, i);
    if (p->steps & PREPARE_BIT(PREPARE_LOGIN))
        expect_vm_commands(&record, end, p, "vm run-command invoke");
    assert_ptr_equal(record, end);
    mem_free(text);
    plan_done(p);
    shell_done(&s);
}

static void test_everything(void **state)
{
    struct plan p;
    for (unsigned i = 0; i < 4; i++) {
        plans_make(&p, i & 1);
        check(&p, i & 2 ? "bash" : "dash");
    }
}

static void test_each_step_alone(void **state)
{
    for (unsigned s = PREPARE_POWER; s <= PREPARE_LOGIN; s++) {
        struct plan p;
        plans_make(&p, true);
        if (!(PLANS_ALL & PREPARE_BIT(s))) {
            plan_done(&p);
            continue;
        }
        p.steps = PREPARE_BIT(s);
        check(&p, "dash");
    }
}

static void test_hostile_names(void **state)
{
    for (unsigned i = 0; i < PLANS_HOSTILE; i++) {
        struct plan p;
        plans_make_hostile(&p, i & 1, i);
        check(&p, i & 2 ? "bash" : "dash");
    }
}

/* The first command that fails ends it: what follows would not be of use. */
static void test_stops_at_a_failure(void **state)
{
    struct plan p;
    struct shell s;
    plans_make(&p, true);
    shell_init(&s, "dash");
    shell_program(&s, "az", "#!/bin/sh\necho \"$1 $2\"\nexit 3\n");
    char *text = print_az(&p);
    assert_int_equal(shell_run(&s, "u", text), 3);
    assert_string_equal(s.out, "vm start\n");
    mem_free(text);
    plan_done(&p);
    shell_done(&s);
}

static void test_nothing_missing(void **state)
{
    struct plan p = {0};
    struct shell s;
    char *text = print_az(&p);
    assert_non_null(strstr(text, "\n# Nothing is missing.\n"));
    shell_init(&s, "dash");
    assert_int_equal(shell_run(&s, "u", text), 0);
    assert_string_equal(s.out, "");
    mem_free(text);
    shell_done(&s);
}

static void test_out_of_memory(void **state)
{
    for (enum prepare_form form = PREPARE_FORM_AZ; form <= PREPARE_FORM_BICEP; form++) {
        struct plan p;
        char *text = NULL;
        plans_make(&p, true);
        long k = 0;
        for (; !text; k++) {
            mem_fail_after(k);
            text = print_plan(&p, form);
        }
        mem_fail_after(-1);
        char *again = print_plan(&p, form);
        assert_string_equal(text, again);
        assert_true(k > 4);
        mem_free(text), mem_free(again);
        plan_done(&p);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_everything),      cmocka_unit_test(test_each_step_alone),
        cmocka_unit_test(test_hostile_names),   cmocka_unit_test(test_stops_at_a_failure),
        cmocka_unit_test(test_nothing_missing), cmocka_unit_test(test_out_of_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
