// Calls that read and change the device, each in its waiting and its asynchronous form.
#include "aoe/aoe.h"
#include "libaoe/call.h"
#include "libaoe/handle.h"
#include "libaoe/settings.h"

#include <cstddef>
#include <cstdint>

using aoe::ByteSpan;
using aoe::ConstByteSpan;
using aoe::Result;
using aoe::client::ByteRequest;
using aoe::client::Durability;
using aoe::client::IoOp;
using aoe::libaoe::Completion;
using aoe::libaoe::kTransferBytesMax;
using aoe::libaoe::require;
using aoe::libaoe::run_call;

namespace {

// What the caller asks for, before it is checked.
struct Wanted {
  IoOp op;
  std::uint32_t flags;
  std::uint32_t flags_known;
  std::uint64_t offset = 0;
  std::uint64_t count = 0;
  void* read_into = nullptr;
  const void* write_from = nullptr;
};

// Zeros are made by trimming, or sent; a flag may rule out the way that this device has.
Result<void> check_way_to_zero(aoe_handle& handle, std::uint32_t flags) {
  if ((flags & (AOE_FLAG_NO_HOLE | AOE_FLAG_FAST_ZERO)) == 0) {
    return {};
  }
  AOE_TRY_ASSIGN(const bool trims, handle.ask([](const aoe::client::ByteDevice& bytes) {
    const auto* identity = bytes.device().identity();
    return identity->has_trim && identity->trim_reads_zero;
  }));
  if (trims && (flags & AOE_FLAG_NO_HOLE) != 0) {
    return aoe::fail_with(aoe::Errc::unsupported, 0, "the target would release the blocks");
  }
  if (!trims && (flags & AOE_FLAG_FAST_ZERO) != 0) {
    return aoe::fail_with(aoe::Errc::unsupported, 0, "the target can only be sent zeros");
  }
  return {};
}

Result<ByteRequest> check(aoe_handle* handle, const Wanted& wanted) {
  AOE_TRY(require(handle, "handle"));
  if ((wanted.flags & ~wanted.flags_known) != 0) {
    return aoe::fail_with(aoe::Errc::invalid_argument, 0, "unknown flags");
  }
  ByteRequest request{.op = wanted.op, .offset = wanted.offset, .bytes = wanted.count};
  if ((wanted.flags & AOE_FLAG_FUA) != 0) {
    request.durability = Durability::at_once;
  }
  const bool reads = wanted.op == IoOp::read;
  if (reads || wanted.op == IoOp::write) {
    AOE_TRY(require(reads ? wanted.read_into : wanted.write_from, "buffer"));
    if (wanted.count > kTransferBytesMax) {
      return aoe::fail_with(aoe::Errc::invalid_argument, 0,
                            std::to_string(wanted.count) + " bytes: at most 1 GiB in one call");
    }
  }
  if (reads) {
    request.read_into = ByteSpan(static_cast<std::byte*>(wanted.read_into), wanted.count);
  } else if (wanted.op == IoOp::write) {
    request.write_from =
        ConstByteSpan(static_cast<const std::byte*>(wanted.write_from), wanted.count);
  } else if (wanted.op == IoOp::write_zeroes) {
    AOE_TRY(check_way_to_zero(*handle, wanted.flags));
  }
  return request;
}

int run(const char* name, aoe_handle* handle, const Wanted& wanted) {
  return run_call(name, [&]() -> Result<int> {
    AOE_TRY_ASSIGN(const ByteRequest request, check(handle, wanted));
    AOE_TRY(handle->run(request));
    return 0;
  });
}

int start(aoe_handle* handle, const Wanted& wanted, const Completion& completion) {
  return run_call(completion.name, [&]() -> Result<int> {
    AOE_TRY_ASSIGN(const ByteRequest request, check(handle, wanted));
    AOE_TRY(require(completion.callback, "completion"));
    AOE_TRY(handle->start(request, completion));
    return 0;
  });
}

Wanted read_wanted(void* buffer, std::size_t count, std::uint64_t offset, std::uint32_t flags) {
  return {.op = IoOp::read,
          .flags = flags,
          .flags_known = 0,
          .offset = offset,
          .count = count,
          .read_into = buffer};
}

Wanted write_wanted(const void* buffer, std::size_t count, std::uint64_t offset,
                    std::uint32_t flags) {
  return {.op = IoOp::write,
          .flags = flags,
          .flags_known = AOE_FLAG_FUA,
          .offset = offset,
          .count = count,
          .write_from = buffer};
}

Wanted flush_wanted(std::uint32_t flags) {
  return {.op = IoOp::flush, .flags = flags, .flags_known = 0};
}

Wanted trim_wanted(std::uint64_t count, std::uint64_t offset, std::uint32_t flags) {
  return {.op = IoOp::trim,
          .flags = flags,
          .flags_known = AOE_FLAG_FUA,
          .offset = offset,
          .count = count};
}

Wanted zero_wanted(std::uint64_t count, std::uint64_t offset, std::uint32_t flags) {
  return {.op = IoOp::write_zeroes,
          .flags = flags,
          .flags_known = AOE_FLAG_FUA | AOE_FLAG_NO_HOLE | AOE_FLAG_FAST_ZERO,
          .offset = offset,
          .count = count};
}

}  // namespace

