// Which channels are active: a file for each in a directory, as AOEDIR of the Solaris package was.
#pragma once

#include "base/result.h"
#include "compat/solaris/aoe_conf.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace aoe::compat::solaris {

// DIR/N holds the words of channel N. Files that are none of these are ignored. The directory is
// made when it is needed, for its owner alone.
class ChannelTable {
 public:
  explicit ChannelTable(std::string directory) : directory_(std::move(directory)) {}

  // Sorted by number. Errors: io; corrupt (a file that is no channel, with its name).
  [[nodiscard]] Result<std::vector<Channel>> active() const;

  // Replaces the file at once. Errors: io, not_permitted.
  [[nodiscard]] Result<void> save(const Channel& channel) const;

  // A file that is not there is no error.
  [[nodiscard]] Result<void> remove(std::uint32_t number) const;

 private:
  [[nodiscard]] std::string path_of(std::uint32_t number) const;

  std::string directory_;
};

}  // namespace aoe::compat::solaris
