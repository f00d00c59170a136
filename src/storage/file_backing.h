// Opening a regular file or block device, and finding out what it can do.
#pragma once

#include "base/result.h"
#include "os/fd.h"
#include "storage/store_options.h"

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace aoe::storage {

// An open backing and the window of it that is served. Answers questions; does no data I/O of its
// own.
class FileBacking {
 public:
  // Refuses, with a message that names the reason: anything but a regular file or block device; a
  // backing below one sector; a window outside it; a block device that is in use (opened O_EXCL); a
  // read-only medium opened for writing; direct I/O that needs more than 512-byte alignment.
  // Symbolic links are followed: the path is the user's own.
  static Result<FileBacking> open(const std::string& path, const StoreOptions& options);

  [[nodiscard]] int fd() const { return fd_.get(); }

  // More descriptors of a writable backing, each opened on its own: the kernel tells every open
  // file of a page that it could not write, but only once, so that flushes that overlap need one
  // each (errseq_t; fsync(2)). None where another machine answers, whose ways with errors nobody
  // knows, where there is no disk to wait for, and where they would use up what the process may
  // open.
  [[nodiscard]] std::span<const os::Fd> more_flush_fds() const { return more_flush_fds_; }

  [[nodiscard]] const std::string& path() const { return path_; }

  [[nodiscard]] bool is_block_device() const { return is_block_device_; }

  [[nodiscard]] bool is_direct() const { return is_direct_; }

  // Where memory for direct I/O has to start; a power of two, at most 512. 1 when
  // buffered.
  [[nodiscard]] std::uint32_t memory_alignment_bytes() const { return memory_alignment_bytes_; }

  [[nodiscard]] std::uint64_t window_offset_bytes() const { return window_offset_bytes_; }

  // As of open: whole sectors.
  [[nodiscard]] std::uint64_t size_bytes() const { return size_bytes_; }

  // Bytes behind the last whole sector, 0..511, which nobody can reach.
  [[nodiscard]] std::uint32_t odd_tail_bytes() const { return odd_tail_bytes_; }

  // Device: its physical block (BLKPBSZGET). File: 4096 always. That is the page of the page cache
  // and the block of nearly every file system; st_blksize would be a transfer size, not a block,
  // and the device below may be several devices.
  [[nodiscard]] std::uint32_t physical_block_bytes() const { return physical_block_bytes_; }

  // False where nobody knows (network and memory file systems).
  [[nodiscard]] bool is_rotational() const { return is_rotational_; }

  // Another process or machine answers for the file system (FUSE, NFS, SMB and their like). When
  // that hangs so does every call, also one that was asked not to wait.
  [[nodiscard]] bool is_remote() const { return is_remote_; }

  // The file lives in memory (tmpfs): reading and writing it waits for no disk, short of swap
  // space. Such file systems refuse I/O that may not wait, so whoever asks for that pays for a
  // thread.
  [[nodiscard]] bool is_in_memory() const { return is_in_memory_; }

  // FALLOC_FL_PUNCH_HOLE works; the range then reads as zeros, on files and devices.
  [[nodiscard]] bool can_punch_hole() const { return can_punch_hole_; }

  // Looks again: how many bytes the window has now, whole sectors, 0 when the backing ends before
  // it.
  [[nodiscard]] Result<std::uint64_t> measure() const;

  // The same for a backing that is known to have `whole_bytes`.
  [[nodiscard]] std::uint64_t window_bytes(std::uint64_t whole_bytes) const;

 private:
  FileBacking() = default;

  [[nodiscard]] Result<std::uint64_t> whole_size_bytes() const;
  Result<void> open_descriptor(const StoreOptions& options);
  Result<void> choose_direct(DirectIo wanted);
  [[nodiscard]] Result<void> check_direct_file();
  Result<void> set_window(const StoreOptions& options);
  void learn_limits(Access access);
  void open_flush_descriptors();

  std::string path_;
  os::Fd fd_;
  std::vector<os::Fd> more_flush_fds_;
  bool is_block_device_ = false;
  bool is_direct_ = false;
  bool is_rotational_ = false;
  bool is_remote_ = false;
  bool is_in_memory_ = false;
  bool can_punch_hole_ = false;
  std::uint32_t memory_alignment_bytes_ = 1;
  std::uint32_t physical_block_bytes_ = 512;
  std::uint32_t odd_tail_bytes_ = 0;
  std::uint64_t window_offset_bytes_ = 0;
  std::uint64_t window_limit_bytes_ = 0;  // the length the user asked for; 0: to the end
  std::uint64_t size_bytes_ = 0;
};

}  // namespace aoe::storage
