/*
 * proxy_ask: questions of the workers' logins on the main loop: handed to whoever can ask, the answers sent
 * back.
 */
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "front.h"
#include "ssh/keychain.h"

struct front_question {
    struct list node;
    uint64_t id; /* the worker's number, and which worker */
    uint64_t vm;
};

static uint64_t id_of(const struct proxy_mail *m)
{
    return m->seq * FRONT_WORKERS_MAX + m->worker;
}

static void question_free(struct front_question *q)
{
    list_remove(&q->node);
    mem_free(q);
}

static struct front_question *find(const struct proxy *p, uint64_t id)
{
    struct front_question *q;
    list_each(q, &p->questions, struct front_question, node)
    {
        if (q->id == id)
            return q;
    }
    return NULL;
}

static void send_answer(struct proxy *p, uint64_t id, const char *text, const struct err *err)
{
    struct proxy_mail *m = proxy_mail_new(MAIL_ANSWER);
    if (m) {
        m->seq = id / FRONT_WORKERS_MAX;
        m->secret = true;
        m->text = mem_strdup(text);
        if (err)
            m->err = *err;
        if (!m->text && !m->err.code)
            err_set(&m->err, ERR_NOMEM, "out of memory");
    }
    front_post(p, (unsigned)(id % FRONT_WORKERS_MAX), m, NULL);
}

void proxy_answer(struct proxy *p, uint64_t id, const char *text, const struct err *err)
{
    struct front_question *q = find(p, id);
    if (!q)
        return;
    question_free(q);
    if (!p->closing)
        send_answer(p, id, text, text ? NULL : err);
}

void front_asked(struct proxy *p, const struct proxy_mail *m)
{
    const struct front_vm *vm = table_by_id(p, m->vm);
    struct err err = {0};
    if (p->closing)
        return;
    struct front_question *q = vm && p->o.asker.ask ? mem_zalloc(sizeof *q) : NULL;
    if (!q) {
        err_set(&err, ERR_NOTFOUND, "nobody can be asked");
        send_answer(p, id_of(m), NULL, &err);
        return;
    }
    q->id = id_of(m);
    q->vm = m->vm;
    list_push(&p->questions, &q->node);
    p->o.asker.ask(p->o.asker.arg, &(struct proxy_question){.id = q->id,
                                                            .alias = vm->config->alias,
                                                            .kind = ssh_ask_kind_name(m->question),
                                                            .prompt = m->text,
                                                            .echo = (m->flags & MAIL_ECHO) != 0});
}

void front_ask_over(struct proxy *p, const struct proxy_mail *m)
{
    struct front_question *q = find(p, id_of(m));
    if (!q)
        return;
    uint64_t id = q->id;
    question_free(q);
    if (!p->closing)
        p->o.asker.withdrawn(p->o.asker.arg, id);
}

static const struct front_vm *via_of(const struct proxy *p, const char *name)
{
    const struct front_vm *vm = table_find(p, name), *other;
    struct config_vm *config;
    if (vm || config_vm_adhoc(p->config, name, NULL, &config, NULL) < 0)
        return vm;
    list_each(other, &p->vms, struct front_vm, node)
    {
        if (!vm && vm_name_equal(&other->config->vm, &config->vm))
            vm = other;
    }
    config_vm_free(config);
    return vm;
}

bool proxy_leads_through(const struct proxy *p, const char *from, const char *via, const char *alias)
{
    const struct front_vm *vm = table_find(p, from);
    if (strcasecmp(from, alias) == 0)
        return true;
    if (!via && vm)
        via = vm->config->via;
    for (int depth = 0; via && depth <= FRONT_VIA_DEPTH_MAX; depth++) {
        vm = via_of(p, via);
        if (vm && strcasecmp(vm->config->alias, alias) == 0)
            return true;
        via = vm ? vm->config->via : NULL;
    }
    return false;
}

bool front_asking(const struct proxy *p, const struct config_vm *vm)
{
    const struct front_question *q;
    list_each(q, &p->questions, struct front_question, node)
    {
        const struct front_vm *of = table_by_id(p, q->vm);
        if (of && proxy_leads_through(p, vm->alias, vm->via, of->config->alias))
            return true;
    }
    return false;
}

static bool logs_in_with(const struct front_vm *vm, const char *identity)
{
    for (size_t i = 0; i < vm->config->ssh.identity_count; i++) {
        if (strcmp(vm->config->ssh.identities[i], identity) == 0)
            return true;
    }
    return false;
}

void front_forget_keys(struct front_vm *vm)
{
    const struct front_vm *other;
    for (size_t i = 0; i < vm->config->ssh.identity_count; i++) {
        const char *identity = vm->config->ssh.identities[i];
        bool needed = false;
        list_each(other, &vm->proxy->vms, struct front_vm, node)
        {
            needed = needed ||
                     (other != vm && (other->wanted || table_is_via(other)) && logs_in_with(other, identity));
        }
        if (!needed)
            ssh_keychain_forget(identity);
    }
}

void proxy_forget_answers(struct proxy *p)
{
    ssh_keychain_forget(NULL);
    for (unsigned i = 0; i < p->worker_count; i++)
        front_post(p, i, proxy_mail_new(MAIL_FORGET), NULL);
}

void front_questions_free(struct proxy *p)
{
    struct list *node;
    while ((node = list_first(&p->questions)) != NULL)
        question_free(container_of(node, struct front_question, node));
}
