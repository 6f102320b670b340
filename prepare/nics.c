/*
 * nics: the documents of a VM's network interfaces, all asked for at once, and the way in that they give.
 *
 * The first interface with a public IP address is the way, the primary one first; without any it is the
 * primary one. Failure modes: an interface that may not be read is left out, unless it is the primary one.
 */
#include <string.h>

#include "base/mem.h"
#include "run.h"

#define NIC_QUERY "$expand=IPConfigurations/PublicIPAddress&api-version=" NETWORK_API
#define NIC_QUERY_UNIFORM "$expand=ipConfigurations/publicIPAddress&api-version=2018-10-01"

static int pick(struct prepare_run *run, struct err *err)
{
    for (size_t i = 0; i < run->vm.nic_count; i++) {
        struct facts_way way;
        if (!run->nics.docs[i])
            continue;
        int rc = facts_way_parse(&way, run->nics.docs[i], err);
        if (rc < 0)
            return rc;
        if (run->way_known && (run->way.public_id || !way.public_id)) {
            facts_way_done(&way);
            continue;
        }
        if (run->way_known)
            facts_way_done(&run->way);
        run->way = way;
        run->way_known = true;
    }
    return run->way_known ? 0 : err_set(err, ERR_NOTFOUND, "%s has no network interface", run->vm.name);
}

static void finish(struct prepare_run *run)
{
    nics_cb done = run->nics.done;
    struct err why = run->nics.err;
    run->nics.done = NULL;
    if (!why.code)
        pick(run, &why);
    done(run, why.code ? &why : NULL);
}

static void on_nic(struct prepare_run *run, size_t i, const json_t *doc, const struct err *err)
{
    if (!err)
        run->nics.docs[i] = json_incref((json_t *)doc);
    else if (i == 0 || err->code == ERR_NOMEM)
        run->nics.err = *err;
    if (--run->nics.open == 0)
        finish(run);
}

void nics_forget(struct prepare_run *run)
{
    for (size_t i = 0; i < FACTS_NICS_MAX; i++) {
        json_decref(run->nics.docs[i]);
        run->nics.docs[i] = NULL;
    }
    err_clear(&run->nics.err);
    if (run->way_known)
        facts_way_done(&run->way);
    run->way_known = false;
}

void nics_load(struct prepare_run *run, nics_cb done)
{
    struct err why = {0};
    nics_forget(run);
    run->nics.done = done;
    run->nics.open = 1; /* held until all are sent */
    for (size_t i = 0; i < run->vm.nic_count && !why.code; i++)
        if (call_get(run, run->vm.nics[i], NULL, run->vm.uniform ? NIC_QUERY_UNIFORM : NIC_QUERY, on_nic, i,
                     &why) == 0)
            run->nics.open++;
    if (why.code)
        run->nics.err = why;
    if (--run->nics.open == 0)
        finish(run);
}
