/*
 * facts: the life of a VM's facts and how they are gathered.
 */
#include "facts.h"

#include <arpa/inet.h>
#include <string.h>

#include "arm_id.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "facts_build.h"

static const char *const power_names[] = {"unknown", "starting",     "running",    "stopping",
                                          "stopped", "deallocating", "deallocated"};
#define POWER_COUNT (sizeof(power_names) / sizeof(power_names[0]))

const char *resolver_power_name(enum resolver_power p)
{
    return (size_t)p < POWER_COUNT ? power_names[p] : power_names[0];
}

enum resolver_power facts_power_of(const char *code)
{
    static const char prefix[] = "PowerState/";
    if (!code || strncasecmp(code, prefix, sizeof(prefix) - 1) != 0)
        return RESOLVER_POWER_UNKNOWN;
    for (size_t i = 0; i < POWER_COUNT; i++)
        if (strcasecmp(code + sizeof(prefix) - 1, power_names[i]) == 0)
            return (enum resolver_power)i;
    return RESOLVER_POWER_UNKNOWN;
}

const char *resolver_os_name(enum resolver_os os)
{
    return os == RESOLVER_OS_LINUX ? "linux" : os == RESOLVER_OS_WINDOWS ? "windows" : "unknown";
}

enum resolver_os facts_os_of(const char *text)
{
    if (text && strcasecmp(text, "Linux") == 0)
        return RESOLVER_OS_LINUX;
    return text && strcasecmp(text, "Windows") == 0 ? RESOLVER_OS_WINDOWS : RESOLVER_OS_UNKNOWN;
}

static void facts_free(struct resolver_facts *f)
{
    char *const texts[] = {f->id,       f->vm_id,      f->name,         f->group,      f->subscription,
                           f->location, f->admin_user, f->provisioning, f->unconfirmed};
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        mem_free(texts[i]);
    mem_free(f->addresses);
    mem_free(f);
}

const struct resolver_facts *resolver_facts_ref(const struct resolver_facts *f)
{
    __atomic_add_fetch(&((struct resolver_facts *)f)->refs, 1, __ATOMIC_RELAXED);
    return f;
}

void resolver_facts_unref(const struct resolver_facts *f)
{
    struct resolver_facts *own = (struct resolver_facts *)f;
    if (own && __atomic_sub_fetch(&own->refs, 1, __ATOMIC_ACQ_REL) == 0)
        facts_free(own);
}

int facts_new(struct resolver_facts **out, const char *id, enum resolver_source source, struct err *err)
{
    struct arm_vm_id parts;
    if (!id || !arm_vm_id_parse(id, &parts))
        return err_set(err, ERR_PROTOCOL, "ARM's answer has no usable resource ID of a VM");
    struct resolver_facts *f = mem_zalloc(sizeof(*f));
    if (!f)
        return err_set(err, ERR_NOMEM, "out of memory");
    f->refs = 1;
    f->source = source;
    f->fetched_wall_ms = clock_wall_ms();
    f->id = mem_strdup(id);
    f->vm_id = mem_strdup("");
    f->location = mem_strdup("");
    f->name = parts.instance[0] ? mem_printf("%s/%s", parts.name, parts.instance) : mem_strdup(parts.name);
    f->group = mem_strdup(parts.group);
    f->subscription = mem_strdup(parts.subscription);
    if (!f->id || !f->vm_id || !f->location || !f->name || !f->group || !f->subscription) {
        facts_free(f);
        return err_set(err, ERR_NOMEM, "out of memory");
    }
    *out = f;
    return 0;
}

const char *facts_text(const json_t *object, const char *name)
{
    const json_t *v = json_object_get(object, name);
    size_t n = json_string_length(v);
    return json_is_string(v) && n > 0 && n < FACTS_TEXT_MAX && strlen(json_string_value(v)) == n
               ? json_string_value(v)
               : NULL;
}

