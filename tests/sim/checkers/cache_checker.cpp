#include "sim/checkers/cache_checker.h"

#include <string>
#include <utility>

namespace aoe::sim {

CacheChecker::State* CacheChecker::find(std::uint32_t writer, std::uint32_t disk) {
  const auto found = writers_.find(writer);
  return found == writers_.end() ? nullptr : &found->second[disk];
}

void CacheChecker::on_acknowledged(std::uint32_t writer, std::uint32_t disk) {
  if (State* const state = find(writer, disk); state != nullptr) {
    ++state->cached;
  }
}

void CacheChecker::on_power_cut(std::uint32_t disk) {
  ++power_cuts_[disk];
  for (auto& [writer, disks] : writers_) {
    State& state = disks[disk];
    state.lost += std::exchange(state.cached, 0);
  }
}

CacheChecker::FlushStart CacheChecker::begin_flush(std::uint32_t disk) {
  return {.power_cuts = power_cuts_[disk]};
}

void CacheChecker::end_flush(Instant now, std::uint32_t writer, std::uint32_t disk,
                             const FlushStart& start) {
  State* const state = find(writer, disk);
  if (state == nullptr) {
    return;
  }
  state->cached = 0;
  if (start.power_cuts != power_cuts_[disk]) {
    // It may have been executed before the power cut.
    state->lost = 0;
  } else if (state->lost > 0) {
    violations_.add(Rule::durable, now,
                    "a flush of disk " + std::to_string(disk) +
                        " succeeded though the disk lost its cache before it began, with " +
                        std::to_string(state->lost) + " changes of writer " +
                        std::to_string(writer));
    state->lost = 0;
  }
}

bool CacheChecker::on_told(std::uint32_t writer, std::uint32_t disk) {
  if (State* const state = find(writer, disk); state != nullptr) {
    *state = {};
  }
  return power_cuts_[disk] > 0;
}

}  // namespace aoe::sim
