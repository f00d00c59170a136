#include "compat/solaris/device_counters.h"

#include "compat/labels/geometry.h"
#include "compat/solaris/json_fields.h"

#include <algorithm>

namespace aoe::compat::solaris {
namespace {

std::uint64_t sum_over_paths(const Json& device, const char* name) {
  std::uint64_t sum = 0;
  for (const Json& path : member(device, "paths")) {
    sum += number_of(path, name);
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
          {"errtimeout", std::to_string(number_of(errors, "timed_out"))},
          {"errtrunc", std::to_string(sum_over_paths(stats, "answers_truncated"))},
          {"errwmsg", std::to_string(number_of(errors, "no_path"))},
          {"retries", std::to_string(sum_over_paths(stats, "retransmissions"))},
          {"softerr", std::to_string(sum_over_paths(stats, "answers_corrected"))}};
}

KstatValues conf_values(const Json& show, const AoedDevice* entry) {
  constexpr std::uint64_t kSectorsPerMib = 2048;
  constexpr std::uint64_t kNsPerMs = 1'000'000;
  const std::uint64_t sectors = number_of(show, "size_sectors");
  // Larger disks have no cylinders: those of the largest that has.
  const labels::Geometry geometry =
      labels::made_up_geometry(std::min(sectors, labels::kVtocSectorsMax));
  std::uint64_t cylinder = geometry.cylinder_sectors();
  if (entry != nullptr && entry->heads && entry->sectors_per_track) {
    cylinder = std::uint64_t{*entry->heads} * *entry->sectors_per_track;
  }
  std::uint64_t timeout_ns = 0;
  for (const Json& path : member(show, "paths")) {
    timeout_ns = std::max(timeout_ns, number_of(path, "rto_ns"));
  }
  std::uint64_t timeout_ms = (timeout_ns + kNsPerMs - 1) / kNsPerMs;
  if (entry != nullptr && entry->timeout_ms) {
    timeout_ms = *entry->timeout_ms;
  }
  return {{"cylsize", std::to_string(cylinder)},
          {"maxbuf", std::to_string(sum_over_paths(show, "window_frames"))},
          {"maxdata", std::to_string(number_of(show, "payload_bytes"))},
          {"mibsize", std::to_string(sectors / kSectorsPerMib)},
          {"timeout", std::to_string(timeout_ms)}};
}

}  // namespace aoe::compat::solaris