int facts_keep(char **slot, const char *text)
{
    if (!text)
        return 0;
    char *copy = mem_strdup(text);
    if (!copy)
        return ERR_NOMEM;
    mem_free(*slot);
    *slot = copy;
    return 0;
}

/* As inet_ntop would write it; false for what is no address to connect to. */
static bool canonical(const char *text, char out[46], bool *is_ipv6)
{
    static const struct in6_addr none;
    struct in_addr v4;
    struct in6_addr v6;
    *is_ipv6 = false;
    if (inet_pton(AF_INET, text, &v4) == 1)
        return v4.s_addr != 0 && inet_ntop(AF_INET, &v4, out, 46) != NULL;
    *is_ipv6 = true;
    return inet_pton(AF_INET6, text, &v6) == 1 && memcmp(&v6, &none, sizeof(v6)) != 0 &&
           inet_ntop(AF_INET6, &v6, out, 46) != NULL;
}

int facts_address_add(struct resolver_facts *f, const char *ip, bool is_public, bool primary_nic,
                      bool primary_ip)
{
    struct resolver_address a = {
        .is_public = is_public, .primary_nic = primary_nic, .primary_ip = primary_ip};
    if (!ip || !canonical(ip, a.ip, &a.is_ipv6))
        return 0;
    for (size_t i = 0; i < f->address_count; i++)
        if (strcmp(f->addresses[i].ip, a.ip) == 0)
            return 0;
    if (f->address_count >= RESOLVER_ADDRESSES_MAX) {
        static struct log_rate rate = {.burst = 1, .every_ms = 60000};
        log_write(LOG_WARN, &(struct log_ctx){.module = "resolver", .vm = f->name}, &rate,
                  "it has more than %d addresses; the others are left out", RESOLVER_ADDRESSES_MAX);
        return 0;
    }
    struct resolver_address *grown = mem_realloc(f->addresses, (f->address_count + 1) * sizeof(*grown));
    if (!grown)
        return ERR_NOMEM;
    f->addresses = grown;
    f->addresses[f->address_count++] = a;
    return 0;
}

static unsigned rank(const struct resolver_address *a)
{
    return (a->primary_nic ? 0u : 8u) + (a->primary_ip ? 0u : 4u) + (a->is_public ? 0u : 2u) +
           (a->is_ipv6 ? 1u : 0u);
}

/* By insertion: stable, and 64 at most. */
void facts_address_sort(struct resolver_facts *f)
{
    for (size_t i = 1; i < f->address_count; i++) {
        struct resolver_address a = f->addresses[i];
        size_t j = i;
        for (; j > 0 && rank(&f->addresses[j - 1]) > rank(&a); j--)
            f->addresses[j] = f->addresses[j - 1];
        f->addresses[j] = a;
    }
}

int facts_copy(const struct resolver_facts **out, const struct resolver_facts *in,
               enum resolver_source source)
{
    struct resolver_facts *f = mem_zalloc(sizeof(*f));
    if (!f)
        return ERR_NOMEM;
    *f = *in;
    f->unconfirmed = NULL;
    f->refs = 1;
    f->source = source;
    f->id = mem_strdup(in->id);
    f->vm_id = mem_strdup(in->vm_id);
    f->name = mem_strdup(in->name);
    f->group = mem_strdup(in->group);
    f->subscription = mem_strdup(in->subscription);
    f->location = mem_strdup(in->location);
    f->admin_user = mem_strdup(in->admin_user);
    f->provisioning = mem_strdup(in->provisioning);
    f->addresses = in->address_count ? mem_calloc(in->address_count, sizeof(*f->addresses)) : NULL;
    if (!f->id || !f->vm_id || !f->name || !f->group || !f->subscription || !f->location ||
        (in->admin_user && !f->admin_user) || (in->provisioning && !f->provisioning) ||
        (in->address_count && !f->addresses)) {
        facts_free(f);
        return ERR_NOMEM;
    }
    if (in->address_count)
        memcpy(f->addresses, in->addresses, in->address_count * sizeof(*f->addresses));
    *out = f;
    return 0;
}
