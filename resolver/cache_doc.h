/*
 * cache_doc: what the cache holds as the text of its file, and back. No file is touched here.
 *
 *   {"format": "adit-vms", "version": 1, "scope": "…",
 *    "vms": [{"id": …, every member of `adit resolve --json` …, "keys": [{"key": "subscription/rg/web1",
 * "suspect": false}, …]}, …], "missing": [{"key": …, "message": …, "since_ms": …}, …]}
 *
 * The reader trusts nothing: a VM whose members make no sense, or a key that is no name of its VM, is left
 * out.
 */
#ifndef ADIT_RESOLVER_CACHE_DOC_H
#define ADIT_RESOLVER_CACHE_DOC_H

#include "cache.h"

#define CACHE_DOC_MAX (8u << 20) /* bytes */
#define CACHE_DOC_VMS_MAX 4096
#define CACHE_DOC_SCOPE_MAX 4096

/* The most recently used VMs, as many as CACHE_DOC_MAX holds. NULL when out of memory; mem_free(). */
char *cache_doc_write(struct cache *c, const char *scope, size_t *len);

/* Fills the cache. sure: see cache_load(). ERR_PROTOCOL (no such document, another version, another scope),
 * ERR_NOMEM. Returns the number of VMs. */
int cache_doc_read(struct cache *c, const char *text, size_t len, const char *scope, bool sure,
                   struct err *err);

#endif
