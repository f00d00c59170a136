// A mounted FUSE file system without libfuse: the descriptor, the mount, and its end.
#pragma once

#include "base/result.h"
#include "os/fd.h"

#include <sys/types.h>

#include <memory>
#include <string>

namespace aoe::os {

// Mounts at construction and unmounts at destruction. A small process of its own unmounts when this
// one has ended, however it ended: by then this one has no privileges left, or no chance. So a
// crashed daemon leaves no directory behind on which every access fails. All but stay_mounted().
class FuseMount {
 public:
  struct Options {
    std::string directory{};         // made if it is missing
    std::string type = "aoe";        // the file system is "fuse.TYPE" in the table of mounts
    std::size_t read_bytes_max = 0;  // of one READ request
  };

  // A mount that a dead process left at the directory is taken away first. Errors: unsupported (no
  // /dev/fuse), not_permitted (needs CAP_SYS_ADMIN), busy (a living process has mounted there), io.
  // Call it while the process has one thread and before it locks memory.
  [[nodiscard]] static Result<std::unique_ptr<FuseMount>> mount(const Options& options);

  // Goes on with the mount of an earlier process, whose descriptor somebody has kept. What has the
  // directory open has it open still. Errors: not_found (it is mounted no more), io.
  [[nodiscard]] static Result<std::unique_ptr<FuseMount>> adopt(const Options& options, Fd device);

  // Whether the directory stays mounted when this process ends, because somebody keeps a copy of
  // the descriptor for the next one. Not at first.
  void stay_mounted(bool stays);

  FuseMount(const FuseMount&) = delete;
  FuseMount& operator=(const FuseMount&) = delete;
  // Waits until it is unmounted; what still has files open there gets errors.
  ~FuseMount();

  // Where requests come from; non-blocking.
  [[nodiscard]] const Fd& device() const { return device_; }

  [[nodiscard]] const std::string& directory() const { return directory_; }

 private:
  FuseMount(std::string directory, Fd device)
      : directory_(std::move(directory)), device_(std::move(device)) {}

  [[nodiscard]] Result<void> start_guard();

  std::string directory_;
  Fd device_;
  Fd guard_pipe_;  // its end tells the guard that we have ended
  pid_t guard_ = -1;
  bool stays_mounted_ = false;
};

}  // namespace aoe::os
