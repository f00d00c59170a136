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

bool FenceChecker::keeps_out(std::uint32_t disk, std::span<const MacAddress> addresses,
                             std::span<const MacAddress> present) const {
  if (disk >= disks_.size() || disks_[disk].holders.empty()) {
    return false;
  }
  const std::vector<MacAddress>& holders = disks_[disk].holders;
  return std::equal(holders.begin(), holders.end(), present.begin(), present.end()) &&
         std::find_first_of(holders.begin(), holders.end(), addresses.begin(), addresses.end()) ==
             holders.end();
}

void FenceChecker::on_write(Instant now, SectorPlace place, SectorValue value,
                            std::span<const MacAddress> present) {
  if (value.writer() == 0 || value.writer() > writers_.size()) {
    return;
  }
  if (keeps_out(place.disk, writers_[value.writer() - 1], present)) {
    violations_.add(Rule::fencing, now,
                    "disk " + std::to_string(place.disk) + " sector " + std::to_string(place.lba) +
                        ": " + to_string(value) + " is executed although the disk is reserved");
  }
}

void FenceChecker::on_zeros(Instant now, SectorPlace place, const MacAddress& source,
                            std::span<const MacAddress> present) {
  // The machine's other addresses count as well.
  const auto machine = std::find_if(
      writers_.begin(), writers_.end(), [&source](const std::vector<MacAddress>& addresses) {
        return std::find(addresses.begin(), addresses.end(), source) != addresses.end();
      });
  if (machine != writers_.end() && keeps_out(place.disk, *machine, present)) {
    violations_.add(Rule::fencing, now,
                    "disk " + std::to_string(place.disk) + " sector " + std::to_string(place.lba) +
                        ": zeros of " + to_string(source) +
                        " are executed although the disk is reserved");
  }
}

}  // namespace aoe::sim
