// A file without a name, in memory alone: what one process writes for the next one.
#pragma once

#include "base/result.h"
#include "os/fd.h"

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <utility>

namespace aoe::os {

// It is there as long as anybody has a descriptor of it, and no longer. Move-only.
class MemoryFile {
 public:
  // `name` is for people who look at /proc alone. Errors: io.
  [[nodiscard]] static Result<MemoryFile> create(const std::string& name);

  // One that somebody else has made.
  explicit MemoryFile(Fd fd) : fd_(std::move(fd)) {}

  [[nodiscard]] int fd() const { return fd_.get(); }

  // Fills `into` as far as the file reaches; returns how many bytes. Errors: io.
  [[nodiscard]] Result<std::size_t> read(std::uint64_t offset, std::span<std::byte> into) const;

  // Inside one page all of it is written or nothing, whatever ends this process. Errors: io,
  // no_space (of memory).
  [[nodiscard]] Result<void> write(std::uint64_t offset, std::span<const std::byte> bytes) const;

 private:
  Fd fd_;
};

}  // namespace aoe::os
