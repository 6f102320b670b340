/*
 * fuzz_known_hosts: any bytes as a line of known_hosts, and as the text of a server.
 */
#include <string.h>

#include "fuzz.h"
#include "ssh/known_hosts.h"
#include "ssh/text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct known_host k;
    char clean[40];
    int rc = known_hosts_parse(&k, (const char *)data, size, "h");
    FUZZ_CHECK(rc >= -1 && rc <= 1);
    FUZZ_CHECK(rc != 1 || (k.blob_len > 4 && k.blob_len <= KNOWN_HOSTS_BLOB_MAX && k.type[0]));
    FUZZ_CHECK(strlen(k.vm_id) < sizeof k.vm_id);
    ssh_text_clean(clean, sizeof clean, data, size);
    FUZZ_CHECK(strlen(clean) < sizeof clean);
    for (const char *p = clean; *p; p++)
        FUZZ_CHECK((unsigned char)*p >= 0x20 && *p != 0x7f);
    return 0;
}
