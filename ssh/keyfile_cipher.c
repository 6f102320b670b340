/*
 * keyfile_cipher: what encrypts the private part of OpenSSH's own key files (PROTOCOL.key): the ciphers that
 * ssh-keygen writes, keyed from a passphrase by bcrypt_pbkdf.
 */
#include "keyfile_cipher.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <stdbool.h>
#include <string.h>

#include "base/mem.h"
#include "keyfile_bcrypt.h"

#define AES_BLOCK 16
#define GCM_IV 12

struct cipher {
    const char *name, *evp;
    size_t key_len, iv_len, tag_len;
};

static const struct cipher CIPHERS[] = {
    {"aes256-ctr", "AES-256-CTR", 32, AES_BLOCK, 0},
    {"aes192-ctr", "AES-192-CTR", 24, AES_BLOCK, 0},
    {"aes128-ctr", "AES-128-CTR", 16, AES_BLOCK, 0},
    {"aes256-cbc", "AES-256-CBC", 32, AES_BLOCK, 0},
    {"aes192-cbc", "AES-192-CBC", 24, AES_BLOCK, 0},
    {"aes128-cbc", "AES-128-CBC", 16, AES_BLOCK, 0},
    {"aes256-gcm@openssh.com", "AES-256-GCM", 32, GCM_IV, AES_BLOCK},
    {"aes128-gcm@openssh.com", "AES-128-GCM", 16, GCM_IV, AES_BLOCK},
};

static const struct cipher *find(struct wire_str name)
{
    for (size_t i = 0; i < sizeof CIPHERS / sizeof *CIPHERS; i++) {
        if (wire_str_is(name, CIPHERS[i].name))
            return &CIPHERS[i];
    }
    return NULL;
}

bool ssh_keyfile_cipher_known(const struct ssh_keyfile_lock *lock)
{
    return find(lock->cipher) && wire_str_is(lock->kdf, "bcrypt");
}

static int derive(const struct ssh_keyfile_lock *lock, const char *passphrase, uint8_t *key, size_t n)
{
    struct wire_reader r;
    wire_read_init(&r, lock->kdf_options.data, lock->kdf_options.len);
    struct wire_str salt = wire_get_str(&r);
    uint32_t rounds = wire_get_u32(&r);
    if (!wire_end(&r))
        return ERR_INVAL;
    return ssh_bcrypt_pbkdf(passphrase, salt.data, salt.len, rounds, key, n);
}

/* Negative: it is not what this key encrypted (only a cipher with a tag can tell), or out of memory. */
static int decipher(const struct cipher *c, const uint8_t *key, const struct ssh_keyfile_lock *lock,
                    uint8_t *out)
{
    int n = 0, rc = ERR_NOMEM;
    EVP_CIPHER *evp = EVP_CIPHER_fetch(NULL, c->evp, NULL);
    EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
    uint8_t tag[AES_BLOCK];
    if (evp && ctx && EVP_DecryptInit_ex2(ctx, evp, key, key + c->key_len, NULL) == 1) {
        EVP_CIPHER_CTX_set_padding(ctx, 0);
        if (c->tag_len > 0) {
            memcpy(tag, lock->tag.data, c->tag_len);
            EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_TAG, (int)c->tag_len, tag);
        }
        bool ok = EVP_DecryptUpdate(ctx, out, &n, lock->section.data, (int)lock->section.len) == 1 &&
                  EVP_DecryptFinal_ex(ctx, out + n, &n) == 1;
        rc = ok ? 0 : ERR_AUTH;
    }
    EVP_CIPHER_CTX_free(ctx);
    EVP_CIPHER_free(evp);
    ERR_clear_error();
    return rc;
}

int ssh_keyfile_decrypt(const struct ssh_keyfile_lock *lock, const char *passphrase, uint8_t *out)
{
    uint8_t key[SSH_BCRYPT_KEY_MAX];
    const struct cipher *c = find(lock->cipher);
    if (!c || lock->tag.len != c->tag_len || lock->section.len == 0 || lock->section.len % AES_BLOCK != 0)
        return ERR_INVAL;
    int rc = derive(lock, passphrase, key, c->key_len + c->iv_len);
    if (rc == 0)
        rc = decipher(c, key, lock, out);
    mem_wipe(key, sizeof key);
    return rc;
}
