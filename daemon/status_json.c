/*
 * status_json: the proxy's status as the JSON of docs/protocol.md.
 */
#include "status_json.h"

#include <unistd.h>

#include "forward_args.h"

static void put(json_t *o, const char *key, json_t *value)
{
    json_object_set_new(o, key, value);
}

static void put_text(json_t *o, const char *key, const char *text)
{
    put(o, key, control_text(text));
}

static void put_number(json_t *o, const char *key, uint64_t n)
{
    put(o, key, json_integer((json_int_t)n));
}

static json_t *azure(const struct daemon *d)
{
    json_t *o = json_object();
    put(o, "ready", json_boolean(d->resolver != NULL));
    if (d->resolver) {
        struct azure_stats stats = {0};
        azure_stats_get(d->azure, &stats);
        put_number(o, "requests", stats.requests);
        put_number(o, "throttled", stats.throttled);
        put_number(o, "token_requests", stats.token_requests);
    } else {
        put_text(o, "error", d->azure_err.msg);
    }
    return o;
}

json_t *status_json_daemon(const struct daemon *d, const struct proxy_status *status)
{
    json_t *o = json_object();
    put_text(o, "version", ADIT_VERSION);
    put_number(o, "protocol", CONTROL_VERSION);
    put_number(o, "pid", (uint64_t)getpid());
    put_number(o, "started_ms", d->started_wall_ms);
    put_number(o, "now_ms", clock_wall_ms());
    put_text(o, "config", d->config->path);
    put(o, "config_changed", json_boolean(config_stamp_differs(&d->stamp, d->place->config)));
    put_number(o, "workers", status->workers);
    put(o, "azure", azure(d));
    return o;
}

static json_t *forward(const struct proxy_forward_status *f)
{
    json_t *o = json_object();
    put_text(o, "kind", forward_args_kind_name(f->kind));
    put_text(o, "spec", f->text);
    put_text(o, "listening", f->listening);
    put_text(o, "target", f->target);
    put(o, "runtime", json_boolean(f->runtime));
    put(o, "bulk", json_boolean(f->bulk));
    put_number(o, "flows", f->flows);
    put_number(o, "flows_total", f->flows_total);
    put_number(o, "flows_failed", f->flows_failed);
    put_number(o, "bytes_in", f->bytes_in);
    put_number(o, "bytes_out", f->bytes_out);
    put_text(o, "error", f->error);
    return o;
}

static void put_identity(json_t *o, const struct proxy_vm_status *vm)
{
    put_text(o, "vm", vm->alias);
    put_text(o, "name", vm->name);
    put_text(o, "user", vm->user);
    put_text(o, "via", vm->via);
    put_text(o, "id", vm->id);
    put_text(o, "vm_id", vm->vm_id);
    put_text(o, "power", vm->power);
    put_text(o, "address", vm->address);
}

static void put_connection(json_t *o, const struct proxy_vm_status *vm)
{
    put_number(o, "connections", vm->connections);
    put_number(o, "reconnects", vm->reconnects);
    put_text(o, "server", vm->server);
    put_text(o, "cipher", vm->cipher);
    put_text(o, "engine", vm->engine);
    put_text(o, "host_key", vm->host_key);
    put_text(o, "auth", vm->auth);
    put(o, "rtt_us", vm->rtt_us ? json_integer(vm->rtt_us) : json_null());
}

json_t *status_json_vm(const struct proxy_vm_status *vm)
{
    json_t *o = json_object(), *forwards = json_array();

    put_identity(o, vm);
    put_text(o, "state", proxy_vm_state_name(vm->state));
    put_number(o, "since_ms", vm->since_wall_ms);
    put_number(o, "retry_in_ms", vm->retry_in_ms);
    put_number(o, "attempts", vm->attempts);
    put_connection(o, vm);
    put_text(o, "error", vm->error);
    put(o, "error_ms", vm->error ? json_integer((json_int_t)vm->error_wall_ms) : json_null());
    for (size_t i = 0; i < vm->forward_count; i++)
        json_array_append_new(forwards, forward(&vm->forwards[i]));
    put(o, "forwards", forwards);
    return o;
}
