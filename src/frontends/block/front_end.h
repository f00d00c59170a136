// The kinds of block devices under which this host can have a remote disk.
#pragma once

#include "base/result.h"

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace aoe::block {

enum class Access : std::uint8_t { read_write, read_only };

struct Source {
  std::string file{};  // the device's file below the mounted directory
  Access access = Access::read_write;
};

// All calls block: they read the disk to find its partitions, or write what a cache holds.
struct FrontEnd {
  std::string_view name;  // as in `aoe attach --via`
  // Whether it works here. Errors: unsupported, with the reason.
  Result<void> (*check)();
  // Returns the path of the block device. Errors leave nothing behind.
  Result<std::string> (*attach)(const Source& source);
  // Errors: busy, io. A device that is gone already is no error.
  Result<void> (*detach)(const std::string& device);
  Result<void> (*update_size)(const std::string& device);
  // The file that the block device stands for; empty when it stands for none.
  std::string (*file_of)(const std::string& device);
};

// The best first.
[[nodiscard]] std::span<const FrontEnd> front_ends();

// nullptr when there is none of this name.
[[nodiscard]] const FrontEnd* find_front_end(std::string_view name);

struct Choice {
  const FrontEnd* front_end = nullptr;
  std::string passed_over{};  // why a better one was not taken: "no ublk: ..; no nbd: .."
};

// The one that is asked for, or with "auto" the best that works. Errors: invalid_argument (no such
// name), unsupported (it does not work here, or none does).
[[nodiscard]] Result<Choice> choose(std::string_view via, std::span<const FrontEnd> from);

}  // namespace aoe::block
