// What the next process of the daemon must know of the mount that it goes on with.
#pragma once

#include "base/ids.h"
#include "base/result.h"
#include "os/memory_file.h"
#include "protocol/ata_identify.h"

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace aoe::initiatord {

// Which disks the users of the mounted directory have: another one that is found under the address
// of one of them after a restart must not take its place. In a file in memory that the service
// manager keeps beside the mount, so that the two live equally long.
//
// The file: records of 256 bytes, each a JSON object, spaces and a line end; the first is about the
// mount, the others are a disk or empty. Each is written at once, so a process that is killed
// leaves whole ones.
class MountRecord {
 public:
  static constexpr std::size_t kRecordBytes = 256;
  static constexpr std::uint32_t kDisksMax = 256;

  // Errors: io.
  [[nodiscard]] static Result<MountRecord> create();
  // What an earlier process has left. A record that makes no sense is left out. Errors: io.
  [[nodiscard]] static Result<MountRecord> adopt(os::Fd fd);

  [[nodiscard]] int fd() const { return file_.fd(); }

  // Whether the kernel asks again what a process has not answered; nullopt: not known.
  [[nodiscard]] std::optional<bool> kernel_asks_again() const { return kernel_asks_again_; }

  // Errors: io, no_space.
  [[nodiscard]] Result<void> set_kernel_asks_again(bool asks);

  // The disk at that address; nullptr when none is recorded. Of the model there is what makes its
  // identity, and its size.
  [[nodiscard]] const protocol::IdentifyModel* disk(DeviceAddress address) const;

  // Does nothing when it says so already. Errors: io, no_space.
  [[nodiscard]] Result<void> keep(DeviceAddress address, const protocol::IdentifyModel& disk);
  // What is not there is no error. Errors: io.
  [[nodiscard]] Result<void> drop(DeviceAddress address);

 private:
  struct Entry {
    std::uint32_t place = 0;  // of its record behind the first
    protocol::IdentifyModel disk{};
  };

  explicit MountRecord(os::MemoryFile file) : file_(std::move(file)), taken_(kDisksMax) {}

  void read_disk(std::uint32_t place, const std::string& text);
  [[nodiscard]] Result<void> write(std::uint32_t record, const std::string& text) const;

  os::MemoryFile file_;
  std::optional<bool> kernel_asks_again_;
  std::map<DeviceAddress, Entry> disks_;
  std::vector<bool> taken_;  // places
};

}  // namespace aoe::initiatord
