/*
 * world_yaml: the schema of a world file, read by libcyaml; unknown keys and values are errors.
 */
#include "world.h"

#include <cyaml/cyaml.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/mem.h"

#define TEXT_MAX 4096
#define FILE_MAX_BYTES (4U << 20)

static const cyaml_strval_t os_words[] = {{"linux", OS_LINUX}, {"windows", OS_WINDOWS}};
static const cyaml_strval_t ip_words[] = {
    {"static", PUBLIC_STATIC}, {"dynamic", PUBLIC_DYNAMIC}, {"none", PUBLIC_NONE}};
static const cyaml_strval_t power_words[] = {
    {"running", INITIAL_RUNNING}, {"deallocated", INITIAL_DEALLOCATED}, {"stopped", INITIAL_STOPPED}};
static const cyaml_strval_t nsg_words[] = {
    {"nic", NSGS_NIC}, {"subnet", NSGS_SUBNET}, {"both", NSGS_BOTH}, {"none", NSGS_NONE}};
static const cyaml_strval_t on_words[] = {{"nic", NSGS_NIC}, {"subnet", NSGS_SUBNET}};
static const cyaml_strval_t access_words[] = {{"allow", RULE_ALLOW}, {"deny", RULE_DENY}};
static const cyaml_strval_t direction_words[] = {{"inbound", RULE_INBOUND}, {"outbound", RULE_OUTBOUND}};
static const cyaml_strval_t protocol_words[] = {{"tcp", RULE_TCP}, {"udp", RULE_UDP}, {"any", RULE_ANY}};
static const cyaml_strval_t caller_words[] = {{"claim", CALLER_CLAIM}, {"none", CALLER_NONE}};
static const cyaml_strval_t lack_words[] = {
    {"extension", LACK_EXTENSION}, {"rule", LACK_RULE}, {"key", LACK_KEY}};
static const cyaml_strval_t service_words[] = {
    {"rdp", SERVICE_RDP}, {"http", SERVICE_HTTP}, {"postgres", SERVICE_POSTGRES}};

static const cyaml_schema_value_t text_entry = {CYAML_VALUE_STRING(CYAML_FLAG_POINTER, char, 1, TEXT_MAX)};

#define OPTIONAL CYAML_FLAG_OPTIONAL
#define OPTIONAL_TEXT (CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL)

static const cyaml_schema_field_t rule_fields[] = {
    CYAML_FIELD_STRING_PTR("name", CYAML_FLAG_POINTER, struct world_rule, name, 1, 80),
    CYAML_FIELD_STRING_PTR("source", OPTIONAL_TEXT, struct world_rule, source, 1, 400),
    CYAML_FIELD_STRING_PTR("port", OPTIONAL_TEXT, struct world_rule, port, 1, 400),
    CYAML_FIELD_UINT("priority", CYAML_FLAG_DEFAULT, struct world_rule, priority),
    CYAML_FIELD_ENUM("access", OPTIONAL, struct world_rule, access, access_words,
                     CYAML_ARRAY_LEN(access_words)),
    CYAML_FIELD_ENUM("direction", OPTIONAL, struct world_rule, direction, direction_words,
                     CYAML_ARRAY_LEN(direction_words)),
    CYAML_FIELD_ENUM("protocol", OPTIONAL, struct world_rule, protocol, protocol_words,
                     CYAML_ARRAY_LEN(protocol_words)),
    CYAML_FIELD_ENUM("on", OPTIONAL, struct world_rule, on, on_words, CYAML_ARRAY_LEN(on_words)),
    CYAML_FIELD_END};
static const cyaml_schema_value_t rule_entry = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct world_rule, rule_fields)};

