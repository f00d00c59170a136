// Reservations keep everybody else out, from the moment on at which somebody was told so.
//
// A reservation that was changed and not announced yet binds nobody here: its answer may be lost,
// or the target may die between saving and answering.
#pragma once

#include "base/bytes.h"
#include "base/ids.h"
#include "base/mac_address.h"
#include "base/time.h"
#include "sim/checkers/sector_content.h"
#include "sim/checkers/violations.h"

#include <cstdint>
#include <span>
#include <vector>

namespace aoe::sim {

class FenceChecker {
 public:
  explicit FenceChecker(Violations& violations) : violations_(violations) {}

  // The addresses from which a writer may send.
  void add_writer(std::uint32_t writer, std::vector<MacAddress> addresses);

  // A target says who holds the disk: a reserve reply without error leaves its core.
  void on_target_frame(std::uint32_t disk, ConstByteSpan frame);

  // A write of `value` takes effect while the target holds `present` for the reservation.
  void on_write(Instant now, SectorPlace place, SectorValue value,
                std::span<const MacAddress> present);
  // The same for zeros, which do not say whose they are: the request came from `source`.
  void on_zeros(Instant now, SectorPlace place, const MacAddress& source,
                std::span<const MacAddress> present);

  [[nodiscard]] std::uint64_t answers() const { return answers_; }

 private:
  struct Disk {
    std::vector<MacAddress> holders;
  };

  // Whether a reservation that was announced, and is in force, keeps these addresses out.
  [[nodiscard]] bool keeps_out(std::uint32_t disk, std::span<const MacAddress> addresses,
                               std::span<const MacAddress> present) const;

  Violations& violations_;
  std::vector<std::vector<MacAddress>> writers_;  // by number - 1
  std::vector<Disk> disks_;
  std::uint64_t answers_ = 0;
};

}  // namespace aoe::sim
