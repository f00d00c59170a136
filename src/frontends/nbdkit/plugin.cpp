// nbdkit-aoe-plugin: an AoE disk as an NBD export. nbdkit-aoe-plugin(1) is its manual.
//
// One handle of libaoe serves all connections: they share its view of the network, and a flush on
// one covers what completed on the others, which is what multi-conn promises. nbdkit calls in from
// as many threads as requests are under way; each sends for itself and sleeps until the library's
// thread wakes it.
//
// The device is opened before nbdkit goes into the background and gives up its privileges, so that
// errors are seen and only the start needs CAP_NET_RAW. The thread is started afterwards, because
// no thread survives a fork.
#include "aoe/aoe.h"

#define NBDKIT_API_VERSION 2
#include <nbdkit-plugin.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <string_view>

#define THREAD_MODEL NBDKIT_THREAD_MODEL_PARALLEL

namespace {

// The one export. nbdkit has no place for it but here: its callbacks before open() carry no
// pointer.
constinit aoe_handle* disk = nullptr;
constinit const char* uri = nullptr;         // these live as long as nbdkit does
constinit const char* interfaces = nullptr;  // "eth1,eth2"

// NBD knows few errors, and nbdkit turns those that it does not know into EINVAL, as if the client
// had asked for nonsense. What is no answer of the target to the request is an I/O error.
int nbd_errno(int number) {
  switch (number) {
    case EINVAL:
    case ENOMEM:
    case ENOSPC:
    case ENOTSUP:
    case EPERM:
    case EROFS:
      return number;
    default:
      return EIO;
  }
}

int fail() {
  nbdkit_set_error(nbd_errno(aoe_get_errno()));
  nbdkit_error("%s", aoe_get_error());
  return -1;
}

// 0 of a call is 0 of ours.
int check(int result) {
  return result < 0 ? fail() : result;
}

// --- parameters ---

// "30" or "2.5", as milliseconds; 0 for anything else, which libaoe refuses.
std::uint32_t parse_seconds(std::string_view text) {
  double seconds = 0;
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, seconds);
  if (error != std::errc{} || stop != end || !(seconds > 0)) {
    return 0;
  }
  return static_cast<std::uint32_t>(std::min(std::ceil(seconds * 1000), 4e9));
}

int set_interface(const char* value) {
  interfaces = interfaces == nullptr ? nbdkit_strdup_intern(value)
                                     : nbdkit_printf_intern("%s,%s", interfaces, value);
  return interfaces == nullptr ? -1 : check(aoe_set_interfaces(disk, interfaces));
}

int set_payload(const char* value) {
  const std::int64_t bytes = nbdkit_parse_size(value);
  if (bytes < 0) {
    return -1;
  }
  return check(aoe_set_payload_max(
      disk, static_cast<std::uint32_t>(std::min<std::int64_t>(bytes, UINT32_MAX))));
}

int on_config(const char* key, const char* value) {
  if (disk == nullptr && (disk = aoe_create()) == nullptr) {
    return fail();
  }
  const std::string_view name = key;
  if (name == "uri") {
    uri = nbdkit_strdup_intern(value);
    return uri == nullptr ? -1 : 0;
  }
  if (name == "interface") {
    return set_interface(value);
  }
  if (name == "timeout") {
    return check(aoe_set_timeout_ms(disk, parse_seconds(value)));
  }
  if (name == "open-timeout") {
    return check(aoe_set_open_timeout_ms(disk, parse_seconds(value)));
  }
  if (name == "payload") {
    return set_payload(value);
  }
  nbdkit_error("unknown parameter '%s'", key);
  return -1;
}

int on_config_complete() {
  if (uri == nullptr) {
    nbdkit_error("no device is named: write aoe:e7.1 or uri=aoe:e7.1");
    return -1;
  }
  return 0;
}

void dump_plugin() {
  std::printf("aoe_libaoe_version=%s\n", aoe_version());
}

constexpr const char* kConfigHelp =
    "[uri=]<URI>              (required) The device: aoe:e7.1, or aoe://eth1/e7.1\n"
    "interface=<IF>[,<IF>..]  Network interfaces, or auto; needed unless the URI has some\n"
    "timeout=<SECONDS>        How long a request is repeated before it fails (default 180)\n"
    "open-timeout=<SECONDS>   How long to look for the target at the start (default 5)\n"
    "payload=<SIZE>           Data in a frame at most (default: what the network allows)";

// --- life ---

void on_size(void* /*user_data*/, std::int64_t size) {
  // NBD has no message for it: what is connected keeps the old size.
  nbdkit_debug("the device has %lld bytes now; connections from now on see that",
               static_cast<long long>(size));
}

int get_ready() {
  if (aoe_set_size_callback(disk, on_size, nullptr) != 0 || aoe_open(disk, uri) != 0) {
    return fail();
  }
  return 0;
}

int after_fork() {
  return check(aoe_start_thread(disk));
}

void cleanup() {
  aoe_close(disk);
  disk = nullptr;
}

