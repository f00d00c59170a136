// The kinds of block devices under which this host can have a remote disk.
#pragma once

#include "base/ids.h"
#include "base/result.h"

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace aoe::block {

enum class Access : std::uint8_t { read_write, read_only };

struct Source {
  DeviceAddress address{};
  std::string file{};  // the device's file below the mounted directory
  std::string uri{};   // the device for an initiator of its own: "aoe://eth1/e7.1?timeout=30"
  Access access = Access::read_write;
};

// What a block device of an own initiator stands for: "aoe:e7.1".
[[nodiscard]] std::string name_of_source(DeviceAddress address);

// The disk of such a name; nullopt for any other text.
[[nodiscard]] std::optional<DeviceAddress> address_of_source(std::string_view name);

// Whose initiator carries out the requests of a block device, and so with whom it lives.
enum class Carrier : std::uint8_t {
  daemon,  // by way of the mounted directory
  own,     // a process that outlives the daemon
};

// All calls block: they read the disk to find its partitions, or write what a cache holds.
struct FrontEnd {
  std::string_view name;  // as in `aoe attach --via`
  Carrier carrier;
  // Whether it works here. Errors: unsupported, with the reason.
  Result<void> (*check)();
  // Returns the path of the block device. Errors leave nothing behind.
  Result<std::string> (*attach)(const Source& source);
  // Errors: busy, io. A device that is gone already is no error.
  Result<void> (*detach)(const std::string& device);
  Result<void> (*update_size)(const std::string& device, std::uint64_t bytes);
  // What the block device stands for: a file, or with an own initiator name_of_source(); empty when
  // it is none of ours, or gone. Does not wait for the disk.
  std::string (*source_of)(const std::string& device);
  // Whether the kernel still has it. Reads sysfs alone.
  bool (*exists)(const std::string& device);
  // Goes on with a device whose process has died. Returns whether there was something to do.
  // Errors: as attach; the device is as it was then.
  Result<bool> (*resume)(const Source& source, const std::string& device);
};

// The best first.
[[nodiscard]] std::span<const FrontEnd> front_ends();

// nullptr when there is none of this name.
[[nodiscard]] const FrontEnd* find_front_end(std::string_view name);

struct Attached {
  const FrontEnd* front_end = nullptr;
  std::string device{};
  // Why a better one was not taken: "no ublk: ..; nbd failed: ..".
  std::string passed_over{};
};

// By the one that is asked for, or with "auto" by the best that works: one that is there and fails
// all the same is followed by the next. Errors: invalid_argument (no such name), unsupported (it
// does not work here, or none does), those of attach.
[[nodiscard]] Result<Attached> attach_by(std::string_view via, const Source& source,
                                         std::span<const FrontEnd> from);

struct Survivor {
  DeviceAddress address{};
  std::string device{};
  const FrontEnd* front_end = nullptr;
};

// The block devices of disks that this kernel has by front ends with an initiator of their own,
// whoever has attached them. Needs the rights to attach.
[[nodiscard]] std::vector<Survivor> find_survivors();

}  // namespace aoe::block