int aoe_pread(aoe_handle* handle, void* buffer, std::size_t count, std::uint64_t offset,
              std::uint32_t flags) {
  return run("aoe_pread", handle, read_wanted(buffer, count, offset, flags));
}

int aoe_aio_pread(aoe_handle* handle, void* buffer, std::size_t count, std::uint64_t offset,
                  std::uint32_t flags, aoe_completion completion, void* user_data) {
  return start(handle, read_wanted(buffer, count, offset, flags),
               {"aoe_aio_pread", completion, user_data});
}

int aoe_pwrite(aoe_handle* handle, const void* buffer, std::size_t count, std::uint64_t offset,
               std::uint32_t flags) {
  return run("aoe_pwrite", handle, write_wanted(buffer, count, offset, flags));
}

int aoe_aio_pwrite(aoe_handle* handle, const void* buffer, std::size_t count, std::uint64_t offset,
                   std::uint32_t flags, aoe_completion completion, void* user_data) {
  return start(handle, write_wanted(buffer, count, offset, flags),
               {"aoe_aio_pwrite", completion, user_data});
}

int aoe_flush(aoe_handle* handle, std::uint32_t flags) {
  return run("aoe_flush", handle, flush_wanted(flags));
}

int aoe_aio_flush(aoe_handle* handle, std::uint32_t flags, aoe_completion completion,
                  void* user_data) {
  return start(handle, flush_wanted(flags), {"aoe_aio_flush", completion, user_data});
}

int aoe_trim(aoe_handle* handle, std::uint64_t count, std::uint64_t offset, std::uint32_t flags) {
  return run("aoe_trim", handle, trim_wanted(count, offset, flags));
}

int aoe_aio_trim(aoe_handle* handle, std::uint64_t count, std::uint64_t offset, std::uint32_t flags,
                 aoe_completion completion, void* user_data) {
  return start(handle, trim_wanted(count, offset, flags), {"aoe_aio_trim", completion, user_data});
}

int aoe_zero(aoe_handle* handle, std::uint64_t count, std::uint64_t offset, std::uint32_t flags) {
  return run("aoe_zero", handle, zero_wanted(count, offset, flags));
}

int aoe_aio_zero(aoe_handle* handle, std::uint64_t count, std::uint64_t offset, std::uint32_t flags,
                 aoe_completion completion, void* user_data) {
  return start(handle, zero_wanted(count, offset, flags), {"aoe_aio_zero", completion, user_data});
}

int aoe_in_flight(aoe_handle* handle) {
  return run_call("aoe_in_flight", [&]() -> Result<int> {
    AOE_TRY(require(handle, "handle"));
    return handle->in_flight();
  });
}

int aoe_drain(aoe_handle* handle) {
  return run_call("aoe_drain", [&]() -> Result<int> {
    AOE_TRY(require(handle, "handle"));
    AOE_TRY(handle->drain());
    return 0;
  });
}
