#include "initiatord/mount_record.h"

#include "base/bytes.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include <algorithm>
#include <span>
#include <string_view>
#include <type_traits>

namespace aoe::initiatord {

using Json = nlohmann::json;

namespace {

// Serial, model and world wide name tell disks apart, as they do in the core.
bool is_same(const protocol::IdentifyModel& a, const protocol::IdentifyModel& b) {
  return a.serial == b.serial && a.model == b.model && a.world_wide_name == b.world_wide_name &&
         a.sector_count == b.sector_count;
}

std::string text_of(DeviceAddress address, const protocol::IdentifyModel& disk) {
  return Json{{"address", to_string(address)},
              {"serial", disk.serial},
              {"model", disk.model},
              {"wwn", disk.world_wide_name},
              {"sectors", disk.sector_count}}
      .dump(-1, ' ', false, Json::error_handler_t::replace);
}

// nullopt where the member is missing or of another kind.
template <class T>
std::optional<T> member(const Json& json, const char* name) {
  const auto found = json.find(name);
  if (found == json.end()) {
    return std::nullopt;
  }
  if constexpr (std::is_same_v<T, std::string>) {
    return found->is_string() ? std::optional(found->get<std::string>()) : std::nullopt;
  } else if constexpr (std::is_same_v<T, bool>) {
    return found->is_boolean() ? std::optional(found->get<bool>()) : std::nullopt;
  } else {
    return found->is_number_unsigned() ? std::optional(found->get<T>()) : std::nullopt;
  }
}

Json parsed(std::string_view text) {
  Json json = Json::parse(text, nullptr, false);
  return json.is_object() ? json : Json::object();
}

}  // namespace

Result<MountRecord> MountRecord::create() {
  AOE_TRY_ASSIGN(os::MemoryFile file, os::MemoryFile::create("aoe-initiatord mount"));
  MountRecord record(std::move(file));
  AOE_TRY(record.write(0, ""));
  return record;
}

Result<MountRecord> MountRecord::adopt(os::Fd fd) {
  MountRecord record{os::MemoryFile(std::move(fd))};
  std::string bytes((kDisksMax + 1) * kRecordBytes, '\0');
  AOE_TRY_ASSIGN(const std::size_t size,
                 record.file_.read(0, std::as_writable_bytes(std::span(bytes))));
  bytes.resize(size - size % kRecordBytes);
  record.kernel_asks_again_ =
      member<bool>(parsed(std::string_view(bytes).substr(0, kRecordBytes)), "kernel_asks_again");
  for (std::size_t at = kRecordBytes; at < bytes.size(); at += kRecordBytes) {
    record.read_disk(static_cast<std::uint32_t>(at / kRecordBytes - 1),
                     bytes.substr(at, kRecordBytes));
  }
  return record;
}

void MountRecord::read_disk(std::uint32_t place, const std::string& text) {
  const Json json = parsed(text);
  const auto address = parse_device_address(member<std::string>(json, "address").value_or(""));
  const auto sectors = member<std::uint64_t>(json, "sectors");
  auto serial = member<std::string>(json, "serial");
  auto model = member<std::string>(json, "model");
  const auto wwn = member<std::uint64_t>(json, "wwn");
  if (!address || !sectors || *sectors >= kLbaLimit || !serial || !model || !wwn) {
    return;
  }
  Entry entry{.place = place, .disk = {}};
  entry.disk.serial = *std::move(serial);
  entry.disk.model = *std::move(model);
  entry.disk.world_wide_name = *wwn;
  entry.disk.sector_count = *sectors;
  taken_[place] = disks_.try_emplace(*address, std::move(entry)).second;
}

Result<void> MountRecord::write(std::uint32_t record, const std::string& text) const {
  const std::string line = fmt::format("{:<{}}\n", text, kRecordBytes - 1);
  if (line.size() != kRecordBytes) {
    return fail_with(Errc::no_space, 0,
                     fmt::format("the record of the mount: {} bytes are too many", text.size()));
  }
  return file_.write(std::uint64_t{record} * kRecordBytes, as_byte_span(line));
}

Result<void> MountRecord::set_kernel_asks_again(bool asks) {
  if (kernel_asks_again_ == asks) {
    return {};
  }
  kernel_asks_again_ = asks;
  return write(0, Json{{"kernel_asks_again", asks}}.dump());
}

const protocol::IdentifyModel* MountRecord::disk(DeviceAddress address) const {
  const auto found = disks_.find(address);
  return found == disks_.end() ? nullptr : &found->second.disk;
}

Result<void> MountRecord::keep(DeviceAddress address, const protocol::IdentifyModel& disk) {
  auto found = disks_.find(address);
  if (found != disks_.end() && is_same(found->second.disk, disk)) {
    return {};
  }
  if (found == disks_.end()) {
    const auto free = std::find(taken_.begin(), taken_.end(), false);
    if (free == taken_.end()) {
      return fail_with(Errc::no_space, 0,
                       fmt::format("{}: the record of the mount holds {} disks, the most it can",
                                   to_string(address), kDisksMax));
    }
    *free = true;
    found = disks_
                .try_emplace(
                    address,
                    Entry{.place = static_cast<std::uint32_t>(free - taken_.begin()), .disk = {}})
                .first;
  }
  found->second.disk = disk;
  return write(found->second.place + 1, text_of(address, disk));
}

Result<void> MountRecord::drop(DeviceAddress address) {
  const auto found = disks_.extract(address);
  if (found.empty()) {
    return {};
  }
  taken_[found.mapped().place] = false;
  return write(found.mapped().place + 1, "");
}

}  // namespace aoe::initiatord
