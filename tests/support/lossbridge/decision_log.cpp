#include "support/lossbridge/decision_log.h"

#include "os/error_text.h"

#include <fmt/format.h>

#include <cerrno>

namespace aoe::lossbridge {

Result<std::unique_ptr<DecisionLog>> DecisionLog::create(const std::string& path) {
  std::FILE* file = std::fopen(path.c_str(), "we");
  if (file == nullptr) {
    return fail(os::os_error(errno, fmt::format("{}: create decision log", path)));
  }
  return std::unique_ptr<DecisionLog>(new DecisionLog(file));
}

void DecisionLog::frame(Instant now, std::string_view interface, std::uint64_t number,
                        std::size_t bytes, std::string_view decision) {
  fmt::print(file_.get(), "{} {} {} {} {}\n", microseconds(now), interface, number, bytes,
             decision);
}

void DecisionLog::command(Instant now, std::string_view text) {
  fmt::print(file_.get(), "{} command {}\n", microseconds(now), text);
}

std::int64_t DecisionLog::microseconds(Instant now) {
  if (!start_) {
    start_ = now;
  }
  return (now - *start_).ns / 1000;
}

}  // namespace aoe::lossbridge
