#include "storage/mapped_window.h"

#include "base/prefetch.h"
#include "os/guarded_copy.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <utility>

namespace aoe::storage {

namespace {

constexpr std::uint64_t kWindowMaxBytes = std::uint64_t{1} << 40U;

std::size_t page_bytes() {
  static const std::size_t bytes = os::page_bytes();
  return bytes;
}

constexpr std::uint64_t kBitsPerByte = 8;

std::byte bit_of(std::uint64_t page) {
  return std::byte{1} << page % kBitsPerByte;
}

}  // namespace

MappedWindow::MappedWindow(int fd, std::uint64_t offset_bytes, std::uint64_t size_bytes,
                           Access access)
    : fd_(fd),
      is_writable_(access == Access::read_write),
      first_page_bytes_(offset_bytes / page_bytes() * page_bytes()),
      lead_bytes_(offset_bytes % page_bytes()) {
  map(size_bytes);
}

MappedWindow::MappedWindow(MappedWindow&& other) noexcept {
  *this = std::move(other);
}

MappedWindow& MappedWindow::operator=(MappedWindow&& other) noexcept {
  if (this != &other) {
    stamp_change();
    unmap();
    fd_ = other.fd_;
    is_writable_ = other.is_writable_;
    is_changed_ = std::exchange(other.is_changed_, false);
    first_page_bytes_ = other.first_page_bytes_;
    lead_bytes_ = other.lead_bytes_;
    memory_ = std::exchange(other.memory_, {});
    present_ = std::move(other.present_);
  }
  return *this;
}

MappedWindow::~MappedWindow() {
  stamp_change();
  unmap();
}

void MappedWindow::map(std::uint64_t size_bytes) {
  if (size_bytes == 0 || size_bytes > kWindowMaxBytes) {
    return;
  }
  const std::uint64_t mapped_bytes = lead_bytes_ + size_bytes;
  const std::uint64_t pages = (mapped_bytes + page_bytes() - 1) / page_bytes();
  auto present = os::MappedMemory::allocate(pages / kBitsPerByte + 1, "pages of a file");
  if (!present) {
    return;
  }
  void* const address =
      ::mmap(nullptr, mapped_bytes, is_writable_ ? PROT_READ | PROT_WRITE : PROT_READ, MAP_SHARED,
             fd_, static_cast<off_t>(first_page_bytes_));
  if (address == MAP_FAILED) {  // NOLINT(performance-no-int-to-ptr): the macro's own cast
    return;
  }
  memory_ = std::span(static_cast<std::byte*>(address), mapped_bytes);
  present_ = *std::move(present);
}

void MappedWindow::unmap() {
  if (!memory_.empty()) {
    ::munmap(memory_.data(), memory_.size());
    memory_ = {};
  }
}

void MappedWindow::resize(std::uint64_t size_bytes) {
  const std::uint64_t mapped_bytes = lead_bytes_ + size_bytes;
  if (fd_ >= 0 && mapped_bytes != memory_.size()) {
    unmap();
    map(size_bytes);
  }
}

bool MappedWindow::read(std::uint64_t offset_bytes, std::span<std::byte> into) {
  if (!covers(offset_bytes, into.size())) {
    return false;
  }
  if (!os::copy_guarded(into, window().subspan(offset_bytes, into.size()))) {
    forget(offset_bytes, into.size());
    return false;
  }
  return true;
}

bool MappedWindow::write(std::uint64_t offset_bytes, std::span<const std::byte> from) {
  if (!is_writable_ || !covers(offset_bytes, from.size())) {
    return false;
  }
  is_changed_ = true;
  if (!os::copy_guarded(window().subspan(offset_bytes, from.size()), from)) {
    forget(offset_bytes, from.size());
    return false;
  }
  return true;
}

void MappedWindow::prefetch(std::uint64_t offset_bytes, std::uint64_t length_bytes) const {
  if (is_mapped()) {
    prefetch_bytes(window(), offset_bytes, length_bytes);
  }
}

// Asks for the pages that it does not know of.
bool MappedWindow::covers(std::uint64_t offset_bytes, std::uint64_t length_bytes) {
  const std::uint64_t size_bytes = memory_.size();
  if (length_bytes == 0 || length_bytes > size_bytes ||
      lead_bytes_ + offset_bytes > size_bytes - length_bytes) {
    return false;
  }
  const std::uint64_t first = (lead_bytes_ + offset_bytes) / page_bytes();
  const std::uint64_t last = (lead_bytes_ + offset_bytes + length_bytes - 1) / page_bytes();
  for (std::uint64_t page = first; page <= last; ++page) {
    std::byte& bits = present_.bytes()[page / kBitsPerByte];
    if ((bits & bit_of(page)) == std::byte{}) {
      if (!is_page_there(page)) {
        return false;
      }
      bits |= bit_of(page);
    }
  }
  return true;
}

bool MappedWindow::is_page_there(std::uint64_t page) const {
  const auto at = static_cast<off_t>(first_page_bytes_ + page * page_bytes());
  // The descriptor's own position serves nobody: all I/O says where.
  return ::lseek(fd_, at, SEEK_DATA) == at;
}

void MappedWindow::forget(std::uint64_t offset_bytes, std::uint64_t length_bytes) {
  const std::uint64_t size_bytes = memory_.size();
  if (length_bytes == 0 || lead_bytes_ + offset_bytes >= size_bytes) {
    return;
  }
  const std::uint64_t begin = lead_bytes_ + offset_bytes;
  const std::uint64_t length_left_bytes = std::min(length_bytes, size_bytes - begin);
  std::uint64_t page = begin / page_bytes();
  const std::uint64_t end = (begin + length_left_bytes - 1) / page_bytes() + 1;
  for (; page < end && page % kBitsPerByte != 0; ++page) {
    present_.bytes()[page / kBitsPerByte] &= ~bit_of(page);
  }
  if (page < end) {
    const std::uint64_t whole = end / kBitsPerByte - page / kBitsPerByte;
    present_.zero(present_.bytes().subspan(page / kBitsPerByte, whole));
    page += whole * kBitsPerByte;
  }
  for (; page < end; ++page) {
    present_.bytes()[page / kBitsPerByte] &= ~bit_of(page);
  }
}

void MappedWindow::stamp_change() {
  if (!is_changed_) {
    return;
  }
  is_changed_ = false;
  const std::array<timespec, 2> change_only{timespec{.tv_sec = 0, .tv_nsec = UTIME_OMIT},
                                            timespec{.tv_sec = 0, .tv_nsec = UTIME_NOW}};
  // The first is for owners, the second for all who may write.
  is_writable_ = ::futimens(fd_, change_only.data()) == 0 || ::futimens(fd_, nullptr) == 0;
}

}  // namespace aoe::storage