static const cyaml_schema_field_t vm_fields[] = {
    CYAML_FIELD_STRING_PTR("name", CYAML_FLAG_POINTER, struct world_vm, name, 1, 80),
    CYAML_FIELD_STRING_PTR("group", CYAML_FLAG_POINTER, struct world_vm, group, 1, 90),
    CYAML_FIELD_STRING_PTR("subscription", OPTIONAL_TEXT, struct world_vm, subscription, 36, 36),
    CYAML_FIELD_STRING_PTR("location", OPTIONAL_TEXT, struct world_vm, location, 1, 60),
    CYAML_FIELD_STRING_PTR("admin", OPTIONAL_TEXT, struct world_vm, admin, 1, 60),
    CYAML_FIELD_STRING_PTR("scale-set", OPTIONAL_TEXT, struct world_vm, scale_set, 1, 60),
    CYAML_FIELD_STRING_PTR("alias", OPTIONAL_TEXT, struct world_vm, alias, 1, 60),
    CYAML_FIELD_STRING_PTR("via", OPTIONAL_TEXT, struct world_vm, via, 1, 60),
    CYAML_FIELD_ENUM("os", OPTIONAL, struct world_vm, os, os_words, CYAML_ARRAY_LEN(os_words)),
    CYAML_FIELD_ENUM("public-ip", OPTIONAL, struct world_vm, public_ip, ip_words, CYAML_ARRAY_LEN(ip_words)),
    CYAML_FIELD_ENUM("power", OPTIONAL, struct world_vm, power, power_words, CYAML_ARRAY_LEN(power_words)),
    CYAML_FIELD_FLAGS("lacks", OPTIONAL, struct world_vm, lacks, lack_words, CYAML_ARRAY_LEN(lack_words)),
    CYAML_FIELD_FLAGS("services", OPTIONAL, struct world_vm, services, service_words,
                      CYAML_ARRAY_LEN(service_words)),
    CYAML_FIELD_BOOL("synthetic", OPTIONAL, struct world_vm, synthetic),
    CYAML_FIELD_BOOL("uniform", OPTIONAL, struct world_vm, uniform),
    CYAML_FIELD_BOOL("secondary-ip", OPTIONAL, struct world_vm, secondary_ip),
    CYAML_FIELD_BOOL("ipv6", OPTIONAL, struct world_vm, ipv6),
    CYAML_FIELD_BOOL("load-balanced", OPTIONAL, struct world_vm, load_balanced),
    CYAML_FIELD_BOOL("odd-casing", OPTIONAL, struct world_vm, odd_casing),
    CYAML_FIELD_BOOL("decoy-nic", OPTIONAL, struct world_vm, decoy_nic),
    CYAML_FIELD_ENUM("nsg", OPTIONAL, struct world_vm, nsg, nsg_words, CYAML_ARRAY_LEN(nsg_words)),
    CYAML_FIELD_SEQUENCE("rules", OPTIONAL_TEXT, struct world_vm, rules, &rule_entry, 0, WORLD_RULES_MAX),
    CYAML_FIELD_SEQUENCE("local", OPTIONAL_TEXT, struct world_vm, local, &text_entry, 0, 100),
    CYAML_FIELD_SEQUENCE("sshd", OPTIONAL_TEXT, struct world_vm, sshd, &text_entry, 0, 100),
    CYAML_FIELD_END};

static const cyaml_schema_field_t subscription_fields[] = {
    CYAML_FIELD_STRING_PTR("id", CYAML_FLAG_POINTER, struct world_subscription, id, 36, 36),
    CYAML_FIELD_STRING_PTR("name", CYAML_FLAG_POINTER, struct world_subscription, name, 1, 64),
    CYAML_FIELD_STRING_PTR("tenant", OPTIONAL_TEXT, struct world_subscription, tenant, 36, 36),
    CYAML_FIELD_END};

static const cyaml_schema_value_t vm_entry = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct world_vm, vm_fields)};
static const cyaml_schema_value_t subscription_entry = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct world_subscription, subscription_fields)};

static const cyaml_schema_field_t file_fields[] = {
    CYAML_FIELD_STRING_PTR("tenant", CYAML_FLAG_POINTER, struct world_file, tenant, 36, 36),
    CYAML_FIELD_STRING_PTR("client", CYAML_FLAG_POINTER, struct world_file, client, 36, 36),
    CYAML_FIELD_STRING_PTR("secret", CYAML_FLAG_POINTER, struct world_file, secret, 1, 200),
    CYAML_FIELD_STRING_PTR("caller", OPTIONAL_TEXT, struct world_file, caller, 7, 15),
    CYAML_FIELD_ENUM("caller-address", OPTIONAL, struct world_file, caller_address, caller_words,
                     CYAML_ARRAY_LEN(caller_words)),
    CYAML_FIELD_UINT("operation-ms", OPTIONAL, struct world_file, operation_ms),
    CYAML_FIELD_UINT("token-seconds", OPTIONAL, struct world_file, token_seconds),
    CYAML_FIELD_UINT("device-seconds", OPTIONAL, struct world_file, device_seconds),
    CYAML_FIELD_UINT("page-size", OPTIONAL, struct world_file, page_size),
    CYAML_FIELD_UINT("scale", OPTIONAL, struct world_file, scale),
    CYAML_FIELD_UINT("scale-subscriptions", OPTIONAL, struct world_file, scale_subscriptions),
    CYAML_FIELD_SEQUENCE("subscriptions", CYAML_FLAG_POINTER, struct world_file, subscriptions,
                         &subscription_entry, 1, WORLD_SUBSCRIPTIONS_MAX),
    CYAML_FIELD_SEQUENCE("vms", OPTIONAL_TEXT, struct world_file, vms, &vm_entry, 0, WORLD_VMS_MAX),
    CYAML_FIELD_END};

static const cyaml_schema_value_t file_schema = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_POINTER, struct world_file, file_fields)};

/* libcyaml tells where and what in several lines; the first ones say most. */
struct report {
    char text[600];
    size_t len;
};

__attribute__((format(printf, 3, 0))) static void on_cyaml_log(cyaml_log_t level, void *ctx, const char *fmt,
                                                               va_list args)
{
    (void)level;
    struct report *r = ctx;
    if (r->len >= sizeof r->text - 1)
        return;
    int n = vsnprintf(r->text + r->len, sizeof r->text - r->len, fmt, args);
    if (n <= 0)
        return;
    r->len = r->len + (size_t)n < sizeof r->text ? r->len + (size_t)n : sizeof r->text - 1;
    while (r->len && r->text[r->len - 1] == '\n')
        r->text[--r->len] = ' ';
}

