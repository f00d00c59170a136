#include "sim/congestion/linux_host.h"

#include <utility>

namespace aoe::sim {

LinuxHost::LinuxHost(World& world, FrameLedger& ledger, std::uint16_t number,
                     const LoadOptions& options)
    : LoadHost(world, ledger, number, options),
      driver_({}),
      is_open_(options.slots),
      free_(options.slots) {
  requests_.resize(static_cast<std::size_t>(options.slots) * options.depth);
  for (std::uint32_t i = 0; i < requests_.size(); ++i) {
    requests_[i].data.resize(options.pattern.sectors * kSectorBytes);
    free_[i / options.depth].push_back(i);
  }
}

void LinuxHost::begin(Instant /*now*/) {
  for (std::uint8_t port = 0; port < options().ports; ++port) {
    driver_.add_interface(PortId{port}, host_mac(number(), port), options().mtu_bytes);
  }
}

void LinuxHost::receive(Instant now, PortId port, PacketBuffer frame) {
  const PacketBuffer received = std::move(frame);
  driver_.handle_frame(now, port, received.bytes());
}

Instant LinuxHost::run(Instant now) {
  driver_.handle_timeout(now);
  while (const auto done = driver_.poll_completion()) {
    const auto index = static_cast<std::uint32_t>(done->cookie);
    if (done->ok) {
      note_answered(now, done->address.slot.value, requests_[index].lba);
    }
    free_[done->address.slot.value].push_back(index);
  }
  for (std::uint8_t slot = 0; slot < options().slots; ++slot) {
    if (is_open_[slot] == 0 && driver_.is_up(address(slot))) {
      driver_.open(address(slot));
      is_open_[slot] = 1;
    }
    while (is_loaded() && is_open_[slot] != 0 && !free_[slot].empty()) {
      Request& request = requests_[free_[slot].back()];
      request.lba = next_place(slot);
      if (!driver_.submit(
              now, address(slot),
              {.cookie = free_[slot].back(), .lba = request.lba, .read_into = request.data})) {
        break;
      }
      free_[slot].pop_back();
    }
  }
  while (const auto out = driver_.poll_transmit()) {
    send(now, out->port, out->bytes);
  }
  return driver_.poll_timeout();
}

}  // namespace aoe::sim