void* open_connection(int /*readonly*/) {
  return NBDKIT_HANDLE_NOT_NEEDED;
}

// --- questions ---

std::int64_t get_size(void* /*connection*/) {
  const std::int64_t size = aoe_get_size(disk);
  return size < 0 ? fail() : size;
}

int get_block_size(void* /*connection*/, std::uint32_t* minimum, std::uint32_t* preferred,
                   std::uint32_t* maximum) {
  const std::int64_t sizes[] = {aoe_get_block_size(disk, AOE_BLOCK_MINIMUM),
                                aoe_get_block_size(disk, AOE_BLOCK_PREFERRED),
                                aoe_get_block_size(disk, AOE_BLOCK_MAXIMUM)};
  if (std::any_of(std::begin(sizes), std::end(sizes), [](std::int64_t s) { return s < 0; })) {
    return fail();
  }
  *minimum = static_cast<std::uint32_t>(sizes[0]);
  *preferred = static_cast<std::uint32_t>(sizes[1]);
  *maximum = static_cast<std::uint32_t>(sizes[2]);
  return 0;
}

const char* describe_export(void* /*connection*/) {
  aoe_identity identity{};
  if (aoe_get_identity(disk, &identity, sizeof identity) != 0) {
    fail();
    return nullptr;
  }
  return nbdkit_printf_intern("e%u.%u: %s, serial %s", unsigned{identity.shelf},
                              unsigned{identity.slot}, identity.model, identity.serial);
}

int is_rotational(void* /*connection*/) {
  aoe_identity identity{};
  if (aoe_get_identity(disk, &identity, sizeof identity) != 0) {
    return fail();
  }
  return identity.rotation_rate > 1 ? 1 : 0;
}

int can_trim(void* /*connection*/) {
  return check(aoe_can_trim(disk));
}

int can_fua(void* /*connection*/) {
  return NBDKIT_FUA_NATIVE;
}

int yes(void* /*connection*/) {
  return 1;
}

// --- requests ---

std::uint32_t fua_flag(std::uint32_t flags) {
  return (flags & NBDKIT_FLAG_FUA) != 0 ? AOE_FLAG_FUA : 0;
}

int read(void* /*connection*/, void* buffer, std::uint32_t count, std::uint64_t offset,
         std::uint32_t /*flags*/) {
  return check(aoe_pread(disk, buffer, count, offset, 0));
}

int write(void* /*connection*/, const void* buffer, std::uint32_t count, std::uint64_t offset,
          std::uint32_t flags) {
  return check(aoe_pwrite(disk, buffer, count, offset, fua_flag(flags)));
}

int flush(void* /*connection*/, std::uint32_t /*flags*/) {
  return check(aoe_flush(disk, 0));
}

int trim(void* /*connection*/, std::uint32_t count, std::uint64_t offset, std::uint32_t flags) {
  return check(aoe_trim(disk, count, offset, fua_flag(flags)));
}

int zero(void* /*connection*/, std::uint32_t count, std::uint64_t offset, std::uint32_t flags) {
  std::uint32_t ours = fua_flag(flags);
  ours |= (flags & NBDKIT_FLAG_MAY_TRIM) != 0 ? 0 : AOE_FLAG_NO_HOLE;
  ours |= (flags & NBDKIT_FLAG_FAST_ZERO) != 0 ? AOE_FLAG_FAST_ZERO : 0;
  const int result = aoe_zero(disk, count, offset, ours);
  if (result < 0 && aoe_get_errno() == ENOTSUP) {
    // No failure: nbdkit writes zeros then, or tells a client that wanted it fast.
    nbdkit_set_error(ENOTSUP);
    return -1;
  }
  return check(result);
}

constexpr nbdkit_plugin make_plugin() {
  nbdkit_plugin p{};
  p.name = "aoe";
  p.longname = "ATA over Ethernet";
  p.version = AOE_VERSION;
  p.description = "A disk on the local Ethernet, through libaoe";
  p.config = on_config;
  p.config_complete = on_config_complete;
  p.config_help = kConfigHelp;
  p.magic_config_key = "uri";
  p.dump_plugin = dump_plugin;
  p.get_ready = get_ready;
  p.after_fork = after_fork;
  p.cleanup = cleanup;
  p.open = open_connection;
  p.export_description = describe_export;
  p.get_size = get_size;
  p.block_size = get_block_size;
  p.is_rotational = is_rotational;
  p.can_flush = yes;
  p.can_trim = can_trim;
  p.can_zero = yes;
  p.can_fast_zero = yes;
  p.can_fua = can_fua;
  p.can_multi_conn = yes;
  p.pread = read;
  p.pwrite = write;
  p.flush = flush;
  p.trim = trim;
  p.zero = zero;
  p.errno_is_preserved = 1;
  return p;
}

constinit nbdkit_plugin plugin = make_plugin();

}  // namespace

NBDKIT_REGISTER_PLUGIN(plugin)
