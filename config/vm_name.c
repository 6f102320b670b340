/*
 * vm_name: takes apart what a user typed for a VM.
 *
 * A slash decides first (resource ID, or group/VM with a subscription perhaps), then the suffix .adit, then
 * whether the text is an address; what is left is a bare VM name. Limits are Azure's (learn.microsoft.com,
 * "Naming rules and restrictions for Azure resources").
 */
#include "vm_name.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"

#define TEXT_MAX 512
#define VM_MAX 80 /* ARM's own check; Windows and Linux images allow less */
#define GROUP_MAX 90
#define SUBSCRIPTION_MAX 64
#define DNS_MAX 253
#define ID_PARTS                                                                                             \
    10 /* subscriptions S resourceGroups G providers Microsoft.Compute TYPE N [virtualMachines M] */

struct parse {
    const char *text;
    struct err *err;
};

struct part {
    const char *text;
    size_t len;
};

__attribute__((format(printf, 2, 3))) static int bad(const struct parse *p, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    (void)err_setv(p->err, ERR_INVAL, fmt, ap);
    va_end(ap);
    (void)err_wrap(p->err, "VM name \"%s\"", p->text);
    (void)err_hint(p->err, "; write VM, GROUP/VM, SUBSCRIPTION/GROUP/VM, a resource ID or an address");
    return ERR_INVAL;
}

static bool is_digits(const struct part *s)
{
    for (size_t i = 0; i < s->len; i++)
        if (!isdigit((unsigned char)s->text[i]))
            return false;
    return s->len > 0;
}

static bool is_word(const struct part *s, const char *word)
{
    return s->len == strlen(word) && strncasecmp(s->text, word, s->len) == 0;
}

static int take(const struct parse *p, const struct part *s, char **out)
{
    *out = mem_strndup(s->text, s->len);
    return *out ? 0 : err_set(p->err, ERR_NOMEM, "VM name: out of memory");
}

static int take_vm(const struct parse *p, const struct part *s, const char *what, char **out)
{
    if (s->len == 0 || s->len > VM_MAX)
        return bad(p, "the %s has %zu characters, allowed are 1 to %d", what, s->len, VM_MAX);
    for (size_t i = 0; i < s->len; i++) {
        unsigned char c = (unsigned char)s->text[i];
        if (!isalnum(c) && !strchr("-._", c))
            return bad(p, "the %s \"%.*s\" holds a character other than letters, digits, - . _", what,
                       (int)s->len, s->text);
    }
    if (!isalnum((unsigned char)s->text[0]) && s->text[0] != '_')
        return bad(p, "the %s begins with \"%c\"", what, s->text[0]);
    if (strchr("-.", s->text[s->len - 1]))
        return bad(p, "the %s ends with \"%c\"", what, s->text[s->len - 1]);
    return take(p, s, out);
}

static int take_group(const struct parse *p, const struct part *s, char **out)
{
    if (s->len == 0 || s->len > GROUP_MAX)
        return bad(p, "the resource group has %zu characters, allowed are 1 to %d", s->len, GROUP_MAX);
    for (size_t i = 0; i < s->len; i++) {
        unsigned char c = (unsigned char)s->text[i];
        if (!isalnum(c) && !strchr("-._()", c) && c < 0x80)
            return bad(p,
                       "the resource group \"%.*s\" holds a character other than letters, digits, - . _ ( )",
                       (int)s->len, s->text);
    }
    if (s->text[s->len - 1] == '.')
        return bad(p, "the resource group ends with a dot");
    return take(p, s, out);
}

static int take_subscription(const struct parse *p, const struct part *s, char **out)
{
    if (s->len == 0 || s->len > SUBSCRIPTION_MAX)
        return bad(p, "the subscription has %zu characters, allowed are 1 to %d", s->len, SUBSCRIPTION_MAX);
    return take(p, s, out);
}

static int take_instance(const struct parse *p, const struct part *s, char **out)
{
    if (!is_digits(s) || s->len > 9)
        return bad(p, "\"%.*s\" is not the number of a scale set instance", (int)s->len, s->text);
    return take(p, s, out);
}

static size_t split(const char *text, struct part *parts, size_t max)
{
    size_t n = 0;
    for (;; n++) {
        size_t len = strcspn(text, "/");
        if (n < max)
            parts[n] = (struct part){text, len};
        text += len;
        if (*text++ == '\0')
            return n + 1; /* may be more than max: the caller refuses */
    }
}

static int parse_id(const struct parse *p, struct vm_name *n)
{
    struct part s[ID_PARTS] = {{0}};
    size_t count = split(p->text + 1, s, ID_PARTS);
    bool vm = count == 8 && is_word(&s[6], "virtualMachines");
    bool instance =
        count == 10 && is_word(&s[6], "virtualMachineScaleSets") && is_word(&s[8], "virtualMachines");
    if ((!vm && !instance) || !is_word(&s[0], "subscriptions") || !is_word(&s[2], "resourceGroups") ||
        !is_word(&s[4], "providers") || !is_word(&s[5], "Microsoft.Compute"))
        return bad(
            p, "this is not the resource ID of a VM, which is /subscriptions/S/resourceGroups/G/providers/"
               "Microsoft.Compute/virtualMachines/VM");
    int rc = take_subscription(p, &s[1], &n->subscription);
    if (rc == 0)
        rc = take_group(p, &s[3], &n->group);
    n->kind = VM_NAME_GROUP;
    if (rc < 0 || vm)
        return rc < 0 ? rc : take_vm(p, &s[7], "VM", &n->name);
    if (!is_digits(&s[9])) /* instances of Flexible scale sets are VMs with a name of their own */
        return take_vm(p, &s[9], "VM", &n->name);
    n->kind = VM_NAME_INSTANCE;
    rc = take_vm(p, &s[7], "scale set", &n->name);
    return rc < 0 ? rc : take_instance(p, &s[9], &n->instance);
}

