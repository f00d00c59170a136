#include "frontends/ublk/queue.h"

#include "base/check.h"

namespace aoe::ublk {

Queue::Queue(const Parts& parts)
    : parts_(parts),
      buffer_bytes_(parts.buffers.size() / parts.descriptors.size()),
      slots_(parts.descriptors.size()) {
  for (std::size_t tag = 0; tag < slots_.size(); ++tag) {
    slots_[tag].ticket = {.sink = &parts.done, .tag = static_cast<std::uint16_t>(tag)};
  }
}

std::span<std::byte> Queue::buffer(std::uint16_t tag) const {
  return parts_.buffers.subspan(tag * buffer_bytes_, buffer_bytes_);
}

bool Queue::has_ended() const {
  return tags_ended_ == slots_.size() && under_way_ == 0;
}

void Queue::start() {
  for (const Slot& slot : slots_) {
    parts_.commands.fetch(slot.ticket.tag, buffer(slot.ticket.tag));
  }
}

void Queue::handle_fetched(std::uint16_t tag, int result) {
  if (result != uapi::kResultOk) {
    ++tags_ended_;
    return;
  }
  Slot& slot = slots_[tag];
  const auto request =
      decode_request(parts_.descriptors[tag], static_cast<std::uint32_t>(buffer_bytes_));
  if (!request) {
    parts_.commands.commit_and_fetch(tag, -request.error(), buffer(tag));
    return;
  }
  slot.request = *request;
  slot.is_under_way = true;
  ++under_way_;
  if (const int error = parts_.disk.start(slot.request, buffer(tag), slot.ticket); error != 0) {
    handle_done(tag, error);
  }
}

void Queue::handle_done(std::uint16_t tag, int error) {
  Slot& slot = slots_[tag];
  AOE_CHECK(slot.is_under_way, "a request of a ublk device ends once");
  slot.is_under_way = false;
  --under_way_;
  parts_.commands.commit_and_fetch(tag, result_of(slot.request, error), buffer(tag));
}

}  // namespace aoe::ublk
