/*
 * known_names: the VMs and forwards that can be told without asking Azure and without starting anything.
 */
#include "known_names.h"

#include <dirent.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "base/fs.h"
#include "base/mem.h"
#include "config/config.h"
#include "config/paths.h"
#include "config_file.h"
#include "forward_list.h"

#define ASK_MS 200
#define CACHE_FILES_MAX 16
#define CACHE_FILE_SIZE_MAX ((size_t)8 << 20)
#define NAMES_MAX 20000

/* A shell may put it into a command line as it is. */
#define HARMLESS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/._-@:,+%=[]*"

static void add(struct known_names *k, const char *name, const char *about)
{
    if (!name || !*name || strchr("-:=", *name) || name[strspn(name, HARMLESS)] || k->count >= NAMES_MAX)
        return;
    if (k->count == k->capacity) {
        size_t capacity = k->capacity ? k->capacity * 2 : 64;
        struct known_name *items = mem_realloc(k->items, capacity * sizeof *items);
        if (!items)
            return;
        k->items = items;
        k->capacity = capacity;
    }
    if (about && about[strspn(about, HARMLESS)])
        about = NULL;
    struct known_name n = {mem_strdup(name), mem_strdup(about)};
    if (n.name)
        k->items[k->count++] = n;
    else
        mem_free(n.about);
}

static int by_name(const void *a, const void *b)
{
    const struct known_name *one = a, *other = b;
    int order = strcasecmp(one->name, other->name);
    return order ? order : strcmp(one->name, other->name);
}

void known_names_sort(struct known_names *k)
{
    size_t n = 0;
    if (k->count > 0)
        qsort(k->items, k->count, sizeof *k->items, by_name);
    for (size_t i = 0; i < k->count; i++) {
        if (n > 0 && strcasecmp(k->items[n - 1].name, k->items[i].name) == 0) {
            mem_free(k->items[i].name);
            mem_free(k->items[i].about);
        } else {
            k->items[n++] = k->items[i];
        }
    }
    k->count = n;
}

void known_names_done(struct known_names *k)
{
    for (size_t i = 0; i < k->count; i++) {
        mem_free(k->items[i].name);
        mem_free(k->items[i].about);
    }
    mem_free(k->items);
    *k = (struct known_names){NULL, 0, 0};
}

/* ---- the configuration ---- */

static const struct config *load(const struct cli *cli)
{
    const struct config *config = NULL;
    struct err err = {0};
    bool named;
    char *path = config_file_find(cli, NULL, &named, &err);
    if (path && config_load(&config, path, NULL, &err) < 0)
        config = NULL;
    mem_free(path);
    return config;
}

static void add_configured(struct known_names *k, const struct cli *cli)
{
    const struct config *config = load(cli);
    for (size_t i = 0; config && i < config->vm_count; i++) {
        char *name = vm_name_text(&config->vms[i].vm);
        add(k, config->vms[i].alias, name);
        mem_free(name);
    }
    config_unref(config);
}

/* ---- what aditd remembers: resolver/cache_doc.h ---- */

static const char *member(const json_t *o, const char *key)
{
    return json_string_value(json_object_get(o, key));
}

static void add_file(struct known_names *groups, struct known_names *names, const char *path)
{
    struct stat st;
    char *text = NULL;
    size_t len = 0, i;
    const json_t *vm;

    if (lstat(path, &st) != 0 || !S_ISREG(st.st_mode) ||
        fs_read(path, CACHE_FILE_SIZE_MAX, &text, &len, NULL) < 0)
        return;
    json_t *doc = json_loadb(text, len, 0, NULL);
    json_array_foreach(json_object_get(doc, "vms"), i, vm)
    {
        const char *group = member(vm, "group"), *name = member(vm, "name");
        char *full = group && name ? mem_printf("%s/%s", group, name) : NULL;
        if (full && !full[strspn(full, HARMLESS)]) {
            add(groups, full, member(vm, "location"));
            add(names, name, full);
        }
        mem_free(full);
    }
    json_decref(doc);
    mem_free(text);
}

