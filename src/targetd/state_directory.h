// Where exports keep what they remember over restarts: one checksummed file an export.
#pragma once

#include "base/bytes.h"
#include "base/ids.h"
#include "base/result.h"
#include "base/time.h"
#include "os/fd.h"
#include "os/privileges.h"

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace aoe::targetd {

// Files e7.1.state, e7.1.serving (serving_record.h), e7.1.freeze (freeze_record.h), e7.1.snapshots
// (snapshot_record.h) and e7.1.handover (target/handover.h), replaced whole: written under a
// temporary name, made stable where that is asked for, and renamed, so that an interruption leaves
// the old content or the new. A lock on e7.1.lock keeps a second daemon from serving the same
// export with the same state.
//
// Everything is reached through the descriptor of the directory, symbolic links are not followed.
// lock and unlock belong to one thread; load, save and remove may run on another one.
enum class StateFile : std::uint8_t {
  state,      // stable when save() returns, the directory too
  serving,    // another process sees it, a power cut may lose it
  freeze,     // as state
  snapshots,  // as state
  handover,   // as serving
};

class StateDirectory {
 public:
  // Makes the directory if there is none. not_permitted, io.
  [[nodiscard]] static Result<std::unique_ptr<StateDirectory>> open(const std::string& path);

  // Claims the export for this process. busy: another process has it.
  // Waits for it up to `patience`.
  [[nodiscard]] Result<void> lock(DeviceAddress address, Duration patience = {});
  void unlock(DeviceAddress address);

  // Makes the directory and all that is in it belong to somebody: whom the daemon becomes.
  [[nodiscard]] Result<void> give_to(const os::UserIdentity& identity) const;

  // The bytes of the file, nothing if there is none. corrupt: larger than any state can be.
  [[nodiscard]] Result<std::optional<std::vector<std::byte>>> load(DeviceAddress address,
                                                                   StateFile kind) const;

  // Blocks. Stable when it returns where the file was, and no error where there is none.
  [[nodiscard]] Result<void> remove(DeviceAddress address, StateFile kind) const;

  // Blocks. On an error the old file is still there.
  [[nodiscard]] Result<void> save(DeviceAddress address, StateFile kind, ConstByteSpan bytes) const;

 private:
  StateDirectory(std::string path, os::Fd directory)
      : path_(std::move(path)), directory_(std::move(directory)) {}

  std::string path_;
  os::Fd directory_;
  std::map<DeviceAddress, os::Fd> locks_;
};

}  // namespace aoe::targetd
