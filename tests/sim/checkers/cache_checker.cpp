#include "sim/checkers/cache_checker.h"

#include <string>
#include <vector>

namespace aoe::sim {

CacheChecker::State* CacheChecker::find(std::uint32_t writer, std::uint32_t disk) {
  const auto found = writers_.find(writer);
  return found == writers_.end() ? nullptr : &found->second[disk];
}

CacheChecker::Order CacheChecker::begin_change(std::uint32_t writer, std::uint32_t disk) {
  State* const state = find(writer, disk);
  return state == nullptr ? 0 : state->next++;
}

void CacheChecker::on_acknowledged(std::uint32_t writer, std::uint32_t disk, Order change) {
  if (State* const state = find(writer, disk); state != nullptr) {
    state->cached.push_back(change);
  }
}

void CacheChecker::on_power_cut(std::uint32_t disk) {
  ++power_cuts_[disk];
  for (auto& [writer, disks] : writers_) {
    State& state = disks[disk];
    state.lost += state.cached.size();
    state.cached.clear();
  }
}

CacheChecker::FlushStart CacheChecker::begin_flush(std::uint32_t writer, std::uint32_t disk) {
  State* const state = find(writer, disk);
  return {.order = state == nullptr ? 0 : state->next++, .power_cuts = power_cuts_[disk]};
}

void CacheChecker::settle(State& state, const FlushStart& start) {
  std::erase_if(state.cached, [&start](Order change) { return change < start.order; });
}

void CacheChecker::end_flush(Instant now, std::uint32_t writer, std::uint32_t disk,
                             const FlushStart& start) {
  State* const state = find(writer, disk);
  if (state == nullptr) {
    return;
  }
  settle(*state, start);
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

bool CacheChecker::on_told(std::uint32_t writer, std::uint32_t disk, const FlushStart& start) {
  if (State* const state = find(writer, disk); state != nullptr) {
    settle(*state, start);
    state->lost = 0;
  }
  return power_cuts_[disk] > 0;
}

}  // namespace aoe::sim
