/*
 * fake_azure: azure/'s calls on the fake world.
 */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "azure/caller.h"
#include "azure/lro.h"
#include "fake_world_private.h"

#define GET_MS 5
#define LRO_MS 3000

struct azure {
    struct fake_world *w;
};

/* Both kinds of requests are the same here. */
struct azure_req {
    struct fake_op op;
    char line[1200]; /* "METHOD path" */
    json_t *body;
    azure_reply_cb reply;
    azure_lro_cb result;
    void *arg;
    struct err err;
};

struct azure *fake_azure_new(struct fake_world *w)
{
    struct azure *a = calloc(1, sizeof(*a));
    a->w = w;
    return a;
}

static bool is(const struct azure_req *r, const char *method, const char *part)
{
    return strncmp(r->line, method, strlen(method)) == 0 && strcasestr(r->line, part) != NULL;
}

static json_t *output(const char *out, const char *bad)
{
    return json_pack("{s:{s:{s:[{s:s,s:s},{s:s,s:s}]}}}", "properties", "output", "value", "code",
                     "ComponentStatus/StdOut/succeeded", "message", out, "code",
                     "ComponentStatus/StdErr/succeeded", "message", bad);
}

static bool script_has(json_t *body, const char *text)
{
    size_t i;
    json_t *line;
    json_array_foreach(json_object_get(body, "script"), i,
                       line) if (strstr(json_string_value(line), text)) return true;
    return false;
}

static json_t *run_script(struct fake_world *w, json_t *body)
{
    w->scripts++;
    if (script_has(body, "adit: host keys") && w->host_keys)
        return output(w->host_keys, "");
    if (script_has(body, "adit: host keys"))
        return fake_sshd_up(w) ? output("adit: host keys\r\n" HOST_KEY " root@win\r\nadit: end\r\n", "")
                               : output("", "no host keys\n");
    bool had = w->key, add = script_has(body, "adit: added");
    w->writes++;
    snprintf(w->log + strlen(w->log), sizeof(w->log) - strlen(w->log), "%s\n",
             add ? "KEY ADD" : "KEY REMOVE");
    w->key = add;
    return output(add   ? had ? "adit: present\n" : "adit: added\n"
                  : had ? "adit: removed\n"
                        : "adit: absent\n",
                  "");
}

/* The last segment before the query. */
static void last_name(const char *line, char *out, size_t size)
{
    const char *end = strchr(line, '?'), *p = end;
    while (p > line && p[-1] != '/')
        p--;
    snprintf(out, size, "%.*s", (int)(end - p), p);
}

static json_t **rules_of(struct fake_world *w, const struct azure_req *r)
{
    return strcasestr(r->line, "/subnet-nsg") ? &w->subnet_rules : &w->rules;
}

/* Does it, and gives the document; NULL with r->err. */
static json_t *serve(struct fake_world *w, struct azure_req *r)
{
    char name[80];
    last_name(r->line, name, sizeof(name));
    if (is(r, "GET", "/securityRules/")) {
        json_t *p = json_object_get(*rules_of(w, r), name);
        if (p)
            return json_pack("{s:s,s:O}", "name", name, "properties", p);
    } else if (is(r, "GET", "/networkSecurityGroups/")) {
        return fake_nsg_doc(rules_of(w, r) == &w->rules ? NSG_ID : SUBNET_NSG_ID, *rules_of(w, r));
    } else if (is(r, "GET", "/subnets/")) {
        return w->subnet_rules
                   ? json_pack("{s:{s:{s:s}}}", "properties", "networkSecurityGroup", "id", SUBNET_NSG_ID)
                   : json_pack("{s:{}}", "properties");
    } else if (is(r, "GET", "/networkInterfaces/")) {
        return fake_nic_doc(w, strstr(r->line, "$expand") != NULL);
    } else if (is(r, "GET", "/publicIPAddresses/win-new-ip?")) {
        if (w->pip_made)
            return fake_pip_doc(w);
    } else if (is(r, "GET", "/virtualMachines/")) {
        if (w->exists)
            return fake_vm_doc(w);
    } else if (is(r, "POST", "/effectiveNetworkSecurityGroups")) {
        return fake_effective_doc(w);
    } else if (is(r, "POST", "/start")) {
        snprintf(w->power, sizeof(w->power), "running");
        w->up_at = clock_now(w->clock) + w->boot_ms;
        return json_object();
    } else if (is(r, "POST", "/runCommand")) {
        return run_script(w, r->body);
    } else if (is(r, "PUT", "/extensions/")) {
        snprintf(w->extension, sizeof(w->extension), "Succeeded");
        w->up_at = clock_now(w->clock) + w->install_ms;
        return json_object();
    } else if (is(r, "DELETE", "/extensions/")) {
        w->extension[0] = 0;
        return json_object();
    } else if (is(r, "PUT", "/securityRules/")) {
        json_object_set(*rules_of(w, r), name, json_object_get(r->body, "properties"));
        return json_object();
    } else if (is(r, "DELETE", "/securityRules/")) {
        json_object_del(*rules_of(w, r), name);
        return json_object();
    } else if (is(r, "PUT", "/publicIPAddresses/")) {
        w->pip_made = true;
        return json_object();
    } else if (is(r, "DELETE", "/publicIPAddresses/")) {
        w->pip_made = false;
        return json_object();
    } else if (is(r, "PUT", "/networkInterfaces/")) {
        char etag[24];
        snprintf(etag, sizeof(etag), "W/\"%u\"", w->etag);
        json_t *c =
            json_array_get(json_object_get(json_object_get(r->body, "properties"), "ipConfigurations"), 0);
        if (strcmp(json_string_value(json_object_get(r->body, "etag")), etag) != 0) {
            err_set(&r->err, ERR_PROTOCOL, "ARM PUT nic: 412 PreconditionFailed: the etag is another one");
            return NULL;
        }
        w->etag++;
        w->public_ip = json_object_get(json_object_get(c, "properties"), "publicIPAddress") != NULL;
        return json_object();
    }
    err_set(&r->err, ERR_NOTFOUND, "ARM %s: 404 ResourceNotFound: not found", r->line);
    return NULL;
}

