#include "sim/actors/admin_station.h"

#include <algorithm>
#include <utility>

namespace aoe::sim {
namespace {

constexpr Duration kRepeatAfter = Duration::milliseconds(100);

}  // namespace

AdminStation::AdminStation(World& world) : Station(world, 0), orders_(kOrdersMax) {}

void AdminStation::force_reservation(DeviceAddress address, std::span<const MacAddress> holders) {
  Order order;
  order.address = address;
  order.count = std::min(holders.size(), kHoldersMax);
  std::copy_n(holders.begin(), order.count, order.holders.begin());
  order.tag = Tag{++last_tag_};
  const bool was_idle = orders_.empty();
  if (orders_.try_push(std::move(order)) && was_idle) {
    send();
  }
}

void AdminStation::drop_waiting() {
  if (orders_.empty()) {
    return;
  }
  Order first = orders_.pop();
  while (!orders_.empty()) {
    static_cast<void>(orders_.pop());
  }
  static_cast<void>(orders_.try_push(std::move(first)));
}

void AdminStation::send() {
  if (orders_.empty()) {
    return;
  }
  const Order& order = orders_.front();
  std::array<std::byte, protocol::kFrameBytesMin + kHoldersMax * 6> frame{};
  protocol::build_header(frame, {.destination = MacAddress::broadcast(),
                                 .source = port_info(PortId{0}).mac,
                                 .address = order.address,
                                 .command = static_cast<std::uint8_t>(protocol::Command::reserve),
                                 .tag = order.tag});
  const std::size_t bytes =
      protocol::build_reserve(frame, static_cast<std::uint8_t>(protocol::ReserveCommand::force_set),
                              std::span(order.holders).first(order.count));
  transmit(PortId{0}, ConstByteSpan(frame).first(std::max(bytes, protocol::kFrameBytesMin)));
  wake_at(local_now() + kRepeatAfter);
}

void AdminStation::on_frame(PortId /*port*/, PacketBuffer frame) {
  const auto header = protocol::parse_header(std::as_const(frame).bytes());
  if (header && header->is_response && !orders_.empty() && header->tag == orders_.front().tag &&
      header->command == static_cast<std::uint8_t>(protocol::Command::reserve)) {
    ++answers_;
    orders_.pop();
    send();
  }
}

void AdminStation::on_port(PortId /*port*/, const PortInfo& /*info*/) {}

void AdminStation::on_wake() {
  send();
}

}  // namespace aoe::sim
