/*
 * login_mend: the user's public key, put into the file that sshd reads, by one Run Command; and taken out.
 *
 *   mend:  RECORD ──▶ script ──"adit: added"──▶ mended
 *                        ├──"adit: present"──▶ fails: the key is not what the server refuses
 *                        └──anything else──▶ could not be mended; not recorded any more
 *   undo:  script ──"adit: removed", "adit: absent"──▶ forget it ──▶ the next key
 *
 * The key is recorded before the script runs: if we go away meanwhile, Azure goes on. It was refused a moment
 * ago, so what is recorded then is ours but for a key that lies in the file and does not help.
 */
#include <string.h>

#include "base/mem.h"
#include "enter.h"
#include "run_command.h"
#include "script.h"

static int note(struct record_vm *r, const void *arg)
{
    return record_key_put(r, arg);
}

static int drop(struct record_vm *r, const void *arg)
{
    record_key_drop(r, arg);
    return 0;
}

static struct record_key key_of(const struct prepare_run *run)
{
    return (struct record_key){
        .user = run->plan.user, .line = run->plan.public_key, .administrator = run->plan.administrator};
}

/* It was there before, or did not get there: an undo has nothing to do, unless an earlier run put it there.
 */
static bool forget_key(struct prepare_run *run)
{
    struct record_key key = key_of(run);
    return run->key_known || run_record(run, drop, &key);
}

static void useless(struct prepare_run *run)
{
    const enum prepare_step s = PREPARE_LOGIN;
    step_fail(run, s, ERR_AUTH, "%s's key is on %s already, and the server refuses the login all the same",
              run->plan.user, run->vm.name);
    step_hint(run, s, false, "is it the identity that adit offers? The VM's log: %s",
              run->vm.windows ? "Applications and Services > OpenSSH > Operational" : "`journalctl -u ssh`");
}

static void on_added(struct prepare_run *run, size_t tag, const json_t *doc, const struct err *err)
{
    const enum prepare_step s = PREPARE_LOGIN;
    struct err why = {0}, present = {0};
    bool added = !err && run_command_said(doc, "adit: added", &why) == 0;
    bool there = !err && !added && run_command_said(doc, "adit: present", &present) == 0;
    if (err)
        why = *err;
    if (added)
        step_mended(run, s, "added the public key for %s on %s", run->plan.user, run->vm.name);
    else if (!there && (why.code == ERR_TIMEOUT || why.code == ERR_NOMEM || why.code == ERR_PROTOCOL ||
                        present.code == ERR_NOMEM))
        step_mend_failed(run, s, present.code == ERR_NOMEM ? &present : &why); /* it may be there, or come */
    else if (forget_key(run) && there)
        useless(run);
    else if (!run->broke.code)
        step_mend_failed(run, s, &why);
}

/* Whether an earlier run recorded that key. */
static bool is_recorded(const struct record_vm *r, const struct record_key *key)
{
    for (unsigned i = 0; i < r->key_count; i++)
        if (strcmp(r->keys[i].line, key->line) == 0 && strcmp(r->keys[i].user, key->user) == 0)
            return true;
    return false;
}

void login_mend(struct prepare_run *run, enum prepare_step s)
{
    struct record_key key = key_of(run);
    struct err why = {0};
    struct record_vm *r = run_recall(run);
    if (!r)
        return;
    run->key_known = is_recorded(r, &key);
    record_free(r);
    if (!run_record(run, note, &key))
        return;
    step_doing(run, s, "adding the public key for %s on %s", run->plan.user, run->vm.name);
    if (run_command(run, script_key_add(&run->plan), on_added, 0, &why) < 0)
        step_mend_failed(run, s, &why);
}

/* ---- undo ---- */

static void undo_next(struct prepare_run *run);

static void on_removed(struct prepare_run *run, size_t tag, const json_t *doc, const struct err *err)
{
    const enum prepare_step s = PREPARE_LOGIN;
    const struct record_key *key = &run->undo->keys[0];
    struct err why = {0};
    if (err)
        why = *err;
    bool removed = !err && run_command_said(doc, "adit: removed", &why) == 0;
    if (!removed && (err || why.code == ERR_NOMEM || run_command_said(doc, "adit: absent", NULL) < 0)) {
        step_undo_failed(run, s, &why);
        return;
    }
    if (removed)
        step_changed(run, s, "removed the public key of %s from %s", key->user, run->vm.name);
    run->undo_removed += removed;
    if (run_record(run, drop, key))
        undo_next(run);
}

static void undo_next(struct prepare_run *run)
{
    const enum prepare_step s = PREPARE_LOGIN;
    struct err why = {0};
    if (!run_undo_recall(run))
        return;
    const struct record_key *key = &run->undo->keys[0];
    if (run->undo->key_count == 0 && run->undo_removed) {
        step_undone(run, s, "the key that adit added is removed");
        return;
    }
    if (run->undo->key_count == 0) {
        step_skip(run, s, "adit has no key there");
        return;
    }
    if (run->vm.power[0] && strcmp(run->vm.power, "running") != 0) {
        step_fail(run, s, ERR_UNAVAILABLE, "the key cannot be removed while %s is %s", run->vm.name,
                  run->vm.power);
        step_hint(run, s, false, "`adit start %s`, then `adit prepare %s --undo`", run->o.alias,
                  run->o.alias);
        return;
    }
    struct plan plan = {.windows = run->vm.windows,
                        .user = key->user,
                        .administrator = key->administrator,
                        .public_key = key->line};
    step_doing(run, s, "removing the public key of %s from %s", key->user, run->vm.name);
    if (run_command(run, script_key_remove(&plan), on_removed, 0, &why) < 0)
        step_undo_failed(run, s, &why);
}

void login_undo(struct prepare_run *run, enum prepare_step s)
{
    run->undo_removed = 0;
    undo_next(run);
}
