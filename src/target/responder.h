// Answers ATA requests: frames that are sealed where the request was, and remembered where a copy
// of the request must get the same answer.
#pragma once

#include "protocol/aoe_ata.h"
#include "target/core_parts.h"

#include <cstddef>

namespace aoe::target {

class Responder {
 public:
  explicit Responder(CoreParts& parts) : parts_(parts) {}

  // Memory for an answer with so much data behind the argument, zero; empty when there is none or
  // the port cannot carry it.
  [[nodiscard]] PacketBuffer allocate(const Requester& to, std::size_t data_bytes);
  // The same without zeroing: a store fills in the data and send_registers() what is in front; an
  // answer that gets no data has to be cleared.
  [[nodiscard]] PacketBuffer allocate_unwritten(const Requester& to, std::size_t data_bytes);

  // The request is executed by a slot of the executor from now on. Copies find it executing until
  // it is answered, which happens once.
  void begin(Requester& to, std::uint16_t slot);

  // An answer with the header and `registers` in front of the data that is in `reply` already.
  void send_registers(const Requester& to, PacketBuffer&& reply, DeviceAddress address,
                      const protocol::AtaArgument& registers, std::size_t data_bytes);
  // Rate limited. "Device unavailable" is an answer that invites to ask again: it is not
  // remembered.
  void send_error(Instant now, const Requester& to, DeviceAddress address,
                  protocol::AoeError error);

  // What was remembered, once more. Rate limited.
  void send_again(Instant now, const Requester& to, DeviceAddress address,
                  const RememberedAnswer& answer);

 private:
  void remember(const Requester& to, const RememberedAnswer& answer);
  void send_frame(const Requester& to, PacketBuffer&& reply, std::size_t data_bytes);
  void send_ata(const Requester& to, PacketBuffer&& reply, DeviceAddress address,
                const protocol::AtaArgument& registers, std::size_t data_bytes);

  CoreParts& parts_;
};

}  // namespace aoe::target