void fake_op_begin(struct fake_op *op, struct fake_world *w, uint64_t ms, void (*finish)(struct fake_op *op))
{
    op->w = w;
    op->finish = finish;
    w->open++;
    if (timer_start(&op->timer, ms) < 0) /* made to fail, and not our matter */
        timer_start(&op->timer, ms);
}

void fake_op_end(struct fake_op *op)
{
    timer_stop(&op->timer);
    op->w->open--;
    free(op);
}

static void on_time(struct timer *t)
{
    struct fake_op *op = (struct fake_op *)(void *)t;
    op->finish(op);
}

static void finish(struct fake_op *op)
{
    struct azure_req r = *(struct azure_req *)(void *)op;
    struct fake_world *w = op->w;
    json_t *doc = r.err.code ? NULL : serve(w, &r);
    struct azure_reply reply = {
        .status = doc ? 200 : 404, .json = doc, .request_id = "", .retry_after_s = -1};
    json_decref(r.body);
    fake_op_end(op);
    if (r.reply)
        r.reply(r.arg, doc ? &reply : NULL, doc ? NULL : &r.err);
    else
        r.result(r.arg, doc, doc ? NULL : &r.err);
    json_decref(doc);
}

static bool counts_as_write(const struct azure_req *r)
{
    return is(r, "PUT", "/") || is(r, "DELETE", "/") || is(r, "POST", "/start");
}

static uint64_t apply_faults(struct fake_world *w, struct azure_req *r, uint64_t ms, uint32_t deadline_ms)
{
    for (unsigned i = 0; i < FAKE_FAULTS_MAX; i++) {
        struct fake_fault *f = &w->faults[i];
        if (!f->match || !f->times || !strcasestr(r->line, f->match))
            continue;
        if (f->times != UINT_MAX)
            f->times--;
        if (f->never) {
            err_set(&r->err, ERR_TIMEOUT, "ARM: the operation was not done within %u s", deadline_ms / 1000);
            return deadline_ms;
        }
        err_set(&r->err, f->code, "%s", f->message);
        return ms;
    }
    return ms;
}

static int begin(struct azure *a, const struct azure_call *call, uint64_t ms, struct azure_req *r)
{
    struct fake_world *w = a->w;
    snprintf(r->line, sizeof(r->line), "%s %s", call->method, call->path);
    r->body = json_incref(call->body);
    timer_init(&r->op.timer, w->clock, on_time);
    w->requests++;
    ms = apply_faults(w, r, ms, call->deadline_ms ? call->deadline_ms : 600000);
    if (counts_as_write(r)) {
        w->writes++;
        snprintf(w->log + strlen(w->log), sizeof(w->log) - strlen(w->log), "%.*s\n",
                 (int)strcspn(r->line, "?"), r->line);
    }
    fake_op_begin(&r->op, w, ms, finish);
    return 0;
}

int azure_send(struct azure *a, const struct azure_call *call, azure_reply_cb cb, void *arg,
               struct azure_req **out, struct err *err)
{
    struct azure_req *r = calloc(1, sizeof(*r));
    r->reply = cb;
    r->arg = arg;
    *out = r;
    return begin(a, call, GET_MS, r);
}

int azure_lro_start(struct azure *a, const struct azure_call *call, azure_lro_cb cb, void *arg,
                    struct azure_lro **out, struct err *err)
{
    struct azure_req *r = calloc(1, sizeof(*r));
    r->result = cb;
    r->arg = arg;
    *out = (struct azure_lro *)(void *)r;
    return begin(a, call, LRO_MS, r);
}

void azure_cancel(struct azure_req *req)
{
    json_decref(req->body);
    fake_op_end(&req->op);
}

/* What was begun goes on. */
void azure_lro_cancel(struct azure_lro *l)
{
    struct azure_req *r = (struct azure_req *)(void *)l;
    if (!r->err.code)
        json_decref(serve(r->op.w, r));
    azure_cancel(r);
}

int azure_caller_address(struct azure *a, const char *path, char out[AZURE_CALLER_MAX], struct err *err)
{
    if (!a->w->caller_known)
        return err_set(err, ERR_NOTFOUND, "not said");
    snprintf(out, AZURE_CALLER_MAX, CALLER);
    return 0;
}
