#include "base/store_op.h"

namespace aoe {

const char* store_errc_name(StoreErrc code) {
  switch (code) {
    case StoreErrc::ok:
      return "ok";
    case StoreErrc::io:
      return "io";
    case StoreErrc::no_space:
      return "no_space";
    case StoreErrc::read_only:
      return "read_only";
    case StoreErrc::truncated:
      return "truncated";
    case StoreErrc::sync_failed:
      return "sync_failed";
    case StoreErrc::unsupported:
      return "unsupported";
    case StoreErrc::rotten:
      return "rotten";
  }
  return "unknown";
}

}  // namespace aoe
