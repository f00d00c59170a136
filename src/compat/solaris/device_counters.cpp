#include "compat/solaris/device_counters.h"

#include "compat/labels/geometry.h"

#include <algorithm>

namespace aoe::compat::solaris {
namespace {

using control::Json;

// Null where there is none, whatever a newer or broken daemon says.
Json member(const Json& object, const char* name) {
  const auto found = object.find(name);
  return object.is_object() && found != object.end() ? *found : Json();
}

std::uint64_t number(const Json& object, const char* name) {
  const Json value = member(object, name);
  return value.is_number_unsigned() || (value.is_number_integer() && value >= 0)
             ? value.get<std::uint64_t>()
             : 0;
}

std::uint64_t sum_over_paths(const Json& device, const char* name) {
  std::uint64_t sum = 0;
  for (const Json& path : member(device, "paths")) {
    sum += number(path, name);
  }
  return sum;
}

}  // namespace

KstatValues stats_values(const Json& stats) {
  const Json errors = member(stats, "errors");
  return {{"atarcv", std::to_string(sum_over_paths(stats, "frames_answered"))},
          {"atasnd", std::to_string(sum_over_paths(stats, "frames_sent"))},
          {"erraoe", std::to_string(sum_over_paths(stats, "answers_aoe_error"))},
          {"errata", std::to_string(sum_over_paths(stats, "answers_ata_error"))},
          {"errtimeout", std::to_string(number(errors, "timed_out"))},
          {"errtrunc", std::to_string(sum_over_paths(stats, "answers_truncated"))},
          {"errwmsg", std::to_string(number(errors, "no_path"))},
          {"retries", std::to_string(sum_over_paths(stats, "retransmissions"))},
          {"softerr", std::to_string(sum_over_paths(stats, "answers_corrected"))}};
}

KstatValues conf_values(const Json& show) {
  constexpr std::uint64_t kSectorsPerMib = 2048;
  constexpr std::uint64_t kNsPerMs = 1'000'000;
  const std::uint64_t sectors = number(show, "size_sectors");
  // Larger disks have no cylinders: those of the largest that has.
  const labels::Geometry geometry =
      labels::made_up_geometry(std::min(sectors, labels::kVtocSectorsMax));
  std::uint64_t timeout_ns = 0;
  for (const Json& path : member(show, "paths")) {
    timeout_ns = std::max(timeout_ns, number(path, "rto_ns"));
  }
  return {{"cylsize", std::to_string(geometry.cylinder_sectors())},
          {"maxbuf", std::to_string(sum_over_paths(show, "window_frames"))},
          {"maxdata", std::to_string(number(show, "payload_bytes"))},
          {"mibsize", std::to_string(sectors / kSectorsPerMib)},
          {"timeout", std::to_string((timeout_ns + kNsPerMs - 1) / kNsPerMs)}};
}

}  // namespace aoe::compat::solaris
