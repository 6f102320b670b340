/*
 * fuzz_ssh_agent: any bytes as the answer of an agent.
 */
#include <string.h>

#include "fuzz.h"
#include "ssh/agent.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct ssh_agent_keys keys;
    const uint8_t *sig;
    size_t n;
    int rc = ssh_agent_parse_list(&keys, data, size, NULL);
    FUZZ_CHECK(rc == 0 || keys.count == 0);
    FUZZ_CHECK(keys.count <= SSH_AGENT_KEYS_MAX);
    for (size_t i = 0; i < keys.count; i++) {
        FUZZ_CHECK(keys.keys[i].blob_len < size);
        for (const char *p = keys.keys[i].comment; *p; p++)
            FUZZ_CHECK((unsigned char)*p >= 0x20);
    }
    ssh_agent_keys_done(&keys);
    if (ssh_agent_parse_sign(&sig, &n, data, size, NULL) == 0)
        FUZZ_CHECK(n > 0 && sig > data && sig + n <= data + size);
    return 0;
}
