/*
 * keyfile_digest: the SHA-256 that fingerprints are made of.
 */
#include "keyfile_digest.h"

#include <openssl/evp.h>

#include "base/err.h"

int ssh_digest_sha256(uint8_t out[32], const void *data, size_t n)
{
    return EVP_Digest(data, n, out, NULL, EVP_sha256(), NULL) == 1 ? 0 : ERR_NOMEM;
}
