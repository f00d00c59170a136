// Asks questions over one path, each repeated until it is answered or called off.
#pragma once

#include "initiator/core_context.h"
#include "initiator/index_list.h"
#include "initiator/io_request.h"

#include <cstdint>
#include <optional>

namespace aoe::initiator {

// One question of a kind at a time on a path. What answers mean is up to PathKeeper.
class PathProber {
 public:
  explicit PathProber(const CoreContext& context) : context_(context) {}

  // Nothing when the question is under way already, or when no tag is free (see next_retry()).
  // `sectors`: what PathQuestion::size and PathQuestion::control read.
  void ask(Instant now, DeviceId id, std::uint32_t path, PathQuestion question,
           std::uint32_t sectors = 0);
  void stop(DeviceId id, std::uint32_t path, PathQuestion question);
  void stop_all(DeviceId id, std::uint32_t path);

  // The timer of exchange `slot` ran out: the question is sent again.
  void repeat(std::uint32_t slot);
  // An answer that settles nothing, such as an AoE error: ask again later.
  void ask_again(Instant now, std::uint32_t slot);

  // When to look for what is to be asked, because a question found no free tag.
  [[nodiscard]] std::optional<Instant> next_retry() const { return retry_; }

  // True once, when that instant has come.
  [[nodiscard]] bool take_retry(Instant now);

  [[nodiscard]] bool next_frame(Instant now, TxFrame& out);

 private:
  static constexpr Duration kTagRetry = Duration::milliseconds(10);

  [[nodiscard]] std::uint32_t& slot_of(DeviceId id, std::uint32_t path, PathQuestion question);
  void arm_timer(Instant now, std::uint32_t slot);
  [[nodiscard]] std::size_t frame_bytes(const Exchange& exchange, const Path& path) const;
  void build(const Exchange& exchange, const Path& path, ByteSpan frame);
  void build_hello(const Device& device, ByteSpan frame) const;

  CoreContext context_;
  IndexList waiting_;
  std::optional<Instant> retry_;
};

}  // namespace aoe::initiator
