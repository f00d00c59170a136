#include "os/mapped_memory.h"

#include "base/bytes.h"
#include "base/check.h"
#include "os/error_text.h"

#include <fmt/format.h>

#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

namespace aoe::os {

Result<MappedMemory> MappedMemory::allocate(std::uint64_t size_bytes, std::string_view what) {
  const auto failed = [&](int os_errno) {
    return fail_with(os_errno == ENOMEM ? Errc::no_space : errc_of_errno(os_errno), os_errno,
                     fmt::format("{}: cannot reserve {} bytes of address space: {}", what,
                                 size_bytes, error_text(os_errno)));
  };
  if (size_bytes == 0) {
    return failed(EINVAL);
  }
  void* address = ::mmap(nullptr, size_bytes, PROT_READ | PROT_WRITE,
                         MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (address == MAP_FAILED) {  // NOLINT(performance-no-int-to-ptr): the macro's own cast
    return failed(errno);
  }
  return MappedMemory(std::span(static_cast<std::byte*>(address), size_bytes));
}

MappedMemory::MappedMemory(MappedMemory&& other) noexcept
    : memory_(std::exchange(other.memory_, {})) {}

MappedMemory& MappedMemory::operator=(MappedMemory&& other) noexcept {
  if (this != &other) {
    const MappedMemory old(std::exchange(memory_, std::exchange(other.memory_, {})));
  }
  return *this;
}

MappedMemory::~MappedMemory() {
  if (!memory_.empty()) {
    ::munmap(memory_.data(), memory_.size());
  }
}

void MappedMemory::prefer_large_pages() const {
  ::madvise(memory_.data(), memory_.size(), MADV_HUGEPAGE);
}

void MappedMemory::forget(std::span<std::byte> pages) const {
  if (pages.empty()) {
    return;
  }
  AOE_CHECK(is_aligned(pages, page_bytes()) && pages.size() % page_bytes() == 0,
            "only whole pages can be given back");
  const int result = ::madvise(pages.data(), pages.size(), MADV_DONTNEED);
  AOE_CHECK(result == 0, "giving back pages of our own mapping cannot fail");
}

void MappedMemory::zero(std::span<std::byte> range) const {
  const std::size_t page = page_bytes();
  const auto offset = static_cast<std::size_t>(range.data() - memory_.data());
  const std::size_t first_page = (offset + page - 1) / page * page;
  const std::size_t end_page = (offset + range.size()) / page * page;
  if (first_page >= end_page) {
    fill_zero(range);
    return;
  }
  fill_zero(range.first(first_page - offset));
  forget(memory_.subspan(first_page, end_page - first_page));
  fill_zero(range.subspan(end_page - offset));
}

std::size_t page_bytes() {
  return static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
}

bool is_aligned(std::span<const std::byte> memory, std::size_t alignment_bytes) {
  return (reinterpret_cast<std::uintptr_t>(memory.data()) & (alignment_bytes - 1)) == 0;
}

}  // namespace aoe::os
