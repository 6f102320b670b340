/*
 * test_keyfile: keys that ssh-keygen makes, in all their formats, and files that are none.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <openssl/evp.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/base64.h"
#include "base/fs.h"
#include "base/mem.h"
#include "base/wire.h"
#include "ssh/keychain.h"
#include "ssh/keyfile.h"
#include "ssh/keyfile_bcrypt.h"

static char dir[] = "/tmp/adit-keyfile-XXXXXX";

static void run(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
static void run(const char *fmt, ...)
{
    char command[512];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(command, sizeof command, fmt, ap);
    va_end(ap);
    assert_int_equal(system(command), 0);
}

static int start(void **state)
{
    return mkdtemp(dir) ? 0 : -1;
}

static int stop(void **state)
{
    run("rm -rf %s", dir);
    return 0;
}

static void public_text(const struct ssh_keyfile *k, char *out)
{
    int n = sprintf(out, "%s ", k->type);
    base64_encode(out + n, k->blob, k->blob_len);
}

/* A signature is right when OpenSSL finds it so with the public half. */
static void check_signature(const struct ssh_keyfile *k, const char *alg, const EVP_MD *md)
{
    uint8_t *sig = NULL;
    size_t n = 0;
    struct err err;
    static const uint8_t data[] = "what is signed";
    assert_int_equal(ssh_keyfile_sign(k, alg, data, sizeof data, &sig, &n, &err), 0);
    if (strncmp(alg, "ecdsa", 5) != 0) {
        EVP_MD_CTX *ctx = EVP_MD_CTX_new();
        assert_int_equal(EVP_DigestVerifyInit(ctx, NULL, md, NULL, k->pkey), 1);
        assert_int_equal(EVP_DigestVerify(ctx, sig, n, data, sizeof data), 1);
        EVP_MD_CTX_free(ctx);
    } else { /* two numbers, each as long as the curve at most, with a byte for the sign */
        struct wire_reader r;
        wire_read_init(&r, sig, n);
        struct wire_str a = wire_get_mpint(&r), b = wire_get_mpint(&r);
        assert_true(wire_end(&r) && a.len > 20 && b.len > 20 && a.len <= 66 && b.len <= 66);
    }
    mem_free(sig);
}

static void test_formats(void **state)
{
    static const struct {
        const char *options, *type;
        bool can_sha2;
    } kinds[] = {
        {"-t ed25519", "ssh-ed25519", false},
        {"-t ecdsa -b 256", "ecdsa-sha2-nistp256", false},
        {"-t ecdsa -b 384", "ecdsa-sha2-nistp384", false},
        {"-t ecdsa -b 521", "ecdsa-sha2-nistp521", false},
        {"-t ecdsa -b 256 -m PEM", "ecdsa-sha2-nistp256", false},
        {"-t ecdsa -b 521 -m PKCS8", "ecdsa-sha2-nistp521", false},
        {"-t rsa -b 2048", "ssh-rsa", true},
        {"-t rsa -b 3072 -m PEM", "ssh-rsa", true},
        {"-t rsa -b 2048 -m PKCS8", "ssh-rsa", true},
    };
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        char path[128], pub[140], mine[4096], *told;
        size_t n;
        struct ssh_keyfile k;
        snprintf(path, sizeof path, "%s/key%zu", dir, i);
        snprintf(pub, sizeof pub, "%s.pub", path);
        run("ssh-keygen -q %s -N '' -C c -f %s", kinds[i].options, path);
        assert_int_equal(fs_read(pub, 8192, &told, &n, NULL), 0);
        run("rm %s", pub);
        ssh_keyfile_load(&k, path);
        if (!k.pkey)
            fail_msg("%s: %s", kinds[i].options, k.trouble.msg);
        assert_string_equal(k.type, kinds[i].type);
        public_text(&k, mine);
        assert_int_equal(strncmp(told, mine, strlen(mine)), 0);
        mem_free(told);
        check_signature(&k, kinds[i].type, kinds[i].can_sha2 ? EVP_sha1() : NULL);
        if (kinds[i].can_sha2) {
            check_signature(&k, "rsa-sha2-256", EVP_sha256());
            check_signature(&k, "rsa-sha2-512", EVP_sha512());
        }
        uint8_t *sig = NULL;
        size_t len;
        assert_int_equal(ssh_keyfile_sign(&k, "ssh-dss", (const uint8_t *)"x", 1, &sig, &len, NULL),
                         ERR_UNSUPPORTED);
        assert_int_equal(ssh_keyfile_sign(&k, kinds[i].can_sha2 ? "ssh-ed25519" : "ssh-rsa",
                                          (const uint8_t *)"x", 1, &sig, &len, NULL),
                         ERR_UNSUPPORTED);
        ssh_keyfile_done(&k);
    }
}

