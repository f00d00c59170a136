/* aoe.h in a program of ISO C99: compiled with -std=c99 -pedantic-errors, twice included. */
#include "aoe/aoe.h"
#include "aoe/aoe.h" /* twice */

/* Structures begin as their first version did, whatever is added to them. */
typedef char identity_is_112_bytes[sizeof(struct aoe_identity) == 112 ? 1 : -1];
typedef char stats_is_112_bytes[sizeof(struct aoe_stats) == 112 ? 1 : -1];

int use_aoe_from_c99(void);

int use_aoe_from_c99(void) {
  struct aoe_handle* handle = aoe_create();
  int failed = handle == NULL || aoe_pread(handle, NULL, 0, 0, 0) != -1;
  return failed || aoe_close(handle) != 0;
}
