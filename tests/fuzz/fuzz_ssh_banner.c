/*
 * fuzz_ssh_banner: any bytes as what a server says first; how they are cut into reads changes nothing.
 */
#include <string.h>

#include "fuzz.h"
#include "ssh/banner.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct ssh_banner whole = {0}, bytes = {0};
    int a = ssh_banner_feed(&whole, data, size, NULL), b = 0;
    for (size_t i = 0; i < size && b == 0; i++)
        b = ssh_banner_feed(&bytes, data + i, 1, NULL);
    FUZZ_CHECK(a == b && whole.done == bytes.done);
    FUZZ_CHECK(strcmp(whole.first, bytes.first) == 0);
    if (whole.done)
        FUZZ_CHECK(strcmp(whole.line, bytes.line) == 0 && memcmp(whole.line, "SSH-", 4) == 0);
    return 0;
}
