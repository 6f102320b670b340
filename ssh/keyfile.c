/*
 * keyfile: reads a private key file and says in a sentence why it cannot be used, if so.
 */
#include "keyfile.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/base64.h"
#include "base/fs.h"
#include "base/mem.h"
#include "base/wire.h"
#include "keychain.h"

static const char openssh_begin[] = "-----BEGIN OPENSSH PRIVATE KEY-----";
static const char openssh_end[] = "-----END OPENSSH PRIVATE KEY-----";

struct passphrase {
    const char *text; /* or NULL */
    bool wanted;
};

/* Nobody is asked here; that one is wanted is remembered. */
static int on_passphrase(char *buf, int size, int writing, void *arg)
{
    struct passphrase *p = arg;
    size_t n = p->text ? strlen(p->text) : 0;
    p->wanted = true;
    if (n == 0 || n > (size_t)size)
        return -1;
    memcpy(buf, p->text, n);
    return (int)n;
}

static void parse_pem(struct ssh_keyfile *k, const char *text, size_t n, const char *passphrase)
{
    struct passphrase p = {.text = passphrase};
    BIO *bio = BIO_new_mem_buf(text, (int)n);
    if (!bio) {
        err_set(&k->trouble, ERR_NOMEM, "out of memory");
        return;
    }
    k->pkey = PEM_read_bio_PrivateKey(bio, NULL, on_passphrase, &p);
    BIO_free(bio);
    ERR_clear_error();
    if (k->pkey) {
        if (ssh_keyfile_public(k, &k->trouble) < 0) {
            EVP_PKEY_free(k->pkey);
            k->pkey = NULL;
        }
        return;
    }
    k->locked = p.wanted;
    if (k->locked && passphrase)
        err_set(&k->trouble, ERR_AUTH, SSH_KEYFILE_WRONG, k->path);
    else if (k->locked)
        err_set(&k->trouble, ERR_AUTH, SSH_KEYFILE_LOCKED, k->path, k->path);
    else
        err_set(&k->trouble, ERR_INVAL, "%s is no private key that can be read", k->path);
}

/* "TYPE BASE64 [COMMENT]", the content of a .pub file. */
static bool parse_public_line(struct ssh_keyfile *k, const char *text, size_t n)
{
    const char *end = memchr(text, '\n', n);
    size_t len = end ? (size_t)(end - text) : n;
    const char *blank = memchr(text, ' ', len);
    if (!blank || (size_t)(blank - text) >= sizeof k->type)
        return false;
    size_t type_len = (size_t)(blank - text);
    const char *key = blank + 1;
    size_t key_len = 0;
    while (key + key_len < text + len && key[key_len] != ' ')
        key_len++;
    uint8_t *blob = mem_alloc(key_len + 1);
    if (!blob)
        return false;
    long blob_len = base64_decode(blob, key, key_len);
    struct wire_reader r;
    wire_read_init(&r, blob, blob_len > 0 ? (size_t)blob_len : 0);
    struct wire_str type = wire_get_str(&r);
    if (!wire_ok(&r) || type.len != type_len || memcmp(type.data, text, type_len) != 0) {
        mem_free(blob);
        return false;
    }
    memcpy(k->type, text, type_len);
    k->type[type_len] = '\0';
    k->blob = blob;
    k->blob_len = (size_t)blob_len;
    return true;
}

static void parse(struct ssh_keyfile *k, const char *path, const char *text, size_t n, const char *passphrase)
{
    memset(k, 0, sizeof *k);
    k->path = path;
    const char *begin = memmem(text, n, openssh_begin, sizeof openssh_begin - 1);
    if (begin) {
        begin += sizeof openssh_begin - 1;
        size_t left = n - (size_t)(begin - text);
        const char *end = memmem(begin, left, openssh_end, sizeof openssh_end - 1);
        if (end)
            ssh_keyfile_openssh(k, begin, (size_t)(end - begin), passphrase);
        else
            err_set(&k->trouble, ERR_INVAL, "%s ends in the middle of the key", path);
    } else if (memmem(text, n, "-----BEGIN ", 11)) {
        parse_pem(k, text, n, passphrase);
    } else if (parse_public_line(k, text, n)) {
        err_set(&k->trouble, ERR_AUTH, "%s is a public key and no agent has its private half", path);
    } else {
        err_set(&k->trouble, ERR_INVAL, "%s is no private key", path);
    }
}

void ssh_keyfile_parse(struct ssh_keyfile *k, const char *path, const char *text, size_t n)
{
    parse(k, path, text, n, NULL);
}

/* An encrypted PEM file keeps its public half to itself; the .pub file beside it tells which key of the agent
 * it is. */
static void look_beside(struct ssh_keyfile *k)
{
    char *path = mem_printf("%s.pub", k->path);
    char *text;
    size_t n;
    if (path && fs_read(path, SSH_KEYFILE_MAX, &text, &n, NULL) == 0) {
        (void)parse_public_line(k, text, n);
        mem_free(text);
    }
    mem_free(path);
}

void ssh_keyfile_load(struct ssh_keyfile *k, const char *path)
{
    struct stat st;
    struct err err;
    char *text;
    size_t n;
    memset(k, 0, sizeof *k);
    k->path = path;
    if (stat(path, &st) == 0 && S_ISREG(st.st_mode) && st.st_uid == getuid() && (st.st_mode & 077) != 0) {
        err_set(&k->trouble, ERR_DENIED,
                "%s can be read by others (mode %03o), so it is not used: chmod 600 %s", path,
                st.st_mode & 0777u, path);
        look_beside(k);
        return;
    }
    if (fs_read(path, SSH_KEYFILE_MAX, &text, &n, &err) < 0) {
        k->trouble = err;
        look_beside(k);
        return;
    }
    ssh_keyfile_parse(k, path, text, n);
    if (k->locked)
        ssh_keychain_find(k, text, n);
    mem_free_secret(text, n);
    if (!k->blob)
        look_beside(k);
}

int ssh_keyfile_unlock(struct ssh_keyfile *k, const char *path, const char *passphrase, const uint8_t *known,
                       size_t known_len, struct err *err)
{
    char *text;
    size_t n;
    int rc = fs_read(path, SSH_KEYFILE_MAX, &text, &n, err);
    if (rc < 0) {
        memset(k, 0, sizeof *k);
        return rc;
    }
    parse(k, path, text, n, passphrase);
    if (!k->pkey)
        rc = err_copy(err, &k->trouble, ERR_AUTH);
    else if (known && (known_len != k->blob_len || memcmp(known, k->blob, known_len) != 0))
        rc = err_set(err, ERR_INVAL, "%s holds another key now", path);
    else
        ssh_keychain_add(k, text, n);
    mem_free_secret(text, n);
    k->locked = rc < 0;
    if (rc < 0)
        ssh_keyfile_done(k);
    return rc;
}

void ssh_keyfile_done(struct ssh_keyfile *k)
{
    EVP_PKEY_free(k->pkey);
    mem_free(k->blob);
    k->pkey = NULL;
    k->blob = NULL;
}
