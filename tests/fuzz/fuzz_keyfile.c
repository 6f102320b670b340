/*
 * fuzz_keyfile: any bytes as a private key file: a key or a reason, never both, never neither.
 */
#include "fuzz.h"
#include "ssh/keyfile.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct ssh_keyfile k;
    if (size > SSH_KEYFILE_MAX)
        return 0;
    ssh_keyfile_parse(&k, "file", (const char *)data, size);
    FUZZ_CHECK((k.pkey != NULL) != (k.trouble.code < 0));
    FUZZ_CHECK(!k.pkey || (k.blob && k.blob_len > 8 && k.type[0]));
    ssh_keyfile_done(&k);
    return 0;
}