static void test_locked(void **state)
{
    static const char *const formats[] = {"-t ed25519", "-t rsa -b 2048 -m PEM", "-t ecdsa -m PKCS8"};
    for (size_t i = 0; i < sizeof formats / sizeof *formats; i++) {
        char path[128];
        struct ssh_keyfile k;
        snprintf(path, sizeof path, "%s/locked%zu", dir, i);
        run("ssh-keygen -q %s -N secret -f %s", formats[i], path);
        ssh_keyfile_load(&k, path);
        assert_null(k.pkey);
        assert_int_equal(k.trouble.code, ERR_AUTH);
        assert_non_null(strstr(k.trouble.msg, "passphrase and no agent has it: ssh-add "));
        assert_non_null(strstr(k.trouble.msg, path));
        assert_non_null(k.blob); /* so that the agent's key can be recognised */
        assert_true(k.type[0]);
        ssh_keyfile_done(&k);
    }
}

/* Every cipher of ssh-keygen, and both of OpenSSL's forms; with and without a .pub file beside. */
static void test_unlock(void **state)
{
    static const char *const formats[] = {
        "-t ed25519",
        "-t ed25519 -a 3 -Z aes128-cbc",
        "-t ed25519 -a 3 -Z aes192-cbc",
        "-t ecdsa -b 384 -a 3 -Z aes256-cbc",
        "-t ed25519 -a 3 -Z aes128-ctr",
        "-t ed25519 -a 3 -Z aes192-ctr",
        "-t rsa -b 2048 -a 1 -Z aes256-ctr",
        "-t ed25519 -a 3 -Z aes128-gcm@openssh.com",
        "-t ed25519 -a 3 -Z aes256-gcm@openssh.com",
        "-t rsa -b 2048 -m PEM",
        "-t ecdsa -m PKCS8",
    };
    for (size_t i = 0; i < sizeof formats / sizeof *formats; i++) {
        char path[128];
        struct ssh_keyfile locked, k;
        struct err err;
        snprintf(path, sizeof path, "%s/unlock%zu", dir, i);
        run("ssh-keygen -q %s -N 's\xc3\xa9same' -f %s", formats[i], path);
        if (i % 2 == 1)
            run("rm %s.pub", path);
        ssh_keyfile_load(&locked, path);
        assert_true(locked.locked && !locked.pkey);
        assert_int_equal(ssh_keyfile_unlock(&k, path, "sesame", locked.blob, locked.blob_len, &err),
                         ERR_AUTH);
        assert_true(k.locked && !k.pkey);
        assert_non_null(strstr(err.msg, path));
        assert_null(strstr(err.msg, "sesame"));
        assert_int_equal(ssh_keyfile_unlock(&k, path, "", locked.blob, locked.blob_len, &err), ERR_AUTH);
        if (ssh_keyfile_unlock(&k, path, "s\xc3\xa9same", locked.blob, locked.blob_len, &err) < 0)
            fail_msg("%s: %s", formats[i], err.msg);
        assert_true(k.pkey && !k.locked && k.blob && !k.trouble.code);
        ssh_keyfile_done(&k);
        ssh_keyfile_done(&locked);

        ssh_keyfile_load(&k, path); /* it was kept */
        assert_true(k.pkey && !k.locked && k.blob && !k.trouble.code);
        check_signature(&k, strncmp(k.type, "ssh-rsa", 7) == 0 ? "rsa-sha2-256" : k.type,
                        strncmp(k.type, "ssh-rsa", 7) == 0 ? EVP_sha256() : NULL);
        ssh_keyfile_done(&k);
        ssh_keychain_forget("/some/other");
        ssh_keyfile_load(&k, path);
        assert_true(k.pkey);
        ssh_keyfile_done(&k);
        ssh_keychain_forget(i % 2 ? path : NULL);
        ssh_keyfile_load(&k, path);
        assert_true(k.locked && !k.pkey);
        ssh_keyfile_done(&k);
    }
}

static void test_another_key_in_the_same_file_is_not_the_kept_one(void **state)
{
    char path[128];
    struct ssh_keyfile old, k;
    struct err err;
    snprintf(path, sizeof path, "%s/moved", dir);
    run("ssh-keygen -q -t ed25519 -a 1 -N one -f %s", path);
    assert_int_equal(ssh_keyfile_unlock(&old, path, "one", NULL, 0, &err), 0);
    run("rm %s && ssh-keygen -q -t ed25519 -a 1 -N one -f %s", path, path);
    ssh_keyfile_load(&k, path);
    assert_true(k.locked && !k.pkey);
    ssh_keyfile_done(&k);
    assert_int_equal(ssh_keyfile_unlock(&k, path, "one", old.blob, old.blob_len, &err), ERR_INVAL);
    assert_null(k.pkey);
    ssh_keyfile_done(&old);
    ssh_keychain_forget(NULL);
}

