/*
 * keychain: the keys that a passphrase has opened, kept for as long as the process lives.
 */
#include "keychain.h"

#include <openssl/evp.h>
#include <pthread.h>
#include <stdbool.h>
#include <string.h>

#include "base/list.h"
#include "base/mem.h"
#include "keyfile.h"
#include "keyfile_digest.h"

struct kept {
    struct list node;
    char *path;
    uint8_t digest[32]; /* of the file */
    EVP_PKEY *pkey;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct list keys = {&keys, &keys}; /* in the order of opening; under the lock, as what follows */
static unsigned count;
static struct list opening = {&opening, &opening};
static pthread_cond_t opened = PTHREAD_COND_INITIALIZER; /* one less is being opened */

static void drop(struct kept *e)
{
    list_remove(&e->node);
    count--;
    EVP_PKEY_free(e->pkey); /* wipes its private numbers */
    mem_free(e->path);
    mem_free(e);
}

void ssh_keychain_forget(const char *path)
{
    struct kept *e;
    pthread_mutex_lock(&lock);
    list_each(e, &keys, struct kept, node)
    {
        if (!path || strcmp(e->path, path) == 0)
            drop(e);
    }
    pthread_mutex_unlock(&lock);
}

static bool of_file(const struct kept *e, const char *path, const uint8_t digest[32])
{
    return strcmp(e->path, path) == 0 && memcmp(e->digest, digest, sizeof e->digest) == 0;
}

void ssh_keychain_find(struct ssh_keyfile *k, const char *text, size_t n)
{
    uint8_t digest[32];
    struct kept *e;
    struct err err;
    if (ssh_digest_sha256(digest, text, n) < 0)
        return;
    pthread_mutex_lock(&lock);
    list_each(e, &keys, struct kept, node)
    {
        if (!k->pkey && of_file(e, k->path, digest) && EVP_PKEY_up_ref(e->pkey) == 1)
            k->pkey = e->pkey;
    }
    pthread_mutex_unlock(&lock);
    if (k->pkey && ssh_keyfile_public(k, &err) < 0) {
        EVP_PKEY_free(k->pkey);
        k->pkey = NULL;
    } else if (k->pkey) {
        k->locked = false;
        err_clear(&k->trouble);
    }
}

void ssh_keychain_add(const struct ssh_keyfile *k, const char *text, size_t n)
{
    struct kept *e = mem_zalloc(sizeof *e), *other;
    if (e)
        e->path = mem_strdup(k->path);
    if (!e || !e->path || ssh_digest_sha256(e->digest, text, n) < 0 || EVP_PKEY_up_ref(k->pkey) != 1) {
        if (e)
            mem_free(e->path);
        mem_free(e);
        return;
    }
    e->pkey = k->pkey;
    pthread_mutex_lock(&lock);
    list_each(other, &keys, struct kept, node)
    {
        if (strcmp(other->path, e->path) == 0)
            drop(other);
    }
    if (count >= SSH_KEYCHAIN_MAX)
        drop(container_of(list_first(&keys), struct kept, node));
    list_push(&keys, &e->node);
    count++;
    pthread_mutex_unlock(&lock);
}

void ssh_keychain_open_begin(struct ssh_keychain_opening *o, const char *path)
{
    o->path = path;
    pthread_mutex_lock(&lock);
    list_push(&opening, &o->node);
    pthread_mutex_unlock(&lock);
}

void ssh_keychain_open_end(struct ssh_keychain_opening *o)
{
    pthread_mutex_lock(&lock);
    list_remove(&o->node);
    pthread_cond_broadcast(&opened);
    pthread_mutex_unlock(&lock);
}

static bool is_being_opened(const char *path)
{
    const struct ssh_keychain_opening *o;
    list_each(o, &opening, struct ssh_keychain_opening, node)
    {
        if (strcmp(o->path, path) == 0)
            return true;
    }
    return false;
}

void ssh_keychain_wait(const char *path)
{
    pthread_mutex_lock(&lock);
    while (is_being_opened(path))
        pthread_cond_wait(&opened, &lock);
    pthread_mutex_unlock(&lock);
}