static int parse_path(const struct parse *p, struct vm_name *n)
{
    struct part s[4] = {{0}};
    size_t count = split(p->text, s, 4);
    if (count > 4)
        return bad(p, "it has too many parts");
    bool instance = count >= 3 && is_digits(&s[count - 1]);
    if (count == 4 && !instance)
        return bad(p, "the last of four parts is the number of a scale set instance");
    size_t group = count - (instance ? 3 : 2); /* what stands before it is the subscription */
    int rc = group > 0 ? take_subscription(p, &s[0], &n->subscription) : 0;
    if (rc == 0)
        rc = take_group(p, &s[group], &n->group);
    if (rc == 0)
        rc = take_vm(p, &s[group + 1], instance ? "scale set" : "VM", &n->name);
    if (rc == 0 && instance)
        rc = take_instance(p, &s[group + 2], &n->instance);
    n->kind = instance ? VM_NAME_INSTANCE : VM_NAME_GROUP;
    return rc;
}

/* VM.adit or VM.GROUP.adit; `len` leaves the suffix out. */
static int parse_suffixed(const struct parse *p, size_t len, struct vm_name *n)
{
    const char *dot = memchr(p->text, '.', len);
    struct part name = {p->text, dot ? (size_t)(dot - p->text) : len};
    n->kind = dot ? VM_NAME_GROUP : VM_NAME_BARE;
    int rc = take_vm(p, &name, "VM", &n->name);
    if (rc < 0 || !dot)
        return rc;
    struct part group = {dot + 1, len - name.len - 1};
    return take_group(p, &group, &n->group);
}

static int parse_host(const struct parse *p, struct vm_name *n)
{
    struct in_addr v4;
    struct in6_addr v6;
    char plain[INET6_ADDRSTRLEN] = "";
    struct part whole = {p->text, strlen(p->text)};
    size_t len = strcspn(p->text, "%"); /* fe80::1%eth0 */
    n->kind = VM_NAME_ADDRESS;
    if (strchr(p->text, ':')) {
        if (len >= sizeof plain || (p->text[len] && !p->text[len + 1]))
            return bad(p, "this is not an IPv6 address");
        (void)memcpy(plain, p->text, len);
        return inet_pton(AF_INET6, plain, &v6) == 1 ? take(p, &whole, &n->name)
                                                    : bad(p, "this is not an IPv6 address");
    }
    if (inet_pton(AF_INET, p->text, &v4) == 1)
        return take(p, &whole, &n->name);
    if (p->text[strspn(p->text, "0123456789.")] == '\0')
        return bad(p, "this is not an IPv4 address");
    if (whole.len > DNS_MAX || p->text[0] == '.' || p->text[0] == '-' || strstr(p->text, ".."))
        return bad(p, "this is not a host name");
    for (size_t i = 0; i < whole.len; i++)
        if (!isalnum((unsigned char)p->text[i]) && !strchr("-._", p->text[i]))
            return bad(p, "a host name has only letters, digits, - . _");
    return take(p, &whole, &n->name);
}

static size_t before_suffix(const char *text) /* 0 when there is no .adit */
{
    size_t len = strlen(text);
    return len > 5 && strcasecmp(text + len - 5, ".adit") == 0 ? len - 5 : 0;
}

static int check_text(const char *text, struct err *err)
{
    size_t len = strlen(text);
    if (len == 0 || len > TEXT_MAX)
        return err_set(err, ERR_INVAL, "a VM name has 1 to %d characters", TEXT_MAX);
    for (size_t i = 0; i < len; i++)
        if ((unsigned char)text[i] < 0x20 || text[i] == 0x7f)
            return err_set(err, ERR_INVAL, "a VM name holds no control character");
    return 0;
}

static int finish(struct vm_name *out, struct vm_name *n, int rc)
{
    if (rc < 0)
        vm_name_done(n);
    else
        *out = *n;
    return rc;
}

int vm_name_parse(struct vm_name *out, const char *text, struct err *err)
{
    const struct parse p = {.text = text, .err = err};
    struct vm_name n = {.kind = VM_NAME_BARE};
    struct part whole = {text, strlen(text)};
    int rc = check_text(text, err);
    if (rc < 0)
        return rc;
    if (text[0] == '/')
        rc = parse_id(&p, &n);
    else if (strchr(text, '/'))
        rc = parse_path(&p, &n);
    else if (before_suffix(text) > 0)
        rc = parse_suffixed(&p, before_suffix(text), &n);
    else if (strpbrk(text, ".:"))
        rc = parse_host(&p, &n);
    else
        rc = take_vm(&p, &whole, "VM", &n.name);
    return finish(out, &n, rc);
}

int vm_name_parse_address(struct vm_name *out, const char *text, struct err *err)
{
    const struct parse p = {.text = text, .err = err};
    struct vm_name n = {.kind = VM_NAME_ADDRESS};
    int rc = check_text(text, err);
    if (rc < 0)
        return rc;
    rc = before_suffix(text) > 0 ? bad(&p, "a name that ends with .adit is not an address")
                                 : parse_host(&p, &n);
    return finish(out, &n, rc);
}