static void test_ciphers_that_are_not_read(void **state)
{
    char path[128];
    struct ssh_keyfile k;
    snprintf(path, sizeof path, "%s/chacha", dir);
    run("ssh-keygen -q -t ed25519 -a 1 -Z chacha20-poly1305@openssh.com -N one -f %s", path);
    ssh_keyfile_load(&k, path);
    assert_true(!k.locked && !k.pkey && k.blob);
    assert_int_equal(k.trouble.code, ERR_UNSUPPORTED);
    assert_non_null(strstr(k.trouble.msg, "ssh-keygen -p -Z aes256-ctr"));
    ssh_keyfile_done(&k);
}

/* Limits that a file sets for itself are ours in the end; bcrypt_pbkdf's own text is the reference. */
static void test_bcrypt(void **state)
{
    static const uint8_t salt[] = "salt";
    static const uint8_t told[] = {0x5b, 0xbf, 0x0c, 0xc2, 0x93, 0x58, 0x7f, 0x1c, 0x36, 0x35, 0x55,
                                   0x5c, 0x27, 0x79, 0x65, 0x98, 0xd4, 0x7e, 0x57, 0x90, 0x71, 0xbf,
                                   0x42, 0x7e, 0x9d, 0x8f, 0xbe, 0x84, 0x2a, 0xba, 0x34, 0xd9};
    uint8_t key[SSH_BCRYPT_KEY_MAX];
    assert_int_equal(ssh_bcrypt_pbkdf("password", salt, 4, 4, key, sizeof told), 0);
    assert_memory_equal(key, told, sizeof told);
    assert_int_equal(ssh_bcrypt_pbkdf("password", salt, 4, 0, key, 32), ERR_INVAL);
    assert_int_equal(ssh_bcrypt_pbkdf("password", salt, 4, SSH_BCRYPT_ROUNDS_MAX + 1, key, 32), ERR_INVAL);
    assert_int_equal(ssh_bcrypt_pbkdf("password", salt, 0, 4, key, 32), ERR_INVAL);
    assert_int_equal(ssh_bcrypt_pbkdf("", salt, 4, 4, key, 32), ERR_INVAL);
    assert_int_equal(ssh_bcrypt_pbkdf("password", salt, 4, 4, key, sizeof key + 1), ERR_INVAL);
}

static void test_not_usable(void **state)
{
    char path[128];
    struct ssh_keyfile k;
    snprintf(path, sizeof path, "%s/open", dir);
    run("ssh-keygen -q -t ed25519 -N '' -f %s && chmod 640 %s", path, path);
    ssh_keyfile_load(&k, path);
    assert_null(k.pkey);
    assert_int_equal(k.trouble.code, ERR_DENIED);
    assert_non_null(strstr(k.trouble.msg, "chmod 600"));
    ssh_keyfile_done(&k);
    snprintf(path, sizeof path, "%s/open.pub", dir);
    chmod(path, 0600);
    ssh_keyfile_load(&k, path);
    assert_null(k.pkey);
    assert_non_null(k.blob);
    assert_non_null(strstr(k.trouble.msg, "public key"));
    ssh_keyfile_done(&k);
    ssh_keyfile_load(&k, "/no/such/key");
    assert_int_equal(k.trouble.code, ERR_NOTFOUND);
    assert_non_null(strstr(k.trouble.msg, "/no/such/key"));
    ssh_keyfile_done(&k);
    ssh_keyfile_load(&k, dir);
    assert_null(k.pkey);
    assert_true(k.trouble.code < 0);
    ssh_keyfile_done(&k);
}

/* Every byte of a key file changed or cut off: an error or the same key, never a crash, never another key. */
static void test_damage(void **state)
{
    char path[128], good[256], other[256], *text;
    size_t n;
    struct ssh_keyfile k;
    snprintf(path, sizeof path, "%s/whole", dir);
    run("ssh-keygen -q -t ed25519 -N '' -f %s", path);
    assert_int_equal(fs_read(path, 8192, &text, &n, NULL), 0);
    ssh_keyfile_parse(&k, path, text, n);
    assert_non_null(k.pkey);
    public_text(&k, good);
    ssh_keyfile_done(&k);
    for (size_t i = 0; i < n; i++) {
        char was = text[i];
        text[i] = was == 'A' ? 'B' : 'A';
        ssh_keyfile_parse(&k, path, text, n);
        assert_true(k.pkey || k.trouble.code < 0);
        if (k.pkey) {
            public_text(&k, other);
            assert_string_equal(other, good);
        }
        ssh_keyfile_done(&k);
        text[i] = was;
        ssh_keyfile_parse(&k, path, text, i);
        assert_true((k.pkey != NULL) != (k.trouble.code < 0));
        ssh_keyfile_done(&k);
    }
    mem_free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_formats),
        cmocka_unit_test(test_locked),
        cmocka_unit_test(test_unlock),
        cmocka_unit_test(test_another_key_in_the_same_file_is_not_the_kept_one),
        cmocka_unit_test(test_ciphers_that_are_not_read),
        cmocka_unit_test(test_bcrypt),
        cmocka_unit_test(test_not_usable),
        cmocka_unit_test(test_damage)};
    return cmocka_run_group_tests(tests, start, stop);
}
