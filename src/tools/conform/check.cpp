#include "tools/conform/check.h"

#include <utility>

namespace aoe::tools::conform {

const char* verdict_text(Verdict verdict) {
  switch (verdict) {
    case Verdict::right:
      return "right";
    case Verdict::wrong:
      return "WRONG";
    case Verdict::dangerous:
      return "DANGEROUS";
    case Verdict::not_tried:
      return "not tried";
  }
  return "?";
}

Finding right(std::string detail) {
  return {.detail = std::move(detail)};
}

Finding broken(std::string detail) {
  return {.is_broken = true, .detail = std::move(detail)};
}

Finding not_tried(std::string reason) {
  return {.is_tried = false, .detail = std::move(reason)};
}

}  // namespace aoe::tools::conform
