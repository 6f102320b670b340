/*
 * The cache on disk: what outlives a restart, what is refused, and what is used when ARM cannot be asked.
 */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/mem.h"
#include "world.h"

static char dir[64];
static char path[512];

static int setup(void **state)
{
    struct world *w;
    snprintf(dir, sizeof(dir), "/tmp/adit-cache-XXXXXX");
    if (!mkdtemp(dir) || world_setup(state))
        return -1;
    w = *state;
    w->cache_dir = dir;
    w->cache_scope = "cloud=test";
    world_reopen_same(w);
    return 0;
}

/* The file's path, if there is exactly one. */
static const char *file(void)
{
    DIR *d = opendir(dir);
    unsigned count = 0;
    assert_non_null(d);
    for (struct dirent *e; (e = readdir(d)) != NULL;) {
        if (e->d_name[0] == '.')
            continue;
        snprintf(path, sizeof(path), "%s/%.200s", dir, e->d_name);
        count++;
    }
    closedir(d);
    return count == 1 ? path : NULL;
}

static int teardown(void **state)
{
    char one[512];
    int rc = world_teardown(state);
    DIR *d = opendir(dir);
    for (struct dirent *e; (e = readdir(d)) != NULL;) {
        snprintf(one, sizeof(one), "%s/%.200s", dir, e->d_name);
        if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
            unlink(one);
    }
    closedir(d);
    return rmdir(dir) || rc;
}

static char *contents(void)
{
    char *text;
    assert_non_null(file());
    assert_int_equal(fs_read(path, 1 << 20, &text, NULL, NULL), 0);
    return text;
}

static void put(const char *text, mode_t mode)
{
    assert_non_null(file());
    assert_int_equal(fs_replace(path, text, strlen(text), mode, NULL), 0);
}

static void ask_both(struct world *w)
{
    struct found f;
    world_graph(w, ROW(SUB, "rg-web", "web1", "running", "20.0.0.1"));
    world_vm(w, "rg", "vm", "running", "10.0.0.4", "20.0.0.2");
    world_find(w, "web1", 0, &f);
    found_done(&f);
    world_find(w, "rg/vm", 0, &f);
    found_done(&f);
}

static void a_restart_forgets_nothing(void **state)
{
    static const char *const spellings[] = {"web1", "WEB1", "rg-web/web1", "rg/vm", SUB "/RG/vm"};
    struct world *w = *state;
    struct stat st;
    struct found f;
    ask_both(w);
    unsigned before = world_requests(w);
    world_reopen_same(w);
    assert_non_null(file());
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    for (size_t i = 0; i < sizeof(spellings) / sizeof(spellings[0]); i++) {
        world_find(w, spellings[i], 0, &f);
        assert_int_equal(f.err.code, 0);
        assert_int_equal(f.facts->source, RESOLVER_SOURCE_CACHE);
        assert_int_equal(f.facts->power, RESOLVER_POWER_RUNNING);
        assert_string_equal(f.facts->addresses[0].ip, i < 3 ? "20.0.0.1" : "20.0.0.2");
        assert_true(f.facts->addresses[0].is_public);
        assert_string_equal(f.facts->vm_id, i < 3 ? "vmid-web1" : "vmid-vm");
        assert_null(f.facts->unconfirmed);
        found_done(&f);
    }
    assert_int_equal(world_requests(w), before);
}

static void it_is_written_while_the_daemon_runs(void **state)
{
    struct world *w = *state;
    ask_both(w);
    for (int i = 0; i < 500 && !file(); i++) {
        uv_sleep(10);
        rig_turns(w->rig, 1);
    }
    char *text = contents();
    assert_contains(text, "\"20.0.0.2\"");
    assert_null(strstr(text, RIG_TOKEN));
    assert_null(strstr(text, RIG_SECRET));
    mem_free(text);
}

static void a_failed_connect_is_remembered(void **state)
{
    struct world *w = *state;
    struct found f;
    ask_both(w);
    world_invalidate(w, "rg/vm");
    world_reopen_same(w);
    world_vm(w, "rg", "vm", "running", "10.0.0.4", "20.0.0.9");
    world_find(w, "rg/vm", 0, &f);
    assert_string_equal(f.facts->addresses[0].ip, "20.0.0.9");
    found_done(&f);
}

