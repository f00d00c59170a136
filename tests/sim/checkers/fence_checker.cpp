#include "sim/checkers/fence_checker.h"

#include "base/check.h"
#include "protocol/aoe_frame.h"
#include "protocol/aoe_mac_lists.h"

#include <algorithm>
#include <utility>

namespace aoe::sim {

void FenceChecker::add_writer(std::uint32_t writer, std::vector<MacAddress> addresses) {
  AOE_CHECK(writer == writers_.size() + 1, "writers are numbered in order");
  writers_.push_back(std::move(addresses));
}

void FenceChecker::on_target_frame(std::uint32_t disk, ConstByteSpan frame) {
  const auto header = protocol::parse_header(frame);
  if (!header || !header->is_response || header->is_error ||
      header->command != static_cast<std::uint8_t>(protocol::Command::reserve)) {
    return;
  }
  const auto reserve = protocol::parse_reserve(frame);
  if (!reserve) {
    return;
  }
  ++answers_;
  if (disks_.size() <= disk) {
    disks_.resize(disk + 1);
  }
  std::vector<MacAddress>& holders = disks_[disk].holders;
  holders.clear();
  for (std::size_t i = 0; i < reserve->mac_count; ++i) {
    holders.push_back(reserve->address(i));
  }
}

void FenceChecker::on_write(Instant now, SectorPlace place, SectorValue value,
                            std::span<const MacAddress> present) {
  if (place.disk >= disks_.size() || disks_[place.disk].holders.empty() || value.writer() == 0 ||
      value.writer() > writers_.size()) {
    return;
  }
  const std::vector<MacAddress>& holders = disks_[place.disk].holders;
  if (!std::equal(holders.begin(), holders.end(), present.begin(), present.end())) {
    return;
  }
  for (const MacAddress& address : writers_[value.writer() - 1]) {
    if (std::find(holders.begin(), holders.end(), address) != holders.end()) {
      return;
    }
  }
  violations_.add(Rule::fencing, now,
                  "disk " + std::to_string(place.disk) + " sector " + std::to_string(place.lba) +
                      ": " + to_string(value) + " is executed although the disk is reserved");
}

}  // namespace aoe::sim
