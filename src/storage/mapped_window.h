// The pages of a file that lives in memory, without a system call for each piece of it.
#pragma once

#include "os/mapped_memory.h"
#include "storage/store_options.h"

#include <cstddef>
#include <cstdint>
#include <span>

namespace aoe::storage {

// A shared mapping of the window of a tmpfs or ramfs file. What it cannot do it says, and the
// caller does it with a system call, which has the exact errors: a hole is never touched, because
// the kernel would fill it when it is read, and end the process where the file system is full when
// it is written. That a page is there is asked once and remembered; a page that has gone since (the
// file was cut) is noticed when it is touched.
//
// Single thread. The descriptor outlives it.
class MappedWindow {
 public:
  // Without a window: refuses all.
  MappedWindow() = default;
  // Refuses all, too, where the file cannot be mapped (sealed, no address space) or the window is
  // larger than 1 TiB, of which the memory about pages would get large. Read-only: refuses writes.
  MappedWindow(int fd, std::uint64_t offset_bytes, std::uint64_t size_bytes, Access access);
  MappedWindow(MappedWindow&& other) noexcept;
  MappedWindow& operator=(MappedWindow&& other) noexcept;
  MappedWindow(const MappedWindow&) = delete;
  MappedWindow& operator=(const MappedWindow&) = delete;
  // Says when it was changed, if that was not done yet.
  ~MappedWindow();

  [[nodiscard]] bool is_mapped() const { return !memory_.empty(); }

  // False: not, or not all of it was moved. Offsets are in the window.
  [[nodiscard]] bool read(std::uint64_t offset_bytes, std::span<std::byte> into);
  [[nodiscard]] bool write(std::uint64_t offset_bytes, std::span<const std::byte> from);

  // What is there comes nearer to the processor.
  void prefetch(std::uint64_t offset_bytes, std::uint64_t length_bytes) const;

  // There may be holes now.
  void forget(std::uint64_t offset_bytes, std::uint64_t length_bytes);

  // The window has another size now.
  void resize(std::uint64_t size_bytes);

  // The kernel sees no more than the first write through each page of a mapping of tmpfs, so the
  // file's time of change is behind until this is called: every second, and with each flush. Where
  // that is not allowed (the process has given up its rights to the file) it writes no more, and
  // system calls do.
  void stamp_change();

 private:
  [[nodiscard]] bool covers(std::uint64_t offset_bytes, std::uint64_t length_bytes);
  [[nodiscard]] bool is_page_there(std::uint64_t page) const;

  [[nodiscard]] std::span<std::byte> window() const { return memory_.subspan(lead_bytes_); }

  void map(std::uint64_t size_bytes);
  void unmap();

  int fd_ = -1;
  bool is_writable_ = false;
  bool is_changed_ = false;
  std::uint64_t first_page_bytes_ = 0;  // of the file, where the mapping begins
  std::size_t lead_bytes_ = 0;          // of the mapping, before the window
  std::span<std::byte> memory_;
  os::MappedMemory present_;  // a bit for each page of the mapping
};

}  // namespace aoe::storage