static void none_is_remembered_for_a_while(void **state)
{
    struct world *w = *state;
    struct found f;
    world_graph(w, "");
    world_find(w, "nosuch", 0, &f);
    assert_int_equal(f.err.code, ERR_NOTFOUND);
    found_done(&f);
    unsigned before = world_requests(w);
    world_reopen_same(w);
    world_find(w, "nosuch", 0, &f);
    assert_int_equal(f.err.code, ERR_NOTFOUND);
    assert_contains(f.err.msg, "no VM named nosuch");
    found_done(&f);
    assert_int_equal(world_requests(w), before);
}

static void another_cloud_or_subscription_is_another_cache(void **state)
{
    static const char *const other[] = {SUB2};
    struct world *w = *state;
    struct found f;
    ask_both(w);
    world_graph(w, "");
    world_reopen(w, other, 1);
    world_find(w, "web1", 0, &f);
    assert_int_equal(f.err.code, ERR_NOTFOUND);
    found_done(&f);
    w->cache_scope = "cloud=other";
    world_reopen_same(w);
    world_find(w, "web1", 0, &f);
    assert_int_equal(f.err.code, ERR_NOTFOUND);
    found_done(&f);
}

/* Without configured subscriptions another person's sign-in may mean another VM by the same name. */
static void an_unsure_name_is_only_a_last_resort(void **state)
{
    struct world *w = *state;
    struct found f;
    world_graph(w, ROW(SUB, "rg-web", "web1", "running", "20.0.0.1"));
    world_reopen(w, NULL, 0);
    world_find(w, "web1", 0, &f);
    found_done(&f);
    world_reopen(w, NULL, 0);
    world_graph(w, ROW(SUB, "rg-web", "web1", "running", "20.0.0.2"));
    world_find(w, "web1", 0, &f);
    assert_string_equal(f.facts->addresses[0].ip, "20.0.0.2");
    found_done(&f);
    world_reopen(w, NULL, 0);
    fake_arm_forget(w->rig->arm, GRAPH);
    fake_arm_on(w->rig->arm, GRAPH, FAKE_RESET, NULL, NULL);
    world_find(w, "web1", 0, &f);
    assert_int_equal(f.err.code, 0);
    assert_string_equal(f.facts->addresses[0].ip, "20.0.0.2");
    assert_non_null(f.facts->unconfirmed);
    found_done(&f);
}

static void refused(struct world *w)
{
    struct found f;
    unsigned before = world_requests(w);
    world_reopen_same(w);
    world_find(w, "rg/vm", 0, &f);
    assert_int_equal(f.err.code, 0);
    found_done(&f);
    assert_int_equal(world_requests(w), before + 2);
}

static void a_file_that_is_not_right_is_ignored(void **state)
{
    static const char *const wrong[] = {
        "",
        "not json",
        "[]",
        "{}",
        "{\"format\":\"adit-vms\",\"version\":2,\"scope\":\"cloud=test subscription=" SUB "\",\"vms\":[]}",
        "{\"format\":\"adit-vms\",\"version\":1,\"scope\":\"cloud=other\",\"vms\":[]}",
        "{\"format\":\"adit-vms\",\"version\":1,\"scope\":\"cloud=test subscription=" SUB "\",\"vms\":7}",
        "{\"format\":\"adit-vms\",\"version\":1,\"scope\":\"cloud=test subscription=" SUB "\",\"vms\":[{}]}",
    };
    struct world *w = *state;
    ask_both(w);
    world_reopen_same(w);
    char *good = contents();
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        resolver_free(w->resolver);
        w->resolver = NULL;
        put(wrong[i], 0600);
        refused(w);
    }
    resolver_free(w->resolver);
    w->resolver = NULL;
    put(good, 0644); /* others may have read it, or written it on an odd umask */
    refused(w);
    resolver_free(w->resolver);
    w->resolver = NULL;
    good[strlen(good) / 2] = 0;
    put(good, 0600);
    refused(w);
    mem_free(good);
}

