// Calls that ask about an open device.
#include "aoe/aoe.h"
#include "base/bytes.h"
#include "libaoe/call.h"
#include "libaoe/handle.h"
#include "libaoe/settings.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

using aoe::kSectorBytes;
using aoe::Result;
using aoe::client::ByteDevice;
using aoe::libaoe::require;
using aoe::libaoe::run_call;

namespace {

// What the structures of the first version had: members are only ever added.
constexpr std::size_t kIdentityBytesMin = 112;
constexpr std::size_t kStatsBytesMin = 112;

// Fills what the caller's version of a structure has; what ours lacks becomes zero.
template <class T>
Result<int> copy_out(const T& from, T* to, std::size_t size, std::size_t size_min) {
  AOE_TRY(require(to, "structure"));
  if (size < size_min) {
    return aoe::fail_with(
        aoe::Errc::invalid_argument, 0,
        "structure of " + std::to_string(size) + " bytes: at least " + std::to_string(size_min));
  }
  const auto bytes = std::as_bytes(std::span(&from, 1));
  // As bytes, because the caller's structure may be longer than what we know of it.
  const std::span<std::byte> out(static_cast<std::byte*>(static_cast<void*>(to)), size);
  aoe::fill_zero(out);
  aoe::copy_bytes(out, bytes.first(std::min(size, bytes.size())));
  return 0;
}

template <std::size_t N>
void copy_text(char (&to)[N], const std::string& from) {
  const std::size_t length = std::min(from.size(), N - 1);
  std::copy_n(from.begin(), length, to);
  to[length] = '\0';
}

aoe_identity describe(const ByteDevice& bytes) {
  const auto& disk = *bytes.device().identity();
  const aoe::DeviceAddress address = bytes.device().address();
  aoe_identity identity{};
  identity.shelf = address.shelf.value;
  identity.slot = address.slot.value;
  identity.has_write_cache = disk.write_cache_enabled ? 1 : 0;
  identity.has_trim = disk.has_trim ? 1 : 0;
  identity.trim_reads_zero = disk.trim_reads_zero ? 1 : 0;
  identity.rotation_rate = disk.rotation_rate;
  identity.physical_sector_bytes = disk.physical_sector_bytes;
  identity.size = bytes.size_bytes();
  identity.world_wide_name = disk.world_wide_name;
  copy_text(identity.serial, disk.serial);
  copy_text(identity.firmware, disk.firmware);
  copy_text(identity.model, disk.model);
  return identity;
}

aoe_path describe(const aoe::client::PathInfo& info) {
  aoe_path path{};
  path.interface = info.interface.c_str();
  path.state = info.state.c_str();
  path.quarantine = info.quarantine.c_str();
  path.peer = info.peer.c_str();
  std::copy(info.mac.octets.begin(), info.mac.octets.end(), path.mac);
  path.payload_bytes = info.payload_bytes;
  path.payload_bytes_allowed = info.payload_bytes_allowed;
  path.window_frames = info.window_frames;
  path.in_flight_frames = info.in_flight_frames;
  path.srtt_ns = info.srtt.ns;
  path.rttvar_ns = info.rttvar.ns;
  path.rto_ns = info.rto.ns;
  path.rtt_min_ns = info.rtt_min.ns;
  path.rtt_p50_ns = info.rtt_p50.ns;
  path.rtt_p99_ns = info.rtt_p99.ns;
  path.frames_sent = info.frames_sent;
  path.frames_answered = info.frames_answered;
  path.retransmissions = info.retransmissions;
  path.frames_damaged = info.frames_damaged;
  return path;
}

// A question with a number for an answer.
template <class Number, class Ask>
Number ask(const char* name, aoe_handle* handle, Ask question) {
  return run_call(name, [&]() -> Result<Number> {
    AOE_TRY(require(handle, "handle"));
    return handle->ask([&](const ByteDevice& bytes) { return Number{question(bytes)}; });
  });
}

}  // namespace

