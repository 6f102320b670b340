/*
 * ssh_unhonoured: what a user's ssh_config asks for and adit does not do.
 *
 * Only what would change where a tunnel goes or how it logs in, and what a user would look for in vain;
 * escape characters, X11 and the like belong to sessions, which a tunnel has none of.
 */
#include "ssh_unhonoured.h"

#include <string.h>
#include <strings.h>

#include "base/mem.h"

static const struct {
    const char *key, *name;
    bool common; /* distributions set it for everybody */
} KEYWORDS[] = {
    {"proxycommand", "ProxyCommand", false},
    {"remotecommand", "RemoteCommand", false},
    {"permitlocalcommand", "PermitLocalCommand", false},
    {"knownhostscommand", "KnownHostsCommand", false},
    {"controlmaster", "ControlMaster", false},
    {"controlpath", "ControlPath", false},
    {"localforward", "LocalForward", false},
    {"remoteforward", "RemoteForward", false},
    {"dynamicforward", "DynamicForward", false},
    {"tunnel", "Tunnel", false},
    {"certificatefile", "CertificateFile", false},
    {"pkcs11provider", "PKCS11Provider", false},
    {"securitykeyprovider", "SecurityKeyProvider", true},
    {"hostbasedauthentication", "HostbasedAuthentication", true},
    {"gssapiauthentication", "GSSAPIAuthentication", true},
    {"gssapikeyexchange", "GSSAPIKeyExchange", true},
    {"gssapidelegatecredentials", "GSSAPIDelegateCredentials", true},
    {"gssapitrustdns", "GSSAPITrustDns", true},
    {"gssapirenewalforcesrekey", "GSSAPIRenewalForcesRekey", true},
    {"gssapiclientidentity", "GSSAPIClientIdentity", true},
    {"gssapiserveridentity", "GSSAPIServerIdentity", true},
    {"verifyhostkeydns", "VerifyHostKeyDNS", true},
    {"revokedhostkeys", "RevokedHostKeys", false},
    {"globalknownhostsfile", "GlobalKnownHostsFile", true},
    {"bindaddress", "BindAddress", false},
    {"bindinterface", "BindInterface", false},
    {"compression", "Compression", true},
    {"rekeylimit", "RekeyLimit", true},
};

bool ssh_unhonoured_own(const char *command, const char *subcommand)
{
    bool adit = false;
    for (const char *p = command + strspn(command, " \t"); *p;) {
        size_t n = strcspn(p, " \t");
        const char *word = p, *end = p + n;
        p += n + strspn(p + n, " \t");
        while (word < end && strchr("\"'", *word))
            word++;
        while (end > word && strchr("\"'", end[-1]))
            end--;
        if (adit && (size_t)(end - word) == strlen(subcommand) &&
            memcmp(word, subcommand, strlen(subcommand)) == 0)
            return true;
        const char *base = end;
        while (base > word && base[-1] != '/')
            base--;
        adit = end - base == 4 && memcmp(base, "adit", 4) == 0;
    }
    return false;
}

static bool own(const struct ssh_line *line)
{
    return (strcasecmp(line->key, "proxycommand") == 0 && ssh_unhonoured_own(line->value, "proxy")) ||
           (strcasecmp(line->key, "knownhostscommand") == 0 &&
            ssh_unhonoured_own(line->value, "known-hosts"));
}

int ssh_unhonoured_find(struct ssh_truth *t, const struct ssh_lines *said, const struct ssh_lines *builtin,
                        const struct ssh_lines *system)
{
    int rc = 0;
    for (size_t k = 0; rc == 0 && k < sizeof KEYWORDS / sizeof KEYWORDS[0]; k++) {
        for (size_t i = 0; rc == 0 && i < said->count; i++) {
            const struct ssh_line *line = &said->items[i];
            if (strcasecmp(line->key, KEYWORDS[k].key) != 0 || strcmp(line->value, "none") == 0 ||
                ssh_lines_has(builtin, line->key, line->value) ||
                (KEYWORDS[k].common && ssh_lines_has(system, line->key, line->value)) || own(line))
                continue;
            rc = ssh_truth_unhonoured(t, KEYWORDS[k].name);
        }
    }
    return rc;
}
