#include "frontends/ublk/aoe_disk.h"

#include "os/error_text.h"

#include <cerrno>

namespace aoe::ublk {
namespace {

void handle_end(void* user_data, int error) {
  const auto& ticket = *static_cast<const Ticket*>(user_data);
  ticket.sink->complete(ticket.tag, error);
}

auto last_error() {
  const int number = aoe_get_errno();
  return fail_with(os::errc_of_errno(number), number, aoe_get_error());
}

}  // namespace

Result<std::unique_ptr<AoeDisk>> AoeDisk::open(const std::string& uri) {
  std::unique_ptr<AoeDisk> disk(new AoeDisk());
  disk->handle_.reset(aoe_create());
  aoe_handle* const handle = disk->handle_.get();
  if (handle == nullptr || aoe_open(handle, uri.c_str()) != 0 || aoe_start_thread(handle) != 0) {
    return last_error();
  }
  AOE_TRY(disk->ask());
  return disk;
}

Result<void> AoeDisk::ask() {
  aoe_handle* const handle = handle_.get();
  aoe_identity identity{};
  const std::int64_t bytes = aoe_get_size(handle);
  const std::int64_t preferred = aoe_get_block_size(handle, AOE_BLOCK_PREFERRED);
  const int can_trim = aoe_can_trim(handle);
  const int is_read_only = aoe_is_read_only(handle);
  if (bytes < 0 || preferred < 0 || can_trim < 0 || is_read_only < 0 ||
      aoe_get_identity(handle, &identity, sizeof identity) != 0) {
    return last_error();
  }
  facts_ = {.bytes = static_cast<std::uint64_t>(bytes),
            .preferred_bytes = static_cast<std::uint32_t>(preferred),
            .is_read_only = is_read_only != 0,
            // 1 is a disk without moving parts (ATA8-ACS 7.16.7.76).
            .is_rotational = identity.rotation_rate > 1,
            .can_trim = can_trim != 0};
  address_ = {Shelf{identity.shelf}, Slot{identity.slot}};
  serial_ = identity.serial;
  model_ = identity.model;
  return {};
}

int AoeDisk::start(const Request& request, std::span<std::byte> buffer, Ticket& ticket) {
  aoe_handle* const handle = handle_.get();
  const std::uint32_t fua = request.fua ? AOE_FLAG_FUA : 0;
  int result = -1;
  switch (request.operation) {
    case Operation::read:
      result = aoe_aio_pread(handle, buffer.data(), request.count_bytes, request.offset_bytes, 0,
                             handle_end, &ticket);
      break;
    case Operation::write:
      result = aoe_aio_pwrite(handle, buffer.data(), request.count_bytes, request.offset_bytes, fua,
                              handle_end, &ticket);
      break;
    case Operation::flush:
      result = aoe_aio_flush(handle, 0, handle_end, &ticket);
      break;
    case Operation::trim:
      result =
          aoe_aio_trim(handle, request.count_bytes, request.offset_bytes, fua, handle_end, &ticket);
      break;
    case Operation::zero:
      result = aoe_aio_zero(handle, request.count_bytes, request.offset_bytes,
                            fua | (request.no_hole ? AOE_FLAG_NO_HOLE : 0), handle_end, &ticket);
      break;
  }
  return result == 0 ? 0 : aoe_get_errno();
}

}  // namespace aoe::ublk
