// What a frame carries: filling it from requests, cutting it, and its data.
#include "initiator/io_engine.h"
#include "protocol/aoe_ata.h"
#include "protocol/ata_trim.h"

#include <algorithm>
#include <array>

namespace aoe::initiator {

void IoEngine::fill_exchange(std::uint32_t slot, const FrameFill& fill) {
  Exchange& exchange = context_.exchanges.at(slot);
  Request& first = requests_.at(fill.requests[0]);
  exchange.device = first.device;
  exchange.op = first.op;
  exchange.owner = fill.requests[0];
  // A flush may come at the end of a request that has sent all its sectors.
  exchange.offset_sectors = first.op == FrameOp::flush ? 0 : first.sent_sectors;
  exchange.lba = Lba{first.io.lba.value + exchange.offset_sectors};
  exchange.sectors = fill.sectors;
  std::uint64_t left = fill.sectors;
  for (std::uint32_t i = 0; i < fill.request_count; ++i) {
    const std::uint32_t id = fill.requests.at(i);
    Request& request = requests_.at(id);
    const std::uint64_t take = std::min(left, request.io.sectors - request.sent_sectors);
    left -= take;
    request.sent_sectors += take;
    request.flush_sent = request.op == FrameOp::flush;
    request.joined = i + 1 < fill.request_count ? fill.requests.at(i + 1) : kNoIndex;
    ++request.exchanges;
    if (!request.has_more()) {
      stop_sending(id);
    }
  }
  context_.stats.requests_merged += fill.request_count - 1;
}

Piece IoEngine::piece_of(const Exchange& exchange) const {
  Piece piece{.op = exchange.op, .lba = exchange.lba, .sectors = exchange.sectors};
  if (piece.op == FrameOp::trim) {
    requests_.for_each_part(
        exchange, [&piece](const FramePart& part) { piece.ranges += trim_ranges(part.sectors); });
  }
  return piece;
}

void IoEngine::gather(const Exchange& exchange, ByteSpan data) const {
  if (carries_user_data(exchange.op)) {
    requests_.for_each_part(exchange, [&](const FramePart& part) {
      const std::size_t bytes = part.sectors * kSectorBytes;
      copy_bytes(data, requests_.at(part.request)
                           .io.write_from.subspan(part.offset_sectors * kSectorBytes, bytes));
      data = data.subspan(bytes);
    });
  } else if (exchange.op == FrameOp::trim) {
    requests_.for_each_part(exchange, [&](const FramePart& part) {
      const Lba first{requests_.at(part.request).io.lba.value + part.offset_sectors};
      static_cast<void>(protocol::build_trim_extent(data, first, part.sectors));
      data = data.subspan(trim_ranges(part.sectors) * protocol::kTrimEntryBytes);
    });
  }
}

void IoEngine::scatter(const Exchange& exchange, ConstByteSpan data) {
  requests_.for_each_part(exchange, [&](const FramePart& part) {
    const std::size_t bytes = part.sectors * kSectorBytes;
    copy_bytes(
        requests_.at(part.request).io.read_into.subspan(part.offset_sectors * kSectorBytes, bytes),
        data.first(bytes));
    data = data.subspan(bytes);
  });
}

std::uint64_t IoEngine::fitting_sectors(const Exchange& exchange, std::uint32_t payload_sectors) {
  if (exchange.op != FrameOp::trim) {
    return std::min<std::uint64_t>(exchange.sectors, payload_sectors);
  }
  std::uint64_t ranges = trim_ranges_max(*device(exchange.device).identity(), payload_sectors);
  std::uint64_t fitting = 0;
  requests_.for_each_part(exchange, [&](const FramePart& part) {
    const std::uint64_t take = std::min(part.sectors, ranges * kTrimRangeSectorsMax);
    ranges -= trim_ranges(take);
    fitting += take;
  });
  return fitting;
}

bool IoEngine::replace(Instant now, std::uint32_t slot, std::span<const Cut> with) {
  // A device may exceed the limit of frames by this: tables have that room.
  const CoreLimits& limits = context_.options.limits;
  std::array<std::uint32_t, 2> fresh{};
  AOE_CHECK(with.size() <= fresh.size(), "an exchange is cut in two at most");
  if (frames_ + with.size() > limits.frames_max + std::uint64_t{2} * limits.devices_max) {
    return false;
  }
  for (std::size_t i = 0; i < with.size(); ++i) {
    const std::optional<std::uint32_t> part = new_exchange(now);
    if (!part) {
      for (; i > 0; --i) {
        context_.exchanges.release(fresh.at(i - 1));
        --frames_;
      }
      return false;
    }
    fresh.at(i) = *part;
  }
  const Exchange old = context_.exchanges.at(slot);
  for (std::size_t i = with.size(); i > 0; --i) {
    Exchange& exchange = context_.exchanges.at(fresh.at(i - 1));
    exchange.device = old.device;
    exchange.op = old.op;
    exchange.sectors = with[i - 1].sectors;
    const std::uint64_t skip = with[i - 1].skip;
    requests_.for_each_part(old, [&](const FramePart& part) {
      if (part.before_sectors <= skip && skip < part.before_sectors + part.sectors) {
        exchange.owner = part.request;
        exchange.offset_sectors = part.offset_sectors + (skip - part.before_sectors);
        exchange.lba = Lba{requests_.at(part.request).io.lba.value + exchange.offset_sectors};
      }
    });
    requests_.for_each_part(
        exchange, [this](const FramePart& part) { ++requests_.at(part.request).exchanges; });
    exchange.queued = true;
    queues(old.device).resend.push_front(context_.exchanges.links(), fresh.at(i - 1));
  }
  end_exchange(slot, Ending::given_up);
  wake(old.device);
  return true;
}

bool IoEngine::cut(Instant now, std::uint32_t slot, std::uint64_t at_sectors) {
  AOE_CHECK(0 < at_sectors && at_sectors < context_.exchanges.at(slot).sectors,
            "both halves of what is cut have sectors");
  const std::uint64_t rest = context_.exchanges.at(slot).sectors - at_sectors;
  const std::array<Cut, 2> with{
      {{.skip = 0, .sectors = at_sectors}, {.skip = at_sectors, .sectors = rest}}};
  return replace(now, slot, with);
}

bool IoEngine::leave_exchanges(Instant now, std::uint32_t id) {
  const Request& request = requests_.at(id);
  for (std::uint32_t slot = 0; request.exchanges > 0 && slot < context_.exchanges.slots(); ++slot) {
    Exchange& exchange = context_.exchanges.at(slot);
    if (exchange.kind != ExchangeKind::io || exchange.device != request.device) {
      continue;
    }
    const std::optional<FramePart> part = requests_.find_part(exchange, id);
    if (!part) {
      continue;
    }
    if (exchange.op == FrameOp::flush) {
      leave_flush(slot, id);
      continue;
    }
    std::array<Cut, 2> rest{};
    std::size_t count = 0;
    if (part->before_sectors > 0) {
      rest.at(count++) = {.skip = 0, .sectors = part->before_sectors};
    }
    const std::uint64_t end = part->before_sectors + part->sectors;
    if (end < exchange.sectors) {
      rest.at(count++) = {.skip = end, .sectors = exchange.sectors - end};
    }
    if (!replace(now, slot, std::span(rest).first(count))) {
      return false;
    }
  }
  return true;
}

void IoEngine::leave_flush(std::uint32_t slot, std::uint32_t id) {
  Exchange& exchange = context_.exchanges.at(slot);
  Request& request = requests_.at(id);
  if (!requests_.is_shared(exchange)) {
    end_exchange(slot, Ending::given_up);
    return;
  }
  if (exchange.owner == id) {
    exchange.owner = request.joined;
  } else {
    requests_.for_each_part(exchange, [&](const FramePart& part) {
      Request& earlier = requests_.at(part.request);
      if (earlier.joined == id) {
        earlier.joined = request.joined;
      }
    });
  }
  --request.exchanges;
}

}  // namespace aoe::initiator