static void *on_cyaml_mem(void *ctx, void *ptr, size_t size)
{
    (void)ctx;
    if (size)
        return mem_realloc(ptr, size);
    mem_free(ptr);
    return NULL;
}

static const cyaml_config_t quiet = {.mem_fn = on_cyaml_mem, .log_level = CYAML_LOG_ERROR};

static int rules_check(const struct world_vm *vm, struct err *err)
{
    for (unsigned i = 0; i < vm->rules_count; i++) {
        const struct world_rule *r = &vm->rules[i];
        if (r->priority < 100 || r->priority > 4096)
            return err_set(err, ERR_CONFIG, "vm %s: rule %s: a priority is 100 to 4096", vm->name, r->name);
        if (vm->nsg != NSGS_BOTH && vm->nsg != r->on)
            return err_set(err, ERR_CONFIG, "vm %s: rule %s is on a network security group that the VM lacks",
                           vm->name, r->name);
    }
    return 0;
}

/* SET_NUMBER: the platform gives instances their names. */
static bool uniform_name_ok(const struct world_vm *vm)
{
    size_t n = vm->scale_set ? strlen(vm->scale_set) : 0;
    const char *number = vm->name + n + 1;
    return n && strncmp(vm->name, vm->scale_set, n) == 0 && vm->name[n] == '_' && *number &&
           number[strspn(number, "0123456789")] == 0;
}

static int check(const struct world_file *f, struct err *err)
{
    for (unsigned i = 0; i < f->vms_count; i++) {
        const struct world_vm *vm = &f->vms[i];
        if (strchr(vm->name, '/') || strchr(vm->group, '/'))
            return err_set(err, ERR_CONFIG, "vm %s/%s: a name has no slash", vm->group, vm->name);
        if (vm->uniform && !uniform_name_ok(vm))
            return err_set(err, ERR_CONFIG,
                           "vm %s: an instance of a Uniform scale set is named SCALE-SET_NUMBER", vm->name);
        int rc = rules_check(vm, err);
        if (rc)
            return rc;
        bool known = !vm->subscription;
        for (unsigned k = 0; !known && k < f->subscriptions_count; k++)
            known = strcmp(f->subscriptions[k].id, vm->subscription) == 0;
        if (!known)
            return err_set(err, ERR_CONFIG, "vm %s: subscription %s is not in the list of subscriptions",
                           vm->name, vm->subscription);
    }
    return 0;
}

/* Parses `text` (the one that is named `path` in errors). */
static int parse(struct world_file **out, const char *text, size_t len, const char *path, struct err *err)
{
    struct report report = {{0}, 0};
    cyaml_config_t config = quiet;
    config.log_fn = on_cyaml_log;
    config.log_ctx = &report;
    cyaml_data_t *data = NULL;
    cyaml_err_t rc = cyaml_load_data((const uint8_t *)text, len, &config, &file_schema, &data, NULL);
    *out = data;
    if (rc != CYAML_OK)
        return err_set(err, ERR_CONFIG, "world file %s: %s (%s)", path, report.text, cyaml_strerror(rc));
    return 0;
}

int world_file_load(struct world_file **out, const struct world_choice *choice, struct err *err)
{
    const char *path = choice->path ? choice->path : choice->scale ? "(scale)" : "(default)";
    const char *made = choice->scale ? world_scale_text : world_default_text;
    char *text = NULL;
    size_t len = strlen(made);
    int rc = choice->path ? fs_read(choice->path, FILE_MAX_BYTES, &text, &len, err) : 0;
    rc = rc ? rc : parse(out, text ? text : made, len, path, err);
    mem_free(text);
    if (rc)
        return rc;
    struct world_file *f = *out;
    f->operation_ms = f->operation_ms ? f->operation_ms : 1500;
    f->token_seconds = f->token_seconds ? f->token_seconds : 3599;
    f->device_seconds = f->device_seconds ? f->device_seconds : 1;
    f->page_size = f->page_size ? f->page_size : 50;
    if (!f->caller && !(f->caller = mem_strdup(WORLD_CALLER)))
        rc = err_set(err, ERR_NOMEM, "out of memory");
    rc = rc ? rc : check(f, err);
    if (!rc)
        rc = world_file_scale(f, choice->scale ? choice->scale : f->scale,
                              choice->subscriptions ? choice->subscriptions : f->scale_subscriptions, err);
    if (!rc && f->vms_count == 0)
        rc = err_set(err, ERR_CONFIG, "it has no VMs: neither vms: nor scale:");
    if (!rc)
        return 0;
    world_file_free(f);
    *out = NULL;
    return err_wrap(err, "world file %s", path);
}

void world_file_free(struct world_file *f)
{
    if (f)
        cyaml_free(&quiet, &file_schema, f, 0);
}