static void a_link_is_not_followed(void **state)
{
    struct world *w = *state;
    char target[96];
    ask_both(w);
    world_reopen_same(w);
    resolver_free(w->resolver);
    w->resolver = NULL;
    assert_non_null(file());
    snprintf(target, sizeof(target), "%s/.elsewhere", dir);
    assert_int_equal(rename(path, target), 0);
    assert_int_equal(symlink(target, path), 0);
    refused(w);
}

static void a_directory_that_cannot_be_is_only_a_warning(void **state)
{
    struct world *w = *state;
    char blocked[96];
    snprintf(blocked, sizeof(blocked), "%s/file", dir);
    close(open(blocked, O_CREAT | O_WRONLY, 0600));
    w->cache_dir = blocked;
    world_reopen_same(w);
    ask_both(w);
    w->cache_dir = dir;
}

static void without_arm_the_last_answer_must_do(void **state)
{
    struct world *w = *state;
    struct found f;
    ask_both(w);
    world_invalidate(w, "rg/vm");
    fake_arm_forget(w->rig->arm, "GET " VM_PATH("rg", "vm") "?$expand=instanceView");
    fake_arm_on(w->rig->arm, "GET " VM_PATH("rg", "vm") "?$expand=instanceView", FAKE_RESET, NULL, NULL);
    world_find(w, "rg/vm", RESOLVER_DIRECT, &f);
    assert_int_equal(f.err.code, 0);
    assert_string_equal(f.facts->addresses[0].ip, "20.0.0.2");
    assert_contains(f.facts->unconfirmed, "looking up rg/vm");
    found_done(&f);
    world_find(w, "rg/vm", RESOLVER_NO_CACHE, &f);
    assert_int_equal(f.err.code, ERR_UNAVAILABLE);
    found_done(&f);
    /* ARM's refusal is an answer. */
    fake_arm_forget(w->rig->arm, "GET " VM_PATH("rg", "vm") "?$expand=instanceView");
    fake_arm_on(w->rig->arm, "GET " VM_PATH("rg", "vm") "?$expand=instanceView", 403, NULL,
                NO_SUCH("AuthorizationFailed"));
    world_find(w, "rg/vm", RESOLVER_DIRECT, &f);
    assert_int_equal(f.err.code, ERR_DENIED);
    found_done(&f);
}

/* With an old answer at hand, a silent ARM is not waited for to the end. */
static void patience_ends_before_the_deadline(void **state)
{
    struct world *w = *state;
    struct found f;
    ask_both(w);
    fake_arm_forget(w->rig->arm, "GET " VM_PATH("rg", "vm") "?$expand=instanceView");
    fake_arm_on(w->rig->arm, "GET " VM_PATH("rg", "vm") "?$expand=instanceView", FAKE_HANG, NULL, NULL);
    clock_test_freeze(w->rig->clock, clock_now(w->rig->clock));
    world_ask(w, "rg/vm", RESOLVER_DIRECT, 0, &f);
    uint64_t took = rig_advance_until(w->rig, &f.count, 1);
    assert_true(took >= RESOLVER_PATIENCE_MS && took < 2 * RESOLVER_PATIENCE_MS);
    assert_int_equal(f.err.code, 0);
    assert_contains(f.facts->unconfirmed, "did not say within 5 s");
    found_done(&f);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_restart_forgets_nothing),
        TEST(it_is_written_while_the_daemon_runs),
        TEST(a_failed_connect_is_remembered),
        TEST(none_is_remembered_for_a_while),
        TEST(another_cloud_or_subscription_is_another_cache),
        TEST(an_unsure_name_is_only_a_last_resort),
        TEST(a_file_that_is_not_right_is_ignored),
        TEST(a_link_is_not_followed),
        TEST(a_directory_that_cannot_be_is_only_a_warning),
        TEST(without_arm_the_last_answer_must_do),
        TEST(patience_ends_before_the_deadline),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