static void read_cache(struct known_names *groups, struct known_names *names)
{
    struct err err = {0};
    char *folder = paths_cache_dir(&err);
    DIR *dir = folder ? opendir(folder) : NULL;
    struct dirent *entry;
    int files = 0;

    while (dir && files < CACHE_FILES_MAX && (entry = readdir(dir))) {
        if (fnmatch("vms-*.json", entry->d_name, 0) != 0)
            continue;
        char *path = mem_printf("%s/%s", folder, entry->d_name);
        if (path)
            add_file(groups, names, path);
        mem_free(path);
        files++;
    }
    if (dir)
        closedir(dir);
    mem_free(folder);
}

/* A name that two VMs have is ambiguous: those are told with their groups. */
static void add_remembered(struct known_names *k, bool with_groups)
{
    struct known_names groups = {NULL, 0, 0}, names = {NULL, 0, 0};

    read_cache(&groups, &names);
    if (names.count > 0)
        qsort(names.items, names.count, sizeof *names.items, by_name);
    for (size_t i = 0, end; i < names.count; i = end) {
        const struct known_name *first = &names.items[i];
        bool twins = false;
        for (end = i + 1; end < names.count && strcasecmp(names.items[end].name, first->name) == 0; end++)
            twins |= strcasecmp(names.items[end].about, first->about) != 0;
        for (size_t j = i; j < end; j++)
            add(k, twins ? names.items[j].about : names.items[j].name, twins ? NULL : names.items[j].about);
    }
    for (size_t i = 0; with_groups && i < groups.count; i++)
        add(k, groups.items[i].name, groups.items[i].about);
    known_names_done(&groups);
    known_names_done(&names);
}

/* ---- an aditd that runs ---- */

static json_t *ask(void)
{
    struct control_client *c = NULL;
    struct err err = {0};
    json_t *answer = NULL;
    char *path = paths_socket(&err);

    if (path && control_client_open(&c, path, ASK_MS, &err) == 0 &&
        control_call(c, "status", NULL, ASK_MS, NULL, NULL, &answer, NULL, &err) < 0)
        answer = NULL;
    control_client_close(c);
    mem_free(path);
    return answer;
}

void known_names_vms(struct known_names *k, const struct cli *cli, bool with_groups)
{
    json_t *status = ask();
    const json_t *vm;
    size_t i;

    add_configured(k, cli);
    add_remembered(k, with_groups);
    json_array_foreach(json_object_get(status, "vms"), i, vm) add(k, member(vm, "vm"), member(vm, "name"));
    json_decref(status);
}

static void add_running(struct known_names *k, const json_t *status, const char *wanted, const char *kind)
{
    const json_t *vm, *f;
    size_t i, j;

    json_array_foreach(json_object_get(status, "vms"), i, vm)
    {
        const char *alias = member(vm, "vm"), *name = member(vm, "name");
        if ((!alias || strcasecmp(alias, wanted) != 0) && (!name || strcasecmp(name, wanted) != 0))
            continue;
        json_array_foreach(json_object_get(vm, "forwards"), j, f)
        {
            if (member(f, "kind") && strcmp(member(f, "kind"), kind) == 0)
                add(k, member(f, "spec"), NULL);
        }
    }
}

void known_names_forwards(struct known_names *k, const struct cli *cli, const char *vm,
                          enum forward_kind kind)
{
    json_t *status = ask();
    if (status) {
        add_running(k, status, vm, forward_list_kind_name(kind));
    } else {
        const struct config *config = load(cli);
        const struct config_vm *known = config ? config_vm_find(config, vm) : NULL;
        for (size_t i = 0; known && i < known->forward_count; i++)
            if (known->forwards[i].kind == kind)
                add(k, known->forwards[i].text, NULL);
        config_unref(config);
    }
    json_decref(status);
}
