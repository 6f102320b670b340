/*
 * test_native_cipher: each cipher's packets against those that another implementation made of the same keys.
 *
 * The packets were made with the ciphers, Poly1305 and HMAC of Python's cryptography package, put together as
 * RFC 5647, PROTOCOL.chacha20poly1305 and PROTOCOL §1.6 say. Two packets follow each other where counters and
 * numbers carry over.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "ssh/native/cipher.h"

#define BODY 32u

static const struct {
    const struct cipher *cipher;
    const char *packets[2];
} known[] = {
    {&cipher_aes128_gcm,
     {"0000002067149219e80f69079e8f7dfdaa628e0020808d6072f3751c631e6d96"
      "6b50db04aaec97e617eb60f9ba8ce09fe4d9134e",
      "000000202c88b81a18920a29cb54ab55d1c38c717ce095feb33f1f4242a5b396"
      "e6368e05379478733440a47a4051a67402a22727"}},
    {&cipher_aes256_gcm,
     {"000000202a5c4792bbc5db7471fd67a087ee485d1b26d066e56bfd78c2ad3708"
      "29b8b206bdef528d57d277a5c5673fa2a47c9500",
      "000000205fe51e0ef41cc860886a875370a63fe9644f15c8291b9c109a3752aa"
      "f74a05e72079e7ebb49c3da7addb7721aa8d1190"}},
    {&cipher_chacha,
     {"fcad3dabdd28cef6a2c908856375bbbb6487620ab27942ea1729bde8a148fc83"
      "2dbf2c757c3f519219489b5341f85e5d6d4b7fd4",
      "a659641a67eeb27000aac053f0275b3ef8aedc4a88a8fa8f2ebc157652defb72"
      "c0b8b3d11ab96e98078fadcb1f29d8f8f34812ca"}},
    {&cipher_aes128_ctr,
     {"000000203365a7ccd550bd94bd60b161a0bfb8d65bc7a473025539b40e269358"
      "ff1d5e15ddeec3c67a6997d4f7b9f017ab3b3d2005f61d0cfa89c30493c9312a"
      "cc99827a",
      "0000002042c712e516c2a39922187867aeb96a5ddbba76727d01cc17c1bb0dd3"
      "3dbbb77f7f768700c7deb6065b95eb8a59c38f9a1a26ffd341e382b8d6f06084"
      "bee77e93"}},
    {&cipher_aes256_ctr,
     {"00000020857d3bc4371cdbcef03a2fbe9af5064f28953a3b78ee17c3c5af4b0d"
      "0add638df989409266eb08fcc69f1b607a4abcf7d1ee32ad64819f3f1c83a4c8"
      "f8b33444",
      "00000020b03091465ad36b9fa834958b5b277926cbbf33c5a3f52187ab446f24"
      "1c5183b720169194bdeb29bacd5e74c4ed7c6c38d3c7fda0e5102d2b444a6a76"
      "77d7751e"}},
};
#define KNOWN (sizeof known / sizeof *known)

static const uint32_t numbers[] = {UINT32_MAX, 0};

static struct cipher_keys *keys(const struct cipher *c, bool encrypt)
{
    uint8_t key[CIPHER_KEY_MAX], iv[CIPHER_IV_MAX];
    for (size_t i = 0; i < sizeof key; i++)
        key[i] = (uint8_t)(i + 1);
    memset(iv, 0xff, sizeof iv);
    if (c->iv_len == 12)
        memcpy(iv, "\1\2\3\4", 4);
    else
        memset(iv, 1, 8);
    struct cipher_keys *k = cipher_keys_new(c, key, iv, encrypt);
    assert_non_null(k);
    return k;
}

static void fill(uint8_t body[BODY])
{
    memset(body, 0, BODY);
    body[0] = 4;
    for (unsigned i = 0; i < BODY - 5; i++)
        body[1 + i] = (uint8_t)(100 + i);
}

static size_t unhex(const char *text, uint8_t *out)
{
    size_t n = strlen(text) / 2;
    for (size_t i = 0; i < n; i++) {
        unsigned byte;
        assert_int_equal(sscanf(text + 2 * i, "%2x", &byte), 1);
        out[i] = (uint8_t)byte;
    }
    return n;
}

static void sealed_as_others_do(void **state)
{
    for (size_t c = 0; c < KNOWN; c++) {
        struct cipher_keys *k = keys(known[c].cipher, true);
        for (int i = 0; i < 2; i++) {
            uint8_t body[BODY], want[128], got[128];
            fill(body);
            assert_int_equal(known[c].cipher->seal(k, numbers[i], got, body, BODY), 0);
            assert_int_equal(unhex(known[c].packets[i], want), 4 + BODY + known[c].cipher->tag);
            assert_memory_equal(got, want, 4 + BODY + known[c].cipher->tag);
        }
        cipher_keys_free(k);
    }
}

static void what_others_sealed_opens(void **state)
{
    for (size_t c = 0; c < KNOWN; c++) {
        struct cipher_keys *k = keys(known[c].cipher, false);
        for (int i = 0; i < 2; i++) {
            uint8_t want[BODY], in[128], got[BODY];
            uint32_t len;
            fill(want);
            (void)unhex(known[c].packets[i], in);
            assert_int_equal(known[c].cipher->length(k, numbers[i], in, &len), 0);
            assert_int_equal(len, BODY);
            assert_int_equal(known[c].cipher->open(k, numbers[i], got, in, len), 0);
            assert_memory_equal(got, want, BODY);
        }
        cipher_keys_free(k);
    }
}

/* Every bit of a packet, and its number where it counts. */
static void what_was_changed_does_not_open(void **state)
{
    for (size_t c = 0; c < KNOWN; c++) {
        size_t size = 4 + BODY + known[c].cipher->tag;
        for (size_t bit = 0; bit < 8 * size; bit++) {
            struct cipher_keys *k = keys(known[c].cipher, false);
            uint8_t in[128], got[BODY];
            (void)unhex(known[c].packets[0], in);
            in[bit / 8] ^= (uint8_t)(1u << bit % 8);
            assert_true(known[c].cipher->open(k, numbers[0], got, in, BODY) < 0);
            cipher_keys_free(k);
        }
        struct cipher_keys *k = keys(known[c].cipher, false);
        uint8_t in[128], got[BODY];
        (void)unhex(known[c].packets[1], in);
        assert_true(known[c].cipher->open(k, numbers[0], got, in, BODY) < 0);
        cipher_keys_free(k);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sealed_as_others_do),
        cmocka_unit_test(what_others_sealed_opens),
        cmocka_unit_test(what_was_changed_does_not_open),
    };
    return cmocka_run_group_tests_name("native cipher", tests, NULL, NULL);
}
