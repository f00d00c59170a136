#include "os/boot_identity.h"

#include "base/fnv1a.h"
#include "os/fd.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>

namespace aoe::os {
namespace {

// The first word of a short file.
std::string first_word(const char* path) {
  std::array<char, 128> text{};
  const Fd file(::open(path, O_RDONLY | O_CLOEXEC));
  const ssize_t length = file ? ::read(file.get(), text.data(), text.size()) : -1;
  std::string word;
  for (ssize_t i = 0; i < length && text[static_cast<std::size_t>(i)] > ' '; ++i) {
    word += text[static_cast<std::size_t>(i)];
  }
  return word;
}

}  // namespace

BootIdentity boot_identity() {
  return {.machine = first_word("/etc/machine-id"),
          .boot = first_word("/proc/sys/kernel/random/boot_id")};
}

std::uint64_t boot_number(const BootIdentity& identity) {
  return fnv1a(identity.boot, fnv1a(identity.machine + "/")) | 1U;
}

}  // namespace aoe::os
