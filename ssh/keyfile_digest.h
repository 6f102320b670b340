/*
 * keyfile_digest: the SHA-256 that fingerprints are made of. Private to ssh/.
 */
#ifndef ADIT_SSH_KEYFILE_DIGEST_H
#define ADIT_SSH_KEYFILE_DIGEST_H

#include <stddef.h>
#include <stdint.h>

int ssh_digest_sha256(uint8_t out[32], const void *data, size_t n); /* ERR_NOMEM */

#endif
