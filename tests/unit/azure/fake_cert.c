/*
 * fake_cert: made anew for each fake server.
 */
#include "fake_cert.h"

#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>

static void die(const char *what)
{
    fprintf(stderr, "fake_cert: %s\n", what);
    abort();
}

void fake_cert_make(EVP_PKEY **key, X509 **cert, char *path, size_t size)
{
    *key = EVP_EC_gen("P-256");
    *cert = X509_new();
    X509_set_version(*cert, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(*cert), 1);
    X509_gmtime_adj(X509_getm_notBefore(*cert), -3600);
    X509_gmtime_adj(X509_getm_notAfter(*cert), 86400);
    X509_set_pubkey(*cert, *key);
    X509_NAME *name = X509_get_subject_name(*cert);
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)"fake ARM", -1, -1, 0);
    X509_set_issuer_name(*cert, name);
    static const struct {
        int nid;
        const char *value;
    } extensions[] = {{NID_subject_alt_name, "IP:127.0.0.1"}, {NID_basic_constraints, "critical,CA:TRUE"}};
    for (size_t i = 0; i < 2; i++) {
        X509_EXTENSION *e = X509V3_EXT_conf_nid(NULL, NULL, extensions[i].nid, extensions[i].value);
        if (!e || !X509_add_ext(*cert, e, -1))
            die("certificate extension");
        X509_EXTENSION_free(e);
    }
    if (!X509_sign(*cert, *key, EVP_sha256()))
        die("certificate");
    snprintf(path, size, "/tmp/adit-fake-arm-XXXXXX");
    int fd = mkstemp(path);
    FILE *file = fd < 0 ? NULL : fdopen(fd, "w");
    if (!file || !PEM_write_X509(file, *cert) || fclose(file))
        die("certificate file");
}