std::int64_t aoe_get_size(aoe_handle* handle) {
  return ask<std::int64_t>("aoe_get_size", handle, [](const ByteDevice& bytes) {
    return static_cast<std::int64_t>(bytes.size_bytes());
  });
}

int aoe_set_size_callback(aoe_handle* handle, aoe_size_callback callback, void* user_data) {
  return run_call("aoe_set_size_callback", [&]() -> Result<int> {
    AOE_TRY(require(handle, "handle"));
    handle->set_size_callback(callback, user_data);
    return 0;
  });
}

std::int64_t aoe_get_block_size(aoe_handle* handle, int which) {
  return run_call("aoe_get_block_size", [&]() -> Result<std::int64_t> {
    AOE_TRY(require(handle, "handle"));
    AOE_TRY_ASSIGN(const std::uint32_t preferred, handle->ask([](const ByteDevice& bytes) {
      return aoe::libaoe::preferred_block(bytes.device().info().payload_bytes,
                                          bytes.device().identity()->physical_sector_bytes);
    }));
    switch (which) {
      case AOE_BLOCK_MINIMUM:
        return kSectorBytes;
      case AOE_BLOCK_PREFERRED:
        return preferred;
      case AOE_BLOCK_MAXIMUM:
        return aoe::libaoe::kTransferBytesMax;
      default:
        return aoe::fail_with(aoe::Errc::invalid_argument, 0, "unknown block size");
    }
  });
}

int aoe_is_up(aoe_handle* handle) {
  return ask<int>("aoe_is_up", handle, [](const ByteDevice& b) { return b.device().is_up(); });
}

int aoe_is_read_only(aoe_handle* handle) {
  return ask<int>("aoe_is_read_only", handle, [](const ByteDevice& bytes) {
    return bytes.device().access() == aoe::client::Access::read_only;
  });
}

int aoe_can_flush(aoe_handle* handle) {
  return ask<int>("aoe_can_flush", handle, [](const ByteDevice&) { return true; });
}

int aoe_can_fua(aoe_handle* handle) {
  return ask<int>("aoe_can_fua", handle, [](const ByteDevice&) { return true; });
}

int aoe_can_trim(aoe_handle* handle) {
  return ask<int>("aoe_can_trim", handle,
                  [](const ByteDevice& bytes) { return bytes.device().identity()->has_trim; });
}

int aoe_can_zero(aoe_handle* handle) {
  return ask<int>("aoe_can_zero", handle, [](const ByteDevice&) { return true; });
}

int aoe_get_identity(aoe_handle* handle, aoe_identity* identity, std::size_t identity_size) {
  return run_call("aoe_get_identity", [&]() -> Result<int> {
    AOE_TRY(require(handle, "handle"));
    AOE_TRY_ASSIGN(const aoe_identity now,
                   handle->ask([](const ByteDevice& bytes) { return describe(bytes); }));
    return copy_out(now, identity, identity_size, kIdentityBytesMin);
  });
}

int aoe_list_paths(aoe_handle* handle, aoe_path_callback callback, void* user_data) {
  return run_call("aoe_list_paths", [&]() -> Result<int> {
    AOE_TRY(require(handle, "handle"));
    AOE_TRY(require(callback, "callback"));
    AOE_TRY_ASSIGN(const auto info,
                   handle->ask([](const ByteDevice& bytes) { return bytes.device().info(); }));
    int calls = 0;
    for (const aoe::client::PathInfo& known : info.paths) {
      const aoe_path path = describe(known);
      ++calls;
      if (callback(user_data, &path) != 0) {
        break;
      }
    }
    return calls;
  });
}

int aoe_get_stats(aoe_handle* handle, aoe_stats* stats, std::size_t stats_size) {
  return run_call("aoe_get_stats", [&]() -> Result<int> {
    AOE_TRY(require(handle, "handle"));
    AOE_TRY_ASSIGN(const aoe_stats now, handle->stats());
    return copy_out(now, stats, stats_size, kStatsBytesMin);
  });
}
