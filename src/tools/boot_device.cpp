#include "tools/boot_device.h"

#include "os/error_text.h"
#include "os/fd.h"
#include "tools/command_line.h"

#include <fmt/format.h>

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <string>
#include <string_view>
#include <vector>

namespace aoe::tools {
namespace {

// An ACPI table: signature, length (little-endian), and a checksum over all of it.
constexpr std::string_view kSignature = "aBFT";
constexpr std::size_t kTableBytes = 46;
constexpr std::size_t kLengthAt = 4;
constexpr std::size_t kShelfAt = 36;
constexpr std::size_t kSlotAt = 38;
constexpr std::size_t kMacAt = 40;
constexpr std::size_t kTableAlignment = 16;

// Where a kernel shows it that found it by itself.
constexpr const char* kKernelTable = "/sys/firmware/acpi/tables/aBFT";
// Else: the upper half of the first MiB, where iPXE keeps it below the video memory.
constexpr const char* kMemory = "/dev/mem";
constexpr std::size_t kMemoryAt = 0x80000;
constexpr std::size_t kMemoryBytes = 0x80000;

struct Source {
  std::string path;
  std::size_t offset = 0;
  std::size_t bytes_max = kMemoryBytes;
};

// As much as there is of it. Pages that cannot be read count as zeros: /dev/mem has such.
Result<std::vector<std::byte>> read_source(const Source& source) {
  const os::Fd file(::open(source.path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file) {
    return fail(os::os_error(errno, fmt::format("boot-device: open {}", source.path)));
  }
  constexpr std::size_t kPageBytes = 4096;
  std::vector<std::byte> bytes(source.bytes_max);
  std::size_t end = 0;
  for (std::size_t at = 0; at < bytes.size(); at += kPageBytes) {
    const ByteSpan page = ByteSpan(bytes).subspan(at, std::min(kPageBytes, bytes.size() - at));
    const ssize_t got =
        ::pread(file.get(), page.data(), page.size(), static_cast<off_t>(source.offset + at));
    if (got == 0) {
      break;
    }
    end = at + (got > 0 ? static_cast<std::size_t>(got) : page.size());
  }
  bytes.resize(end);
  return bytes;
}

class BootDeviceCommand final : public Command {
 public:
  void define(CommandLine& line) override {
    line.positional({"FILE", "", "Look for the table in this file instead"}, file_, Needed::no);
    line.output_option(output_);
    line.epilogue(
        "iPXE leaves the address of the disk it booted from in memory (the aBFT table). This "
        "reads\n"
        "it from /sys/firmware/acpi/tables or /dev/mem, which takes root. Exit status 4: there is\n"
        "none, the machine booted from elsewhere.");
  }

  Result<ExitStatus> run() override {
    AOE_TRY_ASSIGN(const std::vector<std::byte> memory, read());
    const auto found = find_boot_device(memory);
    if (!found) {
      return fail_with(Errc::not_found, 0,
                       fmt::format("boot-device: {}: no aBFT table (only iPXE leaves one, after "
                                   "sanboot or a root path of an AoE disk)",
                                   looked_at_));
    }
    if (output_ == OutputFormat::json) {
      AOE_TRY(print_out(json_document({{"address", to_string(found->address)},
                                       {"interface_mac", to_string(found->interface_mac)}})));
    } else if (output_ == OutputFormat::wide) {
      AOE_TRY(print_out(
          fmt::format("{} {}\n", to_string(found->address), to_string(found->interface_mac))));
    } else {
      AOE_TRY(print_out(to_string(found->address) + "\n"));
    }
    return ExitStatus::ok;
  }

 private:
  Result<std::vector<std::byte>> read() {
    if (!file_.empty()) {
      looked_at_ = file_;
      return read_source({.path = file_});
    }
    looked_at_ = kKernelTable;
    auto table = read_source({.path = kKernelTable});
    if (table || table.error().code != Errc::not_found) {
      return table;
    }
    looked_at_ = kMemory;
    return read_source({.path = kMemory, .offset = kMemoryAt});
  }

  std::string file_;
  std::string looked_at_;
  OutputFormat output_ = OutputFormat::text;
};

}  // namespace

std::optional<BootDevice> find_boot_device(ConstByteSpan memory) {
  for (std::size_t at = 0; at + kTableBytes <= memory.size(); at += kTableAlignment) {
    const ConstByteSpan rest = memory.subspan(at);
    if (!std::ranges::equal(rest.first(kSignature.size()), std::as_bytes(std::span(kSignature)))) {
      continue;
    }
    const std::size_t length = load_le32(rest, kLengthAt);
    if (length < kTableBytes || length > rest.size()) {
      continue;
    }
    std::uint8_t sum = 0;
    for (const std::byte byte : rest.first(length)) {
      sum = static_cast<std::uint8_t>(sum + std::to_integer<std::uint8_t>(byte));
    }
    if (sum == 0) {
      return BootDevice{.address = {Shelf{load_le16(rest, kShelfAt)}, Slot{load_u8(rest, kSlotAt)}},
                        .interface_mac = load_mac(rest, kMacAt)};
    }
  }
  return std::nullopt;
}

std::unique_ptr<Command> make_boot_device_command() {
  return std::make_unique<BootDeviceCommand>();
}

}  // namespace aoe::tools
